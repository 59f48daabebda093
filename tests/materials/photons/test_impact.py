"""Ionisation of inner shells by electrons against published values."""

import numpy as np
import pytest

from dosewright.materials.library import named
from dosewright.materials.photons.impact import casnati_cm2, impact, ionisation_cm2
from dosewright.materials.photons.vacancies import mean_photon_energy_MeV

# (Z, shell, edge in keV): barn at keV, from the analytical formulas of Bote, Salvat, Jablonski and Powell, ADNDT 95,
# 871 (2009). Arsenic, antimony and gold took no part in the fit, nor did L of holmium.
BOTE = {
    (13, 0, 1.54992): {2.0: 5802.2, 5.0: 13681.0, 20.0: 8435.1, 1000.0: 1491.9},
    (29, 0, 8.95025): {20.0: 392.57, 50.0: 394.62, 100.0: 307.5, 1000.0: 182.29},
    (33, 0, 11.8291): {20.0: 184.59, 50.0: 244.15, 300.0: 144.26},
    (33, 3, 1.32813): {3.0: 42763.0, 20.0: 22839.0, 300.0: 4797.0},
    (51, 0, 30.4792): {45.0: 24.704, 100.0: 41.147, 1000.0: 39.255},
    (53, 0, 33.165): {50.0: 21.882, 150.0: 35.994},
    (67, 0, 55.707): {163.117: 13.6404},
    (74, 0, 69.6891): {80.0: 2.2056, 100.0: 5.0571, 150.0: 8.0304, 1000.0: 12.77, 6000.0: 19.552},
    (74, 1, 12.077): {20.0: 172.18, 100.0: 168.75, 1000.0: 99.495},
    (74, 2, 11.5735): {20.0: 262.04, 100.0: 224.12, 1000.0: 134.61},
    (74, 3, 10.2052): {20.0: 752.15, 100.0: 545.09, 1000.0: 310.03},
    (79, 0, 80.9597): {100.0: 2.4898, 150.0: 5.5501, 1000.0: 10.248},
    (79, 3, 11.9219): {20.0: 506.12, 100.0: 438.59, 1000.0: 255.02},
    (82, 0, 88.2882): {150.0: 4.3479, 1000.0: 8.9596},
}


@pytest.mark.parametrize("which", BOTE, ids=str)
def test_cross_sections_are_those_of_bote_and_salvat(which: tuple[int, int, float]) -> None:
    """Seen: 2.2 % at most."""
    z, shell, edge = which
    energies = np.array(list(BOTE[which])) * 1e-3
    sigma = ionisation_cm2(z, shell, edge * 1e-3, energies) * 1e24
    np.testing.assert_allclose(sigma, list(BOTE[which].values()), rtol=0.025)


def test_casnati_has_the_nonrelativistic_limit() -> None:
    """Nickel K at twice the edge: (13.6057/8333)^2 a0^2 2 psi phi ln 2/2 by hand, relativity adds 3 %."""
    u = np.array([2.0])
    psi = (8333 / 13.605693) ** (-0.0318 + 0.158 - 0.028375)
    phi = 10.57 * np.exp(-0.868 + 0.07925)
    by_hand = 2 * (5.29177e-9 * 13.605693 / 8333) ** 2 * psi * phi * np.log(2) / 2
    assert casnati_cm2(2, 8.333e-3, u)[0] == pytest.approx(by_hand * 1.03, rel=0.01)
    assert casnati_cm2(2, 8.333e-3 * 1e-4, u)[0] > 0.0


def test_nothing_below_the_edge_and_nothing_without_photons_above_the_cut() -> None:
    energies = np.geomspace(1e-3, 50, 200)
    assert ionisation_cm2(74, 0, 0.0695, np.array([0.0694, 0.0695]))[0] == 0.0
    water = impact(named("G4_WATER"), energies, 0.001)
    assert np.all(water.rate == 0.0)
    tungsten = named("G4_W")
    assert np.all(impact(tungsten, energies, 0.01, ("impact_ionisation",)).rate == 0.0)
    assert np.all(impact(tungsten, energies, 0.01, ("fluorescence",)).loss == 0.0)
    assert np.all(impact(tungsten, energies, 0.08).rate == 0.0)
    only_k = impact(tungsten, energies, 0.02)
    assert np.all(only_k.rate[energies < 0.0695] == 0.0)
    np.testing.assert_allclose(only_k.loss, only_k.rate * mean_photon_energy_MeV(74, 0, 0.02))


def test_the_rate_of_a_mixture_is_that_of_its_elements() -> None:
    energies = np.array([0.02, 0.1, 1.0])
    brass = named("G4_BRASS")
    summed = sum(
        w * impact(named(n), energies, 0.005).rate
        for n, w in (("G4_Cu", 0.57515), ("G4_Zn", 0.33415), ("G4_Pb", 0.0907))
    )
    np.testing.assert_allclose(impact(brass, energies, 0.005).rate, summed / (0.57515 + 0.33415 + 0.0907), rtol=1e-12)
