"""Histories of photons in a uniform phantom, each interaction at many places at once.

A photon interacts somewhere on its way out of the phantom with probability p. Instead of once or not, it does at n
places spread evenly over that probability, each with weight p/n, and what happens there happens alike at all: the
electrons set free are followed once and scored at every place. The photon itself goes on from one of the places with
probability p, and so does every photon that the electrons make; so photons have weight one always.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import HIGH_SHIFT, LOW, draw_four, start_stream
from dosewright.core.shared import shared, whole
from dosewright.geometry.trace import FAR_CM, PATIENT, Place, Ray, advance, medium_of, to_box, to_exit, to_patient_axes
from dosewright.materials.electrons.lookup import WATER_RATIO, value
from dosewright.materials.electrons.lookup import position as electron_position
from dosewright.materials.photons.lookup import position
from dosewright.scoring.deposit import BINDING, CAPPED_HISTORIES, ESCAPED, ROULETTE, STARTED
from dosewright.sources.emit import emit
from dosewright.transport.copies import (
    NO_SLOT,
    Copies,
    all_alive,
    bound,
    deposit_at_copies,
    let_go,
    living,
    no_copies,
    one_of,
    still_inside,
    taken_slot,
)
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import EMPTY, NONE, ended
from dosewright.transport.electrons.absorb import LOW_MEV
from dosewright.transport.electrons.interact import interact, stopped
from dosewright.transport.electrons.lockstep import advance_electrons
from dosewright.transport.lanes import (
    AT_X,
    AT_Y,
    AT_Z,
    CAPPED,
    ENERGY,
    EVENT,
    FX,
    FY,
    FZ,
    GOES_ON,
    LANES,
    LEAVES,
    LOST,
    NOT_BEGUN,
    RATIO,
    SPECIES,
    STOPS,
    STRETCH,
    Lanes,
    clear,
    empty_lanes,
    put,
    taken,
)
from dosewright.transport.photons.interact import interact as photon_interact
from dosewright.transport.tracks import PHOTON, STACK_COLUMNS, STACK_ROWS, name_children, pop, push

_SLOT, _ALIVE, _COLUMNS = STACK_COLUMNS, STACK_COLUMNS + 1, STACK_COLUMNS + 2  # after those of `transport.tracks`
MOST_INTERACTIONS = 100_000


class RepeatedProblem(NamedTuple):
    """The phantom; a voxel of its medium around the origin, so large that no copy inside the phantom reaches its faces;
    the number of places.
    """

    phantom: CoupledProblem
    free: CoupledProblem
    copies: int


class Room(NamedTuple):
    """Where a thread keeps its particles; lanes have a group of copies and the bits of those alive."""

    lanes: Lanes
    stack: NDArray[np.float64]
    copies: Copies
    slot: NDArray[np.int64]
    alive: NDArray[np.int64]


def empty_repeated_room() -> Room:
    """Return room for one thread."""
    stack = np.zeros((STACK_ROWS, _COLUMNS))
    return Room(empty_lanes(), stack, no_copies(), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64))


@kernel
def run_repeated_histories(problem, first, pencils, seed, tally, room):
    """Run histories ``first``, ``first + 1``, ... with the pencil beam named for each, adding to `tally`."""
    if pencils.size == 0:  # compiled with tables that hold nothing, which empty lanes would look into
        return
    problem, tally = shared(problem), shared(tally)
    lanes = room.lanes
    seed_low, seed_high = np.uint32(seed & LOW), np.uint32(seed >> HIGH_SHIFT)
    begun, waiting, flying = NONE, NONE, np.int64(LANES)
    for i in range(LANES):
        lanes.integers[EVENT + i] = EMPTY
    while flying > 0:
        for i in range(LANES):
            event = lanes.integers[EVENT + i]
            if event != EMPTY:
                if lanes.integers[SPECIES + i] < 0:
                    continue
                score_step(problem, tally, room, i)
                if event == GOES_ON and room.alive[i] != 0:
                    continue
                track, stream = taken(lanes, i, seed)
                track, waiting, stream = settled(problem, track, event, tally, room, i, waiting, stream)
                if track.energy > 0.0 and room.alive[i] != 0:
                    put(lanes, i, track, stream)
                    continue
                room.copies.users[room.slot[i]] -= 1
                let_go(room.copies, room.slot[i])
            begun, waiting, filled = refill(problem, first, pencils, seed, tally, room, i, begun, waiting)
            flying -= 0 if filled else 1
        advance_electrons(whole(problem.free), lanes, seed_low, seed_high)


@inlined
def refill(problem, first, pencils, seed, tally, room, i, begun, waiting):
    """Put the next electron or positron into a lane, following photons until one is there; else empty the lane.

    Returns the primaries begun, the stack count, and whether there was one.
    """
    while waiting > 0 or begun < pencils.size:
        if waiting == 0:
            waiting = born(problem.phantom, first + begun, pencils[begun], seed, tally, room.stack, waiting)
            begun += 1
            continue
        slot, alive = np.int64(room.stack[waiting - 1, _SLOT]), np.int64(room.stack[waiting - 1, _ALIVE])
        track, stream = pop(room.stack, waiting, seed)
        waiting -= 1
        if track.species == PHOTON:
            waiting = fly(problem, track.ray, track.energy, tally, room, waiting, stream)
            if waiting >= room.stack.shape[0]:
                tally.account[CAPPED_HISTORIES] += 1.0
            continue
        room.slot[i], room.alive[i] = slot, alive
        put(room.lanes, i, track, stream)
        room.lanes.floats[STRETCH + i] = NOT_BEGUN
        return begun, waiting, True
    clear(room.lanes, i)
    return begun, waiting, False


@inlined
def born(phantom, number, pencil, seed, tally, stack, waiting):
    """Put the photon of a history on the stack where it enters the phantom (cm); returns the stack count."""
    geometry, before = phantom.geometry, waiting
    stream = start_stream(seed, number)
    x, y, z, u, v, w, energy, stream = emit(phantom.source, pencil, stream)
    tally.account[STARTED] += energy
    ray = to_patient_axes(geometry, Ray(x, y, z, u, v, w))
    distance = to_box(geometry, ray)
    if distance >= FAR_CM:
        tally.account[ESCAPED] += energy
        return waiting
    waiting = push(stack, waiting, advance(ray, distance), Place(PATIENT, 0, 0, 0), energy, PHOTON)
    name_children(stack, before, waiting, stream, 1.0)
    return waiting


@inlined
def fly(problem, at, energy, tally, room, waiting, stream):
    """Follow a photon of weight one from a point (cm) to its end; returns the stack count."""
    phantom, free, copies = problem.phantom, problem.free, room.copies
    attenuation = phantom.photons.attenuation
    material, density = medium_of(phantom.geometry.voxels[0])
    material = np.int64(material)
    for _ in range(MOST_INTERACTIONS):
        way = to_exit(phantom.geometry, at)
        if way <= 0.0:
            tally.account[ESCAPED] += energy
            return waiting
        slot = taken_slot(copies)
        if slot == NO_SLOT:
            break
        i, f = position(attenuation, energy)
        total = attenuation.total[material, i]
        total += f * (attenuation.total[material, i + 1] - total)
        mu = total * density
        p = -np.expm1(-mu * way)
        a, b, c, d, stream = draw_four(stream)
        copies.number[slot], copies.weight[slot] = problem.copies, p / problem.copies
        for k in range(problem.copies):
            s = -np.log1p(-p * (k + a) / problem.copies) / mu
            copies.places[slot, k, 0] = at.x + s * at.u
            copies.places[slot, k, 1] = at.y + s * at.v
            copies.places[slot, k, 2] = at.z + s * at.w
        tally.account[ESCAPED] += (1.0 - p) * energy
        bound(copies, slot)
        before, alive = waiting, all_alive(problem.copies)
        ray, place = Ray(0.5, 0.5, 0.5, at.u, at.v, at.w), Place(PATIENT, 0, 0, 0)
        after, ray, here, made, waiting, stream = photon_interact(
            free, material, i, f, b * total, energy, 1.0, ray, place, room.stack, waiting, stream
        )
        tally.account[BINDING] += p * made
        if here > 0.0:
            deposit_at_copies(phantom, tally, copies, slot, alive, 0.0, 0.0, 0.0, here, ratio_here(phantom, material))
        waiting, stream = sorted_in(problem, tally, room, slot, alive, before, waiting, stream)
        goes_on = after > 0.0 and c < p
        tally.account[ROULETTE] += p * after - (after if goes_on else 0.0)
        chosen = min(np.int64(d * problem.copies), problem.copies - 1)
        x, y, z = copies.places[slot, chosen, 0], copies.places[slot, chosen, 1], copies.places[slot, chosen, 2]
        let_go(copies, slot)
        if not goes_on:
            return waiting
        at, energy = Ray(x, y, z, ray.u, ray.v, ray.w), after
    tally.account[CAPPED_HISTORIES] += 1.0
    tally.account[ESCAPED] += energy
    return waiting


@inlined
def ratio_here(phantom, material):
    """Return the ratio of stopping powers of water and the medium for what is absorbed at once."""
    i, f = electron_position(LOW_MEV)
    return np.float64(value(phantom.electrons, 2 * material, WATER_RATIO, i, f)) if phantom.scoring.to_water else 1.0


@kernel
def sorted_in(problem, tally, room, slot, alive, before, waiting, stream):
    """Give the new electrons on the stack their group; let new photons go on from one place, or not at all.

    Returns the stack count and the stream. A photon made at (x, y, z) of the free space is put into the phantom.
    """
    copies, stack = room.copies, room.stack
    share = copies.weight[slot] * living(alive)
    kept = before
    for row in range(before, waiting):
        energy = stack[row, 6]
        if stack[row, 7] == PHOTON:
            a, b, _, _, stream = draw_four(stream)
            goes_on = a < share
            tally.account[ROULETTE] += share * energy - (energy if goes_on else 0.0)
            if not goes_on:
                continue
            chosen = one_of(copies, slot, alive, b)
            for axis in range(3):
                stack[row, axis] = copies.places[slot, chosen, axis] + from_begin(problem.free, stack[row, axis])
        else:
            stack[row, _SLOT], stack[row, _ALIVE] = slot, alive
            copies.users[slot] += 1
        if kept != row:
            for entry in range(_COLUMNS):
                stack[kept, entry] = stack[row, entry]
        kept += 1
    return kept, stream


@inlined
def from_begin(free, fraction):
    """Return the distance (cm) along one axis from where a track began, of a fraction of the free space."""
    return (fraction - 0.5) * (free.geometry.edges[1] - free.geometry.edges[0])


@inlined
def score_step(problem, tally, room, i):
    """Score what a lane lost in its last step at all its places; copies that have left the phantom end."""
    f, slot = room.lanes.floats, room.slot[i]
    lost = np.float64(f[LOST + i])
    if lost > 0.0:
        x, y, z = np.float64(f[AT_X + i]), np.float64(f[AT_Y + i]), np.float64(f[AT_Z + i])
        deposit_at_copies(
            problem.phantom, tally, room.copies, slot, room.alive[i], x, y, z, lost, np.float64(f[RATIO + i])
        )
    x = from_begin(problem.free, np.float64(f[FX + i]))
    y = from_begin(problem.free, np.float64(f[FY + i]))
    z = from_begin(problem.free, np.float64(f[FZ + i]))
    before = room.alive[i]
    room.alive[i] = still_inside(problem.phantom, room.copies, slot, before, x, y, z)
    if room.alive[i] != before and room.lanes.integers[EVENT + i] != STOPS:
        gone = living(before) - living(room.alive[i])
        tally.account[ESCAPED] += gone * room.copies.weight[slot] * np.float64(f[ENERGY + i])


@inlined
def settled(problem, track, event, tally, room, i, waiting, stream):
    """Do what ended a step; returns the track (of no energy if it is over), the stack count, the stream.

    A track that leaves the free space has left the phantom with all its copies.
    """
    slot, alive, before = room.slot[i], room.alive[i], waiting
    share = room.copies.weight[slot] * living(alive)
    if alive == 0 or event in (CAPPED, LEAVES):
        tally.account[ESCAPED] += share * track.energy
        tally.account[CAPPED_HISTORIES] += 1.0 if alive != 0 else 0.0
        return ended(track), waiting, stream
    material = np.int64(medium_of(problem.phantom.geometry.voxels[0])[0])
    if event == STOPS:  # its energy is scored; a positron still annihilates
        here, made, waiting, stream = stopped(problem.free, material, track, room.stack, waiting, stream)
        name_children(room.stack, before, waiting, stream, 1.0)
        after = ended(track)
    else:
        after, here, made, waiting, stream = interact(problem.free, track, material, room.stack, waiting, stream)
    tally.account[BINDING] += share * made
    if here > 0.0:
        ray, ratio = track.ray, ratio_here(problem.phantom, material)
        x, y, z = from_begin(problem.free, ray.x), from_begin(problem.free, ray.y), from_begin(problem.free, ray.z)
        deposit_at_copies(problem.phantom, tally, room.copies, slot, alive, x, y, z, here, ratio)
    waiting, stream = sorted_in(problem, tally, room, slot, alive, before, waiting, stream)
    return after, waiting, stream
