"""One beam line of IDEAL: source properties per radiation type and spot tune, nozzle and passive elements as macros."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from dosewright.commissioning.site.content_hash import content_hash, model_hash
from dosewright.commissioning.site.library_files import COMMON, DETAILS_SUFFIX
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.solids import Device
from dosewright.formats.text.ideal.gate_macro import Macro, read_macro
from dosewright.formats.text.ideal.ideal_source import convergence, read_ideal_source
from dosewright.formats.text.lines import read_text

Named = Callable[[str], Material]

SOURCE_SUFFIX = "_source_properties.txt"
DESCRIPTION_SUFFIX = "_description.txt"
SOURCE = re.compile(r"(PROTON|ION_\d+_\d+_\d+)(?:_(?P<tune>.+))?", re.IGNORECASE)
ELEMENT = re.compile(r"(?P<kind>rs|rm)_(?P<id>.+)_details\.mac", re.IGNORECASE)
KINDS = {"rs": "range_shifter", "rm": "range_modulator"}


@dataclass(frozen=True)
class BeamLine:
    """The files of one treatment machine.

    Parameters
    ----------
    machine
        Its name, that of its folder.
    folder, common
        Where its own files lie, and those of all beam lines; one folder where they lie side by side.
    sources
        Source properties by radiation type.
    tunes
        Source properties by radiation type and spot tune ID.
    elements
        Macros of range shifters (``rs``) and modulators (``rm``) by ID, with their kind; its own before common ones.
    details
        The beam line's macro, or None.
    description
        What listings say of it.
    problems
        Names that do not fit; its models cannot be read until they do.
    """

    machine: str
    folder: Path
    common: Path
    sources: dict[str, Path] = field(hash=False)
    tunes: dict[str, dict[str, Path]] = field(hash=False)
    elements: dict[str, tuple[str, Path]] = field(hash=False)
    details: Path | None
    description: str
    problems: tuple[str, ...] = ()

    def model_name(self, radiation: str) -> str:
        """Return the name of the beam model of a radiation type."""
        return f"{self.machine}_{radiation}"

    def model(self, radiation: str, named: Named) -> BeamModel:
        """Read the beam model of a radiation type, with nozzle, passive elements and spot tunes.

        Raises
        ------
        InputError
            Everything wrong in its files, together.
        """
        problems = list(self.problems)
        tried(self.check_common, problems)
        details = tried(self._details, problems)
        nozzle = tried(lambda: self._nozzle(details, named), problems) if details else None
        devices, files = self._devices(named, problems)
        own = tried(lambda: self._source(self.sources[radiation], radiation, details), problems)
        tuned: dict[str, BeamModel] = {}
        for tune, path in self.tunes.get(radiation, {}).items():
            one = tried(partial(self._source, path, radiation, details), problems)
            if one is not None:
                tuned[tune] = replace(one, nozzle=nozzle, devices=devices)
        if problems or own is None:
            raise InputError(*problems)
        said = (
            [f"The nozzle of {self.machine} is made of {len(nozzle.solids)} solids ({nozzle.source})."]
            if nozzle
            else []
        )
        model = replace(own, nozzle=nozzle, devices=devices, tunes=tuned, name=self.model_name(radiation),
                        assumptions=(*own.assumptions, *said))  # fmt: skip
        tunes = self.tunes.get(radiation, {}).values()
        return replace(model, sha256=model_hash(model, (*tunes, *(details.files if details else ()), *files)))

    def check_common(self) -> None:
        """Refuse files of this machine in the common folder: which of two would be meant is not known."""
        if self.common == self.folder:
            return
        mark = f"{self.machine}_".casefold()
        strays = sorted(path.relative_to(self.common).as_posix() for path in self.common.rglob("*")
                        if path.name.casefold().startswith(mark))  # fmt: skip
        if strays:
            raise refuse(f"The folder {COMMON} holds files of machine {self.machine}", given=", ".join(strays),
                         allowed=f"such files in {self.folder.name}/", where=f"beamlines/{COMMON}")  # fmt: skip

    def _details(self) -> Macro | None:
        return None if self.details is None else self._macro(self.details)

    def _macro(self, path: Path) -> Macro:
        return read_macro(path, root=self.folder if self.common == self.folder else self.folder.parent)

    def _source(self, path: Path, radiation: str, details: Macro | None) -> BeamModel:
        if self.details is None:
            return read_ideal_source(path, machine=self.machine, radiation=radiation)
        # A macro that was refused, and told, keeps nobody from looking into the source.
        convergent = convergence(details, radiation, self.details.name) if details else (False, False)
        model = read_ideal_source(path, machine=self.machine, radiation=radiation, convergent=convergent)
        said = f"Convergence at the source plane is that of {self.details.name}."
        return replace(model, assumptions=(*model.assumptions, said))

    def _nozzle(self, details: Macro, named: Named) -> Device | None:
        solids = details.solids(named)
        if not solids or self.details is None:
            return None
        hashed = content_hash(details.files)
        return Device(self.machine, "nozzle", solids, axes="room", source=self.details.name, sha256=hashed)

    def _devices(self, named: Named, problems: list[str]) -> tuple[dict[str, Device], tuple[Path, ...]]:
        """Return the passive elements by ID and the files that describe them."""
        devices: dict[str, Device] = {}
        files: list[Path] = []
        for name, (kind, path) in self.elements.items():
            found = tried(partial(self._device, name, kind, path, named), problems)
            if found is not None:
                devices[name] = found[0]
                files += found[1]
        return devices, tuple(files)

    def _device(self, name: str, kind: str, path: Path, named: Named) -> tuple[Device, tuple[Path, ...]]:
        macro = self._macro(path)
        solids = macro.solids(named)
        if not solids:
            raise refuse(f"The macro of {kind.replace('_', ' ')} {name!r} places nothing in the beam", where=path.name)
        device = Device(name, kind, solids, axes="room", source=path.name, sha256=content_hash(macro.files))
        return device, macro.files


def beam_line_of(folder: Path, machine: str, common: Path) -> BeamLine:
    """List the files of a beam line; `common` is `folder` itself where all beam lines lie side by side."""
    sources: dict[str, Path] = {}
    tunes: dict[str, dict[str, Path]] = {}
    problems: list[str] = []
    for path in sorted(folder.glob(f"*{SOURCE_SUFFIX}")):
        told = path.name.removesuffix(SOURCE_SUFFIX)
        own = told.casefold().startswith(f"{machine}_".casefold())
        match = SOURCE.fullmatch(told[len(machine) + 1 :]) if own else None
        if match is None:
            if own or common != folder:
                problems.append(_misnamed(path, machine))
        elif match["tune"]:
            tunes.setdefault(match[1].upper(), {})[match["tune"]] = path
        else:
            sources[match[1].upper()] = path
    for radiation in sorted(tunes.keys() - sources.keys()):
        names = ", ".join(one.name for one in tunes[radiation].values())
        problems += refuse(f"Machine {machine} has source files of spot tunes only; plans with other tunes need one "
                           "without", given=names, allowed=f"{machine}_{radiation}{SOURCE_SUFFIX} as well",
                           where=f"{folder.name}/").problems  # fmt: skip
    if not sources and not problems:
        problems += refuse(f"The beam line {machine} has no source properties", given=folder.name,
                           allowed=f"{machine}_PROTON{SOURCE_SUFFIX}", where=f"{folder.name}/").problems  # fmt: skip
    details = folder / f"{machine}{DETAILS_SUFFIX}"
    text = folder / f"{machine}{DESCRIPTION_SUFFIX}"
    return BeamLine(
        machine=machine,
        folder=folder,
        common=common,
        sources=sources,
        tunes=tunes,
        elements=_elements(folder, machine, common, problems),
        details=details if details.is_file() else None,
        description=" ".join((tried(lambda: read_text(text), problems) or "").split()) if text.is_file() else "",
        problems=tuple(problems),
    )


def _misnamed(path: Path, machine: str) -> str:
    allowed = (f"{machine}_PROTON{SOURCE_SUFFIX}, {machine}_ION_Z_A_Q{SOURCE_SUFFIX}; "
               f"for a spot tune {machine}_PROTON_TUNE{SOURCE_SUFFIX}")  # fmt: skip
    return str(refuse("The name of a source file does not fit its beam line", given=path.name, allowed=allowed,
                      where=f"{path.parent.name}/"))  # fmt: skip


def _elements(folder: Path, machine: str, common: Path, problems: list[str]) -> dict[str, tuple[str, Path]]:
    """Return the macros of passive elements by ID: common ones, replaced by the machine's own of the same ID."""
    found: dict[str, tuple[str, Path]] = {}
    for place, mark in ((common, ""), (folder, f"{machine}_")):
        here: dict[str, Path] = {}
        for path in sorted(place.rglob("*_details.mac")):
            own = path.name.casefold().startswith(mark.casefold())
            match = ELEMENT.fullmatch(path.name[len(mark) :] if own else path.name)
            if match is None or (not own and common == folder):
                continue
            if not own:
                problems += refuse("The macro of a passive element needs the machine in front of its name, or belongs "
                                   f"into {COMMON}/", given=path.name, allowed=f"{mark}{path.name}",
                                   where=f"{folder.name}/").problems  # fmt: skip
                continue
            name = match["id"]
            if name in here:
                problems += refuse("Two passive elements have one ID", given=f"{here[name].name}, {path.name}",
                                   where=f"{place.name}/").problems  # fmt: skip
            here[name] = path
            found[name] = (KINDS[match["kind"].casefold()], path)
    return found
