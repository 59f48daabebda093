"""Solids of geometry text as shapes; sizes in the order of Geant4's classes, half lengths where those take them.

Source: Geant4, Book for Application Developers, "Solids"; `P. Arce, Geant4 geometry from text file, manual 1.0`.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from dosewright.core.errors import nearest, refuse
from dosewright.core.shapes import Cone, Intersection, Placement, Polycone, Shape, Sphere
from dosewright.core.solids import Box, Frustum, Prism, Triple, Tube
from dosewright.formats.text.gamos.expressions import Parameters
from dosewright.formats.text.gamos.lexer import Word
from dosewright.formats.text.scene.shape_rules import check_shape

FULL_TURN_DEG = 360.0
MOST_POINTS = 10000
OTHER_SOLIDS = ("PARA", "TORUS", "POLYHEDRA", "ELLIPTICALTUBE", "ELLIPSOID", "ELLIPTICALCONE", "HYPE", "TET",
                "TWISTEDBOX", "TWISTEDTRAP", "TWISTEDTRD", "TWISTEDTUBS", "TESSELLATED", "GENERICTRAP")  # fmt: skip


class Made(NamedTuple):
    """A shape, and where the origin of the solid's own shape lies in the axes of the solid, mm."""

    shape: Shape
    shift_mm: Triple = (0.0, 0.0, 0.0)


class Sizes:
    """The numbers of a solid: lengths in mm, or angles in degrees, by their position."""

    def __init__(self, kind: str, name: str, where: str, words: Sequence[Word], parameters: Parameters) -> None:
        self.kind, self.name, self.where = kind, name, where
        self._words, self._parameters = words, parameters

    def __len__(self) -> int:
        return len(self._words)

    def mm(self, position: int) -> float:
        """Return a length."""
        return self._parameters.length_mm(self._words[position])

    def deg(self, position: int) -> float:
        """Return an angle."""
        return self._parameters.angle_deg(self._words[position])

    def number(self, position: int) -> float:
        """Return a bare number."""
        return self._parameters.number(self._words[position])

    def count(self, position: int, what: str) -> int:
        """Return a count."""
        return self._parameters.whole(self._words[position], what, MOST_POINTS)

    def must_have(self, *counts: int, what: str = "") -> None:
        """Refuse another number of sizes than these."""
        if len(self) not in counts:
            allowed = " or ".join(str(count) for count in counts) + (f": {what}" if what else "")
            raise refuse(f"The {self.kind} {self.name!r} has another number of sizes than it needs", given=len(self),
                         allowed=allowed, where=self.where)  # fmt: skip


def solid(kind: str, name: str, words: Sequence[Word], parameters: Parameters, where: str) -> Made:
    """Return a solid that is not made of others."""
    if kind not in SOLIDS:
        known = kind in OTHER_SOLIDS
        what = f"The solid {kind} of Geant4 is not known here" if known else f"Unknown solid.{nearest(kind, SOLIDS)}"
        raise refuse(what, given=repr(kind), allowed=", ".join([*SOLIDS, "UNION, SUBTRACTION, INTERSECTION"]),
                     where=where)  # fmt: skip
    made = SOLIDS[kind](Sizes(kind, name, where, words, parameters))
    plain = made.shape.first if isinstance(made.shape, Intersection) else made.shape
    check_shape(plain, f"The {kind} {name!r}", where)
    return made


def _sector(sizes: Sizes, start: int) -> tuple[float, float]:
    """Return start and sweep; a turn or more is a whole one."""
    sweep = sizes.deg(start + 1)
    if not sweep > 0:
        raise refuse(f"The {sizes.kind} {sizes.name!r} sweeps no angle", given=f"{sweep:g} degrees", where=sizes.where)
    return (0.0, FULL_TURN_DEG) if sweep >= FULL_TURN_DEG - 1e-6 else (sizes.deg(start), sweep)


def _cut(shape: Shape, sector: tuple[float, float], radius_mm: float, low_mm: float, high_mm: float) -> Shape:
    """Return the sector of a shape around z; the tube that cuts it out is larger than it everywhere."""
    if sector[1] == FULL_TURN_DEG:
        return shape
    length = high_mm - low_mm
    wedge = Tube(1.5 * radius_mm, 1.5 * length, 0.0, *sector)
    return Intersection(shape, wedge, Placement((0.0, 0.0, 0.5 * (low_mm + high_mm))))


def _box(sizes: Sizes) -> Made:
    sizes.must_have(3, what="half lengths x, y, z")
    return Made(Box((2 * sizes.mm(0), 2 * sizes.mm(1), 2 * sizes.mm(2))))


def _tube(sizes: Sizes) -> Made:
    sizes.must_have(3, 5, what="inner and outer radius, half length, start and sweep of a sector")
    sector = _sector(sizes, 3) if len(sizes) == 5 else (0.0, FULL_TURN_DEG)
    return Made(Tube(sizes.mm(1), 2 * sizes.mm(2), sizes.mm(0), *sector))


def _cone(sizes: Sizes) -> Made:
    sizes.must_have(5, 7, what="inner and outer radius at -z, the same at +z, half length, start and sweep")
    sector = _sector(sizes, 5) if len(sizes) == 7 else (0.0, FULL_TURN_DEG)
    return Made(Cone(sizes.mm(1), sizes.mm(3), 2 * sizes.mm(4), sizes.mm(0), sizes.mm(2), *sector))


