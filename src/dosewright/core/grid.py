"""A regular grid of voxels in patient coordinates, and an image on it.

Triples are (x, y, z); arrays are indexed [z, y, x], so x runs fastest in memory, as in DICOM and MetaImage.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse


@dataclass(frozen=True)
class Grid:
    """A regular grid of voxels.

    Parameters
    ----------
    shape
        Number of voxels along the grid's own x, y, z.
    spacing_mm
        Voxel size along the same axes, mm, positive.
    origin_mm
        Centre of the first voxel in patient (DICOM) coordinates, mm.
    direction
        3 x 3, columns are the grid axes in patient coordinates; a proper rotation.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    direction: NDArray[np.float64] = field(default_factory=lambda: np.eye(3))

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise refuse("A grid needs at least one voxel along each axis", given=self.shape)
        if not all(np.isfinite(self.spacing_mm)) or min(self.spacing_mm) <= 0:
            raise refuse("Voxel sizes must be positive", given=self.spacing_mm)
        if not all(np.isfinite(self.origin_mm)):
            raise refuse("A grid needs a finite origin", given=self.origin_mm)
        d = np.asarray(self.direction, float)
        if d.shape != (3, 3) or not np.allclose(d.T @ d, np.eye(3), atol=1e-4) or np.linalg.det(d) < 0:
            raise refuse("Grid axes must be orthonormal and right-handed", given=d.tolist())
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "spacing_mm", tuple(float(s) for s in self.spacing_mm))
        object.__setattr__(self, "origin_mm", tuple(float(o) for o in self.origin_mm))
        object.__setattr__(self, "direction", d)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grid) and self.shape == other.shape and self.matches(other, tolerance_mm=0.0)

    def __hash__(self) -> int:
        return hash((self.shape, self.spacing_mm, self.origin_mm))

    @property
    def array_shape(self) -> tuple[int, int, int]:
        """Shape of an array on this grid: (nz, ny, nx)."""
        nx, ny, nz = self.shape
        return nz, ny, nx

    @property
    def size(self) -> int:
        """Number of voxels."""
        nx, ny, nz = self.shape
        return nx * ny * nz

    @property
    def voxel_volume_cm3(self) -> float:
        """Volume of one voxel, cm3."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    @property
    def corner_mm(self) -> NDArray[np.float64]:
        """Outer corner of the first voxel, patient coordinates, mm."""
        return self.to_patient(np.array([-0.5, -0.5, -0.5]))

    def to_patient(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert continuous voxel indices (x, y, z), shape (..., 3), to patient coordinates in mm."""
        p: NDArray[np.float64] = (np.asarray(index, float) * self.spacing_mm) @ self.direction.T + self.origin_mm
        return p

    def to_index(self, p_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert patient coordinates in mm, shape (..., 3), to continuous voxel indices (x, y, z)."""
        offset = np.asarray(p_mm, float) - np.asarray(self.origin_mm)
        i: NDArray[np.float64] = (offset @ self.direction) / self.spacing_mm
        return i

    def centres_mm(self, axis: int) -> NDArray[np.float64]:
        """Voxel centres along one grid axis, mm, measured along that axis from the patient origin."""
        start = float(np.asarray(self.origin_mm) @ self.direction[:, axis])
        centres: NDArray[np.float64] = start + self.spacing_mm[axis] * np.arange(self.shape[axis], dtype=float)
        return centres

    def corners_mm(self) -> NDArray[np.float64]:
        """Eight outer corners, shape (8, 3), patient coordinates, mm."""
        ends = [(-0.5, n - 0.5) for n in self.shape]
        return self.to_patient(np.array([(i, j, k) for k in ends[2] for j in ends[1] for i in ends[0]]))

    def matches(self, other: "Grid", *, tolerance_mm: float = 1e-3) -> bool:
        """Say whether both grids have the same voxels, to a tolerance."""
        return self.shape == other.shape and bool(np.abs(self.corners_mm() - other.corners_mm()).max() <= tolerance_mm)

    def cropped(self, lower: tuple[int, int, int], upper: tuple[int, int, int]) -> "Grid":
        """Return the part from voxel `lower` (included) to `upper` (excluded), indices (x, y, z)."""
        shape = tuple(int(u - lo) for lo, u in zip(lower, upper, strict=True))
        origin = self.to_patient(np.array(lower, float))
        return Grid(shape, self.spacing_mm, tuple(origin), self.direction)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Image:
    """Values on a grid; ``values[k, j, i]`` belongs to voxel (i, j, k)."""

    grid: Grid
    values: NDArray[Any]

    def __post_init__(self) -> None:
        if self.values.shape != self.grid.array_shape:
            raise refuse("An image's array must fit its grid", given=self.values.shape, allowed=self.grid.array_shape)
