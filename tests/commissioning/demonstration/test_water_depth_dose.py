"""Depth dose, lateral spread and halo of the formula against Monte Carlo in water.

Reference figures: Geant4 11.4.0 (option-4-like electromagnetic physics, ICRU 90 stopping powers of water, binary
cascade), mono-energetic zero-width beams, `ion_geant4_p100` and `ion_geant4_p200`.
"""

import json
from math import erfc
from pathlib import Path

import numpy as np
import pytest

from dosewright.commissioning.demonstration.analytic_dose import HALO_WIDTH, spread_mm2
from dosewright.commissioning.demonstration.water_depth_dose import (
    DepthDose,
    energy_for_range_MeV,
    range_in_water_mm,
    range_sigma_mm,
)

# energy: (peak MeV cm2/g, R80 mm, distal 80-20 mm, energy deposited MeV)
GEANT4 = {100.0: (41.95, 77.63, 1.155, 97.99), 200.0: (21.41, 260.80, 3.615, 189.49)}


def curve(energy: float, spread: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    depth = np.arange(0.0, 1.15 * float(range_in_water_mm(energy)), 0.05)
    return depth, np.sum(DepthDose.of(energy, spread).at(depth), axis=0)


def distal(depth: np.ndarray, dose: np.ndarray, level: float) -> float:
    peak = int(np.argmax(dose))
    return float(np.interp(-level * dose[peak], -dose[peak:], depth[peak:]))


@pytest.mark.parametrize("energy", GEANT4)
def test_peak_range_falloff_and_energy(energy: float) -> None:
    peak, r80, falloff, deposited = GEANT4[energy]
    depth, dose = curve(energy)
    assert dose.max() == pytest.approx(peak, rel=0.03)
    assert distal(depth, dose, 0.8) == pytest.approx(r80, abs=0.5)
    assert distal(depth, dose, 0.2) - distal(depth, dose, 0.8) == pytest.approx(falloff, rel=0.05)
    assert np.trapezoid(dose, depth) / 10 == pytest.approx(deposited, rel=0.01)


@pytest.mark.parametrize("energy", [100, 200])
def test_the_whole_curve_down_to_the_peak(energy: int, shared_reference: Path) -> None:
    reference = json.loads((shared_reference / f"ion_geant4_p{energy}.json").read_text())
    depth, dose = curve(energy)
    r80 = reference["metrics"]["R80_mm"]
    for share, value in reference["metrics"]["idd_at_fraction_of_R80"].items():
        if float(share) < 1:
            assert np.interp(float(share) * r80, depth, dose) == pytest.approx(value, rel=0.05)


@pytest.mark.parametrize("energy", [100, 200])
def test_lateral_spread_of_the_core(energy: int, shared_reference: Path) -> None:
    reference = json.loads((shared_reference / f"ion_geant4_p{energy}.json").read_text())
    water = np.linspace(0.0, float(range_in_water_mm(float(energy))), 400)
    sigma = np.sqrt(spread_mm2(water[-1], water))
    for row in reference["lateral"]:
        if 0.4 < row["depth_mm"] / reference["metrics"]["R80_mm"] < 0.95:
            assert np.interp(row["depth_mm"], water, sigma) == pytest.approx(row["sigma_core_mm"], rel=0.05)


@pytest.mark.parametrize(("energy", "outside_10_mm"), [(100.0, 0.0132), (200.0, 0.0955)])
def test_halo_at_half_the_range(energy: float, outside_10_mm: float) -> None:
    reach = float(range_in_water_mm(energy))
    core, halo = DepthDose.of(energy, 0.0).at(np.array([0.5 * reach]))
    found = float(halo[0] / (core[0] + halo[0])) * erfc(10.0 / (np.sqrt(2) * HALO_WIDTH * reach))
    assert found == pytest.approx(outside_10_mm, abs=0.015)


def test_ranges_are_those_of_pstar() -> None:
    """CSDA ranges of PSTAR (I = 75 eV): 7.718 and 25.96 g/cm2 at 100 and 200 MeV; I = 78 eV adds 0.53 to 0.62 %."""
    assert float(range_in_water_mm(100.0)) == pytest.approx(77.18 * 1.0058 * 0.9989, rel=0.002)
    assert float(range_in_water_mm(200.0)) == pytest.approx(259.6 * 1.0058 * 0.9989, rel=0.002)
    energy = np.array([5.0, 70.0, 230.0])
    assert energy_for_range_MeV(range_in_water_mm(energy)) == pytest.approx(energy, rel=1e-6)


def test_energy_spread_widens_the_fall_off() -> None:
    """dR/dE of 150 MeV is 1.77 R/E (Bortfeld's power law), 1.86 mm/MeV."""
    added2 = range_sigma_mm(150.0, 1.0) ** 2 - range_sigma_mm(150.0, 0.0) ** 2
    assert np.sqrt(added2) == pytest.approx(1.77 * float(range_in_water_mm(150.0)) / 150.0, rel=0.02)
