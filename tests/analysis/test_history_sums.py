"""Sums whose errors know histories, against sums over each history."""

import numpy as np
import pytest

from dosewright.analysis.history_products import HistoryProducts
from dosewright.analysis.history_sums import HistorySums

RANDOM = np.random.default_rng(5)
RECORDS, HISTORIES, BINS, ROWS = 5000, 700, 6, 3
HISTORY = np.sort(RANDOM.integers(HISTORIES, size=RECORDS))
BIN = RANDOM.integers(BINS, size=RECORDS).astype(np.int32)
ROW = RANDOM.integers(ROWS, size=RECORDS).astype(np.int8)
VALUE = RANDOM.random(RECORDS).astype(np.float32)


def per_history(rows: np.ndarray) -> np.ndarray:
    """Return what each history scores in each bin, of records chosen."""
    scores = np.zeros((1000, BINS))  # 300 of a thousand send nothing
    np.add.at(scores, (HISTORY[rows], BIN[rows]), VALUE[rows].astype(float))
    return scores


@pytest.mark.parametrize("cut", [RECORDS, 1, 333])
def test_errors_are_those_over_histories(cut: int) -> None:
    sums = HistorySums.empty(ROWS, BINS + 2)
    for at in range(0, RECORDS, cut):
        part = slice(at, at + cut)
        sums.fill(((BIN[part].astype(np.float32), 0.0, 1.0, BINS),), ROW[part], VALUE[part], HISTORY[part])
    for row in range(ROWS):
        scores = per_history(np.flatnonzero((row == ROW) | (row == 0)))
        np.testing.assert_allclose(sums.sums()[row, 1:-1], scores.sum(axis=0), rtol=1e-12)
        expected = scores.std(axis=0, ddof=1) / np.sqrt(1000)
        np.testing.assert_allclose(sums.errors(1000)[row, 1:-1], expected, rtol=1e-9)


def test_the_spread_of_one_history_is_unknown() -> None:
    assert np.isnan(HistorySums.empty(1, 2).errors(1)).all()


@pytest.mark.parametrize("cut", [RECORDS, 1, 333])
def test_the_covariance_is_that_over_histories(cut: int) -> None:
    products = HistoryProducts.empty(BINS)
    for at in range(0, RECORDS, cut):
        products.add(BIN[at : at + cut], VALUE[at : at + cut], HISTORY[at : at + cut])
    scores = per_history(np.arange(RECORDS))
    np.testing.assert_allclose(products.covariance(1000), np.cov(scores.T) / 1000, rtol=1e-9, atol=1e-15)


def test_values_that_cancel_are_no_new_bin() -> None:
    products = HistoryProducts.empty(1)
    values = np.array([1, -1, 1, -1, 2], np.float32)
    products.add(np.zeros(5, np.int32), values, np.zeros(5, np.int64))
    assert products.sums[0] == 2
    assert products.covariance(2)[0, 0] == pytest.approx((4 / 2 - 1) / 1)
