"""Energy left in a part of a scene."""

import numpy as np

from dosewright.core.jit import inlined
from dosewright.geometry.scene.trace import part_of
from dosewright.materials.electrons.lookup import WATER_RATIO, position, value
from dosewright.scoring.deposit import BEFORE_PATIENT, add, scored_voxel
from dosewright.transport.electrons.absorb import LOW_MEV


@inlined
def absorb_in_part(problem, tally, cell, x, y, z, energy, ratio):
    """Deposit an energy (MeV, times its weight) at a point (cm) of a cell, also on a scored grid that holds it."""
    scoring = problem.scoring
    tally.account[BEFORE_PATIENT] += energy
    add(tally.parts, part_of(problem.scene, cell), energy)
    if scoring.same_voxels:
        return
    voxel = scored_voxel(scoring, x, y, z)
    if voxel >= 0:
        add(tally.energy, voxel, energy)
        if scoring.to_water:
            add(tally.energy_to_water, voxel, energy * ratio)


@inlined
def absorb_at_once(problem, tally, material, cell, ray, energy):
    """Deposit what stays where a photon interacts, or an electron ends between two steps."""
    if energy <= 0.0:
        return
    ratio = 1.0
    if problem.scoring.to_water:
        i, f = position(LOW_MEV)
        ratio = np.float64(value(problem.electrons, 2 * material, WATER_RATIO, i, f))
    absorb_in_part(problem, tally, cell, ray.x, ray.y, ray.z, energy, ratio)
