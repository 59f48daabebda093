"""Dose-volume histograms without the noise of a Monte Carlo dose, and the band in which they lie.

Noise spreads the doses of a structure, so a histogram is too flat: the near-maximum D2 lies too high and the
near-minimum D98 too low by up to two standard deviations of a voxel; the mean is right. The size of the noise in each
sample is known, so its distribution of doses is deconvolved, in classes of nearly equal noise (`deconvolve`).

Noise is that of `voxel_noise`: neighbours share it along the grid axes. Between voxel centres the dose is
interpolated, which averages noise; a sample's noise is the smaller for that.

The band comes from repetition: doses drawn from what was found are taken for the truth, noise is added, and all is done
again. The root of the mean square of the errors is one standard deviation; it holds scatter and bias. A fifth of the
correction is added in quadrature, since a sharp distribution comes out a little too wide. One particle gives dose to a
whole track, so the doses of a structure also rise and fall together, by more than neighbours tell; that part is given
by the caller (`compare.relative_bound`) and moves the whole curve.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.deconvolve import deconvolved, smearing_of
from dosewright.analysis.dvh import Dvh, Samples, bin_edges, histogram, samples_in
from dosewright.analysis.voxel_noise import VoxelNoise, correlated_normal
from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import sample
from dosewright.core.structures import Structure

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REPETITIONS = 12
CLASS_RATIO = 1.3  # from one class of noise to the next
MOST_PLACES = 240
PLACES_PER_SIGMA = 5.0
LEFT_OVER = 0.2  # of the correction, what is left of it in structures of many voxels (docs/measured/dvh_noise.md)
WIDE_SIGMAS = 2.0  # the half width of the band


@dataclass(frozen=True)
class NoisyDvh:
    """The histogram of a noisy dose, what it is without noise, and its errors in repetition.

    `repeated` holds pairs: a curve taken for the truth, and what was found of it. `together` is the relative standard
    deviation of what all doses of the structure share.
    """

    plain: Dvh
    without_noise: Dvh
    repeated: tuple[tuple[Dvh, Dvh], ...]
    together: float = 0.0

    @property
    def sigma_cm3_at(self) -> Floats:
        """Standard deviation of the volume without noise at each edge of `plain`."""
        errors = [found.volume_cm3_at - true.volume_cm3_at for true, found in self.repeated]
        left = LEFT_OVER * (self.plain.volume_cm3_at - self.without_noise.volume_cm3_at)
        edges, volume = self.plain.dose_Gy, self.without_noise.volume_cm3_at
        shared = np.interp(edges / (1 + self.together), edges, volume) - volume
        sigma: Floats = np.sqrt(np.mean(np.square(errors), axis=0) + left**2 + shared**2)
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
        value = of(self.without_noise)
        left, shared = LEFT_OVER * (of(self.plain) - value), of(_scaled(self.without_noise, 1 + self.together)) - value
        return value, float(np.sqrt(np.mean(np.square(errors)) + left**2 + shared**2))


def noisy_dvh(
    dose: Image, noise: VoxelNoise, structure: Structure, bin_Gy: float = 0.01, *, together: float = 0.0
) -> NoisyDvh:
    """Return the histogram of a structure with and without noise; `noise` is that of `dose`, on its grid.

    `together` is the relative standard deviation of the structure's mean dose from what neighbours do not tell: whole
    histories. Raises `InputError` as `structure_dvh` does.
    """
    samples = NoisySamples.of(dose, noise, structure)
    edges = bin_edges(float(samples.dose_Gy.min()), float(samples.dose_Gy.max()), bin_Gy)
    plain = samples.histogram(samples.dose_Gy, edges)
    classes = samples.classes()
    distributions = samples.deconvolved([samples.dose_Gy], classes)
    found = samples.without_noise(plain, samples.dose_Gy, classes, [one[:, 0] for one in distributions])
    random = np.random.default_rng(0)
    truths = [samples.drawn(classes, distributions, random) for _ in range(REPETITIONS)]
    noisy = [truth + samples.noise(random) for truth in truths]
    again = samples.deconvolved(noisy, classes)
    repeated = []
    for n, (truth, seen) in enumerate(zip(truths, noisy, strict=True)):
        curve = samples.histogram(seen, edges)
        refound = samples.without_noise(curve, seen, classes, [one[:, n] for one in again])
        repeated.append((samples.histogram(truth, edges), refound))
    return NoisyDvh(plain, found, tuple(repeated), together)


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
class NoisySamples:
    """Samples in a structure: dose and its noise (one standard deviation), Gy; what they stand for.

    `coarse` is the part of the dose grid they are interpolated from, with its noise per voxel.
    """

    dose_Gy: Floats
    sigma_Gy: Floats
    at: Samples
    coarse: Image
    correlation: tuple[float, float, float]

    @classmethod
    def of(cls, dose: Image, noise: VoxelNoise, structure: Structure) -> "NoisySamples":
        """Sample a structure."""
        at = samples_in(structure, dose.grid)
        part, coarse = _part_under(at.grid, dose.grid)
        values = sample(Image(coarse, np.asarray(dose.values[part], float)), at.points_mm)
        if not np.all(np.isfinite(values)):
            raise InputError(f"The dose inside {structure.name} holds values that are not numbers.")
        variance = sample(Image(coarse, np.square(noise.sigma_Gy[part])), at.points_mm)
        sigma = np.sqrt(variance * _averaged(at.points_mm, coarse, noise.correlation))
        return cls(values, sigma, at, Image(coarse, noise.sigma_Gy[part]), noise.correlation)

    def histogram(self, dose: Floats, edges: Floats) -> Dvh:
        """Return the histogram of any doses of these samples."""
        return histogram(dose, self.at.share, edges, self.at.grid)

    def noise(self, random: np.random.Generator) -> Floats:
        """Return a drawing of the noise of all samples, Gy."""
        normal = correlated_normal(self.coarse.grid.array_shape, self.correlation, random)
        return sample(Image(self.coarse.grid, self.coarse.values * normal), self.at.points_mm)

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

    def deconvolved(self, doses: list[Floats], classes: list[NoiseClass]) -> list[Floats]:
        """Return the distributions found in each class from some drawings of the doses, [place, drawing]."""
        return [
            deconvolved(np.stack([self._weight(one, dose) for dose in doses], axis=1), one.matrix) for one in classes
        ]

    def without_noise(self, plain: Dvh, dose: Floats, classes: list[NoiseClass], distributions: list[Floats]) -> Dvh:
        """Return a histogram of doses with the noise of each class taken out."""
        volume = plain.volume_cm3_at.copy()
        for one, found in zip(classes, distributions, strict=True):
            weight = self._weight(one, dose)
            gained = np.append(np.cumsum((found * weight.sum() - weight)[::-1])[::-1], 0.0)
            volume += np.interp(plain.dose_Gy, one.edges, gained, left=0.0, right=0.0) * self.at.grid.voxel_volume_cm3
        falling = np.minimum.accumulate(np.clip(volume, 0.0, plain.volume_cm3))
        falling[0] = plain.volume_cm3
        return Dvh(plain.dose_Gy, falling, plain.mean_Gy, plain.min_Gy, plain.max_Gy)

    def _weight(self, one: NoiseClass, dose: Floats) -> Floats:
        counted = np.bincount(one.bins(dose[one.chosen]), self.at.share[one.chosen], len(one.edges) - 1)
        return counted.astype(np.float64)

    def drawn(self, classes: list[NoiseClass], distributions: list[Floats], random: np.random.Generator) -> Floats:
        """Return doses that could be the truth."""
        truth = self.dose_Gy.copy()
        for one, distribution in zip(classes, distributions, strict=True):
            posterior = np.cumsum(one.matrix * distribution[:, 0], axis=1)
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


def _scaled(curve: Dvh, factor: float) -> Dvh:
    """Return the histogram of the doses times a factor."""
    doses = curve.dose_Gy * factor
    return Dvh(doses, curve.volume_cm3_at, curve.mean_Gy * factor, curve.min_Gy * factor, curve.max_Gy * factor)


def _part_under(fine: Grid, grid: Grid) -> tuple[tuple[slice, ...], Grid]:
    """Return the voxels that a fine grid lies on, with one more on each side, as slices [z, y, x] and as a grid."""
    ends = grid.to_index(fine.to_patient(np.array([[-0.5] * 3, [n - 0.5 for n in fine.shape]])))
    lower = np.maximum(np.round(ends[0] + 0.5).astype(int) - 1, 0)
    upper = np.minimum(np.round(ends[1] + 0.5).astype(int) + 1, grid.shape)
    slices = tuple(slice(int(a), int(b)) for a, b in zip(lower[::-1], upper[::-1], strict=True))
    return slices, grid.cropped(tuple(lower), tuple(upper))


def _averaged(points_mm: Floats, grid: Grid, correlation: tuple[float, float, float]) -> Floats:
    """Return the variance of interpolated noise over that of a voxel, at points."""
    between = np.modf(np.clip(grid.to_index(points_mm), 0.0, np.array(grid.shape) - 1.0))[0]
    along = (1 - between) ** 2 + between**2 + 2 * between * (1 - between) * np.array(correlation)
    product: Floats = np.prod(along, axis=1)
    return product
