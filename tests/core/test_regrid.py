"""Values moved to other voxels: means, straight lines, axes of the patient."""

import numpy as np
import pytest

from dosewright.core.dose_file import edges_of
from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import resample
from dosewright.core.regrid import (
    along_patient_axes,
    covered,
    finer_or_mean_weights,
    linear_weights,
    mean_weights,
    regridded,
)

OLD = np.array([0.0, 1.0, 3.0, 4.0, 8.0])


def test_a_mean_is_weighted_by_length() -> None:
    weights = mean_weights(OLD, np.array([0.5, 2.0, 8.0, 10.0]))
    assert weights.matrix.toarray() == pytest.approx(
        np.array([[1 / 3, 2 / 3, 0, 0], [0, 1 / 6, 1 / 6, 4 / 6], [0, 0, 0, 0]])
    )
    assert weights.covered.tolist() == [True, True, False]


def test_an_integral_stays() -> None:
    rng = np.random.default_rng(1)
    values, new = rng.random((4, 4, 4)), np.linspace(0.0, 8.0, 6)
    weights = mean_weights(OLD, new)
    moved = regridded(values, (weights, weights, weights))
    old, wide = np.diff(OLD), np.diff(new)
    before = np.einsum("kji,k,j,i", values, old, old, old)
    assert np.einsum("kji,k,j,i", moved, wide, wide, wide) == pytest.approx(before, rel=1e-12)


def test_straight_lines_agree_with_those_of_even_grids() -> None:
    rng = np.random.default_rng(2)
    image = Image(Grid((6, 5, 4), (2.0, 3.0, 4.0), (1.0, 2.0, 3.0)), rng.random((4, 5, 6)))
    grid = Grid((9, 7, 5), (1.0, 1.7, 2.0), (3.0, 4.1, 5.0))
    weights = tuple(linear_weights(a, b) for a, b in zip(edges_of(image.grid), edges_of(grid), strict=True))
    there = covered(weights)  # type: ignore[arg-type]
    moved = regridded(image.values, weights)  # type: ignore[arg-type]
    expected = resample(image, grid, outside=np.nan).values
    np.testing.assert_array_equal(there, np.isfinite(expected))
    np.testing.assert_allclose(moved[there], expected[there], rtol=1e-12)


def test_fine_voxels_are_averaged_and_coarse_ones_interpolated() -> None:
    fine, coarse = np.linspace(0, 8, 17), np.linspace(0, 8, 5)
    np.testing.assert_array_equal(
        finer_or_mean_weights(fine, coarse).matrix.toarray(), mean_weights(fine, coarse).matrix.toarray()
    )
    np.testing.assert_array_equal(
        finer_or_mean_weights(coarse, fine).matrix.toarray(), linear_weights(coarse, fine).matrix.toarray()
    )


def test_variances_go_by_squares() -> None:
    squared = mean_weights(np.linspace(0, 8, 9), np.linspace(0, 8, 3)).squared()
    assert regridded(np.ones((8, 8, 8)), (squared, squared, squared)) == pytest.approx(4.0**-3)


@pytest.mark.parametrize(
    "direction",
    [
        np.eye(3),
        np.diag([-1.0, -1.0, 1.0]),
        np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
        np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]),
    ],
)
def test_axes_of_the_patient(direction: np.ndarray) -> None:
    grid = Grid((4, 3, 2), (1.0, 2.0, 3.0), (10.0, 20.0, 30.0), direction)
    values = np.arange(24.0).reshape(2, 3, 4)
    edges, (turned,) = along_patient_axes(edges_of(grid), grid.direction, values)
    for k, j, i in np.ndindex(2, 3, 4):
        point = grid.to_patient(np.array([i, j, k], float))
        at = [int(np.searchsorted(e, p)) - 1 for e, p in zip(edges, point, strict=True)]
        assert turned[at[2], at[1], at[0]] == values[k, j, i]


def test_oblique_axes_are_refused() -> None:
    c, s = np.cos(0.1), np.sin(0.1)
    turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    with pytest.raises(InputError, match="turned"):
        along_patient_axes((OLD, OLD, OLD), turned, np.zeros((4, 4, 4)))
