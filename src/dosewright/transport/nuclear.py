"""Nuclear interactions of protons.

Elastic on hydrogen: isotropic in the centre of mass (good to some percent below 300 MeV), both protons go on.
Elastic on nuclei: d(sigma)/dt ~ exp(b t) with Ranft's slope; the recoil stays. Non-elastic: an intranuclear cascade
(`cascade`), then evaporation (`evaporation`); protons, deuterons, tritons, helions and alpha particles go on, recoils
stay, neutrons and gammas leave. Valid 7-300 MeV.
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ATOMIC_MASS_UNIT_MEV
from dosewright.materials.lookup import position
from dosewright.transport.cascade import Nucleon, collide, enter, nucleus_of, without_two
from dosewright.transport.evaporation import NEUTRON, SPECIES, Remnant, barrier, cube_root, emission, light_channel, part, recoil_energy
from dosewright.transport.tracks import ALPHA, DEUTERON, HELION, MASS_MEV, PROTON, TRITON, push, turned

RANFT_SLOPE = 14.5e-6  # per MeV2/c2 and A^0.66: Ranft, Part. Accel. 3, 129 (1972)
MOST_TRIES = 40  # to strike a nucleus; after that the proton is absorbed whole
MOST_NEUTRON_EXCESS = 64


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


class Event(NamedTuple):
    """A break-up under way: what remains and its energy with mass excess (MeV), energies of what left, stack count."""

    protons: int
    neutrons: int
    px: float
    py: float
    pz: float
    balance: float
    neutral: float
    charged: float
    waiting: int


# A nucleon on its way out may pick up others of the nucleus (Hess and Moyer, Phys. Rev. 101, 337 (1956)), the rarer the
# faster it is. Fitted to the energies of deuterons and alpha particles in ICRU Report 63, p + O.
PICK_UP, PICK_UP_MEV = 0.3, 60.0  # P exp(-E/E0) for the first
PICK_UP_MORE = np.array([0.15, 0.5])  # share of deuterons that take a third, of those that take a fourth
CLUSTER_BINDING_MEV = np.array([0.0, 2.2246, 8.10, 28.296])  # of 1 to 4 nucleons, AME2020; 3: mean of triton and helion


@kernel
def nonelastic(tables, element, track, stack, waiting, stream):
    """Break up a nucleus: put secondaries on the stack.

    Returns energy left here, energy of untracked neutrals, binding energy, the stack count and the stream; with the
    energies of the secondaries they sum to the proton's.
    """
    event, rest, stream = strike(tables, element, track, stack, waiting, stream)
    return _cool(tables, track, event, rest, stack, stream)


@kernel
def strike(tables, element, track, stack, waiting, stream):
    """Run the fast stage: returns what left by then, the excited remnant and the stream."""
    mass = tables.mass_excess
    protons = int(tables.element_z[element])
    neutrons = int(tables.element_a[element] + 0.5) - protons
    momentum = np.sqrt(track.energy * (track.energy + 2.0 * MASS_MEV[PROTON]))
    whole = mass[protons, neutrons]
    one_proton, one_neutron = mass[protons - 1, neutrons] + mass[1, 0], mass[protons, neutrons - 1] + mass[0, 1]
    nucleus = nucleus_of(protons + neutrons, protons, 0.5 * (one_proton + one_neutron) - whole)
    depleted = without_two(nucleus, protons + neutrons)
    start = track.energy + mass[1, 0] + whole
    fresh = Event(protons + 1, neutrons, 0.0, 0.0, momentum, start, 0.0, 0.0, waiting)
    for _ in range(MOST_TRIES):
        proton, stream = enter(nucleus, track.energy, stream)
        struck, first, second, stream = collide(nucleus, proton, stream)
        if struck:
            event, stream = _cascade(tables, track, depleted, fresh, first, second, stack, stream)
            rest = _remnant(mass, event)
            if rest.excitation >= 0.0:
                return event, rest, stream
    return fresh, _remnant(mass, fresh), stream


@inlined
def _remnant(mass, event):
    """Return what is left, excited by the energy that has not left."""
    cold = Remnant(event.protons, event.neutrons, event.px, event.py, event.pz, 0.0)
    excitation = event.balance - mass[event.protons, event.neutrons] - recoil_energy(cold)
    return Remnant(event.protons, event.neutrons, event.px, event.py, event.pz, excitation)


@kernel
def _cascade(tables, track, nucleus, event, first, second, stack, stream):
    """Follow the fastest nucleon, and those it strikes one by one, until all have left or stay."""
    struck = True
    while struck:
        event, stream = _strand(tables, track, nucleus, event, second, stack, stream)
        struck = first.energy > 0.0
        if struck:
            struck, first, second, stream = collide(nucleus, first, stream)
    return _leave(tables, track, nucleus, event, first, stack, stream)


@kernel
def _strand(tables, track, nucleus, event, nucleon, stack, stream):
    """Follow a struck nucleon, and those it strikes."""
    while nucleon.energy > 0.0:
        struck, nucleon, other, stream = collide(nucleus, nucleon, stream)
        if not struck:
            break
        event, stream = _twig(tables, track, nucleus, event, other, stack, stream)
    return _leave(tables, track, nucleus, event, nucleon, stack, stream)


@kernel
def _twig(tables, track, nucleus, event, nucleon, stack, stream):
    """Follow a nucleon of the third generation; those it strikes leave at once or stay."""
    while nucleon.energy > 0.0:
        struck, nucleon, other, stream = collide(nucleus, nucleon, stream)
        if not struck:
            break
        event, stream = _leave(tables, track, nucleus, event, other, stack, stream)
    return _leave(tables, track, nucleus, event, nucleon, stack, stream)


@kernel
def _leave(tables, track, nucleus, event, nucleon, stack, stream):
    """Let a nucleon out of the nucleus, perhaps with others; if it cannot pass the barrier, its energy stays."""
    a, b, c, d, stream = draw_four(stream)
    charge, size, energy = int(nucleon.charge), 1, nucleon.energy
    if a < PICK_UP * np.exp(-energy / PICK_UP_MEV):
        charge, size = 1, 2
        if b < PICK_UP_MORE[0]:
            charge, size = 1 if d < 0.5 else 2, 3
            if c < PICK_UP_MORE[1]:
                charge, size = 2, 4
        energy += CLUSTER_BINDING_MEV[size - 1] - (size - 1) * (nucleus.well - nucleus.fermi_energy)
    protons, neutrons = event.protons - charge, event.neutrons - size + charge
    if protons < 1 or neutrons < 0:
        return event, stream
    channel = _channel(charge, size)
    if energy <= barrier(channel, protons, cube_root(protons + neutrons)):
        return event, stream
    species = SPECIES[channel]
    mass = MASS_MEV[max(species, 0)]
    p = np.sqrt(energy * (energy + 2.0 * mass))
    px, py, pz = event.px - p * nucleon.u, event.py - p * nucleon.v, event.pz - p * nucleon.w
    balance = event.balance - energy - tables.mass_excess[charge, size - charge]
    if species == NEUTRON:
        return Event(protons, neutrons, px, py, pz, balance, event.neutral + energy, event.charged, event.waiting), stream
    waiting = _send(track, stack, event.waiting, nucleon.u, nucleon.v, nucleon.w, energy, species)
    return Event(protons, neutrons, px, py, pz, balance, event.neutral, event.charged + energy, waiting), stream


@inlined
def _channel(charge, size):
    """Row of `evaporation.SPECIES`: n, p, d, t, He-3, He-4."""
    return charge if size == 1 else size + charge - 1 if size < 4 else 5


@inlined
def _send(track, stack, waiting, u, v, w, energy, species):
    """Put a secondary on the stack; its direction is relative to the proton's."""
    return push(stack, waiting, turned(track.ray, w, np.arctan2(v, u)), track.place, energy, species)


