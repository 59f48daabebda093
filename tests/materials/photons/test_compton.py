"""Tables of Compton scattering: cross sections, shells, and how one of them is drawn."""

import numpy as np
import pytest

from dosewright.core.units import AVOGADRO_PER_MOL, ELECTRON_MASS_MEV, FINE_STRUCTURE
from dosewright.materials.library import named
from dosewright.materials.photons.compton import HC_MEV_ANGSTROM, aliases, compton_tables, scattering_function, shells

CLASSICAL_RADIUS_CM = 2.8179403205e-13  # CODATA 2022
ELECTRONS_PER_GRAM_OF_WATER = AVOGADRO_PER_MOL * 10.0 / 18.0153


def incoherent_cm2_g(energy: float, bound: bool = True) -> float:
    k, turn = energy / ELECTRON_MASS_MEV, np.linspace(0.0, 2.0, 20_001)
    left = 1.0 / (1.0 + k * turn)
    density = np.pi * CLASSICAL_RADIUS_CM**2 * left**2 * (left + 1.0 / left - turn * (2.0 - turn))
    if bound:
        x = energy / HC_MEV_ANGSTROM * np.sqrt(0.5 * turn)
        density *= np.append(0.0, scattering_function(named("water"), x[1:]))
    return float(np.trapezoid(density, turn)) * ELECTRONS_PER_GRAM_OF_WATER


@pytest.mark.parametrize(("energy", "published"), [(0.01, 0.1550), (0.1, 0.1626), (1.0, 0.07066)])
def test_angular_distribution_adds_up_to_the_published_cross_section(energy: float, published: float) -> None:
    # XCOM (Berger et al., NIST SRD 8), incoherent scattering in water, cm2/g; ours is what XCOM is made of
    assert incoherent_cm2_g(energy) == pytest.approx(published, rel=0.003)


def test_scattering_function_is_one_at_large_and_quadratic_at_small_transfers() -> None:
    water = named("water")
    assert scattering_function(water, np.array([500.0]))[0] == pytest.approx(1.0, abs=1e-4)
    small = scattering_function(water, np.array([1e-3, 2e-3]))
    assert small[1] == pytest.approx(4.0 * small[0], rel=1e-9)


@pytest.mark.parametrize("Z", range(1, 93))
def test_every_element_has_all_its_electrons_bound_and_moving(Z: int) -> None:
    assert sum(one.electrons for one in shells(Z)) == pytest.approx(Z, rel=1e-6)
    assert all(0.0 < one.width < 1.0 for one in shells(Z))
    inner = [one.binding for one in shells(Z) if one.order < 4]
    assert inner == sorted(inner, reverse=True)


def test_profile_of_oxygen_at_rest_is_the_published_one() -> None:
    # Biggs, Mendelsohn and Mann, At. Data Nucl. Data Tables 16, 201 (1975): J(0) = 2.78 per atomic unit of momentum
    total = sum(one.electrons * FINE_STRUCTURE / (np.sqrt(2.0) * one.width) for one in shells(8))
    assert total == pytest.approx(2.78, abs=0.01)


def test_aliases_give_back_the_weights() -> None:
    weights = np.array([5.0, 0.1, 1.0, 0.0, 2.5, 0.7])
    share, other = aliases(weights)
    given = share.copy()
    np.add.at(given, other, 1.0 - share)
    np.testing.assert_allclose(given / len(weights), weights / weights.sum(), atol=1e-12)


def test_processes_that_are_off_leave_electrons_at_rest_or_free() -> None:
    still = compton_tables([named("water")], ["doppler"])
    assert not still.width.any()
    assert still.binding.any()
    free = compton_tables([named("water"), named("G4_Pb")], ["bound_compton"])
    assert free.first.tolist() == [0, 1, 2]
    assert not free.binding.any()
    np.testing.assert_array_equal(free.loss[0], free.loss[1])
