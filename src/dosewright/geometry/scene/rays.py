"""A packed scene asked from outside the kernels: where points are, and what lies on rays. Lengths in cm."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dosewright.geometry.scene.batch import follow, locate_all, nearest_all, path_lengths
from dosewright.geometry.scene.cell_rays import PART
from dosewright.geometry.scene.trace import BEYOND, FILL, SceneTables
from dosewright.geometry.trace import FAR_CM, Ray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

OUTSIDE_WORLD = -2  # instead of a part


class Stretches(NamedTuple):
    """What lies on a ray: parts one after another, and the distances (one fewer) where one ends and the next begins."""

    distances_cm: Array
    parts: Integers


def cells_at(tables: SceneTables, points_cm: ArrayLike, phase: float = 0.0) -> Integers:
    """Return the cell of points (..., 3): `FILL` in what fills the scene, `BEYOND` outside its world."""
    points = np.asarray(points_cm, float)
    found = np.empty(points[..., 0].size, np.int64)
    locate_all(tables, np.ascontiguousarray(points.reshape(-1, 3)), phase, found)
    return found.reshape(points.shape[:-1])


def parts_of_cells(tables: SceneTables, cells: Integers) -> Integers:
    """Return the parts of cells: their number for what fills the scene, `VOXELS` (-1), `OUTSIDE_WORLD` (-2)."""
    parts = np.append(tables.cells[:, PART], 0).astype(np.int64)[np.maximum(cells, -1)]
    return np.where(cells == FILL, tables.parts, np.where(cells == BEYOND, OUTSIDE_WORLD, parts))


def parts_at(tables: SceneTables, points_cm: ArrayLike, phase: float = 0.0) -> Integers:
    """Return the part of points (..., 3), as `parts_of_cells`."""
    return parts_of_cells(tables, cells_at(tables, points_cm, phase))


def nearest_at(tables: SceneTables, points_cm: ArrayLike, enough_cm: float = FAR_CM, phase: float = 0.0) -> Array:
    """Return a lower bound of the distance from points (..., 3) to the nearest boundary, no more than `enough_cm`."""
    points = np.asarray(points_cm, float)
    found = np.empty(points[..., 0].size)
    nearest_all(tables, np.ascontiguousarray(points.reshape(-1, 3)), enough_cm, phase, found)
    return found.reshape(points.shape[:-1])


def boundaries_along(
    tables: SceneTables,
    start_cm: ArrayLike,
    direction: ArrayLike,
    *,
    longest_cm: float = 1.0e4,
    most: int = 10_000,
    phase: float = 0.0,
) -> Stretches:
    """Return what lies on a ray up to a length; `most` boundaries are looked at, those inside a part included."""
    unit = np.asarray(direction, float) / np.linalg.norm(direction)
    ray = Ray(*(float(x) for x in np.asarray(start_cm, float)), *(float(x) for x in unit))
    distances, cells = np.empty(most), np.empty(most + 1, np.int64)
    count = follow(tables, ray, longest_cm, phase, distances, cells)
    parts = parts_of_cells(tables, cells[: count + 1])
    changes = np.flatnonzero(parts[1:] != parts[:-1])
    return Stretches(distances[:count][changes], parts[np.append(0, changes + 1)])


def lengths_in_parts(
    tables: SceneTables, rays: ArrayLike, *, longest_cm: float = 1.0e4, phase: float = 0.0
) -> tuple[Array, Integers]:
    """Return the summed path of rays (n, 6: point, unit direction) in each part, last in the fill; boundaries per ray.

    What lies in a box of voxels, which is no part, is not counted.
    """
    all_rays = np.ascontiguousarray(rays, dtype=float)
    lengths, boundaries = np.zeros(tables.parts + 1), np.zeros(len(all_rays), np.int64)
    path_lengths(tables, all_rays, longest_cm, phase, lengths, boundaries)
    return lengths, boundaries
