"""Pictures on three planes: one row per quantity, all at one scale in mm, over the CT.

Text from DICOM never enters a picture; structures are told apart by numbered marks that the page explains.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from dosewright.core.grid import Image
from dosewright.core.structures import Structure
from dosewright.workflow.report.palette import GREY, HAIR, INK, PALE_GREY, Mark
from dosewright.workflow.report.planes import (
    LETTERS,
    Plane,
    axial_polygons,
    on_plane,
    side_distance,
)

CT_WINDOW_HU = (-300.0, 400.0)
WIDTH_IN = 7.6
TALLEST_IN = 3.1
GAP_IN = 0.12
BAR_IN = 0.72
HEAD_IN = 0.24
DPI = 170
LARGEST_SVG_BYTES = 250_000


@dataclass(frozen=True)
class Wash:
    """One quantity to lay over the CT: sampled values per plane (nan is left clear), colours and their range."""

    values: Sequence[NDArray[np.float32]]
    colours: Colormap
    lowest: float
    highest: float
    label: str
    pale_ct: bool = False
    opacity: float = 0.72


@dataclass(frozen=True)
class Scene:
    """What every row of pictures shares: planes, the CT sampled on them, structures and their marks."""

    planes: tuple[Plane, ...]
    ct: tuple[NDArray[np.float32], ...] | None
    structures: tuple[Structure, ...]
    marks: Mapping[str, Mark]


def plane_row(scene: Scene, wash: Wash) -> str:
    """Return three planes side by side with a colour bar, as a data URI."""
    widths = np.array([np.ptp(p.extent_mm[:2]) for p in scene.planes])
    heights = np.array([np.ptp(p.extent_mm[2:]) for p in scene.planes])
    inches = min((WIDTH_IN - BAR_IN - 2 * GAP_IN) / widths.sum(), TALLEST_IN / heights.max())
    tall, wide = heights.max() * inches + HEAD_IN, widths.sum() * inches + BAR_IN + 2 * GAP_IN
    figure = Figure(figsize=(wide, tall), dpi=DPI, facecolor="white")
    left = 0.0
    for i, plane in enumerate(scene.planes):
        w, h = widths[i] * inches, heights[i] * inches
        bottom = (tall - HEAD_IN - h) / 2
        axes = figure.add_axes((left / wide, bottom / tall, w / wide, h / tall))
        _draw_plane(axes, scene, wash, i)
        figure.text((left + w / 2) / wide, (bottom + h + 0.06) / tall, _title(plane), ha="center", size=7.5, color=INK)
        left += w + GAP_IN
    bar_tall = min(0.9 * heights.max() * inches, 2.2)
    bar_low = (tall - HEAD_IN - bar_tall) / 2
    _colour_bar(figure.add_axes((left / wide, bar_low / tall, 0.11 / wide, bar_tall / tall)), wash)
    return png(figure)


def sampled(image: Image, planes: Sequence[Plane], *, linear: bool = True) -> tuple[NDArray[np.float32], ...]:
    """Return an image on each of the planes."""
    return tuple(on_plane(image, plane, linear=linear) for plane in planes)


def png(figure: Figure) -> str:
    """Return a figure as a PNG data URI."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def drawing(figure: Figure) -> str:
    """Return a figure as an SVG data URI, or as PNG where the SVG would be large."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    if len(buffer.getvalue()) > LARGEST_SVG_BYTES:
        return png(figure)
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _title(plane: Plane) -> str:
    return f"{plane.name}   {'xyz'[plane.normal]} = {plane.at_mm:.1f} mm"


def _draw_plane(axes: Axes, scene: Scene, wash: Wash, i: int) -> None:
    plane = scene.planes[i]
    extent = plane.extent_mm
    axes.set_facecolor("#eef1f2" if scene.ct is None or wash.pale_ct else "black")
    if scene.ct is not None:
        grey = PALE_GREY if wash.pale_ct else GREY
        low, high = CT_WINDOW_HU
        axes.imshow(scene.ct[i], cmap=grey, vmin=low, vmax=high, extent=extent, origin="lower")
    values = np.ma.masked_invalid(wash.values[i])
    opacity = wash.opacity if scene.ct is not None else 1.0
    axes.imshow(
        values,
        cmap=wash.colours,
        vmin=wash.lowest,
        vmax=wash.highest,
        extent=extent,
        origin="lower",
        alpha=opacity,
        interpolation="nearest",
    )
    for structure in scene.structures:
        _outline(axes, structure, plane, scene.marks[structure.name])
    _cross_hair(axes, scene, i)
    axes.set(xlim=extent[:2], ylim=extent[2:] if plane.up_is_positive else extent[3:1:-1], xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=HAIR, linewidth=0.6)
    pen = ("#22303a", "white") if scene.ct is None or wash.pale_ct else ("white", "black")
    _letters(axes, scene, plane, pen)
    _scale_bar(axes, plane, pen)


def _outline(axes: Axes, structure: Structure, plane: Plane, mark: Mark) -> None:
    """Draw a structure where the plane cuts it: the contours themselves, or a section through the stack."""
    casing = [withStroke(linewidth=1.9, foreground="white", alpha=0.75)]
    pieces: list[NDArray[np.float64]] = []
    if plane.normal == 2:
        pieces = axial_polygons(structure, plane.at_mm)
        for polygon in pieces:
            axes.plot(*polygon.T, color=mark.colour, linestyle=mark.dash, linewidth=1.0, path_effects=casing)
    else:
        heights, distance = side_distance(structure, plane)
        if distance.max() > 0:
            lines = axes.contour(plane.across_mm, heights, distance, levels=[0.0], colors=mark.colour, linewidths=1.0)
            lines.set(path_effects=casing, linestyle=mark.dash)
            pieces = [np.asarray(piece) for piece in lines.allsegs[0]]
    if pieces:
        _number_outline(axes, np.concatenate(pieces), plane, mark)


def _number_outline(axes: Axes, outline: NDArray[np.float64], plane: Plane, mark: Mark) -> None:
    """Write the structure's number beside its outline, at an angle of its own so that few numbers meet."""
    left, right, low, high = plane.extent_mm
    inner = 0.04 * (right - left)
    seen = outline[
        (
            np.abs(outline - ((left + right) / 2, (low + high) / 2))
            < ((right - left) / 2 - inner, (high - low) / 2 - inner)
        ).all(axis=1)
    ]
    if not len(seen):
        return
    angle = 0.7 + 2.4 * mark.number
    at = seen[np.argmax(seen @ (np.cos(angle), np.sin(angle)))]
    casing = [withStroke(linewidth=1.8, foreground="white", alpha=0.9)]
    axes.text(
        float(at[0]),
        float(at[1]),
        str(mark.number),
        size=6,
        weight="bold",
        color=mark.colour,
        ha="center",
        va="center",
        path_effects=casing,
        zorder=4,
    )


