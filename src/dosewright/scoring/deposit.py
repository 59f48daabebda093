"""What is added where: one branch per quantity, in the order of the columns of the tally."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined

# Rows of the energy account, MeV.
STARTED, DEPOSITED, BEFORE_PATIENT, ESCAPED, NEUTRAL, BINDING, CAPPED_HISTORIES = range(7)
ACCOUNT_ROWS = 7


class Scoring(NamedTuple):
    """Where the scored grid lies in the patient box.

    `matrix` (3 x 4) turns a position (cm, patient box axes) into continuous voxel coordinates whose integer part is
    the voxel; `shape` is (nx, ny, nz). With `same_voxels` the scored voxels are those of the box itself.
    """

    same_voxels: bool
    matrix: NDArray[np.float64]
    shape: NDArray[np.int64]
    to_water: bool


class Tally(NamedTuple):
    """What accumulates: energy deposited (MeV), the same weighted by the water ratio, and the energy account."""

    energy: NDArray[np.float64]
    energy_to_water: NDArray[np.float64]
    account: NDArray[np.float64]


@inlined
def scored_voxel(scoring, x, y, z):
    """Return the scored voxel of a position, or -1 outside the scored grid."""
    m = scoring.matrix
    a = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]
    b = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]
    c = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
    if a < 0.0 or b < 0.0 or c < 0.0:
        return -1
    i, j, k = int(a), int(b), int(c)
    if i >= scoring.shape[0] or j >= scoring.shape[1] or k >= scoring.shape[2]:
        return -1
    return (k * scoring.shape[1] + j) * scoring.shape[0] + i


@inlined
def deposit(scoring, tally, voxel, position, energy, water_ratio):
    """Add an energy (MeV) left at a position (cm); `voxel` is that of the patient box, negative outside it."""
    if voxel < 0:
        tally.account[BEFORE_PATIENT] += energy
        return
    tally.account[DEPOSITED] += energy
    target = voxel if scoring.same_voxels else scored_voxel(scoring, position[0], position[1], position[2])
    if target >= 0:
        tally.energy[target] += energy
        if scoring.to_water:
            tally.energy_to_water[target] += energy * water_ratio
