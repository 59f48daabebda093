"""Profiles of the report: along the right axes, in the right direction, through the right point."""

import numpy as np
import pytest

from dosewright.core.frame import gantry_to_patient
from dosewright.core.grid import Grid, Image
from dosewright.workflow.report.curves import beam_profiles, profile_directions, sample_line
from dosewright.workflow.report.data import DosePair

GRID = Grid((50, 50, 50), (2.0, 2.0, 2.0), (-49.0, -49.0, -49.0))
ISO = np.array([5.0, -7.0, 3.0])


def image(values):
    return Image(GRID, values.astype(np.float32))


def coordinates():
    k, j, i = np.indices(GRID.array_shape)
    return GRID.to_patient(np.stack([i, j, k], axis=-1).astype(float))


def turned(gantry, couch=0.0):
    return gantry_to_patient(gantry_deg=gantry, couch_deg=couch, patient_position="HFS", isocenter_mm=ISO)


@pytest.mark.parametrize(
    ("gantry", "couch", "beam"),
    [(0, 0, (0, 1, 0)), (90, 0, (-1, 0, 0)), (180, 0, (0, -1, 0)), (270, 0, (1, 0, 0)), (90, 90, (0, 0, 1))],
)
def test_depth_grows_away_from_the_source(gantry, couch, beam):
    assert profile_directions(turned(gantry, couch))[0] == pytest.approx(beam, abs=1e-12)


def test_a_line_holds_dose_sigma_and_plan_at_the_right_places():
    p = coordinates()
    dose = DosePair(image(100 + p @ (1, 2, 3)), image(np.full(GRID.array_shape, 0.02)), image(90 + p @ (1, 2, 3)))
    direction = np.array([0.0, 1.0, 0.0])
    line = sample_line(dose, ISO, direction)
    assert line.distance_mm[0] == -43 and line.distance_mm[-1] == 57
    at_zero = line.mc[line.distance_mm == 0][0]
    assert at_zero == pytest.approx(100 + ISO @ (1, 2, 3), rel=1e-5)
    assert line.mc[60] - line.mc[50] == pytest.approx(20, rel=1e-4)
    assert line.sigma == pytest.approx(0.02 * line.mc, rel=1e-5)
    assert line.mc - line.tps == pytest.approx(np.full(line.mc.size, 10), rel=1e-3)


def test_profiles_cross_the_isocentre_or_the_high_dose():
    p = coordinates()

    def ball(centre):
        return DosePair(image(2.0 * (np.linalg.norm(p - centre, axis=-1) < 15)))

    at_iso = beam_profiles(ball(ISO), turned(30))
    assert at_iso.through_isocentre and at_iso.through_mm == pytest.approx(ISO)
    away = np.array([-20.0, 20.0, -15.0])
    off = beam_profiles(ball(away), turned(30))
    assert not off.through_isocentre and off.through_mm == pytest.approx(away, abs=0.3)
    assert off.picture.startswith("data:image/svg+xml;base64,")


def test_an_isocentre_outside_the_dose_is_no_obstacle():
    far = gantry_to_patient(gantry_deg=0, couch_deg=0, patient_position="HFS", isocenter_mm=np.full(3, 900.0))
    found = beam_profiles(DosePair(image(np.ones(GRID.array_shape))), far)
    assert not found.through_isocentre and found.through_mm == pytest.approx((0, 0, 0))
    nothing = beam_profiles(DosePair(image(np.zeros(GRID.array_shape))), far)
    assert nothing.picture