def _cross_hair(axes: Axes, scene: Scene, i: int) -> None:
    """Mark where the other two planes cut this one, at the edges only."""
    plane = scene.planes[i]
    for other in scene.planes:
        if other.normal == plane.across:
            for low, high in ((0, 0.04), (0.96, 1)):
                axes.axvline(other.at_mm, low, high, color="#e8b923", linewidth=1.1)
        if other.normal == plane.up:
            for low, high in ((0, 0.04), (0.96, 1)):
                axes.axhline(other.at_mm, low, high, color="#e8b923", linewidth=1.1)


def _letters(axes: Axes, scene: Scene, plane: Plane, pen: tuple[str, str]) -> None:
    """Name the sides of the patient, in the middle of each edge or beside the tick there."""
    casing = [withStroke(linewidth=1.8, foreground=pen[1], alpha=0.7)]
    low, high = LETTERS[plane.up]
    bottom, top = (low, high) if plane.up_is_positive else (high, low)
    left, right = LETTERS[plane.across]
    x = _beside_tick(scene, plane.across, plane.across_mm)
    y = _beside_tick(scene, plane.up, plane.up_mm if plane.up_is_positive else plane.up_mm[::-1])
    for letter, at in ((left, (0.035, y)), (right, (0.965, y)), (bottom, (x, 0.045)), (top, (x, 0.955))):
        axes.text(
            *at,
            letter,
            transform=axes.transAxes,
            ha="center",
            va="center",
            size=7.5,
            weight="bold",
            color=pen[0],
            path_effects=casing,
        )


def _beside_tick(scene: Scene, axis: int, window_mm: NDArray[np.float64]) -> float:
    """Return the middle of an edge (0.5), or a place beside the tick of the plane across `axis` if that is near."""
    tick_mm = next(p.at_mm for p in scene.planes if p.normal == axis)
    tick = (tick_mm - window_mm[0]) / (window_mm[-1] - window_mm[0])
    return 0.5 if abs(tick - 0.5) > 0.09 else float(tick) + 0.1


def _scale_bar(axes: Axes, plane: Plane, pen: tuple[str, str]) -> None:
    """Draw a bar of 50 mm (or 20 mm in a small window) in the lower left corner."""
    wide = float(np.ptp(plane.across_mm))
    length = 50.0 if wide > 120 else 20.0
    casing = [withStroke(linewidth=2.4, foreground=pen[1], alpha=0.7)]
    ends = [0.05, 0.05 + length / wide]
    axes.plot(ends, [0.05, 0.05], transform=axes.transAxes, color=pen[0], lw=1.4, path_effects=casing)
    thin = [withStroke(linewidth=1.4, foreground=pen[1], alpha=0.7)]
    axes.text(0.05, 0.075, f"{length:g} mm", transform=axes.transAxes, size=6, color=pen[0], path_effects=thin)


def _colour_bar(axes: Axes, wash: Wash) -> None:
    steps = np.linspace(wash.lowest, wash.highest, 256)[:, np.newaxis]
    axes.imshow(steps, cmap=wash.colours, aspect="auto", origin="lower", extent=(0, 1, wash.lowest, wash.highest))
    axes.set(xticks=[])
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    axes.set_ylabel(wash.label, size=7, color=INK)
    axes.tick_params(axis="y", labelsize=6.5, length=2, color=INK, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set(color=HAIR, linewidth=0.6)
