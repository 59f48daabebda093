"""Everything that a user's wishes name, looked up in one round: what was found, and all that is wrong together."""

from dataclasses import dataclass
from pathlib import Path

from dosewright.commissioning.phantom import Phantom
from dosewright.commissioning.site.catalog import Library
from dosewright.core.looks import tried
from dosewright.core.matter import HounsfieldTable
from dosewright.core.plan import IonBeam
from dosewright.formats.dicom.study import Chosen, StudyLook, look_for_study
from dosewright.workflow.folder import JobFolder, default_output, former_request
from dosewright.workflow.preprocess.allowed import not_allowed, said_of_rights
from dosewright.workflow.preprocess.beams import refused_radiation, select_beams
from dosewright.workflow.preprocess.equip import EquippedBeam, equip_one
from dosewright.workflow.preprocess.models_used import ModelUsed, models_used
from dosewright.workflow.preprocess.settled import settled
from dosewright.workflow.preprocess.target import (
    common_isocentre,
    hounsfield_table,
    override_materials,
    patient_problems,
)
from dosewright.workflow.request import Wishes
from dosewright.workflow.users import User, user_of


@dataclass(frozen=True)
class BeamLook:
    """One beam that is wanted, with its machine; `equipped` is None where it was refused or could not be looked at."""

    beam: IonBeam
    equipped: EquippedBeam | None
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What was found, None where it was refused; `problems` are all but those of the single beams.

    `wishes` are completed by the site's settings.
    """

    wishes: Wishes
    study: StudyLook
    library: Library | None
    user: User | None
    phantom: Phantom | None
    table: HounsfieldTable | None
    beams: tuple[BeamLook, ...]
    output: Path | None
    problems: tuple[str, ...]
    models: tuple[ModelUsed, ...] = ()

    @property
    def said(self) -> list[str]:
        """What the result says about rights that were used, and about its goals."""
        if self.library is None or self.user is None:
            return []
        return said_of_rights(self.wishes, self.user, self.library, self.models)

    @property
    def all_problems(self) -> tuple[str, ...]:
        """Everything that keeps the wishes from being calculated."""
        of_beams = (said for look in self.beams for said in look.problems)
        return tuple(dict.fromkeys((*self.problems, *of_beams)))


def look_up(wishes: Wishes) -> Found:
    """Look up everything that wishes name, each thing though another is wrong, unless it depends on that."""
    problems = wishes.problems()
    study = look_for_study(wishes.plan, chosen_files(wishes))
    problems += study.problems
    library = tried(lambda: Library.open(wishes.library), problems)
    user = look_for_user(wishes, library, problems)
    machine_known = library is not None and chosen_model_known(wishes, library, problems)
    phantom = look_at_phantom(wishes, library, problems)
    if library is not None:
        wishes = settled(wishes, library.settings, phantom)
    problems += library_problems(wishes, library) if library else []
    wanted, unknown_beams = select_beams(study.plan, wishes.beams) if study.plan else ((), ())
    problems += unknown_beams
    if wishes.phantom is not None and wanted:
        tried(lambda: common_isocentre(wanted), problems)
    problems += patient_problems(study, wishes)
    table = look_at_table(study, wishes, library, problems)
    beams = tuple(look_at_beam(beam, wishes, library if machine_known else None) for beam in wanted)
    equipped = [look.equipped.model for look in beams if look.equipped]
    models = models_used(library, wishes, equipped, table, phantom) if library else ()
    if library is not None and user is not None:
        problems += not_allowed(wishes, user, library, models)
    output = wishes.output
    if output is None and study.plan is not None and library is not None and user is not None:
        output = default_output(results_root(wishes, library), study.plan.uid, user.acronym, wishes)
    if output is not None:
        tried(lambda: former_request(JobFolder(output)), problems)
    told = tuple(dict.fromkeys(problems))
    return Found(wishes, study, library, user, phantom, table, beams, output, told, models)


def look_for_user(wishes: Wishes, library: Library | None, problems: list[str]) -> User | None:
    """Return who asks, in the role that the site's settings give."""
    if library is None:
        return None
    return tried(lambda: user_of(wishes.login, library.settings, library.settings_file), problems)


def results_root(wishes: Wishes, library: Library) -> Path:
    """Return the folder that result folders are made in: the site's, else that of the plan."""
    named = library.settings.folders.output
    if named:
        return (library.folder or Path()) / named
    return wishes.plan if wishes.plan.is_dir() else wishes.plan.parent


def chosen_model_known(wishes: Wishes, library: Library, problems: list[str]) -> bool:
    """Say whether beams can be equipped: False where a beam model was chosen that cannot be had."""
    name = wishes.beam_model
    return name is None or tried(lambda: library.beam_model(name), problems) is not None


def library_problems(wishes: Wishes, library: Library) -> list[str]:
    """Return a problem for each CT protocol and material wished for that the library does not know."""
    problems: list[str] = []
    name = wishes.ct_protocol
    if name is not None:
        tried(lambda: library.ct_protocol(name), problems)
    tried(lambda: override_materials(wishes, library), problems)
    return problems


def look_at_phantom(wishes: Wishes, library: Library | None, problems: list[str]) -> Phantom | None:
    """Return the phantom that replaces the patient, where one is wished for."""
    name = wishes.phantom
    return None if name is None or library is None else tried(lambda: library.phantom(name), problems)


def look_at_table(
    study: StudyLook, wishes: Wishes, library: Library | None, problems: list[str]
) -> HounsfieldTable | None:
    """Return the CT protocol, where there is a CT that nothing replaces."""
    ct = study.ct
    if ct is None or library is None or wishes.phantom is not None:
        return None
    return tried(lambda: hounsfield_table(ct, wishes, library), problems)


def look_at_beam(beam: IonBeam, wishes: Wishes, library: Library | None) -> BeamLook:
    """Look at one beam and, where there is a library to find it in, its machine."""
    radiation = refused_radiation(beam)
    if radiation is not None:
        return BeamLook(beam, None, (radiation,))
    if library is None:
        return BeamLook(beam, None, ())
    problems: list[str] = []
    equipped = tried(lambda: equip_one(beam, wishes, library), problems)
    return BeamLook(beam, equipped, tuple(problems))


def chosen_files(wishes: Wishes) -> Chosen:
    """Return what the user chose instead of leaving it to the search."""
    return Chosen(
        wishes.ct, wishes.structures, wishes.doses, wishes.fraction_group, wishes.ignore_devices, wishes.beams
    )
