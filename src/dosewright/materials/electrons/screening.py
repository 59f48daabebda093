"""Elastic scattering of electrons and positrons by one atom, over a simple formula.

The packaged table holds ln of the cross section over c (1 - beta^2 q/4)/(q + A)^2, q = 4 sin^2(theta/2), with A of the
Thomas-Fermi radius: partial waves in the screened field up to 1 MeV; above, the bare nucleus times the screening found
there (`benchmarks/elastic_table.py` makes it).
"""

from functools import cache, lru_cache

import numpy as np
import xraylib
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from dosewright.core.units import AVOGADRO_PER_MOL, ELECTRON_MASS_MEV, FINE_STRUCTURE, HBAR_C_MEV_FM
from dosewright.materials.electrons.elastic_data import stored
from dosewright.materials.electrons.lookup import LARGEST_Q
from dosewright.materials.elements import element

Array = NDArray[np.float64]

# The table's energies: dense where waves interfere in heavy atoms, wide where only the screening angle changes.
TABLE_MEV = 2.0 ** np.concatenate([np.arange(-10, -7, 0.25), np.arange(-7, 0, 0.5), np.arange(0, 7)])
RATIO_NODES = 61
SMALLEST_RATIO = 1e-4
UNIT = 1 / 1024  # of the table's whole numbers
# 4 pi N_A (alpha hbar c)^2 in MeV2 cm2/mol (Moliere 1947; Bethe, Phys. Rev. 89, 1256 (1953), eq. 2).
RUTHERFORD_MEV2_CM2 = 4 * np.pi * AVOGADRO_PER_MOL * (FINE_STRUCTURE * HBAR_C_MEV_FM * 1e-13) ** 2
X_PER_MC = 20.60744  # sin(theta/2)/wavelength in 1/A of a momentum transfer of mc: mc/(2h)
BOHR_FM = 52917.721  # CODATA 2022
THOMAS_FERMI = 0.885  # in a0, the atomic radius is this x Z^(-1/3) (Moliere 1947)
CORE = 0.3  # (hbar/p a0)^2 times this: where the narrow part of heavy atoms' diffraction has become flat


def kinematics(energies_MeV: Array) -> tuple[Array, Array]:
    """Return the momentum squared (in m2c2) and the velocity squared (in c2) of electrons."""
    kinetic = energies_MeV / ELECTRON_MASS_MEV
    momentum2 = kinetic * (kinetic + 2)
    return momentum2, momentum2 / (kinetic + 1) ** 2


def bohr_angle2(energies_MeV: Array) -> Array:
    """Return (hbar/p a0)^2, the diffraction angle squared of a disc of the Bohr radius."""
    momentum2, _ = kinematics(energies_MeV)
    return np.asarray(HBAR_C_MEV_FM**2 / (momentum2 * ELECTRON_MASS_MEV**2) / BOHR_FM**2, float)


def screening(z: int, energies_MeV: Array) -> Array:
    """Return A, the screening angle squared of an atom of the Thomas-Fermi radius, in Born's approximation."""
    factor = 1.13 / THOMAS_FERMI**2 * z ** (2 / 3)  # 1.13: Moliere 1947
    return np.asarray(factor * bohr_angle2(energies_MeV), float)


def rutherford(z: int, energies_MeV: Array) -> Array:
    """Return c of the cross section c dq/q^2 of bare nuclei, cm2 per gram of the element."""
    momentum2, beta2 = kinematics(energies_MeV)
    per_gram = RUTHERFORD_MEV2_CM2 * z**2 / element(z).atomic_weight
    return np.asarray(per_gram / (momentum2 * beta2 * ELECTRON_MASS_MEV**2), float)


def mixture_screening(shares: dict[int, float], energies_MeV: Array) -> Array:
    """Return A of a mixture by mass: the mean of its logarithm, weighted with Z^2/A as nuclei scatter."""
    weights = {z: share * z**2 / element(z).atomic_weight for z, share in shares.items()}
    mean = sum(weight * np.log(screening(z, energies_MeV)) for z, weight in weights.items())
    return np.asarray(np.exp(mean / sum(weights.values())), float)


def simple(c: Array, a: Array, energies_MeV: Array, q: Array) -> Array:
    """Return c (1 - beta^2 q/4)/(q + A)^2 per q, [energy, angle]."""
    _, beta2 = kinematics(energies_MeV)
    return np.asarray(c[:, None] * (1 - beta2[:, None] * q / LARGEST_Q) / (q + a[:, None]) ** 2, float)


