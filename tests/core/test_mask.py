"""Masks and partial volumes against shapes of known volume, point by point and as a whole."""

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.contours import contour_planes
from dosewright.core.errors import InputError
from dosewright.core.frame import PATIENT_AXES, Rigid, rotation_about
from dosewright.core.grid import Grid
from dosewright.core.mask import mask, volume_fraction
from dosewright.core.structures import Structure


def ring(radius, z, centre=(0.0, 0.0), points=400, reverse=False):
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)[:: -1 if reverse else 1]
    circle = [centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle), np.full(points, float(z))]
    return np.stack(circle, axis=1)


def box(x0, x1, y0, y1, z):
    return np.array([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)], float)


def structure(*contours):
    return Structure(1, "test", "ORGAN", tuple(contours))


def sphere(radius, spacing, shift=0.0):
    heights = np.arange(-radius + spacing / 2 + shift, radius, spacing)
    return structure(*(ring(np.sqrt(radius**2 - z**2), z) for z in heights if abs(z) < radius))


def moved(s, rigid):
    return Structure(s.number, s.name, s.kind, tuple(rigid.points(c) for c in s.contours))


def test_a_box_takes_exactly_its_voxel_centres():
    grid = Grid((10, 8, 6), (2.0, 3.0, 5.0), (0.0, 0.0, 0.0))
    s = structure(*(box(2.5, 9.0, 4.0, 16.0, z) for z in (5.0, 10.0, 15.0)))
    expected = np.zeros(grid.array_shape, bool)
    expected[1:4, 2:6, 2:5] = True
    assert np.array_equal(mask(s, grid), expected)


def test_touching_structures_share_no_voxel_and_leave_none_out():
    """Contours straight through voxel centres: the box of n x n spacings holds n x n centres, on one side only."""
    grid = Grid((12, 12, 3), (1.1, 1.3, 2.0), (-3.3, -6.5, 0.0))
    x, y = grid.centres_mm(0), grid.centres_mm(1)
    left = mask(structure(*(box(x[2], x[5], y[3], y[9], z) for z in (0, 2))), grid)
    right = mask(structure(*(box(x[5], x[10], y[3], y[9], z) for z in (0, 2))), grid)
    assert left.sum() == 3 * 6 * 2
    assert right.sum() == 5 * 6 * 2
    assert not (left & right).any()


def test_holes_by_exclusive_or_and_by_keyhole_agree():
    grid = Grid((41, 41, 3), (1.0, 1.0, 2.0), (-20.0, -20.0, 0.0))
    planes = (0.0, 2.0, 4.0)
    by_xor = structure(*(c for z in planes for c in (box(-15.2, 15.2, -15.2, 15.2, z), box(-5.3, 5.3, -5.3, 5.3, z))))
    keyholes = []
    for z in planes:
        outer, inner = box(-15.2, 15.2, -15.2, 15.2, z), box(-5.3, 5.3, -5.3, 5.3, z)
        keyholes.append(np.vstack([outer, outer[:1], inner[::-1][-1:], inner[::-1], outer[:1]]))
    assert np.array_equal(mask(by_xor, grid), mask(structure(*keyholes), grid))
    assert mask(by_xor, grid).sum() == 3 * (31**2 - 11**2)
    fractions = [volume_fraction(s, grid, (1, 5, 1)) for s in (by_xor, structure(*keyholes))]
    np.testing.assert_allclose(fractions[0], fractions[1], atol=1e-6)


@pytest.mark.parametrize("supersampling", [(1, 4, 1), (4, 4, 4)])
def test_partial_volumes_of_a_sphere_add_up_to_its_volume(supersampling):
    grid = Grid((33, 37, 29), (2.0, 1.7, 2.5), (-32.0, -30.6, -35.0))
    total = volume_fraction(sphere(24.3, 1.0), grid, supersampling).sum(dtype=float) * grid.voxel_volume_cm3
    assert total == pytest.approx(4 / 3 * np.pi * 2.43**3, rel=2e-3)


def test_partial_volumes_of_a_box_are_exact():
    grid = Grid((6, 6, 5), (2.0, 2.0, 3.0), (0.0, 0.0, 0.0))
    s = structure(*(box(1.5, 7.5, 2.0, 8.0, z) for z in (3.0, 6.0)))  # slab 1.5 to 7.5 mm
    along_x = np.array([0, 0.75, 1, 1, 0.25, 0])
    along_y = np.array([0, 0.5, 1, 1, 0.5, 0])
    along_z = np.array([0, 1, 1, 0, 0])
    expected = along_z[:, None, None] * along_y[None, :, None] * along_x
    np.testing.assert_allclose(volume_fraction(s, grid, (1, 4, 1)), expected, atol=1e-6)
    assert volume_fraction(s, grid).dtype == np.float32


