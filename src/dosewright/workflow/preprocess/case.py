"""A request with everything it refers to read and found, before anything is calculated."""

from dataclasses import dataclass
from pathlib import Path

from dosewright.commissioning.site.catalog import Library
from dosewright.core.errors import InputError
from dosewright.core.structures import Structure
from dosewright.formats.dicom.study import Study
from dosewright.formats.text.site_settings import Calculation, SiteSettings
from dosewright.geometry.patient import external_of
from dosewright.workflow.preprocess.equip import EquippedBeam
from dosewright.workflow.preprocess.look_up import look_up
from dosewright.workflow.preprocess.models_used import ModelUsed
from dosewright.workflow.preprocess.tps_doses import TpsDoses, comparable_doses
from dosewright.workflow.request import DoseRequest, Wishes
from dosewright.workflow.users import User

USUAL_RBE = 1.1  # ICRU Report 78 (2007): generic RBE of protons


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
    models
        What the calculation rests on beside the plan's own files, by the hashes of their content.
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
    models: tuple[ModelUsed, ...] = ()

    @property
    def settings(self) -> SiteSettings:
        """The site's settings."""
        return self.library.settings

    @property
    def rbe_factor(self) -> float:
        """RBE-weighted dose over physical dose, of protons."""
        return self.settings.calculation.rbe_factor_protons

    @property
    def structures(self) -> tuple[Structure, ...]:
        """The structures of the patient; a phantom has none."""
        drawn = self.study.structures
        return drawn.structures if drawn is not None and self.request.phantom is None else ()

    @property
    def external(self) -> Structure | None:
        """The EXTERNAL of the patient; a phantom has none."""
        return external_of(self.study.structures) if self.structures else None

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
    request = found.wishes.checked()
    equipped = tuple(look.equipped for look in found.beams if look.equipped)
    if len(equipped) != len(found.beams):
        raise RuntimeError("a beam without a problem was not equipped")
    assumptions, warnings = _what_to_say(request, study, user)
    assumptions += _said_of_dose(request, study, library.settings.calculation)
    tps, left_out = _doses_to_compare(request, study, library.settings.calculation.rbe_factor_protons)
    return Case(
        request=request,
        study=study,
        library=library,
        user=user,
        beams=equipped,
        tps=tps,
        output=output,
        fractions=study.plan.fractions or 1,
        assumptions=(*assumptions, *found.said, *(said for beam in equipped for said in beam.assumptions)),
        warnings=(*warnings, *tps.warnings, *left_out),
        models=found.models,
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
            f"The phantom {request.phantom!r} replaces the patient, {_place(request.phantom_shift_mm)} with the axes "
            f"of a patient lying head first supine; the planned couch angles and patient position have no effect (-p)."
        )
    return assumptions, warnings


def _said_of_dose(request: DoseRequest, study: Study, site: Calculation) -> list[str]:
    """Say what is made of the dose beyond the usual."""
    said = []
    if request.dose_to == "medium":
        said.append("The physical dose is that to the medium of each voxel, not to water (--dose-to).")
    if site.rbe_factor_protons != USUAL_RBE:
        said.append(f"The RBE factor of protons is {site.rbe_factor_protons:g}, by the site's settings.")
    external = external_of(study.structures) if request.phantom is None else None
    if request.remove_outside and external is None:
        said.append("There is no EXTERNAL: no dose was removed outside of it.")
    elif request.remove_outside and external is not None:
        said.append(f"Doses outside {external.name} (EXTERNAL) are set to zero (--remove-outside).")
    return said


def _place(shift_mm: tuple[float, float, float] | None) -> str:
    if shift_mm is None:
        return "centred on the isocentre"
    by = ", ".join(f"{mm:g}" for mm in shift_mm)
    return f"moved from the isocentre by ({by}) mm (--phantom-shift)"


def _doses_to_compare(request: DoseRequest, study: Study, rbe_factor: float) -> tuple[TpsDoses, list[str]]:
    """Leave the planning system's doses out where they belong to another patient than the one calculated."""
    if request.phantom is not None and study.ct is not None:
        said = "The doses of the planning system belong to the CT and are not compared with a dose in a phantom (-p)."
        return TpsDoses(None, {}, ()), [said] if study.doses else []
    return comparable_doses(study.doses, study.plan, rbe_factor), []
