"""Energy left where a photon interacts, or an electron ends between two steps."""

import numpy as np

from dosewright.core.jit import inlined
from dosewright.geometry.trace import leave_box, voxel_index
from dosewright.materials.electrons.lookup import WATER_RATIO, position, value
from dosewright.scoring.deposit import deposit, scored_voxel
from dosewright.transport.carried import carry

LOW_MEV = 0.02  # the ratio of stopping powers for what is absorbed at once; it hardly depends on energy there


@inlined
def absorb_here(problem, tally, material, ray, place, energy):
    """Deposit an energy (MeV, times its weight) in the voxel of a place."""
    if energy <= 0.0:
        return
    scoring = problem.scoring
    voxel = voxel_index(problem.geometry, place)
    if not scoring.same_voxels:
        at = leave_box(problem.geometry, ray, place)
        voxel = scored_voxel(scoring, at.x, at.y, at.z)
    ratio = 1.0
    if scoring.to_water:
        i, f = position(LOW_MEV)
        ratio = np.float64(value(problem.electrons, 2 * material, WATER_RATIO, i, f))
    deposit(scoring, tally, voxel, energy, ratio)
    carry(tally, voxel, energy)
