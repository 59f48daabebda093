"""What a reader should know of the cuts and processes of a run."""

from pathlib import Path

from dosewright.simulation.run_file.particles import ABILITIES, lowest_cut_MeV
from dosewright.simulation.run_file.source_tables import Energetic
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.run_file.transport_tables import Transport
from dosewright.simulation.setup.spectrum import energies_MeV, read_spectrum


def transport_warnings(run_file: RunFile) -> tuple[str, ...]:
    """Return keys without effect, processes switched off, and particles or electrons that end where they begin."""
    transport, source, usual = run_file.transport, run_file.source, Transport()
    able = ABILITIES[source.particle]
    said = [
        f"transport.{key} = {getattr(transport, key):g} changes nothing for a source of {able.name}."
        for key in able.foreign
        if getattr(transport, key) != getattr(usual, key)
    ]
    if isinstance(source, Energetic) and able.regions:
        said += _below_the_cut(source, transport)
        said += () if run_file.variance_reduction.track_length else _no_electrons(source, transport)
    if transport.processes_off:
        said.append(f"Switched off for verification: {', '.join(transport.processes_off)}. This is not the true dose.")
    return tuple(said)


def _below_the_cut(source: Energetic, transport: Transport) -> tuple[str, ...]:
    """Say how much of a spectrum is not followed."""
    cut = lowest_cut_MeV(source.particle, transport)
    share = read_spectrum(Path(source.spectrum)).share_below(cut) if source.spectrum is not None else 0.0
    if share <= 0:
        return ()
    able = ABILITIES[source.particle]
    where = "where they first interact" if source.particle == "photon" else "where they enter the phantom"
    part = f"{100 * share:.3g} % of the {able.name} of the spectrum"
    return (f"{part} lie below {able.cut} ({cut:g}) and are absorbed {where}.",)


def _no_electrons(source: Energetic, transport: Transport) -> tuple[str, ...]:
    """Say where photons make no electron that is followed."""
    cut = lowest_cut_MeV("electron", transport)
    highest = energies_MeV(source)[1]
    if source.particle != "photon" or highest > cut:
        return ()
    return (
        f"No photon of the source has more than electron_cut_MeV ({cut:g}): all electrons are absorbed where they are "
        "made.",
    )
