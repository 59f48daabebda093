"""A request with everything it refers to read and found, before anything is calculated."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dosewright.commissioning.catalog import Library
from dosewright.core.errors import InputError
from dosewright.formats.dicom.study import Chosen, Study, find_study
from dosewright.workflow.folder import default_output
from dosewright.workflow.looks import tried
from dosewright.workflow.preprocess.beams import refused_radiation, select_beams
from dosewright.workflow.preprocess.equip import EquippedBeam, equip, may_choose_model
from dosewright.workflow.preprocess.target import override_materials, patient_problems
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
    """Read the study, the library and the user; refuse with the problems of all that the request names together."""
    study, library = opened(request)
    problems = library_problems(request, library)
    user = tried(lambda: known_user(request, library), problems) or User("unknown", "research", False)
    beams = tried(lambda: select_beams(study.plan, request.beams), problems) or ()
    other = refused_radiation(beams)
    problems.extend(other)
    equipped = (tried(lambda: equip(beams, request, library), problems) if not other else None) or ()
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


def opened(request: DoseRequest) -> tuple[Study, Library]:
    """Read study and library; where one cannot be read, everything else that is wrong already is refused with it."""
    problems: list[str] = []
    study = tried(lambda: find_study(request.plan, chosen_files(request)), problems)
    library = tried(lambda: Library.open(request.library), problems)
    if study is not None and library is not None:
        return study, library
    if library is not None:
        problems.extend(library_problems(request, library))
        tried(lambda: known_user(request, library), problems)
    if study is not None:
        tried(lambda: select_beams(study.plan, request.beams), problems)
    raise InputError(*problems)


def library_problems(request: DoseRequest, library: Library) -> list[str]:
    """Return a problem for everything the request names that the library does not know."""
    problems: list[str] = []
    for name, look in (
        (request.beam_model, library.beam_model),
        (request.ct_protocol, library.ct_protocol),
        (request.phantom, library.phantom),
    ):
        if name is not None:
            tried(partial(look, name), problems)
    tried(lambda: override_materials(request, library), problems)
    return problems


def known_user(request: DoseRequest, library: Library) -> User:
    """Return the user, who must be allowed what the request asks for."""
    user = user_of(request.login, library_file(library, TABLE_NAME))
    may_choose_model(request, user)
    return user


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
