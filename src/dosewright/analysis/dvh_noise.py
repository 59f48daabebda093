"""Dose-volume histograms without the noise of a Monte Carlo dose, and the band in which they lie.

Noise spreads the doses of a structure, so a histogram is too flat: the near-maximum D2 lies too high and the
near-minimum D98 too low by up to two standard deviations of a voxel; the mean is right. The size of the noise in each
sample is known, so its distribution of doses is deconvolved, in classes of nearly equal noise (`deconvolve`).

Noise is that of `voxel_noise`: neighbours share it along the grid axes. Between voxel centres the dose is
interpolated, which averages noise; a sample's noise is the smaller for that.

The band comes from repetition: doses drawn from what was found are taken for the truth, noise is added, and all is done
again. The root of the mean square of the errors is one standard deviation; it holds scatter and bias.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.deconvolve import CLASS_RATIO, deconvolved, smearing_of
from dosewright.analysis.dvh import Dvh, bin_edges, finer_grid, histogram
from dosewright.analysis.voxel_noise import VoxelNoise, correlated_normal
from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import resample
from dosewright.core.mask import volume_fraction
from dosewright.core.structures import Structure

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REPETITIONS = 12
MOST_PLACES = 400
PLACES_PER_SIGMA = 6.0
REACH = 4.0  # standard deviations beyond which noise does not reach
WIDE_SIGMAS = 2.0  # the half width of the band


@dataclass(frozen=True)
class NoisyDvh:
    """The histogram of a noisy dose, what it is without noise, and its errors in repetition.

    `repeated` holds pairs: a curve taken for the truth, and what was found of it.
    """

    plain: Dvh
    without_noise: Dvh
    repeated: tuple[tuple[Dvh, Dvh], ...]

    @property
    def sigma_cm3_at(self) -> Floats:
        """Standard deviation of the volume without noise at each edge of `plain`."""
        errors = [found.volume_cm3_at - true.volume_cm3_at for true, found in self.repeated]
        sigma: Floats = np.sqrt(np.mean(np.square(errors), axis=0))
        return sigma

    @property
    def band_cm3(self) -> tuple[Floats, Floats]:
        """Lower and upper volume at each edge: the curve without noise, two standard deviations either way."""
        middle, reach = self.without_noise.volume_cm3_at, WIDE_SIGMAS * self.sigma_cm3_at
        whole = self.plain.volume_cm3
        return np.clip(middle - reach, 0.0, whole), np.clip(middle + reach, 0.0, whole)

    def figure(self, of: Callable[[Dvh], float]) -> tuple[float, float]:
        """Return any figure of the curve without noise, such as ``lambda d: d.dose_at_volume(95)``, and its sigma."""
        errors = [of(found) - of(true) for true, found in self.repeated]
        return of(self.without_noise), float(np.sqrt(np.mean(np.square(errors))))


def noisy_dvh(dose: Image, noise: VoxelNoise, structure: Structure, bin_Gy: float = 0.01) -> NoisyDvh:
    """Return the histogram of a structure with and without noise; `noise` is that of `dose`, on its grid.

    Raises `InputError` as `structure_dvh` does.
    """
    samples = Samples.of(dose, noise, structure)
    edges = bin_edges(float(samples.dose_Gy.min()), float(samples.dose_Gy.max()), bin_Gy)
    plain = histogram(samples.dose_Gy, samples.share, edges, samples.fine)
    classes = samples.classes()
    found, distributions = samples.without_noise(samples.dose_Gy, edges, classes)
    random = np.random.default_rng(0)
    repeated = []
    for _ in range(REPETITIONS):
        truth = samples.drawn(classes, distributions, random)
        again, _ = samples.without_noise(truth + samples.noise(random), edges, classes)
        repeated.append((histogram(truth, samples.share, edges, samples.fine), again))
    return NoisyDvh(plain, found, tuple(repeated))


@dataclass(frozen=True)
class NoiseClass:
    """Samples of nearly equal noise (their indices), and the bins their doses are counted in."""

    chosen: Integers
    edges: Floats
    matrix: Floats

    def bins(self, dose: Floats) -> Integers:
        """Return the bins of the doses of these samples."""
        at = np.floor((dose - self.edges[0]) / (self.edges[1] - self.edges[0]))
        bins: Integers = np.clip(at, 0, len(self.edges) - 2).astype(np.int64)
        return bins


@dataclass(frozen=True)
class Samples:
    """Samples in a structure: dose and its noise (one standard deviation, Gy), share of the fine voxel.

    `coarse` is the part of the dose grid they are interpolated from, with its noise per voxel.
    """

    dose_Gy: Floats
    sigma_Gy: Floats
    share: Floats
    touched: NDArray[np.bool_]
    fine: Grid
    coarse: Image
    correlation: tuple[float, float, float]

    @classmethod
    def of(cls, dose: Image, noise: VoxelNoise, structure: Structure) -> "Samples":
        """Sample a structure."""
        fine = finer_grid(structure, dose.grid)
        fraction = volume_fraction(structure, fine)
        touched = fraction > 0
        if not touched.any():
            raise InputError(f"{structure.name} has no volume on the dose grid, so it has no dose-volume histogram.")
        part, coarse = _part_under(fine, dose.grid)
        variance = resample(Image(coarse, np.square(noise.sigma_Gy[part])), fine).values
        averaged = _averaged(fine, coarse, noise.correlation)
        values = resample(Image(coarse, np.asarray(dose.values[part], float)), fine).values[touched]
        if not np.all(np.isfinite(values)):
            raise InputError("The dose inside the structure holds values that are not numbers.")
        return cls(
            values,
            np.sqrt(variance * averaged)[touched],
            fraction[touched].astype(float),
            touched,
            fine,
            Image(coarse, noise.sigma_Gy[part]),
            noise.correlation,
        )

    def noise(self, random: np.random.Generator) -> Floats:
        """Return a drawing of the noise of all samples, Gy."""
        normal = correlated_normal(self.coarse.grid.array_shape, self.correlation, random)
        drawn: Floats = resample(Image(self.coarse.grid, self.coarse.values * normal), self.fine).values[self.touched]
        return drawn

    def classes(self) -> list[NoiseClass]:
        """Sort the samples by their noise; those with too little to be seen in the range of doses are left out."""
        span = float(np.ptp(self.dose_Gy))
        seen = np.flatnonzero(self.sigma_Gy > max(0.5 * span / MOST_PLACES, 1e-9))
        if not len(seen):
            return []
        number = np.floor(np.log(self.sigma_Gy[seen]) / np.log(CLASS_RATIO)).astype(int)
        found = []
        for value in np.unique(number):
            chosen = seen[number == value]
            sigma = float(np.sqrt(np.mean(np.square(self.sigma_Gy[chosen]))))
            low, high = self.dose_Gy[chosen].min() - sigma, self.dose_Gy[chosen].max() + sigma
            places = int(np.clip(np.ceil((high - low) * PLACES_PER_SIGMA / sigma), 8, MOST_PLACES))
            edges = np.linspace(low, high, places + 1)
            found.append(NoiseClass(chosen, edges, smearing_of(edges, sigma)))
        return found

    def without_noise(self, dose: Floats, edges: Floats, classes: list[NoiseClass]) -> tuple[Dvh, list[Floats]]:
        """Return the histogram of doses without their noise, and the distribution found in each class."""
        plain = histogram(dose, self.share, edges, self.fine)
        volume, distributions = plain.volume_cm3_at.copy(), []
        for one in classes:
            weight = np.bincount(one.bins(dose[one.chosen]), self.share[one.chosen], len(one.edges) - 1)
            found = deconvolved(weight[:, None], one.matrix)[:, 0]
            distributions.append(found)
            gained = np.append(np.cumsum((found * weight.sum() - weight)[::-1])[::-1], 0.0)
            volume += np.interp(edges, one.edges, gained, left=0.0, right=0.0) * self.fine.voxel_volume_cm3
        falling = np.minimum.accumulate(np.clip(volume, 0.0, plain.volume_cm3))
        falling[0] = plain.volume_cm3
        return Dvh(edges, falling, plain.mean_Gy, plain.min_Gy, plain.max_Gy), distributions

    def drawn(self, classes: list[NoiseClass], distributions: list[Floats], random: np.random.Generator) -> Floats:
        """Return doses that could be the truth."""
        truth = self.dose_Gy.copy()
        for one, distribution in zip(classes, distributions, strict=True):
            posterior = np.cumsum(one.matrix * distribution, axis=1)
            bins = one.bins(self.dose_Gy[one.chosen])
            at = random.random(len(bins)) * posterior[bins, -1]
            place = np.empty(len(bins), np.int64)
            for value in np.unique(bins):
                same = bins == value
                place[same] = np.searchsorted(posterior[value], at[same])
            width = one.edges[1] - one.edges[0]
            place = np.minimum(place, len(one.edges) - 2)
            truth[one.chosen] = one.edges[place] + width * random.random(len(bins))
        return truth


def _part_under(fine: Grid, grid: Grid) -> tuple[tuple[slice, ...], Grid]:
    """Return the voxels that a fine grid lies on, with one more on each side, as slices [z, y, x] and as a grid."""
    ends = grid.to_index(fine.to_patient(np.array([[-0.5] * 3, [n - 0.5 for n in fine.shape]])))
    lower = np.maximum(np.round(ends[0] + 0.5).astype(int) - 1, 0)
    upper = np.minimum(np.round(ends[1] + 0.5).astype(int) + 1, grid.shape)
    slices = tuple(slice(int(a), int(b)) for a, b in zip(lower[::-1], upper[::-1], strict=True))
    return slices, grid.cropped(tuple(lower), tuple(upper))


def _averaged(fine: Grid, coarse: Grid, correlation: tuple[float, float, float]) -> Floats:
    """Return the variance of interpolated noise over that of a voxel, [z, y, x] or broadcast to it."""
    along = []
    for axis, part in enumerate(correlation):
        count = round(coarse.spacing_mm[axis] / fine.spacing_mm[axis])
        between = np.abs((np.arange(fine.shape[axis]) % count + 0.5) / count - 0.5)
        along.append((1 - between) ** 2 + between**2 + 2 * between * (1 - between) * part)
    product: Floats = along[2][:, None, None] * along[1][None, :, None] * along[0][None, None, :]
    return product
