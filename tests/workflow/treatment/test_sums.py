"""Sums over runs: doses and variances add, LET averages by weights, and its error is that of repeated drawings."""

import numpy as np
import pytest

from dosewright.simulation.result import Let
from dosewright.workflow.treatment.sums import DoseSum, LetSum, RegionSums


def test_doses_and_variances_add() -> None:
    total = DoseSum.empty((1, 1, 2))
    total.add(np.array([[[1.0, 0.0]]]), np.array([[[0.1, 1.0]]]), 2.0)
    total.add(np.array([[[3.0, 0.0]]]), np.array([[[0.2, 1.0]]]), 1.0)
    np.testing.assert_allclose(total.dose_Gy, [[[5.0, 0.0]]])
    np.testing.assert_allclose(total.relative_uncertainty(), [[[np.hypot(0.2, 0.6) / 5.0, 1.0]]])


def test_let_is_averaged_by_weights() -> None:
    total = LetSum.empty((2,))
    total.add(Let(np.array([2.0, 0.0]), np.array([0.0, 1.0]), np.array([1.0, 0.0])), np.zeros(2), 3.0)
    total.add(Let(np.array([6.0, 0.0]), np.array([0.0, 1.0]), np.array([1.0, 0.0])), np.zeros(2), 1.0)
    np.testing.assert_allclose(total.average_keV_um(), [3.0, 0.0])
    np.testing.assert_allclose(total.relative_uncertainty(), [0.0, 1.0])


def test_the_error_of_let_is_that_of_drawings() -> None:
    """Two runs of LET 2 and 8 with errors of 3 and 2 %, of weights 5 and 1 with 4 and 6 %; to 5 %."""
    rng = np.random.default_rng(1)
    n = 20_000
    let = [rng.normal(2.0, 0.06, n), rng.normal(8.0, 0.16, n)]
    weight = [rng.normal(5.0, 0.2, n), rng.normal(1.0, 0.06, n)]
    drawn = (let[0] * weight[0] + let[1] * weight[1]) / (weight[0] + weight[1])
    total = LetSum.empty((1,))
    for mean, error, of, spread in ((2.0, 0.03, 5.0, 0.04), (8.0, 0.02, 1.0, 0.06)):
        total.add(Let(np.array([mean]), np.array([error]), np.array([of])), np.array([spread]), 1.0)
    assert total.relative_uncertainty()[0] == pytest.approx(drawn.std() / drawn.mean(), rel=0.05)


def test_the_maximum_is_looked_for_where_there_is_matter() -> None:
    """A particle that stops in air makes a high dose there; a region of air alone has all of its dose."""
    for density, expected in ((np.array([[[0.001, 1.0]]]), 1.0), (np.array([[[0.001, 0.001]]]), 9.0)):
        sums = RegionSums.empty(np.ones((1, 1, 2)), density, to_water=False, let=False)
        sums.medium.dose_Gy += np.array([[[9.0, 1.0]]])
        assert sums.dose_in_matter_Gy.max() == expected
