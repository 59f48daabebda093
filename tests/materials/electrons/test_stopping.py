"""Collision stopping powers and ranges of electrons against ESTAR (NISTIR 4999; printed to four digits)."""

import numpy as np
import pytest

from dosewright.core.matter import Material
from dosewright.materials.electrons.collisions import restricted
from dosewright.materials.electrons.radiation import radiation
from dosewright.materials.electrons.stopping import LOWEST_BETHE_MEV, collision_stopping
from dosewright.materials.elements import element
from dosewright.materials.library import named

WATER_75 = Material("water", 1.0, {1: 0.111894, 8: 0.888106}, 75.0)  # as in ESTAR
AIR = named("G4_AIR")
_BONE = {1: 0.047234, 6: 0.14433, 7: 0.04199, 8: 0.446096, 12: 0.0022, 15: 0.10497, 16: 0.00315, 20: 0.20993, 30: 1e-4}
CORTICAL_BONE = Material("bone", 1.85, _BONE, 106.4)  # ICRP, as in ESTAR
ENERGIES = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0])
ESTAR_WATER = [22.56, 13.17, 6.603, 4.115, 2.793, 2.034, 1.849, 1.824, 1.892, 1.968, 2.046, 2.139]
ESTAR_AIR = [19.75, 11.57, 5.818, 3.633, 2.469, 1.802, 1.661, 1.684, 1.833, 1.979, 2.134, 2.319]
ESTAR_BONE = {0.01: 19.72, 0.1: 3.679, 1.0: 1.659, 10.0: 1.799}
ESTAR_RANGES = [
    (WATER_75, {0.01: 2.515e-4, 0.1: 1.431e-2, 1.0: 0.4367, 5.0: 2.550, 10.0: 4.975, 20.0: 9.320, 50.0: 19.83}),
    (AIR, {0.01: 2.884e-4, 0.1: 1.623e-2, 1.0: 0.4912, 5.0: 2.740, 10.0: 5.192, 20.0: 9.447, 50.0: 19.48}),
]


def test_water_air_and_bone() -> None:
    assert collision_stopping(WATER_75, ENERGIES) == pytest.approx(ESTAR_WATER, rel=5e-4)
    assert collision_stopping(AIR, ENERGIES) == pytest.approx(ESTAR_AIR, rel=1.5e-3)
    bone = collision_stopping(CORTICAL_BONE, np.array(list(ESTAR_BONE)))
    assert bone == pytest.approx(list(ESTAR_BONE.values()), rel=5e-4)


@pytest.mark.parametrize(("material", "ranges"), ESTAR_RANGES)
def test_ranges(material: Material, ranges: dict[float, float]) -> None:
    """CSDA ranges above 10 keV, with radiation; below lies what ESTAR says."""
    for at, expected in ranges.items():
        assert csda_range(material, at, ranges[0.01]) == pytest.approx(expected, rel=2e-3), at


def csda_range(material: Material, to_MeV: float, up_to_10_keV: float) -> float:
    """Return the range (g/cm2), to which the part below 10 keV is given."""
    energy = np.geomspace(0.01, 50.0, 4001)
    stopping = collision_stopping(material, energy) + radiation(material, energy, np.inf).total
    steps = np.diff(energy) * 0.5 * (1 / stopping[1:] + 1 / stopping[:-1])
    return float(np.interp(to_MeV, energy, up_to_10_keV + np.concatenate(([0.0], np.cumsum(steps)))))


def test_distant_collisions_do_not_know_the_charge() -> None:
    """What is lost in small transfers is the same for both charges: it ties F+ to Bhabha and F- to Moller."""
    energy = np.array([0.05, 0.2, 1.0, 10.0, 50.0])
    below = [restricted(WATER_75, energy, 1e-5, positron).stopping for positron in (False, True)]
    assert below[1] == pytest.approx(below[0], rel=1e-4)


def test_continues_to_one_keV() -> None:
    energy = np.geomspace(1e-3, 0.02, 200)
    for z in (1, 6, 13, 29, 50, 74, 82, 92):
        material = Material(element(z).symbol, element(z).density_g_cm3, {z: 1.0}, element(z).mean_excitation_eV)
        for positron in (False, True):
            stopping = collision_stopping(material, energy, positron)
            assert (stopping > 0).all()
            assert np.abs(np.diff(np.log(stopping))).max() < 0.03
    edge = LOWEST_BETHE_MEV * np.array([1 - 1e-9, 1 + 1e-9])
    low, high = collision_stopping(WATER_75, edge)
    assert low == pytest.approx(high, rel=1e-6)
    assert collision_stopping(WATER_75, np.array([1e-3]))[0] == pytest.approx(120.0, rel=0.1)  # ESTAR's own uncertainty
