"""Curves of the report: dose-volume histograms, depth and lateral profiles, the spread of the uncertainty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.grid import Image
from dosewright.workflow.report.data import DosePair, DvhRow
from dosewright.workflow.report.palette import HAIR, INK, MC, TPS, Mark
from dosewright.workflow.report.pictures import drawing
from dosewright.workflow.report.planes import at_points, high_dose_centre, mean_of_highest

Array = NDArray[np.float64]
STEP_MM = 1.0
ON_AXIS_LEVEL = 0.5


def dvh_figure(rows: Sequence[DvhRow], marks: Mapping[str, Mark]) -> str:
    """Return all histograms in one drawing: Monte Carlo solid, planning system dashed, numbered like the table."""
    figure = Figure(figsize=(7.4, 3.2), layout="constrained")
    axes = figure.add_subplot()
    for i, row in enumerate(rows):
        mark = marks[row.structure]
        if row.tps is not None:
            axes.plot(row.tps.dose_Gy, row.tps.volume_percent, color=mark.colour, linestyle=(0, (4, 2)), linewidth=1.2)
        if row.mc.without_noise is not None:
            lower, upper = row.mc.without_noise.lower_percent, row.mc.without_noise.upper_percent
            axes.fill_between(row.mc.dose_Gy, lower, upper, color=mark.colour, alpha=0.25, linewidth=0)
        axes.plot(row.mc.dose_Gy, row.mc.volume_percent, color=mark.colour, linewidth=1.4)
        _badge(axes, row, mark, level=88.0 - 13.0 * (i % 6))
    highest = max((c.dose_Gy[-1] for r in rows for c in (r.mc, r.tps) if c is not None and c.dose_Gy.size), default=1.0)
    axes.set(xlim=(0, highest or 1.0), ylim=(0, 102), xlabel="Dose (Gy)", ylabel="Volume (%)")
    _calm(axes)
    return drawing(figure)


def _badge(axes: Axes, row: DvhRow, mark: Mark, level: float) -> None:
    """Put the structure's number on its curve, where the curve falls below a volume."""
    below = np.nonzero(row.mc.volume_percent <= level)[0]
    if not below.size:
        return
    axes.annotate(
        str(mark.number),
        (float(row.mc.dose_Gy[below[0]]), level),
        ha="center",
        va="center",
        size=6.5,
        weight="bold",
        color=mark.colour,
        annotation_clip=False,
        bbox={"boxstyle": "circle,pad=0.22", "fc": "white", "ec": mark.colour, "lw": 0.9},
    )


@dataclass(frozen=True)
class Profiles:
    """A drawing of three profiles, and the point (mm, patient) they cross, which is the isocentre or not."""

    picture: str
    through_mm: Array
    through_isocentre: bool


def beam_profiles(dose: DosePair, gantry_to_patient: Rigid) -> Profiles:
    """Return depth and lateral profiles along the gantry axes, with bands of one and two sigma.

    They cross at the isocentre, or at the centre of the high dose where the isocentre itself has little dose.
    """
    isocentre = gantry_to_patient.translation
    there = float(at_points(dose.mc, isocentre[np.newaxis])[0])
    through_isocentre = there >= ON_AXIS_LEVEL * mean_of_highest(dose.mc_in_body) > 0
    through = isocentre if through_isocentre else high_dose_centre(dose.mc_in_body, level=0.8)
    figure = Figure(figsize=(7.6, 2.3), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(1.6, 1, 1))
    titles = ("Along the beam (mm)", "Across, gantry x (mm)", "Across, gantry y (mm)")
    for axes, direction, title in zip(panels, profile_directions(gantry_to_patient), titles, strict=True):
        _draw_line(axes, sample_line(dose, through, direction))
        axes.set_xlabel(title)
        _calm(axes)
    panels[0].set_ylabel("Dose (Gy)")
    panels[0].set_ylim(bottom=0)
    panels[0].legend(loc="best", fontsize=6.5, frameon=False, labelcolor=INK)
    return Profiles(drawing(figure), through, through_isocentre)


