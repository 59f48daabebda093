"""A dose per history as that of many particles, and back."""

from dataclasses import replace

import numpy as np

from dosewright.core.dose_file import ABSOLUTE, PER_HISTORY, DoseFile
from dosewright.core.errors import refuse


def absolute(dose: DoseFile, particles: float) -> DoseFile:
    """Return a dose per history as the dose of so many particles, in Gy."""
    if dose.unit != PER_HISTORY:
        raise refuse("The dose is in Gy already: it stands for its particles", given=dose.unit, allowed=PER_HISTORY)
    return _times(dose, _positive(particles), ABSOLUTE)


def per_history(dose: DoseFile, primaries: float) -> DoseFile:
    """Return the plain sum over so many primaries as a dose per history; they become its histories."""
    if dose.unit != ABSOLUTE:
        raise refuse("The dose is per history already", given=dose.unit, allowed=ABSOLUTE)
    if dose.histories is not None and dose.histories != primaries:
        raise refuse("The dose has another number of histories", given=primaries, allowed=f"{dose.histories:.12g}")
    return replace(_times(dose, 1.0 / _positive(primaries), PER_HISTORY), histories=primaries)


def _times(dose: DoseFile, factor: float, unit: str) -> DoseFile:
    squares = None if dose.squares is None else dose.squares * factor**2
    return replace(dose, dose=dose.dose * factor, squares=squares, unit=unit)


def _positive(number: float) -> float:
    if not (np.isfinite(number) and number > 0):
        raise refuse("The number of particles must be positive", given=number)
    return number
