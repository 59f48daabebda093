"""Cross sections of photons: the formulas by themselves, and where data and formulas meet."""

import numpy as np
import pytest

from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.photons.cross_sections import (
    compton_barn,
    edges_MeV,
    klein_nishina_barn,
    photoelectric_barn,
    rayleigh_barn,
    shell_barn,
)
from dosewright.materials.photons.pair_total import (
    born_total,
    coulomb_term,
    davies_bethe_maximon,
    haug_total,
    pair_barn,
    screening_loss,
    triplet_barn,
)


def test_klein_nishina_by_quadrature_and_in_thomsons_limit() -> None:
    for energy in (1e-4, 5e-4, 1.0e-3, 1.1e-3, 0.01, 0.1, 1.0, 50.0):
        k = energy / ELECTRON_MASS_MEV
        nodes, weights = np.polynomial.legendre.leggauss(400)
        t = 0.5 * (nodes + 1)
        y = 2 * t**4  # 1 - cos
        ratio = 1 / (1 + k * y)
        integrand = np.pi * 0.0794079 * ratio**2 * (ratio + 1 / ratio - y * (2 - y)) * 8 * t**3 * 0.5
        assert klein_nishina_barn(np.array([energy]))[0] == pytest.approx(np.sum(integrand * weights), rel=1e-5)
    assert klein_nishina_barn(np.array([1e-7]))[0] == pytest.approx(0.665246, rel=1e-5)


@pytest.mark.parametrize("z", [1, 6, 20, 47, 74, 92])
def test_data_and_formulas_meet(z: int) -> None:
    """Compton meets to 0.3 % (radiative terms in the data), the photoelectric effect to 0.6 %."""
    low, high = np.array([0.789999]), np.array([0.790001])
    assert compton_barn(z, high)[0] == pytest.approx(compton_barn(z, low)[0], rel=0.003)
    assert photoelectric_barn(z, high)[0] == pytest.approx(photoelectric_barn(z, low)[0], rel=0.006)
    assert rayleigh_barn(z, high)[0] == pytest.approx(rayleigh_barn(z, low)[0], rel=0.01)


@pytest.mark.parametrize("z", [13, 29, 50, 74, 82])
def test_shells_add_up_to_the_photoelectric_cross_section(z: int) -> None:
    energies = np.array([0.03, 0.06, 0.12, 0.25]) if z > 29 else np.array([0.012, 0.03])
    summed = sum(shell_barn(z, name, edge, energies) for name, edge in edges_MeV(z))
    np.testing.assert_allclose(summed, photoelectric_barn(z, energies), rtol=0.012)


def bethe_heitler(k: float) -> float:
    """Integrate the unscreened spectrum of pairs in units of Z^2 alpha r_e^2 (Heitler, 3rd ed., section 26)."""
    nodes, weights = np.polynomial.legendre.leggauss(400)
    kinetic = (k - 2.0) * 0.5 * (1 + np.sin(0.5 * np.pi * nodes))
    jacobian = (k - 2.0) * 0.25 * np.pi * np.cos(0.5 * np.pi * nodes)
    ep = 1.0 + kinetic
    em = k - ep
    pp, pm = np.sqrt(ep**2 - 1), np.sqrt(em**2 - 1)
    lp, lm = 2 * np.log(ep + pp), 2 * np.log(em + pm)
    big = 2 * np.log((ep * em + pp * pm + 1) / k)
    a = (
        -4 / 3
        - 2 * ep * em * (pp**2 + pm**2) / (pp * pm) ** 2
        + lm * ep / pm**3
        + lp * em / pp**3
        - lp * lm / (pp * pm)
    )
    b = k**2 * ((ep * em) ** 2 + (pp * pm) ** 2) / (pp * pm) ** 3 - 8 * ep * em / (3 * pp * pm)
    c = lm * (ep * em - pm**2) / pm**3 + lp * (ep * em - pp**2) / pp**3 + 2 * k * ep * em / (pp * pm) ** 2
    spectrum = pp * pm / k**3 * (a + big * b - big * k / (2 * pp * pm) * c)
    return float(np.sum(spectrum * jacobian * weights))


@pytest.mark.parametrize("k", [2.5, 3.9, 4.1, 10.0, 60.0])
def test_born_total_is_the_integral_of_bethe_and_heitlers_spectrum(k: float) -> None:
    assert born_total(np.array([k]))[0] == pytest.approx(bethe_heitler(k), rel=3e-4)


def test_screening_in_the_limits() -> None:
    """Nothing at the threshold; at complete screening Tsai's 28/9 [ln(183 Z^-1/3)] - 2/27 takes the place of ln 2k.

    The form factors of xraylib are not those of Thomas and Fermi, so 3 % of the total.
    """
    assert screening_loss(82, np.array([2.0]))[0] == pytest.approx(0.0, abs=1e-12)
    k = np.array([1.0e2])
    for z in (29, 82):
        least = 28 / 9 * np.log(2 * k) - 218 / 27 - screening_loss(z, k)
        assert 0 < least[0] < 28 / 9 * np.log(183 * z ** (-1 / 3)) - 2 / 27


def test_davies_bethe_maximon_function() -> None:
    """f = a2 (1/(1 + a2) + 0.20206 - 0.0369 a2 + 0.0083 a2^2 - 0.002 a2^3), Davies et al. (1954), eq. 38."""
    for z in (8, 47, 82):
        a2 = (z / 137.036) ** 2
        series = a2 * (1 / (1 + a2) + 0.20206 - 0.0369 * a2 + 0.0083 * a2**2 - 0.002 * a2**3)
        assert davies_bethe_maximon(z) == pytest.approx(series, rel=2e-4)


def test_departure_from_born_is_positive_low_and_negative_high() -> None:
    assert coulomb_term(82, np.array([1.5 / ELECTRON_MASS_MEV]))[0] > 0.0
    high = coulomb_term(82, np.array([1e4]))[0]
    assert high == pytest.approx(-28 / 9 * davies_bethe_maximon(82), rel=0.1)


def test_thresholds() -> None:
    energies = np.array([1.0, 1.0219, 1.0221, 2.0439, 2.1])
    assert np.all((pair_barn(82, energies) > 0) == [False, False, True, True, True])
    assert np.all((triplet_barn(6, energies) > 0) == [False, False, False, False, True])


def test_haugs_pieces_meet() -> None:
    for k in (4.6, 6.0, 14.0):
        left, right = haug_total(np.array([k * (1 - 1e-9), k * (1 + 1e-9)]))
        assert left == pytest.approx(right, rel=0.01)
