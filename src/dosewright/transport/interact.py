"""One hard interaction of a charged particle, chosen by the rates; large deflections are done in the step."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.materials.lookup import (
    HARD_SCATTERING,
    ION_RATE,
    PROTON_RATE,
    TOTAL_STOPPING,
    WATER_RATIO,
    position,
    value,
)
from dosewright.scoring.deposit import BINDING, CAPPED_HISTORIES, NEUTRAL
from dosewright.transport.absorb import absorb
from dosewright.transport.ion import knock_on_energy
from dosewright.transport.nuclear import choose_nuclear, elastic_on_hydrogen, elastic_on_nucleus, nonelastic
from dosewright.transport.tracks import NUCLEONS, PROTON, Track, name_children


@kernel
def interact(problem, track, material, tally, stack, waiting, stream):
    """Let one hard interaction happen; returns the track (of no energy if it ended), the stack count, the stream."""
    tables = problem.tables
    u, b, _, _, stream = draw_four(stream)
    i, f = position(track.energy / NUCLEONS[track.species])
    knock_on = value(tables, material, ION_RATE, i, f) - value(tables, material, HARD_SCATTERING, i, f)
    every = value(tables, material, PROTON_RATE, i, f) - value(tables, material, HARD_SCATTERING, i, f)
    ray, energy, here, let = track.ray, track.energy, 0.0, 0.0
    if track.species != PROTON or u * every <= knock_on:  # also where both rates have just vanished
        here, stream = knock_on_energy(tables, track, stream)
        energy -= here
        let = water_stopping(tables, material, i, f)
    else:
        here, energy, ray, waiting, stream = collide(problem, track, material, tally, stack, waiting, stream)
    if energy < problem.controls.cut_MeV * NUCLEONS[track.species]:
        here += energy
        energy = 0.0
    if here > 0.0:
        absorb(problem, tally, track, here, value(tables, material, WATER_RATIO, i, f), let)
    after = Track(ray, track.place, energy, track.species, track.deflection_due, -np.log(b), 1.0)
    return after, waiting, stream


@inlined
def water_stopping(tables, material, i, f):
    """Return the unrestricted mass stopping power of water (MeV cm2/g), which is the LET that is scored."""
    return value(tables, material, WATER_RATIO, i, f) * value(tables, material, TOTAL_STOPPING, i, f)


@kernel
def collide(problem, track, material, tally, stack, waiting, stream):
    """A nuclear interaction; returns the energy left here and energy and ray of the proton that goes on."""
    tables, first = problem.tables, waiting
    u, _, _, _, stream = draw_four(stream)
    element, elastic = choose_nuclear(tables, material, track.energy, u)
    here, energy, ray = 0.0, 0.0, track.ray
    if not elastic:
        here, neutral, binding, waiting, stream = nonelastic(tables, element, track, stack, waiting, stream)
        tally.account[NEUTRAL] += neutral
        tally.account[BINDING] += binding
    elif tables.element_z[element] == 1.0:
        energy, ray, waiting, stream = elastic_on_hydrogen(track, stack, waiting, stream)
    else:
        here, ray, stream = elastic_on_nucleus(tables, element, track, stream)
        energy = track.energy - here
    name_children(stack, first, waiting, stream, 1.0)
    if waiting >= stack.shape[0]:
        tally.account[CAPPED_HISTORIES] += 1.0  # secondaries may have found no room
    return here, energy, ray, waiting, stream
