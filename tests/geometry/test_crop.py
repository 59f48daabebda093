"""Boxes of voxels around points, and how far points reach beyond a grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid
from dosewright.geometry.crop import IndexBox, beyond_mm

GRID = Grid((10, 12, 8), (2.0, 3.0, 4.0), (1.0, 1.5, 2.0))  # from 0 to 20, 36 and 32 mm


def test_a_box_holds_its_points_and_no_more() -> None:
    box = IndexBox.around(GRID, np.array([[4.1, 10.0, 9.0], [7.9, 11.9, 15.0]]))
    assert (box.lower, box.upper) == ((2, 3, 2), (4, 4, 4))


def test_points_on_faces_pull_in_no_neighbour() -> None:
    box = IndexBox.around(GRID, GRID.corners_mm())
    assert (box.lower, box.upper) == ((0, 0, 0), GRID.shape)


def test_a_margin_is_added_on_every_side() -> None:
    box = IndexBox.around(GRID, np.array([[10.5, 16.0, 14.0]]), margin_mm=4.0)  # 6.5-14.5, 12-20, 10-18 mm
    assert (box.lower, box.upper) == ((3, 4, 2), (8, 7, 5))


def test_union_and_clipping() -> None:
    box = IndexBox((-3, 2, 2), (4, 4, 20)).union(IndexBox((1, 1, 3), (2, 2, 4)))
    assert box == IndexBox((-3, 1, 2), (4, 4, 20))
    assert box.clipped(GRID) == IndexBox((0, 1, 2), (4, 4, 8))
    assert IndexBox((10, 0, 0), (12, 3, 3)).clipped(GRID) is None
    assert IndexBox((1, 2, 3), (4, 6, 8)).slices() == (slice(3, 8), slice(2, 6), slice(1, 4))


@given(
    st.lists(st.tuples(*[st.floats(-50, 50)] * 3), min_size=1, max_size=5),
    st.floats(0, 20),
    st.sampled_from("xyz"),
    st.floats(-180, 180),
)
def test_every_point_lies_in_its_box_whatever_the_axes(
    points: list[tuple[float, float, float]], margin: float, axis: str, degrees: float
) -> None:
    grid = Grid((10, 12, 8), (2.0, 3.0, 4.0), (1.0, 1.5, 2.0), rotation_about(axis, degrees))
    box = IndexBox.around(grid, np.array(points), margin)
    index = grid.to_index(np.array(points))
    reach = margin / np.array(grid.spacing_mm)
    assert np.all(index - reach >= np.array(box.lower) - 0.5 - 1e-5)
    assert np.all(index + reach <= np.array(box.upper) - 0.5 + 1e-5)
    assert np.all(index.min(axis=0) - reach < np.array(box.lower) + 0.5 + 1e-5)


def test_sides_are_those_of_the_patient() -> None:
    assert beyond_mm(GRID, np.array([[10.0, 10.0, 10.0]])) == {}
    points = np.array([[-3.0, 10.0, 40.0], [21.0, 38.0, 5.0]])
    assert beyond_mm(GRID, points) == pytest.approx({"right": 3.0, "left": 1.0, "posterior": 2.0, "superior": 8.0})
    turned = Grid((10, 12, 8), (2.0, 3.0, 4.0), (19.0, 34.5, 2.0), np.diag([-1.0, -1.0, 1.0]))  # the same box
    assert beyond_mm(turned, points) == pytest.approx({"right": 3.0, "left": 1.0, "posterior": 2.0, "superior": 8.0})
