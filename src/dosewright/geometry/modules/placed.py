"""Shapes with their places, made and combined in the axes of a module."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.shapes import Intersection, Placement, Shape, Union
from dosewright.core.solids import Prism, Tube

Vector = NDArray[np.float64]
Points = Sequence[tuple[float, float]]


class Placed(NamedTuple):
    """A shape and where it lies."""

    shape: Shape
    placement: Placement


@dataclass(frozen=True)
class Axes:
    """The axes of a module: `travel` (u), `cross` (v), and `up` (w), against the flight; unit vectors of its parent.

    They need not be right-handed: what is made here is symmetric along the axis it is extruded.
    """

    travel: Vector
    cross: Vector
    up: Vector

    @classmethod
    def of(cls, orientation: str, beam: int) -> "Axes":
        """Return the axes of a module that moves along x or y, with the beam along z times `beam`."""
        x, y, z = np.eye(3)
        return cls(x, y, -beam * z) if orientation == "X" else cls(y, x, -beam * z)

    def point(self, u: float, v: float, w: float) -> Vector:
        """Return a point in the axes of the parent."""
        at: Vector = u * self.travel + v * self.cross + w * self.up
        return at

    def along_travel(self, outline_vw: Points, u0: float, u1: float) -> Placed:
        """Return an outline in (v, w), extruded along the travel."""
        return extruded(outline_vw, self.cross, self.up, self.travel, (u0, u1))

    def along_cross(self, outline_uw: Points, v0: float, v1: float) -> Placed:
        """Return an outline in (u, w), extruded across the travel."""
        return extruded(outline_uw, self.travel, self.up, self.cross, (v0, v1))

    def roller(self, u: float, w: float, radius: float, v0: float, v1: float) -> Placed:
        """Return a cylinder across the travel."""
        return Placed(
            Tube(radius, v1 - v0), placement(self.point(u, 0.5 * (v0 + v1), w), self.travel, self.up, self.cross)
        )


def placement(centre: Vector, first: Vector, second: Vector, third: Vector) -> Placement:
    """Return a place with the first two axes as given; the third may be turned round to make a rotation."""
    sign = np.sign(np.dot(np.cross(first, second), third))
    x, y, z = (float(value) for value in centre)
    return Placement((x, y, z), np.column_stack([first, second, sign * third]))


def extruded(outline: Points, first: Vector, second: Vector, along: Vector, span: tuple[float, float]) -> Placed:
    """Return an outline in two directions, extruded along a third between two positions."""
    middle = 0.5 * (span[0] + span[1]) * along
    return Placed(Prism(np.array(outline, float), span[1] - span[0]), placement(middle, first, second, along))


def combined(kind: Callable[[Shape, Shape, Placement], Shape], first: Placed, second: Placed) -> Placed:
    """Return a union, intersection or difference of two placed shapes, with the place of the first."""
    turn = first.placement.rotation
    x, y, z = turn.T @ (np.array(second.placement.centre_mm) - np.array(first.placement.centre_mm))
    relative = Placement((float(x), float(y), float(z)), turn.T @ second.placement.rotation)
    return Placed(kind(first.shape, second.shape, relative), first.placement)


def common(first: Placed, second: Placed) -> Placed:
    """Return what lies in both."""
    return combined(Intersection, first, second)


def united(shapes: Sequence[Placed]) -> Placed:
    """Return all shapes as one, in a balanced tree of unions."""
    if len(shapes) == 1:
        return shapes[0]
    half = len(shapes) // 2
    return combined(Union, united(shapes[:half]), united(shapes[half:]))
