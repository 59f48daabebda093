"""Interpolation: exact on what is trilinear, equal to ITK elsewhere, and plain at the edges."""

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import resample, sample

TURNED = rotation_about("z", 25) @ rotation_about("x", -40)
SOURCE = Grid((17, 13, 11), (2.0, 2.5, 3.0), (-11.0, 7.0, 40.0), TURNED)


def centres(grid):
    index = np.stack(np.meshgrid(*(np.arange(n) for n in grid.array_shape), indexing="ij"), -1)[..., ::-1]
    return grid.to_patient(index)


def noise(grid, seed=5):
    return Image(grid, np.random.default_rng(seed).normal(size=grid.array_shape))


def as_itk(image):
    itk = SimpleITK.GetImageFromArray(image.values)
    itk.SetSpacing(image.grid.spacing_mm)
    itk.SetOrigin(image.grid.origin_mm)
    itk.SetDirection(image.grid.direction.ravel())
    return itk


@settings(max_examples=50, deadline=None)
@given(c=st.lists(st.floats(-3, 3), min_size=8, max_size=8), seed=st.integers(0, 9))
def test_trilinear_fields_are_reproduced(c, seed):
    index = np.random.default_rng(seed).uniform(0, 1, (200, 3)) * (np.array(SOURCE.shape) - 1)

    def field(i):
        x, y, z = np.moveaxis(i, -1, 0)
        return c[0] + c[1] * x + c[2] * y + c[3] * z + c[4] * x * y + c[5] * y * z + c[6] * x * z + c[7] * x * y * z

    image = Image(SOURCE, field(SOURCE.to_index(centres(SOURCE))))
    np.testing.assert_allclose(sample(image, SOURCE.to_patient(index)), field(index), atol=1e-8, rtol=1e-9)


@pytest.mark.parametrize("direction", [np.eye(3), TURNED.T, np.diag([-1.0, -1.0, 1.0])])
def test_resampling_agrees_with_itk(direction):
    image = noise(SOURCE)
    grid = Grid((20, 24, 22), (1.7, 2.1, 1.3), (-15.0, -6.0, 35.0), direction)
    middle = SOURCE.to_patient((np.array(SOURCE.shape) - 1) / 2)
    origin = middle - grid.to_patient((np.array(grid.shape) - 1) / 2) + grid.origin_mm
    grid = Grid(grid.shape, grid.spacing_mm, tuple(origin), direction)
    ours = resample(image, grid, outside=-7.0)
    reference = as_itk(Image(grid, np.zeros(grid.array_shape)))
    theirs = SimpleITK.Resample(as_itk(image), reference, SimpleITK.Transform(), SimpleITK.sitkLinear, -7.0)
    assert (ours.values != -7.0).mean() > 0.4
    np.testing.assert_allclose(ours.values, SimpleITK.GetArrayFromImage(theirs), atol=1e-9)
    np.testing.assert_allclose(sample(image, centres(grid), outside=-7.0), ours.values, atol=1e-9)


def test_the_outer_half_voxel_takes_the_edge_and_beyond_is_outside():
    image = Image(Grid((3, 1, 1), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0)), np.array([[[1.0, 2.0, 4.0]]]))
    x = np.array([-1.01, -1.0, -0.2, 0.0, 1.0, 3.0, 4.9, 5.0, 5.01])
    points = np.column_stack([x, np.full(9, 0.9), np.full(9, -0.9)])
    assert sample(image, points, outside=-1.0).tolist() == [-1, 1, 1, 1, 1.5, 3, 4, 4, -1]
    assert np.isnan(sample(image, np.array([0.0, 1.1, 0.0]), outside=np.nan))


def test_whole_numbers_are_interpolated_and_kept_single():
    grid = Grid((4, 4, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    image = Image(grid, np.arange(64, dtype=np.int16).reshape(4, 4, 4))
    shifted = resample(image, Grid((3, 4, 4), (1.0, 1.0, 1.0), (0.5, 0.0, 0.0)))
    assert shifted.values.dtype == np.float32
    np.testing.assert_allclose(shifted.values, image.values[..., :3] + 0.5)


def test_the_same_grid_gives_a_copy():
    image = noise(SOURCE)
    again = resample(image, SOURCE)
    assert np.array_equal(again.values, image.values)
    assert again.values is not image.values
