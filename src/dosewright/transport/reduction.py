"""Reduction of variance in a scene: what is packed for the kernels, and when it holds.

Weights: a particle is fat or thin. Photons whose straight line ahead of the field meets it are thin (1/n), all others
there are fat (1). Electrons and positrons are fat upstream of their plane; beyond it they have a weight in between,
1/m with m eight times the root of n, a quarter of n at most: few and slow to follow, but heavy ones are single
spots at the surface of a phantom. What ends up with another weight plays roulette or is split, so that the mean of
everything stays.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined, kernel
from dosewright.transport.aim import Field


class Reduction(NamedTuple):
    """How variance is reduced; lengths in cm in the axes of the box.

    `splitting`: photons of one bremsstrahlung event (1: as it is). `roulette`: one of so many electrons and positrons
    that photons set free goes on (1: all). `directional`: photons for one into `field` (1: off); electrons are split
    beyond `plane`, in the direction `downstream` (+1 or -1 along z). `voxels`: what enters the voxels as thin is split
    in so many more (1: as it is); with `equal_weight` all that enters them is brought to that weight. `limits` (rows,
    3) are `XyLimits` in cm in the axes of `limit_axes` (3, 4); outside them one of `limit_roulette` goes on (0: none).
    """

    splitting: float
    roulette: float
    directional: float
    field: Field
    plane: float
    downstream: float
    equal_weight: bool
    voxels: float
    limits: NDArray[np.float64]
    limit_axes: NDArray[np.float64]
    limit_roulette: float


ONE_AND_A_HALF = 1.5
ROUNDED = 1.0e-6  # of a number of particles
NO_FIELD = Field(0.0, 0.0, 0.0, 0.0, 0.0)
NO_LIMITS = np.zeros((0, 3))
NO_REDUCTION = Reduction(1.0, 1.0, 1.0, NO_FIELD, 0.0, 1.0, False, 1.0, NO_LIMITS, np.eye(3, 4), 0.0)


@inlined
def directs(reduction, z):
    """Return whether photons are directed at a place: ahead of the field."""
    return reduction.directional > 1.0 and (reduction.field.z - z) * reduction.downstream > 0.0


@inlined
def fat(reduction, weight):
    """Return whether a weight is above that of thin particles: nearer to 1/m than to 1/n, as factors, or more."""
    return weight * weight * reduction.directional * in_between(reduction) > 1.0


@inlined
def thin_ones(reduction, weight):
    """Return how many thin particles a particle stands for, at least one."""
    return np.ceil(max(min(weight, 1.0) * reduction.directional - ROUNDED, 1.0))


@inlined
def in_between(reduction):
    """Return m, one over the weight of electrons beyond their plane; a particle of this weight still counts as fat.

    Measured on the generic head: a smaller m leaves single electrons to be seen, a larger one takes time for nothing.
    """
    return max(np.floor(min(8.0 * np.sqrt(reduction.directional), 0.25 * reduction.directional)), 1.0)


@inlined
def heavier(reduction, weight):
    """Return whether a particle weighs clearly more than 1/m."""
    return weight * in_between(reduction) > ONE_AND_A_HALF


@inlined
def beyond_plane(reduction, z):
    """Return whether electrons and positrons at a height are beyond their plane."""
    return reduction.directional > 1.0 and (z - reduction.plane) * reduction.downstream >= 0.0


@kernel
def outside_limits(reduction, x, y, z):
    """Return whether a place (cm, axes of the box) lies outside the limits of x and y."""
    limits, m = reduction.limits, reduction.limit_axes
    height = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
    for row in range(limits.shape[0]):
        if height <= limits[row, 0]:
            across = abs(m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3])
            up = abs(m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3])
            return across > limits[row, 1] or up > limits[row, 2]
    return False
