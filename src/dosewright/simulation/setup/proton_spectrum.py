"""Energy spectra: bins with weights, lines as bins without width."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.materials.ion_tables import HIGHEST_MEV
from dosewright.simulation.setup.spot_table import read_columns

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spectrum:
    """Lower and upper energies of bins (MeV) and cumulated weights; uniform inside a bin."""

    low_MeV: Array
    high_MeV: Array
    cumulated: Array


def read_spectrum(path: Path, lowest_MeV: float = 0.0) -> Spectrum:
    """Read a table with the columns low_MeV, high_MeV and weight; a line of the spectrum has low = high."""
    columns = read_columns(path, ("low_MeV", "high_MeV", "weight"))
    low, high, weight = columns["low_MeV"], columns["high_MeV"], columns["weight"]
    problems = []
    if np.any(high < low):
        row = int(np.argmax(high < low))
        problems.append(refuse("high_MeV lies below low_MeV", given=f"{low[row]:g} to {high[row]:g}", where=path.name))
    if np.any(low <= lowest_MeV) or np.any(high > HIGHEST_MEV):
        given = f"{low.min():g} to {high.max():g} MeV"
        allowed = f"above {lowest_MeV:g}, up to {HIGHEST_MEV:g} MeV"
        problems.append(refuse("The spectrum is out of range", given=given, allowed=allowed, where=path.name))
    if np.any(weight < 0) or not weight.sum() > 0:
        problems.append(refuse("The weights of a spectrum must not be negative, nor all zero", where=path.name))
    if problems:
        raise InputError(*(text for problem in problems for text in problem.problems))
    kept = weight > 0
    return Spectrum(low[kept], high[kept], np.cumsum(weight[kept]))
