"""A dose in a few numbers, as GAMOS and DOSXYZnrc sum it up.

Errors are averaged over the voxels with more than a share of the MAXIMUM dose: a level of dose, not a share of voxels.
"""

from dataclasses import dataclass

import numpy as np

from dosewright.core.dose_file import DoseFile

LEVELS_PERCENT = (20, 50, 90)


@dataclass(frozen=True)
class ErrorAbove:
    """Relative errors of the voxels above a level of the maximum: their number, plain mean, root of the mean square."""

    percent: int
    voxels: int
    mean: float
    root_mean_square: float


@dataclass(frozen=True)
class DoseSummary:
    """Lowest dose above 0 and highest dose, errors at the levels, total over the voxels with its relative error.

    The error of the total takes the voxels for independent, as GAMOS does; neighbours share histories, so that it is
    too small. Errors are None (and `errors` empty) where the dose has no uncertainty.
    """

    minimum: float
    maximum: float
    scored_voxels: int
    voxels: int
    errors: tuple[ErrorAbove, ...]
    total: float
    total_relative_error: float | None


def dose_summary(dose: DoseFile) -> DoseSummary:
    """Sum up a dose."""
    values, scored = dose.dose, dose.dose != 0
    maximum = float(values.max())
    total = float(values.sum())
    errors: tuple[ErrorAbove, ...] = ()
    of_total = None
    if dose.uncertainty is not None:
        errors = tuple(_above(dose.uncertainty[values > maximum * level / 100.0], level) for level in LEVELS_PERCENT)
        of_total = float(np.sqrt(((dose.uncertainty * values) ** 2).sum())) / abs(total) if total else 0.0
    return DoseSummary(
        minimum=float(values[scored].min()) if scored.any() else 0.0,
        maximum=maximum,
        scored_voxels=int(scored.sum()),
        voxels=values.size,
        errors=errors,
        total=total,
        total_relative_error=of_total,
    )


def _above(relative: np.ndarray[tuple[int], np.dtype[np.float64]], percent: int) -> ErrorAbove:
    if not relative.size:
        return ErrorAbove(percent, 0, 0.0, 0.0)
    return ErrorAbove(percent, relative.size, float(relative.mean()), float(np.sqrt((relative**2).mean())))
