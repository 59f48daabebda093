"""Parts placed in the axes of the scene: where each lies, how deep in the tree, and whether the tree is one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.part_tree import ancestry, tree_problems, turns_twice
from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Difference, Intersection, Placement, Polycone, Shape, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene_check.chords import Rays, chords
from dosewright.geometry.scene_check.intervals import Floats

ANGLES = 64  # at which what turns is looked at for the box around it


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
    first: dict[str, Part] = {}
    for part in parts:
        first.setdefault(part.name, part)
    placed: dict[str, Placed] = {}
    for part in first.values():
        line = ancestry(part, first)
        if line is None or turns_twice(line):
            continue
        steps = tuple((one.placement, one.turns) for one in reversed(line))
        low, high = _box_in_scene(part.shape, steps)
        placed[part.name] = Placed(part, len(placed), len(line), -1, steps, low, high)
    return tuple(
        Placed(p.part, p.index, p.depth, placed[p.part.parent].index if p.part.parent else -1, p.steps, p.low, p.high)
        for p in placed.values()
    ), tuple(tree_problems(parts))


def own_box(shape: Shape) -> tuple[Floats, Floats]:
    """Return the lowest and highest corner of a box along a shape's own axes that holds it; empty: low above high."""
    return box_in(shape, Rigid.identity())


def box_in(shape: Shape, frame: Rigid) -> tuple[Floats, Floats]:
    """Return the corners of the smallest box, along the axes that `frame` leads to, that holds a shape.

    Of round and of combined shapes in slanted axes it may be larger than the smallest; empty: low above high.
    """
    match shape:
        case Box():
            x, y, z = (length / 2 for length in shape.size_mm)
            return _around_points(np.array(list(product((-x, x), (-y, y), (-z, z)))), frame)
        case Frustum():
            levels = ((shape.lower_mm, -shape.length_mm / 2), (shape.upper_mm, shape.length_mm / 2))
            corners = [(i * a / 2, j * b / 2, z) for (a, b), z in levels for i, j in product((-1, 1), repeat=2)]
            return _around_points(np.array(corners), frame)
        case Prism():
            heights = np.full(len(shape.outline_mm), shape.length_mm / 2)
            ends = [np.column_stack([shape.outline_mm, side * heights]) for side in (-1, 1)]
            return _around_points(np.concatenate(ends), frame)
        case Sphere():
            return frame.translation - shape.radius_mm, frame.translation + shape.radius_mm
        case Tube():
            return _around_discs(
                ((shape.radius_mm, -shape.length_mm / 2), (shape.radius_mm, shape.length_mm / 2)), frame
            )
        case Cone():
            half = shape.length_mm / 2
            return _around_discs(((shape.lower_radius_mm, -half), (shape.upper_radius_mm, half)), frame)
        case Polycone():
            return _around_discs(tuple(zip(shape.radius_mm, shape.z_mm, strict=True)), frame)
        case Union() | Intersection() | Difference():
            first = box_in(shape.first, frame)
            second = box_in(shape.second, _frame(shape.placement).then(frame))
            if isinstance(shape, Union):
                return np.minimum(first[0], second[0]), np.maximum(first[1], second[1])
            if isinstance(shape, Intersection):
                return np.maximum(first[0], second[0]), np.minimum(first[1], second[1])
            return first
    raise TypeError(f"no box of {type(shape).__name__}")


def _around_points(points: Floats, frame: Rigid) -> tuple[Floats, Floats]:
    moved = frame.points(points)
    return moved.min(axis=0), moved.max(axis=0)


def _around_discs(discs: Sequence[tuple[float, float]], frame: Rigid) -> tuple[Floats, Floats]:
    """Return the box around discs normal to z, by radius and height: a disc reaches R sin(angle to its normal)."""
    axis = frame.rotation[:, 2]
    reach = np.sqrt(np.maximum(1 - axis**2, 0.0))
    low = np.min([z * axis - radius * reach for radius, z in discs], axis=0)
    high = np.max([z * axis + radius * reach for radius, z in discs], axis=0)
    return frame.translation + low, frame.translation + high


def _frame(placement: Placement) -> Rigid:
    return Rigid(placement.rotation, np.array(placement.centre_mm))


def _box_in_scene(shape: Shape, steps: Sequence[tuple[Placement, bool]]) -> tuple[Floats, Floats]:
    """Return the box of a part in the axes of the scene; of one that turns, around all that it sweeps."""
    turning = [n for n, (_, turns) in enumerate(steps) if turns]
    if not turning:
        return box_in(shape, _composed(steps))
    outside, inside = steps[: turning[0] + 1], steps[turning[0] + 1 :]
    turns = [rotation_about("z", float(angle)) for angle in np.arange(0.0, 360.0, 360.0 / ANGLES)]
    boxes = [box_in(shape, _composed(inside).then(Rigid(turn, np.zeros(3)))) for turn in turns]
    # Between two of the angles a point may reach farther than at both.
    radius = max(float(high[0]) for _, high in boxes) / np.cos(np.pi / ANGLES)
    ends = ((radius, float(boxes[0][0][2])), (radius, float(boxes[0][1][2])))
    return _around_discs(ends, _composed(outside))


def _composed(steps: Sequence[tuple[Placement, bool]]) -> Rigid:
    """Return the way from a part's own axes to those that its steps begin in, at rest."""
    frame = Rigid.identity()
    for placement, _ in reversed(steps):
        frame = frame.then(_frame(placement))
    return frame


def _turned(rays: Rays, angle: Floats) -> Rays:
    """Return rays turned about z, each by its own angle (rad)."""
    c, s = np.cos(angle), np.sin(angle)

    def turn(v: Floats) -> Floats:
        return np.stack([c * v[:, 0] - s * v[:, 1], s * v[:, 0] + c * v[:, 1], v[:, 2]], axis=1)

    return Rays(turn(rays.origin), turn(rays.direction))
