"""A pair of jaws or leaves with any tip, as shapes that decompose into few convex cells.

Axes of `placed.Axes`: u along the travel, v across, w against the flight. A leaf is made for the positive side; that
on the negative side is its mirror image in u.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot

import numpy as np

from dosewright.core.shapes import Cone
from dosewright.core.tip_checks import TipInLeaf
from dosewright.core.tip_place import circle_centre, interpolated, on_circle, slope
from dosewright.geometry.modules.placed import Axes, Placed, common, placement, united

Points = Sequence[tuple[float, float]]
BEYOND = 1.0  # mm by which what cuts a leaf reaches out of it
TOUCHING = 1.0e-9  # mm: less is rounding


@dataclass(frozen=True)
class Bar:
    """A leaf without its end: the outline across (v, w), and its tip."""

    outline_vw: tuple[tuple[float, float], ...]
    tip: TipInLeaf

    @property
    def width(self) -> tuple[float, float]:
        """Between which v it lies."""
        across = [v for v, _ in self.outline_vw]
        return min(across), max(across)


def circle_centres(tip: TipInLeaf, negative: float, positive: float) -> tuple[float, float]:
    """Return u of the centres of the circles of a pair with round tips.

    Tips that would overlap, since their edges are chords inside them, are moved apart by the same amount until they
    touch: closed leaves touch.
    """
    left, right = -_centre_of(tip, -negative), _centre_of(tip, positive)
    overlap = 2.0 * tip.radius - (right - left)
    return (left - 0.5 * overlap, right + 0.5 * overlap) if overlap > 0.0 else (left, right)


def moved_apart(tip: TipInLeaf, negative: float, positive: float) -> float:
    """Return by how much each of two round tips is moved back because they would overlap, mm."""
    if not tip.round:
        return 0.0
    overlap = tip.radius - 0.5 * (_centre_of(tip, positive) + _centre_of(tip, -negative))
    return overlap if overlap > TOUCHING else 0.0


def _centre_of(tip: TipInLeaf, edge: float) -> float:
    """Return u of the circle of a positive leaf."""
    if tip.kind == "ROUND_DISP_POSFILE":
        shrink = (tip.focus - tip.centre) / (tip.focus - tip.isocentre)
        return interpolated(tip.table, edge) * shrink + tip.radius
    return circle_centre(slope(edge, tip.focus, tip.isocentre), tip.focus, tip.centre, tip.radius, tip.chord)


def round_pair(bar: Bar, axes: Axes, negative: float, positive: float) -> tuple[Placed, Placed]:
    """Return the leaves of a pair with round tips."""
    left, right = circle_centres(bar.tip, negative, positive)
    return _rounded(bar, axes, left, -1), _rounded(bar, axes, right, 1)


def _rounded(bar: Bar, axes: Axes, centre: float, side: int) -> Placed:
    """Return the profile cut by the circle of the tip; what lies behind its centre is a prism of its own."""
    tip = bar.tip
    front, back = centre - side * tip.radius, centre + side * (tip.length - tip.radius)
    v0, v1 = bar.width
    circle = axes.roller(centre, tip.centre, tip.radius, v0 - BEYOND, v1 + BEYOND)
    end = centre if tip.length > tip.radius else back
    rounded = common(axes.along_travel(bar.outline_vw, min(front, end), max(front, end)), circle)
    if tip.length <= tip.radius:
        return rounded
    return united([rounded, axes.along_travel(bar.outline_vw, min(centre, back), max(centre, back))])


def level_pair(bar: Bar, axes: Axes, negative: float, positive: float) -> tuple[Placed, Placed]:
    """Return leaves that move on a straight line, with a flat end on the ray to the field edge (STRAIGHT_HORIZ)."""
    return _level(bar, axes, negative, -1), _level(bar, axes, positive, 1)


def _level(bar: Bar, axes: Axes, edge: float, side: int) -> Placed:
    """Return a leaf with a slanted end; it is as long as it should be at half its height."""
    tip = bar.tip
    s = slope(edge, tip.focus, tip.isocentre)
    back = s * (tip.focus - 0.5 * (tip.low + tip.high)) + side * tip.length
    low, high = tip.low - BEYOND, tip.high + BEYOND
    end = [(s * (tip.focus - low), low), (back, low), (back, high), (s * (tip.focus - high), high)]
    us = [u for u, _ in end]
    v0, v1 = bar.width
    return common(axes.along_travel(bar.outline_vw, min(us), max(us)), axes.along_cross(end, v0 - BEYOND, v1 + BEYOND))


def turned_boxes(bar: Bar, axes: Axes, negative: float, positive: float) -> tuple[Placed, Placed]:
    """Return rigid jaws turned so that their faces lie on the rays to the field edges (STRAIGHT)."""
    return _turned(bar, axes, negative, -1), _turned(bar, axes, positive, 1)


def _turned(bar: Bar, axes: Axes, edge: float, side: int) -> Placed:
    tip = bar.tip
    s = slope(edge, tip.focus, tip.isocentre)
    u, w = _met(tip, s, tip.travel_radius)
    n = hypot(1.0, s)
    along = (axes.travel + s * axes.up) / n  # at a right angle to the ray
    up = (axes.up - s * axes.travel) / n
    half = 0.5 * (tip.high - tip.low)
    face = axes.point(u, 0.0, w)
    outline = [(0.0, -half), (side * tip.length, -half), (side * tip.length, half), (0.0, half)]
    turned = Axes(along, axes.cross, up).along_cross(outline, *bar.width)
    centre = np.array(turned.placement.centre_mm) + face
    return Placed(turned.shape, placement(centre, along, up, axes.cross))


def revolved_pair(bar: Bar, axes: Axes, negative: float, positive: float) -> tuple[Placed, Placed]:
    """Return leaves that are sectors of a ring about the axis they move around (STRAIGHT).

    A revolved profile fits its neighbours wherever they are; walls that point at the focus do so in every position.
    The length is that of the arc at the top.
    """
    ring = _ring(bar, axes)
    v0, v1 = bar.width
    return (
        common(ring, axes.along_cross(_wedge(bar.tip, negative, -1), v0 - BEYOND, v1 + BEYOND)),
        common(ring, axes.along_cross(_wedge(bar.tip, positive, 1), v0 - BEYOND, v1 + BEYOND)),
    )


def _met(tip: TipInLeaf, s: float, radius: float) -> tuple[float, float]:
    """Return where the ray to the edge meets a circle about the axis of movement."""
    met = on_circle(s, tip.focus, tip.centre + tip.travel_radius, radius)
    assert met is not None  # noqa: S101  looked at when the module was made
    return met


def _wedge(tip: TipInLeaf, edge: float, side: int) -> Points:
    """Return a quadrilateral in (u, w) that cuts the leaf's sector from its ring."""
    s = slope(edge, tip.focus, tip.isocentre)
    pivot = tip.centre + tip.travel_radius
    inner, outer = pivot - tip.high, pivot - tip.low
    sweep = side * tip.length / inner
    within, without = 0.5 * tip.inner_radius, 1.1 * outer / cos(0.5 * sweep)
    front = [_met(tip, s, within), _met(tip, s, without)]
    u, w = _met(tip, s, inner)
    angle = float(np.arctan2(u, pivot - w)) + sweep
    back = [(r * np.sin(angle), pivot - r * np.cos(angle)) for r in (without, within)]
    return [*front, *back]


