"""The list of materials a box of voxels refers to by number."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.grid import Grid
from dosewright.core.matter import Material
from dosewright.geometry.voxels import Voxels

MOST = 256  # a voxel keeps its material in one byte


class Media:
    """A growing list of different materials; equal ones share a number."""

    def __init__(self, materials: Iterable[Material] = ()) -> None:
        self._materials: list[Material] = []
        for material in materials:
            self.index(material)

    def __getitem__(self, number: int) -> Material:
        return self._materials[number]

    def index(self, material: Material) -> int:
        """Return the number of a material, adding it where it is new."""
        if material not in self._materials:
            if len(self._materials) == MOST:
                raise refuse("Too many different materials", given=MOST + 1, allowed=f"at most {MOST}")
            self._materials.append(material)
        return self._materials.index(material)

    def voxels(self, grid: Grid, material: NDArray[np.uint8], density_g_cm3: NDArray[np.float32]) -> Voxels:
        """Build voxels whose list holds only the materials that occur; renumbers `material` in place."""
        occurs = np.zeros(len(self._materials), bool)
        for part in material:
            occurs |= np.bincount(part.ravel(), minlength=len(self._materials)) > 0
        new_number = np.cumsum(occurs) - 1
        for part in material:
            part[...] = new_number[part]
        kept = [m for m, used in zip(self._materials, occurs, strict=True) if used]
        return Voxels.on_grid(grid, material, density_g_cm3, kept)
