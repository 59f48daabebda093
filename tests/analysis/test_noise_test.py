"""Verdicts on differences: how often right, with independent and with correlated noise."""

import numpy as np
import pytest

from dosewright.analysis.noise_test import noise_test, pooled_error
from dosewright.analysis.voxel_noise import correlated_normal

Z, Y, X = np.meshgrid(np.arange(24), np.arange(20), np.arange(20), indexing="ij")
DOSE = np.exp(-((X - 10) ** 2 + (Y - 10) ** 2) / 60) * np.exp(-Z / 30)
SIGMA = 0.02 * np.sqrt(DOSE)
JUDGED = DOSE > 0.1
DRAWINGS = 40


def verdicts(scale: float, correlation: tuple[float, float, float], told: float = 1.0) -> list[str]:
    """Return the verdicts of drawings whose errors are said to be `told` times as large as they are."""
    random = np.random.default_rng(4)
    found = []
    for _ in range(DRAWINGS):
        first, second = (SIGMA * correlated_normal(DOSE.shape, correlation, random) for _ in range(2))
        sigma = told * SIGMA * np.sqrt(2.0)
        found.append(noise_test(DOSE + first, scale * DOSE + second, sigma, JUDGED).verdict)
    return found


@pytest.mark.parametrize("correlation", [(0.0, 0.0, 0.0), (0.3, 0.3, 0.8)])
def test_doses_that_agree_are_seldom_refused(correlation: tuple[float, float, float]) -> None:
    # Two figures beyond three sigmas: 0.5 % by theory; 3 of 40 happen once in a thousand.
    assert verdicts(1.0, correlation).count("agree") >= DRAWINGS - 2


@pytest.mark.parametrize(("scale", "correlation", "least"), [(1.005, (0.0, 0.0, 0.0), 39), (1.03, (0.3, 0.3, 0.8), 39)])
def test_a_difference_of_the_whole_dose_is_found(
    scale: float, correlation: tuple[float, float, float], least: int
) -> None:
    # No voxel shows it: its own error is 2 % and more.
    assert verdicts(scale, correlation).count("differ") >= least


def test_errors_that_are_too_small_or_too_large_are_found() -> None:
    assert verdicts(1.0, (0.0, 0.0, 0.5), told=0.8).count("differ") == DRAWINGS
    assert verdicts(1.0, (0.0, 0.0, 0.5), told=1.25).count("too_close") == DRAWINGS


def test_figures_of_chi_square_and_ratio() -> None:
    random = np.random.default_rng(2)
    found = [
        noise_test(DOSE + SIGMA * random.standard_normal(DOSE.shape), DOSE, SIGMA, JUDGED) for _ in range(DRAWINGS)
    ]
    pulls = np.array(
        [((one.chi_square - 1) / one.chi_square_sigma, (one.ratio - 1) / one.ratio_sigma) for one in found]
    )
    assert np.abs(pulls.mean(axis=0)).max() < 3.0 / np.sqrt(DRAWINGS)
    assert pulls.std(axis=0) == pytest.approx(1.0, abs=0.35)  # 3 sigmas of a standard deviation of 40


def test_nothing_to_tell() -> None:
    assert noise_test(DOSE, DOSE, SIGMA, JUDGED).verdict == "identical"
    assert noise_test(DOSE, DOSE, np.zeros_like(SIGMA), JUDGED).verdict == "unknown"
    assert noise_test(DOSE, DOSE, SIGMA, DOSE > 0.999).verdict == "unknown"


@pytest.mark.parametrize("events", [8.0, 30.0])
def test_few_events_in_a_voxel_do_not_make_chi_square_large(events: float) -> None:
    # An error from the voxel's own dose would give 1 + 3 / events and more: 1.5 for 8.
    random = np.random.default_rng(3)
    found = []
    for _ in range(10):
        counts = random.poisson(events * DOSE / 0.1).astype(float)
        noisy = counts * 0.1 / events
        relative = np.divide(1.0, np.sqrt(counts), out=np.ones_like(counts), where=counts > 0)
        for doses, errors in (((DOSE, noisy), (None, relative)), ((noisy, DOSE), (relative, None))):
            found.append(noise_test(*doses, pooled_error(doses, errors), JUDGED & (DOSE > 0.1)))
    assert np.mean([one.chi_square for one in found]) == pytest.approx(1.0, abs=0.05)
    assert [one.verdict for one in found].count("agree") >= 18
