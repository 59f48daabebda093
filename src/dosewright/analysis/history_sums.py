"""Sums per bin whose errors know that what one history scores belongs together.

The particles of a history are correlated, so a variance is taken over histories, never over particles: what a history
has scored in a bin is held back until another one scores there, and then squared (Sempau et al., Phys. Med. Biol. 46
(2001) 1163, for the voxels of a dose).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import kernel


@kernel  # type: ignore[untyped-decorator]
def _add(
    bins: NDArray[np.int32],
    rows: NDArray[np.int8],
    values: NDArray[np.float32],
    histories: NDArray[np.int64],
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    pending: NDArray[np.float64],
    last: NDArray[np.int64],
) -> None:
    """Add each value to its bin of row 0, and to that of its own row where that is another."""
    for i in range(bins.size):
        column, value, history = bins[i], np.float64(values[i]), histories[i]
        for turn in range(2 if rows[i] > 0 else 1):
            row = rows[i] * turn
            sums[row, column] += value
            if last[row, column] != history:
                squares[row, column] += pending[row, column] * pending[row, column]
                pending[row, column] = 0.0
                last[row, column] = history
            pending[row, column] += value


@dataclass(frozen=True)
class HistorySums:
    """Sums of what histories scored, and of its squares, in `rows` rows of `bins` bins; row 0 holds all.

    Parameters
    ----------
    sums
        Sum over all that was added, [rows, bins].
    """

    sums: NDArray[np.float64]
    _squares: NDArray[np.float64]
    _pending: NDArray[np.float64]
    _last: NDArray[np.int64]

    @classmethod
    def empty(cls, rows: int, bins: int) -> "HistorySums":
        """Return sums of nothing."""
        shape = (rows, bins)
        return cls(np.zeros(shape), np.zeros(shape), np.zeros(shape), np.full(shape, -1, np.int64))

    def add(
        self,
        bins: NDArray[np.int32],
        rows: NDArray[np.int8],
        values: NDArray[np.float32],
        histories: NDArray[np.int64],
    ) -> None:
        """Add values to bins of rows; `histories` are numbers from 0 that do not come back once they have changed."""
        _add(bins, rows, values, histories, self.sums, self._squares, self._pending, self._last)

    def squares(self) -> NDArray[np.float64]:
        """Return the sum over histories of the square of what each scored, [rows, bins]."""
        return self._squares + self._pending**2

    def errors(self, histories: float) -> NDArray[np.float64]:
        """Return one standard deviation of ``sums / histories``; nan for a single history."""
        if histories <= 1:
            return np.full(self.sums.shape, np.nan)
        variance = self.squares() / histories - (self.sums / histories) ** 2
        errors: NDArray[np.float64] = np.sqrt(np.maximum(variance, 0.0) / (histories - 1))
        return errors
