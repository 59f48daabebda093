"""The statistical noise of a Monte Carlo dose: its size per voxel, how neighbours share it, and drawings of it.

A batch standard deviation from ten batches is itself uncertain by a quarter. Variance over dose changes slowly from
voxel to voxel (it is the dose that one particle leaves), so it is pooled over neighbours.

One particle crosses many voxels, so their noise is correlated, most of all along the beam. Noise is drawn as a process
in which each voxel takes a part of its neighbour's noise along each grid axis (autoregressive of first order, separable
in the axes); the three parts are measured from the dose itself. A beam oblique to the grid is described less well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.signal import lfilter

from dosewright.core.errors import refuse
from dosewright.core.grid import Grid, Image

Floats = NDArray[np.float64]

POOLED_VOXELS = 3  # along each axis
HIGH_PART = 0.3  # of the highest dose: above, there are particles enough to measure their correlation
MOST_CORRELATED = 0.95
NORMAL_QUARTILE = 0.6744897501960817  # the median of |z| of a standard normal z


@dataclass(frozen=True)
class VoxelNoise:
    """Noise of a dose: standard deviation in Gy [z, y, x], and its correlation between neighbours along x, y, z."""

    grid: Grid
    sigma_Gy: Floats
    correlation: tuple[float, float, float]

    def draw(self, random: np.random.Generator) -> Floats:
        """Return one drawing of the noise, Gy [z, y, x]."""
        return self.sigma_Gy * correlated_normal(self.grid.array_shape, self.correlation, random)


def voxel_noise(dose: Image, relative_uncertainty: Image, smooth: Image) -> VoxelNoise:
    """Return the noise of a dose (Gy) with relative uncertainties (one standard deviation; nan counts as none).

    `smooth` is a dose without noise on the same grid that differs from `dose` smoothly, the planning system's: the
    correlation is read from the second differences of dose minus `smooth`.
    """
    for image in (relative_uncertainty, smooth):
        if not image.grid.matches(dose.grid):
            raise refuse("Noise needs its images on one grid", given=image.grid.shape, allowed=dose.grid.shape)
    values = np.nan_to_num(np.asarray(dose.values, float))
    sigma = pooled_sigma(values, np.nan_to_num(np.asarray(relative_uncertainty.values, float)))
    residual = values - np.nan_to_num(np.asarray(smooth.values, float))
    return VoxelNoise(dose.grid, sigma, correlation_of(residual, sigma, values))


def pooled_sigma(dose: Floats, relative: Floats) -> Floats:
    """Return standard deviations in Gy, their variance over dose pooled over 3 x 3 x 3 voxels."""
    result: Floats = np.sqrt(np.maximum(variance_per_dose(dose, relative) * dose, 0.0))
    return result


def variance_per_dose(dose: Floats, relative: Floats) -> Floats:
    """Return the variance over the dose, Gy, pooled over 3 x 3 x 3 voxels; 0 where it is known nowhere near."""
    known = (dose > 0) & (relative > 0)
    per_dose = np.where(known, np.square(relative) * dose, 0.0)
    weight = uniform_filter(known.astype(float), POOLED_VOXELS, mode="constant")
    mean: Floats = np.divide(
        uniform_filter(per_dose, POOLED_VOXELS, mode="constant"), weight, out=np.zeros_like(dose), where=weight > 1e-9
    )
    return np.maximum(mean, 0.0)


def correlation_of(residual: Floats, sigma: Floats, dose: Floats) -> tuple[float, float, float]:
    """Return the correlation of neighbouring noise along x, y, z, from 0 to 0.95.

    With correlations r and r^2 of first and second neighbours the second difference of unit noise has the variance
    ``6 - 8 r + 2 r^2``; its median size is used, which steep places hardly move. Where the noise is too small to be
    seen beside a true difference, the correlation comes out too small.
    """
    found = [_along(residual, sigma, dose, axis) for axis in (2, 1, 0)]
    return found[0], found[1], found[2]


def _along(residual: Floats, sigma: Floats, dose: Floats, axis: int) -> float:
    if residual.shape[axis] < 3:
        return 0.0
    before, here, after = (_cut(residual.shape, axis, start) for start in (0, 1, 2))
    high = (dose >= HIGH_PART * dose.max()) & (sigma > 0)
    chosen = high[before] & high[here] & high[after]
    if not chosen.any():
        return 0.0
    second = (residual[before] - 2 * residual[here] + residual[after])[chosen] / sigma[here][chosen]
    variance = (float(np.median(np.abs(second))) / NORMAL_QUARTILE) ** 2
    return float(np.clip(2.0 - np.sqrt(1.0 + variance / 2.0), 0.0, MOST_CORRELATED))


def _cut(shape: Sequence[int], axis: int, start: int) -> tuple[slice, ...]:
    where = [slice(None)] * len(shape)
    where[axis] = slice(start, shape[axis] - 2 + start)
    return tuple(where)


def correlated_normal(shape: tuple[int, int, int], correlation: Sequence[float], random: np.random.Generator) -> Floats:
    """Return normal numbers of mean 0 and variance 1, [z, y, x], correlated along x, y, z."""
    values: Floats = random.standard_normal(shape)
    for axis, part in zip((2, 1, 0), correlation, strict=True):
        if part > 0:
            line = np.moveaxis(values, axis, 0)
            innovation = np.concatenate([line[:1], line[1:] * np.sqrt(1.0 - part**2)])
            values = np.moveaxis(lfilter([1.0], [1.0, -part], innovation, axis=0), 0, axis)
    return values
