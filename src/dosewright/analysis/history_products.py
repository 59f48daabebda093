"""Sums per bin with their whole covariance matrix over histories: what a test of many bins at once needs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import kernel


@kernel  # type: ignore[untyped-decorator]
def _add(
    bins: NDArray[np.int32],
    values: NDArray[np.float32],
    histories: NDArray[np.int64],
    products: NDArray[np.float64],
    score: NDArray[np.float64],
    marks: NDArray[np.int64],
    touched: NDArray[np.int64],
    state: NDArray[np.int64],
) -> None:
    """Gather the score of the running history; when another begins, add the products of its bins."""
    for i in range(bins.size):
        if histories[i] != state[0]:
            for a in range(state[1]):
                for b in range(state[1]):
                    products[touched[a], touched[b]] += score[touched[a]] * score[touched[b]]
            for a in range(state[1]):
                score[touched[a]] = 0.0
            state[0] = histories[i]
            state[1] = 0
        column = bins[i]
        if marks[column] != histories[i]:
            marks[column] = histories[i]
            touched[state[1]] = column
            state[1] += 1
        score[column] += np.float64(values[i])


@dataclass(frozen=True)
class HistoryProducts:
    """Sums of the products of what each history scored in any two bins.

    Parameters
    ----------
    sums
        Sum over all that was added, [bins].
    """

    sums: NDArray[np.float64]

    _products: NDArray[np.float64]
    _score: NDArray[np.float64]
    _marks: NDArray[np.int64]
    _touched: NDArray[np.int64]
    _state: NDArray[np.int64]

    @classmethod
    def empty(cls, bins: int) -> "HistoryProducts":
        """Return sums of nothing."""
        marks, touched = np.full(bins, -1, np.int64), np.zeros(bins, np.int64)
        return cls(np.zeros(bins), np.zeros((bins, bins)), np.zeros(bins), marks, touched, np.array([-1, 0]))

    def add(self, bins: NDArray[np.int32], values: NDArray[np.float32], histories: NDArray[np.int64]) -> None:
        """Add values to bins; `histories` are numbers from 0 that do not come back once they have changed."""
        self.sums[:] += np.bincount(bins, values, len(self.sums))
        _add(bins, values, histories, self._products, self._score, self._marks, self._touched, self._state)

    def covariance(self, histories: float) -> NDArray[np.float64]:
        """Return the covariance matrix of ``sums / histories``, [bins, bins]."""
        mean = self.sums / histories
        products = self._products + np.outer(self._score, self._score)
        covariance: NDArray[np.float64] = (products / histories - np.outer(mean, mean)) / max(histories - 1, 1)
        return covariance
