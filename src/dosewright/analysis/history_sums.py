"""Sums per bin whose errors know that what one history scores belongs together.

The particles of a history are correlated, so a variance is taken over histories, never over particles: what a history
has scored in a bin is held back until another one scores there, and then squared (Sempau et al., Phys. Med. Biol. 46
(2001) 1163, for the voxels of a dose).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined, kernel

SUM, SQUARES, PENDING, LAST = range(4)  # of a cell: finished histories, their squares, the running one, its number
Axis = tuple[NDArray[np.float32], float, float, int]  # values, low, bins per unit, bins


@inlined  # type: ignore[untyped-decorator]
def _score(cells: NDArray[np.float64], row: int, column: int, value: float, history: float) -> None:
    cell = cells[row, column]
    if cell[LAST] != history:
        cell[SUM] += cell[PENDING]
        cell[SQUARES] += cell[PENDING] * cell[PENDING]
        cell[PENDING] = 0.0
        cell[LAST] = history
    cell[PENDING] += value


@inlined  # type: ignore[untyped-decorator]
def _place(value: float, low: float, per_unit: float, bins: int) -> int:
    """Return the bin of a value, 1 to `bins`; 0 is below, also for what is no number, and the last is above."""
    at = (np.float64(value) - low) * per_unit
    if not at >= 0.0:
        return 0
    if at >= bins:
        return bins + 1
    return 1 + int(at)


@kernel  # type: ignore[untyped-decorator]
def _add(
    rows: NDArray[np.int8], values: NDArray[np.float32], histories: NDArray[np.int64], cells: NDArray[np.float64]
) -> None:
    for i in range(values.size):
        value, history = np.float64(values[i]), np.float64(histories[i])
        _score(cells, 0, 0, value, history)
        if rows[i] > 0:
            _score(cells, rows[i], 0, value, history)


@kernel  # type: ignore[untyped-decorator]
def _fill(
    x: NDArray[np.float32],
    x_low: float,
    x_per_unit: float,
    x_bins: int,
    y: NDArray[np.float32],
    y_low: float,
    y_per_unit: float,
    y_bins: int,
    rows: NDArray[np.int8],
    values: NDArray[np.float32],
    histories: NDArray[np.int64],
    cells: NDArray[np.float64],
) -> None:
    """Fill histograms of two axes, or of one where the second has no bins."""
    for i in range(values.size):
        column = _place(x[i], x_low, x_per_unit, x_bins)
        if y_bins > 0:
            column = column * (y_bins + 2) + _place(y[i], y_low, y_per_unit, y_bins)
        value, history = np.float64(values[i]), np.float64(histories[i])
        _score(cells, 0, column, value, history)
        if rows[i] > 0:
            _score(cells, rows[i], column, value, history)


@dataclass(frozen=True)
class HistorySums:
    """Sums of what histories scored, and of its squares, in rows of bins; row 0 holds all."""

    _cells: NDArray[np.float64]

    @classmethod
    def empty(cls, rows: int, bins: int = 1) -> "HistorySums":
        """Return sums of nothing."""
        cells = np.zeros((rows, bins, 4))
        cells[..., LAST] = -1.0
        return cls(cells)

    def add(self, rows: NDArray[np.int8], values: NDArray[np.float32], histories: NDArray[np.int64]) -> None:
        """Add values to the first bin of rows; `histories` are numbers from 0 that never come back."""
        _add(rows, values, histories, self._cells)

    def fill(
        self,
        axes: tuple[Axis, ...],
        rows: NDArray[np.int8],
        values: NDArray[np.float32],
        histories: NDArray[np.int64],
    ) -> None:
        """Add values to bins of one or two axes; each axis has a bin below and one above."""
        first, second = axes[0], axes[1] if len(axes) > 1 else (axes[0][0], 0.0, 0.0, 0)
        _fill(*first, *second, rows, values, histories, self._cells)

    def sums(self) -> NDArray[np.float64]:
        """Return the sum of all that was added, [rows, bins]."""
        sums: NDArray[np.float64] = self._cells[..., SUM] + self._cells[..., PENDING]
        return sums

    def errors(self, histories: float) -> NDArray[np.float64]:
        """Return one standard deviation of ``sums / histories``; nan for a single history."""
        if histories <= 1:
            return np.full(self._cells.shape[:2], np.nan)
        squares = self._cells[..., SQUARES] + self._cells[..., PENDING] ** 2
        variance = squares / histories - (self.sums() / histories) ** 2
        errors: NDArray[np.float64] = np.sqrt(np.maximum(variance, 0.0) / (histories - 1))
        return errors