def test_end_caps_reach_half_a_spacing_and_wide_gaps_stay_open():
    grid = Grid((5, 5, 60), (2.0, 2.0, 0.5), (0.0, 0.0, 0.25))
    at = grid.centres_mm(2)
    s = structure(*(box(1, 7, 1, 7, z) for z in (5.0, 8.0, 11.0, 15.0, 22.0, 25.0)))
    filled = mask(s, grid)[:, 2, 2]
    np.testing.assert_array_equal(at[filled], at[((at > 3.5) & (at < 16.5)) | ((at > 20.5) & (at < 26.5))])
    assert contour_planes(s, axis=np.array([0.0, 0.0, 1.0])).open_gaps_mm == ((15.0, 22.0),)


def test_a_lone_plane_fills_one_slice():
    grid = Grid((9, 9, 9), (1.0, 1.0, 3.0), (0.0, 0.0, 0.0))
    filled = mask(structure(box(2, 6, 2, 6, 10.2)), grid)
    assert np.flatnonzero(filled.any(axis=(1, 2))).tolist() == [3]
    fraction = volume_fraction(structure(box(2, 6, 2, 6, 10.5)), grid)
    np.testing.assert_allclose(fraction[:, 4, 4], [0, 0, 0, 0.5, 0.5, 0, 0, 0, 0], atol=1e-6)


def test_plane_positions_pick_the_nearest_contour():
    """A cone of boxes at 3 mm, looked at every millimetre: each slice takes the plane it is nearest to."""
    grid = Grid((60, 5, 13), (1.0, 1.0, 1.0), (0.0, 0.0, -0.9))
    s = structure(*(box(-0.5, 10 * (n + 1) - 0.5, -0.5, 4.5, 3.0 * n) for n in range(4)))
    widths = mask(s, grid).sum(axis=2)[:, 2]
    assert widths.tolist() == [10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40, 0]


@pytest.mark.parametrize("position", sorted(PATIENT_AXES))
def test_axial_images_of_every_patient_position_agree(position):
    """The same voxels, whichever way the image rows and columns run."""
    flips = {"HF": (1, 1), "FF": (-1, -1)}[position[:2]] if position.endswith("P") else (1, -1)
    sx, sz = flips
    direction = np.diag([sx, sx * sz, sz]).astype(float)
    shape, spacing = (21, 25, 15), (2.0, 2.0, 3.0)
    origin = -direction @ ((np.array(shape) - 1) / 2 * spacing)
    grid = Grid(shape, spacing, tuple(origin), direction)
    plain = Grid(shape, spacing, tuple(-(np.array(shape) - 1) / 2 * spacing))
    egg = structure(*(ring(12 + 0.3 * z, z, (2.1, -3.3)) for z in np.arange(-15.01, 15, 3)))
    steps = [1 if direction[a, a] > 0 else -1 for a in (2, 1, 0)]
    expected = mask(egg, plain)[:: steps[0], :: steps[1], :: steps[2]]
    assert expected.sum() > 1000
    assert np.array_equal(mask(egg, grid), expected)


@pytest.mark.parametrize("turn", ["x", "y", "oblique"])
def test_grids_that_lie_across_the_contours_see_the_same_solid(turn):
    rotation = rotation_about("x", 20) @ rotation_about("z", 35) if turn == "oblique" else rotation_about(turn, 90)
    shape, spacing = (30, 28, 26), (2.0, 2.2, 2.4)
    grid = Grid(shape, spacing, tuple(-rotation @ ((np.array(shape) - 1) / 2 * spacing)), rotation)
    s = sphere(22.0, 0.5)
    index = np.stack(np.meshgrid(*(np.arange(n) for n in reversed(shape)), indexing="ij"), -1)[..., ::-1]
    points = grid.to_patient(index)
    radius = np.linalg.norm(points, axis=-1)
    inside = mask(s, grid)
    assert inside[radius < 21.5].all()
    assert not inside[radius > 22.4].any()
    volume = volume_fraction(s, grid, (3, 3, 3)).sum(dtype=float) * grid.voxel_volume_cm3
    assert volume == pytest.approx(4 / 3 * np.pi * 2.2**3, rel=4e-3)


