"""Elastic Coulomb scattering: many small deflections condensed into one, large ones sampled one by one.

Both come from Moliere-screened Rutherford scattering (Moliere, Z. Naturforsch. 2a, 133 (1947)), split at an angle
(Fernandez-Varea et al., Nucl. Instrum. Methods B 73, 447 (1993)), so that step length does not matter and the tails
of Moliere's distribution are there for any material. Valid for protons and light ions above about 0.5 MeV per
nucleon. Large deflections carry the nuclear form factor and the spin-1/2 factor.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import FINE_STRUCTURE, HBAR_C_MEV_FM, PROTON_MASS_MEV
from dosewright.materials.lookup import LARGEST_Q, hard_path_g_cm2
from dosewright.transport.tracks import CHARGE_SQUARED, MASS_MEV, NUCLEONS, turned

LARGEST_CONDENSED_RAD = 1.5  # a Gaussian angle beyond this is held here; only at the very end of the range


@inlined
def soft_deflection(ray, mean_square_angle, u1, u2):
    """Turn a ray by a condensed deflection: Gaussian in both projected angles."""
    theta = min(np.sqrt(-mean_square_angle * np.log(u1)), LARGEST_CONDENSED_RAD)
    return turned(ray, np.cos(theta), 2.0 * np.pi * u2)


@inlined
def momentum_and_beta2(energy, mass):
    """Return momentum (MeV/c) and beta squared."""
    momentum2 = energy * (energy + 2.0 * mass)
    return np.sqrt(momentum2), momentum2 / (energy + mass) ** 2


@kernel
def hard_deflection(tables, track, material, stream):
    """Turn a track by one large deflection on a nucleus; return its ray and the stream."""
    a, b, c, d, stream = draw_four(stream)
    element = _nucleus(tables, material, a)
    z = tables.element_z[element]
    momentum, beta2 = momentum_and_beta2(track.energy, MASS_MEV[track.species])
    chi2 = tables.screening[element] / momentum**2 * (1.13 + 3.76 * (FINE_STRUCTURE * z) ** 2 / beta2)
    cut = hard_cut(tables, track, material)
    low, high = 1.0 / (cut + chi2), 1.0 / (LARGEST_Q + chi2)
    q = 1.0 / (high + b * (low - high)) - chi2  # q = 4 sin^2(theta/2), from c/(q + chi^2)^2
    radius_fm = 0.82 * tables.element_a[element] ** (1.0 / 3.0) + 0.58  # rms charge radius, Hofstadter 1957
    form_factor2 = np.exp(-q * (momentum * radius_fm / HBAR_C_MEV_FM) ** 2 / 3.0)
    if c > form_factor2 * (1.0 - 0.25 * beta2 * q):
        return track.ray, stream
    return turned(track.ray, 1.0 - 0.5 * q, 2.0 * np.pi * d), stream


@kernel
def hard_cut(tables, track, material):
    """Return the smallest 4 sin^2(theta/2) of a hard deflection, as the tables were made with."""
    per_nucleon = track.energy / NUCLEONS[track.species]
    _, beta2 = momentum_and_beta2(track.energy, MASS_MEV[track.species])
    pv2 = per_nucleon * (per_nucleon + 2.0 * PROTON_MASS_MEV) * beta2
    scale = CHARGE_SQUARED[track.species] / NUCLEONS[track.species] ** 2
    return min(scale * tables.hard_path_scale[material] * hard_path_g_cm2(per_nucleon) / pv2, LARGEST_Q)


@kernel
def _nucleus(tables, material, u):
    """Choose the element that scatters, in proportion to its share of Z^2."""
    first, last = tables.element_first[material], tables.element_first[material + 1] - 1
    total = 0.0
    for e in range(first, last + 1):
        total += tables.coulomb_share[e]
    left = u * total
    for e in range(first, last):
        left -= tables.coulomb_share[e]
        if left < 0.0:
            return e
    return last
