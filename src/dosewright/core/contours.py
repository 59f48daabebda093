"""The planes of a structure's contours, and where lines through a plane cross its polygons.

The rule between planes. A contour plane stands for a slab of the patient that reaches half-way to each neighbouring
plane. The first and the last plane reach half of the usual (median) plane spacing beyond themselves: the end caps.
A gap wider than 1.5 usual spacings is left open, and the planes on its rim end as at an end cap. A lone plane gets
the thickness that the caller names.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.structures import Structure

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SAME_PLANE_MM = 0.05  # contours closer than this along the normal share a plane
FLATNESS_MM = 0.1  # a contour may leave its plane by this much: rounding of decimal strings, not geometry
WIDEST_FILLED_GAP = 1.5  # in usual plane spacings


@dataclass(frozen=True)
class ContourPlanes:
    """The contours of one structure, plane by plane, ascending along `normal`.

    `lower_mm` and `upper_mm` bound the slab each plane stands for, measured along `normal` from the patient origin;
    `open_gaps_mm` lists the neighbouring planes whose gap is too wide to be filled.
    """

    normal: Floats
    lower_mm: Floats
    upper_mm: Floats
    contours: tuple[tuple[Floats, ...], ...]
    open_gaps_mm: tuple[tuple[float, float], ...]

    def holding(self, positions_mm: Floats) -> Integers:
        """Return the plane whose slab (lower included, upper excluded) holds each position, or -1."""
        if not self.contours:
            return np.full(positions_mm.shape, -1)
        plane = np.searchsorted(self.upper_mm, positions_mm, side="right")
        below_last = np.minimum(plane, len(self.contours) - 1)
        held = (plane == below_last) & (self.lower_mm[below_last] <= positions_mm)
        return np.where(held, below_last, -1)


def contour_planes(structure: Structure, *, axis: Floats, lone_thickness_mm: float = 0.0) -> ContourPlanes:
    """Sort a structure's contours into planes.

    `axis` is the preferred normal; it is kept when every contour is flat along it, else the normal is that of the
    largest contour. Contours of fewer than three points enclose nothing and are left out. Raises `InputError` when
    the contours do not lie in parallel planes.
    """
    contours = [np.asarray(c, float) for c in structure.contours if len(c) >= 3]
    normal = _common_normal(structure.name, contours, np.asarray(axis, float))
    heights = np.array([float(np.mean(c @ normal)) for c in contours])
    order = np.argsort(heights, kind="stable")
    starts = np.flatnonzero(np.diff(heights[order], prepend=-np.inf) > SAME_PLANE_MM)
    groups = np.split(order, starts[1:]) if len(order) else []
    positions = np.round([float(np.mean(heights[g])) for g in groups], 6)
    lower, upper, gaps = _slabs(positions, lone_thickness_mm)
    return ContourPlanes(normal, lower, upper, tuple(tuple(contours[i] for i in g) for g in groups), gaps)


def _common_normal(name: str, contours: Sequence[Floats], axis: Floats) -> Floats:
    if not _flat(contours, axis):
        # Newell's area vector: exact for any planar polygon, holes and keyholes included.
        areas = [np.cross(c - c[0], np.roll(c, -1, axis=0) - c[0]).sum(axis=0) for c in contours]
        largest = max(areas, key=lambda a: float(np.linalg.norm(a)))
        axis = largest / max(float(np.linalg.norm(largest)), np.finfo(float).tiny)
        if not _flat(contours, axis):
            raise refuse(
                "The contours of a structure must lie in parallel planes",
                given=f"contours that leave their plane by more than {FLATNESS_MM} mm",
                where=f"structure {name!r}",
            )
    return axis


def _flat(contours: Sequence[Floats], axis: Floats) -> bool:
    return all(float(np.ptp(c @ axis)) <= FLATNESS_MM for c in contours)


def _slabs(positions: Floats, lone_thickness_mm: float) -> tuple[Floats, Floats, tuple[tuple[float, float], ...]]:
    gaps = np.diff(positions)
    usual = float(np.median(gaps)) if len(gaps) else lone_thickness_mm
    filled = gaps <= WIDEST_FILLED_GAP * usual
    reach = np.where(filled, gaps, usual) / 2
    lower = positions - np.concatenate([[usual / 2], reach])[: len(positions)]
    upper = positions + np.concatenate([reach, [usual / 2]])[: len(positions)]
    rims = tuple((float(positions[i]), float(positions[i + 1])) for i in np.flatnonzero(~filled))
    return np.round(lower, 6), np.round(upper, 6), rims


def crossings(polygons: Sequence[Floats], levels: Floats) -> tuple[Integers, Floats]:
    """Return where the lines y = level cross closed polygons: index of the level, and x of the crossing.

    `polygons` have shape (n, 2), `levels` ascend. An edge owns its lower end but not its upper one, so every line
    has an even number of crossings, and structures that share an edge share its crossings to the last bit.
    """
    start = np.concatenate(polygons)
    end = np.concatenate([np.roll(p, -1, axis=0) for p in polygons])
    rising = (start[:, 1] <= end[:, 1])[:, None]
    low, high = np.where(rising, start, end), np.where(rising, end, start)
    first, stop = np.searchsorted(levels, low[:, 1]), np.searchsorted(levels, high[:, 1])
    count = stop - first
    edge = np.repeat(np.arange(len(low)), count)
    level = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    along = (levels[level] - low[edge, 1]) / (high[edge, 1] - low[edge, 1])
    return level, low[edge, 0] + along * (high[edge, 0] - low[edge, 0])
