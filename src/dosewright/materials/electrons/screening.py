"""Elastic scattering of electrons and positrons by atoms, as a ratio to a simple formula."""

from functools import cache

import numpy as np
import xraylib
from numpy.typing import NDArray

from dosewright.core.units import AVOGADRO_PER_MOL, ELECTRON_MASS_MEV, FINE_STRUCTURE, HBAR_C_MEV_FM
from dosewright.materials.electrons.lookup import LARGEST_Q
from dosewright.materials.elements import element

Array = NDArray[np.float64]

# 4 pi N_A (alpha hbar c)^2 in MeV2 cm2/mol (Moliere 1947; Bethe, Phys. Rev. 89, 1256 (1953), eq. 2).
RUTHERFORD_MEV2_CM2 = 4 * np.pi * AVOGADRO_PER_MOL * (FINE_STRUCTURE * HBAR_C_MEV_FM * 1e-13) ** 2
THOMAS_FERMI_FM = 0.885 * 52917.721  # 0.885 a0, the atomic radius is this x Z^(-1/3) (Moliere 1947)
RATIO_NODES = 49


def kinematics(energies_MeV: Array) -> tuple[Array, Array]:
    """Return the momentum squared (in m2c2) and the velocity squared (in c2) of electrons."""
    kinetic = energies_MeV / ELECTRON_MASS_MEV
    momentum2 = kinetic * (kinetic + 2)
    return momentum2, momentum2 / (kinetic + 1) ** 2


def rutherford(z: int, energies_MeV: Array) -> Array:
    """Return c of the cross section c dq/q^2 of bare nuclei, cm2 per gram of the element; q = 4 sin^2(theta/2)."""
    momentum2, beta2 = kinematics(energies_MeV)
    return RUTHERFORD_MEV2_CM2 * z**2 / element(z).atomic_weight / (momentum2 * beta2 * ELECTRON_MASS_MEV**2)


def moliere_screening(z: int, energies_MeV: Array) -> Array:
    """Return Moliere's A of the screened cross section c dq/(q + A)^2 (Z. Naturforsch. 2a, 133 (1947))."""
    momentum2, beta2 = kinematics(energies_MeV)
    wave2 = HBAR_C_MEV_FM**2 / (momentum2 * ELECTRON_MASS_MEV**2)
    return wave2 / THOMAS_FERMI_FM**2 * z ** (2 / 3) * (1.13 + 3.76 * (z * FINE_STRUCTURE) ** 2 / beta2)


def coordinate(q: Array, screening: Array) -> Array:
    """Return where q lies on the nodes of the ratio, 0 to 1: dense both at small and at large angles."""
    return 0.5 * (np.log1p(q / screening) / np.log1p(LARGEST_Q / screening) + np.sqrt(q / LARGEST_Q))


def ratio_nodes(z: int, energies_MeV: Array, positron: bool) -> Array:
    """Return ln of the elastic cross section over c/(q + A)^2 at even steps of `coordinate`, [energy, node]."""
    _, beta2 = kinematics(energies_MeV)
    screening = moliere_screening(z, energies_MeV)[:, None]
    fine = screening * np.expm1(np.linspace(0, 1, 400) * np.log1p(LARGEST_Q / screening))
    at = coordinate(fine, screening)
    even = np.linspace(0, 1, RATIO_NODES)
    q = np.array([np.interp(even, row, values) for row, values in zip(at, fine, strict=True)])
    sine = np.sqrt(np.clip(q / LARGEST_Q, 0, 1))
    beta = np.sqrt(beta2)[:, None]
    sign = -1.0 if positron else 1.0
    mott = 1 - (beta * sine) ** 2 + sign * np.pi * FINE_STRUCTURE * z * beta * sine * (1 - sine)
    return np.log(np.maximum(mott, 1e-6))


@cache
def _incoherent_table(z: int) -> tuple[Array, Array]:
    x = np.geomspace(2e-3, 1e3, 120)
    return np.log(x), np.log([xraylib.SF_Compt(z, value) / z for value in x])


def incoherent_share(z: int, transfer_mc: Array) -> Array:
    """Return the incoherent scattering function per electron at a momentum transfer in mc (Hubbell et al. 1975)."""
    log_x, log_s = _incoherent_table(z)
    wanted = np.log(np.maximum(transfer_mc, 1e-30) * 20.60744)  # x = sin(theta/2)/lambda in 1/A: mc/(2h)
    slope = 2.0  # S ~ x^2 below the table
    below = np.minimum(wanted - log_x[0], 0.0)
    return np.minimum(np.exp(np.interp(wanted, log_x, log_s) + slope * below), 1.0)
