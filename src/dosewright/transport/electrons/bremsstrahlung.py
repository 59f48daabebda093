"""Bremsstrahlung above the cut: the energy of the photon and its angle; the electron keeps its direction."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.electrons.lookup import COARSE, COARSE_NODES, SHAPE_NODES, position

MOST_TRIES = 1000  # of which a tenth succeeds at worst
SCREENING = 1.0 / 111.0  # of the atoms' field, x Z^(1/3): Koch and Motz, Rev. Mod. Phys. 31, 920 (1959), formula 2BS


@kernel
def radiate(tables, material, energy, photon_cut, stream):
    """Sample a photon of at least `photon_cut` (MeV): its energy, its cosine to the electron, and the stream.

    Evenly in ln k, kept with k dsigma/dk over its largest value. No photon where the electron has not the energy.
    """
    if energy <= photon_cut:
        return 0.0, 1.0, stream
    k, v, keep_angle, stream = photon_energy(tables, material, energy, photon_cut, stream)
    cosine, stream = photon_cosine(energy, k, tables.radiation_z[material], v, keep_angle, stream)
    return k, cosine, stream


@inlined
def photon_energy(tables, material, energy, photon_cut, stream):
    """Sample the energy (MeV) of a photon; return it, two uniforms that are left over, and the stream."""
    node, f = position(energy)
    coarse = np.int64(node) // COARSE
    along = (np.int64(node) - coarse * COARSE + np.float64(f)) / COARSE
    start = (np.int64(material) * COARSE_NODES + coarse) * SHAPE_NODES
    span = np.log(energy / photon_cut)
    u, keep, v, keep_angle, stream = draw_four(stream)
    k = photon_cut * np.exp(u * span)
    for _ in range(MOST_TRIES):
        if keep < _shape(tables.radiation_shape, start, along, k / energy):
            break
        u, keep, v, keep_angle, stream = draw_four(stream)
        k = photon_cut * np.exp(u * span)
    return min(k, energy), v, keep_angle, stream


@inlined
def _shape(table, start, along, share):
    """Return k dsigma/dk over its largest value, linear in energy (between coarse nodes) and in k/T."""
    s = min(share, 1.0) * (SHAPE_NODES - 1)
    i = min(np.int64(s), SHAPE_NODES - 2)
    s -= i
    low = table[start + i] + s * (table[start + i + 1] - table[start + i])
    i += SHAPE_NODES
    high = table[start + i] + s * (table[start + i + 1] - table[start + i])
    return low + along * (high - low)


@kernel
def photon_cosine(energy, k, z, u, keep, stream):
    """Sample the cosine of a photon to the electron by formula 2BS; the first try takes the two uniforms given.

    Koch and Motz as Bielajew, Mohan and Chui sample it (NRCC PIRS-0203, 1989): x from 1/(1 + x)^2, kept with their
    g(x) over the largest of its values at 0, 1 and the end. Their x = (E theta)^2 is meant for small angles;
    x = gamma^2 beta (1 + beta) (1 - cos theta), the same there, makes 1 + x the denominator 1 - beta cos theta of the
    dipole at all angles.
    """
    largest, ratio, transfer, screening = angular_terms(energy, k, z)
    top = max(
        two_bs(0.0, ratio, transfer, screening),
        two_bs(min(1.0, largest), ratio, transfer, screening),
        two_bs(largest, ratio, transfer, screening),
    )
    span = largest / (1.0 + largest)
    x = 1.0 / (1.0 - u * span) - 1.0
    for _ in range(MOST_TRIES):
        if keep * top < two_bs(x, ratio, transfer, screening):
            break
        u, keep, v, keep_second, stream = draw_four(stream)
        x = 1.0 / (1.0 - u * span) - 1.0
        if keep * top < two_bs(x, ratio, transfer, screening):
            break
        x, keep = 1.0 / (1.0 - v * span) - 1.0, keep_second
    return max(-1.0, 1.0 - 2.0 * x / largest), stream


@inlined
def angular_terms(energy, k, z):
    """Return the largest x, the ratio of total energies, and the two terms in the logarithm of formula 2BS."""
    before = 1.0 + energy / ELECTRON_MASS_MEV
    after = max(before - k / ELECTRON_MASS_MEV, 1.0)
    beta = np.sqrt(1.0 - 1.0 / (before * before))
    largest = 2.0 * beta * (1.0 + beta) * before * before
    transfer = 0.5 * k / (ELECTRON_MASS_MEV * before * after)
    screening = SCREENING * np.exp(np.log(z) / 3.0)
    return largest, after / before, transfer * transfer, screening * screening


@inlined
def two_bs(x, ratio, transfer, screening):
    """Formula 2BS times (1 + x)^2, up to a factor; `ratio` is the total energy after over that before."""
    per = 1.0 / ((1.0 + x) * (1.0 + x))
    both = 1.0 + ratio * ratio
    bend = 4.0 * x * ratio * per
    return 3.0 * both - 2.0 * ratio - (4.0 + np.log(transfer + screening * per)) * (both - bend)
