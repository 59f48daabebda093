"""Convex bodies that half-spaces bound. Lengths in mm, on the host."""

import numpy as np
from numpy.typing import NDArray

from dosewright.geometry.scene.corners import fill_corners

Array = NDArray[np.float64]

THINNEST_MM = 1.0e-7  # cells thinner than the step over a boundary are nothing
SAME_MM = 1.0e-6  # corners outside a half-space by less belong to the body: what is empty is so for certain
PARALLEL = 1.0e-9
USUAL = 256  # corners


def corners(planes: Array) -> Array:
    """Return the corners (k, 3) of the body below planes (n, 4), normal and distance; some may be given twice."""
    rows = np.ascontiguousarray(planes)
    points = np.empty((USUAL, 3))
    count = fill_corners(rows, SAME_MM, PARALLEL, points)
    if count > USUAL:
        points = np.empty((count, 3))
        fill_corners(rows, SAME_MM, PARALLEL, points)
    return points[:count]


def thickness(points: Array, planes: Array) -> float:
    """Return the smallest distance, over the half-spaces, of the point deepest in it; 0 where there is no body."""
    if len(points) < 4:
        return 0.0
    return float(np.min(np.max(planes[:, 3] - points @ planes[:, :3].T, axis=0)))
