"""A request with everything it refers to read and found, before anything is calculated."""

from dataclasses import dataclass
from pathlib import Path

from dosewright.commissioning.catalog import Library
from dosewright.core.errors import InputError
from dosewright.core.plan import IonBeam
from dosewright.formats.dicom.study import Chosen, Study, find_study
from dosewright.workflow.folder import default_output
from dosewright.workflow.preprocess.beams import refused_radiation, select_beams
from dosewright.workflow.preprocess.equip import EquippedBeam, equip, may_choose_model
from dosewright.workflow.preprocess.target import patient_problems
from dosewright.workflow.preprocess.tps_doses import TpsDoses, comparable_doses
from dosewright.workflow.request import DoseRequest
from dosewright.workflow.users import TABLE_NAME, User, user_of


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


def open_case(request: DoseRequest) -> Case:
    """Read the study, the library and the user; refuse with all problems of beams, models and login together."""
    study = find_study(request.plan, chosen_files(request))
    library = Library.open(request.library)
    problems: list[str] = []
    user = User("unknown", "research", False)
    beams: tuple[IonBeam, ...] = ()
    equipped: tuple[EquippedBeam, ...] = ()
    try:
        user = user_of(request.login, library_file(library, TABLE_NAME))
        may_choose_model(request, user)
    except InputError as error:
        problems.extend(error.problems)
    try:
        beams = select_beams(study.plan, request.beams)
    except InputError as error:
        problems.extend(error.problems)
    other = refused_radiation(beams)
    problems.extend(other)
    if not other:
        try:
            equipped = equip(beams, request, library)
        except InputError as error:
            problems.extend(error.problems)
    problems.extend(patient_problems(study, request, library, beams))
    if problems:
        raise InputError(*problems)
    assumptions, warnings = _what_to_say(request, study, user)
    tps, left_out = _doses_to_compare(request, study)
    return Case(
        request=request,
        study=study,
        library=library,
        user=user,
        beams=equipped,
        tps=tps,
        output=request.output or default_output(request.plan, study.plan.uid),
        fractions=study.plan.fractions or 1,
        assumptions=(*assumptions, *(said for beam in equipped for said in beam.assumptions)),
        warnings=(*warnings, *tps.warnings, *left_out),
    )


def chosen_files(request: DoseRequest) -> Chosen:
    """Return what the user chose instead of leaving it to the search."""
    return Chosen(
        request.ct, request.structures, request.doses, request.fraction_group, request.ignore_devices, request.beams
    )


def library_file(library: Library, name: str) -> Path | None:
    """Return where a file of the user's library would lie, or None for the packaged library."""
    return None if library.folder is None else library.folder / name


def _what_to_say(request: DoseRequest, study: Study, user: User) -> tuple[list[str], list[str]]:
    assumptions = [user.sentence]
    warnings = list(study.warnings)
    if request.goals_assumed:
        assumptions.append(f"No goal was given. {request.goals.sentence()}")
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
