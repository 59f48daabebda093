"""Histograms as CSV and as a ROOT file, in single-file form.

Where the limits of an axis begin or end with infinity, that bin is ROOT's underflow or overflow.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import uproot
from uproot.writing import identify

from dosewright.core.histogram import Array, Histogram
from dosewright.core.whole_file import write_whole

COLUMNS = ("histogram", "x_low", "x_high", "y_low", "y_high", "value", "error")
_AXES = ("fXaxis", "fYaxis")


def write_histograms_csv(path: Path, histograms: Sequence[Histogram], note: str) -> None:
    """Write one row for each bin; of histograms with two axes only bins that hold something."""

    def write(to: Path) -> None:
        with to.open("w", encoding="utf-8", newline="") as file:
            file.write(f"# {note}\n")
            for histogram in histograms:
                file.write(f"# {histogram.name}: {histogram.of} by {', '.join(histogram.labels)}\n")
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            for histogram in histograms:
                rows.writerows(_rows(histogram))

    write_whole(path, write)


def _rows(histogram: Histogram) -> list[list[str]]:
    errors = np.zeros_like(histogram.values) if histogram.errors is None else histogram.errors
    x = [(f"{low:.9g}", f"{high:.9g}") for low, high in _limits(histogram.edges[0])]
    if len(histogram.edges) == 1:
        return [
            [histogram.name, *x[i], "", "", f"{histogram.values[i]:.9g}", f"{errors[i]:.6g}"] for i in range(len(x))
        ]
    y = [(f"{low:.9g}", f"{high:.9g}") for low, high in _limits(histogram.edges[1])]
    return [
        [histogram.name, *x[i], *y[j], f"{histogram.values[i, j]:.9g}", f"{errors[i, j]:.6g}"]
        for i, j in np.argwhere(histogram.values)
    ]


def _limits(edges: Array) -> list[tuple[float, float]]:
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def write_histograms_root(path: Path, histograms: Sequence[Histogram]) -> None:
    """Write TH1D and TH2D under the names of the histograms, with their errors."""

    def write(to: Path) -> None:
        with uproot.recreate(to) as file:
            for histogram in histograms:
                file[histogram.name.replace("/", "_")] = _th(histogram)

    write_whole(path, write)


def _th(histogram: Histogram) -> Any:
    """Return the ROOT object: values and variances, with what lies below and above the axes."""
    edges = tuple(bins[np.isfinite(bins)] for bins in histogram.edges)
    outside = [(int(np.isfinite(bins[0])), int(np.isfinite(bins[-1]))) for bins in histogram.edges]
    values = np.pad(histogram.values, outside)
    variances = np.pad(np.zeros_like(histogram.values) if histogram.errors is None else histogram.errors**2, outside)
    within = (slice(1, -1),) * len(edges)
    inside, squares = values[within], variances[within].sum()
    titled = (histogram.name, f"{histogram.name};{';'.join(histogram.labels)};{histogram.of}")
    x = (edges[0][1:] + edges[0][:-1]) / 2
    axes = [_axis(name, label, bins) for name, label, bins in zip(_AXES, histogram.labels, edges, strict=False)]
    counted = (_entries(values, variances), inside.sum(), squares)
    if len(edges) == 1:
        return identify.to_TH1x(*titled, values, *counted, inside @ x, inside @ x**2, variances, *axes)
    y = (edges[1][1:] + edges[1][:-1]) / 2
    moments = ((x @ inside).sum(), (x**2 @ inside).sum(), (inside @ y).sum(), (inside @ y**2).sum(), x @ inside @ y)
    return identify.to_TH2x(*titled, values.T.ravel(), *counted, *moments, variances.T.ravel(), *axes)


def _entries(values: Array, variances: Array) -> float:
    """Return ROOT's effective number of entries, or of bins that hold something where no errors are known."""
    squares = float(variances.sum())
    return float(values.sum()) ** 2 / squares if squares > 0 else float(np.count_nonzero(values))


def _axis(name: str, label: str, edges: Array) -> Any:
    even = np.allclose(np.diff(edges), (edges[-1] - edges[0]) / (len(edges) - 1), rtol=1e-9, atol=0.0)
    return identify.to_TAxis(name, label, len(edges) - 1, float(edges[0]), float(edges[-1]),
                             fXbins=None if even else edges)  # fmt: skip
