"""Planes of voxels drawn as they are, uneven ones too: dose, uncertainty or difference, isodoses, a CT behind."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.in_voxels import Array, Edges
from dosewright.workflow.report.palette import GREY, HAIR, INK

PLANES = ((0, 1), (0, 2), (1, 2))  # across and up, axes x, y, z: normal to z, y, x
ISODOSES_PERCENT = (10.0, 30.0, 50.0, 70.0, 90.0, 95.0, 100.0)
CT_WINDOW_HU = (-300.0, 400.0)
BEHIND_OPACITY = 0.6
DPI = 130

Index = tuple[int, int, int]


@dataclass(frozen=True)
class Wash:
    """Values [z, y, x] in colours, with the range and the words of their scale; nan is left clear."""

    values: Array
    colours: Colormap
    lowest: float
    highest: float
    label: str


@dataclass(frozen=True)
class Behind:
    """A CT behind a dose: Hounsfield numbers [z, y, x] in voxels of its own."""

    edges_mm: Edges
    values: NDArray[np.generic]


def nearest_voxel(edges_mm: Edges, point_mm: Sequence[float]) -> Index:
    """Return the voxel (x, y, z) that holds a point; points outside are refused."""
    index = []
    for letter, edges, at in zip("xyz", edges_mm, point_mm, strict=True):
        if not edges[0] <= at <= edges[-1]:
            raise refuse("The point lies outside the dose", given=f"{letter} = {at:g} mm",
                         allowed=f"{edges[0]:g} to {edges[-1]:g} mm")  # fmt: skip
        index.append(min(int(np.searchsorted(edges, at, side="right")) - 1, len(edges) - 2))
    return index[0], index[1], index[2]


def section(values: NDArray[np.generic], across: int, up: int, index: Index) -> NDArray[np.generic]:
    """Return the plane [up, across] of an array [z, y, x] through a voxel."""
    normal = 3 - across - up
    plane: NDArray[np.generic] = np.take(values, index[normal], axis=2 - normal)
    return plane if across < up else plane.T


def draw_plane(
    figure: Figure, axes: Axes, edges_mm: Edges, wash: Wash, across: int, up: int, index: Index, behind: Behind | None
) -> None:
    """Draw one plane with its axes in mm."""
    a, u = edges_mm[across], edges_mm[up]
    normal = 3 - across - up
    at = float((edges_mm[normal][index[normal]] + edges_mm[normal][index[normal] + 1]) / 2)
    if behind is not None:
        _draw_behind(axes, behind, across, up, at)
    values = np.ma.masked_invalid(section(wash.values, across, up, index))
    mesh = axes.pcolormesh(a, u, values, cmap=wash.colours, vmin=wash.lowest, vmax=wash.highest, rasterized=True,
                           alpha=BEHIND_OPACITY if behind is not None else None)  # fmt: skip
    axes.set(xlim=(a[0], a[-1]), ylim=(u[0], u[-1]))
    axes.set_xlabel(f"{'xyz'[across]} (mm)", fontsize=8)
    axes.set_ylabel(f"{'xyz'[up]} (mm)", fontsize=8)
    axes.set_title(f"{'xyz'[normal]} = {at:g} mm", fontsize=8, color=INK)
    for line, edges in (("axvline", edges_mm[across]), ("axhline", edges_mm[up])):
        n = index[across] if line == "axvline" else index[up]
        getattr(axes, line)((edges[n] + edges[n + 1]) / 2, color="#e8b923", linewidth=0.6, alpha=0.8)
    if 0.2 < (a[-1] - a[0]) / (u[-1] - u[0]) < 5.0:
        axes.set_aspect("equal")
    axes.tick_params(labelsize=7, colors=INK)
    bar = figure.colorbar(mesh, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label(wash.label, fontsize=7)
    bar.ax.tick_params(labelsize=7)


def draw_isodoses(
    axes: Axes, edges_mm: Edges, percent: Array, across: int, up: int, index: Index,
    levels: Sequence[float] = ISODOSES_PERCENT, *, style: str = "solid", colour: str = "white", labels: bool = True,
) -> None:  # fmt: skip
    """Draw lines of equal dose; `percent` [z, y, x] is the dose in percent of what 100 means."""
    plane = np.asarray(section(percent, across, up, index), np.float64)
    if min(plane.shape) < 2:
        return
    inside = [level for level in levels if plane.min() < level < plane.max()]
    if not inside:
        return
    a, u = ((edges_mm[axis][1:] + edges_mm[axis][:-1]) / 2 for axis in (across, up))
    lines = axes.contour(a, u, plane, levels=inside, colors=colour, linewidths=0.8, linestyles=style)
    if labels:
        axes.clabel(lines, fontsize=5.5, fmt="%g")


def _draw_behind(axes: Axes, behind: Behind, across: int, up: int, at_mm: float) -> None:
    normal = 3 - across - up
    edges = behind.edges_mm[normal]
    if not edges[0] <= at_mm <= edges[-1]:
        return
    n = min(int(np.searchsorted(edges, at_mm, side="right")) - 1, len(edges) - 2)
    index = [0, 0, 0]
    index[normal] = n
    plane = section(behind.values, across, up, (index[0], index[1], index[2]))
    low, high = CT_WINDOW_HU
    a, u = behind.edges_mm[across], behind.edges_mm[up]
    axes.pcolormesh(a, u, plane, cmap=GREY, vmin=low, vmax=high, rasterized=True)
    axes.set_facecolor(HAIR)
