"""What is added where: one branch per quantity, in the order of the columns of the tally."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined
from dosewright.scoring.carried import room_for_carried
from dosewright.scoring.lineage import room_for_log
from dosewright.scoring.planes import room_for

# Rows of the energy account, MeV.
STARTED, DEPOSITED, BEFORE_PATIENT, ESCAPED, NEUTRAL, BINDING, CAPPED_HISTORIES, ROULETTE = range(8)
ACCOUNT_ROWS = 8
LEAVING_KINDS = 3  # photons, electrons, positrons


class Scoring(NamedTuple):
    """Where the scored grid lies in the patient box.

    `matrix` (3 x 4) turns a position (cm, patient box axes) into continuous voxel coordinates whose integer part is
    the voxel; `shape` is (nx, ny, nz). With `same_voxels` the scored voxels are those of the box itself.
    """

    same_voxels: bool
    matrix: NDArray[np.float32]
    shape: NDArray[np.int32]
    to_water: bool
    let: bool


# Per voxel in `Tally.let`, protons only: energy deposited (MeV), the same times LET, path length (cm), the same times
# LET; LET is the unrestricted mass stopping power of water (MeV cm2/g) at the energy of the proton.
LET_ENERGY, LET_ENERGY_LET, LET_PATH, LET_PATH_LET = range(4)
LET_COLUMNS = 4


class Tally(NamedTuple):
    """What accumulates: energy deposited (MeV), the same times the water ratio, LET sums, and the energy account.

    `leaving` counts what leaves the phantom by kind, energy and angle, `leaving_energy` (MeV) by kind; see
    `scoring.leaving`. `parts` is the energy (MeV) by part of the scene, the last entry for what fills it. `crossings`
    are the particles that went through planes, see `scoring.planes`, `log` what happened to particles, see
    `scoring.lineage`; `carried` is energy carried out of voxels, see `scoring.carried`.
    """

    energy: NDArray[np.float64]
    energy_to_water: NDArray[np.float64]
    let: NDArray[np.float64]
    account: NDArray[np.float64]
    leaving: NDArray[np.float64]
    leaving_energy: NDArray[np.float64]
    parts: NDArray[np.float64]
    crossings: NDArray[np.float64]
    log: NDArray[np.float64]
    carried: NDArray[np.float64]


def empty_tally(
    scoring: Scoring,
    voxels: int,
    leaving_bins: int = 0,
    parts: int = 0,
    crossings: int = 0,
    events: int = 0,
    carried: int = 0,
) -> Tally:
    """Return a tally of nothing; what is not scored has no room.

    There is room for so many crossings of planes, for so many events of a log, and for what is `carried` into so many
    voxels.
    """
    return Tally(
        np.zeros(voxels),
        np.zeros(voxels if scoring.to_water else 0),
        np.zeros(LET_COLUMNS * voxels if scoring.let else 0),
        np.zeros(ACCOUNT_ROWS),
        np.zeros(leaving_bins),
        np.zeros(LEAVING_KINDS if leaving_bins else 0),
        np.zeros(parts),
        room_for(crossings),
        room_for_log(events),
        room_for_carried(carried),
    )


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
def add(array, index, amount):
    """Add to one entry of what threads may share; a GPU has its own way to do it, see `transport.loop_cuda`."""
    array[index] += amount


@inlined
def deposit(scoring, tally, voxel, energy, water_ratio):
    """Add an energy (MeV) to a scored voxel of the patient box; it counts as deposited off the scored grid too."""
    tally.account[DEPOSITED] += energy
    if voxel >= 0:
        add(tally.energy, voxel, energy)
        if scoring.to_water:
            add(tally.energy_to_water, voxel, energy * water_ratio)


@inlined
def score_let(tally, voxel, energy, path, let):
    """Add what a proton did in a scored voxel to the LET sums."""
    if voxel >= 0:
        first = LET_COLUMNS * voxel
        add(tally.let, first + LET_ENERGY, energy)
        add(tally.let, first + LET_ENERGY_LET, energy * let)
        add(tally.let, first + LET_PATH, path)
        add(tally.let, first + LET_PATH_LET, path * let)
