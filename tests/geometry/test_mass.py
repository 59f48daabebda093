"""Mass on a dose grid: conserved, exact for parallel axes, close for oblique ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid
from dosewright.core.matter import Material
from dosewright.geometry.mass import mass_on, overlap_mm
from dosewright.geometry.voxels import Voxels

WATER = Material("G4_WATER", 1.0, {1: 0.111894, 8: 0.888106})


def voxels_on(grid: Grid, seed: int = 3) -> Voxels:
    density = np.random.default_rng(seed).uniform(0.1, 2.0, grid.array_shape).astype(np.float32)
    return Voxels.on_grid(grid, np.zeros(grid.array_shape, np.uint8), density, (WATER,))


def total_g(voxels: Voxels) -> float:
    x, y, z = (np.diff(e) for e in voxels.edges_mm)
    volume = z[:, None, None] * y[:, None] * x / 1000.0
    return float((volume * voxels.density_g_cm3.astype(float)).sum())


CT = Grid((7, 9, 5), (1.3, 1.7, 2.5), (-3.0, 11.0, 40.0))
# (7, 9, 5) voxels reach from -3.65 to 5.45, 10.15 to 25.45, 38.75 to 51.25 mm: all grids below cover that.
COVERING = Grid((8, 7, 6), (3.1, 2.9, 4.3), (-6.0, 9.5, 36.0))


def test_a_covering_grid_conserves_the_mass() -> None:
    voxels = voxels_on(CT)
    assert mass_on(voxels, COVERING).sum() == pytest.approx(total_g(voxels), rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(
    spacing=st.tuples(*[st.floats(0.7, 9.0)] * 3),
    shift=st.tuples(*[st.floats(0.0, 0.999)] * 3),
    axis=st.sampled_from("xyz"),
    quarter=st.integers(0, 3),
)
def test_any_parallel_covering_grid_conserves_the_mass(
    spacing: tuple[float, float, float], shift: tuple[float, float, float], axis: str, quarter: int
) -> None:
    voxels = voxels_on(CT)
    direction = np.round(rotation_about(axis, 90.0 * quarter))
    reach = np.abs(CT.corners_mm() - CT.corners_mm().mean(axis=0)).max() * 1.05
    shape = tuple(int(np.ceil(2 * reach / s)) + 2 for s in spacing)
    first = -reach * np.ones(3) - np.array(spacing) * (np.array(shift) - 0.5)
    origin = CT.corners_mm().mean(axis=0) + direction @ first
    grid = Grid(shape, spacing, tuple(origin), direction)
    assert mass_on(voxels, grid).sum() == pytest.approx(total_g(voxels), rel=1e-10)


def test_a_voxel_in_the_middle_has_the_mass_of_its_overlap() -> None:
    grid = Grid((2, 1, 1), (10.0, 10.0, 10.0), (0.0, 0.0, 0.0))
    voxels = Voxels.on_grid(grid, np.zeros((1, 1, 2), np.uint8), np.array([[[1.0, 3.0]]], np.float32), (WATER,))
    dose = Grid((1, 1, 1), (4.0, 2.0, 5.0), (6.0, 0.0, 0.0))  # 4 to 8 mm along x: 1 mm in the first, 3 mm in the second
    assert mass_on(voxels, dose).item() == pytest.approx((1 * 1.0 + 3 * 3.0) * 2 * 5 / 1000, rel=1e-12)


def test_what_reaches_outside_counts_only_what_is_inside() -> None:
    grid = Grid((1, 1, 1), (10.0, 10.0, 10.0), (0.0, 0.0, 0.0))
    voxels = Voxels.on_grid(grid, np.zeros((1, 1, 1), np.uint8), np.ones((1, 1, 1), np.float32), (WATER,))
    dose = Grid((3, 1, 1), (8.0, 10.0, 10.0), (0.0, 0.0, 0.0))
    assert mass_on(voxels, dose).ravel() == pytest.approx([0.8, 0.1, 0.0], abs=1e-15)


def test_reversed_and_swapped_axes_keep_each_voxel_in_place() -> None:
    voxels = voxels_on(CT)
    dose = Grid((4, 5, 3), (2.2, 2.6, 3.4), (-2.0, 12.0, 41.0))
    straight = mass_on(voxels, dose)
    turned = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # x' = y, y' = -x
    corner = dose.to_patient(np.array([dose.shape[0] - 1.0, 0.0, 0.0]))
    swapped = Grid((5, 4, 3), (2.6, 2.2, 3.4), tuple(corner), turned)
    found = mass_on(voxels, swapped)  # index (i', j') is index (n - 1 - j', i') of the straight one
    for k, jj, ii in np.ndindex(found.shape):
        assert found[k, jj, ii] == pytest.approx(straight[k, ii, dose.shape[0] - 1 - jj], rel=1e-12)


def test_a_tilted_box_has_the_mass_of_its_tilted_grid() -> None:
    tilt = rotation_about("z", 20.0) @ rotation_about("x", 10.0)
    voxels = voxels_on(Grid(CT.shape, CT.spacing_mm, CT.origin_mm, tilt))
    exact = mass_on(voxels, Grid(CT.shape, CT.spacing_mm, CT.origin_mm, tilt))
    x, y, z = CT.spacing_mm
    assert exact == pytest.approx(voxels.density_g_cm3 * x * y * z / 1000, rel=1e-6)


def test_oblique_axes_are_sampled_to_a_percent_of_the_total() -> None:
    voxels = voxels_on(CT)
    tilt = rotation_about("z", 25.0) @ rotation_about("y", 15.0)
    centre = CT.corners_mm().mean(axis=0)
    grid = Grid((16, 16, 16), (1.5, 1.5, 1.5), tuple(centre - tilt @ np.full(3, 7.5 * 1.5)), tilt)
    assert mass_on(voxels, grid).sum() == pytest.approx(total_g(voxels), rel=0.005)


def test_oblique_mass_inside_a_uniform_box_is_exact() -> None:
    big = Grid((10, 10, 10), (5.0, 5.0, 5.0), (0.0, 0.0, 0.0))
    voxels = Voxels.on_grid(big, np.zeros((10, 10, 10), np.uint8), np.full((10, 10, 10), 1.5, np.float32), (WATER,))
    dose = Grid((3, 3, 3), (2.0, 2.0, 2.0), (20.0, 20.0, 20.0), rotation_about("x", 33.0))
    assert mass_on(voxels, dose) == pytest.approx(np.full((3, 3, 3), 1.5 * 0.008), rel=1e-12)


def test_overlaps_share_each_length_once() -> None:
    a, b = np.array([0.0, 1.0, 4.0]), np.array([-1.0, 0.5, 2.0, 9.0])
    assert overlap_mm(a, b).tolist() == [[0.5, 0.5, 0.0], [0.0, 1.0, 2.0]]
