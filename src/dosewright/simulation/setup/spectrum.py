"""Energy spectra: bins with weights, lines as bins without width."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.simulation.run_file.source_tables import Energetic
from dosewright.simulation.setup.spot_table import read_columns
from dosewright.sources.emit import LOWEST_ENERGY_SHARE

Array = NDArray[np.float64]
SIGMAS = 5.0  # a sampled energy stays within this many sigmas of the mean


@dataclass(frozen=True)
class Spectrum:
    """Lower and upper energies of bins (MeV) and cumulated weights; uniform inside a bin."""

    low_MeV: Array
    high_MeV: Array
    cumulated: Array

    def share_below(self, energy_MeV: float) -> float:
        """Return the share of all particles that lie below an energy."""
        width = self.high_MeV - self.low_MeV
        sharp = (self.low_MeV < energy_MeV).astype(float)
        part = np.divide(energy_MeV - self.low_MeV, width, out=sharp, where=width > 0).clip(0.0, 1.0)
        weight = np.diff(self.cumulated, prepend=0.0)
        return float(part @ weight / self.cumulated[-1])


def energies_MeV(source: Energetic) -> tuple[float, float]:
    """Return the lowest and the highest energy that a checked source can send out."""
    if source.spectrum is not None:
        spectrum = read_spectrum(Path(source.spectrum))
        return float(spectrum.low_MeV.min()), float(spectrum.high_MeV.max())
    mean, spread = source.energy_MeV or 0.0, SIGMAS * source.energy_spread_percent / 100
    return mean * max(1 - spread, LOWEST_ENERGY_SHARE), mean * (1 + spread)


def read_spectrum(path: Path) -> Spectrum:
    """Read a table with the columns low_MeV, high_MeV and weight; a line of the spectrum has low = high.

    Bins without weight are left out.
    """
    columns = read_columns(path, ("low_MeV", "high_MeV", "weight"))
    low, high, weight = columns["low_MeV"], columns["high_MeV"], columns["weight"]
    problems = []
    if np.any(high < low):
        row = int(np.argmax(high < low))
        problems.append(refuse("high_MeV lies below low_MeV", given=f"{low[row]:g} to {high[row]:g}", where=path.name))
    if np.any(low < 0):
        problems.append(refuse("An energy is negative", given=f"{low.min():g} MeV", where=path.name))
    if np.any(weight < 0) or not weight.sum() > 0:
        problems.append(refuse("The weights of a spectrum must not be negative, nor all zero", where=path.name))
    if problems:
        raise InputError(*(text for problem in problems for text in problem.problems))
    kept = weight > 0
    return Spectrum(low[kept], high[kept], np.cumsum(weight[kept]))
