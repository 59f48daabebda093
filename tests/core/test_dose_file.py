"""A dose in voxels: what it refuses, grids of it, and squares against their definition."""

from dataclasses import replace

import numpy as np
import pytest

from dosewright.core.dose_file import (
    DoseFile,
    dose_image,
    edges_of,
    mean_squares,
    regular_grid,
    same_voxels,
    uncertainty_of,
)
from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid

EDGES = (np.array([-10.0, 0.0, 10.0]), np.array([0.0, 5.0, 10.0, 15.0]), np.array([1.0, 2.0]))
DOSE = np.arange(6.0).reshape(1, 3, 2)


def test_squares_follow_from_the_uncertainty() -> None:
    numbers = np.random.default_rng(4)
    x = numbers.random((300, 1, 3, 2)) * (numbers.random((300, 1, 3, 2)) < 0.1)
    dose, squares = x.mean(0), (x**2).sum(0) / 300**2
    relative = uncertainty_of(dose, squares, 300.0)
    np.testing.assert_allclose(relative, x.std(0, ddof=1) / np.sqrt(300) / dose, rtol=1e-12)
    np.testing.assert_allclose(mean_squares(DoseFile(EDGES, dose, relative, 300.0)), squares, rtol=1e-12)
    assert mean_squares(DoseFile(EDGES, dose, relative)) is None
    assert mean_squares(DoseFile(EDGES, dose, histories=5.0)) is None


def test_nothing_is_known_where_nothing_was_scored() -> None:
    np.testing.assert_array_equal(uncertainty_of(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 1.0), 1.0)
    np.testing.assert_array_equal(uncertainty_of(np.array([0.0]), np.array([0.0]), 10.0), 1.0)


def test_edges_and_grids() -> None:
    grid = Grid((3, 4, 5), (1.5, 2.0, 3.25), (-10.0, 22.5, 7.125), rotation_about("z", 20.0) @ rotation_about("x", 9.0))
    dose = DoseFile(edges_of(grid), np.zeros(grid.array_shape), direction=grid.direction)
    back = regular_grid(dose)
    assert back is not None and back.matches(grid, tolerance_mm=1e-9)
    assert dose_image(dose).grid.shape == (3, 4, 5)
    uneven = replace(dose, edges_mm=(np.array([0.0, 1.0, 2.0, 4.0]), *dose.edges_mm[1:]))
    assert regular_grid(uneven) is None
    with pytest.raises(InputError, match="uneven"):
        dose_image(uneven)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_all_axes_are_compared(axis: int) -> None:
    """Trap 47: geometries compared along x three times."""
    dose = DoseFile(EDGES, DOSE)
    edges = list(EDGES)
    edges[axis] = EDGES[axis] + 0.01
    moved = DoseFile((edges[0], edges[1], edges[2]), DOSE)
    assert f"along {'xyz'[axis]}" in (same_voxels(dose, moved) or "")
    assert same_voxels(dose, moved, tolerance_mm=0.02) is None
    assert same_voxels(dose, DoseFile(EDGES, DOSE)) is None
    assert "turned" in (same_voxels(dose, DoseFile(EDGES, DOSE, direction=rotation_about("z", 1.0))) or "")
    other = DoseFile((EDGES[1], EDGES[0], EDGES[2]), DOSE.reshape(1, 2, 3))
    assert "3 x 2 x 1 voxels instead of 2 x 3 x 1" in (same_voxels(dose, other) or "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dose": DOSE[:, :2]}, "does not fit"),
        ({"dose": np.where(DOSE == 3, np.nan, DOSE)}, "not finite"),
        ({"uncertainty": -DOSE}, "negative"),
        ({"squares": -DOSE}, "negative"),
        ({"histories": 0.0}, "at least one"),
        ({"histories": float("inf")}, "at least one"),
        ({"edges_mm": (EDGES[0][::-1], *EDGES[1:])}, "along x do not ascend"),
    ],
)
def test_what_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        replace(DoseFile(EDGES, DOSE), **changes)