def coordinate(q: Array, energies_MeV: Array) -> Array:
    """Return where q [energy, angle] lies on the nodes of the table, 0 to 1: dense at small and at large angles."""
    core = CORE * bohr_angle2(energies_MeV)[:, None]
    angle = 2 / np.pi * np.arcsin(np.sqrt(q / LARGEST_Q))
    return np.asarray(0.5 * (np.log1p(q / core) / np.log1p(LARGEST_Q / core) + angle), float)


def node_q(energy_MeV: float, fineness: int = 100_000) -> Array:
    """Return q at the nodes of the table; the first is small, not zero."""
    energy = np.array([energy_MeV])
    smallest = 1e-3 * CORE * float(bohr_angle2(energy)[0])
    fine = np.append(np.geomspace(smallest, LARGEST_Q, fineness)[:-1], LARGEST_Q)
    even = np.linspace(0, 1, RATIO_NODES)
    return np.asarray(np.interp(even, coordinate(fine[None], energy)[0], fine), float)


def elastic_per_q(shares: dict[int, float], energies_MeV: Array, q: Array, positron: bool) -> Array:
    """Return the elastic cross section of a mixture of atoms per q, cm2/g.

    Parameters
    ----------
    shares
        Atomic number to mass fraction.
    energies_MeV
        Kinetic energies, 2^-10 to 64 MeV.
    q
        4 sin^2(theta/2), [energy, angle].
    positron
        Positrons instead of electrons.

    Returns
    -------
    Array
        [energy, angle].
    """
    key = tuple(energies_MeV.tolist())
    nodes = _nodes(key)
    summed = np.zeros_like(nodes)
    for z, share in shares.items():
        # The ratio itself between energies, for its logarithm has sharp minima where waves of low energy cancel.
        ratio = np.maximum(_in_energy(key) @ np.exp(_table()[int(positron), z - 1]), SMALLEST_RATIO)
        summed += share * ratio * simple(rutherford(z, energies_MeV), screening(z, energies_MeV), energies_MeV, nodes)
    c = np.asarray(sum(share * rutherford(z, energies_MeV) for z, share in shares.items()), float)
    a = mixture_screening(shares, energies_MeV)
    logarithm = _between_nodes(np.log(summed / simple(c, a, energies_MeV, nodes)), coordinate(q, energies_MeV))
    return np.asarray(simple(c, a, energies_MeV, q) * np.exp(logarithm), float)


def _between_nodes(table: Array, at: Array) -> Array:
    """Lagrange's cubic through the four nodes around, [energy, angle]."""
    place = at * (RATIO_NODES - 1)
    low = np.clip(place.astype(np.int64) - 1, 0, RATIO_NODES - 4)
    x = place - low
    y = [np.take_along_axis(table, low + k, 1) for k in range(4)]
    outer = (x - 1) * (x - 2) * (x * y[3] - (x - 3) * y[0]) / 6
    return np.asarray(outer + x * (x - 3) * ((x - 2) * y[1] - (x - 1) * y[2]) / 2, float)


@lru_cache(maxsize=4)
def _nodes(energies_MeV: tuple[float, ...]) -> Array:
    return np.array([node_q(energy, 2000) for energy in energies_MeV])


def incoherent_share(z: int, transfer_mc: Array) -> Array:
    """Return the incoherent scattering function per electron at a momentum transfer in mc (Hubbell et al. 1975)."""
    log_x, log_s = _incoherent_table(z)
    wanted = np.log(np.maximum(transfer_mc * X_PER_MC, 1e-30))
    below = np.minimum(wanted - log_x[0], 0.0)  # S goes as the square of small transfers
    return np.asarray(np.minimum(np.exp(np.interp(wanted, log_x, log_s) + 2.0 * below), 1.0), float)


@cache
def _incoherent_table(z: int) -> tuple[Array, Array]:
    x = np.geomspace(5e-3, 1e3, 150)
    return np.log(x), np.log([xraylib.SF_Compt(z, value) / z for value in x])


@lru_cache(maxsize=4)
def _in_energy(energies_MeV: tuple[float, ...]) -> Array:
    """Weights of the table's energies in a cubic spline over ln E, [energy, table energy]."""
    spline = CubicSpline(np.log(TABLE_MEV), np.eye(TABLE_MEV.size))
    return np.asarray(spline(np.log(energies_MeV)), float)


@cache
def _table() -> Array:
    """Logarithms [electron or positron, Z - 1, energy, node]."""
    return np.cumsum(stored("steps"), axis=-1) * UNIT