def _ring(bar: Bar, axes: Axes) -> Placed:
    """Return the profile revolved about the axis of movement: one frustum with a hole per piece between its corners."""
    pivot = bar.tip.centre + bar.tip.travel_radius
    across = sorted({v for v, _ in bar.outline_vw})
    corners = [(v, pivot - w) for v, w in bar.outline_vw]
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    pieces = []
    for v0, v1 in pairwise(across):
        radii = sorted(
            (_radius(a, b, 0.5 * (v0 + v1)), _radius(a, b, v0), _radius(a, b, v1))
            for a, b in sides
            if min(a[0], b[0]) <= v0 and max(a[0], b[0]) >= v1
        )
        for (_, in0, in1), (_, out0, out1) in zip(radii[::2], radii[1::2], strict=True):
            centre = axes.point(0.0, 0.5 * (v0 + v1), pivot)
            second = np.cross(axes.cross, axes.travel)
            place = placement(centre, axes.travel, second, axes.cross)
            pieces.append(Placed(Cone(out0, out1, v1 - v0, in0, in1), place))
    return united(pieces)


def _radius(a: tuple[float, float], b: tuple[float, float], v: float) -> float:
    return a[1] + (b[1] - a[1]) * (v - a[0]) / (b[0] - a[0])


def block(bar: Bar, axes: Axes) -> Placed:
    """Return a leaf without a tip, that fills the travel of both leaves of a pair."""
    return axes.along_travel(bar.outline_vw, -bar.tip.length, bar.tip.length)
