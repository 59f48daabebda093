"""What air does to a beam."""

import numpy as np
import pytest

from dosewright.commissioning.beam_fit.air import scattering_length_mm, spread_mm2, water_equivalent_mm
from dosewright.materials.library import named


@pytest.mark.parametrize(("name", "g_cm2"), [("G4_WATER", 46.88), ("G4_AIR", 46.76)])
def test_scattering_lengths_are_those_published(name: str, g_cm2: float) -> None:
    """Gottschalk, Med. Phys. 37, 352 (2010), table I, to its last digit."""
    material = named(name)
    assert material.density_g_cm3 * scattering_length_mm(material) / 10 == pytest.approx(g_cm2, abs=0.01)


def test_a_metre_of_air_is_a_millimetre_of_water() -> None:
    assert water_equivalent_mm(150.0, 1000.0) == pytest.approx(1.07, abs=0.01)


def test_spread_grows_with_the_third_power_of_the_length() -> None:
    one, two = spread_mm2(150.0, np.array([500.0, 1000.0]))
    assert two / one == pytest.approx(8.7, abs=0.5)  # a little more: single scattering joins the core
    assert spread_mm2(150.0, np.array([0.0]))[0] == 0.0
