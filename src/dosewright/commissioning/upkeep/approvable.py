"""What can be approved: a beam model, a file of CT protocols, a phantom or the settings, by name or by file."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.library_files import on_disk, read_ct_protocols
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.commissioning.upkeep.approval import approval_of, content_sha256
from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.checked_toml import read_checked
from dosewright.formats.text.lines import read_text
from dosewright.formats.text.site_settings import SiteSettings

KINDS = ("beam", "ct", "phantom", "settings")
SETTINGS = "settings.toml"


@dataclass(frozen=True)
class Approvable:
    """One file or folder, read without a fault.

    `models` holds the content hash of each model in it by name, as read; `lines` say what it is and where it is from.
    """

    kind: str
    file: Path
    models: dict[str, str]
    lines: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Content hash of the file or folder."""
        return content_sha256(self.file)


def find(library: Library, name: str, kind: str | None = None) -> Approvable:
    """Find what a name of the library, or the path of a file, means; `kind` (one of `KINDS`) settles a doubt."""
    if kind is not None and kind not in KINDS:
        raise refuse("Unknown kind", given=repr(kind), allowed=", ".join(KINDS), where="--kind")
    places = _places(library, name, kind)
    if len(places) > 1:
        raise refuse(f"{name!r} names several things; add --kind", given=", ".join(one for one, _ in places),
                     allowed=", ".join(KINDS))  # fmt: skip
    if places:
        found, path = places[0]
    else:
        told = on_disk(name)
        if told is None:
            names = _all_names(library)
            raise refuse(f"There is nothing of this name to approve.{nearest(name, names)}", given=repr(name),
                         allowed=", ".join(["a file", *names]))  # fmt: skip
        path, found = told, kind or _kind_of(library, told)
    if PACKAGED in path.resolve().parents:
        raise refuse("What comes with the package is an example and is not approved; copy it into a library of "
                     "your own first", given=path.name)  # fmt: skip
    return _read(library, found, path, name if places else str(path))


def _places(library: Library, name: str, kind: str | None) -> list[tuple[str, Path]]:
    """Return kind and file of everything in the library that has a name."""
    wanted = name.strip().casefold()
    known: list[tuple[str, str, Path]] = [
        *(("beam", key, one.file) for key, one in library.content.beam_models.items()),
        *(("ct", key, path) for key, path in _protocol_files(library).items()),
        *(("phantom", key, one.file) for key, one in library.content.phantoms.items()),
    ]
    if library.settings_file is not None:
        known.append(("settings", "settings", library.settings_file))
    return [(one, path) for one, key, path in known if key.casefold() == wanted and kind in (None, one)]


def _protocol_files(library: Library) -> dict[str, Path]:
    """Return CT protocols by name with the file that holds them; a file by its own name too."""
    found: dict[str, Path] = {}
    for place in library.content.ct_places:
        found[place.file.name] = place.file
        for name in place.value:
            found.setdefault(name, place.file)
    return found


def _all_names(library: Library) -> list[str]:
    return list(dict.fromkeys([*library.content.beam_models, *_protocol_files(library), *library.content.phantoms]))


def _kind_of(library: Library, path: Path) -> str:
    """Return what a file is, by its name or by which reader takes it."""
    if path.name == SETTINGS:
        return "settings"
    problems = []
    for kind in ("beam", "ct", "phantom"):
        try:
            _read(library, kind, path, str(path))
        except InputError as error:
            problems += [f"As {kind}: {problem}" for problem in error.problems]
        else:
            return kind
    raise InputError(f"{path.name} is nothing that can be approved; --kind shortens this list.", *problems)


def _read(library: Library, kind: str, path: Path, word: str) -> Approvable:
    """Read what is to be approved, as a calculation that is given `word` would."""
    readers: dict[str, Callable[[Library, Path, str], Approvable]] = {
        "beam": _beam, "ct": _ct, "phantom": _phantom, "settings": _settings,
    }  # fmt: skip
    return readers[kind](library, path, word)


def _beam(library: Library, path: Path, word: str) -> Approvable:
    model = library.beam_model(word)
    low, high = model.energy_range_MeV
    lines = [f"Beam model {model.name!r}, machine {model.machine or 'not said'!r}, {model.radiation}, "
             f"{low:g} to {high:g} MeV.", f"Source: {model.source}."]  # fmt: skip
    lines += [f"Assumption: {one}" for one in model.assumptions]
    return Approvable("beam", path, {model.name: model.sha256}, (*lines, *_papers(path)))


def _ct(library: Library, path: Path, _: str) -> Approvable:
    protocols = read_ct_protocols(path, library.material)
    lines = [f"CT protocol {name!r}: {one.table.source}." for name, one in protocols.items()]
    models = {name: one.table.sha256 for name, one in protocols.items()}
    return Approvable("ct", path, models, (*lines, *_papers(path)))


def _phantom(library: Library, path: Path, word: str) -> Approvable:
    phantom = library.phantom(word)
    said = f"Phantom {phantom.name!r}: {phantom.description or 'no description'}."
    return Approvable("phantom", path, {phantom.name: phantom.sha256}, (said, *_papers(path)))


def _settings(library: Library, path: Path, _: str) -> Approvable:
    settings = library.settings if path == library.settings_file else read_checked(path, SiteSettings)
    said = f"Settings with {len(settings.user)} users and {len(settings.correction)} corrections of machines."
    return Approvable("settings", path, {}, (said,))


def _papers(path: Path) -> tuple[str, ...]:
    """Say the provenance a fitted file carries, and which report lies beside it."""
    said: list[str] = []
    if path.suffix.lower() == ".toml":
        provenance = tomllib.loads(read_text(path)).get("provenance", {})
        said += [f"Provenance, {key}: {value}" for key, value in provenance.items()]
        said += [] if provenance else ["Provenance: the file says none."]
    report = path.with_name(f"{path.stem}.report.html")
    said.append(f"Report: {report}" if report.is_file() else "Report: there is none beside the file.")
    former = approval_of(path)
    return (*said, *([f"Former record: {former.sentence}."] if former else []))
