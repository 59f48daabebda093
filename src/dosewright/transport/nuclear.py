"""Nuclear interactions of protons, 7 to 300 MeV.

Elastic on hydrogen: isotropic in the centre of mass (good to some percent below 300 MeV), both protons go on.
Elastic on nuclei: d(sigma)/dt ~ exp(b t); the recoil stays. Non-elastic: `break_up`.
"""

import numpy as np

from dosewright.core.jit import kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ATOMIC_MASS_UNIT_MEV
from dosewright.materials.lookup import position
from dosewright.transport.break_up import nonelastic as nonelastic
from dosewright.transport.tracks import MASS_MEV, PROTON, push, turned

# d(sigma)/dt ~ exp(b t), b = slope A^power per MeV2/c2: within 5 % of an eikonal calculation, carbon to lead, 100 to
# 200 MeV (docs/physics/nuclear); Ranft, Part. Accel. 3, 129 (1972), has 14.5e-6 A^0.66 for GeV energies.
DIFFRACTION_SLOPE, DIFFRACTION_POWER = 23.6e-6, 0.523
MOST_TRIES = 40  # to strike a nucleus; after that the proton is absorbed whole


@kernel
def choose_nuclear(tables, material, energy, u):
    """Return the element row and whether the interaction is elastic, by their cross sections."""
    i, f = position(energy)
    first, last = tables.element_first[material], tables.element_first[material + 1]
    total = 0.0
    for e in range(first, last):
        total += _at(tables.nuclear_elastic, e, i, f) + _at(tables.nuclear_nonelastic, e, i, f)
    left = u * total
    for e in range(first, last):
        left -= _at(tables.nuclear_elastic, e, i, f)
        if left < 0.0:
            return e, True
        left -= _at(tables.nuclear_nonelastic, e, i, f)
        if left < 0.0:
            return e, False
    return last - 1, True


@kernel
def _at(rows, e, i, f):
    return rows[e, i] + f * (rows[e, i + 1] - rows[e, i])


@kernel
def elastic_on_hydrogen(track, stack, waiting, stream):
    """Share the energy between two protons; return energy and ray of the first, and the stack count."""
    a, b, _, _, stream = draw_four(stream)
    mass, total = MASS_MEV[PROTON], track.energy
    given = a * total  # isotropic in the centre of mass: uniform in energy, exact for equal masses
    kept = total - given
    p2 = total * (total + 2.0 * mass)
    phi = 2.0 * np.pi * b
    waiting = push(
        stack, waiting, turned(track.ray, _equal_mass_cosine(total, given, p2, mass), phi), track.place, given, PROTON
    )
    ray = turned(track.ray, _equal_mass_cosine(total, kept, p2, mass), phi + np.pi)
    return kept, ray, waiting, stream


@kernel
def _equal_mass_cosine(total, energy, p2, mass):
    """Laboratory angle of one of two equal masses that carries `energy` after elastic scattering."""
    q2 = energy * (energy + 2.0 * mass)
    return min(1.0, energy * (total + 2.0 * mass) / np.sqrt(max(p2 * q2, 1.0e-300)))


@kernel
def elastic_on_nucleus(tables, element, track, stream):
    """Return the energy of the recoil, the proton's new ray and the stream."""
    a, b, _, _, stream = draw_four(stream)
    mass = tables.element_a[element] * ATOMIC_MASS_UNIT_MEV
    p2 = track.energy * (track.energy + 2.0 * MASS_MEV[PROTON])
    total = track.energy + MASS_MEV[PROTON]
    in_centre2 = p2 * mass * mass / (MASS_MEV[PROTON] ** 2 + mass * mass + 2.0 * total * mass)
    slope = DIFFRACTION_SLOPE * tables.element_a[element] ** DIFFRACTION_POWER
    most = 4.0 * in_centre2
    t = -np.log(1.0 - a * (1.0 - np.exp(-slope * most))) / slope
    recoil = t / (2.0 * mass)
    after2 = (track.energy - recoil) * (track.energy - recoil + 2.0 * MASS_MEV[PROTON])
    recoil_p2 = recoil * (recoil + 2.0 * mass)
    cosine = (p2 + after2 - recoil_p2) / (2.0 * np.sqrt(p2 * after2))
    return recoil, turned(track.ray, min(1.0, cosine), 2.0 * np.pi * b), stream
