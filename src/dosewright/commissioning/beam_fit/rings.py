"""Energy by distance from the axis: from voxels to rings, and how much of a ring a chamber sees."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ncx2

Array = NDArray[np.float64]

RINGS_MM = np.array(
    [0.0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 46, 50, 55, 60, 70, 80, 100, 130, 200, 300]
)
HALF_EDGES_MM = np.array([3.0, 8, 14, 20, 26, 32, 38, 44, 52, 64, 84, 110, 200])
PARTS = 6  # of a voxel along x and y, where its energy is shared among rings


def edges_mm() -> Array:
    """Return the voxel edges across the beam, the axis in the middle of a voxel."""
    return np.concatenate([-HALF_EDGES_MM[::-1], HALF_EDGES_MM])


def ring_shares() -> Array:
    """Return the share of each voxel, [y, x] as rows, that lies in each ring; the last takes what is beyond."""
    edges = edges_mm()
    fine = (edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(PARTS) + 0.5) / PARTS).ravel()
    radius = np.hypot(fine[:, None], fine)
    ring = np.minimum(np.searchsorted(RINGS_MM, radius, side="right") - 1, RINGS_MM.size - 2)
    count = edges.size - 1
    shares = np.zeros((count, count, RINGS_MM.size - 1))
    voxel = np.arange(fine.size) // PARTS
    np.add.at(shares, (voxel[:, None], voxel, ring), 1.0 / PARTS**2)
    return shares.reshape(count * count, -1)


def seen(chamber_radius_mm: float | None, spot_sigma_mm: float) -> Array:
    """Return which share of the energy of each ring falls on a chamber of that radius, centred on a Gaussian spot.

    A ring about a pencil's axis, moved by a Gaussian in two dimensions: its distance squared is a noncentral chi
    square with two degrees of freedom.
    """
    if chamber_radius_mm is None:
        return np.ones(RINGS_MM.size - 1)
    middle2 = 0.5 * (RINGS_MM[1:] ** 2 + RINGS_MM[:-1] ** 2)
    if spot_sigma_mm <= 0:
        return np.asarray(np.clip((chamber_radius_mm**2 - RINGS_MM[:-1] ** 2) / np.diff(RINGS_MM**2), 0.0, 1.0))
    variance = spot_sigma_mm**2
    return np.asarray(ncx2.cdf(chamber_radius_mm**2 / variance, 2, middle2 / variance))
