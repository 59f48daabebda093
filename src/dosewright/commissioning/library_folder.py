"""A library folder: library.toml, beam_models/, ct/, phantoms/, materials.toml."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from dosewright.commissioning.library_files import BEAM_MODEL_SUFFIXES, CT_SUFFIXES
from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import Material
from dosewright.formats.text.checked_toml import Checked, read_checked
from dosewright.formats.text.hounsfield import SCANNER_DENSITY
from dosewright.materials.elements import element

PACKAGED = Path(__file__).parent / "library"
CONFIGURATION = "library.toml"


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


class MaterialFile(Checked):
    """A medium of the site: mass fractions by element symbol or name."""

    name: str
    density_g_cm3: float = Field(gt=0)
    mass_fractions: dict[str, float]
    mean_excitation_eV: float | None = Field(default=None, gt=0)
    citation: str = ""


class MaterialsFile(Checked):
    """materials.toml as it stands."""

    material: list[MaterialFile] = Field(default_factory=list)


@dataclass(frozen=True)
class LibraryContent:
    """What a library folder holds: files by name, read when asked for; CT files and folders; the site's media.

    `packaged_ct_protocol` is the package's default where the library includes what comes with the package.
    """

    name: str
    default_ct_protocol: str | None
    machines: tuple[MachineFile, ...]
    beam_models: dict[str, Path]
    ct_places: tuple[Path, ...]
    phantoms: dict[str, Path]
    materials: dict[str, Material]
    packaged_ct_protocol: str | None = None


def read_library_folder(folder: Path, configuration: Path) -> LibraryContent:
    """List what lies in a library folder; with ``with_packaged = true`` what comes with the package follows."""
    file = read_checked(configuration, LibraryFile) if configuration.is_file() else LibraryFile()
    with_packaged = file.with_packaged and folder != PACKAGED
    folders = [folder, PACKAGED] if with_packaged else [folder]
    packaged = read_checked(PACKAGED / CONFIGURATION, LibraryFile) if with_packaged else LibraryFile()
    content = LibraryContent(
        file.name or folder.name,
        file.default_ct_protocol,
        tuple(file.machine),
        _files(folders, "beam_models", BEAM_MODEL_SUFFIXES),
        _ct_places(folders),
        _files(folders, "phantoms", (".toml",)),
        _materials(folder / "materials.toml"),
        packaged.default_ct_protocol,
    )
    found = content.beam_models or content.ct_places or content.phantoms or content.materials
    if not (found or configuration.is_file()):
        raise refuse(
            "The folder holds no library",
            given=folder.absolute(),
            allowed="beam_models/, ct/, phantoms/, materials.toml",
        )
    return content


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


def _materials(path: Path) -> dict[str, Material]:
    if not path.is_file():
        return {}
    materials: dict[str, Material] = {}
    problems: list[str] = []
    for one in read_checked(path, MaterialsFile).material:
        try:
            fractions = {element(word).Z: share for word, share in one.mass_fractions.items()}
            if one.name in materials:
                raise refuse("Two materials of the library have one name", given=one.name)
            materials[one.name] = Material(one.name, one.density_g_cm3, fractions, one.mean_excitation_eV)
        except InputError as error:
            problems.extend(f"{problem} Where: {path.name}." for problem in error.problems)
    if problems:
        raise InputError(*problems)
    return materials
