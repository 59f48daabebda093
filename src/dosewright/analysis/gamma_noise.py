"""The pass rate that gamma would have without the noise of a Monte Carlo dose, with its uncertainty.

A voxel of the Monte Carlo dose passes exactly when its dose lies in an interval that the other dose alone sets
(`gamma.passing_doses`). Where a dose lies in its interval, from -1 to 1, is observed with known noise; the distribution
without noise is found from that of all voxels (`deconvolve`), and its part from -1 to 1 is the corrected rate.

For the other direction, in which the Monte Carlo dose is searched, a dose without noise is drawn: each voxel's place
is a quantile of what its observed place leaves possible, the quantile changing slowly from voxel to voxel. That dose is
searched in place of the noisy one. It is rougher than the true one, so small failures are found too rarely: this is an
estimate with a wide uncertainty.

The uncertainty is found by repetition: doses drawn that way are taken for the truth, noise is added, and the corrected
rate is formed again. The root of the mean square of its error holds both scatter and bias, as far as the noise model is
true (`voxel_noise`). A part of the correction is added in quadrature: what the method was seen to leave over.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from dosewright.analysis.deconvolve import Sorted, all_deconvolved, drawn, shares_inside
from dosewright.analysis.gamma import GammaCriteria, gamma, pass_rate, passing_doses
from dosewright.analysis.voxel_noise import VoxelNoise, correlated_normal
from dosewright.core.grid import Image

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

REPETITIONS = 12
REPETITIONS_SEARCHED = 4  # each costs a search of its own
MOST_NOISE = 0.7  # of half the interval, median of the judged voxels: beyond, the method is known to fail
FEWEST_VOXELS = 100  # judged: too few make no distribution; 512 were measured (docs/measured/gamma_noise.md)
LEFT_OVER = 0.15  # of the correction, measured (docs/measured/gamma_noise.md)
LEFT_OVER_SEARCHED = 1.5
EVEN = (0.9, 0.9, 0.9)  # correlation of neighbouring quantiles: a dose without noise is smooth
FAINT_PART = 0.5  # of the threshold: below, a searched dose is left as it is


@dataclass(frozen=True)
class NoiselessRate:
    """A pass rate without noise and its uncertainty (one sigma), percent."""

    percent: float
    uncertainty: float


def noiseless_rates(
    monte_carlo: Image, other: Image, criteria: GammaCriteria, noise: VoxelNoise, regions: Mapping[str, Bools]
) -> dict[str, NoiselessRate | None]:
    """Return the corrected rate of each region (bool [z, y, x]) where each Monte Carlo voxel is looked at.

    None where fewer than `FEWEST_VOXELS` are judged, or where the noise is too large. The judged voxels are those of
    the noisy dose.
    """
    seen = Seen.of(monte_carlo, other, criteria, noise)
    inside = {name: where.ravel()[seen.flat] for name, where in regions.items()}
    parts = {name: seen.part(where) for name, where in inside.items() if where.sum() >= FEWEST_VOXELS}
    parts = {name: part for name, part in parts.items() if part.typical_noise <= MOST_NOISE}
    found: dict[str, NoiselessRate | None] = dict.fromkeys(regions)
    if not parts:
        return found
    counts = np.stack([part.sorted.counts() for part in parts.values()])
    smearings = seen.sorted.smearings(seen.s)
    distributions = all_deconvolved(counts, smearings)
    shares = shares_inside(counts, distributions)
    random = np.random.default_rng(0)
    truths, repeated = [], []
    for _ in range(REPETITIONS):
        added = noise.draw(random).ravel()
        for part, distribution in zip(parts.values(), distributions, strict=True):
            x = drawn(part.y, part.sorted, distribution, smearings, random.random(len(part.y)))
            truths.append(float(np.mean(np.abs(x) <= 1.0)))
            repeated.append(Sorted.of(x + added[part.flat] / part.half_Gy, part.s).counts())
    again = np.stack(repeated)
    errors = (shares_inside(again, all_deconvolved(again, smearings)) - np.array(truths)).reshape(
        REPETITIONS, len(parts)
    )
    for name, share, error in zip(parts, shares, errors.T, strict=True):
        left = LEFT_OVER * (float(share) - parts[name].passing)
        found[name] = NoiselessRate(100.0 * float(share), 100.0 * float(np.hypot(np.sqrt(np.mean(error**2)), left)))
    return found


def noiseless_rate_searched(
    monte_carlo: Image, other: Image, judged: Image, criteria: GammaCriteria, noise: VoxelNoise
) -> NoiselessRate | None:
    """Return the corrected rate where voxels of the other dose are looked at and the Monte Carlo dose is searched.

    `judged` is the other dose with nan where nothing is to be judged. None as for `noiseless_rates`.
    """
    normal_Gy = criteria.reference_dose_Gy or float(np.nanmax(judged.values, initial=0.0))
    lower_Gy = FAINT_PART * criteria.threshold_in_Gy(normal_Gy)
    faint = replace(criteria, threshold_percent=None, threshold_Gy=lower_Gy, reference_dose_Gy=normal_Gy)
    seen = Seen.of(monte_carlo, other, faint, noise)
    if len(seen.flat) < FEWEST_VOXELS or seen.typical_noise > MOST_NOISE:
        return None
    random = np.random.default_rng(0)
    values = np.asarray(monte_carlo.values, float)

    def even(random: np.random.Generator) -> Floats:
        quantile: Floats = ndtr(correlated_normal(monte_carlo.grid.array_shape, EVEN, random)).ravel()[seen.flat]
        return quantile

    def rate(x: Floats) -> float:
        dose = values.ravel().copy()
        reached = np.isfinite(x)
        dose[seen.flat[reached]] = (seen.centre_Gy + seen.half_Gy * x)[reached]
        searched = Image(monte_carlo.grid, dose.reshape(values.shape))
        return pass_rate(gamma(judged, searched, replace(criteria, reference_dose_Gy=normal_Gy)))[0]

    x = seen.drawn(seen.y, even(random))
    percent_without, plain = rate(x), rate(seen.y)
    if np.isnan(percent_without):
        return None
    errors = []
    for _ in range(REPETITIONS_SEARCHED):
        y = x + noise.draw(random).ravel()[seen.flat] / seen.half_Gy
        errors.append(rate(seen.drawn(y, even(random))) - percent_without)
    left = LEFT_OVER_SEARCHED * (percent_without - plain)
    return NoiselessRate(percent_without, float(np.hypot(np.sqrt(np.mean(np.square(errors))), left)))


@dataclass(frozen=True)
class Seen:
    """Judged voxels (flat indices) with the middles and half widths of their intervals, and where the doses lie there.

    `y` is the place of the dose, -1 to 1 inside, infinite where nothing passes; `s` its noise.
    """

    flat: NDArray[np.int64]
    centre_Gy: Floats
    half_Gy: Floats
    y: Floats
    s: Floats
    sorted: Sorted

    @classmethod
    def of(cls, monte_carlo: Image, other: Image, criteria: GammaCriteria, noise: VoxelNoise) -> "Seen":
        """Find the intervals and where the doses lie in them."""
        points, lowest, highest = passing_doses(monte_carlo, other, criteria)
        reached = highest > lowest
        centre = np.where(reached, (np.where(reached, lowest, 0.0) + np.where(reached, highest, 0.0)) / 2, 0.0)
        half = np.where(reached, np.where(reached, highest - centre, 1.0), 1.0)
        y = np.where(reached, (points.dose_Gy - centre) / half, np.inf)
        s = np.where(reached, noise.sigma_Gy.ravel()[points.flat] / half, 0.0)
        return cls(points.flat, centre, half, y, s, Sorted.of(y, s))

    @property
    def typical_noise(self) -> float:
        """Median noise, in half intervals."""
        return float(np.median(self.s))

    @property
    def passing(self) -> float:
        """The plain rate, a part of one."""
        return float(np.mean(np.abs(self.y) <= 1.0))

    def part(self, where: Bools) -> "Seen":
        """Return some of the voxels."""
        return Seen(
            self.flat[where],
            self.centre_Gy[where],
            self.half_Gy[where],
            self.y[where],
            self.s[where],
            self.sorted.part(where),
        )

    def drawn(self, y: Floats, quantile: Floats) -> Floats:
        """Return places without noise that could be the truth behind places y, at quantiles of what is possible."""
        of_y = Sorted.of(y, self.s)
        smearings = of_y.smearings(self.s)
        return drawn(y, of_y, all_deconvolved(of_y.counts()[None], smearings)[0], smearings, quantile)
