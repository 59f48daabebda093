"""Is the difference of two doses what their statistical uncertainties make of one dose?

In each voxel the difference over its standard error, z, has mean 0 and variance 1 if both are estimates of one dose.
Two figures are tested: chi-square per voxel, the mean of z^2, against 1; and the ratio of the sums of both doses, which
finds a difference of a few tenths of a percent that no single voxel shows, against 1.

Neighbouring voxels share particles, so they are no independent witnesses. With the correlation r of neighbours along an
axis (autoregressive of first order, `voxel_noise`) the mean of n values varies as that of n (1 - r)/(1 + r) would, the
mean of n squares as that of n (1 - r^2)/(1 + r^2).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.voxel_noise import correlation_of, variance_per_dose

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Verdict = Literal["agree", "identical", "differ", "too_close", "unknown"]

LIMIT_SIGMAS = 3.0  # each of two figures beyond it by chance once in 370 comparisons
FEWEST_VOXELS = 20
MEDIAN_CHI_SQUARE = 0.4549364231195724  # of one degree of freedom


@dataclass(frozen=True)
class NoiseTest:
    """What was tested, and the verdict.

    Parameters
    ----------
    verdict
        ``agree``: both figures are within three sigmas; ``identical``: there is no difference at all; ``differ``: a
        figure is beyond; ``too_close``: chi-square is too small, the doses are not independent or their uncertainties
        too large; ``unknown``: too few voxels.
    voxels, effective_voxels
        Voxels with known uncertainties, and how many independent ones their squares are worth.
    chi_square, chi_square_sigma
        Per voxel, and its standard deviation where the doses agree.
    ratio, ratio_sigma
        Sum of the evaluated over that of the reference dose, and its standard deviation.
    correlation
        Of the noise of neighbours along x, y, z.
    """

    verdict: Verdict
    voxels: int
    effective_voxels: float
    chi_square: float
    chi_square_sigma: float
    ratio: float
    ratio_sigma: float
    correlation: tuple[float, float, float]


def pooled_error(doses: tuple[Floats, Floats], relative: tuple[Floats | None, Floats | None]) -> Floats:
    """Return the standard error of the difference of two doses in even voxels, pooled over neighbours.

    The variance over the dose is pooled, and belongs to the mean of both doses, weighted as each deserves: with its own
    dose a voxel that is low by chance would have a small error too, and chi-square would come out too large. A dose
    without relative errors (None) is exact.
    """
    per_dose = [
        np.zeros_like(dose) if of is None else variance_per_dose(dose, of)
        for dose, of in zip(doses, relative, strict=True)
    ]
    total = per_dose[0] + per_dose[1]
    mean = np.divide(doses[0] * per_dose[1] + doses[1] * per_dose[0], total, out=np.zeros_like(total), where=total > 0)
    return np.sqrt(np.maximum(total * mean, 0.0))


def noise_test(reference: Floats, evaluated: Floats, sigma: Floats, judged: Bools) -> NoiseTest:
    """Test two doses, [z, y, x], over the judged voxels; `sigma` is the standard error of their difference."""
    known = judged & (sigma > 0)
    count = int(known.sum())
    if count < FEWEST_VOXELS:
        nothing = float("nan")
        return NoiseTest("unknown", count, 0.0, nothing, nothing, nothing, nothing, (0.0, 0.0, 0.0))
    apart = evaluated - reference
    z = apart[known] / sigma[known]
    if not z.any():
        return NoiseTest("identical", count, float(count), 0.0, float(np.sqrt(2.0 / count)), 1.0, 0.0, (0.0, 0.0, 0.0))
    # Where doses are closer than their errors, the size of the difference itself is what correlation is measured by.
    size = min(1.0, float(np.sqrt(np.median(np.square(z)) / MEDIAN_CHI_SQUARE)))
    own = np.where(known, (size or 1.0) * sigma, 0.0)
    correlation = correlation_of(apart, own, np.where(known, reference, 0.0))
    of_means = float(np.prod([(1.0 - r) / (1.0 + r) for r in correlation]))
    of_squares = float(np.prod([(1.0 - r**2) / (1.0 + r**2) for r in correlation]))
    effective = max(count * of_squares, 1.0)
    chi_square = float(np.mean(np.square(z)))
    chi_sigma = float(np.sqrt(2.0 / effective))
    total = float(reference[known].sum())
    ratio = float(evaluated[known].sum()) / total
    ratio_sigma = float(np.sqrt(np.square(sigma[known]).sum() / of_means)) / total
    verdict: Verdict = "agree"
    if chi_square - 1.0 > LIMIT_SIGMAS * chi_sigma or abs(ratio - 1.0) > LIMIT_SIGMAS * ratio_sigma:
        verdict = "differ"
    elif 1.0 - chi_square > LIMIT_SIGMAS * chi_sigma:
        verdict = "too_close"
    return NoiseTest(verdict, count, effective, chi_square, chi_sigma, ratio, ratio_sigma, correlation)