def test_contours_in_tilted_planes_are_taken_in_their_own_planes():
    tilt = Rigid(rotation_about("x", 30) @ rotation_about("y", -12), np.array([5.0, -3.0, 8.0]))
    grid = Grid((40, 40, 40), (1.5, 1.5, 1.5), (-25.0, -33.0, -22.0))
    tilted = moved(sphere(20.0, 1.0), tilt)
    volume = volume_fraction(tilted, grid, (2, 2, 2)).sum(dtype=float) * grid.voxel_volume_cm3
    assert volume == pytest.approx(4 / 3 * np.pi * 2.0**3, rel=5e-3)
    aligned = Grid((40, 40, 40), (1.5,) * 3, tuple(tilt.points(np.full(3, -29.25))), tilt.rotation)
    assert np.array_equal(mask(tilted, aligned), mask(sphere(20.0, 1.0), Grid((40, 40, 40), (1.5,) * 3, (-29.25,) * 3)))


def test_contours_in_planes_of_two_directions_are_refused():
    upright = rotation_about("x", 90)
    s = structure(box(0, 9, 0, 9, 1), box(0, 9, 0, 9, 2) @ upright.T)
    with pytest.raises(InputError, match=re.escape("parallel planes")):
        mask(s, Grid((5, 5, 5), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0)))


def test_nothing_inside_where_there_is_nothing():
    grid = Grid((5, 6, 7), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    point = np.array([[1.0, 1.0, 1.0]])
    for s in (structure(), structure(point), structure(box(90, 99, 1, 4, 3)), structure(box(1, 4, 1, 4, 300))):
        assert not mask(s, grid).any()
        assert not volume_fraction(s, grid).any()


def test_structures_larger_than_the_grid_fill_it():
    grid = Grid((5, 6, 7), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    s = structure(*(box(-99, 99, -99, 99, z) for z in range(-3, 11)))
    assert mask(s, grid).all()
    np.testing.assert_allclose(volume_fraction(s, grid), 1.0, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.tuples(st.integers(-4, 44), st.integers(-4, 44)), min_size=3, max_size=9),
    offset=st.floats(0.01, 0.49),
)
def test_any_polygon_agrees_with_the_winding_of_its_edges(points, offset):
    """Against even-odd ray casting written point by point, with vertices off the voxel centres."""
    polygon = np.array(points) / 4.0 + offset / 4.0
    grid = Grid((11, 11, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    result = mask(structure(np.column_stack([polygon, np.zeros(len(polygon))])), grid)[0]
    for j in range(11):
        for i in range(11):
            odd = False
            for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
                if (y0 > j) != (y1 > j) and abs(cross := (x1 - x0) * (j - y0) / (y1 - y0) + x0 - i) > 1e-5:
                    odd ^= cross > 0
                elif (y0 > j) != (y1 > j):
                    return  # an edge through a centre belongs to either side
            assert result[j, i] == odd


@settings(max_examples=40, deadline=None)
@given(radius=st.floats(4.0, 15.0), x=st.floats(-5, 5), y=st.floats(-5, 5), spacing=st.floats(0.7, 3.0))
def test_partial_area_of_a_disc(radius, x, y, spacing):
    grid = Grid((70, 70, 1), (spacing, spacing, 2.0), (-34.5 * spacing, -34.5 * spacing, 0.0))
    if radius + 8 > 34 * spacing:
        return
    area = volume_fraction(structure(ring(radius, 0.0, (x, y), 720)), grid, (1, 8, 1)).sum(dtype=float) * spacing**2
    # Sample lines h apart meet a cap, whose chord is 2 sqrt(2 r t), to |zeta(-1/2)| = 0.2079 times 2 sqrt(2 r) h^1.5.
    caps = 2 * 0.2079 * 2 * np.sqrt(2 * radius) * (spacing / 8) ** 1.5
    assert area == pytest.approx(np.pi * radius**2, abs=caps + 1e-3 * radius**2)


def test_a_whole_ct_with_eleven_structures_takes_seconds():
    grid = Grid((512, 512, 177), (1.0, 1.0, 1.5), (-255.5, -255.5, 0.0))
    slices = grid.centres_mm(2)
    body = structure(*(ring(180, z, points=600) for z in slices))
    organ = structure(*(ring(35, z, (60, 20), points=200) for z in slices[40:100]))
    start = time.perf_counter()
    assert mask(body, grid).sum() == pytest.approx(np.pi * 180**2 * 177, rel=1e-3)
    for _ in range(10):
        mask(organ, grid)
    assert time.perf_counter() - start < 10.0
