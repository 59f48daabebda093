"""A line through a dose file: its voxels as they are, with errors; figures, a table and a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from dosewright.analysis.profile import Profile
from dosewright.analysis.profile_figures import Figure, profile_figures
from dosewright.core.dose_file import DoseFile
from dosewright.core.errors import refuse
from dosewright.core.in_voxels import Array, Edges
from dosewright.core.regrid import along_patient_axes
from dosewright.core.whole_file import write_whole, write_whole_text
from dosewright.workflow.dose_files.planes import DPI, Index, nearest_voxel
from dosewright.workflow.report.palette import HAIR, INK, MC


@dataclass(frozen=True)
class Line:
    """A line of voxels along an axis.

    Parameters
    ----------
    axis
        0, 1, 2 for x, y, z of the patient.
    through_mm
        Centre of the voxel of the line that was asked for, or of the maximum.
    position_mm
        Centres along the axis; or depths below a surface.
    edges_mm
        Edges of the voxels, alike.
    dose, sigma
        Values in the unit of the dose, and their standard errors or None.
    depth
        Whether positions are depths.
    figures
        Ranges, widths, penumbras, as far as they exist.
    """

    axis: int
    through_mm: tuple[float, float, float]
    position_mm: Array
    edges_mm: Array
    dose: Array
    sigma: Array | None
    unit: str
    depth: bool
    figures: dict[str, Figure]

    @property
    def label(self) -> str:
        """What the positions are."""
        return "depth (mm)" if self.depth else f"{'xyz'[self.axis]} (mm)"


def straight(dose: DoseFile) -> tuple[Edges, Array, Array | None]:
    """Return edges, dose and standard error along the axes of the patient; oblique axes are refused."""
    sigma = dose.standard_error
    arrays: list[NDArray[np.generic]] = [dose.dose] if sigma is None else [dose.dose, sigma]
    edges, turned = along_patient_axes(dose.edges_mm, dose.direction, *arrays)
    values = [np.asarray(one, np.float64) for one in turned]
    return edges, values[0], values[1] if sigma is not None else None


def highest(values: Array) -> Index:
    """Return the voxel (x, y, z) of the highest value."""
    k, j, i = (int(n) for n in np.unravel_index(int(values.argmax()), values.shape))
    return i, j, k


def line_through(
    dose: DoseFile,
    axis: int,
    through_mm: Sequence[float] | None = None,
    surface_mm: float | None = None,
    *,
    backwards: bool = False,
) -> Line:
    """Return the voxels along an axis through a point, or through the maximum.

    With a surface, positions are depths below it, towards higher coordinates, or lower ones if `backwards`.
    """
    edges, values, sigma = straight(dose)
    if backwards and surface_mm is None:
        raise refuse("Depths towards lower coordinates need a surface", allowed="--surface MM")
    index = highest(values) if through_mm is None else nearest_voxel(edges, through_mm)
    i, j, k = index
    where = ((k, j, slice(None)), (k, slice(None), i), (slice(None), j, i))[axis]
    along, errors = values[where], None if sigma is None else sigma[where]
    if len(along) < 2:
        raise refuse("A profile needs two voxels", given=f"one along {'xyz'[axis]}")
    of_axis = edges[axis]
    if surface_mm is not None:
        of_axis = surface_mm - of_axis[::-1] if backwards else of_axis - surface_mm
        if backwards:
            along, errors = along[::-1], None if errors is None else errors[::-1]
    centres = (of_axis[1:] + of_axis[:-1]) / 2
    figures = profile_figures(Profile(centres, along), errors) if along.max() > 0 else {}
    x, y, z = (float((e[n] + e[n + 1]) / 2) for e, n in zip(edges, index, strict=True))
    return Line(axis, (x, y, z), centres, of_axis, along, errors, dose.unit, surface_mm is not None, figures)


def write_line(path: Path, line: Line) -> None:
    """Write a line as CSV: centre and edges of each voxel, dose, standard error, error in percent of the dose."""
    what = "depth" if line.depth else "xyz"[line.axis]
    columns = [f"{what}_mm", "low_mm", "high_mm", f"dose ({line.unit})"]
    columns += [] if line.sigma is None else [f"standard_error ({line.unit})", "relative_error"]
    rows = [",".join(columns)]
    for n, value in enumerate(line.dose):
        numbers = [line.position_mm[n], line.edges_mm[n], line.edges_mm[n + 1], value]
        if line.sigma is not None:
            numbers += [line.sigma[n], line.sigma[n] / abs(value) if value else 1.0]
        rows.append(",".join(f"{number:.9g}" for number in numbers))
    write_whole_text(path, "\n".join(rows) + "\n")


def draw_line(path: Path, line: Line, name: str) -> None:
    """Draw a line with its errors and ranges as PNG."""
    figure = Drawing(figsize=(8.0, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.errorbar(line.position_mm, line.dose, yerr=line.sigma, color=MC, linewidth=1.1, elinewidth=0.7)
    for word in ("R100_mm", "R80_mm", "R50_mm", "rises_to_50_mm"):
        if word in line.figures:
            at = line.figures[word].value_mm
            axes.axvline(at, color=HAIR, linewidth=0.8)
            label = word.removesuffix("_mm").replace("_", " ")
            axes.annotate(label, (at, 0.02), xycoords=("data", "axes fraction"), fontsize=7, rotation=90, color=INK,
                          ha="right")  # fmt: skip
    places = [f"{letter} = {at:g} mm" for letter, at in zip("xyz", line.through_mm, strict=True)]
    del places[line.axis]
    axes.set_title(f"{name}, at {', '.join(places)}", fontsize=9, color=INK)
    axes.set_xlabel(line.label)
    axes.set_ylabel(f"dose ({line.unit})")
    axes.set_ylim(bottom=min(0.0, float(line.dose.min())))
    axes.grid(color=HAIR, linewidth=0.5)
    axes.tick_params(labelsize=8, colors=INK)
    write_whole(path, lambda to: figure.savefig(to, dpi=DPI))
