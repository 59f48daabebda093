"""Which voxels speak for a dose: those of the patient, without air.

In a voxel of air a single stopping particle makes a dose of its own, so the highest values of a noisy dose lie there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.grid import Grid, Image
from dosewright.core.mask import mask
from dosewright.core.structures import Structure
from dosewright.geometry.mass import mass_on
from dosewright.geometry.voxels import Voxels
from dosewright.scoring.statistics import LIGHTEST_G_CM3


@dataclass(frozen=True)
class Body:
    """The voxels of a dose grid that count, [z, y, x], in words, and the density of all voxels."""

    grid: Grid
    where: NDArray[np.bool_]
    density_g_cm3: NDArray[np.float64]
    words: str

    def of(self, image: Image) -> Image:
        """Return an image on this grid, float32, with nan wherever its values do not count."""
        return Image(self.grid, np.where(self.where, np.asarray(image.values, np.float32), np.float32(np.nan)))


def body_on(grid: Grid, voxels: Voxels, external: Structure | None) -> Body:
    """Return the voxels inside the EXTERNAL (everywhere, if there is none) that are no air."""
    density = mass_on(voxels, grid) / grid.voxel_volume_cm3
    where = density >= LIGHTEST_G_CM3
    words = f"voxels of at least {LIGHTEST_G_CM3:g} g/cm3"
    if external is not None:
        where &= mask(external, grid)
        words += f" inside {external.name} (EXTERNAL)"
    if not where.any():
        return Body(grid, np.ones(grid.array_shape, bool), density, "all voxels, for the dose grid meets only air")
    return Body(grid, where, density, words)
