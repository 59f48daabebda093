"""A request with everything it refers to read and found, before anything is calculated."""

from dataclasses import dataclass
from pathlib import Path

from dosewright.commissioning.catalog import Library
from dosewright.core.errors import InputError
from dosewright.formats.dicom.study import Study
from dosewright.workflow.preprocess.equip import EquippedBeam
from dosewright.workflow.preprocess.look_up import look_up
from dosewright.workflow.preprocess.tps_doses import TpsDoses, comparable_doses
from dosewright.workflow.request import DoseRequest, Wishes
from dosewright.workflow.users import User


@dataclass(frozen=True)
class Case:
    """One calculation to be done.

    Parameters
    ----------
    output
        The result folder, chosen but not made.
    tps
        The planning system's doses; those that the request makes incomparable are left out.
    fractions
        Planned fractions; 1, and said, where the plan has none.
    """

    request: DoseRequest
    study: Study
    library: Library
    user: User
    beams: tuple[EquippedBeam, ...]
    tps: TpsDoses
    output: Path
    fractions: int
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def whole_plan(self) -> bool:
        """True when every beam of the plan is calculated."""
        return len(self.beams) == len(self.study.plan.all_beams)


def open_case(wishes: Wishes) -> Case:
    """Look up everything that is wished for; refuse with all problems together."""
    found = look_up(wishes)
    study, library, user, output = found.study.study, found.library, found.user, found.output
    if found.all_problems or study is None or library is None or user is None or output is None:
        raise InputError(*found.all_problems)
    request = wishes.checked()
    equipped = tuple(look.equipped for look in found.beams if look.equipped)
    if len(equipped) != len(found.beams):
        raise RuntimeError("a beam without a problem was not equipped")
    assumptions, warnings = _what_to_say(request, study, user)
    tps, left_out = _doses_to_compare(request, study)
    return Case(
        request=request,
        study=study,
        library=library,
        user=user,
        beams=equipped,
        tps=tps,
        output=output,
        fractions=study.plan.fractions or 1,
        assumptions=(*assumptions, *(said for beam in equipped for said in beam.assumptions)),
        warnings=(*warnings, *tps.warnings, *left_out),
    )


def _what_to_say(request: DoseRequest, study: Study, user: User) -> tuple[list[str], list[str]]:
    assumptions = [user.sentence]
    warnings = list(study.warnings)
    if request.goals_assumed:
        assumptions.append(f"No goal was given. {request.goals.sentence(request.goal_scope)}")
    if study.plan.fractions is None:
        warnings.append("The plan has no number of fractions: one fraction is calculated.")
    if request.phantom is not None:
        assumptions.append(
            f"The phantom {request.phantom!r} replaces the patient, centred on the isocentre with the axes of a "
            f"patient lying head first supine; the planned couch angles and patient position have no effect (-p)."
        )
    return assumptions, warnings


def _doses_to_compare(request: DoseRequest, study: Study) -> tuple[TpsDoses, list[str]]:
    """Leave the planning system's doses out where they belong to another patient than the one calculated."""
    if request.phantom is not None and study.ct is not None:
        said = "The doses of the planning system belong to the CT and are not compared with a dose in a phantom (-p)."
        return TpsDoses(None, {}, ()), [said] if study.doses else []
    return comparable_doses(study.doses, study.plan), []
