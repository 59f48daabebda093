"""Planes of the report: every direction matrix gives the same picture, and outlines lie where the structure is."""

import numpy as np
import pytest

from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid, Image
from dosewright.core.structures import Structure
from dosewright.workflow.report.planes import (
    LETTERS,
    at_points,
    axial_polygons,
    can_be_drawn,
    high_dose_centre,
    mean_of_highest,
    on_plane,
    side_distance,
    three_planes,
)

FOCUS = np.array([4.0, -6.0, 10.0])
TURNS = {"identity": np.eye(3), "z 180": rotation_about("z", 180), "x 90": rotation_about("x", 90),
         "oblique": rotation_about("z", 20) @ rotation_about("x", 15)}  # fmt: skip


def ramp(direction):
    """An image whose value is 1000 + x + 2 y + 5 z of the patient, whatever its axes are."""
    centre = np.array([24.5, 29.5, 19.5]) * (2.0, 2.0, 3.0)
    grid = Grid((50, 60, 40), (2.0, 2.0, 3.0), tuple(FOCUS - direction @ centre), direction)
    k, j, i = np.indices(grid.array_shape)
    p = grid.to_patient(np.stack([i, j, k], axis=-1).astype(float))
    return Image(grid, (1000 + p @ (1.0, 2.0, 5.0)).astype(np.float32))


@pytest.mark.parametrize("turn", TURNS)
def test_planes_are_cut_in_patient_coordinates(turn):
    image = ramp(TURNS[turn])
    for plane, normal in zip(three_planes(image, FOCUS), (2, 1, 0), strict=True):
        assert plane.normal == normal and plane.at_mm == FOCUS[normal]
        points = np.full((len(plane.up_mm), len(plane.across_mm), 3), FOCUS)
        points[..., plane.across] = plane.across_mm
        points[..., plane.up] = plane.up_mm[:, np.newaxis]
        index = image.grid.to_index(points)
        between_centres = np.all((index >= 0) & (index <= np.array(image.grid.shape) - 1), axis=-1)
        assert between_centres.mean() > 0.3
        expected = 1000 + points @ (1.0, 2.0, 5.0)
        assert on_plane(image, plane)[between_centres] == pytest.approx(expected[between_centres], abs=0.01)


def test_outside_is_nan_and_the_outer_half_voxel_is_not():
    image = ramp(np.eye(3))
    corner = image.grid.corner_mm
    assert np.isfinite(at_points(image, corner[np.newaxis] + 0.01)).all()
    assert np.isnan(at_points(image, corner[np.newaxis] - 0.01)).all()


def test_letters_and_the_way_up():
    axial, coronal, sagittal = three_planes(ramp(np.eye(3)), FOCUS)
    assert [LETTERS[p.across] for p in (axial, coronal, sagittal)] == [("R", "L"), ("R", "L"), ("A", "P")]
    assert [p.up_is_positive for p in (axial, coronal, sagittal)] == [False, True, True]
    assert LETTERS[axial.up][1] == "P" and LETTERS[coronal.up][1] == "H"


def test_high_dose():
    values = np.zeros((10, 20, 30), np.float32)
    values[2:6, 10:14, 20:28] = 2.0
    values[3, 11, 21] = 40.0
    image = Image(Grid((30, 20, 10), (1.0, 2.0, 3.0), (100.0, 0.0, -50.0)), values)
    assert mean_of_highest(image) == pytest.approx((40 + 99 * 2) / 100)
    assert high_dose_centre(image) == pytest.approx((123.5, 23.0, -39.5))
    empty = Image(image.grid, np.zeros_like(values))
    assert high_dose_centre(empty) == pytest.approx((114.5, 19.0, -36.5))


def box(lower, upper, heights, hole=False):
    def ring(a, b, z):
        return np.array([(a, a, z), (b, a, z), (b, b, z), (a, b, z)], float)

    rings = [ring(lower, upper, z) for z in heights]
    return Structure(1, "s", "ORGAN", tuple(rings + [ring(-2.0, 2.0, z) for z in heights if hole]))


def test_axial_polygons_come_from_the_nearest_contour_plane():
    s = box(-10, 12, (0.0, 3.0, 6.0))
    (polygon,) = axial_polygons(s, 4.2)
    assert polygon.shape == (5, 2) and polygon.min() == -10 and polygon.max() == 12
    assert axial_polygons(s, 7.4) and not axial_polygons(s, 7.6)


def test_a_side_section_has_the_extent_of_the_structure_and_its_hole():
    s = box(-10, 12, (0.0, 3.0, 6.0), hole=True)
    _, coronal, _ = three_planes(ramp(np.eye(3)), np.array([0.0, 0.5, 3.0]))
    heights, distance = side_distance(s, coronal)
    assert heights.tolist() == [-1.5, 0.0, 3.0, 6.0, 7.5]
    inside = coronal.across_mm[distance[2] > 0]
    assert inside.min() == pytest.approx(-10, abs=0.6) and inside.max() == pytest.approx(12, abs=0.6)
    assert not np.any(np.abs(inside) < 2)
    assert np.all(distance[[0, -1]] < 0)


def test_a_gap_between_slices_stays_open():
    s = box(-10, 12, (0.0, 3.0, 15.0, 18.0))
    _, _, sagittal = three_planes(ramp(np.eye(3)), np.zeros(3))
    heights, distance = side_distance(s, sagittal)
    assert heights.tolist() == [-1.5, 0.0, 3.0, 4.5, 13.5, 15.0, 18.0, 19.5]
    assert [bool(row.max() > 0) for row in distance] == [False, True, True, False, False, True, True, False]


def test_contours_that_are_not_axial_are_not_drawn():
    tilted = Structure(1, "s", "ORGAN", (np.array([(0, 0, 0), (5, 0, 5), (0, 5, 9)], float),))
    assert not can_be_drawn(tilted) and not can_be_drawn(Structure(2, "empty", "ORGAN", ()))
    assert can_be_drawn(box(0, 5, (1.0,)))
