"""A library folder of ours: library.toml, settings.toml, beam_models/, ct/, phantoms/, materials.toml, *.db."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from pydantic import Field

from dosewright.commissioning.phantom import Phantom, read_phantom
from dosewright.commissioning.site.content_hash import model_hash
from dosewright.commissioning.site.library_content import Kept, LibraryContent, MachineModel
from dosewright.commissioning.site.library_files import (
    BEAM_MODEL_SUFFIXES,
    CT_SUFFIXES,
    Named,
    further_files,
    kept_protocols,
    names_in,
    read_beam_model,
)
from dosewright.commissioning.site.library_materials import (
    DATABASE_SUFFIX,
    MATERIALS_TOML,
    SiteMaterials,
    read_materials,
)
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.formats.text.checked_toml import Checked, read_checked
from dosewright.formats.text.hounsfield import SCANNER_DENSITY
from dosewright.formats.text.site_settings import SiteSettings

PACKAGED = Path(__file__).parent.parent / "library"
CONFIGURATION, SETTINGS = "library.toml", "settings.toml"
FOLDERS = ("beam_models", "ct", "phantoms")
CACHE = "cache"  # in ct/: interpolated tables


class MachineFile(Checked):
    """Which beam model belongs to a machine for a radiation type."""

    name: str
    radiation: str = "PROTON"
    beam_model: str


class LibraryFile(Checked):
    """library.toml as it stands."""

    name: str = ""
    default_ct_protocol: str | None = None
    with_packaged: bool = False
    machine: list[MachineFile] = Field(default_factory=list)


def holds_library(folder: Path) -> bool:
    """Say whether a folder is a library of ours."""
    ours = names_in(folder) & {CONFIGURATION, SETTINGS, MATERIALS_TOML, "beam_models", "ct"}
    return bool(ours) or any((folder / "phantoms").glob("*.toml"))


def read_library_folder(folder: Path, configuration: Path) -> LibraryContent:
    """List what lies in a library folder; with ``with_packaged = true`` what comes with the package follows.

    Configuration, settings and media are read at once, and all their problems told together.
    """
    problems: list[str] = []
    content = survey_library_folder(folder, configuration, problems)
    if problems:
        raise InputError(*problems)
    return content


def survey_library_folder(folder: Path, configuration: Path, problems: list[str]) -> LibraryContent:
    """List a library folder as far as it can be read; what is wrong is added to `problems`."""
    file = tried(lambda: read_configuration(configuration), problems) or LibraryFile()
    settings = tried(lambda: read_settings(folder), problems) or SiteSettings()
    materials = SiteMaterials(read_materials(material_files(folder), problems))
    folders = [folder, PACKAGED] if file.with_packaged and folder != PACKAGED else [folder]
    content = LibraryContent(
        name=file.name or folder.absolute().name,
        materials=materials,
        settings=settings,
        settings_file=settings_file(folder),
        machines=tuple(MachineModel(one.name, one.radiation, one.beam_model) for one in file.machine),
        beam_models=tried(lambda: _beam_models(folders, materials), problems) or {},
        ct_places=tuple(kept_protocols(place, materials) for place in _ct_places(folders)),
        phantoms=tried(lambda: _phantoms(folders, materials), problems) or {},
        default_ct_protocol=file.default_ct_protocol,
        cache=None if folder == PACKAGED else folder / "ct" / CACHE,
    )
    found = content.beam_models or content.ct_places or content.phantoms or materials.own or content.settings_file
    if not (found or configuration.is_file() or problems):
        allowed = f"{', '.join(f'{name}/' for name in FOLDERS)}, {MATERIALS_TOML}; or IDEAL's beamlines/, CT/"
        problems += refuse("The folder holds no library", given=folder.absolute(), allowed=allowed).problems
    return content


def read_configuration(path: Path) -> LibraryFile:
    """Read library.toml; without the file, what holds without it."""
    return read_checked(path, LibraryFile) if path.is_file() else LibraryFile()


def settings_file(folder: Path) -> Path | None:
    """Return the file of a library that holds its settings, or None."""
    path = folder / SETTINGS
    return path if path.is_file() else None


def read_settings(folder: Path) -> SiteSettings:
    """Read settings.toml of a library; without the file, the defaults."""
    path = settings_file(folder)
    return SiteSettings() if path is None else read_checked(path, SiteSettings)


def material_files(folder: Path) -> list[Path]:
    """Return the files of a library that describe media: materials.toml and GATE databases."""
    return [path for path in sorted(folder.glob("*"))
            if path.is_file() and (path.name == MATERIALS_TOML or path.suffix.lower() == DATABASE_SUFFIX)]  # fmt: skip


def kept_beam_model(path: Path, materials: Named, name: str) -> Kept[BeamModel]:
    """Return a beam model of one file, to be read when asked for; its hash covers its media."""
    return Kept(path, partial(_read_model, path, materials, name), _description(path))


def _read_model(path: Path, materials: Named, name: str) -> BeamModel:
    model = read_beam_model(path, materials)
    return replace(model, name=name or model.name, sha256=model_hash(model, further_files(path, model)))


def _description(path: Path) -> str:
    """Return the text beside a model's file that says what it is."""
    beside = path.with_name(f"{path.stem}_description.txt")
    try:
        return " ".join(beside.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return ""


def _beam_models(folders: Iterable[Path], materials: SiteMaterials) -> dict[str, Kept[BeamModel]]:
    files = _files(folders, "beam_models", BEAM_MODEL_SUFFIXES)
    return {name: kept_beam_model(path, materials, name) for name, path in files.items()}


def _phantoms(folders: Iterable[Path], materials: SiteMaterials) -> dict[str, Kept[Phantom]]:
    files = _files(folders, "phantoms", (".toml",))
    return {name: Kept(path, partial(read_phantom, path, materials)) for name, path in files.items()}


def _files(folders: Iterable[Path], kind: str, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Return files by their stem, those of earlier folders first; two of one name in a folder are refused."""
    files: dict[str, Path] = {}
    for folder in folders:
        here: dict[str, Path] = {}
        for path in sorted((folder / kind).glob("*")):
            about_others = path.name.endswith("_description.txt") or path.name.upper().startswith(("README", "LICENSE"))
            if not path.is_file() or path.suffix.lower() not in suffixes or about_others:
                continue
            if path.stem in here:
                raise refuse(f"Two files of {kind} have one name", given=f"{here[path.stem].name}, {path.name}")
            here[path.stem] = path
        files = here | files
    return files


def _ct_places(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Return the files and scanner folders in ct/; the tables hlut.conf names lie in folders of their own."""
    places: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((folder / "ct").glob("*")):
            is_scanner = path.is_dir() and (path / SCANNER_DENSITY).is_file()
            if is_scanner or (path.is_file() and path.suffix.lower() in CT_SUFFIXES):
                places.setdefault(path.name, path)
    return tuple(places.values())


def unknown_models(content: LibraryContent, where: str) -> list[str]:
    """Return a problem for each machine whose beam model the library does not hold."""
    return [
        str(refuse(f"The machine {one.name!r} names a beam model that the library does not hold."
                   f"{nearest(one.beam_model, content.beam_models)}", given=one.beam_model,
                   allowed=", ".join(content.beam_models) or "none", where=where))
        for one in content.machines if one.beam_model not in content.beam_models
    ]  # fmt: skip
