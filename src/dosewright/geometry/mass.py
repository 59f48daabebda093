"""Grams of matter in each voxel of a dose grid."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.geometry.voxels import Voxels

PARALLEL_MM = 0.01  # axes count as parallel where no corner moves by more than this
SUPERSAMPLING = 4  # points per dose voxel edge, where axes are oblique
MM3_PER_CM3 = 1000.0


def mass_on(voxels: Voxels, grid: Grid) -> NDArray[np.float64]:
    """Return the mass in each dose voxel, g, [z, y, x].

    Where the axes are parallel (also swapped or reversed) the overlap of the voxel boxes is exact: the volume shared
    by two boxes is the product of the lengths shared along each axis. Oblique grids are sampled at 4 x 4 x 4 points
    per dose voxel, each standing for 1/64 of its volume; a voxel that a surface cuts is then off by a few percent.
    A dose voxel that reaches outside the voxels counts what is inside.
    """
    to_box = Rigid(grid.direction, grid.corner_mm).then(voxels.frame.inverse())
    turn = np.round(to_box.rotation)
    extent = max(n * s for n, s in zip(grid.shape, grid.spacing_mm, strict=True))
    parallel = np.abs(turn).sum() == 3 and np.abs(to_box.rotation - turn).max() * extent < PARALLEL_MM
    return _mass_exact(voxels, grid, to_box, turn) if parallel else _mass_sampled(voxels, grid, to_box)


def overlap_mm(edges_mm: NDArray[np.float64], other_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the length shared by each interval of `edges_mm` with each of `other_mm`; both ascend."""
    upper = np.minimum(edges_mm[1:, None], other_mm[None, 1:])
    lower = np.maximum(edges_mm[:-1, None], other_mm[None, :-1])
    shared: NDArray[np.float64] = np.maximum(upper - lower, 0.0)
    return shared


def _mass_exact(voxels: Voxels, grid: Grid, to_box: Rigid, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    shared = []  # per grid axis: [dose voxel, box voxel], mm
    box_axis = [int(np.argmax(np.abs(turn[:, axis]))) for axis in range(3)]
    for axis, along in enumerate(box_axis):
        sign = turn[along, axis]
        edges = to_box.translation[along] + sign * grid.spacing_mm[axis] * np.arange(grid.shape[axis] + 1)
        lengths = overlap_mm(np.sort(edges), voxels.edges_mm[along])
        shared.append(lengths if sign > 0 else lengths[::-1])
    # The box's array with its axes in the order of the grid's z, y, x; a view.
    density = np.transpose(voxels.density_g_cm3, [2 - box_axis[2 - k] for k in range(3)])
    over_x, over_y, over_z = shared
    mass = np.zeros(grid.array_shape)
    for k in range(density.shape[0]):
        touched = np.flatnonzero(over_z[:, k])
        if touched.size:
            sheet = over_y @ (density[k].astype(np.float64) @ over_x.T)
            mass[touched] += over_z[touched, k, None, None] * sheet
    mass /= MM3_PER_CM3
    return mass


def _mass_sampled(voxels: Voxels, grid: Grid, to_box: Rigid) -> NDArray[np.float64]:
    nx, ny, nz = grid.shape
    n = SUPERSAMPLING
    x, y, z = ((np.arange(m * n) + 0.5) * s / n for m, s in zip(grid.shape, grid.spacing_mm, strict=True))
    mass = np.zeros(grid.array_shape)
    for k in range(nz * n):
        local = np.stack(np.broadcast_arrays(x[None, :], y[:, None], z[k]), axis=-1)
        density = _density_at(voxels, to_box.points(local))
        mass[k // n] += density.reshape(ny, n, nx, n).sum(axis=(1, 3))
    mass *= grid.voxel_volume_cm3 / n**3
    return mass


def _density_at(voxels: Voxels, p_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    index = []
    inside = np.ones(p_mm.shape[:-1], bool)
    for axis, edges in enumerate(voxels.edges_mm):
        i = np.searchsorted(edges, p_mm[..., axis], side="right") - 1
        inside &= (i >= 0) & (i < len(edges) - 1)
        index.append(np.clip(i, 0, len(edges) - 2))
    return np.where(inside, voxels.density_g_cm3[index[2], index[1], index[0]], 0.0).astype(np.float64)
