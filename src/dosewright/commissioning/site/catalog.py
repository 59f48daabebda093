"""The library: settings, beam models, CT protocols, phantoms and materials of a site, found by name or path."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from dosewright.commissioning.mlc_designs import mlc_design
from dosewright.commissioning.phantom import Phantom, read_phantom
from dosewright.commissioning.site.by_name import choose, named_in_refusals, unknown
from dosewright.commissioning.site.ct_choice import claiming, why_none
from dosewright.commissioning.site.ideal_library import SYSTEM_SUFFIX, open_ideal, read_phantom_pair
from dosewright.commissioning.site.library_content import LibraryContent
from dosewright.commissioning.site.library_files import assigned, on_disk, read_ct_protocols
from dosewright.commissioning.site.library_folder import (
    CONFIGURATION,
    PACKAGED,
    kept_beam_model,
    read_library_folder,
)
from dosewright.commissioning.site.library_place import is_ideal, usual_place
from dosewright.commissioning.site.schneider_cache import interpolated, users_cache
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import nearest, refuse
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.core.modules import Mlc
from dosewright.formats.text.hounsfield import CtProtocol
from dosewright.formats.text.site_settings import SiteSettings


@dataclass(frozen=True)
class Library:
    """What a site has commissioned; opened once, each of its files is read once, when asked for.

    Parameters
    ----------
    folder
        Where it lies; None for the packaged library.
    content
        What lies there.
    """

    folder: Path | None
    content: LibraryContent

    @classmethod
    def open(cls, path: Path | None = None) -> "Library":
        """Open a library of ours or of IDEAL: its folder, or its configuration (library.toml, system.cfg).

        None takes the environment variable DOSEWRIGHT_LIBRARY, else ``dosewright/library`` in the user's configuration
        folder, else the packaged library.
        """
        place = path or usual_place()
        if place is None:
            return cls(None, read_library_folder(PACKAGED, PACKAGED / CONFIGURATION))
        if is_ideal(place):
            content, folder = open_ideal(place)
            return cls(folder, content)
        if place.is_dir():
            return cls(place, read_library_folder(place, place / CONFIGURATION))
        if place.is_file():
            return cls(place.parent, read_library_folder(place.parent, place))
        raise refuse(
            "The library does not exist",
            given=place.absolute(),
            allowed=f"a folder, or a file such as {CONFIGURATION} or IDEAL's system.cfg",
        )

    @property
    def settings(self) -> SiteSettings:
        """The settings of the site; defaults where it has none."""
        return self.content.settings

    @property
    def settings_file(self) -> Path | None:
        """The file the settings came from, or None."""
        return self.content.settings_file

    @cached_property
    def protocols(self) -> dict[str, CtProtocol]:
        """All CT protocols by name, as their files say; two of one name are refused."""
        protocols: dict[str, CtProtocol] = {}
        for place in self.content.ct_places:
            for name, one in place.value.items():
                if name in protocols:
                    raise refuse("Two CT protocols of the library have one name", given=name, where=place.file.name)
                protocols[name] = one
        return protocols

    def beam_model_names(self) -> tuple[str, ...]:
        """Return the names of all beam models."""
        return tuple(self.content.beam_models)

    def ct_protocol_names(self) -> tuple[str, ...]:
        """Return the names of all CT protocols."""
        return tuple(self.protocols)

    def phantom_names(self) -> tuple[str, ...]:
        """Return the names of all phantoms."""
        return tuple(self.content.phantoms)

    def material_names(self) -> tuple[str, ...]:
        """Return the names of all media: the site's own first."""
        return self.content.materials.names()

    def material(self, name: str) -> Material:
        """Return a medium by its exact name, the site's own first."""
        return self.content.materials(name)

    def mlc_design(self, name: str) -> Mlc:
        """Return a design of a multi-leaf collimator by name: of the site's folder ``mlc``, else a packaged one."""
        return mlc_design(name, self.folder / "mlc" if self.folder is not None else None)

    def beam_model(self, name: str, radiation: str = "PROTON") -> BeamModel:
        """Return a beam model by its name, by a machine (its model for `radiation`), or by the path of a file."""
        key = choose(name, self.content.beam_models)
        if key is None:
            told = self.content.model_of(name, radiation)
            key = None if told is None else choose(told, self.content.beam_models)
        if key is not None:
            return self.content.beam_models[key].value
        path = on_disk(name)
        if path is not None:
            with named_in_refusals("Beam model"):
                return kept_beam_model(path, self.material, "").value
        others = [one.radiation for one in self.content.machines if one.name.casefold() == name.strip().casefold()]
        if others:
            raise refuse(f"The machine {name!r} has no beam model for {radiation}", allowed=", ".join(others))
        raise unknown("beam model", name, self.content.beam_models, "-z takes a name, a machine or a file")

    def beam_model_for(self, machine: str, radiation: str) -> BeamModel:
        """Return the one beam model of a machine and radiation type (``PROTON``, ``ION_Z_A_Q``)."""
        key = self.content.model_of(machine, radiation)
        if key is not None:
            return assigned(self.beam_model(key), machine=machine.strip(), radiation=radiation)
        kept = () if self.content.all_machines_told else self.content.beam_models.values()
        models = [one.value for one in kept]
        wanted = (machine.strip().casefold(), radiation.casefold())
        found = [one for one in models if (one.machine.casefold(), one.radiation.casefold()) == wanted and wanted[0]]
        if len(found) == 1:
            return assigned(found[0], machine=machine.strip(), radiation=radiation)
        names = ", ".join(one.name for one in found) or ", ".join(self.content.beam_models) or "none"
        if found:
            raise refuse(f"Several beam models belong to machine {machine!r}; choose one with -z", given=names)
        known = [(one.name, one.radiation) for one in self.content.machines]
        known += [(one.machine, one.radiation) for one in models if one.machine]
        hint = nearest(machine, {name for name, _ in known})
        raise refuse(
            f"The library {self.content.name!r} has no beam model for machine {machine!r} with {radiation}.{hint}"
            f" Choose one with -z (a name or a file); names: {names}"
            f"{'. What is wrong in it, `dosewright check` tells' if self.content.problems else ''}",
            allowed=", ".join(sorted({f"{name} ({kind})" for name, kind in known})) or "no machine",
        )

    def ct_protocol(self, name: str) -> HounsfieldTable:
        """Return a CT protocol by name, by an unambiguous part of its name, or by the path of a file or folder.

        A file with several protocols takes the name after a colon: ``hlut.conf:Head``. With a density tolerance in
        the settings its densities are interpolated.
        """
        key = choose(name, self.protocols, parts=True)
        if key is not None:
            return _interpolated(self, self.protocols[key].table)
        place, _, inner = name.rpartition(":")
        for path, part in ((on_disk(name), ""), (on_disk(place), inner)):
            if path is not None:
                with named_in_refusals("CT protocol"):
                    return _interpolated(self, _from_path(self, path, part))
        raise unknown("CT protocol", name, self.protocols, "-c takes a name, a part of one, a file or a folder")

    def ct_protocol_for(self, keywords: Mapping[str, str]) -> HounsfieldTable:
        """Return the CT protocol all of whose DICOM keywords a CT has; the one with most keywords wins.

        Without any, the library's own default, and the `source` says so. A tie, or no default, is refused with the
        candidates.
        """
        best = claiming(self.protocols, keywords)
        if best is not None:
            return _interpolated(self, self.protocols[best].table)
        default = self.content.default_ct_protocol
        if default is None:
            raise refuse("No CT protocol claims this CT by its DICOM keywords; choose one with -c, or name a "
                         f"default_ct_protocol in {CONFIGURATION}",
                         given=why_none(self.protocols, keywords),
                         allowed="a CT that has all keywords of one protocol")  # fmt: skip
        table = self.ct_protocol(default)
        said = f"the default of library {self.content.name!r}, since no protocol claims this CT by its DICOM keywords"
        return replace(table, source=f"{table.source}; {said}")

    def phantom(self, name: str) -> Phantom:
        """Return a phantom by name, or by the path of its file."""
        key = choose(name, self.content.phantoms)
        if key is not None:
            return self.content.phantoms[key].value
        path = on_disk(name)
        if path is not None:
            read = read_phantom_pair if path.suffix.lower() == SYSTEM_SUFFIX else read_phantom
            with named_in_refusals("Phantom"):
                return read(path, self.material)
        raise unknown("phantom", name, self.content.phantoms, "-p takes a name or a file")


def _from_path(library: Library, path: Path, part: str) -> HounsfieldTable:
    protocols = read_ct_protocols(path, library.material)
    if len(protocols) == 1 and not part:
        return next(iter(protocols.values())).table
    key = choose(part, protocols, parts=True) if part else None
    if key is None:
        raise refuse(
            f"{path.name} holds several CT protocols; add the name of one after a colon",
            given=part or None,
            allowed=", ".join(protocols),
        )
    return protocols[key].table


def _interpolated(library: Library, table: HounsfieldTable) -> HounsfieldTable:
    """Return a CT protocol with the densities that the site's tolerance leaves of it."""
    tolerance = library.settings.calculation.hu_density_tolerance_g_cm3
    if tolerance is None or not len(table.density_hu):
        return table
    return interpolated(table, tolerance, [one for one in (library.content.cache, users_cache()) if one])
