"""Profiles and the figures read from them, on curves with known answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erfc

from dosewright.analysis import profile as p
from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid, Image

TURNED = rotation_about("y", 30)
GRID = Grid((30, 20, 25), (2.0, 3.0, 2.5), (-20.0, 5.0, -30.0), TURNED)


def image():
    z, y, x = np.meshgrid(*(np.arange(n, dtype=float) for n in GRID.array_shape), indexing="ij")
    return Image(GRID, 1.0 + x + 10 * y + 100 * z)


@pytest.mark.parametrize("step", [0.7, 5.0])
def test_a_profile_along_any_line_reads_the_field(step):
    start, end = GRID.to_patient(np.array([[2.0, 3.0, 4.0], [20.0, 15.0, 18.0]]))
    result = p.profile_between(image(), start, end, step)
    part = result.position_mm / np.linalg.norm(end - start)
    np.testing.assert_allclose(part[[0, -1]], [0, 1])
    expected = 1 + 2 + 18 * part + 10 * (3 + 12 * part) + 100 * (4 + 14 * part)
    np.testing.assert_allclose(result.values, expected, rtol=1e-9)
    beyond = p.profile_between(image(), start, start + 1000 * (end - start), 50.0)
    assert np.isnan(beyond.values[-1])


def test_integral_depth_dose_keeps_the_integral():
    for axis in range(3):
        result = p.integral_depth_dose(image(), axis)
        total = (result.values * GRID.spacing_mm[axis] / 10).sum()
        assert total == pytest.approx(image().values.sum() * GRID.voxel_volume_cm3, rel=1e-12)
        reverse = p.integral_depth_dose(image(), axis, from_upper_end=True)
        assert np.array_equal(reverse.values, result.values[::-1])
        assert reverse.position_mm[0] == GRID.spacing_mm[axis] / 2
    by_hand = image().values.sum(axis=(0, 1)) * 3.0 * 2.5 / 100
    np.testing.assert_allclose(p.integral_depth_dose(image(), 0).values, by_hand)


@settings(max_examples=50, deadline=None)
@given(centre=st.floats(40, 60), sigma=st.floats(4, 8), height=st.floats(1e-12, 1e3))
def test_a_gaussian(centre, sigma, height):
    x = np.arange(0.0, 100.0, 1.0)
    curve = p.Profile(x, height * np.exp(-0.5 * ((x - centre) / sigma) ** 2))
    top, value = p.peak(curve)
    assert top == pytest.approx(centre, abs=0.01)
    assert value == pytest.approx(height, rel=1e-3)
    assert p.width(curve) == pytest.approx(2.354820045 * sigma, rel=5e-3)
    edge = sigma * (np.sqrt(2 * np.log(5)) - np.sqrt(2 * np.log(1.25)))
    assert p.penumbras(curve) == (pytest.approx(edge, rel=0.015), pytest.approx(edge, rel=0.015))
    assert p.distal_position(curve, 0.8) - centre == pytest.approx(sigma * np.sqrt(2 * np.log(1.25)), abs=0.05)


def test_the_distal_edge_of_a_spread_out_peak():
    x = np.arange(0.25, 200.0, 0.5)
    curve = p.Profile(x, 0.5 * erfc((x - 150.0) / (np.sqrt(2) * 3.0)))
    for level, standard in ((0.9, -1.281552), (0.8, -0.841621), (0.5, 0.0), (0.2, 0.841621)):
        assert p.distal_position(curve, level) == pytest.approx(150 + 3 * standard, abs=0.01)
    assert p.distal_falloff(curve) == pytest.approx(2 * 0.841621 * 3, abs=0.03)


def test_the_last_crossing_counts_for_range_and_the_first_for_the_rise():
    values = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 0.5, 0.0])
    curve = p.Profile(np.arange(7.0), values)
    assert p.proximal_position(curve, 0.5) < 1.0
    assert 4.0 < p.distal_position(curve, 0.5) < 5.5


def test_plain_straight_edges_are_exact():
    curve = p.Profile(np.array([0.0, 10.0, 20.0, 30.0]), np.array([0.0, 1.0, 1.0, 0.0]))
    assert p.peak(curve)[1] >= 1.0
    straight = p.Profile(np.array([0.0, 10.0]), np.array([1.0, 0.0]))
    assert p.peak(straight) == (0.0, 1.0)
    assert p.distal_position(straight, 0.8) == pytest.approx(2.0)
    assert p.distal_falloff(straight) == pytest.approx(6.0)


def test_refusals():
    x = np.arange(5.0)
    rising = p.Profile(x, x)
    for work in (
        lambda: p.Profile(x, x[1:]),
        lambda: p.Profile(x[::-1], x),
        lambda: p.distal_position(rising, 0.5),
        lambda: p.distal_position(p.Profile(x, -x - 1), 0.5),
        lambda: p.distal_position(p.Profile(x, x[::-1]), 1.5),
        lambda: p.profile_between(image(), np.zeros(3), np.zeros(3)),
    ):
        with pytest.raises(InputError):
            work()
