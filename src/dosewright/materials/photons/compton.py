"""Compton scattering by the electrons of a medium: angles, and the shells with their binding and momenta.

Angles follow Klein and Nishina, Z. Phys. 52, 853 (1929), times the incoherent scattering function. A shell is known
by its number of electrons, its binding energy U and the value J(0) of its Compton profile, from which the profile
follows (Brusa, Stutz, Riveros, Fernandez-Varea and Salvat, Nucl. Instrum. Methods A 379, 167 (1996)). Scattering
functions (Hubbell et al. 1975), profiles (Biggs, Mendelsohn and Mann 1975) and binding energies from xraylib.
"""

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import xraylib
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.core.units import ELECTRON_MASS_MEV, FINE_STRUCTURE
from dosewright.materials.photons.quantiles import node_energies_MeV, quantiles

HC_MEV_ANGSTROM = 1.239841984e-2  # exact by SI 2019, rounded
RELAXING_SHELLS = 4  # K, L1, L2, L3: what follows a vacancy further out is left where it is
_MEV_PER_KEV = 1.0e-3
_SHELLS = 31  # of xraylib, from K on
_FINE = 2049  # points of a density
_X_PER_ANGSTROM = np.geomspace(0.01, 1.0e3, 601)  # below, xraylib's interpolation leaves the square law
# Subshells that differ in total angular momentum only: where one has no data it takes its partner's.
_PAIRS = ((2, 3), (5, 6), (7, 8), (10, 11), (12, 13), (14, 15), (17, 18), (19, 20), (21, 22), (24, 25), (26, 27))
_PARTNER = {**dict(_PAIRS), **{b: a for a, b in _PAIRS}}


class ComptonTables(NamedTuple):
    """What Compton scattering needs, packed for the kernels.

    ``loss`` is [material, node, quantile]: what the photon loses over the most that it can lose to an electron at
    rest. The shells of material m are ``first[m] : first[m + 1]``: ``share`` and ``other`` choose one of them (Walker's
    aliases, counted from 0), ``binding`` is U (MeV), ``width`` 1/(sqrt(2) J(0)) (in mc), ``element`` the atomic number,
    ``shell`` K, L1, L2, L3 as 0 to 3, else -1.
    """

    loss: NDArray[np.float32]
    first: NDArray[np.int32]
    share: NDArray[np.float64]
    other: NDArray[np.int32]
    binding: NDArray[np.float64]
    width: NDArray[np.float64]
    element: NDArray[np.int32]
    shell: NDArray[np.int32]


class Shell(NamedTuple):
    """A subshell of an atom: atomic number, order from K = 0, electrons, U (MeV), 1/(sqrt(2) J(0)) (mc)."""

    element: int
    order: int
    electrons: float
    binding: float
    width: float


def compton_tables(materials: Sequence[Material], processes_off: Collection[str] = ()) -> ComptonTables:
    """Return the tables of Compton scattering of some materials.

    Parameters
    ----------
    materials
        In the order of their numbers.
    processes_off
        ``bound_compton`` makes all electrons free and at rest, ``doppler`` leaves them bound but at rest.
    """
    bound, moving = "bound_compton" not in processes_off, "doppler" not in processes_off
    first, columns = [0], []
    for material in materials:
        weights, shells = _shells_of(material) if bound else (np.ones(1), [Shell(0, -1, 1.0, 0.0, 0.0)])
        share, other = aliases(weights)
        columns += [
            (s, o, one.binding, one.width * moving, one.element, one.order if one.order < RELAXING_SHELLS else -1)
            for s, o, one in zip(share, other, shells, strict=True)
        ]
        first.append(len(columns))
    share, other, binding, width, element, shell = (np.array(c) for c in zip(*columns, strict=True))
    return ComptonTables(
        np.stack([_losses(material if bound else None) for material in materials]).astype(np.float32),
        np.array(first, np.int32),
        share,
        other.astype(np.int32),
        binding,
        width,
        element.astype(np.int32),
        shell.astype(np.int32),
    )


