"""The rays and points of a check: spread evenly, the same at every call."""

from itertools import product

import numpy as np

from dosewright.geometry.scene_check.chords import Rays
from dosewright.geometry.scene_check.intervals import Floats

# Roberts, "The unreasonable effectiveness of quasirandom sequences" (2018): the generalised golden ratio of d
# dimensions, the positive root of x^(d+1) = x + 1; here d = 5.
_GOLDEN = 1.1347241384015194
_STEPS = _GOLDEN ** -np.arange(1.0, 6.0)
AXES = np.eye(3)
WAYS = np.array([way for way in product((-1, 0, 1), repeat=3) if way > (0, 0, 0)], float)
WAYS /= np.linalg.norm(WAYS, axis=1)[:, None]  # 13 directions: along edges, face and space diagonals of a cube


def even_numbers(count: int, first: int = 0) -> Floats:
    """Return numbers spread evenly over the unit cube of five dimensions, (count, 5)."""
    numbers: Floats = (0.5 + np.arange(first + 1, first + count + 1)[:, None] * _STEPS) % 1.0
    return numbers


def isotropic(numbers: Floats) -> Floats:
    """Return directions spread evenly over the sphere from numbers (n, 2)."""
    cosine, turn = 2 * numbers[:, 0] - 1, 2 * np.pi * numbers[:, 1]
    sine = np.sqrt(np.maximum(1 - cosine**2, 0.0))
    return np.stack([sine * np.cos(turn), sine * np.sin(turn), cosine], axis=1)


def through_box(low: Floats, high: Floats, count: int, first: int = 0) -> Rays:
    """Return rays through a box, (mm): three of four along an axis each, every fourth in any direction."""
    numbers = even_numbers(count, first)
    directions = isotropic(numbers[:, 3:])
    for axis in range(3):
        directions[axis::4] = AXES[axis]
    return Rays(low + numbers[:, :3] * (high - low), directions)
