"""The bins of what leaves the phantom, as the scores of a run file ask for them."""

from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.scoring.leaving import NOTHING_LEAVING, Leaving
from dosewright.simulation.run_file.tables import Energetic, RunFile
from dosewright.simulation.setup.spectrum import energies_MeV

ENERGY_BINS, ANGLE_BINS = 100, 18


def bins_of(run_file: RunFile) -> Leaving:
    """Return the bins that all spectra of a run share; none where no spectrum is asked for.

    Bins reach to the highest energy of the source, and where positrons annihilate in flight beyond it, if no other end
    is given.
    """
    asked = next((score for score in run_file.score if score.quantity == "spectrum"), None)
    if asked is None or not isinstance(run_file.source, Energetic):
        return NOTHING_LEAVING
    highest = energies_MeV(run_file.source)[1]
    if run_file.source.particle == "positron":
        highest += 2 * ELECTRON_MASS_MEV
    return Leaving(asked.energy_bins or ENERGY_BINS, asked.energy_max_MeV or highest, asked.angle_bins or ANGLE_BINS)
