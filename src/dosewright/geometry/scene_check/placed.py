"""Parts placed in the axes of the scene: where each lies, how deep in the tree, and whether the tree is one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from dosewright.core.errors import nearest
from dosewright.core.frame import Rigid
from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Difference, Intersection, Placement, Polycone, Shape, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene_check.chords import Rays, chords
from dosewright.geometry.scene_check.intervals import Floats


@dataclass(frozen=True)
class Placed:
    """A part in the axes of the scene.

    `steps` lead from the scene's axes to the part's own, in order; after a step that turns, the axes turn about z by
    the phase. `low` and `high` are the corners of a box along the scene's axes that holds it in every phase, mm.
    """

    part: Part
    index: int
    depth: int
    parent: int
    steps: tuple[tuple[Placement, bool], ...]
    low: Floats
    high: Floats

    @property
    def name(self) -> str:
        """The name of the part."""
        return self.part.name

    @property
    def turns(self) -> bool:
        """Whether it, or what it lies in, turns."""
        return any(turning for _, turning in self.steps)

    def chords(self, rays: Rays, phase: Floats) -> Floats:
        """Return the bounds of the part along rays in the scene's axes; `phase` is the angle (rad) of each ray."""
        for placement, turning in self.steps:
            rays = rays.into(placement)
            if turning:
                rays = _turned(rays, -phase)
        return chords(self.part.shape, rays)

    def to_scene(self, rays: Rays, phase: Floats) -> Rays:
        """Return rays in the part's own axes as rays in those of the scene."""
        for placement, turning in reversed(self.steps):
            if turning:
                rays = _turned(rays, phase)
            turned = rays.origin @ placement.rotation.T, rays.direction @ placement.rotation.T
            rays = Rays(turned[0] + np.array(placement.centre_mm), turned[1])
        return rays


def place(parts: Sequence[Part]) -> tuple[tuple[Placed, ...], tuple[str, ...]]:
    """Return every part that can be placed, and what is wrong with the tree of parts."""
    problems: list[str] = []
    first: dict[str, Part] = {}
    for part in parts:
        if part.name in first:
            problems.append(f"Two parts are called {part.name!r}.{_at(part, first[part.name])}")
        first.setdefault(part.name, part)
    placed: dict[str, Placed] = {}
    for part in first.values():
        line = _ancestors(part, first)
        if isinstance(line, str):
            problems.append(line + _at(part))
            continue
        steps = tuple((one.placement, one.turns) for one in reversed(line))
        low, high = _box_in_scene(part.shape, steps)
        placed[part.name] = Placed(part, len(placed), len(line), -1, steps, low, high)
    return tuple(
        Placed(p.part, p.index, p.depth, placed[p.part.parent].index if p.part.parent else -1, p.steps, p.low, p.high)
        for p in placed.values()
    ), tuple(problems)


def _ancestors(part: Part, known: dict[str, Part]) -> list[Part] | str:
    """Return a part and all that it lies in, outwards; or what is wrong with that."""
    line = [part]
    while line[-1].parent is not None:
        parent = known.get(line[-1].parent)
        if parent is None:
            name = line[-1].parent
            if len(line) > 1:
                return f"The part {part.name!r} lies in {line[1].name!r}, which cannot be placed."
            return f"The part {part.name!r} lies in {name!r}, which the scene has not.{nearest(name, known)}"
        if parent in line:
            names = [one.name for one in line] + [parent.name]
            return f"Parts lie in one another in a loop: {' in '.join(map(repr, names))}."
        line.append(parent)
    return line


def _at(*parts: Part) -> str:
    where = ", ".join(part.where for part in parts if part.where)
    return f" Where: {where}." if where else ""


def own_box(shape: Shape) -> tuple[Floats, Floats]:
    """Return the lowest and highest corner of a box along a shape's own axes that holds it; empty: low above high."""
    match shape:
        case Box():
            half = np.array(shape.size_mm) / 2
        case Frustum():
            half = np.array([*np.maximum(shape.lower_mm, shape.upper_mm), shape.length_mm]) / 2
        case Tube():
            half = np.array([shape.radius_mm, shape.radius_mm, shape.length_mm / 2])
        case Cone():
            radius = max(shape.lower_radius_mm, shape.upper_radius_mm)
            half = np.array([radius, radius, shape.length_mm / 2])
        case Sphere():
            half = np.full(3, shape.radius_mm)
        case Prism():
            low, high = shape.outline_mm.min(0), shape.outline_mm.max(0)
            return np.append(low, -shape.length_mm / 2), np.append(high, shape.length_mm / 2)
        case Polycone():
            radius = max(shape.radius_mm)
            return np.array([-radius, -radius, min(shape.z_mm)]), np.array([radius, radius, max(shape.z_mm)])
        case Union():
            first, second = own_box(shape.first), box_around(*own_box(shape.second), shape.placement)
            return np.minimum(first[0], second[0]), np.maximum(first[1], second[1])
        case Intersection():
            first, second = own_box(shape.first), box_around(*own_box(shape.second), shape.placement)
            return np.maximum(first[0], second[0]), np.minimum(first[1], second[1])
        case Difference():
            return own_box(shape.first)
        case _:
            raise TypeError(f"no box of {type(shape).__name__}")
    return -half, half


def box_around(low: Floats, high: Floats, placement: Placement | Rigid) -> tuple[Floats, Floats]:
    """Return the corners of the box that holds a placed box."""
    if isinstance(placement, Rigid):
        rotation, shift = placement.rotation, placement.translation
    else:
        rotation, shift = placement.rotation, np.array(placement.centre_mm)
    middle, half = rotation @ ((low + high) / 2) + shift, np.abs(rotation) @ ((high - low) / 2)
    return middle - half, middle + half


def _box_in_scene(shape: Shape, steps: Sequence[tuple[Placement, bool]]) -> tuple[Floats, Floats]:
    low, high = own_box(shape)
    for placement, turning in reversed(steps):
        if turning:
            radius = max(float(np.hypot(x, y)) for x, y in product((low[0], high[0]), (low[1], high[1])))
            low, high = np.array([-radius, -radius, low[2]]), np.array([radius, radius, high[2]])
        low, high = box_around(low, high, placement)
    return low, high


def _turned(rays: Rays, angle: Floats) -> Rays:
    """Return rays turned about z, each by its own angle (rad)."""
    c, s = np.cos(angle), np.sin(angle)

    def turn(v: Floats) -> Floats:
        return np.stack([c * v[:, 0] - s * v[:, 1], s * v[:, 0] + c * v[:, 1], v[:, 2]], axis=1)

    return Rays(turn(rays.origin), turn(rays.direction))
