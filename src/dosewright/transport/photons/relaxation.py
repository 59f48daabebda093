"""An atom with a vacancy in an inner shell sends out photons and electrons until what is left is small.

The transitions are those of `materials.photons.vacancies`. Every direction is isotropic. What is not sent out is
deposited, so that the sum is the energy of the edge to rounding.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.geometry.trace import Ray
from dosewright.materials.photons.vacancies import FOLLOWED
from dosewright.transport.tracks import ELECTRON, PHOTON, push

BITS = np.int64(6)  # of one count of vacancies
MOST = np.int64(63)
ONE = np.int64(1)


@kernel
def relax(atoms, row, shell, ray, place, photon_cut, electron_cut, stack, waiting, stream):
    """Fill a vacancy in a followed shell of an element (a row of `Atoms`) and those that follow from it.

    Returns the energy that stays here (MeV), the count of the stack and the stream. Vacancies only move outwards, so
    one sweep over the shells settles them; a shell whose edge lies below both cuts can send out nothing.
    """
    here = atoms.edge[FOLLOWED * row + shell]
    least = min(photon_cut, electron_cut)
    vacancies = ONE << (BITS * np.int64(shell))  # counts by shell, six bits each
    for s in range(shell, FOLLOWED):
        entry = FOLLOWED * row + s
        if atoms.edge[entry] < least or vacancies == 0:
            break
        shift = BITS * np.int64(s)
        count = (vacancies >> shift) & MOST
        vacancies -= count << shift
        if atoms.begin[entry] == atoms.begin[entry + 1]:
            continue
        for _ in range(count):
            a, b, c, _, stream = draw_four(stream)
            t = _transition(atoms, entry, a)
            energy = atoms.energy[t]
            if energy >= (photon_cut if atoms.radiative[t] else electron_cut):
                species = PHOTON if atoms.radiative[t] else ELECTRON
                after = push(stack, waiting, isotropic(ray, b, c), place, energy, species)
                here -= energy * (after - waiting)
                waiting = after
            for side in range(2):
                if atoms.left[t, side] >= 0:
                    vacancies += ONE << (BITS * atoms.left[t, side])
    return max(0.0, here), waiting, stream


@inlined
def _transition(atoms, entry, u):
    """Return the transition that fills a vacancy, by bisection."""
    low, high = atoms.begin[entry], atoms.begin[entry + 1] - 1
    while low < high:
        middle = (low + high) // 2
        if u < atoms.probability[middle]:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def isotropic(ray, u1, u2):
    """Return the ray with a direction uniform over the sphere."""
    w = 2.0 * u1 - 1.0
    across = np.sqrt(1.0 - w * w)
    phi = 2.0 * np.pi * u2
    return Ray(ray.x, ray.y, ray.z, across * np.cos(phi), across * np.sin(phi), w)
