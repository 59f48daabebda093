"""Distributions found again behind known noise."""

import numpy as np
import pytest

from dosewright.analysis.deconvolve import (
    CLASSES,
    FARTHEST,
    LEAST_NOISE,
    PLACE,
    PLACES,
    Sorted,
    all_deconvolved,
    bin_of,
    drawn,
    noise_class,
    shares_inside,
    smearing,
)

RANDOM = np.random.default_rng(6)


def share_found(x, s):
    y = x + s * RANDOM.normal(size=x.size)
    counts = Sorted.of(y, np.full(x.size, s)).counts()[None]
    plain = np.mean(np.abs(y) <= 1)
    return plain, float(shares_inside(counts, all_deconvolved(counts))[0])


@pytest.mark.parametrize(
    ("s", "plain_misses", "bound"),
    [(0.2, 0.0, 0.012), (0.4, 0.02, 0.015), (0.6, 0.06, 0.03)],
)
def test_the_share_inside_is_found_again(s, plain_misses, bound):
    """Nine tenths at 0.3 +- 0.2, one tenth at 1.6 +- 0.2, which overlap the edge by a known part."""
    x = np.where(RANDOM.random(40_000) < 0.9, RANDOM.normal(0.3, 0.2, 40_000), RANDOM.normal(1.6, 0.2, 40_000))
    truth = np.mean(np.abs(x) <= 1)
    plain, found = share_found(x, s)
    assert found == pytest.approx(truth, abs=bound)
    assert truth - plain >= plain_misses


def test_what_all_passes_passes():
    plain, found = share_found(np.full(20_000, 0.3), 0.4)
    assert plain < 0.97
    assert found > 0.997


def test_small_noise_is_left_alone_and_edges_count_as_inside():
    assert noise_class(np.array([0.0, 0.99 * LEAST_NOISE, 1.01 * LEAST_NOISE, 99.0])).tolist() == [0, 0, 1, CLASSES - 1]
    inside = np.abs(PLACE[bin_of(np.array([-1.0, 1.0, -1.01, 1.01, np.inf]))]) < 1
    assert inside.tolist() == [True, True, False, False, False]
    counts = Sorted.of(np.array([0.5, 1.5, np.inf]), np.zeros(3)).counts()[None]
    assert shares_inside(counts, all_deconvolved(counts))[0] == pytest.approx(1 / 3)
    empty = np.zeros((1, CLASSES, PLACES))
    assert np.isnan(shares_inside(empty, all_deconvolved(empty))[0])


def test_smearing_is_a_normal_distribution_of_the_class():
    for number in (3, 6):
        column = smearing(number)[:, PLACES // 2]
        assert column.sum() == pytest.approx(1.0, abs=1e-12)
        s = np.sqrt(np.sum(column * (PLACE - PLACE[PLACES // 2]) ** 2))
        inner = LEAST_NOISE * 1.3 ** (number - 0.5)
        assert s == pytest.approx(inner, rel=0.03)


def test_drawn_values_have_the_distribution_without_noise():
    x = RANDOM.normal(0.2, 0.25, 30_000)
    s = np.full(x.size, 0.5)
    y = x + s * RANDOM.normal(size=x.size)
    seen = Sorted.of(y, s)
    found = drawn(y, seen, all_deconvolved(seen.counts()[None])[0], RANDOM)
    assert found.mean() == pytest.approx(0.2, abs=0.01)
    assert found.std() == pytest.approx(0.25, rel=0.12)
    assert y.std() > 2 * 0.25
    far = np.full(3, 2 * FARTHEST)
    kept = drawn(far, Sorted.of(far, np.full(3, 0.5)), np.ones((CLASSES, PLACES)) / PLACES, RANDOM)
    assert np.array_equal(kept, far)
