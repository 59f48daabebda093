"""Two doses in the same voxels: how far they are apart, as figures that need no statistics.

Percentages are of one dose, `normal`, usually the maximum of the reference.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SHARES_PERCENT = (1.0, 2.0, 3.0, 5.0)


@dataclass(frozen=True)
class Differences:
    """Evaluated minus reference over the judged voxels.

    Parameters
    ----------
    voxels
        How many were judged.
    mean_percent, rms_percent, median_percent
        Of the normal dose.
    least_percent, most_percent
        The largest differences downwards and upwards; `least_at`, `most_at` are their indices (x, y, z).
    ratio
        Sum of the evaluated dose over that of the reference.
    within_percent
        Percentage of the voxels whose difference is at most 1, 2, 3, 5 % of the normal dose.
    """

    voxels: int
    mean_percent: float
    rms_percent: float
    median_percent: float
    least_percent: float
    most_percent: float
    least_at: tuple[int, int, int]
    most_at: tuple[int, int, int]
    ratio: float
    within_percent: dict[float, float]


def differences(reference: Floats, evaluated: Floats, judged: Bools, normal: float) -> Differences:
    """Return the figures over the judged voxels, all arrays [z, y, x]."""
    if not judged.any():
        raise refuse(
            "No voxel of the reference is left to be compared", allowed="a lower threshold, or doses that meet"
        )
    if not normal > 0:
        raise refuse("The reference dose is nowhere above zero")
    where = np.argwhere(judged)
    apart = 100.0 * (evaluated[judged] - reference[judged]) / normal
    total = float(reference[judged].sum())
    return Differences(
        voxels=int(judged.sum()),
        mean_percent=float(apart.mean()),
        rms_percent=float(np.sqrt(np.square(apart).mean())),
        median_percent=float(np.median(apart)),
        least_percent=float(apart.min()),
        most_percent=float(apart.max()),
        least_at=_xyz(where[int(apart.argmin())]),
        most_at=_xyz(where[int(apart.argmax())]),
        ratio=float(evaluated[judged].sum()) / total if total > 0 else float("nan"),
        within_percent={share: 100.0 * float(np.mean(np.abs(apart) <= share)) for share in SHARES_PERCENT},
    )


def _xyz(place: NDArray[np.int_]) -> tuple[int, int, int]:
    k, j, i = (int(n) for n in place)
    return i, j, k
