"""A phantom of voxels as text files of Monte Carlo codes hold it: a medium and a density in each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.in_voxels import Array, Edges, InVoxels, check_edges

VACUUM = 0


@dataclass(frozen=True)
class VoxelPhantom(InVoxels):
    """Media and densities in voxels, which may be uneven.

    Parameters
    ----------
    edges_mm
        Edges of the voxels along x, y and z, ascending, mm.
    media
        Names of the media; medium number 1 is the first.
    numbers
        [z, y, x], int16, number of the medium from 1 on; 0 is vacuum.
    density_g_cm3
        [z, y, x].
    format
        What the file was.
    assumed, problems
        As those of a `DoseFile`.
    """

    edges_mm: Edges
    media: tuple[str, ...]
    numbers: NDArray[np.int16]
    density_g_cm3: Array
    format: str = ""
    assumed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_edges(self.edges_mm)
        if not self.media:
            raise refuse("A phantom needs a medium")
        for what, values in (("numbers of the media", self.numbers), ("densities", self.density_g_cm3)):
            if values.shape != self.array_shape:
                raise refuse(f"The {what} do not fit the voxels", given=values.shape, allowed=self.array_shape)
        low, high = int(self.numbers.min()), int(self.numbers.max())
        if low < VACUUM or high > len(self.media):
            raise refuse("A voxel has a medium that the phantom does not name", given=low if low < VACUUM else high,
                         allowed=f"{VACUUM} (vacuum) to {len(self.media)}")  # fmt: skip
        if not np.isfinite(self.density_g_cm3).all() or self.density_g_cm3.min() < 0:
            raise refuse("The densities of a phantom must be finite and not negative")

    @property
    def mass_g(self) -> Array:
        """[z, y, x], mass of each voxel."""
        x, y, z = (np.diff(edges) / 10.0 for edges in self.edges_mm)
        return np.asarray(self.density_g_cm3 * (z[:, None, None] * y[:, None] * x))