def scattering_function(material: Material, x_per_angstrom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the incoherent scattering function per electron of a mixture, for x = sin(theta/2)/wavelength in 1/A."""
    total = np.zeros_like(x_per_angstrom)
    electrons = 0.0
    for Z, w in material.mass_fractions.items():
        atoms = w / xraylib.AtomicWeight(Z)
        total += atoms * np.exp(np.interp(np.log(x_per_angstrom), np.log(_X_PER_ANGSTROM), _log_incoherent(Z)))
        electrons += atoms * Z
    below = np.minimum(x_per_angstrom / _X_PER_ANGSTROM[0], 1.0)
    per_electron: NDArray[np.float64] = total / electrons * below * below
    return per_electron


@cache
def _log_incoherent(Z: int) -> NDArray[np.float64]:
    logarithm: NDArray[np.float64] = np.log([min(xraylib.SF_Compt(Z, x), Z) for x in _X_PER_ANGSTROM])
    return logarithm


def _losses(material: Material | None) -> NDArray[np.float64]:
    """Return quantiles [node, quantile] of the loss over its maximum; of free electrons without a material.

    Points lie evenly in the square root of y = ln(k/k')/ln(1 + 2k): close together where binding forbids small losses,
    and even where the cross section goes as 1/k'.
    """
    root = np.linspace(0.0, 1.0, _FINE)
    rows = []
    for energy in node_energies_MeV():
        k = energy / ELECTRON_MASS_MEV
        left = np.exp(-root * root * np.log1p(2.0 * k))  # k'/k
        turn = -np.expm1(root * root * np.log1p(2.0 * k)) / -k  # 1 - cos(theta)
        density = (1.0 / left + left - turn * (2.0 - turn)) * left * root
        if material is not None:
            x = energy / HC_MEV_ANGSTROM * np.sqrt(0.5 * turn)
            density[1:] *= scattering_function(material, x[1:])
        at = quantiles(root, density)
        rows.append(-np.expm1(-at * at * np.log1p(2.0 * k)) * (1.0 + 2.0 * k) / (2.0 * k))
    return np.array(rows)


def _shells_of(material: Material) -> tuple[NDArray[np.float64], list[Shell]]:
    """Return the subshells of all elements, and the electrons in them per unit of mass."""
    parts = [(w / xraylib.AtomicWeight(Z), shell) for Z, w in material.mass_fractions.items() for shell in shells(Z)]
    return np.array([atoms * shell.electrons for atoms, shell in parts]), [shell for _, shell in parts]


@cache
def shells(Z: int) -> list[Shell]:
    """Return the subshells of an element; one without binding energy in the data counts as unbound."""
    found = []
    for order in range(_SHELLS):
        electrons = _or_zero(xraylib.ElectronConfig, Z, order)
        if electrons > 0.0:
            binding = _own_or_partner(xraylib.EdgeEnergy, Z, order) * _MEV_PER_KEV
            at_rest = _own_or_partner(lambda z, i: xraylib.ComptonProfile_Partial(z, i, 0.0), Z, order)
            # pz counts in atomic units of momentum in the profiles; one is alpha mc.
            found.append(Shell(Z, order, electrons, binding, FINE_STRUCTURE / (np.sqrt(2.0) * at_rest)))
    return found


def _own_or_partner(of: Callable[..., float], Z: int, order: int) -> float:
    return _or_zero(of, Z, order) or _or_zero(of, Z, _PARTNER.get(order, order))


def _or_zero(of: Callable[..., float], Z: int, order: int) -> float:
    try:
        return of(Z, order)
    except ValueError:
        return 0.0


def aliases(weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return share and other of each of n: draw one evenly, keep it with its share, else take the other.

    Walker, ACM Trans. Math. Softw. 3, 253 (1977).
    """
    share = weights / weights.mean()
    other = np.arange(len(weights))
    short = [i for i in other if share[i] < 1.0]
    long = [i for i in other if share[i] >= 1.0]
    while short and long:
        i, j = short.pop(), long[-1]
        other[i] = j
        share[j] -= 1.0 - share[i]
        if share[j] < 1.0:
            short.append(long.pop())
    share[short + long] = 1.0
    return share, other
