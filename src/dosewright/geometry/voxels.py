"""A box of voxels of material and density, in its own axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.matter import Material

Edges = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Voxels:
    """What particles travel through.

    Parameters
    ----------
    edges_mm
        Ascending voxel edges along the box's own x, y, z.
    frame
        From the box's own axes to patient coordinates (mm).
    material
        uint8 [z, y, x], index into `materials`.
    density_g_cm3
        float32 [z, y, x], positive.
    materials
        The media that occur.
    """

    edges_mm: Edges
    frame: Rigid
    material: NDArray[np.uint8]
    density_g_cm3: NDArray[np.float32]
    materials: tuple[Material, ...]

    def __post_init__(self) -> None:
        shape = tuple(len(e) - 1 for e in reversed(self.edges_mm))
        if self.material.shape != shape or self.density_g_cm3.shape != shape:
            raise refuse("Material and density must fit the voxel edges", given=self.material.shape, allowed=shape)
        if any(np.any(np.diff(e) <= 0) or not np.all(np.isfinite(e)) for e in self.edges_mm):
            raise refuse("Voxel edges must be finite and ascending")
        if int(self.material.max()) >= len(self.materials):
            raise refuse("A voxel names a material that is not in the list", given=int(self.material.max()))
        if not float(self.density_g_cm3.min()) > 0:
            raise refuse("Voxel densities must be positive", given=float(self.density_g_cm3.min()))

    @classmethod
    def on_grid(
        cls,
        grid: Grid,
        material: NDArray[np.uint8],
        density_g_cm3: NDArray[np.float32],
        materials: Sequence[Material],
    ) -> "Voxels":
        """Build from a regular grid in patient coordinates."""
        edges = tuple(s * np.arange(n + 1, dtype=float) for n, s in zip(grid.shape, grid.spacing_mm, strict=True))
        frame = Rigid(grid.direction, grid.corner_mm)
        return cls(edges, frame, material, density_g_cm3, tuple(materials))  # type: ignore[arg-type]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along x, y, z."""
        nz, ny, nx = self.material.shape
        return nx, ny, nz
