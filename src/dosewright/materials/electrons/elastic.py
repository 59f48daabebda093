"""Deflections of electrons and positrons in a material, split into condensed and single ones.

With q = 4 sin^2(theta/2) = 2 (1 - cos theta). Nuclei deflect by the elastic cross section of their atoms
(`screening`). Electrons of the atoms deflect too: collisions that are sampled one by one turn the particle by their
own kinematics; those below the production cut are in here. Per electron the Moller or Bhabha cross section, written
in the q of the primary, is taken times the incoherent scattering function S of the atom at the momentum of
the recoil. At small q it goes as S/q^2 ~ 1/q, beside the elastic part that is flat there, and makes no
finite rate; its share A/(q + A) is therefore condensed always, and the share q/(q + A) joins the elastic cross
section, so that both may be split at the same angle and their sum of q keeps its value.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid

from dosewright.core.matter import Material
from dosewright.core.units import BETHE_K_MEV_CM2_PER_MOL, ELECTRON_MASS_MEV, HBAR_C_MEV_FM
from dosewright.materials.electrons.lookup import ANGLE_NODES, COARSE, LARGEST_Q
from dosewright.materials.electrons.screening import (
    RATIO_NODES,
    coordinate,
    incoherent_share,
    kinematics,
    moliere_screening,
    ratio_nodes,
    rutherford,
)
from dosewright.materials.elements import element

Array = NDArray[np.float64]
Q_NODES = 257


class Elastic(NamedTuple):
    """Deflections at the nodes of the tables: ``soft`` rad2 cm2/g, the mean of 2 (1 - cos) below the cut;
    ``hard`` cm2/g, those above it; ``screening`` and ``hard_cut`` in q; ``angle`` [coarse node, angle node], see
    `lookup.ElectronTables`.
    """

    soft: Array
    hard: Array
    screening: Array
    hard_cut: Array
    angle: Array


def transport_coefficients(
    material: Material, energies_MeV: Array, positron: bool = False, cut_MeV: float = 0.0
) -> tuple[Array, Array, Array]:
    """Return total, first and second transport cross section, cm2/g: integrals of 1, 1 - cos, 3/2 (1 - cos^2).

    Elastic scattering alone unless `cut_MeV` adds the deflections by collisions below that cut; these are left out
    of the total, which would count all distant collisions.
    """
    energies = np.asarray(energies_MeV, float)
    q, weight, elastic, collisions = _cross_sections(material, energies, positron, cut_MeV)
    both = elastic + collisions
    total = np.trapezoid(elastic * weight, axis=1)
    first = np.trapezoid(0.5 * q * both * weight, axis=1)
    second = np.trapezoid(1.5 * q * (1 - q / 4) * both * weight, axis=1)
    return total, first, second


def elastic(
    material: Material, energies_MeV: Array, hard_path_g_cm2: Array, positron: bool = False, *, cut_MeV: float
) -> Elastic:
    """Split the deflections so that single ones are `hard_path_g_cm2` apart, or further where all are fewer.

    Parameters
    ----------
    material
        The material.
    energies_MeV
        The nodes of the tables (`lookup.node_energies_MeV`).
    hard_path_g_cm2
        Wanted mean free path between single deflections at each node.
    positron
        Positrons instead of electrons.
    cut_MeV
        Production cut of electrons: collisions below it deflect in here. Infinite where no collision is sampled,
        0 to leave them out.

    Returns
    -------
    Elastic
        What the tables need.
    """
    energies = np.asarray(energies_MeV, float)
    q, weight, nuclei, collisions = _cross_sections(material, energies, positron, cut_MeV)
    scale = _mixture_screening(material, energies)[:, None]
    single = nuclei + collisions * q / (q + scale)
    below = cumulative_trapezoid(single * weight, axis=1, initial=0)
    turned = cumulative_trapezoid(q * single * weight, axis=1, initial=0)
    always_soft = np.trapezoid(q * collisions * scale / (q + scale) * weight, axis=1)

    total = below[:, -1]
    hard = np.minimum(total, 1 / np.asarray(hard_path_g_cm2, float))
    nodes = np.arange(Q_NODES, dtype=float)
    step = np.array([np.interp(t - h, row, nodes) for t, h, row in zip(total, hard, below, strict=True)])
    middle = np.array([np.interp(0.5 * t, row, nodes) for t, row in zip(total, below, strict=True)])
    cut, screening = _at(q, step), _at(q, middle)
    cut[hard >= total] = 0.0
    soft = _at(turned, step) + always_soft
    coarse = slice(None, None, COARSE)
    angle = _angle_ratios(q[coarse], below[coarse], cut[coarse], screening[coarse])
    return Elastic(soft, hard, screening, cut, angle)


def _at(table: Array, step: Array) -> Array:
    """Interpolate along each row at a fractional node."""
    low = np.minimum(step.astype(np.int64), table.shape[1] - 2)
    rows = np.arange(len(table))
    fraction = step - low
    return np.asarray((1 - fraction) * table[rows, low] + fraction * table[rows, low + 1], float)


def _angle_ratios(q: Array, below: Array, cut: Array, screening: Array) -> Array:
    """True q over that of the screened Rutherford cross section at the same probability, at the nodes of the latter.

    The nodes lie evenly in (q/4)^(1/4) of the screened Rutherford cross section; below the cut the ratio is one.
    """
    simple = LARGEST_Q * np.linspace(0, 1, ANGLE_NODES) ** 4
    ratio = np.ones((len(q), ANGLE_NODES))
    for row, (grid, cumulative, c, a) in enumerate(zip(q, below, cut, screening, strict=True)):
        start = np.interp(c, grid, cumulative)
        low, high = 1 / (c + a), 1 / (LARGEST_Q + a)
        xi = (low - 1 / (simple + a)) / (low - high)
        true = np.interp(start + xi * (cumulative[-1] - start), cumulative, grid)
        above = (simple > c) & (xi < 1)
        ratio[row, above] = true[above] / simple[above]
        if c == 0:
            ratio[row, 0] = ratio[row, 1]
    return ratio


def _cross_sections(
    material: Material, energies: Array, positron: bool, cut_MeV: float
) -> tuple[Array, Array, Array, Array]:
    """Return q [energy, node], dq per node, and the cross sections per q (cm2/g) of nuclei and of collisions."""
    scale = _mixture_screening(material, energies)[:, None] * 0.1
    span = np.log1p(LARGEST_Q / scale)
    q = np.minimum(scale * np.expm1(np.linspace(0, 1, Q_NODES) * span), LARGEST_Q)
    weight = (q + scale) * span / (Q_NODES - 1)
    nuclei, collisions = np.zeros_like(q), np.zeros_like(q)
    per_electron, recoil = _collisions(energies, q, weight, positron, cut_MeV)
    for z, share in material.mass_fractions.items():
        nuclei += share * _nuclear(z, energies, q, positron)
        if cut_MeV > 0:
            collisions += share * z / element(z).atomic_weight * incoherent_share(z, recoil)
    return q, weight, nuclei, collisions * per_electron


def _mixture_screening(material: Material, energies: Array) -> Array:
    """Moliere's screening of the mixture: the mean of its logarithm, weighted with Z^2/A."""
    shares = {z: w * z**2 / element(z).atomic_weight for z, w in material.mass_fractions.items()}
    mean = sum(share * np.log(moliere_screening(z, energies)) for z, share in shares.items())
    return np.asarray(np.exp(mean / sum(shares.values())), float)


