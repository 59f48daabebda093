"""Histograms drawn, twelve on a page."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dosewright.core.histogram import Histogram
from dosewright.core.whole_file import write_whole
from dosewright.workflow.report.palette import DOSE, HAIR, INK, MC

COLUMNS, ROWS = 3, 4
PANEL_INCHES = (4.2, 3.0)
DPI = 110


def draw_histograms(path: Path, histograms: Sequence[Histogram]) -> tuple[Path, ...]:
    """Draw histograms as PNG; from the thirteenth on, on NAME_2.png and so on. Return the files."""
    each = COLUMNS * ROWS
    pages = [histograms[start : start + each] for start in range(0, len(histograms), each)]
    files = []
    for number, page in enumerate(pages, start=1):
        to = path if number == 1 else path.with_name(f"{path.stem}_{number}{path.suffix}")
        _page(to, page)
        files.append(to)
    return tuple(files)


def _page(path: Path, page: Sequence[Histogram]) -> None:
    rows, columns = -(-len(page) // COLUMNS), min(len(page), COLUMNS)
    width, height = PANEL_INCHES[0] * columns, PANEL_INCHES[1] * rows
    figure = Figure(figsize=(width, height))
    # Set by hand: finding room for twelve panels takes longer than drawing them.
    figure.subplots_adjust(
        left=0.65 / width, right=1 - 0.25 / width, bottom=0.5 / height, top=1 - 0.35 / height, wspace=0.32, hspace=0.42
    )
    for place, histogram in enumerate(page, start=1):
        axes = figure.add_subplot(rows, columns, place)
        if len(histogram.edges) == 1:
            _curve(axes, histogram)
        else:
            _plane(figure, axes, histogram)
        axes.set_title(histogram.name.rpartition(":")[2].strip() or histogram.name, fontsize=9, color=INK)
        axes.tick_params(labelsize=7, colors=INK)
    write_whole(path, lambda to: figure.savefig(to, dpi=DPI))


def _curve(axes: Axes, histogram: Histogram) -> None:
    (edges,) = histogram.edges
    axes.stairs(histogram.values, edges, color=MC, linewidth=1.1)
    if histogram.errors is not None:
        low, high = histogram.values - histogram.errors, histogram.values + histogram.errors
        axes.stairs(high, edges, baseline=low, fill=True, color=MC, alpha=0.25, linewidth=0)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=min(0.0, float(histogram.values.min())))
    axes.set_xlabel(histogram.labels[0], fontsize=8)
    axes.set_ylabel(histogram.of, fontsize=8)
    axes.grid(color=HAIR, linewidth=0.5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_offset_text().set_fontsize(7)


def _plane(figure: Figure, axes: Axes, histogram: Histogram) -> None:
    x, y = histogram.edges
    shown = np.ma.masked_equal(histogram.values.T, 0.0)
    mesh = axes.pcolormesh(x, y, shown, cmap=DOSE, vmin=min(0.0, float(histogram.values.min())), rasterized=True)
    lengths = all(label.endswith("(mm)") for label in histogram.labels)
    if lengths and 0.2 < (x[-1] - x[0]) / (y[-1] - y[0]) < 5.0:
        axes.set_aspect("equal")
    axes.set_xlabel(histogram.labels[0], fontsize=8)
    axes.set_ylabel(histogram.labels[1], fontsize=8)
    bar = figure.colorbar(mesh, ax=axes, fraction=0.06, pad=0.03)
    bar.set_label(histogram.of, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.ax.yaxis.get_offset_text().set_fontsize(7)