@kernel
def _cool(tables, track, event, rest, stack, stream):
    """Let the remnant evaporate; return what `nonelastic` returns."""
    neutral, charged, waiting = event.neutral, event.charged, event.waiting
    while True:
        channel, kinetic, stream = emission(tables.mass_excess, rest, stream)
        if channel < 0:
            break
        px, py, pz, energy, rest, stream = part(tables.mass_excess, rest, channel, kinetic, stream)
        if SPECIES[channel] == NEUTRON:
            neutral += energy
        else:
            charged += energy
            waiting = _send_momentum(track, stack, waiting, px, py, pz, energy, SPECIES[channel])
    here = recoil_energy(rest)
    neutral += rest.excitation
    last = light_channel(rest)
    if last >= 0:
        if SPECIES[last] == NEUTRON:
            neutral += here
        else:
            charged += here
            waiting = _send_momentum(track, stack, waiting, rest.px, rest.py, rest.pz, here, SPECIES[last])
        here = 0.0
    return here, neutral, track.energy - here - neutral - charged, waiting, stream


@inlined
def _send_momentum(track, stack, waiting, px, py, pz, energy, species):
    one = 1.0 / np.sqrt(px * px + py * py + pz * pz + 1.0e-30)
    return _send(track, stack, waiting, px * one, py * one, pz * one, energy, species)
