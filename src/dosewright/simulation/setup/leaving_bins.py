"""The bins of what leaves the phantom, as the scores of a run file ask for them."""

from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.scoring.leaving import NOTHING_LEAVING, Leaving
from dosewright.simulation.run_file.source_tables import AnySource, Energetic
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.setup.spectrum import energies_MeV

ENERGY_BINS, ANGLE_BINS = 100, 18


def bins_of(run_file: RunFile) -> Leaving:
    """Return the bins that all spectra of a run share; none where no spectrum is asked for.

    Bins reach to the highest energy of the source, and where positrons annihilate in flight beyond it, if no other end
    is given.
    """
    asked = next((score for score in run_file.score if score.quantity == "spectrum"), None)
    if asked is None or (highest := asked.energy_max_MeV or _highest_MeV(run_file.source)) is None:
        return NOTHING_LEAVING
    return Leaving(asked.energy_bins or ENERGY_BINS, highest, asked.angle_bins or ANGLE_BINS)


def _highest_MeV(source: AnySource) -> float | None:
    """Return the highest energy that a source of one kind of particle makes; None for others."""
    if not isinstance(source, Energetic):
        return None
    return energies_MeV(source)[1] + (2 * ELECTRON_MASS_MEV if source.particle == "positron" else 0.0)
