"""Pair production in the field of a screened nucleus: how the electron and the positron share the energy.

The exact cross section of Bethe and Heitler for a bare nucleus (Proc. R. Soc. A 146, 83 (1934); formula 3D-1000 of
Motz, Olsen and Koch, Rev. Mod. Phys. 41, 581 (1969)) less what screening takes away in the limit of high energies
(Bethe, Proc. Camb. Phil. Soc. 30, 524 (1934)), with form factors from xraylib. Electrons of the atom count like its
nucleus.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import xraylib
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.photons.quantiles import node_energies_MeV, quantiles

X_PER_MOMENTUM = 20.60743  # 1/A for a momentum transfer of mc: mc/2h
_LOWEST_K = 2.02  # closer to the threshold the formula cancels, and its shape stands still
_FINE = 513
_MOMENTA = np.geomspace(1.0e-6, 1.0, 1601)  # mc


class PairTables(NamedTuple):
    """``share`` is [material, node, quantile]: the kinetic energy of one of the pair over that of both."""

    share: NDArray[np.float32]


def pair_tables(materials: Sequence[Material]) -> PairTables:
    """Return the tables of pair production of some materials, in the order of their numbers."""
    return PairTables(np.stack([_shares(material) for material in materials]).astype(np.float32))


def _shares(material: Material) -> NDArray[np.float64]:
    """Return quantiles [node, quantile] of the share; nodes below the threshold have its shape."""
    angle = np.linspace(0.0, np.pi, _FINE)
    share = 0.5 - 0.5 * np.cos(angle)  # points close together at both ends
    rows = []
    for energy in node_energies_MeV():
        k = energy / ELECTRON_MASS_MEV
        density = sharing(material, max(k, _LOWEST_K), share) if k > 1.0 else np.ones(_FINE)
        rows.append(quantiles(share, density))
    return np.array(rows)


def sharing(material: Material, k: float, share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cross section per share of kinetic energy, over alpha r_e^2 and the mean of Z(Z + 1).

    k is the energy of the photon in mc2, above 2.
    """
    one = 1.0 + share * (k - 2.0)
    other = k - one
    inside = (one > 1.0) & (other > 1.0)
    density = np.zeros_like(share)
    e = one[inside] / k
    fields = {Z: w / xraylib.AtomicWeight(Z) * Z * (Z + 1) for Z, w in material.mass_fractions.items()}
    screened = sum(field * screening(Z, k, e) for Z, field in fields.items()) / sum(fields.values())
    density[inside] = np.maximum(bethe_heitler(k, one[inside]) - screened / k, 0.0) * (k - 2.0)
    return density


def bethe_heitler(k: float, energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cross section of a bare nucleus per total energy of one of the pair, over Z2 alpha r_e^2.

    k and the energy are in mc2.
    """
    a, b = energy, k - energy
    p, q = np.sqrt(a * a - 1.0), np.sqrt(b * b - 1.0)
    la, lb = 2.0 * np.log(a + p), 2.0 * np.log(b + q)
    both = 2.0 * np.log((a * b + p * q + 1.0) / k)
    even = -4.0 / 3.0 - 2.0 * a * b * (p * p + q * q) / (p * q) ** 2
    even += lb * a / q**3 + la * b / p**3 - la * lb / (p * q)
    odd = k * k * ((a * b) ** 2 + (p * q) ** 2) / (p * q) ** 3 - 8.0 * a * b / (3.0 * p * q)
    odd -= (
        k / (2.0 * p * q) * (lb * (a * b - q * q) / q**3 + la * (a * b - p * p) / p**3 + 2.0 * k * a * b / (p * q) ** 2)
    )
    result: NDArray[np.float64] = p * q / k**3 * (even + both * odd)
    return result


def screening(Z: int, k: float, e: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what screening takes from the cross section per share e = E/k of the energy, over Z2 alpha r_e^2."""
    least = 1.0 / (2.0 * k * e * (1.0 - e))  # the smallest momentum transfer
    first, second = (np.interp(least, _MOMENTA, column) for column in _screening_integrals(Z))
    result: NDArray[np.float64] = 4.0 * (e * e + (1.0 - e) ** 2) * first + 8.0 / 3.0 * e * (1.0 - e) * second
    return result


@cache
def _screening_integrals(Z: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Bethe's integrals of 1 - (1 - F/Z)^2 from each momentum to mc.

    The first has the weight (q - d)^2/q^3, the second [q^3 - 6 d^2 q ln(q/d) + 3 d^2 q - 4 d^3]/q^4.
    """
    q, steps = _MOMENTA, np.diff(np.log(_MOMENTA))
    lost = 1.0 - (1.0 - np.array([xraylib.FF_Rayl(Z, X_PER_MOMENTUM * one) for one in q]) / Z) ** 2

    def above(weight: NDArray[np.float64]) -> NDArray[np.float64]:
        density = lost * weight * q
        parts = 0.5 * (density[1:] + density[:-1]) * steps
        return np.concatenate((np.cumsum(parts[::-1])[::-1], [0.0]))

    one, two, three, four = (above(q**-n) for n in (1, 2, 3, 4))
    logarithm = above(np.log(q) * q**-3) - np.log(q) * three
    return one - 2.0 * q * two + q * q * three, one - 6.0 * q * q * logarithm + 3.0 * q * q * three - 4.0 * q**3 * four
