"""Non-elastic interactions of protons with nuclei: a fast cascade, then evaporation.

Protons, deuterons, tritons, helions and alpha particles go on, the recoil stays, neutrons and gammas leave. The energy
of the remnant follows from measured masses, so that every event conserves energy; momentum is that of what was sent.
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.transport.cascade import collide, enter, nucleus_of, without_two
from dosewright.transport.evaporation import (
    NEUTRON,
    SPECIES,
    Remnant,
    barrier,
    cube_root,
    emission,
    light_channel,
    part,
    recoil_energy,
)
from dosewright.transport.tracks import MASS_MEV, PROTON, push, turned

MOST_TRIES = 40  # to strike a nucleus; after that the proton is absorbed whole
# A nucleon on its way out may pick up others of the nucleus (Hess and Moyer, Phys. Rev. 101, 337 (1956)), the rarer
# the faster it is. Set by hand so that p + O sends some 0.2 deuterons (docs/physics/nuclear).
PICK_UP, PICK_UP_MEV = 0.25, 60.0  # P exp(-E/E0) for the first
PICK_UP_MORE = np.array([0.2, 0.5])  # share of deuterons that take a third, of those that take a fourth
CLUSTER_BINDING_MEV = np.array([0.0, 2.2246, 8.10, 28.296])  # of 1 to 4 nucleons, AME2020 (3: a mean)


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
    return fresh, _remnant(mass, fresh), stream  # a compound nucleus


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
    neutral, charged, waiting = event.neutral, event.charged, event.waiting
    if species == NEUTRON:
        neutral += energy
    else:
        charged += energy
        waiting = _send(track, stack, waiting, nucleon.u, nucleon.v, nucleon.w, energy, species)
    return Event(protons, neutrons, px, py, pz, balance, neutral, charged, waiting), stream


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
    neutral += max(rest.excitation, 0.0)
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
