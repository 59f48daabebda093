"""Photoelectric absorption: element, shell, the electron set free, and the relaxation of the atom."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.photons.vacancies import FOLLOWED, OUTER
from dosewright.transport.photons.relaxation import relax
from dosewright.transport.tracks import ELECTRON, push, turned


@kernel
def photoelectric(atoms, i, f, material, energy, ray, place, photon_cut, electron_cut, stack, waiting, stream):
    """Absorb a photon; return the energy left here (MeV), the count of the stack and the stream.

    `i, f` is the photon's position in the attenuation. The electron takes the energy less the edge of its shell;
    shells beyond M5 are taken as unbound.
    """
    a, b, c, _, stream = draw_four(stream)
    row = _element(atoms, material, i, f, a)
    shell = _shell(atoms, row, energy, i, f, b)
    here = 0.0
    kinetic = energy
    if shell != OUTER:
        kinetic = energy - atoms.edge[FOLLOWED * row + shell]
        here, waiting, stream = relax(atoms, row, shell, ray, place, photon_cut, electron_cut, stack, waiting, stream)
    if kinetic < electron_cut:
        return here + kinetic, waiting, stream
    cosine, stream = sauter_cosine(kinetic, stream)
    after = push(stack, waiting, turned(ray, cosine, 2.0 * np.pi * c), place, kinetic, ELECTRON)
    return here + kinetic * (1 - (after - waiting)), after, stream


@inlined
def _element(atoms, material, i, f, u):
    """Return the row of the element that absorbs."""
    first, last = atoms.first[material], atoms.first[material + 1] - 1
    table = atoms.cumulated
    wanted = u * (table[last, i] + f * (table[last, i + 1] - table[last, i]))
    place = first
    while place < last and table[place, i] + f * (table[place, i + 1] - table[place, i]) < wanted:
        place += 1
    return atoms.row[place]


@inlined
def _shell(atoms, row, energy, i, f, u):
    """Return the shell that absorbs, or `OUTER`."""
    share = atoms.share
    for shell in range(FOLLOWED):
        entry = FOLLOWED * row + shell
        if u < share[entry, i] + f * (share[entry, i + 1] - share[entry, i]) and atoms.edge[entry] < energy:
            return shell
    return OUTER


@kernel
def sauter_cosine(kinetic, stream):
    """Return the cosine of the electron's angle to the photon: Sauter's K-shell distribution.

    Sauter, Ann. Phys. 403, 454 (1931); sampled as in Salvat, PENELOPE, NEA/MBDAV/R(2019)1, section 2.2.1: with
    nu = 1 - cos and A = 1/beta - 1 the density goes as
    (2 - nu) [1/(A + nu) + beta gamma (gamma - 1)(gamma - 2)/2] nu/(A + nu)^3.
    """
    gamma = 1.0 + kinetic / ELECTRON_MASS_MEV
    beta = np.sqrt(kinetic * (kinetic + 2.0 * ELECTRON_MASS_MEV)) / (kinetic + ELECTRON_MASS_MEV)
    a = 1.0 / beta - 1.0
    extra = 0.5 * beta * gamma * (gamma - 1.0) * (gamma - 2.0)
    largest = 2.0 * (1.0 / a + extra)
    while True:
        u1, v1, u2, v2, stream = draw_four(stream)
        nu = _sauter_trial(a, u1)
        if v1 * largest <= (2.0 - nu) * (1.0 / (a + nu) + extra):
            return 1.0 - nu, stream
        nu = _sauter_trial(a, u2)
        if v2 * largest <= (2.0 - nu) * (1.0 / (a + nu) + extra):
            return 1.0 - nu, stream


@inlined
def _sauter_trial(a, u):
    """Return nu from the density a (a + 2)^2/2 nu/(a + nu)^3 between 0 and 2."""
    return 2.0 * a * (2.0 * u + (a + 2.0) * np.sqrt(u)) / ((a + 2.0) * (a + 2.0) - 4.0 * u)
