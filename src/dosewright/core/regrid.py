"""Values of voxels moved to other voxels along the same axes, one axis after another; edges may be uneven.

Along each axis the new value is a weighted sum of old ones: a mean over the new voxel, as large as the parts of it that
old voxels fill, or a straight line between the centres of two old ones. The variance of independent values goes by the
squares of the weights.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from dosewright.core.errors import refuse
from dosewright.core.in_voxels import Array, Edges

TOLERANCE_MM = 1e-6
STRAIGHT = 1e-4  # of a direction cosine: axes closer to one of the patient's count as it


@dataclass(frozen=True)
class AxisWeights:
    """Weights of old voxels (columns) in new ones (rows) along an axis, and which new ones the old ones cover."""

    matrix: csr_array
    covered: NDArray[np.bool_]

    def squared(self) -> "AxisWeights":
        """Return what moves variances of independent values."""
        return AxisWeights(self.matrix.power(2), self.covered)


def mean_weights(old: Array, new: Array) -> AxisWeights:
    """Return the weights of means over new voxels, both given by their edges (mm); beyond the old ones 0."""
    first = np.clip(np.searchsorted(old, new[:-1] + TOLERANCE_MM, side="right") - 1, 0, len(old) - 2)
    last = np.clip(np.searchsorted(old, new[1:] - TOLERANCE_MM, side="left") - 1, 0, len(old) - 2)
    rows, columns, parts = [], [], []
    for n, (a, b) in enumerate(zip(first, last, strict=True)):
        of_old = np.arange(a, b + 1)
        length = np.minimum(old[of_old + 1], new[n + 1]) - np.maximum(old[of_old], new[n])
        rows.append(np.full(len(of_old), n))
        columns.append(of_old)
        parts.append(np.maximum(length, 0.0) / (new[n + 1] - new[n]))
    covered = (new[:-1] >= old[0] - TOLERANCE_MM) & (new[1:] <= old[-1] + TOLERANCE_MM)
    return AxisWeights(_matrix(rows, columns, parts, (len(new) - 1, len(old) - 1)), covered)


def linear_weights(old: Array, new: Array) -> AxisWeights:
    """Return the weights of straight lines between centres of old voxels, at the centres of new ones.

    As everywhere here, a point in the outer half of an edge voxel takes the value of that voxel.
    """
    centres, at = (old[1:] + old[:-1]) / 2, (new[1:] + new[:-1]) / 2
    low = np.clip(np.searchsorted(centres, at, side="right") - 1, 0, max(len(centres) - 2, 0))
    high = np.minimum(low + 1, len(centres) - 1)
    step = np.where(high > low, centres[high] - centres[low], 1.0)
    part = np.where(high > low, np.clip((at - centres[low]) / step, 0.0, 1.0), 0.0)
    rows = np.arange(len(at))
    covered = (at >= old[0] - TOLERANCE_MM) & (at <= old[-1] + TOLERANCE_MM)
    weights = _matrix([rows, rows], [low, high], [1.0 - part, part], (len(at), len(centres)))
    return AxisWeights(weights, covered)


def finer_or_mean_weights(old: Array, new: Array) -> AxisWeights:
    """Return the weights of means where the old voxels are finer than the new ones, else those of straight lines."""
    finer = np.median(np.diff(old)) < (1.0 - 1e-6) * np.median(np.diff(new))
    return mean_weights(old, new) if finer else linear_weights(old, new)


def regridded(values: NDArray[np.generic], weights: tuple[AxisWeights, AxisWeights, AxisWeights]) -> Array:
    """Return values [z, y, x] on new voxels, by the weights along x, y and z; slice by slice, to save memory."""
    x, y, z = (one.matrix for one in weights)
    moved = np.empty((z.shape[0], y.shape[0], x.shape[0]))
    for k in range(z.shape[0]):
        part = slice(z.indptr[k], z.indptr[k + 1])
        chosen = values[z.indices[part]].astype(np.float64)
        flat = np.tensordot(z.data[part], chosen, axes=1)
        moved[k] = (y @ flat) @ x.T
    return moved


def covered(weights: tuple[AxisWeights, AxisWeights, AxisWeights]) -> NDArray[np.bool_]:
    """Return which new voxels [z, y, x] the old ones cover."""
    x, y, z = (one.covered for one in weights)
    return z[:, None, None] & y[None, :, None] & x[None, None, :]


def along_patient_axes(
    edges_mm: Edges, direction: Array, *arrays: NDArray[np.generic]
) -> tuple[Edges, tuple[NDArray[np.generic], ...]]:
    """Return edges and arrays [z, y, x] along the axes of the patient, ascending; oblique axes are refused."""
    axes = [int(np.argmax(np.abs(direction[of_patient]))) for of_patient in range(3)]
    signs = [float(np.sign(direction[p, axes[p]])) for p in range(3)]
    straight = np.zeros((3, 3))
    straight[range(3), axes] = signs
    if sorted(axes) != [0, 1, 2] or np.abs(straight - direction).max() > STRAIGHT:
        raise refuse("The axes of the voxels are turned against those of the patient; resample them to straight ones",
                     given=np.round(direction, 4).tolist())  # fmt: skip
    edges = [edges_mm[a] if s > 0 else -edges_mm[a][::-1] for a, s in zip(axes, signs, strict=True)]
    order = [2 - axes[2 - n] for n in range(3)]
    flips = tuple(slice(None, None, int(signs[2 - n])) for n in range(3))
    turned = tuple(np.transpose(array, order)[flips] for array in arrays)
    return (edges[0], edges[1], edges[2]), turned


def _matrix(
    rows: list[NDArray[np.int_]], columns: list[NDArray[np.int_]], parts: list[Array], shape: tuple[int, int]
) -> csr_array:
    data = np.concatenate(parts)
    return csr_array((data, (np.concatenate(rows), np.concatenate(columns))), shape=shape)
