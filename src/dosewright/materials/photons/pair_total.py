"""Total cross sections of pair production by photons, in the field of the nucleus and in that of the electrons.

Nucleus: the Born total of Maximon, less what screening takes away in the extreme relativistic limit (form factors of
xraylib), plus a term for the departure from Born whose coefficients were fitted to the evaluation of Hubbell, Gimm and
Overbo as in XCOM (Z 13 to 92, 1.15 to 50 MeV). Electrons: Haug's totals less screening. Within 1 % of XCOM (nucleus,
1.25 to 50 MeV); triplet within 0.5 % from 3 MeV up to aluminium and 5 % in lead, where it is 1 % of all pairs.
"""

from functools import cache

import numpy as np
import xraylib
from numpy.typing import NDArray

from dosewright.core.units import BARN_CM2, CLASSICAL_ELECTRON_RADIUS_CM, ELECTRON_MASS_MEV, FINE_STRUCTURE

Array = NDArray[np.float64]

PAIR_THRESHOLD_MEV = 2.0 * ELECTRON_MASS_MEV
TRIPLET_THRESHOLD_MEV = 4.0 * ELECTRON_MASS_MEV
UNIT_BARN = FINE_STRUCTURE * CLASSICAL_ELECTRON_RADIUS_CM**2 / BARN_CM2  # alpha r_e^2
X_PER_MOMENTUM = 20.6074  # sin(theta/2)/lambda in 1/Angstrom for a momentum transfer of one mc: mc/2h
ZETA_3 = 1.2020569
FIT_FROM_MEV = 1.15  # of the Coulomb term
RADIATIVE = 0.0093  # Mork and Olsen, Phys. Rev. 140, B1661 (1965)
RADIATIVE_FROM_MEV, RADIATIVE_WHOLE_MEV = 4.0, 8.0
# Coulomb term: coefficients of ln(k/2)^j / k^n for n = 1, 2 (rows) and j = 0, 1, 2; own fit to Hubbell, Gimm and
# Overbo, J. Phys. Chem. Ref. Data 9, 1023 (1980), as given by XCOM; the second array goes with (alpha Z)^2.
COULOMB = np.array([[172.0552, -57.02105, 6.315191], [-340.1807, -221.2388, -62.94577]])
COULOMB_ALPHA_Z = np.array([[-488.776, 191.8898, -22.64085], [977.9633, 587.7912, 171.028]])


def pair_barn(z: int, energy_MeV: Array) -> Array:
    """Return the cross section for a pair in the field of the nucleus of element `z`, barn per atom."""
    k = np.maximum(energy_MeV, PAIR_THRESHOLD_MEV) / ELECTRON_MASS_MEV
    share = np.clip((energy_MeV - RADIATIVE_FROM_MEV) / (RADIATIVE_WHOLE_MEV - RADIATIVE_FROM_MEV), 0.0, 1.0)
    in_units = born_total(k) - screening_loss(z, k) + coulomb_term(z, k)
    in_units = np.where(energy_MeV > PAIR_THRESHOLD_MEV, np.maximum(in_units, 0.0), 0.0)
    return np.asarray(z**2 * UNIT_BARN * in_units * (1.0 + RADIATIVE * share), float)


def triplet_barn(z: int, energy_MeV: Array) -> Array:
    """Return the cross section for a pair in the field of the electrons of element `z`, barn per atom."""
    k = np.maximum(energy_MeV, TRIPLET_THRESHOLD_MEV) / ELECTRON_MASS_MEV
    in_units = np.maximum(haug_total(k) - screening_loss(z, k, of_electrons=True), 0.0)
    in_units = np.where(energy_MeV > TRIPLET_THRESHOLD_MEV, in_units, 0.0)
    return np.asarray(z * UNIT_BARN * in_units * (1.0 + RADIATIVE), float)


def born_total(k: Array) -> Array:
    """Return the unscreened Born total in units of Z^2 alpha r_e^2 for photons of k mc2 (k at least 2).

    Maximon, J. Res. Natl. Bur. Stand. 72B, 79 (1968), the series below and above k = 4.
    """
    r = (2.0 * k - 4.0) / (k + 2.0 + 2.0 * np.sqrt(2.0 * k))
    low = 2.0 * np.pi / 3.0 * ((k - 2.0) / k) ** 3
    low = low * (1.0 + r / 2.0 + 23.0 * r**2 / 40.0 + 11.0 * r**3 / 60.0 + 29.0 * r**4 / 960.0)
    log = np.log(2.0 * k)
    high = 28.0 / 9.0 * log - 218.0 / 27.0
    first = 6.0 * log - 3.5 + 2.0 / 3.0 * log**3 - log**2 - np.pi**2 / 3.0 * log + 2.0 * ZETA_3 + np.pi**2 / 6.0
    high = high + (2.0 / k) ** 2 * first - (2.0 / k) ** 4 * (3.0 * log / 16.0 + 0.125)
    high = high - (2.0 / k) ** 6 * (29.0 * log / 2304.0 - 77.0 / 13824.0)
    return np.where(k < 4.0, low, high)


