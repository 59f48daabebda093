"""Two doses in one picture: planes with isodoses of both, their difference, gamma, and profiles through the maximum."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dosewright.analysis.profile import Profile
from dosewright.core.in_voxels import Array
from dosewright.core.whole_file import write_whole
from dosewright.workflow.dose_files.compare import Comparison
from dosewright.workflow.dose_files.planes import DPI, PLANES, Wash, draw_isodoses, draw_plane
from dosewright.workflow.report.palette import DIFFERENCE, DOSE, GAMMA, HAIR, INK, MC, TPS

LEAST_RANGE_PERCENT = 1.0


def draw_comparison(path: Path, found: Comparison, names: tuple[str, str]) -> None:
    """Draw a comparison as PNG, whole or not at all."""
    pair = found.pair
    percent = [100.0 * dose / found.normal for dose in (pair.reference, pair.evaluated)]
    there = np.where(pair.there, percent[1] - percent[0], np.nan)
    widest = max(LEAST_RANGE_PERCENT, float(np.nanpercentile(np.abs(there[found.judged]), 99)))
    washes = [
        Wash(percent[0], DOSE, 0.0, 100.0, "reference, % of its maximum"),
        Wash(there, DIFFERENCE, -widest, widest, "evaluated - reference, % of maximum"),
    ]
    # Of turned or uneven voxels gamma has a grid of its own, and is not drawn.
    if found.map is not None and found.map.values.shape == pair.reference.shape and _straight(found):
        of = found.gammas[0].criteria
        label = f"gamma {of.dose_percent:g} %/{of.distance_mm:g} mm"
        washes.append(Wash(found.map.values.astype(float), GAMMA, 0.0, 2.0, label))
    rows = len(washes) + 1
    figure = Figure(figsize=(13.5, 3.7 * rows), layout="constrained")
    figure.suptitle(f"{names[0]} (reference, solid) and {names[1]} (evaluated, dashed)", fontsize=10, color=INK)
    for row, wash in enumerate(washes):
        for column, (across, up) in enumerate(PLANES):
            axes = figure.add_subplot(rows, 3, 3 * row + column + 1)
            draw_plane(figure, axes, pair.edges_mm, wash, across, up, found.maximum_at, None)
            if row == 0:
                draw_isodoses(axes, pair.edges_mm, percent[0], across, up, found.maximum_at)
                draw_isodoses(axes, pair.edges_mm, percent[1], across, up, found.maximum_at, style="dashed",
                              colour="#8ff0c8", labels=False)  # fmt: skip
    for axis in range(3):
        _profiles(figure.add_subplot(rows, 3, 3 * (rows - 1) + axis + 1), found, axis)
    write_whole(path, lambda to: figure.savefig(to, dpi=DPI))


def profile_of(found: Comparison, values: Array | None, axis: int) -> Profile | None:
    """Return values of the voxels through the maximum along an axis; None of nothing, or of one voxel."""
    if values is None or values.shape[2 - axis] < 2:
        return None
    i, j, k = found.maximum_at
    where = ((k, j, slice(None)), (k, slice(None), i), (slice(None), j, i))[axis]
    return Profile(found.pair.centres_mm[axis], values[where])


def _profiles(axes: Axes, found: Comparison, axis: int) -> None:
    pair = found.pair
    for dose, sigma, colour, label, style in (
        (pair.reference, pair.reference_sigma, MC, "reference", "solid"),
        (pair.evaluated, pair.evaluated_sigma, TPS, "evaluated", "dashed"),
    ):
        line, errors = profile_of(found, dose, axis), profile_of(found, sigma, axis)
        if line is None:
            axes.text(0.5, 0.5, "one voxel", transform=axes.transAxes, ha="center", color=INK)
            continue
        spread = None if errors is None else 100.0 * errors.values / found.normal
        axes.errorbar(line.position_mm, 100.0 * line.values / found.normal, yerr=spread, color=colour, linewidth=1.1,
                      linestyle=style, elinewidth=0.6, label=label)  # fmt: skip
    axes.set_xlabel(f"{'xyz'[axis]} (mm), through the maximum", fontsize=8)
    axes.set_ylabel("% of the reference's maximum", fontsize=8)
    axes.grid(color=HAIR, linewidth=0.5)
    axes.tick_params(labelsize=7, colors=INK)
    axes.legend(fontsize=7, frameon=False)


def _straight(found: Comparison) -> bool:
    return bool(np.allclose(found.pair.files[0].direction, np.eye(3), atol=1e-4))
