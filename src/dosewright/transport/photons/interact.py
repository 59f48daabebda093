"""One interaction of a photon: which, and what becomes of it."""

import numpy as np

from dosewright.core.jit import inlined
from dosewright.materials.photons.lookup import COMPTON, PAIR, RAYLEIGH
from dosewright.transport.photons.compton import compton
from dosewright.transport.photons.pair import pair
from dosewright.transport.photons.photoelectric import photoelectric
from dosewright.transport.photons.rayleigh import rayleigh
from dosewright.transport.photons.relaxation import relax
from dosewright.transport.tracks import name_children


@inlined
def interact(problem, material, i, f, chosen, energy, weight, ray, place, stack, waiting, stream):
    """Let a photon interact.

    Returns what is left of its energy, its ray, the energy that stays here, the rest energy of particles that were
    made (both of one photon, not times its weight), the stack count and the stream. ``chosen`` is a uniform share of
    the total cross section (cm2/g); `i` and `f` are the photon's place in the grid.
    """
    photons, first, here, rest_energy = problem.photons, waiting, 0.0, 0.0
    photon_cut = np.float64(problem.cuts.photon[material])
    electron_cut = np.float64(problem.cuts.electron[material])
    if chosen < partial(photons.attenuation, material, i, f, RAYLEIGH):
        ray, stream = rayleigh(photons.rayleigh, material, energy, ray, stream)
        return energy, ray, here, rest_energy, waiting, stream
    if chosen < partial(photons.attenuation, material, i, f, COMPTON):
        energy, ray, here, z, shell, waiting, stream = compton(
            photons.compton, material, energy, ray, place, photon_cut, electron_cut, stack, waiting, stream
        )
        if shell >= 0:
            element = photons.atoms.row_of_z[z]
            rest, waiting, stream = relax(
                photons.atoms, element, shell, ray, place, photon_cut, electron_cut, stack, waiting, stream
            )
            here += rest
    elif chosen < partial(photons.attenuation, material, i, f, PAIR):
        here, waiting, stream = pair(
            photons.pair, material, energy, ray, place, photon_cut, electron_cut, stack, waiting, stream
        )
        # What neither went on nor stayed: of two particles, or nothing where the positron annihilated at once.
        rest_energy = energy - here - _carried(stack, first, waiting)
        energy = 0.0
    else:
        here, waiting, stream = photoelectric(
            photons.atoms, i, f, material, energy, ray, place, photon_cut, electron_cut, stack, waiting, stream
        )
        energy = 0.0
    if energy < photon_cut:
        here += energy
        energy = 0.0
    name_children(stack, first, waiting, stream, weight)
    return energy, ray, here, rest_energy, waiting, stream


@inlined
def partial(attenuation, material, i, f, which):
    """Return the cross section (cm2/g) of an interaction and those before it."""
    low = attenuation.cumulated[material, i, which]
    return low + f * (attenuation.cumulated[material, i + 1, which] - low)


@inlined
def _carried(stack, first, waiting):
    """Return the kinetic energy of what was put on the stack."""
    total = 0.0
    for row in range(first, waiting):
        total += stack[row, 6]
    return total
