"""Shapes drawn at random for hypothesis, and packed alone."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.scene import Part
from dosewright.core.shapes import (
    Cone,
    Difference,
    Intersection,
    Placement,
    Polycone,
    Shape,
    Sphere,
    Union,
)
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene.cells import cells_of
from dosewright.geometry.scene.pack import pack_scene
from dosewright.geometry.scene.trace import SceneTables

Array = NDArray[np.float64]

lengths = st.floats(1.0, 30.0)
shares = st.sampled_from([0.0, 0.3, 0.9])
sectors = st.sampled_from([(0.0, 360.0), (20.0, 90.0), (-40.0, 180.0), (100.0, 250.0), (0.0, 359.0)])


@st.composite
def outlines(draw: st.DrawFn) -> Array:
    """A star-shaped polygon, mostly concave, either way round, at times with points on its sides."""
    count = draw(st.integers(3, 12))
    radii = np.array(draw(st.lists(st.floats(3.0, 20.0), min_size=count, max_size=count)))
    angles = 2 * np.pi * np.arange(count) / count
    points = np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])
    if draw(st.booleans()):
        points = np.insert(points, 1, (points[0] + points[1]) / 2, axis=0)
    return points[::-1] if draw(st.booleans()) else points


@st.composite
def simple_shapes(draw: st.DrawFn) -> Shape:
    """Any shape that is not a boolean."""
    kind = draw(st.integers(0, 6))
    a, b, c, d = (draw(lengths) for _ in range(4))
    f, g = draw(shares), draw(shares)
    if kind == 0:
        return Box((a, b, c))
    if kind == 1:
        return Tube(a, b, f * a, *draw(sectors))
    if kind == 2:
        lower = a * draw(st.sampled_from([0.0, 1.0]))
        return Cone(lower, b, c, f * lower, g * b, *draw(sectors))
    if kind == 3:
        return Sphere(a, f * a)
    if kind == 4:
        heights = (0.0, a, a, a + b)
        return Polycone(heights, (c, d, c + 1.0, d / 2), (f * c, f * d, g * c, g * d / 2))
    if kind == 5:
        return Frustum((a, b), (c, d * f), draw(lengths))
    return Prism(draw(outlines()), a)


rotations = st.sampled_from([(0.0, 0.0), (90.0, 0.0), (30.0, 50.0), (180.0, -20.0)])


@st.composite
def placements(draw: st.DrawFn, reach: float = 15.0) -> Placement:
    """Near the origin, straight or not."""
    x, y = draw(rotations)
    centre = tuple(draw(st.one_of(st.just(0.0), st.floats(-reach, reach))) for _ in range(3))
    return Placement(centre, rotation_about("y", y) @ rotation_about("x", x))


def _combined(shapes: st.SearchStrategy[Shape]) -> st.SearchStrategy[Shape]:
    operations = st.sampled_from([Union, Intersection, Difference])
    return st.builds(lambda how, a, b, p: how(a, b, p), operations, shapes, shapes, placements())


shapes = st.recursive(simple_shapes(), _combined, max_leaves=3)
bodies = shapes.filter(lambda shape: bool(cells_of(shape, Rigid.identity())))


def packed(*parts: Part, frame: Rigid | None = None) -> SceneTables:
    """Pack parts in a vacuum, part k of material k and density k + 1."""
    media = {part.name: (k, k + 1.0) for k, part in enumerate(parts)}
    return pack_scene(parts, (99, 0.0), media, None, frame or Rigid.identity()).tables


def alone(shape: Shape) -> SceneTables:
    """Pack a shape around the origin."""
    return packed(Part("one", shape, None))
