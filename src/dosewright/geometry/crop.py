"""Which voxels of a CT are worth carrying: boxes of voxel indices around points of the patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.grid import Grid

Triple = tuple[int, int, int]
SIDES = (("right", "left"), ("anterior", "posterior"), ("inferior", "superior"))


@dataclass(frozen=True)
class IndexBox:
    """A box of voxels of a grid, indices (x, y, z): `lower` included, `upper` excluded; may reach outside the grid."""

    lower: Triple
    upper: Triple

    @classmethod
    def of_grid(cls, grid: Grid) -> "IndexBox":
        """Return the box of all voxels of a grid."""
        return cls((0, 0, 0), grid.shape)

    @classmethod
    def around(cls, grid: Grid, points_mm: NDArray[np.float64], margin_mm: float = 0.0) -> "IndexBox":
        """Return the smallest box whose voxels hold all points, shape (n, 3), and a margin along the grid's axes."""
        index = grid.to_index(points_mm)
        margin = margin_mm / np.array(grid.spacing_mm)
        # Six decimals: a point on a voxel's face must not pull in the next voxel by a rounding error.
        lower = np.floor(np.round(index.min(axis=0) + 0.5 - margin, 6)).astype(int)
        upper = np.ceil(np.round(index.max(axis=0) + 0.5 + margin, 6)).astype(int)
        return cls(_triple(lower), _triple(np.maximum(upper, lower + 1)))

    def union(self, other: "IndexBox") -> "IndexBox":
        """Return the smallest box around both."""
        return IndexBox(_triple(np.minimum(self.lower, other.lower)), _triple(np.maximum(self.upper, other.upper)))

    def clipped(self, grid: Grid) -> "IndexBox | None":
        """Return the part inside the grid, or None where there is none."""
        lower, upper = np.maximum(self.lower, 0), np.minimum(self.upper, grid.shape)
        return IndexBox(_triple(lower), _triple(upper)) if np.all(lower < upper) else None

    def slices(self) -> tuple[slice, slice, slice]:
        """Return the slices of an array [z, y, x]."""
        (i0, j0, k0), (i1, j1, k1) = self.lower, self.upper
        return slice(k0, k1), slice(j0, j1), slice(i0, i1)


def beyond_mm(grid: Grid, points_mm: NDArray[np.float64]) -> dict[str, float]:
    """Say how far points reach beyond a grid: the side of the patient to mm, only sides where they do."""
    index = grid.to_index(points_mm)
    low, high = -0.5 - index.min(axis=0), index.max(axis=0) - (np.array(grid.shape) - 0.5)
    found: dict[str, float] = {}
    for axis in range(3):
        along = int(np.argmax(np.abs(grid.direction[:, axis])))
        sides = SIDES[along] if grid.direction[along, axis] > 0 else SIDES[along][::-1]
        for side, excess in zip(sides, (low[axis], high[axis]), strict=True):
            reach = float(excess * grid.spacing_mm[axis])
            if reach > 1e-3:
                found[side] = reach
    return found


def _triple(values: NDArray[np.int_]) -> Triple:
    i, j, k = (int(v) for v in values)
    return i, j, k
