"""A dose file in one picture: three planes with isodoses, its uncertainty below, a CT behind if there is one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from dosewright.core.dose_file import DoseFile, edges_of
from dosewright.core.errors import refuse
from dosewright.core.grid import Image
from dosewright.core.regrid import along_patient_axes
from dosewright.core.whole_file import write_whole
from dosewright.workflow.dose_files.planes import (
    DPI,
    ISODOSES_PERCENT,
    PLANES,
    Behind,
    Wash,
    draw_isodoses,
    draw_plane,
    nearest_voxel,
)
from dosewright.workflow.dose_files.profiles import highest, straight
from dosewright.workflow.report.palette import DOSE, INK, UNCERTAINTY

LEAST_PERCENT = 1.0  # of the maximum: below, uncertainties are left clear, and doses over a CT


def draw_dose(
    path: Path,
    dose: DoseFile,
    name: str,
    through_mm: Sequence[float] | None = None,
    isodoses_percent: Sequence[float] = ISODOSES_PERCENT,
    ct: Image | None = None,
) -> tuple[float, float, float]:
    """Draw a dose through a point, or its maximum, as PNG; return the centre of the voxel there, mm."""
    edges, values, sigma = straight(dose)
    top = float(values.max())
    if not top > 0:
        raise refuse("The dose is nowhere above zero; there is nothing to draw")
    index = highest(values) if through_mm is None else nearest_voxel(edges, through_mm)
    percent = 100.0 * values / top
    shown = percent if ct is None else np.where(percent >= LEAST_PERCENT, percent, np.nan)
    washes = [Wash(shown, DOSE, 0.0, 100.0, f"dose, % of {top:.4g} {dose.unit}")]
    if sigma is not None:
        relative = np.divide(100.0 * sigma, values, out=np.full(values.shape, np.nan), where=percent >= LEAST_PERCENT)
        widest = max(float(np.nanpercentile(relative, 99)), 1e-3)
        washes.append(Wash(relative, UNCERTAINTY, 0.0, widest, "standard error, % of the dose"))
    behind = None if ct is None else _behind(ct)
    figure = Figure(figsize=(13.5, 4.2 * len(washes)), layout="constrained")
    x, y, z = (float((e[n] + e[n + 1]) / 2) for e, n in zip(edges, index, strict=True))
    where = "its maximum" if through_mm is None else "the point asked for"
    figure.suptitle(f"{name}: planes through {where}, x, y, z = {x:g}, {y:g}, {z:g} mm", fontsize=10, color=INK)
    for row, wash in enumerate(washes):
        for column, (across, up) in enumerate(PLANES):
            axes = figure.add_subplot(len(washes), 3, 3 * row + column + 1)
            draw_plane(figure, axes, edges, wash, across, up, index, behind)
            if row == 0:
                draw_isodoses(axes, edges, percent, across, up, index, isodoses_percent)
    write_whole(path, lambda to: figure.savefig(to, dpi=DPI))
    return x, y, z


def _behind(ct: Image) -> Behind:
    edges, (values,) = along_patient_axes(edges_of(ct.grid), ct.grid.direction, ct.values)
    return Behind(edges, values)
