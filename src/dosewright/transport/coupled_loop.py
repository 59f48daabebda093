"""Histories of photons, electrons and positrons on a CPU thread.

Photons are followed one by one to their end, and so is everything in the solids of a scene; the electrons and positrons
in the box of voxels fly side by side in lanes. The caller owns the tally and decides which histories.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import HIGH_SHIFT, LOW, start_stream
from dosewright.core.shared import shared, whole
from dosewright.core.single import ZERO, f32
from dosewright.geometry.scene.trace import phase_of
from dosewright.geometry.trace import (
    OUTSIDE,
    PATIENT,
    SCENE,
    Place,
    Ray,
    advance,
    leave_box,
    to_patient_axes,
)
from dosewright.scoring.carried import NO_TAG
from dosewright.scoring.deposit import BINDING, CAPPED_HISTORIES, ESCAPED, STARTED, deposit
from dosewright.scoring.leaving import score_leaving
from dosewright.sources.emit import emit, species_and_weight
from dosewright.transport.carried import at_work, begin_work, inherit, score_carried, tag_lane
from dosewright.transport.electrons.absorb import absorb_here
from dosewright.transport.electrons.interact import interact, stopped
from dosewright.transport.electrons.lockstep import advance_electrons
from dosewright.transport.history import material_at
from dosewright.transport.lanes import (
    CAPPED,
    EVENT,
    GOES_ON,
    LANES,
    LEAVES,
    LOST,
    NOT_BEGUN,
    RATIO,
    STOPS,
    STRETCH,
    TAG,
    VOXEL,
    WEIGHT,
    clear,
    put,
    taken,
)
from dosewright.transport.lineage import note_interacted, note_primary, note_taken
from dosewright.transport.lockstep import locate_in_grid
from dosewright.transport.photons.flight import fly
from dosewright.transport.photons.track_length import fly_scoring
from dosewright.transport.planes import NO_PLANE, between, onwards, through
from dosewright.transport.scene.at_planes import ends_at
from dosewright.transport.scene.electrons import walk_in_scene, walk_out_of_voxels
from dosewright.transport.scene.owed import is_owed, pay
from dosewright.transport.scene.photons import fly_in_scene
from dosewright.transport.scene.places import has_scene, into_box, into_world
from dosewright.transport.tracks import INTERACTING, PHOTON, POSITRON, Track, name_children, push_copies, take
from dosewright.transport.tracks import TAG as STACK_TAG

EMPTY = -1  # the event of a lane that nobody has been in
BEGINS = f32(NOT_BEGUN)
NONE = np.int64(0)  # a literal nought would have a type of its own, and compile everything twice


@kernel
def run_coupled_histories(problem, first, pencils, seed, tally, room):
    """Run histories ``first``, ``first + 1``, ... with the pencil beam named for each, adding to `tally`.

    What becomes of a history does not depend on its neighbours; particles are added to the tally in a fixed order.
    """
    if pencils.size == 0:  # compiled with tables that hold nothing, which empty lanes would look into
        return
    problem, tally = shared(problem), shared(tally)
    lanes, stack = room
    seed_low, seed_high = np.uint32(seed & LOW), np.uint32(seed >> HIGH_SHIFT)
    begun, waiting, flying = NONE, NONE, np.int64(LANES)
    for i in range(LANES):
        lanes.integers[EVENT + i] = EMPTY
    while flying > 0:
        for i in range(LANES):
            event = lanes.integers[EVENT + i]
            if event == GOES_ON:
                continue
            if event != EMPTY:
                track, stream = taken(lanes, i, seed)
                stretch = lanes.floats[STRETCH + i]
                at_work(
                    tally, np.int32(0) if event == STOPS else lanes.integers[TAG + i]
                )  # a positron annihilates anyway
                if event == LEAVES and has_scene(problem):
                    track, stretch, waiting, stream = walk_out_of_voxels(
                        problem, track, stretch, tally, stack, waiting, stream
                    )
                else:
                    track, waiting, stream = settled(problem, track, event, tally, stack, waiting, stream)
                    stretch = ZERO
                inherit(tally, stack, waiting)
                if track.energy > 0.0:
                    put(lanes, i, track, stream)
                    lanes.floats[STRETCH + i] = stretch
                    tag_lane(lanes, i, tally)
                    continue
            begun, waiting, filled = refill(problem, first, pencils, seed, tally, room, i, begun, waiting)
            flying -= 0 if filled else 1
        advance_electrons(whole(problem), lanes, seed_low, seed_high)
        if not problem.scoring.same_voxels:
            locate_in_grid(whole(problem.scoring), lanes)
        score(problem.scoring, lanes, tally)
        if tally.carried.shape[0] > 0:
            score_carried(problem, lanes, tally)


@inlined
def refill(problem, first, pencils, seed, tally, room, i, begun, waiting):
    """Put the next electron or positron into a lane, following photons until one is there; else empty the lane.

    Returns the primaries begun, the stack count, and whether there was one.
    """
    lanes, stack = room
    while waiting > 0 or begun < pencils.size:
        if waiting == 0:
            at_work(tally, NO_TAG)
            waiting = born(problem, first + begun, pencils[begun], seed, tally, stack, waiting)
            inherit(tally, stack, waiting)
            begun += 1
            continue
        if is_owed(stack, waiting):
            at_work(tally, stack[waiting - 1, STACK_TAG])
            waiting = pay(problem, stack, waiting, seed, tally)
            inherit(tally, stack, waiting)
            continue
        row = waiting - 1
        track, stream, waiting = take(stack, waiting, seed)
        note_taken(problem, tally, stack, row, track, stream)
        begin_work(problem, tally, stack, row, track)
        if track.species in (PHOTON, INTERACTING):
            if problem.kerma.shape[0] > 0:
                ray, place, energy, weight = track.ray, track.place, track.energy, track.weight
                waiting = fly_scoring(problem, ray, place, energy, weight, tally, stack, waiting, stream)
            else:
                waiting = followed(problem, track, tally, stack, waiting, stream)
            inherit(tally, stack, waiting)
            if waiting >= stack.shape[0]:
                tally.account[CAPPED_HISTORIES] += 1.0  # secondaries may have found no room
            continue
        stretch = BEGINS
        if track.place.region == SCENE:
            track, stretch, waiting, stream = walk_in_scene(problem, track, stretch, tally, stack, waiting, stream)
            inherit(tally, stack, waiting)
            if track.energy <= 0.0:
                continue
        put(lanes, i, track, stream)
        lanes.floats[STRETCH + i] = stretch
        tag_lane(lanes, i, tally)
        return begun, waiting, True
    clear(lanes, i)
    return begun, waiting, False


@inlined
def followed(problem, track, tally, stack, waiting, stream):
    """Follow a photon through voxels and scene until nothing is left of it; returns the stack count."""
    while track.energy > 0.0:
        if track.place.region == SCENE:
            track, waiting, stream = fly_in_scene(problem, track, tally, stack, waiting, stream)
        else:
            track, waiting, stream = fly(problem, track, tally, stack, waiting, stream)
    return waiting


@inlined
def born(problem, number, pencil, seed, tally, stack, waiting):
    """Put the primary of a history on the stack where it enters the box or the scene; returns the stack count."""
    geometry = problem.geometry
    stream = start_stream(seed, number)
    species, weight = species_and_weight(problem.source, pencil, problem.species)
    x, y, z, u, v, w, energy, stream = emit(problem.source, pencil, stream)
    tally.account[STARTED] += weight * energy
    ray = to_patient_axes(geometry, Ray(x, y, z, u, v, w))
    note_primary(problem, tally, ray, species, energy, stream)
    if has_scene(problem):
        inside, place = into_world(problem, ray, phase_of(problem.scene, stream.seed, stream.history))
    else:
        inside, place = into_box(geometry, ray)
    if place.region == OUTSIDE:
        way, p = onwards(problem.planes, tally, ray, species, weight, energy, stream, True)
        if p == NO_PLANE:
            tally.account[ESCAPED] += weight * energy
            return waiting
        at = advance(ray, way)
        waiting, _ = ends_at(problem, p, at, species, weight, energy, 0.0, tally, stack, waiting, stream)
        return waiting
    entry = leave_box(geometry, inside, place) if place.region == PATIENT else inside
    share, p = through(problem.planes, tally, ray, entry, species, weight, energy, energy, stream)
    if share <= 1.0:
        at = between(ray, entry, share)
        waiting, _ = ends_at(problem, p, at, species, weight, energy, 0.0, tally, stack, waiting, stream)
        return waiting
    return push_copies(stack, waiting, inside, place, energy, species, 1.0, weight, 0.0, stream)


@inlined
def settled(problem, track, event, tally, stack, waiting, stream):
    """Do what ended a step; returns the track (of no energy if it is over), the stack count, the stream."""
    if event in (LEAVES, CAPPED):
        tally.account[ESCAPED] += track.weight * track.energy
        if event == LEAVES:
            score_leaving(problem.leaving, tally, track.species, track.energy, track.ray.w, track.weight)
            ray = leave_box(problem.geometry, track.ray, track.place)
            onwards(problem.planes, tally, ray, track.species, track.weight, track.energy, stream, False)
        else:
            tally.account[CAPPED_HISTORIES] += 1.0
        return ended(track), waiting, stream
    if event == STOPS:  # its energy is scored; a positron still annihilates
        before, track = waiting, held_inside(problem.geometry, track)
        material = material_at(problem.geometry, track.place)
        here, made, waiting, stream = stopped(problem, material, track, stack, waiting, stream)
        name_children(stack, before, waiting, stream, track.weight)
        after, happened = ended(track), track.species == POSITRON
    else:
        material = material_at(problem.geometry, track.place)
        after, here, made, waiting, stream = interact(problem, track, material, stack, waiting, stream)
        happened = after.energy < track.energy
    if happened:
        note_interacted(problem, tally, track, stream)
    tally.account[BINDING] += track.weight * made
    absorb_here(problem, tally, material, track.ray, track.place, track.weight * here)
    return after, waiting, stream


@inlined
def ended(track):
    """Return a track of no energy."""
    return Track(track.ray, Place(OUTSIDE, 0, 0, 0), 0.0, track.species, 0.0, 0.0, track.weight)


@inlined
def held_inside(geometry, track):
    """Return a track that stopped on a face of the box, and may be counted one voxel outside, inside it."""
    place, cells = track.place, geometry.cells
    ix = min(max(place.ix, 0), np.int64(cells[PATIENT, 0] - 1))
    iy = min(max(place.iy, 0), np.int64(cells[PATIENT, 1] - 1))
    iz = min(max(place.iz, 0), np.int64(cells[PATIENT, 2] - 1))
    ray = track.ray
    fx = ray.x if ix == place.ix else 1.0 - ray.x  # beyond a face its other side is 0 or 1
    fy = ray.y if iy == place.iy else 1.0 - ray.y
    fz = ray.z if iz == place.iz else 1.0 - ray.z
    back = Ray(fx, fy, fz, ray.u, ray.v, ray.w)
    return Track(back, Place(PATIENT, ix, iy, iz), track.energy, track.species, 0.0, 0.0, track.weight)


@inlined
def score(scoring, lanes, tally):
    """Add what every lane has lost in its last step."""
    f, n = lanes.floats, lanes.integers
    for i in range(LANES):
        lost = np.float64(f[LOST + i])
        if lost > 0.0:
            deposit(scoring, tally, n[VOXEL + i], np.float64(f[WEIGHT + i]) * lost, np.float64(f[RATIO + i]))
