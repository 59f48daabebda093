"""Histograms of a phase space as CSV and as a ROOT file."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import uproot
from uproot.writing import identify

from dosewright.core.whole_file import write_whole
from dosewright.phase_space.histograms import Axis, Histogram
from dosewright.phase_space.quantities import labelled


def write_csv(path: Path, histograms: Sequence[Histogram], original_histories: float) -> None:
    """Write one row per bin: limits, sum of weights, error. What is beyond the limits reaches to infinity.

    Of histograms with two axes only bins that hold something are written.
    """

    def write(temporary: Path) -> None:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            file.write(
                f"# original histories: {original_histories:.10g}; sums of weights with one standard deviation\n"
            )
            rows = csv.writer(file)
            rows.writerow(["histogram", "x_low", "x_high", "y_low", "y_high", "sum", "error"])
            for histogram in histograms:
                rows.writerows(_rows(histogram))

    write_whole(path, write)


def _rows(histogram: Histogram) -> list[list[object]]:
    limits = [np.concatenate(([-np.inf], axis.edges(), [np.inf])) for axis in histogram.axes]
    sums, errors = histogram.sums, histogram.errors
    if len(limits) == 1:
        return [
            [histogram.name, *_pair(limits[0], i), "", "", f"{sums[i]:.8g}", f"{errors[i]:.4g}"]
            for i in range(len(sums))
        ]
    return [
        [histogram.name, *_pair(limits[0], i), *_pair(limits[1], j), f"{sums[i, j]:.8g}", f"{errors[i, j]:.4g}"]
        for i, j in zip(*np.nonzero(sums), strict=True)
    ]


def _pair(limits: np.ndarray[Any, np.dtype[np.float64]], i: int) -> list[str]:
    return [f"{limits[i]:.8g}", f"{limits[i + 1]:.8g}"]


def write_root(path: Path, histograms: Sequence[Histogram]) -> None:
    """Write TH1D and TH2D under the names of the histograms, errors included."""

    def write(temporary: Path) -> None:
        with uproot.recreate(temporary) as file:
            for histogram in histograms:
                file[histogram.name] = _th1(histogram) if len(histogram.axes) == 1 else _th2(histogram)

    write_whole(path, write)


def _th1(histogram: Histogram) -> Any:
    (axis,) = histogram.axes
    inside, squares = histogram.sums[1:-1], histogram.errors**2
    x = _middles(axis)
    return identify.to_TH1x(
        histogram.name, histogram.name, histogram.sums, _entries(histogram), inside.sum(), squares[1:-1].sum(),
        inside @ x, inside @ x**2, squares, _taxis(axis, "fXaxis"),
    )  # fmt: skip


def _th2(histogram: Histogram) -> Any:
    first, second = histogram.axes
    inside, squares = histogram.sums[1:-1, 1:-1], histogram.errors**2
    x, y = _middles(first), _middles(second)
    return identify.to_TH2x(
        histogram.name, histogram.name, histogram.sums.T.ravel(), _entries(histogram), inside.sum(),
        squares[1:-1, 1:-1].sum(), (x @ inside).sum(), (x**2 @ inside).sum(), (inside @ y).sum(), (inside @ y**2).sum(),
        x @ inside @ y, squares.T.ravel(), _taxis(first, "fXaxis"), _taxis(second, "fYaxis"),
    )  # fmt: skip


def _middles(axis: Axis) -> np.ndarray[Any, np.dtype[np.float64]]:
    edges = axis.edges()
    return (edges[1:] + edges[:-1]) / 2


def _entries(histogram: Histogram) -> float:
    """Return ROOT's effective number of entries; how many records there were is not kept per histogram."""
    squares = float((histogram.errors**2).sum())
    return float(histogram.sums.sum()) ** 2 / squares if squares > 0 else 0.0


def _taxis(axis: Axis, name: str) -> Any:
    return identify.to_TAxis(name, labelled(axis.quantity), axis.bins, axis.low, axis.high)
