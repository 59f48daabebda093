"""A whole library looked at, ours or IDEAL's: what was found, every problem, and what has no effect."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.ideal_library import survey_ideal
from dosewright.commissioning.site.library_content import Kept, LibraryContent
from dosewright.commissioning.site.library_folder import CONFIGURATION, PACKAGED, survey_library_folder
from dosewright.commissioning.site.library_place import is_ideal, usual_place
from dosewright.commissioning.upkeep.check_parts import (
    approval_problems,
    beam_model_problems,
    configuration_problems,
    idle_settings,
    macro_notes,
    override_problems,
    permission_problems,
    phantom_problems,
    protocol_problems,
    unread_files,
)
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError, refuse
from dosewright.core.looks import tried
from dosewright.formats.text.hounsfield import CtProtocol

Thing = TypeVar("Thing")
UNKNOWN_MATERIAL = "Unknown material"


@dataclass(frozen=True)
class Problem:
    """What is wrong, and in which file, relative to the library; empty where no single one is meant."""

    file: str
    text: str

    @property
    def line(self) -> str:
        """One line of text."""
        return f"{self.file}: {self.text}" if self.file else self.text


@dataclass
class LibraryCheck:
    """What was found in a library; `problems` keep a part of it from being used."""

    library: str
    form: str
    found: dict[str, list[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, file: str, texts: Iterable[str]) -> None:
        """Add problems of a file, each once; what only repeats one that is known, with its own place, is left out."""
        for text in texts:
            if not any(one.text in text for one in self.problems):
                self.problems.append(Problem(file, text))

    def as_json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "library": self.library,
            "form": self.form,
            "found": self.found,
            "problems": [vars(one) for one in self.problems],
            "notes": self.notes,
        }

    def text(self) -> str:
        """Return it as text."""
        lines = [f"{self.library} ({self.form})"]
        for kind, names in self.found.items():
            lines.append(f"  {len(names)} {kind}" + (f": {', '.join(names)}" if names else ""))
        lines += [f"  note: {one}" for one in self.notes]
        if not self.problems:
            return "\n".join([*lines, "No problem was found."])
        count = len(self.problems)
        lines.append("There is one problem:" if count == 1 else f"There are {count} problems:")
        return "\n".join([*lines, *(f"  - {one.line}" for one in self.problems)])


def check_library(path: Path | None = None) -> LibraryCheck:
    """Look at every file of a library; None takes the one that is in use.

    Raises
    ------
    InputError
        The library does not exist.
    """
    place = path or usual_place() or PACKAGED
    if not place.exists():
        raise refuse("The library does not exist", given=place.absolute(), allowed="a folder, library.toml, system.cfg")
    problems: list[str] = []
    ideal = tried(lambda: is_ideal(place), problems)
    if ideal is None:
        raise InputError(*problems)
    if ideal:
        content, folder = survey_ideal(place, problems)
    else:
        folder = place if place.is_dir() else place.parent
        configuration = folder / CONFIGURATION if place.is_dir() else place
        content = survey_library_folder(folder, configuration, problems)
    result = LibraryCheck(str(place.absolute()), "a tree of IDEAL" if ideal else "a library of Dosewright")
    result.add("", (*problems, *content.problems))
    broken_materials = bool(problems)
    _look(result, Library(folder, content), folder, ideal=ideal)
    if broken_materials and any(one.text.startswith(UNKNOWN_MATERIAL) for one in result.problems):
        result.notes.append("Materials may be unknown only because a file of materials could not be read.")
    return result


def _look(result: LibraryCheck, library: Library, folder: Path, *, ideal: bool) -> None:
    content = library.content
    result.add("", override_problems(content))
    models = _read(result, content.beam_models, folder)
    protocols = _protocols(result, content, folder)
    phantoms = _read(result, content.phantoms, folder)
    result.found = {
        "beam models": [_with(name, one.description) for name, one in content.beam_models.items()],
        "machines": _machines(content, models),
        "CT protocols": list(protocols),
        "phantoms": list(content.phantoms),
        "materials of its own": list(content.materials.own),
        "users": [f"{one.acronym} ({one.role})" for one in content.settings.user],
    }
    for name, model in models.items():
        result.add(_relative(content.beam_models[name].file, folder), beam_model_problems(model))
    result.add("", protocol_problems(protocols, content.settings.calculation.hu_density_tolerance_g_cm3))
    for name, phantom in phantoms.items():
        result.notes += phantom.notes
        result.add(_relative(content.phantoms[name].file, folder), phantom_problems(phantom))
    result.add("", configuration_problems(content, models, protocols))
    if content.settings_file is not None:
        result.add(_relative(content.settings_file, folder), permission_problems(content.settings_file))
    _approvals(result, content, models, folder)
    result.notes += idle_settings(content.settings)
    result.notes += (
        [*content.notes, *macro_notes(folder, content)] if ideal else [*content.notes, *unread_files(folder)]
    )


def _approvals(result: LibraryCheck, content: LibraryContent, models: Mapping[str, BeamModel], folder: Path) -> None:
    """Look at the approval records: a model changed since is a problem, one without a record is noted."""
    told = [(content.beam_models[name].file, {name: one.sha256}) for name, one in models.items()]
    for place in content.ct_places:
        found = tried(partial(getattr, place, "value"), []) or {}
        told.append((place.file, {name: one.table.sha256 for name, one in found.items()}))
    without: list[str] = []
    for path, hashes in told:
        problems, missing = approval_problems(path, hashes)
        result.add(_relative(path, folder), problems)
        without += missing
    if without:
        result.notes.append(f"Not approved, so a clinical role may not use them: {', '.join(without)}.")


def _read(result: LibraryCheck, kept: Mapping[str, Kept[Thing]], folder: Path) -> dict[str, Thing]:
    """Read things one by one; those that can be read are returned."""
    read: dict[str, Thing] = {}
    for name, one in kept.items():
        problems: list[str] = []
        value = tried(partial(getattr, one, "value"), problems)
        result.add(_relative(one.file, folder), problems)
        if value is not None:
            read[name] = value
    return read


def _protocols(result: LibraryCheck, content: LibraryContent, folder: Path) -> dict[str, CtProtocol]:
    protocols: dict[str, CtProtocol] = {}
    for found in _read(result, {str(one.file): one for one in content.ct_places}, folder).values():
        for name, one in found.items():
            if name in protocols:
                result.add("", refuse("Two CT protocols of the library have one name", given=name).problems)
            protocols[name] = one
    return protocols


def _machines(content: LibraryContent, models: Mapping[str, BeamModel]) -> list[str]:
    told = [f"{one.name} ({one.radiation})" for one in content.machines]
    return list(dict.fromkeys([*told, *(f"{m.machine} ({m.radiation})" for m in models.values() if m.machine)]))


def _relative(file: Path, folder: Path) -> str:
    try:
        return file.relative_to(folder).as_posix()
    except ValueError:
        return file.name


def _with(name: str, description: str) -> str:
    return f"{name} ({description})" if description else name
