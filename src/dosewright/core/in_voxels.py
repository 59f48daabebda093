"""Voxels between edges, which may be uneven: what a dose and a phantom of other codes have in common."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse

Array = NDArray[np.float64]
Edges = tuple[Array, Array, Array]


class InVoxels:
    """Something in voxels whose edges (mm) ascend along x, y and z."""

    edges_mm: Edges

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along x, y, z."""
        nx, ny, nz = (len(edges) - 1 for edges in self.edges_mm)
        return nx, ny, nz

    @property
    def array_shape(self) -> tuple[int, int, int]:
        """Shape of the arrays: (nz, ny, nx)."""
        nx, ny, nz = self.shape
        return nz, ny, nx


def check_edges(edges_mm: Edges) -> None:
    """Refuse edges that are not finite or do not ascend."""
    for axis, edges in zip("xyz", edges_mm, strict=True):
        if len(edges) < 2 or not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
            raise refuse(f"The voxel edges along {axis} do not ascend",
                         given=f"{len(edges)} edges", allowed="two or more, finite, each above the last")  # fmt: skip
