"""Uncertainties from batches against the spread of repeated runs."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dosewright.scoring.statistics import BatchSums, mean_uncertainty_percent

Array = NDArray[np.float64]

EQUAL = np.full(20, 100)
CUT = np.array([100] * 19 + [35])
UNEVEN = np.array([300, 10, 80, 500, 20, 100, 40, 5, 250, 60])


def _sums(batches: Array, sizes: Array) -> BatchSums:
    sums = BatchSums.empty(batches.shape[1])
    for batch, size in zip(batches, sizes, strict=True):
        sums.add(batch.copy(), int(size))
    return sums


@pytest.mark.parametrize("sizes", [EQUAL, CUT, UNEVEN], ids=["equal", "last cut", "uneven"])
def test_the_predicted_uncertainty_is_the_spread_of_repeated_runs(sizes: Array) -> None:
    """Repeated runs of histories that hit a voxel seldom and leave exponential energies.

    The mean of the predicted variances and the observed variance must agree within four standard errors (both are
    chi-square like; 1 % each for this many runs and voxels).
    """
    rng = np.random.default_rng(5)
    runs, voxels, per_history = 400, 60, 0.3
    hits = rng.poisson(per_history * sizes[None, :, None], (runs, sizes.size, voxels))
    batches = rng.gamma(np.maximum(hits, 1e-300), 2.0) * (hits > 0)
    means, variances = np.zeros((runs, voxels)), np.zeros((runs, voxels))
    for r in range(runs):
        sums = _sums(batches[r], sizes)
        means[r] = sums.mean()
        variances[r] = (sums.relative_uncertainty() * means[r]) ** 2
    observed = means.var(axis=0, ddof=1)
    freedom = runs * voxels
    bound = 4 * np.sqrt(2 / freedom + 2 / (freedom * (sizes.size - 1) / 2))
    assert bound < 0.05
    assert variances.mean() / observed.mean() == pytest.approx(1.0, abs=bound)
    # A compound Poisson process: variance per history = rate x <e^2> = 0.3 x 2 x 2^2.
    assert variances.mean() == pytest.approx(per_history * 8.0 / sizes.sum(), rel=bound)
    assert means.mean() == pytest.approx(per_history * 2.0, rel=0.01)


def test_equal_batches_give_the_textbook_standard_error() -> None:
    batches = np.random.default_rng(1).gamma(3.0, 1.0, (12, 7))
    sums = _sums(batches, np.full(12, 50))
    per_history = batches / 50
    error = per_history.std(axis=0, ddof=1) / np.sqrt(12)
    np.testing.assert_allclose(sums.mean(), per_history.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(sums.relative_uncertainty(), error / per_history.mean(axis=0), rtol=1e-9)


def test_unequal_batches_by_hand() -> None:
    """Batches of 1 and 3 histories with sums 2 and 18: mean 5, variance (4/1 + 324/3 - 400/4)/(1 x 4) = 3."""
    sums = _sums(np.array([[2.0], [18.0]]), np.array([1, 3]))
    assert (sums.histories, sums.batches) == (4, 2)
    assert sums.mean() == pytest.approx([5.0])
    assert sums.relative_uncertainty() == pytest.approx([np.sqrt(3.0) / 5.0])


def test_what_is_not_known_is_one() -> None:
    sums = BatchSums.empty(2)
    np.testing.assert_array_equal(sums.mean(), [0.0, 0.0])
    np.testing.assert_array_equal(sums.relative_uncertainty(), [1.0, 1.0])
    sums.add(np.array([3.0, 0.0]), 10)
    np.testing.assert_array_equal(sums.relative_uncertainty(), [1.0, 1.0])
    sums.add(np.array([3.0, 0.0]), 10)
    np.testing.assert_array_equal(sums.relative_uncertainty(), [0.0, 1.0])


def test_a_voxel_hit_by_one_batch_alone_is_wholly_uncertain() -> None:
    batches = np.zeros((25, 1))
    batches[7] = 4.0
    assert _sums(batches, np.full(25, 10)).relative_uncertainty() == pytest.approx([1.0])


def test_rounding_never_makes_a_variance_negative() -> None:
    sums = _sums(np.full((50, 4), 0.1), np.full(50, 3))
    relative = sums.relative_uncertainty()
    assert np.all(np.isfinite(relative))
    assert np.all((relative >= 0) & (relative < 1e-6))


def _direct(dose: Array, relative: Array, density: Array) -> float:
    """IDEAL's mean uncertainty, voxel by voxel."""
    solid = [(d, r) for d, r, rho in zip(dose.flat, relative.flat, density.flat, strict=True) if rho >= 0.1]
    highest = sorted((d for d, _ in solid), reverse=True)[:100]
    threshold = 0.5 * sum(highest) / len(highest)
    chosen = [r for d, r in solid if d > threshold]
    return 100 * sum(chosen) / len(chosen)


