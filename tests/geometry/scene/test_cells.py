"""Shapes as cells: the same points as by definition, and bad shapes refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.geometry.scene.inside import inside
from tests.geometry.scene.shapes_drawn import alone, shapes

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid
from dosewright.core.shapes import Cone, Difference, Intersection, Placement, Polycone, Shape, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.geometry.scene.cells import cells_of
from dosewright.geometry.scene.rays import parts_at

HERE = Rigid.identity()


@settings(max_examples=100, deadline=None)
@given(shapes, st.integers(0, 1000))
def test_the_cells_of_any_shape_hold_what_its_definition_says(shape: Shape, seed: int) -> None:
    points = np.random.default_rng(seed).uniform(-45.0, 45.0, (400, 3))
    points[:200] /= 2
    if cells_of(shape, HERE):
        assert np.array_equal(parts_at(alone(shape), points / 10) == 0, inside(shape, points))
    else:
        assert not inside(shape, points).any()


def test_what_is_empty_has_no_cells() -> None:
    ball = Sphere(10.0)
    assert not cells_of(Intersection(ball, ball, Placement((25.0, 0.0, 0.0))), HERE)
    assert not cells_of(Difference(ball, Box((30.0, 30.0, 30.0))), HERE)
    assert not cells_of(Intersection(Box((2.0, 2.0, 2.0)), Box((2.0, 2.0, 2.0)), Placement((2.0, 0.0, 0.0))), HERE)
    assert not cells_of(Difference(Tube(10.0, 5.0), Tube(10.5, 6.0)), HERE)


def test_surfaces_that_cannot_cut_are_dropped() -> None:
    (cell,) = cells_of(Intersection(Box((10.0, 10.0, 10.0)), Tube(100.0, 50.0)), HERE)
    assert len(cell.surfaces) == 6
    (cell,) = cells_of(Difference(Box((10.0, 10.0, 10.0)), Sphere(10.0), Placement((30.0, 0.0, 0.0))), HERE)
    assert len(cell.surfaces) == 6
    (cell,) = cells_of(Intersection(Sphere(5.0), Box((20.0, 20.0, 20.0))), HERE)
    assert len(cell.surfaces) == 1
    assert np.allclose(cell.low_mm, -5.0)
    assert np.allclose(cell.high_mm, 5.0)


def test_a_difference_has_cells_that_do_not_overlap() -> None:
    cells = cells_of(Difference(Box((20.0, 20.0, 20.0)), Box((10.0, 10.0, 30.0))), HERE)
    assert len(cells) == 4
    points = np.random.default_rng(1).uniform(-10.0, 10.0, (2000, 3))
    held = sum(np.all([s.beyond(points) < 0 for s in cell.surfaces], axis=0).astype(int) for cell in cells)
    assert held.max() == 1


@pytest.mark.parametrize(
    "shape",
    [
        Box((1.0, -1.0, 1.0)),
        Tube(5.0, 0.0),
        Tube(5.0, 1.0, 6.0),
        Tube(5.0, 1.0, 0.0, 0.0, 0.0),
        Tube(-5.0, 1.0),
        Cone(0.0, 0.0, 5.0),
        Cone(5.0, 1.0, 5.0, 0.0, 2.0),
        Sphere(1.0, 2.0),
        Sphere(0.0),
        Frustum((1.0, 1.0), (1.0, -1.0), 1.0),
        Prism(np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), 1.0),
        Prism(np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), 1.0),
        Prism(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), -1.0),
        Prism(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, np.nan]]), 1.0),
        Polycone((0.0,), (1.0,), (0.0,)),
        Polycone((0.0, 2.0, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
        Polycone((0.0, 2.0), (1.0, 1.0, 1.0), (0.0, 0.0)),
        Sphere(float("nan")),
        Box((1.0, float("inf"), 1.0)),
        Union(Box((1.0, 1.0, 1.0)), Sphere(-1.0)),
    ],
)
def test_impossible_shapes_are_refused(shape: Shape) -> None:
    with pytest.raises(InputError):
        cells_of(shape, HERE)
