"""The density effect against ESTAR (Berger, Coursey, Zucker, Chang, NISTIR 4999)."""

import numpy as np
import pytest

from dosewright.core.matter import Material
from dosewright.materials.electrons.density_effect import PLASMA_EV, atomic_shells, density_effect, oscillators
from dosewright.materials.elements import element
from dosewright.materials.library import named
from dosewright.materials.stopping import electrons_per_gram_mol

WATER_75 = Material("water", 1.0, {1: 0.111894, 8: 0.888106}, 75.0)  # as in ESTAR
AIR = named("G4_AIR")
ESTAR_WATER = {0.4: 0.0, 0.6: 0.02938, 1.0: 0.2428, 2.0: 0.8218, 5.0: 1.967, 10.0: 2.992, 20.0: 4.107, 50.0: 5.741}
ESTAR_METALS_MEV = np.array([1.0, 10.0, 50.0])
ESTAR_METALS = [
    (13, [0.334, 2.384, 5.068]),
    (29, [0.580, 2.664, 5.054]),
    (74, [0.358, 2.070, 4.252]),
    (82, [0.181, 1.523, 3.579]),
]


def solid(z: int) -> Material:
    """An element at its own density."""
    return Material(element(z).symbol, element(z).density_g_cm3, {z: 1.0}, element(z).mean_excitation_eV)


def test_water() -> None:
    energy = np.array(list(ESTAR_WATER))
    assert density_effect(WATER_75, energy) == pytest.approx(list(ESTAR_WATER.values()), abs=0.005)


def test_air_sets_in_late() -> None:
    expected = [0.0, 0.007563, 0.1375, 0.3189]
    assert density_effect(AIR, np.array([25.0, 30.0, 40.0, 50.0])) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("z", "expected"), ESTAR_METALS)
def test_metals(z: int, expected: list[float]) -> None:
    """0.04 in delta is 0.25 % of the stopping power."""
    assert density_effect(solid(z), ESTAR_METALS_MEV) == pytest.approx(expected, abs=0.04)


def test_oscillators_meet_the_mean_excitation_energy() -> None:
    for material, expected in ((WATER_75, 75.0), (solid(29), 322.0), (solid(82), 823.0), (AIR, 85.7)):
        atoms = oscillators(material)
        assert atoms.strength.sum() == pytest.approx(1.0)
        assert np.exp(atoms.strength @ np.log(atoms.resonances_eV())) == pytest.approx(expected, rel=1e-6)


def test_high_energy_limit() -> None:
    """Fano: delta tends to 2 ln(gamma h nu_p/I) - 1."""
    energy = np.array([1.0e5])
    plasma = PLASMA_EV * np.sqrt(electrons_per_gram_mol(WATER_75))
    limit = 2 * np.log((1 + energy / 0.51099895) * plasma / 75.0) - 1
    assert density_effect(WATER_75, energy) == pytest.approx(limit, abs=1e-4)


def test_only_conductors_have_free_electrons() -> None:
    assert oscillators(solid(29)).strength[0] == pytest.approx(1 / 29)
    assert oscillators(solid(29)).energy_eV.min() == 0.0
    steel = Material("steel", 7.8, {6: 0.01, 24: 0.18, 26: 0.81})
    assert oscillators(steel).energy_eV.min() == 0.0
    for insulator in (WATER_75, AIR, solid(14), Material("PbO", 9.5, {8: 0.0717, 82: 0.9283})):
        assert oscillators(insulator).energy_eV.min() > 0.0


def test_every_element_keeps_its_electrons() -> None:
    for z in range(1, 93):
        shells = atomic_shells(z)
        assert sum(n for n, _ in shells) == pytest.approx(z, abs=1e-4)
        assert density_effect(solid(z), np.array([1e-3, 1.0, 50.0])).tolist() == sorted(
            density_effect(solid(z), np.array([1e-3, 1.0, 50.0]))
        )