@pytest.mark.parametrize("shape", [(20, 10, 5), (3, 4, 5)])
def test_the_mean_uncertainty_is_ideal_s(shape: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(2)
    dose, relative = rng.gamma(2.0, 1.0, shape), rng.uniform(0.01, 0.2, shape)
    density = rng.choice([0.0012, 0.26, 1.0], shape)
    got = mean_uncertainty_percent(dose, relative, density)
    assert got == pytest.approx(_direct(dose, relative, density), rel=1e-12)


def test_air_does_not_count() -> None:
    dose = np.array([1.0, 1.0, 50.0])
    relative = np.array([0.02, 0.04, 1.0])
    assert mean_uncertainty_percent(dose, relative, np.array([1.0, 0.3, 0.0012])) == pytest.approx(3.0)
    assert mean_uncertainty_percent(dose, relative, np.array([1.0, 0.3, 0.1])) == pytest.approx(100.0)


def test_half_of_the_mean_of_the_hundred_highest_is_the_threshold() -> None:
    dose = np.concatenate([np.full(100, 10.0), np.full(100, 5.0), np.full(100, 5.001), np.full(100, 0.1)])
    relative = np.concatenate([np.full(100, 0.01), np.full(100, 0.5), np.full(100, 0.03), np.full(100, 0.9)])
    assert mean_uncertainty_percent(dose, relative, np.ones(400)) == pytest.approx(2.0)


def test_nothing_known_is_infinite() -> None:
    assert mean_uncertainty_percent(np.zeros(5), np.ones(5), np.ones(5)) == np.inf
    assert mean_uncertainty_percent(np.ones(5), np.ones(5), np.full(5, 0.001)) == np.inf


@pytest.mark.parametrize("share", [0.05, 0.4, 1.0])
def test_histories_that_sent_nothing_count_in_the_uncertainty(share: float) -> None:
    """Of 2000 histories a binomial number send particles; batches are of those alone, 1 to 60 in each.

    The predicted variance must be that of repeated runs, and what the formula for a sum of M terms says:
    (p s2 + p (1 - p) m2) / N with mean and variance of an exponential of mean 3 plus 2. Without the second term 72 %
    of it would be missing for p = 0.05, 62 % for 0.4.
    """
    rng = np.random.default_rng(9)
    runs, histories, mean, variance = 2000, 2000, 5.0, 9.0
    means, predicted = np.zeros(runs), np.zeros(runs)
    for run in range(runs):
        sent = histories if share == 1.0 else int(rng.binomial(histories, share))
        doses, sums, at = 2.0 + rng.exponential(3.0, sent), BatchSums.empty(1), 0
        while at < sent:
            size = min(int(rng.integers(1, 60)), sent - at)
            before, after = round(at * histories / sent), round((at + size) * histories / sent)
            sums.add(np.array([doses[at : at + size].sum()]), after - before, size)
            at += size
        assert (sums.histories, sums.sent) == (histories, sent)
        means[run] = sums.mean()[0]
        predicted[run] = (sums.relative_uncertainty()[0] * means[run]) ** 2
    told = (share * variance + share * (1 - share) * mean**2) / histories
    assert predicted.mean() == pytest.approx(told, rel=0.03)
    assert means.var(ddof=1) == pytest.approx(told, rel=4 * np.sqrt(2 / runs))
    assert means.mean() == pytest.approx(share * mean, rel=0.005)
