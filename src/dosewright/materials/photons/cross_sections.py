"""Cross sections of photons with atoms, 1 keV to 64 MeV: photoelectric, Rayleigh, Compton, pair and triplet.

Up to 0.79 MeV those of xraylib (which are XCOM's to 0.3 %), above from formulas. Totals are within 0.5 % of XCOM (as in
NISTIR 5632) from 1.5 keV to 20 MeV for H, water, Al, Cu, W, Pb and U.
"""

from functools import cache

import numpy as np
import xraylib
from numpy.typing import NDArray

from dosewright.core.units import AVOGADRO_PER_MOL, BARN_CM2, CLASSICAL_ELECTRON_RADIUS_CM, ELECTRON_MASS_MEV
from dosewright.materials.elements import element

Array = NDArray[np.float64]

KEV_PER_MEV = 1.0e3  # xraylib's energies are in keV
HIGHEST_EVALUATED_MEV = 0.79  # xraylib's data end at 0.8 MeV
MATCHED_MEV = 0.75  # where the formulas above are scaled to the data
HIGHEST_OF_SHELLS_MEV = 0.3  # end of the data by shell
NEAR_EDGE = 2.0e-3  # an edge and the jump of the data differ by less than this share of the energy
SMALLEST_JUMP = 1.004
STEEPNESS = 2.7  # the photoelectric cross section goes about as E to minus this beside an edge
X_PER_MEV = 80.65544  # E/hc in 1/Angstrom: sin(theta/2)/lambda at 1 MeV backwards
# Compton scattering beyond Klein-Nishina: radiative and double Compton corrections, +0.9 % at 50 MeV, read off XCOM.
RADIATIVE_PER_MEV = 2.0e-4
# K-shell photoelectric fit of Hubbell, NSRDS-NBS 29 (1969), eq. 2.-12: Z^5 sum (a + b Z)/(1 + c Z) E^-p barn.
HUBBELL = (
    (1.6268e-9, -2.683e-12, 4.173e-2, 1.0),
    (1.5274e-9, -5.110e-13, 1.027e-2, 2.0),
    (1.1330e-9, -2.177e-12, 2.013e-2, 3.5),
    (-9.12e-11, 0.0, 0.0, 4.0),
)
SHELLS = ("K", "L1", "L2", "L3", "M1", "M2", "M3", "M4", "M5", "N1", "N2", "N3", "N4", "N5", "N6", "N7")


def per_gram(z: int, barn: Array) -> Array:
    """Return cm2/g for a cross section in barn per atom of element `z`."""
    return barn * (BARN_CM2 * AVOGADRO_PER_MOL / element(z).atomic_weight)


@cache
def edges_MeV(z: int) -> tuple[tuple[str, float], ...]:
    """Return the shells of an element down to N7 with their edge energies, MeV (xraylib)."""
    found = []
    for name in SHELLS:
        try:
            found.append((name, xraylib.EdgeEnergy(z, getattr(xraylib, f"{name}_SHELL")) / KEV_PER_MEV))
        except ValueError:
            continue
    return tuple(found)


def photoelectric_barn(z: int, energy_MeV: Array) -> Array:
    """Return the photoelectric cross section, barn per atom; at an edge itself the shell takes part."""
    energy = np.asarray(energy_MeV, float)
    low = energy <= HIGHEST_EVALUATED_MEV
    sigma = np.empty_like(energy)
    sigma[low] = _evaluated(xraylib.CSb_Photo, z, energy[low])
    for edge, jump in jumps_MeV(z):
        # The data jump a little beside the edge: between the two, go on from the right side.
        between = (energy >= min(edge, jump)) & (energy < max(edge, jump))
        beside = jump * (1.0 + 1.0e-7 if jump > edge else 1.0 - 1.0e-7)
        there = _evaluated(xraylib.CSb_Photo, z, np.array([beside]))
        sigma[between] = there * (energy[between] / beside) ** -STEEPNESS
    matched = np.array([MATCHED_MEV])
    scale = _evaluated(xraylib.CSb_Photo, z, matched) / _hubbell(z, matched)
    sigma[~low] = scale * _hubbell(z, energy[~low])
    return sigma


def shell_barn(z: int, shell: str, edge_MeV: float, energy_MeV: Array) -> Array:
    """Return the photoelectric cross section of one shell, barn per atom; 0 below its edge and beyond the data.

    Kissel's partial cross sections (xraylib), which begin a little beside the edge.
    """
    number = getattr(xraylib, f"{shell}_SHELL")
    electrons = xraylib.ElectronConfig(z, number)
    sigma = np.zeros_like(energy_MeV)
    for i in np.flatnonzero((energy_MeV >= edge_MeV) & (energy_MeV < HIGHEST_OF_SHELLS_MEV)):
        at = max(energy_MeV[i], edge_MeV * (1.0 + NEAR_EDGE))
        try:
            sigma[i] = electrons * xraylib.CSb_Photo_Partial(z, number, at * KEV_PER_MEV)
        except ValueError:
            continue
    return sigma


