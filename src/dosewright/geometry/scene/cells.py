"""Shapes as unions of cells: intersections of the sides of surfaces. Lengths in mm, on the host."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.frame import Rigid
from dosewright.core.shapes import Cone, Difference, Intersection, Placement, Polycone, Shape, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene.polygons import convex_pieces
from dosewright.geometry.scene.polytope import SAME_MM, THINNEST_MM, corners, thickness
from dosewright.geometry.scene.surfaces import PLANE, Surface, ball, cone, plane

Array = NDArray[np.float64]
HALF_TURN = 180.0
SURELY_MM = 1.0e-9


@dataclass(frozen=True)
class Cell:
    """An intersection of sides of surfaces, and the box that holds it."""

    surfaces: tuple[Surface, ...]
    low_mm: Array
    high_mm: Array


def placed(placement: Placement) -> Rigid:
    """Return a placement as a transform to the axes of what holds it."""
    return Rigid(placement.rotation, np.asarray(placement.centre_mm, float))


def cells_of(shape: Shape, frame: Rigid) -> list[Cell]:
    """Return the cells of a shape placed by a transform; cells of one shape may overlap, none is empty."""
    if isinstance(shape, Union):
        return cells_of(shape.first, frame) + _second(shape, frame)
    if isinstance(shape, Intersection):
        firsts, seconds = cells_of(shape.first, frame), _second(shape, frame)
        pairs = [(a, b) for a in firsts for b in seconds if not _apart(a, b)]
        return [cell for a, b in pairs for cell in _both(a, b.surfaces)]
    if isinstance(shape, Difference):
        left = cells_of(shape.first, frame)
        for hole in _second(shape, frame):
            left = [cell for a in left for cell in _without(a, hole)]
        return left
    simple = [simplified(tuple(s.moved(frame) for s in surfaces)) for surfaces in _primitive(shape)]
    return [cell for cell in simple if cell is not None]


def _second(shape: Union | Intersection | Difference, frame: Rigid) -> list[Cell]:
    return cells_of(shape.second, placed(shape.placement).then(frame))


def _apart(one: Cell, other: Cell) -> bool:
    return bool(np.any(other.high_mm <= one.low_mm) or np.any(other.low_mm >= one.high_mm))


def _both(cell: Cell, surfaces: tuple[Surface, ...]) -> list[Cell]:
    found = simplified((*cell.surfaces, *surfaces))
    return [] if found is None else [found]


def _without(cell: Cell, hole: Cell) -> list[Cell]:
    """Return a cell less another as cells that do not overlap."""
    shared = [] if _apart(cell, hole) else _both(cell, hole.surfaces)
    if not shared:
        return [cell]
    pieces: list[Cell] = []
    rest = [cell]
    for surface in hole.surfaces:
        if any(s is surface for s in shared[0].surfaces):  # the others do not cut
            pieces += [piece for one in rest for piece in _both(one, (surface.opposite(),))]
            rest = [inner for one in rest for inner in _both(one, (surface,))]
    return pieces


def simplified(surfaces: tuple[Surface, ...]) -> Cell | None:
    """Return a cell without the surfaces that cannot cut it; None where it is empty.

    What is taken for empty or for uncut is so: curved surfaces are judged by half-spaces that hold their inside.
    """
    surfaces = _distinct(surfaces)
    tangents = {id(s): s.tangents() for s in surfaces}
    around = np.concatenate([tangents[id(s)] for s in surfaces if s.inside])
    hull = corners(around)
    if thickness(hull, around) < THINNEST_MM:
        return None
    kept = list(surfaces)
    for surface in surfaces:
        inner = [s for s in kept if s.inside and s is not surface]  # what was dropped no longer speaks for others
        beyond = surface.beyond(hull)
        if not surface.inside:
            if np.all(beyond < -SURELY_MM) or any(surface.covers(s) for s in inner):
                return None
            shared = np.concatenate([around, tangents[id(surface)]])
            needed = thickness(corners(shared), shared) > THINNEST_MM
        elif surface.kind == PLANE:
            needed = int(np.sum(beyond > -SAME_MM)) >= 3
        elif any(surface.covers(s) for s in inner):
            needed = False
        else:
            without = corners(np.concatenate([*(tangents[id(s)] for s in inner), _far(hull)]))
            needed = len(without) < 4 or bool(np.any(surface.beyond(without) > -SURELY_MM))
        if not needed:
            kept = [s for s in kept if s is not surface]
    return Cell(tuple(kept), hull.min(axis=0), hull.max(axis=0))


def _far(hull: Array) -> Array:
    """Return half-spaces far around points, so that what is open without a surface is seen to be."""
    low, high = hull.min(axis=0), hull.max(axis=0)
    reach = 3.0 * float((high - low).max())
    return np.vstack([np.column_stack([np.eye(3), high + reach]), np.column_stack([-np.eye(3), -low + reach])])


def _distinct(surfaces: tuple[Surface, ...]) -> tuple[Surface, ...]:
    """Return surfaces without those given twice."""
    seen: dict[tuple[object, ...], Surface] = {}
    for s in surfaces:
        seen.setdefault((s.kind, *s.point.tolist(), *s.axis.tolist(), s.size, s.inside), s)
    return tuple(seen.values())


def _primitive(shape: Shape) -> list[tuple[Surface, ...]]:
    """Return the surfaces of the cells of a shape around its own origin."""
    for name, value in vars(shape).items():
        _refuse_unless(bool(np.isfinite(value).all()), f"The {name} of a {type(shape).__name__} must be finite", value)
    if isinstance(shape, Box):
        _refuse_unless(all(s > 0 for s in shape.size_mm), "A box needs positive sizes", shape.size_mm)
        return [_slab(0, shape.size_mm[0]) + _slab(1, shape.size_mm[1]) + _slab(2, shape.size_mm[2])]
    if isinstance(shape, Tube):
        half = shape.length_mm / 2
        radii = (shape.radius_mm, shape.radius_mm, shape.inner_radius_mm, shape.inner_radius_mm)
        return _sectors(_rings(-half, half, *radii), shape.start_deg, shape.sweep_deg)
    if isinstance(shape, Cone):
        half = shape.length_mm / 2
        radii = (shape.lower_radius_mm, shape.upper_radius_mm, shape.lower_inner_mm, shape.upper_inner_mm)
        return _sectors(_rings(-half, half, *radii), shape.start_deg, shape.sweep_deg)
    if isinstance(shape, Sphere):
        given = (shape.radius_mm, shape.inner_radius_mm)
        _refuse_unless(0 <= given[1] < given[0], "A sphere needs radii that ascend", given)
        hole = (ball(shape.inner_radius_mm).opposite(),) if shape.inner_radius_mm > 0 else ()
        return [(ball(shape.radius_mm), *hole)]
    if isinstance(shape, Polycone):
        return _polycone(shape)
    if isinstance(shape, Prism):
        _refuse_unless(shape.length_mm > 0, "A prism needs a positive length", shape.length_mm)
        return [_extruded(piece) + _slab(2, shape.length_mm) for piece in convex_pieces(shape.outline_mm)]
    if isinstance(shape, Frustum):
        return [_frustum(shape)]
    raise refuse("A scene does not know this shape", given=type(shape).__name__)


def _refuse_unless(right: bool, what: str, given: object) -> None:
    if not right:
        raise refuse(what, given=given)


def _slab(axis: int, size_mm: float) -> tuple[Surface, ...]:
    normal = np.eye(3)[axis]
    return plane(normal, size_mm / 2), plane(-normal, size_mm / 2)


def _extruded(outline: Array) -> tuple[Surface, ...]:
    """Return the sides of a convex anticlockwise polygon."""
    sides = []
    for a, b in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        normal = np.array([b[1] - a[1], a[0] - b[0], 0.0])
        sides.append(plane(normal, float(normal[:2] @ (a + b)) / 2))
    return tuple(sides)


def _frustum(shape: Frustum) -> tuple[Surface, ...]:
    lengths = (*shape.lower_mm, *shape.upper_mm)
    allowed = shape.length_mm > 0 and min(lengths) >= 0
    _refuse_unless(allowed, "A trapezoid needs a positive length and no negative sides", (*lengths, shape.length_mm))
    sides = list(_slab(2, shape.length_mm))
    for k in range(2):
        slope = (shape.lower_mm[k] - shape.upper_mm[k]) / 2 / shape.length_mm
        for sign in (1.0, -1.0):
            normal = np.array([0.0, 0.0, slope])
            normal[k] = sign
            sides.append(plane(normal, (shape.lower_mm[k] + shape.upper_mm[k]) / 4))
    return tuple(sides)


def _rings(
    low: float, high: float, lower: float, upper: float, lower_inner: float, upper_inner: float
) -> tuple[Surface, ...]:
    """Return the surfaces of a frustum of a cone or cylinder, hollow or not; none where it is empty."""
    given = (lower_inner, lower, upper_inner, upper)
    _refuse_unless(high > low, "A tube or cone needs a positive length", high - low)
    right = 0 <= lower_inner <= lower and 0 <= upper_inner <= upper and lower + upper > 0
    _refuse_unless(right, "A tube or cone needs inner radii within the outer ones", given)
    if lower_inner == lower and upper_inner == upper:
        return ()
    ends = (plane((0, 0, 1), high), plane((0, 0, -1), -low))
    outer = cone(low, lower, high, upper)
    if lower_inner == 0 and upper_inner == 0:
        return (outer, *ends)
    return (outer, cone(low, lower_inner, high, upper_inner).opposite(), *ends)


def _sectors(ring: tuple[Surface, ...], start_deg: float, sweep_deg: float) -> list[tuple[Surface, ...]]:
    """Return a ring, or the one or two convex sectors of it."""
    _refuse_unless(sweep_deg > 0, "A sector needs a positive angle", sweep_deg)
    if not ring:
        return []
    if sweep_deg >= 2 * HALF_TURN:
        return [ring]
    if sweep_deg > HALF_TURN:
        half = sweep_deg / 2
        return _sectors(ring, start_deg, half) + _sectors(ring, start_deg + half, half)
    first, last = np.deg2rad(start_deg), np.deg2rad(start_deg + sweep_deg)
    sides = [plane((np.sin(first), -np.cos(first), 0.0), 0.0)]
    if sweep_deg < HALF_TURN:
        sides.append(plane((-np.sin(last), np.cos(last), 0.0), 0.0))
    return [(*ring, *sides)]


def _polycone(shape: Polycone) -> list[tuple[Surface, ...]]:
    z, outer, inner = shape.z_mm, shape.radius_mm, shape.inner_mm
    steps = np.diff(z)
    counts = len(z) == len(outer) == len(inner) and len(z) >= 2
    _refuse_unless(counts, "A polycone needs as many radii as heights, at least two", (len(z), len(outer), len(inner)))
    _refuse_unless(
        bool(np.all(steps >= 0) or np.all(steps <= 0)), "The heights of a polycone must ascend or descend", z
    )
    levels = list(zip(z, outer, inner, strict=True))
    pieces = []
    for one, other in pairwise(levels if z[0] <= z[-1] else levels[::-1]):
        if other[0] > one[0] and one[1] + other[1] > 0:
            pieces.append(_rings(one[0], other[0], one[1], other[1], one[2], other[2]))
    return [piece for piece in pieces if piece]
