"""Figures of profiles of known shape; what does not exist is left out."""

import numpy as np
import pytest

from dosewright.analysis.profile import Profile
from dosewright.analysis.profile_figures import profile_figures


def test_a_trapezium() -> None:
    # The parabola through the corner of the plateau is 0.6 % too high, which moves levels by less than 0.1 mm.
    x = np.arange(-30.0, 30.5, 0.5)
    values = np.clip((20 - np.abs(x)) / 10, 0.0, 1.0)
    found = {name: one.value_mm for name, one in profile_figures(Profile(x, values)).items()}
    assert found["R50_mm"] == pytest.approx(15, abs=0.1)
    assert found["R80_mm"] == pytest.approx(12, abs=0.1)
    assert found["R90_mm"] == pytest.approx(11, abs=0.1)
    assert found["rises_to_50_mm"] == pytest.approx(-15, abs=0.1)
    assert found["width_50_mm"] == pytest.approx(30, abs=0.2)
    assert found["centre_mm"] == pytest.approx(0, abs=1e-9)
    assert found["penumbra_rising_80_20_mm"] == pytest.approx(6, abs=0.1)
    assert found["penumbra_falling_80_20_mm"] == pytest.approx(6, abs=0.1)


def test_what_does_not_exist_is_left_out() -> None:
    found = profile_figures(Profile(np.arange(10.0), np.exp(-np.arange(10.0) / 20)))
    assert set(found) == {"R100_mm", "R90_mm", "R80_mm"}  # it falls to 64 %, and rises nowhere


def test_the_spread_is_that_of_the_noise() -> None:
    x = np.arange(0.0, 41.0, 1.0)
    values = np.exp(-((x - 20.0) ** 2) / 128.0)
    spread = profile_figures(Profile(x, values), np.full(x.size, 0.001))["R50_mm"].sigma_mm
    # At 9.42 mm from the peak the slope is 0.0736 per mm; the two voxels there count 0.58 and 0.42, the peak a half:
    # 0.001 sqrt(0.58^2 + 0.42^2 + 0.5^2) / 0.0736 mm. 200 drawings tell it to 5 %.
    assert spread == pytest.approx(0.0119, rel=0.15)
