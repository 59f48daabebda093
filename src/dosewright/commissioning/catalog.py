"""The library: beam models, CT protocols, phantoms and materials of a site, found by name or path."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from dosewright.commissioning.library_files import assigned, on_disk, read_beam_model, read_ct_protocols
from dosewright.commissioning.library_folder import CONFIGURATION, PACKAGED, LibraryContent, read_library_folder
from dosewright.commissioning.phantom import Phantom, read_phantom
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.formats.text.checked_toml import read_checked
from dosewright.formats.text.hounsfield import CtProtocol
from dosewright.formats.text.site_settings import SiteSettings
from dosewright.materials.library import known_names, named

VARIABLE = "DOSEWRIGHT_LIBRARY"
SETTINGS = "settings.toml"


@dataclass(frozen=True)
class Library:
    """What a site has commissioned; opened once, its files are read when asked for.

    Parameters
    ----------
    folder
        Where it lies; None for the packaged library.
    content
        What lies there.
    settings, settings_file
        What the site sets, and the file it says so in; None where nothing is set.
    """

    folder: Path | None
    content: LibraryContent
    settings: SiteSettings = field(default_factory=SiteSettings)
    settings_file: Path | None = None

    @classmethod
    def open(cls, path: Path | None = None) -> "Library":
        """Open a library folder or its configuration file.

        None takes the environment variable DOSEWRIGHT_LIBRARY, else ``dosewright/library`` in the user's configuration
        folder, else the packaged library.
        """
        place = path or _usual_place()
        if place is None:
            return cls(None, read_library_folder(PACKAGED, PACKAGED / CONFIGURATION))
        if place.is_dir():
            return cls(place, read_library_folder(place, place / CONFIGURATION), *_settings(place))
        if place.is_file():
            return cls(place.parent, read_library_folder(place.parent, place), *_settings(place.parent))
        raise refuse(
            "The library does not exist", given=place.absolute(), allowed=f"a folder, or a file such as {CONFIGURATION}"
        )

    def beam_model_names(self) -> tuple[str, ...]:
        """Return the names of all beam models."""
        return tuple(self.content.beam_models)

    def ct_protocol_names(self) -> tuple[str, ...]:
        """Return the names of all CT protocols."""
        return tuple(_protocols(self))

    def phantom_names(self) -> tuple[str, ...]:
        """Return the names of all phantoms."""
        return tuple(self.content.phantoms)

    def material_names(self) -> tuple[str, ...]:
        """Return the names of all media: the site's own first."""
        return tuple(dict.fromkeys([*self.content.materials, *known_names()]))

    def material(self, name: str) -> Material:
        """Return a medium by name, the site's own first."""
        own = {key.casefold(): one for key, one in self.content.materials.items()}
        if name.strip().casefold() in own:
            return own[name.strip().casefold()]
        try:
            return named(name)
        except InputError:
            hint = nearest(name, self.content.materials)
            if not hint:
                raise
            raise refuse(f"Unknown material.{hint}", given=repr(name)) from None

    def beam_model(self, name: str) -> BeamModel:
        """Return a beam model by name, or by the path of a file of any known format."""
        key = _choose(name, self.content.beam_models)
        if key is not None:
            return _named_model(self, key)
        path = on_disk(name)
        if path is not None:
            with _named_in_refusals("Beam model"):
                return read_beam_model(path, self.material)
        raise _unknown("beam model", name, self.content.beam_models, "-z takes a name or a file")

    def beam_model_for(self, machine: str, radiation: str) -> BeamModel:
        """Return the one beam model of a machine and radiation type (``PROTON``, ``ION_Z_A_Q``)."""
        models = _models_by_machine(self)
        wanted = (machine.strip().casefold(), radiation.casefold())
        found = [one for key, one in models if key == wanted and machine.strip()]
        if len(found) == 1:
            return assigned(found[0], machine=machine.strip(), radiation=radiation)
        names = ", ".join(one.name for one in found) or ", ".join(self.content.beam_models) or "none"
        if found:
            raise refuse(f"Several beam models belong to machine {machine!r}; choose one with -z", given=names)
        machines = sorted({f"{one.machine} ({one.radiation})" for _, one in models if one.machine})
        hint = nearest(machine, {one.machine for _, one in models if one.machine})
        raise refuse(
            f"The library {self.content.name!r} has no beam model for machine {machine!r} with {radiation}.{hint}"
            f" Choose one with -z (a name or a file); names: {names}",
            allowed=", ".join(machines) or "no machine",
        )

    def ct_protocol(self, name: str) -> HounsfieldTable:
        """Return a CT protocol by name, by an unambiguous part of its name, or by the path of a file or folder.

        A file with several protocols takes the name after a colon: ``hlut.conf:Head``.
        """
        protocols = _protocols(self)
        key = _choose(name, protocols, parts=True)
        if key is not None:
            return protocols[key].table
        place, _, inner = name.rpartition(":")
        for path, part in ((on_disk(name), ""), (on_disk(place), inner)):
            if path is not None:
                with _named_in_refusals("CT protocol"):
                    return _from_path(self, path, part)
        raise _unknown("CT protocol", name, protocols, "-c takes a name, a file or a folder")

    def ct_protocol_for(self, keywords: Mapping[str, str]) -> HounsfieldTable:
        """Return the CT protocol all of whose DICOM keywords a CT has; the one with most keywords wins.

        Without any, the library's default, else the packaged one if the library includes what comes with the package;
        the `source` then says so. A tie or no default is refused.
        """
        protocols = _protocols(self)
        counts = {
            name: len(one.keywords)
            for name, one in protocols.items()
            if one.keywords and all(keywords.get(k, "").strip() == v.strip() for k, v in one.keywords.items())
        }
        best = [name for name, count in counts.items() if count == max(counts.values())]
        if len(best) > 1:
            raise refuse("Several CT protocols claim this CT; choose one with -c", given=", ".join(best))
        if best:
            return protocols[best[0]].table
        default, whose = self.content.default_ct_protocol, f"the default of library {self.content.name!r}"
        if default is None:
            default, whose = self.content.packaged_ct_protocol, "the default that comes with the package"
        if default is None:
            raise refuse("No CT protocol claims this CT by its DICOM keywords; choose one with -c, or name a "
                         f"default_ct_protocol in {CONFIGURATION}",
                         allowed=", ".join(protocols) or "none in this library")  # fmt: skip
        table = self.ct_protocol(default)
        said = f"{whose}, since no protocol claims this CT by its DICOM keywords"
        return replace(table, source=f"{table.source}; {said}")

    def phantom(self, name: str) -> Phantom:
        """Return a phantom by name, or by the path of its file."""
        key = _choose(name, self.content.phantoms)
        if key is not None:
            return read_phantom(self.content.phantoms[key], self.material)
        path = on_disk(name)
        if path is not None:
            with _named_in_refusals("Phantom"):
                return read_phantom(path, self.material)
        raise _unknown("phantom", name, self.content.phantoms, "-p takes a name or a file")


