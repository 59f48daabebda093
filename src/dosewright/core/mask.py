"""Voxels inside a structure: masks of voxel centres and partial volumes.

Contours of one plane combine by exclusive or, so holes may be drawn as contours or as keyholes. What a plane stands
for along its normal (half-way to its neighbours, end caps of half a spacing, wide gaps left open) is the rule of
`dosewright.core.contours`; a lone plane is as thick as the grid's slices. A centre on a contour belongs to the side
of larger index, so structures that touch share no voxel and leave none out.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dosewright.core.contours import ContourPlanes, Floats, contour_planes, crossings
from dosewright.core.errors import refuse
from dosewright.core.grid import Grid
from dosewright.core.structures import Structure

Bools = NDArray[np.bool_]
Singles = NDArray[np.float32]

DECIMALS = 6  # of a voxel: coordinates are rounded so that a contour through voxel centres is one, bit for bit
POINTS_AT_ONCE = 1_000_000


def mask(structure: Structure, grid: Grid) -> Bools:
    """Return which voxel centres lie inside a structure, bool [z, y, x]; any grid, contours in any parallel planes."""
    planes = _planes_for(structure, grid)
    inside = np.zeros(grid.array_shape, bool)
    if not _lie_in_slices(planes, grid):
        for part in _slabs_of(grid):
            inside[part] = _inside_at(planes, _centres(grid, part, (0.0, 0.0, 0.0)))
        return inside
    plane_of_slice = planes.holding(np.round(grid.centres_mm(2), DECIMALS))
    for plane, contours in enumerate(planes.contours):
        slices = np.flatnonzero(plane_of_slice == plane)
        if len(slices):
            rows, columns, layer = _filled(_in_slice(contours, grid), grid)
            inside[slices, rows, columns] = layer
    return inside


def volume_fraction(structure: Structure, grid: Grid, supersampling: tuple[int, int, int] = (4, 4, 4)) -> Singles:
    """Return the share of each voxel inside a structure, float32 [z, y, x], 0 to 1.

    `supersampling` is the number of sample points per voxel along the grid's x, y, z. Where the contours lie in
    slices of the grid, x and z are integrated exactly and only the count along y matters.
    """
    if len(supersampling) != 3 or min(supersampling) < 1:
        raise refuse("Supersampling needs three counts", given=supersampling, allowed="whole numbers from 1")
    planes = _planes_for(structure, grid)
    if not _lie_in_slices(planes, grid):
        return _sampled_fraction(planes, grid, supersampling)
    fraction = np.zeros(grid.array_shape, np.float32)
    thickness = grid.spacing_mm[2]
    low, high = grid.centres_mm(2) - thickness / 2, grid.centres_mm(2) + thickness / 2
    for lower, upper, contours in zip(planes.lower_mm, planes.upper_mm, planes.contours, strict=True):
        shared = (np.minimum(high, upper) - np.maximum(low, lower)) / thickness
        slices = np.flatnonzero(shared > 10.0**-DECIMALS)
        if len(slices):
            layer = _covered(_in_slice(contours, grid), grid, supersampling[1])
            for k in slices:
                fraction[k] += np.float32(shared[k]) * layer
    return np.clip(fraction, 0.0, 1.0, out=fraction)


def _planes_for(structure: Structure, grid: Grid) -> ContourPlanes:
    return contour_planes(structure, axis=grid.direction[:, 2], lone_thickness_mm=grid.spacing_mm[2])


def _lie_in_slices(planes: ContourPlanes, grid: Grid) -> bool:
    return bool(np.array_equal(planes.normal, grid.direction[:, 2]))


def _in_slice(contours: Sequence[Floats], grid: Grid) -> list[Floats]:
    return [np.round(grid.to_index(c)[:, :2], DECIMALS) for c in contours]


def _filled(polygons: Sequence[Floats], grid: Grid) -> tuple[slice, slice, Bools]:
    """Return the rows and columns that polygons (in voxel indices) may touch, and which centres there are inside."""
    nx, ny, _ = grid.shape
    row, x = crossings(polygons, np.arange(ny, dtype=float))
    column = np.clip(np.ceil(x), 0, nx).astype(np.int64)
    if not len(row):
        return slice(0), slice(0), np.zeros((0, 0), bool)
    r0, c0 = int(row.min()), int(column.min())
    height, width = int(row.max()) - r0 + 1, int(column.max()) - c0 + 1
    flips = np.bincount((row - r0) * width + column - c0, minlength=height * width).reshape(height, width)
    inside = np.cumsum(flips, axis=1) % 2 == 1
    return slice(r0, r0 + height), slice(c0, min(c0 + width, nx)), inside[:, : nx - c0]


def _covered(polygons: Sequence[Floats], grid: Grid, lines: int) -> Singles:
    """Return the covered share of each pixel [y, x]: exact along x, `lines` sample lines per pixel along y."""
    nx, ny, _ = grid.shape
    levels = (np.arange(ny * lines) + 0.5) / lines - 0.5
    line, x = crossings(polygons, levels)
    order = np.lexsort((x, line))
    line, x = line[order], np.clip(x[order], -0.5, nx - 0.5)
    rank = np.arange(len(line)) - np.searchsorted(line, line)
    sign = np.where(rank % 2 == 0, 1.0, -1.0) / lines
    column = np.floor(x + 0.5).astype(np.int64)
    right_part = column + 0.5 - x
    width = nx + 2
    cell = line // lines * width + column
    steps = np.bincount(cell, sign * right_part, ny * width)
    steps += np.bincount(cell + 1, sign * (1.0 - right_part), ny * width)
    covered: Singles = np.cumsum(steps.reshape(ny, width), axis=1)[:, :nx].astype(np.float32)
    return covered


def _sampled_fraction(planes: ContourPlanes, grid: Grid, supersampling: tuple[int, int, int]) -> Singles:
    fraction = np.zeros(grid.array_shape, np.float32)
    steps = [(np.arange(n) + 0.5) / n - 0.5 for n in supersampling]
    shifts = [(float(dx), float(dy), float(dz)) for dz in steps[2] for dy in steps[1] for dx in steps[0]]
    for slices in _slabs_of(grid):
        for shift in shifts:
            fraction[slices] += _inside_at(planes, _centres(grid, slices, shift))
    fraction /= len(shifts)
    return fraction


def _slabs_of(grid: Grid) -> Iterator[slice]:
    depth = max(1, POINTS_AT_ONCE // (grid.shape[0] * grid.shape[1]))
    return (slice(k, min(k + depth, grid.shape[2])) for k in range(0, grid.shape[2], depth))


def _centres(grid: Grid, slices: slice, shift: tuple[float, float, float]) -> Floats:
    nx, ny, _ = grid.shape
    k, j, i = np.meshgrid(np.arange(slices.start, slices.stop), np.arange(ny), np.arange(nx), indexing="ij")
    return grid.to_patient(np.stack([i, j, k], axis=-1) + shift)


def _inside_at(planes: ContourPlanes, points_mm: Floats) -> Bools:
    """Say which points, shape (..., 3), lie inside: each is judged in the plane whose slab holds it."""
    across = np.eye(3)[int(np.argmin(np.abs(planes.normal)))]
    u = np.cross(planes.normal, across)
    axes = np.stack([u / np.linalg.norm(u), np.cross(planes.normal, u / np.linalg.norm(u))], axis=1)
    flat = points_mm.reshape(-1, 3)
    plane_of_point = planes.holding(np.round(flat @ planes.normal, DECIMALS))
    inside = np.zeros(len(flat), bool)
    for plane in np.unique(plane_of_point[plane_of_point >= 0]):
        chosen = np.flatnonzero(plane_of_point == plane)
        at = np.round(flat[chosen] @ axes, DECIMALS)
        order = np.argsort(at[:, 1])
        point, x = crossings([np.round(c @ axes, DECIMALS) for c in planes.contours[plane]], at[order, 1])
        passed = x <= at[order[point], 0]
        flips = np.bincount(point[passed], minlength=len(order))
        inside[chosen[order]] = flips % 2 == 1
    return inside.reshape(points_mm.shape[:-1])