def haug_total(k: Array) -> Array:
    """Return the total on a free electron in units of alpha r_e^2: Haug, Z. Naturforsch. 36a, 413 (1981)."""
    u = k - 4.0
    near = (5.6 + 20.4 * u - 10.9 * u**2 - 3.6 * u**3 + 7.4 * u**4) * u**2 * 1e-3
    low = 0.582814 - 0.29842 * k + 0.04354 * k**2 - 0.0012977 * k**3
    middle = (3.1247 - 1.3394 * k + 0.14612 * k**2) / (1.0 + 0.4648 * k + 0.016683 * k**2)
    log = np.log(2.0 * k)
    high = 28.0 / 9.0 * log - 218.0 / 27.0 + (-4.0 / 3.0 * log**3 + 3.863 * log**2 - 11.0 * log + 27.9) / k
    return np.select([k < 4.6, k < 6.0, k < 14.0], [near, low, middle], high)


def coulomb_term(z: int, k: Array) -> Array:
    """Return the departure from Born in units of Z^2 alpha r_e^2.

    It tends to -(28/9) f(Z) of Davies, Bethe and Maximon, Phys. Rev. 93, 788 (1954). Below 1.15 MeV the fit is not
    followed: its share of the Born total stays what it is there.
    """
    a2 = (FINE_STRUCTURE * z) ** 2
    at = np.maximum(k, FIT_FROM_MEV / ELECTRON_MASS_MEV)
    log = np.log(at / 2.0)
    bracket = -np.ones_like(at)
    for n in range(2):
        for j in range(3):
            bracket += (COULOMB[n, j] + COULOMB_ALPHA_Z[n, j] * a2) * log**j / at ** (n + 1)
    term = 28.0 / 9.0 * davies_bethe_maximon(z) * bracket
    return np.asarray(term * np.where(k < at, born_total(k) / born_total(at), 1.0), float)


def davies_bethe_maximon(z: int) -> float:
    """Return the function f(Z) of Davies, Bethe and Maximon (1954), summed outright."""
    a2 = (FINE_STRUCTURE * z) ** 2
    n = np.arange(1.0, 2001.0)
    return float(a2 * np.sum(1.0 / (n * (n**2 + a2))))


def screening_loss(z: int, k: Array, *, of_electrons: bool = False) -> Array:
    """Return what screening takes from the Born total, in units of Z^2 alpha r_e^2 (of Z for the electrons' field).

    Bethe's integrals over momentum transfers, screened and not, differ by this: Bethe, Proc. Camb. Phil. Soc. 30, 524
    (1934); Tsai, Rev. Mod. Phys. 46, 815 (1974), eqs. 3.5 ff.
    """
    log_d, even, odd = screening_integrals(z, of_electrons)
    nodes, weights = np.polynomial.legendre.leggauss(48)
    lower = np.minimum(1.0 / k, 0.5)[..., None]
    e = lower + (0.5 - lower) * 0.5 * (1.0 + nodes)
    product = e * (1.0 - e)
    at = np.log(np.minimum(1.0 / (2.0 * k[..., None] * product), 1.0))
    inside = 4.0 * (1.0 - 2.0 * product) * np.interp(at, log_d, even) + 8.0 / 3.0 * product * np.interp(at, log_d, odd)
    loss = np.sum(inside * weights, axis=-1) * (0.5 - lower[..., 0])  # both halves of the range
    return np.asarray(loss, float)


@cache
def screening_integrals(z: int, of_electrons: bool = False) -> tuple[Array, Array, Array]:
    """Return ln of the least momentum transfer d (mc), and the two screening integrals there.

    With s(q) = 1 - (1 - F/Z)^2 (nucleus) or 1 - S/Z (electrons): int_d^1 (q - d)^2 s dq/q^3, and
    int_d^1 (q^3 - 6 d^2 q ln(q/d) + 3 d^2 q - 4 d^3) s dq/q^4.
    """
    log_q = np.linspace(np.log(0.005), 0.0, 240)
    missing = _missing(z, np.exp(log_q), of_electrons)
    log_d = np.linspace(np.log(0.005), 0.0, 160)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    at = log_d[:, None] * 0.5 * (1.0 + nodes)  # ln q from ln d to 0
    s = np.interp(at, log_q, missing) * weights * -0.5 * log_d[:, None]
    ratio = np.exp(log_d[:, None] - at)  # d/q
    even = np.sum((1.0 - ratio) ** 2 * s, axis=1)
    odd = np.sum((1.0 + 6.0 * ratio**2 * np.log(ratio) + 3.0 * ratio**2 - 4.0 * ratio**3) * s, axis=1)
    return log_d, even, odd


def _missing(z: int, momenta: Array, of_electrons: bool) -> Array:
    """Return the share of the bare field that screening takes away at momentum transfers in mc."""
    if of_electrons:
        return np.array([1.0 - xraylib.SF_Compt(z, X_PER_MOMENTUM * q) / z for q in momenta])
    return np.array([1.0 - (1.0 - xraylib.FF_Rayl(z, X_PER_MOMENTUM * q) / z) ** 2 for q in momenta])
