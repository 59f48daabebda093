"""Corners of convex bodies that half-spaces bound. Lengths in mm, on the host."""

from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

THINNEST_MM = 1.0e-7  # cells thinner than the step over a boundary are nothing
SAME_MM = 1.0e-6  # corners outside a half-space by less belong to the body: what is empty is so for certain
PARALLEL = 1.0e-9


@lru_cache(maxsize=64)
def _triples(count: int) -> Integers:
    return np.array(list(combinations(range(count), 3)), np.int64).reshape(-1, 3)


def corners(planes: Array) -> Array:
    """Return the corners (k, 3) of the body below planes (n, 4), normal and distance; some may be given twice."""
    n, d = planes[:, :3], planes[:, 3]
    i, j, k = _triples(len(planes)).T
    jk = np.cross(n[j], n[k])
    volume = np.einsum("ij,ij->i", n[i], jk)
    cut = np.abs(volume) > PARALLEL
    i, j, k, jk, volume = i[cut], j[cut], k[cut], jk[cut], volume[cut]
    sums = d[i, None] * jk + d[j, None] * np.cross(n[k], n[i]) + d[k, None] * np.cross(n[i], n[j])
    points = sums / volume[:, None]
    return points[np.all(points @ n.T - d < SAME_MM, axis=1)]


def thickness(points: Array, planes: Array) -> float:
    """Return the smallest distance, over the half-spaces, of the point deepest in it; 0 where there is no body."""
    if len(points) < 4:
        return 0.0
    return float(np.min(np.max(planes[:, 3] - points @ planes[:, :3].T, axis=0)))
