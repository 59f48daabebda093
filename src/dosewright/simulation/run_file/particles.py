"""What goes with each particle of a source: its energies, its cut, and the words that mean something for it."""

from dataclasses import dataclass

from dosewright.materials import ion_tables
from dosewright.materials.electrons import lookup
from dosewright.simulation.coupled_settings import PROCESSES as COUPLED_PROCESSES
from dosewright.simulation.run_file.source_tables import Sent
from dosewright.simulation.run_file.transport_tables import Transport

SOURCES = ("pencil", "rectangle", "point", "volume")
DOSES = ("dose", "dose_to_water", "energy")


@dataclass(frozen=True)
class Abilities:
    """Energies (MeV), the key of its own cut, and the words of source kinds, processes and scores it knows.

    `foreign` are the keys of the transport that change nothing for it.
    """

    name: str
    lowest_MeV: float
    highest_MeV: float
    cut: str
    sources: tuple[str, ...]
    processes: tuple[str, ...]
    quantities: tuple[str, ...]
    foreign: tuple[str, ...]
    regions: bool


_PROTON = Abilities(
    name="protons",
    lowest_MeV=0.0,
    highest_MeV=ion_tables.HIGHEST_MEV,
    cut="proton_cut_MeV",
    sources=(*SOURCES, "spots"),
    processes=("nuclear", "straggling", "scattering", "delta", "hard_scattering"),
    quantities=(*DOSES, "letd", "lett"),
    foreign=("photon_cut_MeV", "electron_cut_MeV", "range_rejection_MeV"),
    regions=False,
)


def _coupled(name: str, cut: str, sources: tuple[str, ...] = SOURCES) -> Abilities:
    return Abilities(
        name=name,
        lowest_MeV=lookup.LOWEST_MEV,
        highest_MeV=lookup.HIGHEST_MEV,
        cut=cut,
        sources=sources,
        processes=COUPLED_PROCESSES,
        quantities=(*DOSES, "spectrum", "phase_space"),
        foreign=("proton_cut_MeV", "delta_cut_MeV"),
        regions=True,
    )


ABILITIES: dict[Sent, Abilities] = {
    "proton": _PROTON,
    "photon": _coupled("photons", "photon_cut_MeV"),
    "electron": _coupled("electrons", "electron_cut_MeV"),
    "positron": _coupled("positrons", "electron_cut_MeV"),
    "phase_space": _coupled("the particles of a phase space", "photon_cut_MeV", ("phase_space",)),
}


def lowest_cut_MeV(particle: Sent, transport: Transport) -> float:
    """Return the lowest cut of a source's own particle anywhere."""
    key = ABILITIES[particle].cut
    own = [getattr(region, key) for region in transport.region] if ABILITIES[particle].regions else []
    return float(min([getattr(transport, key), *(cut for cut in own if cut is not None)]))
