"""Grids: indices and millimetres, there and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid, Image

PLAIN = Grid((4, 3, 2), (1.0, 2.0, 5.0), (10.0, 20.0, 30.0))

triple = st.tuples(*[st.floats(-500, 500)] * 3)
grids = st.builds(
    lambda shape, spacing, origin, a: Grid(
        shape, spacing, origin, rotation_about("z", a[0]) @ rotation_about("x", a[1])
    ),
    st.tuples(*[st.integers(1, 60)] * 3),
    st.tuples(*[st.floats(0.1, 20)] * 3),
    triple,
    st.tuples(st.floats(-180, 180), st.floats(-180, 180)),
)


@settings(max_examples=80, deadline=None)
@given(grid=grids, index=st.lists(triple, min_size=1, max_size=4).map(np.array))
def test_index_to_patient_and_back(grid, index):
    p = grid.to_patient(index)
    np.testing.assert_allclose(grid.to_index(p), index, atol=1e-6)
    by_hand = np.asarray(grid.origin_mm) + sum(
        np.multiply.outer(index[:, a] * grid.spacing_mm[a], grid.direction[:, a]) for a in range(3)
    )
    np.testing.assert_allclose(p, by_hand, atol=1e-8)


@settings(max_examples=50, deadline=None)
@given(grid=grids, data=st.data())
def test_a_cropped_grid_keeps_its_voxels(grid, data):
    lower = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    upper = tuple(data.draw(st.integers(lo + 1, n)) for lo, n in zip(lower, grid.shape, strict=True))
    part = grid.cropped(lower, upper)
    assert part.shape == tuple(u - lo for lo, u in zip(lower, upper, strict=True))
    last = np.array(part.shape) - 1
    np.testing.assert_allclose(part.to_patient(last), grid.to_patient(last + lower), atol=1e-8)
    assert grid.cropped((0, 0, 0), grid.shape).matches(grid)


@settings(max_examples=50, deadline=None)
@given(grid=grids)
def test_corners_and_centres(grid):
    corners = grid.corners_mm()
    np.testing.assert_allclose(corners[0], grid.corner_mm, atol=1e-9)
    diagonal = (np.array(grid.shape) * grid.spacing_mm) @ grid.direction.T
    np.testing.assert_allclose(corners[7] - corners[0], diagonal, atol=1e-8)
    for axis in range(3):
        index = np.zeros((grid.shape[axis], 3))
        index[:, axis] = np.arange(grid.shape[axis])
        along = grid.to_patient(index) @ grid.direction[:, axis]
        np.testing.assert_allclose(grid.centres_mm(axis), along, atol=1e-8)


def test_a_plain_grid_in_numbers():
    assert PLAIN.array_shape == (2, 3, 4)
    assert PLAIN.size == 24
    assert PLAIN.voxel_volume_cm3 == pytest.approx(0.01)
    np.testing.assert_allclose(PLAIN.to_patient(np.array([3.0, 2.0, 1.0])), (13, 24, 35))
    np.testing.assert_allclose(PLAIN.corner_mm, (9.5, 19.0, 27.5))
    np.testing.assert_allclose(PLAIN.centres_mm(1), (20, 22, 24))


def test_equality_and_matching():
    assert Grid(PLAIN.shape, PLAIN.spacing_mm, PLAIN.origin_mm) == PLAIN
    assert hash(Grid(PLAIN.shape, PLAIN.spacing_mm, PLAIN.origin_mm)) == hash(PLAIN)
    near = Grid(PLAIN.shape, PLAIN.spacing_mm, (10.0005, 20.0, 30.0))
    far = Grid(PLAIN.shape, (1.001, 2.0, 5.0), PLAIN.origin_mm)
    assert near.matches(PLAIN)
    assert near != PLAIN
    assert not far.matches(PLAIN)
    assert not Grid((4, 3, 3), PLAIN.spacing_mm, PLAIN.origin_mm).matches(PLAIN)
    assert not Grid(PLAIN.shape, PLAIN.spacing_mm, PLAIN.origin_mm, rotation_about("z", 1.0)).matches(PLAIN)


@pytest.mark.parametrize(
    "change",
    [
        {"shape": (0, 3, 2)},
        {"spacing_mm": (1.0, -2.0, 5.0)},
        {"spacing_mm": (1.0, np.nan, 5.0)},
        {"direction": np.diag([1.0, 1.0, -1.0])},
        {"direction": np.eye(3) * 1.01},
        {"direction": np.eye(2)},
    ],
)
def test_broken_grids_are_refused(change):
    good = {"shape": (4, 3, 2), "spacing_mm": (1.0, 2.0, 5.0), "origin_mm": (0.0, 0.0, 0.0)}
    Grid(**good)
    with pytest.raises(InputError):
        Grid(**(good | change))


def test_an_image_fits_its_grid():
    Image(PLAIN, np.zeros((2, 3, 4)))
    with pytest.raises(InputError):
        Image(PLAIN, np.zeros((4, 3, 2)))
