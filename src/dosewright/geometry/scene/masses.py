"""Grams of a scene's matter in each voxel of a dose grid, the phantom's left out."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.jit import kernel
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.scene.cell_rays import BEYOND_CM
from dosewright.geometry.scene.trace import (
    BEYOND,
    VOXELS,
    SceneTables,
    ahead,
    crossed,
    locate,
    medium_of_cell,
    part_of,
)
from dosewright.geometry.trace import Ray, advance

Array = NDArray[np.float64]
LINES = 4  # along each side of a voxel: 16 through it
PHASES = 16  # of parts that turn, to take the mean of
MOST_CROSSED = 100_000  # boundaries on one line


def scene_mass_on(scene: SceneTables, to_box: Rigid, grid: Grid) -> Array:
    """Return the mass of a scene in each dose voxel, g, [z, y, x].

    `to_box` leads from the axes of the grid's coordinates to those of the packed scene, mm. Lines run through the grid
    along its z, 16 through each voxel: exact along z, so that a voxel between faces normal to z has its exact mass; one
    that other surfaces cut is off by a few percent. Of parts that turn it is the mean over sixteen angles.
    """
    lines = Rigid(grid.direction, grid.corner_mm).then(to_box)
    nx, ny, nz = grid.shape
    x, y = ((np.arange(n * LINES) + 0.5) * s / LINES for n, s in zip((nx, ny), grid.spacing_mm[:2], strict=True))
    direction = lines.rotation[:, 2]
    turning = len(scene.roots) > 1
    phases = np.arange(PHASES) * (2 * np.pi / PHASES) if turning else np.zeros(1)
    mass = np.zeros((ny, nx, nz))
    for row in range(ny * LINES):
        starts = lines.points(np.stack([x, np.full(x.size, y[row]), np.zeros(x.size)], axis=1)) / MM_PER_CM
        for phase in phases:
            _along(scene, starts, direction, grid.spacing_mm[2] / MM_PER_CM, phase, mass[row // LINES])
    area_cm2 = grid.spacing_mm[0] * grid.spacing_mm[1] / MM_PER_CM**2
    return np.ascontiguousarray(mass.transpose(2, 0, 1)) * (area_cm2 / (LINES**2 * phases.size))


@kernel
def _along(scene, starts, direction, size, phase, mass):
    """Add density times length on lines to the voxels (x, z) they run through; `size` is that of a voxel, cm."""
    count = mass.shape[1]
    for k in range(len(starts)):
        ray = Ray(starts[k, 0], starts[k, 1], starts[k, 2], direction[0], direction[1], direction[2])
        cell = locate(scene, ray.x, ray.y, ray.z, phase)
        gone, end = 0.0, count * size
        for _ in range(MOST_CROSSED):
            way = min(ahead(scene, cell, ray, end - gone, phase), end - gone)
            density = medium_of_cell(scene, cell)[1]
            if cell != BEYOND and part_of(scene, cell) != VOXELS and density > 0.0:
                _spread(mass, k // LINES, gone / size, (gone + way) / size, density * size)
            if gone + way >= end:
                break
            ray, cell = crossed(scene, advance(ray, way), phase)
            gone += way + BEYOND_CM


@kernel
def _spread(mass, column, first, last, per_voxel):
    """Add to the voxels of a column what lies between two places counted in voxels."""
    i = min(np.int64(first), mass.shape[1] - 1)
    while i < mass.shape[1] and i < last:
        mass[column, i] += per_voxel * (min(last, i + 1.0) - max(first, np.float64(i)))
        i += 1
