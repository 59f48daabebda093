"""Proton stopping powers against PSTAR, ICRU 90 and CSDA ranges."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from dosewright.core.matter import Material
from dosewright.materials.stopping import mean_excitation_eV, proton_mass_stopping_power, shell_correction

WATER_78 = Material("water", 1.0, {1: 0.111894, 8: 0.888106}, 78.0)
WATER_75 = Material("water", 1.0, {1: 0.111894, 8: 0.888106}, 75.0)
AIR = Material("air", 1.20479e-3, {6: 1.24e-4, 7: 0.755267, 8: 0.231781, 18: 0.012827}, 85.7)
GRAPHITE = Material("graphite", 2.21, {6: 1.0})
TUNGSTEN = Material("tungsten", 19.3, {74: 1.0})


# ICRU Report 90 (2016), electronic stopping power of protons, MeV cm2/g.
ICRU_90_MEV = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 150.0, 200.0, 300.0]
ICRU_90 = {
    "water": [257.4, 156.9, 78.42, 45.32, 25.89, 12.38, 7.250, 5.417, 4.470, 3.504],
    "air": [222.7, 137.0, 69.05, 40.04, 22.93, 10.98, 6.441, 4.815, 3.975, 3.117],
    "graphite": [226.1, 139.4, 70.10, 40.55, 23.17, 11.07, 6.486, 4.843, 3.994, 3.125],
}


@pytest.mark.parametrize("medium", [WATER_78, AIR, GRAPHITE], ids=lambda medium: medium.name)
def test_stopping_powers_agree_with_icru_90(medium: Material) -> None:
    ratio = proton_mass_stopping_power(medium, ICRU_90_MEV) / ICRU_90[medium.name]
    np.testing.assert_allclose(ratio, 1.0, atol=0.0035)
    np.testing.assert_allclose(ratio[3:], 1.0, atol=0.0012)


def test_aluminium_agrees_with_pstar() -> None:
    aluminium = Material("aluminium", 2.699, {13: 1.0})
    # NIST PSTAR, electronic, MeV cm2/g.
    np.testing.assert_allclose(proton_mass_stopping_power(aluminium, [10.0, 100.0]), [33.76, 5.678], rtol=2e-3)


def test_water_follows_pstar_and_icru_90_from_10_to_250_mev(shared_reference: Path) -> None:
    facts = json.loads((shared_reference / "ion_analytic_ranges.json").read_text())["protons"]
    energy = [f["E_MeV"] for f in facts]
    assert len(energy) >= 15
    np.testing.assert_allclose(
        proton_mass_stopping_power(WATER_75, energy), [f["S75_MeVcm2_g"] for f in facts], rtol=1e-3
    )
    np.testing.assert_allclose(
        proton_mass_stopping_power(WATER_78, energy), [f["S_icru90"] for f in facts], rtol=1.5e-3
    )


@pytest.mark.parametrize(("water", "key"), [(WATER_75, "csda75_cm"), (WATER_78, "csda_icru90_I78_cm")])
def test_csda_ranges_agree_within_three_per_mille(shared_reference: Path, water: Material, key: str) -> None:
    facts = json.loads((shared_reference / "ion_analytic_ranges.json").read_text())["protons"]
    nodes = np.geomspace(1e-3, 260.0, 4000)
    inverse = 1.0 / proton_mass_stopping_power(water, nodes)
    csda = np.concatenate([[0.0], np.cumsum(np.diff(nodes) * (inverse[1:] + inverse[:-1]) / 2)])
    for fact in facts:
        ours = np.interp(fact["E_MeV"], nodes, csda)
        assert ours == pytest.approx(fact[key], rel=3e-3 if fact["E_MeV"] > 10 else 5e-3), fact["E_MeV"]


def test_csda_is_the_integral_of_the_inverse_stopping_power() -> None:
    value, _ = quad(lambda e: 1.0 / float(proton_mass_stopping_power(WATER_78, e)), 50.0, 150.0)
    assert value == pytest.approx(15.8616 - 2.2411, rel=1.5e-3)  # ICRU 90


def test_the_low_energy_continuation_has_waters_shape() -> None:
    MeV = [0.01, 0.05, 0.08, 0.1, 0.2, 0.3]
    icru_90 = [422.9, 774.0, 824.1, 814.5, 658.5, 543.5]
    np.testing.assert_allclose(proton_mass_stopping_power(WATER_78, MeV), icru_90, rtol=0.025)
    below, above = proton_mass_stopping_power(WATER_78, [0.4999999, 0.5000001])
    assert below == pytest.approx(above, rel=1e-6)
    step = 1e-4
    s = proton_mass_stopping_power(WATER_78, [0.5 - step, 0.5, 0.5 + step])
    assert (s[1] - s[0]) == pytest.approx(s[2] - s[1], rel=0.1)


def test_braggs_rule_and_own_values() -> None:
    assert mean_excitation_eV(WATER_78) == 78.0
    assert mean_excitation_eV(TUNGSTEN) == pytest.approx(727.0)
    by_rule = mean_excitation_eV(Material("water", 1.0, {1: 0.111894, 8: 0.888106}))
    assert by_rule == pytest.approx(np.exp(0.2 * np.log(19.2) + 0.8 * np.log(106.0)), rel=1e-4)
    assert mean_excitation_eV(Material("coal", 2.0, {6: 1.0})) == pytest.approx(81.0)


def test_bound_carbon_lacks_the_conduction_electrons_of_graphite() -> None:
    plastic = Material("polyethylene", 0.94, {1: 0.143711, 6: 0.856289}, 57.4)
    energy = np.array([50.0, 200.0])
    assert shell_correction(6, energy, GRAPHITE).tolist() == pytest.approx([0.007, 0.023])
    assert shell_correction(6, energy, plastic).tolist() == pytest.approx([0.007, 0.008])


def test_the_shell_term_is_linear_in_z_between_the_table_elements() -> None:
    between = shell_correction(20, np.array([10.0]), WATER_78)
    assert between == pytest.approx(0.075 + (0.122 - 0.075) * 6 / 12)


@given(
    st.dictionaries(st.integers(1, 92), st.floats(0.001, 1.0), min_size=1, max_size=6),
    st.floats(1e-3, 299.0),
)
def test_any_medium_has_a_positive_smooth_stopping_power(fractions: dict[int, float], energy: float) -> None:
    s = proton_mass_stopping_power(Material("any", 1.0, fractions), [energy, energy * 1.001])
    assert np.all(np.isfinite(s)) and np.all(s > 0)
    assert abs(s[1] / s[0] - 1) < 2e-3
