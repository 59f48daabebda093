"""Shares of target particles that cuts lose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.studies.target import Target

PHOTONS = 5


def target(weights: list[float], histories: list[int] | None = None) -> Target:
    history = np.arange(len(weights)) if histories is None else np.array(histories)
    return Target(history, np.full(len(weights), PHOTONS), np.array(weights))


def test_the_error_of_particles_of_their_own_histories_is_binomial() -> None:
    lost = np.arange(1000) < 100
    share = target([1.0] * 1000).share(lost)
    assert share.value == pytest.approx(0.1)
    assert share.error == pytest.approx(np.sqrt(0.1 * 0.9 / 999), rel=1e-9)


def test_particles_of_one_history_are_one_observation() -> None:
    rng = np.random.default_rng(1)
    histories, of_each = 400, 25
    lost = np.repeat(rng.random(histories) < 0.2, of_each)
    share = target([1.0] * len(lost), np.repeat(np.arange(histories), of_each).tolist()).share(lost)
    assert share.error == pytest.approx(np.sqrt(share.value * (1 - share.value) / (histories - 1)), rel=1e-9)


def test_independent_particles_are_of_equal_weight_and_their_own_histories() -> None:
    assert target([2.0] * 50).independent == pytest.approx(50)
    assert target([1.0] * 50, [n // 5 for n in range(50)]).independent == pytest.approx(10)
    assert target([1.0, 3.0]).independent == pytest.approx(16 / 10)
    assert target([1.0] * 300).unseen == pytest.approx(0.01)


def test_the_error_covers_what_repeated_samples_show() -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(600):
        history = np.repeat(np.arange(200), rng.poisson(3, 200) + 1)
        weight = rng.choice([0.2, 1.0], len(history))
        lost = (rng.random(200) < 0.3)[history] & (rng.random(len(history)) < 0.5)
        found.append(Target(history, history, weight).share(lost))
    spread = np.std([share.value for share in found])
    mean_error = np.mean([share.error for share in found])
    assert mean_error == pytest.approx(spread, rel=0.1)  # a standard deviation of 600 samples is known to 3 %


def test_the_largest_cut_loses_less_and_a_larger_one_does_not() -> None:
    one = target([1.0] * 200)
    value = np.linspace(0.1, 2.0, 200)
    of = np.arange(200)
    cut = one.largest_cut(of, value, 0.05)
    assert one.share(one.lost_below(of, value, cut)).value == pytest.approx(0.045)  # 9 of 200: 10 would be as much
    assert one.share(one.lost_below(of, value, np.nextafter(cut, 9.0))).value >= 0.05
    assert one.largest_cut(of[:9], value[:9], 0.05) == np.inf  # all of them together are fewer


@given(st.lists(st.tuples(st.floats(0.001, 6.0), st.floats(0.01, 3.0)), min_size=1, max_size=40), st.floats(0.001, 0.5))
def test_no_cut_loses_as_much_as_is_allowed(particles: list[tuple[float, float]], allowed: float) -> None:
    value, weight = (np.array(column) for column in zip(*particles, strict=True))
    one, of = target(weight.tolist()), np.arange(len(value))
    cut = one.largest_cut(of, value, allowed)
    assert one.share(one.lost_below(of, value, cut)).value < allowed * (1 + 1e-12)
    if np.isfinite(cut):
        assert one.share(one.lost_below(of, value, np.nextafter(cut, 9.0))).value >= allowed * (1 - 1e-12)
