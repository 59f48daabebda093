"""Nuclear interactions of protons.

Elastic on hydrogen: isotropic in the centre of mass (good to some percent below 300 MeV), both protons go on.
Elastic on nuclei: d(sigma)/dt ~ exp(b t) with Ranft's slope; the recoil stays. Non-elastic: a parametrised cascade
whose multiplicities and spectra meet the integrals of ICRU Report 63 for p + O (see `docs/physics/nuclear`);
secondary protons, deuterons and alpha particles go on, recoils stay, neutrons and gammas leave. Valid 7-300 MeV.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ATOMIC_MASS_UNIT_MEV
from dosewright.materials.lookup import position
from dosewright.transport.tracks import ALPHA, DEUTERON, MASS_MEV, PROTON, push, turned

SEPARATION_MEV = 8.0  # mean binding of a nucleon, ICRU Report 63 nuclei
DEUTERON_BINDING_MEV = 2.2246  # CODATA
ALPHA_SEPARATION_MEV = 7.2  # 16O -> 12C + alpha, Tilley et al., Nucl. Phys. A 564, 1 (1993)
RANFT_SLOPE = 14.5e-6  # per MeV2/c2 and A^0.66: Ranft, Part. Accel. 3, 129 (1972)

# Per non-elastic event on oxygen. Fitted so that the energy shares and mean energies of secondary protons, deuterons,
# alphas and recoils meet those of ICRU Report 63 (2000) at 100, 150 and 200 MeV (tests/transport/test_nuclear.py).
NO_FAST_PROTON, TWO_FAST_PROTONS = 0.015, 0.63  # shares; the rest has one
FAST_SPECTRUM = -0.13  # fast protons take the share x of what is available with density (1 - x)^this
SLOW_PROTONS, SLOW_PAIRS = 0.72, 0.11  # mean number; share of events with two
SLOW_TEMPERATURE_MEV = 5.0
DEUTERONS, DEUTERON_HIGHEST_MEV = 0.07, 80.0
ALPHAS = 0.44
ALPHA_MEAN_MEV, ALPHA_MEAN_PER_MEV = 5.0, 0.033  # 8.2, 9.8, 11.6 MeV at 100, 150, 200 MeV
RECOIL_SHARE = 0.024


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
    barrier = np.exp(-max(tables.element_z[element] - 8.0, 0.0) / 20.0)  # slow charged particles fade in heavy nuclei
    drift = _speed_of_centre(track.energy, tables.element_a[element])
    a, b, c, d, stream = draw_four(stream)
    here = RECOIL_SHARE * track.energy
    left, binding = track.energy - here, 0.0
    if a < ALPHAS * barrier:
        e, cosine, phi, stream = _slow(0.5 * (ALPHA_MEAN_MEV + ALPHA_MEAN_PER_MEV * track.energy), stream)
        if left > e + ALPHA_SEPARATION_MEV:
            waiting = push(stack, waiting, _sent(track.ray, cosine, phi, e, ALPHA, drift), track.place, e, ALPHA)
            left, binding = left - e - ALPHA_SEPARATION_MEV, binding + ALPHA_SEPARATION_MEV
    slow_pairs, slow_mean = SLOW_PAIRS * barrier, SLOW_PROTONS * barrier
    for _ in range(_none_one_or_two(1.0 - slow_mean + slow_pairs, slow_pairs, b)):
        e, cosine, phi, stream = _slow(SLOW_TEMPERATURE_MEV, stream)
        if left > e + SEPARATION_MEV:
            waiting = push(stack, waiting, _sent(track.ray, cosine, phi, e, PROTON, drift), track.place, e, PROTON)
            left, binding = left - e - SEPARATION_MEV, binding + SEPARATION_MEV
    cost = 2.0 * SEPARATION_MEV - DEUTERON_BINDING_MEV
    if c < DEUTERONS and left > 3.0 * cost:
        e, cosine, phi, stream = _fast(min(left - cost, DEUTERON_HIGHEST_MEV), track.energy, stream)
        waiting = push(stack, waiting, _sent(track.ray, cosine, phi, e, DEUTERON, drift), track.place, e, DEUTERON)
        left, binding = left - e - cost, binding + cost
    for _ in range(_none_one_or_two(NO_FAST_PROTON, TWO_FAST_PROTONS, d)):
        if left > SEPARATION_MEV:
            e, cosine, phi, stream = _fast(left - SEPARATION_MEV, track.energy, stream)
            waiting = push(stack, waiting, _sent(track.ray, cosine, phi, e, PROTON, drift), track.place, e, PROTON)
            left, binding = left - e - SEPARATION_MEV, binding + SEPARATION_MEV
    return here, left, binding, waiting, stream


@inlined
def _speed_of_centre(energy, nucleons):
    """Speed (in c) of the centre of mass of a proton and a nucleus at rest."""
    momentum = np.sqrt(energy * (energy + 2.0 * MASS_MEV[PROTON]))
    return momentum / (energy + MASS_MEV[PROTON] + nucleons * ATOMIC_MASS_UNIT_MEV)


@inlined
def _sent(ray, cosine, phi, energy, species, drift):
    """Turn a ray by an angle that was sampled in the centre of mass, which moves forward at `drift` (in c)."""
    mass = MASS_MEV[species]
    speed = np.sqrt(energy * (energy + 2.0 * mass)) / (energy + mass)
    along, across2 = speed * cosine + drift, speed * speed * (1.0 - cosine * cosine)
    return turned(ray, along / np.sqrt(along * along + across2 + 1.0e-30), phi)


@inlined
def _none_one_or_two(none, two, u):
    """Return 0, 1 or 2 with these probabilities of 0 and of 2."""
    if u < none:
        return 0
    return 2 if u < none + two else 1


@kernel
def _fast(available, incident, stream):
    """Sample a fast secondary: energy between nothing and all, forward the more the faster.

    Direction: exp(a cos(theta)), Kalbach's systematics for the direct part, Phys. Rev. C 37, 2350 (1988), eq. 10.
    """
    a, b, c, _, stream = draw_four(stream)
    e = available * (1.0 - a ** (1.0 / (1.0 + FAST_SPECTRUM)))
    out = e + SEPARATION_MEV
    x1 = min(incident, 130.0) * out / incident
    x3 = min(incident, 41.0) * out / incident
    slope = 0.04 * x1 + 1.8e-6 * x1**3 + 6.7e-7 * x3**4
    cosine = 1.0 + np.log(b + (1.0 - b) * np.exp(-2.0 * slope)) / slope
    return e, max(cosine, -1.0), 2.0 * np.pi * c, stream


@kernel
def _slow(temperature, stream):
    """Sample a slow secondary: e exp(-e/T) (Weisskopf, Phys. Rev. 52, 295 (1937)), in any direction."""
    a, b, c, d, stream = draw_four(stream)
    return -temperature * np.log(a * b), 2.0 * c - 1.0, 2.0 * np.pi * d, stream
