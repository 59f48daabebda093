"""Deflections of electrons and positrons in a material, split into condensed and single ones.

With q = 4 sin^2(theta/2) = 2 (1 - cos theta). Atoms deflect by their elastic cross section (`screening`), without
effects of binding between them. Their electrons deflect too: collisions above the production cut turn the particle
by their own kinematics when they are sampled; those below it are in here. Per electron the Moller or Bhabha cross
section, written in the q of the primary, is taken times the incoherent scattering function S at the momentum of
the recoil, so that elastic and inelastic share go as (Z - F)^2 and Z S, as in Born's approximation, and both
vanish at no momentum transfer. As S/q^2 goes as 1/q there (the elastic part is flat), distant collisions make no
finite rate; the share A/(q + A) of the inelastic part is therefore condensed always, A the screening angle squared.
The share q/(q + A) joins the elastic cross section and is split with it. Their sum of q keeps its value.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid

from dosewright.core.matter import Material
from dosewright.core.units import BETHE_K_MEV_CM2_PER_MOL, ELECTRON_MASS_MEV
from dosewright.materials.electrons.lookup import ANGLE_NODES, COARSE, LARGEST_Q
from dosewright.materials.electrons.screening import (
    bohr_angle2,
    elastic_per_q,
    incoherent_share,
    mixture_screening,
    rutherford,
)
from dosewright.materials.elements import element

Array = NDArray[np.float64]
Q_NODES = 257
LARGEST_SCREENING = 0.15  # of the simple cross section, in q: its nodes must resolve slow particles in heavy atoms
CORE = 0.1  # (hbar/p a0)^2 times this: below, cross sections are flat


class Elastic(NamedTuple):
    """Deflections at the nodes of the tables: ``soft`` rad2 cm2/g, the mean of 2 (1 - cos) below the cut;
    ``hard`` cm2/g, those above it; ``screening`` A of the simple cross section dq/(q + A)^2 and ``hard_cut``, its q at
    the cut; ``angle`` [coarse node, angle node], true q over that of the simple one at the same probability (see
    `lookup.ElectronTables`): a relation between whole distributions, so that it knows of no cut.
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
    q, weight, atoms, collisions = _cross_sections(material, energies, positron, cut_MeV)
    both = atoms + collisions
    return (
        _integral(atoms * weight),
        _integral(0.5 * q * both * weight),
        _integral(1.5 * q * (1 - q / 4) * both * weight),
    )


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
    q, weight, atoms, collisions = _cross_sections(material, energies, positron, cut_MeV)
    scale = mixture_screening(material.mass_fractions, energies)[:, None]
    single = atoms + collisions * q / (q + scale)
    below = cumulative_trapezoid(single * weight, axis=1, initial=0)
    turned = cumulative_trapezoid(q * single * weight, axis=1, initial=0)
    always_soft = _integral(q * collisions * scale / (q + scale) * weight)

    total = below[:, -1]
    hard = np.minimum(total, 1 / np.asarray(hard_path_g_cm2, float))
    nodes = np.arange(Q_NODES, dtype=float)
    step = np.array([np.interp(t - h, row, nodes) for t, h, row in zip(total, hard, below, strict=True)])
    soft = _at(turned, step) + always_soft
    # The A with which the simple cross section has both the rate and the tail of the true one, where it can.
    simple = 1 / (total / _rutherford(material, energies) + 1 / LARGEST_SCREENING)
    tail = hard / total
    cut = 1 / (tail / simple + (1 - tail) / (LARGEST_Q + simple)) - simple
    cut[hard >= total] = 0.0
    coarse = slice(None, None, COARSE)
    angle = _angle_ratios(q[coarse], below[coarse], single[coarse, 0], simple[coarse])
    return Elastic(soft, hard, simple, np.maximum(cut, 0.0), angle)


def _integral(per_node: Array) -> Array:
    return np.asarray(np.trapezoid(per_node, axis=1), float)


def _at(table: Array, step: Array) -> Array:
    """Interpolate along each row at a fractional node."""
    low = np.minimum(step.astype(np.int64), table.shape[1] - 2)
    rows = np.arange(len(table))
    fraction = step - low
    return np.asarray((1 - fraction) * table[rows, low] + fraction * table[rows, low + 1], float)


def _angle_ratios(q: Array, below: Array, forward: Array, simple: Array) -> Array:
    """True q over that of the simple cross section dq/(q + A)^2 at the same probability among all deflections.

    The nodes lie evenly in (q/4)^(1/4) of the simple cross section. `forward` is the true cross section at q = 0.
    """
    nodes = LARGEST_Q * np.linspace(0, 1, ANGLE_NODES) ** 4
    ratio = np.ones((len(q), ANGLE_NODES))
    for row, (grid, cumulative, first, a) in enumerate(zip(q, below, forward, simple, strict=True)):
        whole = 1 / a - 1 / (LARGEST_Q + a)
        share = (1 / a - 1 / (nodes[1:-1] + a)) / whole
        ratio[row, 1:-1] = np.interp(share * cumulative[-1], cumulative, grid) / nodes[1:-1]
        ratio[row, 0] = cumulative[-1] / (a**2 * whole * first)
    return ratio


def _rutherford(material: Material, energies: Array) -> Array:
    """Return c of the cross section c dq/q^2 of bare nuclei, cm2/g."""
    return np.asarray(sum(share * rutherford(z, energies) for z, share in material.mass_fractions.items()), float)


def _cross_sections(
    material: Material, energies: Array, positron: bool, cut_MeV: float
) -> tuple[Array, Array, Array, Array]:
    """Return q [energy, node], dq per node, and the cross sections per q (cm2/g) of atoms and of collisions."""
    q, weight, atoms = _atoms(material, tuple(energies.tolist()), positron)
    collisions = np.zeros_like(q)
    if cut_MeV > 0:
        per_electron, recoil = _collisions(energies, q, weight, positron, cut_MeV)
        for z, share in material.mass_fractions.items():
            collisions += share * z / element(z).atomic_weight * incoherent_share(z, recoil)
        collisions *= per_electron
    return q, weight, atoms, collisions


@lru_cache(maxsize=4)
def _atoms(material: Material, energies_MeV: tuple[float, ...], positron: bool) -> tuple[Array, Array, Array]:
    """Return q [energy, node], dq per node, and the elastic cross section per q, cm2/g."""
    energies = np.array(energies_MeV)
    core = CORE * bohr_angle2(energies)[:, None]
    span = np.log1p(LARGEST_Q / core)
    q = np.minimum(core * np.expm1(np.linspace(0, 1, Q_NODES) * span), LARGEST_Q)
    weight = (q + core) * span / (Q_NODES - 1)
    atoms = elastic_per_q(material.mass_fractions, energies, q, positron)
    return q, weight, atoms


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