def _sphere(sizes: Sizes) -> Made:
    sizes.must_have(2, 6, what="inner and outer radius, start and sweep in phi, start and sweep in theta")
    ball = Sphere(sizes.mm(1), sizes.mm(0))
    if len(sizes) == 2:
        return Made(ball)
    if abs(sizes.deg(4)) > 1e-6 or sizes.deg(5) < 180.0 - 1e-6:
        raise refuse(f"The sphere {sizes.name!r} is cut in theta, which is not known here",
                     given=f"{sizes.deg(4):g} and {sizes.deg(5):g} degrees", allowed="0 and 180; cut it with a CONE",
                     where=sizes.where)  # fmt: skip
    return Made(_cut(ball, _sector(sizes, 2), ball.radius_mm, -ball.radius_mm, ball.radius_mm))


def _orb(sizes: Sizes) -> Made:
    sizes.must_have(1, what="the radius")
    return Made(Sphere(sizes.mm(0)))


def _polycone(sizes: Sizes) -> Made:
    if len(sizes) < 3:
        sizes.must_have(9, what="start, sweep, number of planes, then z, inner and outer radius of each")
    planes = sizes.count(2, "the number of planes")
    if len(sizes) == 3 + 2 * planes:
        raise refuse(f"The POLYCONE {sizes.name!r} is given by corners (r, z), which is not known here",
                     allowed="planes: z, inner and outer radius of each", where=sizes.where)  # fmt: skip
    sizes.must_have(3 + 3 * planes, what="start, sweep, number of planes, then z, inner and outer radius of each")
    z, inner, outer = (tuple(sizes.mm(3 + 3 * i + k) for i in range(planes)) for k in range(3))
    shape = Polycone(z, outer, inner)
    check_shape(shape, f"The POLYCONE {sizes.name!r}", sizes.where)
    return Made(_cut(shape, _sector(sizes, 0), max(outer), min(z), max(z)))


def _trd(sizes: Sizes) -> Made:
    sizes.must_have(5, what="half lengths x at -z, x at +z, y at -z, y at +z, z")
    x1, x2, y1, y2, z = (2 * sizes.mm(i) for i in range(5))
    return Made(Frustum((x1, y1), (x2, y2), z))


def _trap(sizes: Sizes) -> Made:
    """Return a trapezoid whose faces are rectangles, or one that is the same at all z."""
    sizes.must_have(4, 11, what="z, y, x wide, x narrow (full lengths), or dz theta phi dy1 dx1 dx2 alpha1 dy2 dx3 ...")
    if len(sizes) == 4:
        z, y, wide, narrow = (sizes.mm(i) for i in range(4))
        left, right = -0.25 * (wide + narrow), 0.25 * (3 * wide - narrow)
        outline = [(left, -0.5 * y), (right, -0.5 * y), (left + narrow, 0.5 * y), (left, 0.5 * y)]
        return Made(Prism(np.array(outline), z))
    dz, dy1, dx1, dx2, dy2, dx3, dx4 = (sizes.mm(i) for i in (0, 3, 4, 5, 7, 8, 9))
    theta, alpha1, alpha2 = (sizes.deg(i) for i in (1, 6, 10))
    sizes.deg(2)
    if theta == 0 and alpha1 == alpha2 == 0 and dx1 == dx2 and dx3 == dx4:
        return Made(Frustum((2 * dx1, 2 * dy1), (2 * dx3, 2 * dy2), 2 * dz))
    if theta == 0 and (dy1, dx1, dx2, alpha1) == (dy2, dx3, dx4, alpha2) and abs(alpha1) < 89:
        lean = dy1 * float(np.tan(np.radians(alpha1)))
        outline = [(-lean - dx1, -dy1), (-lean + dx1, -dy1), (lean + dx2, dy1), (lean - dx2, dy1)]
        return Made(Prism(np.array(outline), 2 * dz))
    raise refuse(f"The TRAP {sizes.name!r} leans in a way that is not known here",
                 allowed="faces that are rectangles without theta and alpha, or two equal faces and theta = 0",
                 where=sizes.where)  # fmt: skip


def _extruded(sizes: Sizes) -> Made:
    """Return a polygon between two planes; sections in between must be of the same size."""
    if not len(sizes):
        sizes.must_have(15, what="number of corners, x and y of each, number of planes, z, x, y and scale of each")
    corners = sizes.count(0, "the number of corners")
    second = 1 + 2 * corners
    if len(sizes) <= second:
        sizes.must_have(second + 9, what="number of corners, x and y of each, number of planes, z, x, y, scale of each")
    planes = sizes.count(second, "the number of planes")
    sizes.must_have(second + 1 + 4 * planes, what=f"{corners} corners (x, y) and {planes} planes (z, x, y, scale)")
    outline = np.array([(sizes.mm(1 + 2 * i), sizes.mm(2 + 2 * i)) for i in range(corners)])
    first = second + 1
    z = [sizes.mm(first + 4 * i) for i in range(planes)]
    straight = all(
        sizes.mm(k + 1) == sizes.mm(k + 2) == 0 and sizes.number(k + 3) == 1
        for k in range(first, first + 4 * planes, 4)
    )
    if not straight or planes < 2 or np.any(np.diff(z) <= 0):
        raise refuse(f"The EXTRUDED {sizes.name!r} must be the same at all z", where=sizes.where,
                     allowed="two planes or more, z ascending, offsets 0 and scales 1")  # fmt: skip
    return Made(Prism(outline, z[-1] - z[0]), (0.0, 0.0, 0.5 * (z[0] + z[-1])))


SOLIDS: dict[str, Callable[[Sizes], Made]] = {
    "BOX": _box,
    "TUBE": _tube,
    "TUBS": _tube,
    "CONE": _cone,
    "CONS": _cone,
    "SPHERE": _sphere,
    "ORB": _orb,
    "POLYCONE": _polycone,
    "TRD": _trd,
    "TRAP": _trap,
    "EXTRUDED": _extruded,
}
