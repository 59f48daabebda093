"""Trilinear interpolation of images, at points and onto other grids.

An image fills its voxels: a point in the outer half of an edge voxel takes the value of that edge (as in ITK),
a point beyond the outer faces is outside.
"""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.grid import Grid, Image

Floats = NDArray[np.float64]

POINTS_AT_ONCE = 500_000
FACE_TOLERANCE = 1e-6  # of a voxel: points on the outer face are inside in spite of rounding


def sample(image: Image, points_mm: Floats, outside: float = 0.0) -> Floats:
    """Interpolate an image at points in patient coordinates, shape (..., 3), mm; returns float64 of shape (...)."""
    points = np.asarray(points_mm, float)
    flat = points.reshape(-1, 3)
    values = np.empty(len(flat))
    for start in range(0, len(flat), POINTS_AT_ONCE):
        part = slice(start, start + POINTS_AT_ONCE)
        values[part] = _at_index(image.values, image.grid.to_index(flat[part]), outside)
    return values.reshape(points.shape[:-1])


def resample(image: Image, grid: Grid, outside: float = 0.0) -> Image:
    """Interpolate an image at the voxel centres of another grid, a few slices at a time.

    The result is float32, or float64 where the image is. This samples and does not average: to go to a coarser grid
    without losing what lies between the centres, average instead.
    """
    if grid.matches(image.grid, tolerance_mm=1e-6) and np.issubdtype(image.values.dtype, np.floating):
        return Image(grid, image.values.copy())
    nx, ny, nz = grid.shape
    values = np.empty(grid.array_shape, np.float64 if image.values.dtype == np.float64 else np.float32)
    # Index to index is affine: one matrix and one shift take the place of two changes of frame per voxel.
    to_source = image.grid.to_index(grid.to_patient(np.vstack([np.zeros(3), np.eye(3)])))
    shift, columns = to_source[0], to_source[1:] - to_source[0]
    in_slice = np.arange(ny)[:, None, None] * columns[1] + np.arange(nx)[None, :, None] * columns[0] + shift
    for k in range(nz):
        values[k] = _at_index(image.values, (in_slice + k * columns[2]).reshape(-1, 3), outside).reshape(ny, nx)
    return Image(grid, values)


def _at_index(values: NDArray[np.generic], index: Floats, outside: float) -> Floats:
    """Interpolate at continuous voxel indices (x, y, z), shape (n, 3)."""
    shape = np.array(values.shape[::-1])
    inside = np.all((index >= -0.5 - FACE_TOLERANCE) & (index <= shape - 0.5 + FACE_TOLERANCE), axis=1)
    at = np.clip(index[inside], 0.0, shape - 1.0)
    low = np.minimum(at.astype(np.int64), np.maximum(shape - 2, 0))
    fraction = at - low
    high = np.minimum(low + 1, shape - 1)
    corner = [np.stack([low[:, a], high[:, a]]) for a in range(3)]
    weight = [np.stack([1.0 - fraction[:, a], fraction[:, a]]) for a in range(3)]
    total = np.zeros(len(at))
    for c in range(8):
        x, y, z = c & 1, c >> 1 & 1, c >> 2
        total += values[corner[2][z], corner[1][y], corner[0][x]] * (weight[0][x] * weight[1][y] * weight[2][z])
    result = np.full(len(index), float(outside))
    result[inside] = total
    return result