def rayleigh_barn(z: int, energy_MeV: Array) -> Array:
    """Return the Rayleigh cross section, barn per atom; as 1/E^2 beyond the data."""
    energy = np.asarray(energy_MeV, float)
    at = np.where(energy <= HIGHEST_EVALUATED_MEV, energy, MATCHED_MEV)
    return np.asarray(_evaluated(xraylib.CSb_Rayl, z, at) * (at / energy) ** 2, float)


def compton_barn(z: int, energy_MeV: Array) -> Array:
    """Return the Compton cross section on bound electrons, barn per atom."""
    energy = np.asarray(energy_MeV, float)
    low = energy <= HIGHEST_EVALUATED_MEV
    sigma = np.empty_like(energy)
    sigma[low] = _evaluated(xraylib.CSb_Compt, z, energy[low])
    sigma[~low] = _bound_klein_nishina(z, energy[~low]) * (1.0 + RADIATIVE_PER_MEV * energy[~low])
    return sigma


def klein_nishina_barn(energy_MeV: Array) -> Array:
    """Return the Compton cross section of a free electron, barn: Klein and Nishina, Z. Phys. 52, 853 (1929)."""
    k = np.asarray(energy_MeV, float) / ELECTRON_MASS_MEV
    log = np.log1p(2.0 * k)
    closed = (1.0 + k) / k**2 * (2.0 * (1.0 + k) / (1.0 + 2.0 * k) - log / k)
    closed = closed + log / (2.0 * k) - (1.0 + 3.0 * k) / (1.0 + 2.0 * k) ** 2
    series = 4.0 / 3.0 * (1.0 - 2.0 * k + 5.2 * k**2 - 13.3 * k**3)
    unit = 2.0 * np.pi * CLASSICAL_ELECTRON_RADIUS_CM**2 / BARN_CM2
    return np.asarray(unit * np.where(k < 2.0e-3, series, closed), float)


def _bound_klein_nishina(z: int, energy_MeV: Array) -> Array:
    """Integrate Klein-Nishina times the incoherent scattering function, barn per atom."""
    log_x, bound = _incoherent_function(z)
    nodes, weights = np.polynomial.legendre.leggauss(64)
    t = 0.5 * (1.0 + nodes)
    k = energy_MeV[:, None] / ELECTRON_MASS_MEV
    one_minus_cos = 2.0 * t**3  # crowds the nodes forward, where the binding is
    ratio = 1.0 / (1.0 + k * one_minus_cos)
    shape = ratio**2 * (ratio + 1.0 / ratio - one_minus_cos * (2.0 - one_minus_cos))
    x = X_PER_MEV * energy_MeV[:, None] * np.sqrt(0.5 * one_minus_cos)
    s = np.interp(np.log(x), log_x, bound)
    unit = np.pi * CLASSICAL_ELECTRON_RADIUS_CM**2 / BARN_CM2
    return np.asarray(unit * np.sum(shape * s * 6.0 * t**2 * 0.5 * weights, axis=1), float)


@cache
def _incoherent_function(z: int) -> tuple[Array, Array]:
    log_x = np.linspace(np.log(1.0e-2), np.log(1.0e4), 300)
    return log_x, np.array([xraylib.SF_Compt(z, float(x)) for x in np.exp(log_x)])


def _hubbell(z: int, energy_MeV: Array) -> Array:
    return np.asarray(z**5 * sum((a + b * z) / (1.0 + c * z) * energy_MeV**-p for a, b, c, p in HUBBELL), float)


@cache
def jumps_MeV(z: int) -> tuple[tuple[float, float], ...]:
    """Return the edges that the photoelectric data show, and where exactly they jump, MeV."""
    found = []
    for _, edge in edges_MeV(z):
        if not 0.9e-3 < edge < HIGHEST_EVALUATED_MEV:
            continue
        left, right = edge * (1.0 - NEAR_EDGE), edge * (1.0 + NEAR_EDGE)
        low, high = _evaluated(xraylib.CSb_Photo, z, np.array([left, right]))
        if high < low * SMALLEST_JUMP:
            continue
        middle = np.sqrt(low * high)
        while right - left > 1.0e-9 * edge:
            half = 0.5 * (left + right)
            if _evaluated(xraylib.CSb_Photo, z, np.array([half]))[0] > middle:
                right = half
            else:
                left = half
        found.append((edge, 0.5 * (left + right)))
    return tuple(found)


def _evaluated(function, z: int, energy_MeV: Array) -> Array:  # type: ignore[no-untyped-def]
    """Return a cross section of xraylib, which takes one energy at a time."""
    return np.array([function(z, float(energy) * KEV_PER_MEV) for energy in energy_MeV])
