"""The dose of a region in one picture: three planes through its maximum, and its depth doses along the axes."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from dosewright.core.grid import Grid
from dosewright.core.whole_file import write_whole
from dosewright.workflow.dose_files.planes import (
    DPI,
    PLANES,
    Wash,
    draw_isodoses,
    draw_plane,
)
from dosewright.workflow.dose_files.profiles import highest
from dosewright.workflow.report.palette import DOSE, INK, MC
from dosewright.workflow.treatment.scores import along_axes
from dosewright.workflow.treatment.sums import RegionSums

AXES = ("left", "up", "front")  # of a region


def draw_region(path: Path, name: str, grid: Grid, of: RegionSums) -> None:
    """Draw a dose along the region's own axes, from its first voxel; doses of nothing are drawn as such."""
    dose, in_matter = of.medium.dose_Gy, of.dose_in_matter_Gy
    top = float(in_matter.max())
    edges = tuple(np.arange(n + 1) * s for n, s in zip(grid.shape, grid.spacing_mm, strict=True))
    index = highest(in_matter)
    percent = 100.0 * dose / top if top > 0 else dose
    wash = Wash(percent, DOSE, 0.0, 100.0, f"dose, % of {top:.4g} Gy")
    figure = Figure(figsize=(13.5, 8.0), layout="constrained")
    figure.suptitle(f"{name}: {of.particles:.6g} particles, {of.histories:,} histories; planes through the maximum; "
                    "x, y, z are the region's left, up, front", fontsize=10, color=INK)  # fmt: skip
    for column, (across, up) in enumerate(PLANES):
        axes = figure.add_subplot(2, 3, column + 1)
        draw_plane(figure, axes, edges, wash, across, up, index, None)  # type: ignore[arg-type]
        if top > 0:
            draw_isodoses(axes, edges, percent, across, up, index)  # type: ignore[arg-type]
    errors = along_axes(grid, of.medium.variance)
    for axis, (middles, sums) in enumerate(along_axes(grid, dose)):
        axes = figure.add_subplot(2, 3, 4 + axis)
        axes.errorbar(middles, sums, np.sqrt(errors[axis][1]), color=MC, linewidth=1.0, elinewidth=0.5)
        axes.set(xlabel=f"along {AXES[axis]} (mm)", ylabel="dose summed across (Gy)", ylim=(0.0, None))
        axes.tick_params(labelsize=7, colors=INK)
    write_whole(path, lambda to: figure.savefig(to, dpi=DPI))