def _settings(folder: Path) -> tuple[SiteSettings, Path | None]:
    path = folder / SETTINGS
    return (read_checked(path, SiteSettings), path) if path.is_file() else (SiteSettings(), None)


@contextmanager
def _named_in_refusals(what: str) -> Iterator[None]:
    """Put before each problem of a file what the file was to be."""
    try:
        yield
    except InputError as refused:
        raise InputError(*(f"{what}: {problem}" for problem in refused.problems)) from None


def _named_model(library: Library, key: str) -> BeamModel:
    return replace(read_beam_model(library.content.beam_models[key], library.material), name=key)


def _models_by_machine(library: Library) -> list[tuple[tuple[str, str], BeamModel]]:
    """Return (machine, radiation) and beam model: as library.toml says, else as the model's own file does."""
    told = {}
    for one in library.content.machines:
        model = assigned(library.beam_model(one.beam_model), machine=one.name, radiation=one.radiation)
        told[one.name.casefold(), one.radiation.casefold()] = model
    own = [_named_model(library, key) for key in library.content.beam_models]
    by_file = [((one.machine.casefold(), one.radiation.casefold()), one) for one in own]
    return [*told.items(), *(pair for pair in by_file if pair[0] not in told)]


def _from_path(library: Library, path: Path, part: str) -> HounsfieldTable:
    protocols = read_ct_protocols(path, library.material, _compositions)
    if len(protocols) == 1 and not part:
        return next(iter(protocols.values())).table
    key = _choose(part, protocols, parts=True) if part else None
    if key is None:
        raise refuse(
            f"{path.name} holds several CT protocols; add the name of one after a colon",
            given=part or None,
            allowed=", ".join(protocols),
        )
    return protocols[key].table


def _protocols(library: Library) -> dict[str, CtProtocol]:
    protocols: dict[str, CtProtocol] = {}
    for place in library.content.ct_places:
        for name, one in read_ct_protocols(place, library.material, _compositions).items():
            if name in protocols:
                raise refuse("Two CT protocols of the library have one name", given=name, where=place.name)
            protocols[name] = one
    return protocols


def _compositions() -> HounsfieldTable:
    """Return the protocol whose compositions complete a mere density curve."""
    return read_ct_protocols(PACKAGED / "ct" / "generic.toml", named, _compositions)["generic"].table


def _usual_place() -> Path | None:
    told = os.environ.get(VARIABLE)
    if told:
        return Path(told).expanduser()
    configuration = os.environ.get("XDG_CONFIG_HOME")
    usual = (Path(configuration) if configuration else Path.home() / ".config") / "dosewright" / "library"
    return usual if usual.is_dir() else None


def _choose(name: str, known: Iterable[str], *, parts: bool = False) -> str | None:
    """Return the known name that is meant: exact, else whatever the case, else the only one that holds it."""
    names = list(known)
    if name in names:
        return name
    folded = [one for one in names if one.casefold() == name.casefold()]
    if not folded and parts and name.strip():
        folded = [one for one in names if name.casefold() in one.casefold()]
        if len(folded) > 1 and on_disk(name) is None:
            raise refuse("The name is a part of several", given=repr(name), allowed=", ".join(folded))
    return folded[0] if len(folded) == 1 else None


def _unknown(kind: str, name: str, known: Iterable[str], habit: str) -> InputError:
    names = list(known)
    return refuse(f"Unknown {kind}.{nearest(name, names)}", given=repr(name), allowed=", ".join(names) or "none",
                  where=habit)  # fmt: skip
