"""Annihilation in flight: Heitler's cross section."""

import numpy as np
import pytest

from dosewright.core.units import AVOGADRO_PER_MOL, FINE_STRUCTURE, HBAR_C_MEV_FM
from dosewright.materials.electrons.annihilation import annihilation_rate
from dosewright.materials.library import named
from dosewright.materials.stopping import electrons_per_gram_mol

WATER = named("G4_WATER")
ELECTRON_MASS_MEV = 0.51099895
RADIUS_CM = FINE_STRUCTURE * HBAR_C_MEV_FM / ELECTRON_MASS_MEV * 1e-13


def test_one_MeV_by_hand() -> None:
    """gamma = 2.957: 0.1720 barn per electron."""
    per_electron = annihilation_rate(WATER, np.array([1.0])) / (AVOGADRO_PER_MOL * electrons_per_gram_mol(WATER))
    assert per_electron * 1e24 == pytest.approx([0.1720], abs=2e-4)


def test_limits() -> None:
    """Slow: pi r_e^2 c/v. Fast: pi r_e^2 (ln 2 gamma - 1)/gamma."""
    electrons = AVOGADRO_PER_MOL * electrons_per_gram_mol(WATER) * np.pi * RADIUS_CM**2
    slow, fast = annihilation_rate(WATER, np.array([1e-5, 1e4])) / electrons
    assert slow == pytest.approx(1 / np.sqrt(2e-5 / ELECTRON_MASS_MEV), rel=3e-3)
    gamma = 1 + 1e4 / ELECTRON_MASS_MEV
    assert fast == pytest.approx((np.log(2 * gamma) - 1) / gamma, rel=1e-3)