def profile_directions(gantry_to_patient: Rigid) -> tuple[Array, Array, Array]:
    """Return unit vectors, patient coordinates: along the beam (away from the source), gantry x, gantry y."""
    x, y, towards_source = gantry_to_patient.rotation.T
    return -towards_source, x, y


@dataclass(frozen=True)
class Line:
    """Doses in Gy along a straight line: distance in mm, Monte Carlo, its sigma, planning system."""

    distance_mm: Array
    mc: NDArray[np.float32]
    sigma: NDArray[np.float32] | None
    tps: NDArray[np.float32] | None


def sample_line(dose: DosePair, through: Array, direction: Array) -> Line:
    """Return the doses on a line (0 mm at `through`) for as long as it stays in the Monte Carlo dose."""
    longest = np.ceil(np.linalg.norm(np.ptp(dose.mc.grid.corners_mm(), axis=0)))
    distance = np.arange(-longest, longest + STEP_MM, STEP_MM)
    mc = at_points(dose.mc, through + distance[:, np.newaxis] * direction)
    distance, mc = distance[np.isfinite(mc)], mc[np.isfinite(mc)]
    points = through + distance[:, np.newaxis] * direction
    sigma = None
    if dose.uncertainty is not None:
        sigma = mc * np.nan_to_num(at_points(dose.uncertainty, points, linear=False))
    return Line(distance, mc, sigma, None if dose.tps is None else at_points(dose.tps, points))


def _draw_line(axes: Axes, line: Line) -> None:
    distance, mc = line.distance_mm, line.mc
    if line.sigma is not None:
        for times, alpha in ((2, 0.16), (1, 0.34)):
            reach = times * line.sigma
            axes.fill_between(distance, mc - reach, mc + reach, color=MC, alpha=alpha, lw=0, label=f"± {times} σ")
    axes.plot(distance, mc, color=MC, linewidth=1.3, label="Monte Carlo")
    if line.tps is not None:
        axes.plot(distance, line.tps, color=TPS, linewidth=1.2, linestyle=(0, (4, 2)), label="Planning system")
    axes.axvline(0, color=HAIR, linewidth=0.8, zorder=0)
    if distance.size > 1:
        axes.set_xlim(distance[0], distance[-1])


def uncertainty_figure(dose: Image, uncertainty: Image) -> str:
    """Return the distribution of the relative uncertainty in the high and in the low dose."""
    high = mean_of_highest(dose)
    percent = 100.0 * uncertainty.values.astype(np.float32)
    figure = Figure(figsize=(7.4, 2.2), layout="constrained")
    axes = figure.add_subplot()
    groups = (
        (dose.values > 0.5 * high, MC, "stepfilled", 0.75, "above 50 % of the high dose"),
        ((dose.values > 0.1 * high) & (dose.values <= 0.5 * high), TPS, "step", 1.0, "10 to 50 %"),
    )
    shown = [(percent[where & np.isfinite(percent)], *style) for where, *style in groups]
    top = max((float(np.percentile(v, 99.5)) for v, *_ in shown if v.size), default=1.0) or 1.0
    for values, colour, kind, alpha, label in shown:
        weights = np.full(values.size, 100.0 / max(values.size, 1))
        axes.hist(
            values,
            list(np.linspace(0, top, 61)),
            weights=weights,
            color=colour,
            histtype=kind,
            alpha=alpha,
            label=label,
            lw=1.3,
        )
    axes.set(xlim=(0, top), xlabel="Relative uncertainty, 1 σ (%)", ylabel="Voxels of the group (%)")
    axes.legend(fontsize=6.5, frameon=False, labelcolor=INK)
    _calm(axes)
    return drawing(figure)


def _calm(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=INK, linewidth=0.7)
    axes.tick_params(labelsize=7, length=2.5, color=INK, labelcolor=INK)
    axes.xaxis.label.set(size=7.5, color=INK)
    axes.yaxis.label.set(size=7.5, color=INK)
    axes.grid(color="#e7ecee", linewidth=0.6)
    axes.set_axisbelow(True)
