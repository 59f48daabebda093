"""What a library holds: things by name, each read once, when it is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from dosewright.commissioning.phantom import Phantom
from dosewright.commissioning.site.library_materials import SiteMaterials
from dosewright.core.beam_model import BeamModel
from dosewright.formats.text.hounsfield import CtProtocol
from dosewright.formats.text.site_settings import SiteSettings

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Kept(Generic[Thing]):
    """One thing of a library.

    Parameters
    ----------
    file
        By which it is known in messages and approved.
    read
        Reads it; may raise `InputError`.
    description
        What listings say of it.
    """

    file: Path
    read: Callable[[], Thing] = field(compare=False, repr=False)
    description: str = ""

    @cached_property
    def value(self) -> Thing:
        """The thing itself: read at the first call, then remembered."""
        return self.read()


@dataclass(frozen=True)
class MachineModel:
    """Which beam model belongs to a treatment machine for a radiation type."""

    name: str
    radiation: str
    beam_model: str


@dataclass(frozen=True)
class LibraryContent:
    """What lies in a library folder, ours or IDEAL's.

    Parameters
    ----------
    name
        The library's.
    materials
        Its own media, and those of the package.
    settings, settings_file
        Those of the site, and the file they came from; defaults and None without one.
    machines, all_machines_told
        Which beam model belongs to which machine; True where no beam model says more in its own file.
    beam_models, phantoms
        By name.
    ct_places
        Files and folders that hold CT protocols; their names are inside.
    default_ct_protocol
        For a CT that no protocol claims; None refuses such a CT.
    cache
        Where interpolated CT tables may be kept.
    notes
        What the library's files say that has no effect here.
    problems
        What is wrong with single things that are therefore not listed; the rest can be used.
    """

    name: str
    materials: SiteMaterials
    settings: SiteSettings = field(default_factory=SiteSettings)
    settings_file: Path | None = None
    machines: tuple[MachineModel, ...] = ()
    all_machines_told: bool = False
    beam_models: Mapping[str, Kept[BeamModel]] = field(default_factory=dict, hash=False)
    ct_places: tuple[Kept[dict[str, CtProtocol]], ...] = ()
    phantoms: Mapping[str, Kept[Phantom]] = field(default_factory=dict, hash=False)
    default_ct_protocol: str | None = None
    cache: Path | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def model_of(self, machine: str, radiation: str) -> str | None:
        """Return the beam model that the library assigns to a machine and radiation type, or None."""
        wanted = (machine.strip().casefold(), radiation.casefold())
        told = [one for one in self.machines if (one.name.casefold(), one.radiation.casefold()) == wanted]
        return told[0].beam_model if told and wanted[0] else None
