"""Form factors of Rayleigh scattering."""

import numpy as np
import pytest

from dosewright.materials.library import named
from dosewright.materials.photons.rayleigh import rayleigh_tables, squared_form_factor


def test_forward_all_electrons_of_an_atom_scatter_together() -> None:
    forward = squared_form_factor(named("G4_Pb"), np.array([0.0]))[0]
    assert forward == pytest.approx(82.0**2 / 207.2, rel=1e-4)
    water = squared_form_factor(named("water"), np.array([0.0]))[0]
    assert water == pytest.approx((8.0**2 + 2.0) / 18.0153, rel=1e-3)


@pytest.mark.parametrize("name", ["water", "G4_Pb"])
def test_integral_over_the_nodes_is_that_of_the_squared_form_factor(name: str) -> None:
    tables = rayleigh_tables([named(name)])
    x2 = np.linspace(0.0, 100.0, 40_001)
    whole = np.trapezoid(squared_form_factor(named(name), np.sqrt(x2)), x2)
    assert np.interp(100.0, tables.square, tables.below[0]) == pytest.approx(whole, rel=2e-3)
