"""IDEAL's commissioning folder as a library, read unchanged: beamlines/, CT/, phantoms/, material/, or side by side.

A system.cfg names it and gives settings; without one the folder itself is taken, with the defaults of the settings.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dosewright.commissioning.phantom import Phantom
from dosewright.commissioning.phantom_solids import phantom_of
from dosewright.commissioning.site.ideal_beam_line import SOURCE_SUFFIX, BeamLine, beam_line_of
from dosewright.commissioning.site.library_content import Kept, LibraryContent, MachineModel
from dosewright.commissioning.site.library_files import COMMON, Named, kept_protocols, names_in
from dosewright.commissioning.site.library_materials import DATABASE_SUFFIX, SiteMaterials, read_materials
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError, refuse
from dosewright.core.looks import tried
from dosewright.formats.text.ideal.ideal_config import IdealConfig, read_system_cfg, wrong_override_densities
from dosewright.formats.text.ideal.ideal_daemon import read_api_cfg, read_log_daemon_cfg
from dosewright.formats.text.ideal.ideal_phantom import read_ideal_phantom
from dosewright.formats.text.site_settings import SiteSettings

SYSTEM, SYSTEM_SUFFIX, DAEMON, SERVICE = "system.cfg", ".cfg", "log_daemon.cfg", "api.cfg"
BEAM_LINES, CT, PHANTOMS, MATERIAL = "beamlines", "CT", "phantoms", "material"
HLUT = "hlut.conf"
STANDARD_DATABASE = "GateMaterials.db"  # where system.cfg names none
EXPECTED = f"{BEAM_LINES}/, {CT}/, {PHANTOMS}/, {MATERIAL}/, or source properties and {HLUT} side by side"


def holds_ideal_tree(folder: Path) -> bool:
    """Say whether a folder is a commissioning folder of IDEAL, in folders of their own or all in one place."""
    names = names_in(folder)
    flat = HLUT in names or SYSTEM in names or any(name.endswith(SOURCE_SUFFIX) for name in names)
    return flat or bool(names & {BEAM_LINES, CT, MATERIAL}) or any((folder / PHANTOMS).glob("*.cfg"))


def open_ideal(place: Path) -> tuple[LibraryContent, Path]:
    """Open a commissioning folder, or the one a system.cfg names; return it with its folder.

    A system.cfg inside the folder gives the settings. All problems are told together.
    """
    problems: list[str] = []
    content, folder = survey_ideal(place, problems)
    if problems:
        raise InputError(*problems)
    return content, folder


def survey_ideal(place: Path, problems: list[str]) -> tuple[LibraryContent, Path]:
    """List a commissioning folder as far as it can be read; what is wrong is added to `problems`."""
    file = place / SYSTEM if place.is_dir() else place
    config = tried(lambda: _configuration(file), problems) if file.is_file() else None
    folder = place if place.is_dir() else place.parent
    if config is not None:
        tree = tried(lambda: _commissioning_folder(config, file), problems)
        folder = folder if tree is None else tree
        if tree is None and file == place:
            return LibraryContent(file.parent.name, SiteMaterials(), config.settings, file, notes=config.notes), folder
    elif problems and file == place:
        return LibraryContent(file.parent.name, SiteMaterials()), folder
    return _survey_tree(folder, config, file if config else None, problems), folder


def _configuration(file: Path) -> IdealConfig:
    """Read a system.cfg; beside it the times of jobs from log_daemon.cfg, and what api.cfg asks for in vain."""
    config = read_system_cfg(file)
    notes, settings = list(config.notes), config.settings
    daemon, service = file.with_name(DAEMON), file.with_name(SERVICE)
    if daemon.is_file():
        settings = settings.model_copy(update={"jobs": read_log_daemon_cfg(daemon, notes)})
    if service.is_file():
        mistakes: list[str] = []  # of a file without effect: told, no reason to refuse the library
        notes += tried(lambda: read_api_cfg(service), mistakes) or mistakes
    return replace(config, settings=settings, notes=tuple(notes))


def _commissioning_folder(config: IdealConfig, file: Path) -> Path:
    tree = config.commissioning
    where = f"{file.name}, section [directories], commissioning"
    if not tree.is_dir():
        raise refuse("The commissioning folder does not exist", given=tree.absolute(),
                     allowed="an absolute folder, or one relative to that of the file", where=where)  # fmt: skip
    if not holds_ideal_tree(tree):
        raise refuse("The commissioning folder holds nothing of IDEAL", given=tree.absolute(), allowed=EXPECTED,
                     where=where)  # fmt: skip
    return tree


@dataclass(frozen=True)
class Tree:
    """Where the parts of a commissioning folder lie; in a flat one all lie in the folder itself."""

    folder: Path

    def part(self, name: str) -> Path:
        """Return the folder of a part, or the folder itself where the part has none."""
        return self.folder / name if (self.folder / name).is_dir() else self.folder

    def beam_lines(self) -> list[BeamLine]:
        """Return the beam lines: the folders in beamlines/ but for common, or the source files side by side."""
        place = self.folder / BEAM_LINES
        if not place.is_dir():
            return [beam_line_of(self.folder, machine, self.folder) for machine in _machines_in(self.folder)]
        folders = sorted(one for one in place.iterdir() if one.is_dir() and one.name != COMMON)
        return [beam_line_of(one, one.name, place / COMMON) for one in folders if not one.name.startswith(".")]

    def databases(self, name: str | None) -> list[Path]:
        """Return the database of materials that is named, or all of them."""
        place = self.part(MATERIAL)
        found = sorted(path for path in place.glob("*") if path.suffix.lower() == DATABASE_SUFFIX)
        if name is None or (name == STANDARD_DATABASE and not found):
            return found
        if not (place / name).is_file():
            known = ", ".join(path.name for path in found) or "a GATE database"
            raise refuse("The database of materials is missing", given=name, allowed=known, where=f"{place.name}/")
        return [place / name]


def _machines_in(folder: Path) -> list[str]:
    """Return the machines whose source files lie side by side in a folder, by their names."""
    stems = [path.name.removesuffix(SOURCE_SUFFIX) for path in sorted(folder.glob(f"*{SOURCE_SUFFIX}"))]
    found = [stem.upper().partition("_PROTON")[0] if "_PROTON" in stem.upper() else stem.upper().partition("_ION_")[0]
             for stem in stems]  # fmt: skip
    return list(dict.fromkeys(stem[: len(start)] for stem, start in zip(stems, found, strict=True)))


def _survey_tree(folder: Path, config: IdealConfig | None, file: Path | None, problems: list[str]) -> LibraryContent:
    tree = Tree(folder)
    wrong: list[str] = []
    databases = tried(lambda: tree.databases(config.materials_database if config else None), wrong) or []
    own = SiteMaterials(read_materials(databases, wrong))
    problems += wrong
    materials = SiteMaterials(own.own, _refused(config, own)) if config and not wrong else own
    lines = tree.beam_lines()
    conf = tree.part(CT) / HLUT
    cache = folder / CT / "cache"
    return LibraryContent(
        name=folder.absolute().name,
        materials=materials,
        settings=config.settings if config else SiteSettings(),
        settings_file=file,
        machines=tuple(_machine_models(lines)),
        all_machines_told=True,
        beam_models=_beam_models(lines, materials),
        ct_places=(kept_protocols(conf, materials),) if conf.is_file() else (),
        phantoms=_phantoms(tree.part(PHANTOMS), materials),
        cache=cache if cache.is_dir() else None,
        notes=config.notes if config else (),
        problems=tuple(problem for line in lines if not line.sources for problem in line.problems),
    )


def _refused(config: IdealConfig, materials: SiteMaterials) -> dict[str, str]:
    """Return what is wrong with the densities that system.cfg repeats, by material."""
    said = {
        name: wrong_override_densities(replace(config, override_densities={name: density}), materials)
        for name, density in config.override_densities.items()
    }
    return {name: " ".join(problems) for name, problems in said.items() if problems}


def _machine_models(lines: Iterable[BeamLine]) -> Iterable[MachineModel]:
    for line in lines:
        for radiation in line.sources:
            yield MachineModel(line.machine, radiation, line.model_name(radiation))


def _beam_models(lines: Iterable[BeamLine], materials: SiteMaterials) -> dict[str, Kept[BeamModel]]:
    return {
        line.model_name(radiation): Kept(file, partial(line.model, radiation, materials), line.description)
        for line in lines
        for radiation, file in line.sources.items()
    }


def _phantoms(folder: Path, materials: SiteMaterials) -> dict[str, Kept[Phantom]]:
    files = sorted(path for path in folder.glob("*.cfg") if path.name != SYSTEM)
    return {path.stem: Kept(path, partial(read_phantom_pair, path, materials)) for path in files}


def read_phantom_pair(path: Path, materials: Named) -> Phantom:
    """Read a phantom of IDEAL from its .cfg and the .mac beside it."""
    macro = path.with_suffix(".mac")
    if not macro.is_file():
        raise refuse("A phantom needs its geometry beside its configuration", given=f"no {macro.name}",
                     allowed=f"{path.stem}.cfg and {path.stem}.mac", where=path.name)  # fmt: skip
    return phantom_of(read_ideal_phantom(path, macro, materials), materials("G4_AIR"))
