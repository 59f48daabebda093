"""Nuclear interactions of protons.

Elastic on hydrogen: isotropic in the centre of mass (good to some percent below 300 MeV), both protons go on.
Elastic on nuclei: d(sigma)/dt ~ exp(b t) with Ranft's slope; the recoil stays. Non-elastic: a parametrised cascade
whose multiplicities and spectra meet the integrals of ICRU Report 63 for p + O (see `docs/physics/nuclear`);
secondary protons and deuterons go on, alpha particles and recoils stay, neutrons and gammas leave. Valid 7-300 MeV.
"""

import numpy as np

from dosewright.core.jit import kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ATOMIC_MASS_UNIT_MEV
from dosewright.materials.lookup import position
from dosewright.transport.tracks import DEUTERON, MASS_MEV, PROTON, push, turned

SEPARATION_MEV = 8.0  # mean binding of a nucleon, ICRU Report 63 nuclei
DEUTERON_BINDING_MEV = 2.2246  # CODATA
ALPHA_SEPARATION_MEV = 7.2  # 16O -> 12C + alpha, Tilley et al., Nucl. Phys. A 564, 1 (1993)
RANFT_SLOPE = 14.5e-6  # per MeV2/c2 and A^0.66: Ranft, Part. Accel. 3, 129 (1972)

# Means per non-elastic event on oxygen; chosen so that yields and mean energies of protons, deuterons, alphas and
# recoils meet ICRU Report 63 at 100, 150 and 200 MeV (tests/physics/test_nuclear.py).
CASCADE_PROTONS, CASCADE_SCALE_MEV = 1.30, 45.0
EVAPORATED_PROTONS = 1.0
EVAPORATION_MEV = 3.0
DEUTERONS = 0.06
ALPHAS = 0.44
RECOIL_SHARE = 0.024
SECOND_SHARE = 0.42
HARDNESS = 0.15


@kernel
def choose_nuclear(tables, material, energy, u):
    """Return the element row and whether the interaction is elastic, by their cross sections."""
    i, f = position(tables, energy)
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
    slope = RANFT_SLOPE * tables.element_a[element] ** 0.66
    most = 4.0 * in_centre2
    t = -np.log(1.0 - a * (1.0 - np.exp(-slope * most))) / slope
    recoil = t / (2.0 * mass)
    after2 = (track.energy - recoil) * (track.energy - recoil + 2.0 * MASS_MEV[PROTON])
    recoil_p2 = recoil * (recoil + 2.0 * mass)
    cosine = (p2 + after2 - recoil_p2) / (2.0 * np.sqrt(p2 * after2))
    return recoil, turned(track.ray, min(1.0, cosine), 2.0 * np.pi * b), stream


@kernel
def nonelastic(tables, element, track, stack, waiting, stream):
    """Break up a nucleus: put secondaries on the stack.

    Returns energy left here, energy of untracked neutrals, binding energy, the stack count and the stream; with the
    energies of the secondaries they sum to the proton's.
    """
    energy = track.energy
    left = energy
    binding, here = 0.0, 0.0
    a, b, c, d, stream = draw_four(stream)
    count = _how_many(CASCADE_PROTONS * (1.0 - np.exp(-energy / CASCADE_SCALE_MEV)), a)
    for _ in range(count):
        available = left - SEPARATION_MEV
        if available <= 0.0:
            break
        e, cosine, phi, stream = _cascade_proton(available, energy, stream)
        waiting = push(stack, waiting, turned(track.ray, cosine, phi), track.place, e, PROTON)
        left -= e + SEPARATION_MEV
        binding += SEPARATION_MEV
    barrier = np.exp(-max(tables.element_z[element] - 8.0, 0.0) / 20.0)  # charged evaporation fades in heavy nuclei
    if b < DEUTERONS and left > 4.0 * SEPARATION_MEV:
        available = left - 2.0 * SEPARATION_MEV + DEUTERON_BINDING_MEV
        e, cosine, phi, stream = _cascade_proton(available, energy, stream)
        waiting = push(stack, waiting, turned(track.ray, cosine, phi), track.place, e, DEUTERON)
        left -= e + 2.0 * SEPARATION_MEV - DEUTERON_BINDING_MEV
        binding += 2.0 * SEPARATION_MEV - DEUTERON_BINDING_MEV
    recoil = min(RECOIL_SHARE * energy, left)
    here += recoil
    left -= recoil
    for _ in range(_how_many(EVAPORATED_PROTONS * barrier, c)):
        e, u, phi, stream = _evaporated(EVAPORATION_MEV, stream)
        if left > e + SEPARATION_MEV:
            waiting = push(stack, waiting, turned(track.ray, 2.0 * u - 1.0, phi), track.place, e, PROTON)
            left -= e + SEPARATION_MEV
            binding += SEPARATION_MEV
    if d < ALPHAS * barrier:
        e, _, _, stream = _evaporated(0.5 * (5.0 + 0.033 * energy), stream)  # mean 8.2 to 11.6 MeV, ICRU 63
        if left > e + ALPHA_SEPARATION_MEV:
            here += e
            left -= e + ALPHA_SEPARATION_MEV
            binding += ALPHA_SEPARATION_MEV
    return here, left, binding, waiting, stream


@kernel
def _how_many(mean, u):
    """Return 0, 1, 2 (or more) with this mean, as narrow as the mean allows beside a share of pairs."""
    pairs = min(SECOND_SHARE * mean / CASCADE_PROTONS, 0.5 * mean)
    ones = mean - 2.0 * pairs
    if u < pairs:
        return 2
    return 1 if u < pairs + ones else 0


@kernel
def _cascade_proton(available, incident, stream):
    """Sample a fast secondary: energy between nothing and all, forward the more the faster.

    Direction: exp(a cos(theta)), Kalbach's systematics for the direct part, Phys. Rev. C 37, 2350 (1988), eq. 10.
    """
    a, b, c, _, stream = draw_four(stream)
    e = available * (1.0 - a ** (1.0 / (1.0 + HARDNESS)))
    out = e + SEPARATION_MEV
    x1 = min(incident, 130.0) * out / incident
    x3 = min(incident, 41.0) * out / incident
    slope = 0.04 * x1 + 1.8e-6 * x1**3 + 6.7e-7 * x3**4
    cosine = 1.0 + np.log(b + (1.0 - b) * np.exp(-2.0 * slope)) / slope
    return e, max(cosine, -1.0), 2.0 * np.pi * c, stream


@kernel
def _evaporated(temperature, stream):
    """Sample a slow secondary: e exp(-e/T) (Weisskopf, Phys. Rev. 52, 295 (1937)), and two uniforms."""
    a, b, c, d, stream = draw_four(stream)
    return -temperature * np.log(a * b), c, 2.0 * np.pi * d, stream