def _nuclear(z: int, energies: Array, q: Array, positron: bool) -> Array:
    """Elastic cross section per q, cm2 per gram of the element, with the size of the nucleus.

    Form factor exp(-p^2 q <r^2>/3) of a Gaussian charge; rms radius 0.82 A^(1/3) + 0.58 fm (Hofstadter, Rev. Mod.
    Phys. 28, 214 (1956)), 0.84 fm for the proton.
    """
    screening = moliere_screening(z, energies)[:, None]
    at = coordinate(q, screening) * (RATIO_NODES - 1)
    low = np.clip(at.astype(np.int64), 0, RATIO_NODES - 2)
    table = ratio_nodes(z, energies, positron)
    left, right = np.take_along_axis(table, low, 1), np.take_along_axis(table, low + 1, 1)
    logarithm = left + (at - low) * (right - left)
    radius = 0.84 if z == 1 else 0.82 * element(z).atomic_weight ** (1 / 3) + 0.58
    momentum2, _ = kinematics(energies)
    size = (ELECTRON_MASS_MEV * radius / HBAR_C_MEV_FM) ** 2 / 3 * momentum2[:, None]
    return np.asarray(rutherford(z, energies)[:, None] * np.exp(logarithm - size * q) / (q + screening) ** 2, float)


def _collisions(energies: Array, q: Array, weight: Array, positron: bool, cut_MeV: float) -> tuple[Array, Array]:
    """Moller or Bhabha cross section below the cut per q of the primary (cm2/mol of electrons), and the recoil, mc.

    Energy given to an electron at rest against the angle of the primary: W = T(T + 2) s^2/(2 + T s^2), s the sine,
    energies in mc2 (ICRU Report 37, section 2). The cell in which the cut lies counts by its share below.
    """
    t = (energies / ELECTRON_MASS_MEV)[:, None]
    sine2 = q * (1 - q / 4)
    given = t * (t + 2) * sine2 / (2 + t * sine2)
    per_q = 2 * t * (t + 2) / (2 + t * sine2) ** 2 * np.maximum(1 - q / 2, 0)
    largest = np.minimum(cut_MeV / ELECTRON_MASS_MEV, t if positron else t / 2)
    per_cell = np.maximum(per_q * weight, 1e-300)
    inside = np.clip((largest - given) / per_cell + 0.5, 0, 1) * (q < 2)
    w = np.clip(given, 1e-30, (1 - 1e-9) * t)
    gamma2 = (t + 1) ** 2
    beta2 = 1 - 1 / gamma2
    if positron:
        y, e = 1 / (t + 2), w / t
        b1, b2, b3, b4 = 2 - y**2, (1 - 2 * y) * (3 + y**2), (1 - 2 * y) ** 2 * (2 - 2 * y), (1 - 2 * y) ** 3
        shape = ((1 / (e * beta2) - b1) / e + b2 + e * (e * b4 - b3)) * beta2 / t**2
    else:
        shape = 1 / w**2 + 1 / (t - w) ** 2 + 1 / gamma2 - (2 * t + 1) / (gamma2 * w * (t - w))
    k = 0.5 * BETHE_K_MEV_CM2_PER_MOL / ELECTRON_MASS_MEV / beta2
    return k * shape * per_q * inside, np.sqrt(w * (w + 2))
