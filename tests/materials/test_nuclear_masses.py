"""Nuclear masses against the evaluated ones (AME2020, Wang et al., Chin. Phys. C 45, 030003 (2021))."""

import numpy as np
import pytest

from dosewright.core.units import (
    ALPHA_MASS_MEV,
    ATOMIC_MASS_UNIT_MEV,
    DEUTERON_MASS_MEV,
    ELECTRON_MASS_MEV,
    HELION_MASS_MEV,
    TRITON_MASS_MEV,
)
from dosewright.materials.nuclear_masses import mass_excess_MeV


def cost(protons: int, neutrons: int, z: int, n: int) -> float:
    """Energy to take (z, n) away from (protons, neutrons)."""
    excess = mass_excess_MeV().astype(float)
    return float(excess[protons - z, neutrons - n] + excess[z, n] - excess[protons, neutrons])


def test_separation_energies_of_oxygen_and_carbon() -> None:
    assert cost(8, 8, 1, 0) == pytest.approx(12.127, abs=0.002)
    assert cost(8, 8, 0, 1) == pytest.approx(15.664, abs=0.002)
    assert cost(8, 8, 2, 2) == pytest.approx(7.162, abs=0.002)
    assert cost(6, 6, 1, 0) == pytest.approx(15.957, abs=0.002)
    assert cost(6, 6, 2, 2) == pytest.approx(7.367, abs=0.002)


@pytest.mark.parametrize(
    ("protons", "neutrons", "of_proton", "of_neutron"),
    [(20, 20, 8.33, 15.64), (26, 30, 10.18, 11.20), (29, 34, 6.12, 10.86), (82, 126, 8.00, 7.37)],
)
def test_the_mass_formula_gives_separation_energies_to_some_mev(
    protons: int, neutrons: int, of_proton: float, of_neutron: float
) -> None:
    assert cost(protons, neutrons, 1, 0) == pytest.approx(of_proton, abs=3.0)
    assert cost(protons, neutrons, 0, 1) == pytest.approx(of_neutron, abs=3.0)


def test_excesses_agree_with_the_masses_of_light_particles() -> None:
    """The excess is that of the atom: it has its electrons."""
    masses = {(1, 1): DEUTERON_MASS_MEV, (1, 2): TRITON_MASS_MEV, (2, 1): HELION_MASS_MEV, (2, 2): ALPHA_MASS_MEV}
    for (z, n), mass in masses.items():
        nuclear = (z + n) * ATOMIC_MASS_UNIT_MEV + float(mass_excess_MeV()[z, n]) - z * ELECTRON_MASS_MEV
        assert nuclear == pytest.approx(mass, abs=2e-3)


def test_every_stable_nucleus_is_bound() -> None:
    excess = mass_excess_MeV()
    assert np.isfinite(excess).all()
    for z, n in ((2, 2), (6, 6), (13, 14), (22, 26), (50, 70), (74, 110), (92, 146)):
        assert abs(excess[z, n]) < 100.0
