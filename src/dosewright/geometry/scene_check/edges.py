"""Lines just inside the edges of shapes: what is first to reach into another part.

Where two bodies with flat faces overlap, an edge of one runs through the inside of the other; so these lines find such
overlaps for certain, however thin. Round shapes have lines along their sides and around their rims instead.
"""

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np

from dosewright.core.shapes import Cone, Difference, Intersection, Placement, Polycone, Shape, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene_check.intervals import Floats

INSET_MM = 0.002  # how far inside; what overlaps less than this may be found by other rays only
SIDES, RIM = 12, 48  # lines along a round side, and pieces of a rim
Ends = tuple[Floats, Floats]  # first and last points, (n, 3) each


def edges(shape: Shape, inset_mm: float = INSET_MM) -> Ends:
    """Return the ends of lines along the edges of a shape, `inset_mm` inside it (outside where negative), mm."""
    match shape:
        case Box():
            return _six_faces(shape.size_mm[:2], shape.size_mm[:2], shape.size_mm[2], inset_mm)
        case Frustum():
            return _six_faces(shape.lower_mm, shape.upper_mm, shape.length_mm, inset_mm)
        case Prism():
            return _prism(shape, inset_mm)
        case Tube():
            radii = (shape.radius_mm,) * 2, (shape.inner_radius_mm,) * 2
            half = shape.length_mm / 2
            return _round(-half, half, *radii, shape.start_deg, shape.sweep_deg, inset_mm)
        case Cone():
            radii = (shape.lower_radius_mm, shape.upper_radius_mm), (shape.lower_inner_mm, shape.upper_inner_mm)
            half = shape.length_mm / 2
            return _round(-half, half, *radii, shape.start_deg, shape.sweep_deg, inset_mm)
        case Polycone():
            return _polycone(shape, inset_mm)
        case Sphere():
            ways = np.array([way for way in product((-1, 0, 1), repeat=3) if way > (0, 0, 0)], float)
            ways *= shape.radius_mm / np.linalg.norm(ways, axis=1)[:, None]
            return -ways, ways
        case Union() | Intersection():
            return _joined([edges(shape.first, inset_mm), _out(edges(shape.second, inset_mm), shape.placement)])
        case Difference():
            return _joined([edges(shape.first, inset_mm), _out(edges(shape.second, -inset_mm), shape.placement)])
    raise TypeError(f"no edges of {type(shape).__name__}")


def _six_faces(lower: tuple[float, float], upper: tuple[float, float], length: float, inset: float) -> Ends:
    corners = {}
    at_ends = [_inset((low / 2, high / 2), length, -inset, inset) for low, high in zip(lower, upper, strict=True)]
    for signs in product((-1.0, 1.0), repeat=3):
        half = np.array([at_ends[0][signs[2] > 0], at_ends[1][signs[2] > 0], length / 2 - min(inset, length / 2)])
        corners[signs] = np.array(signs) * half
    pairs = [(a, b) for a in corners for b in corners if a < b and sum(x != y for x, y in zip(a, b, strict=True)) == 1]
    return np.array([corners[a] for a, _ in pairs]), np.array([corners[b] for _, b in pairs])


def _inset(half: tuple[float, float], length: float, aside: float, inset: float) -> tuple[float, float]:
    """Return how far a side is from the axis at heights `inset` from both ends, moved by `aside` at right angles."""
    slope = (half[1] - half[0]) / length
    moved = aside * np.hypot(1.0, slope)
    return max(half[0] + slope * inset + moved, 0.0), max(half[1] - slope * inset + moved, 0.0)


def _prism(shape: Prism, inset: float) -> Ends:
    points, half = shape.outline_mm, shape.length_mm / 2 - inset
    following = np.roll(points, -1, axis=0)
    way = following - points
    area = (points[:, 0] * following[:, 1] - following[:, 0] * points[:, 1]).sum()
    inward = np.stack([-way[:, 1], way[:, 0]], axis=1) * np.copysign(1.0, area)
    inward /= np.maximum(np.linalg.norm(inward, axis=1), 1e-12)[:, None]
    before = np.roll(inward, 1, axis=0)
    at_corner = points + inset * (inward + before) / np.maximum(1 + (inward * before).sum(axis=1), 0.1)[:, None]
    low, high = (np.column_stack([at_corner, np.full(len(points), z)]) for z in (-half, half))
    return _joined([(low, high), (low, np.roll(low, -1, axis=0)), (high, np.roll(high, -1, axis=0))])


def _round(low: float, high: float, outer: tuple[float, float], inner: tuple[float, float], start: float, sweep: float,
           inset: float) -> Ends:  # fmt: skip
    lines = [(np.array([[0.0, 0.0, low + inset]]), np.array([[0.0, 0.0, high - inset]]))]
    for radii, inwards in ((outer, -1.0), (inner, 1.0)):
        if max(radii) <= 0:
            continue
        ends = _inset(radii, high - low, inwards * inset, inset)
        at = [(ends[0], low + inset), (ends[1], high - inset)]
        turn = np.deg2rad(start) + np.linspace(0.0, np.deg2rad(sweep), SIDES + 1)
        if sweep < 360.0:  # the first and the last line just inside the flat sides
            turn[[0, -1]] += np.array([1.0, -1.0]) * inset / max(radii)
        lines.append((_circle(*at[0], turn), _circle(*at[1], turn)))
        rim = np.deg2rad(start) + np.linspace(0.0, np.deg2rad(sweep), RIM + 1)
        for radius, z in at:
            around = _circle(radius, z, rim)
            lines.append((around[:-1], around[1:]))
    return _joined(lines)


def _polycone(shape: Polycone, inset: float) -> Ends:
    lines = []
    for pair in pairwise(zip(shape.z_mm, shape.radius_mm, shape.inner_mm, strict=True)):
        one, two = sorted(pair, key=lambda level: level[0])
        if two[0] > one[0]:
            lines.append(_round(one[0], two[0], (one[1], two[1]), (one[2], two[2]), 0.0, 360.0, inset))
    return _joined(lines)


def _circle(radius: float, z: float, turn: Floats) -> Floats:
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), np.full(turn.shape, z)], axis=1)


def _out(ends: Ends, placement: Placement) -> Ends:
    first, last = (p @ placement.rotation.T + np.array(placement.centre_mm) for p in ends)
    return first, last


def _joined(lines: Sequence[Ends]) -> Ends:
    if not lines:
        return np.empty((0, 3)), np.empty((0, 3))
    return np.concatenate([line[0] for line in lines]), np.concatenate([line[1] for line in lines])
