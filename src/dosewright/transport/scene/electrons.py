"""An electron or positron in a scene: the physics of `transport.electrons.step`, from boundary to boundary.

The position is in double precision. A lower bound of the distance to the nearest boundary in any direction is kept from
step to step; only where a step might be longer is the next boundary along the ray looked for.

Near a boundary stretches without deflection are shorter, down to the first one of a particle: they reach no farther
than the nearest boundary does. How far that is does not depend on the direction, so nothing isotropic is disturbed.
Where even the shortest may cross a boundary, nothing is turned ahead for what it will bring: only what is past is due.
It is made up for where a vacuum or a gas begins. So what leaves a thin foil has turned as much as the foil makes it
turn, however thin it is.
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import LOW, eight_words
from dosewright.core.single import HALF, ZERO, f32, i32
from dosewright.geometry.scene.trace import ahead, medium_of_cell, nearest, phase_of
from dosewright.geometry.trace import FAR_CM, OUTSIDE, PATIENT, SCENE, Ray, advance
from dosewright.materials.electrons.lookup import WATER_RATIO, column
from dosewright.scoring.deposit import BINDING, CAPPED_HISTORIES, ESCAPED
from dosewright.transport.electrons.interact import OTHER, happen, stopped, turned_by_due
from dosewright.transport.electrons.step import (
    BYTE,
    TO_SHARE,
    end_of_step,
    half_way,
    longest_stretch,
    range_there,
    seen_from,
    slowed,
    turn_due,
    turned_hard,
    turned_softly,
    up_to_interaction,
    what_is_left,
)
from dosewright.transport.lineage import note_entered, note_interacted, note_out_of_voxels
from dosewright.transport.lockstep import MOST_DRAWS
from dosewright.transport.planes import between, nearest_plane, through
from dosewright.transport.scene.absorb import absorb_at_once, absorb_in_part
from dosewright.transport.scene.at_planes import ends_at, ends_on_way
from dosewright.transport.scene.places import (
    at_place,
    escaped,
    from_lane,
    over,
    over_boundary,
)
from dosewright.transport.scene.reduced import reduced_electron, reduced_electron_event, split_into_voxels, weighing
from dosewright.transport.step import SMALLEST
from dosewright.transport.tracks import POSITRON, Track, name_children

THINNER = 0.05  # of the density before; behind it, what is due would be felt too late
SHORT_OF = 1.0 - 1.0e-6  # a stretch up to the nearest boundary ends just before it, in single precision too


class Walk(NamedTuple):
    """A track in a scene, what is left of its stretch (g/cm2), and a lower bound of the way to any boundary (cm)."""

    track: Track
    stretch: float
    safety: float


class Stepped(NamedTuple):
    """What a step did: energy lost, where (share of it), ratio of stopping powers, how it ended; the ray it took, and
    the mean square angle (rad2) due where it began.
    """

    lost: float
    at: float
    ratio: float
    crossing: bool
    hit: bool
    stops: bool
    begin: Ray
    due: float


@kernel
def walk_in_scene(problem, track, stretch, tally, stack, waiting, stream):
    """Follow an electron or positron through the parts until nothing is left of it or it comes to the box of voxels.

    Returns the track, of no energy if it is over, what is left of its stretch, the stack count and the stream.
    """
    scene = problem.scene
    phase = phase_of(scene, stream.seed, stream.history)
    walk, behind, crossing, out = Walk(track, f32(stretch), 0.0), track.ray, False, False
    while np.uint32(stream.draw & LOW) < MOST_DRAWS:
        track = walk.track
        material, density = medium_of_cell(scene, track.place.ix)
        weight, out, waiting, stream = reduced_electron(
            problem, behind, track, density, crossing, out, stack, waiting, tally, stream
        )
        if weight <= 0.0:
            return over(track), walk.stretch, waiting, stream
        track, behind, crossing = weighing(track, weight), track.ray, False
        walk = Walk(track, walk.stretch, walk.safety)
        if density > 0.0:
            walk, did, stream = one_step(problem, walk, i32(material), density, phase, stream)
            moved, cell, before = walk.track, track.place.ix, track.ray
            share, p = through(
                problem.planes, tally, did.begin, moved.ray, track.species, track.weight, track.energy, moved.energy,
                stream,
            )  # fmt: skip
            if share <= 1.0:
                waiting, stream = up_to_plane(problem, p, share, tally, track, moved, did, stack, waiting, stream)
                return over(track), walk.stretch, waiting, stream
            if did.lost > 0.0:
                x = before.x + did.at * (moved.ray.x - before.x)
                y = before.y + did.at * (moved.ray.y - before.y)
                z = before.z + did.at * (moved.ray.z - before.z)
                absorb_in_part(problem, tally, cell, x, y, z, track.weight * did.lost, did.ratio)
            if did.hit or did.stops:
                track, waiting, stream = settled(
                    problem, np.int64(material), moved, did.stops, tally, stack, waiting, stream
                )
                if track.energy <= 0.0:
                    return track, walk.stretch, waiting, stream
                walk = Walk(track, walk.stretch, walk.safety)
                continue
            if not did.crossing:
                continue
        else:
            distance = ahead(scene, track.place.ix, track.ray, FAR_CM, phase)
            there = advance(track.ray, distance)
            ends, waiting, stream = ends_on_way(problem, tally, track, there, stack, waiting, stream)
            if ends:
                return over(track), walk.stretch, waiting, stream
            walk = Walk(at_place(track, there, track.place), walk.stretch, 0.0)
            _, stream = eight_words(stream)  # counts as a step
        track = walk.track
        ray, place = over_boundary(problem, track.ray, phase)
        if track.deflection_due > 0.0 and place.region == SCENE:
            _, beyond = medium_of_cell(scene, place.ix)
            if beyond < THINNER * density:
                track, stream = turned_by_due(track, stream)
                track = at_place(track, along(track.ray, track.ray.u, track.ray.v, track.ray.w), track.place)
                walk = Walk(track, ZERO, 0.0)
                ray, place = over_boundary(problem, track.ray, phase)  # it may have turned back
        crossing = True
        if place.region != PATIENT:
            ends, waiting, stream = ends_on_way(problem, tally, track, ray, stack, waiting, stream)
            if ends:
                return over(track), walk.stretch, waiting, stream
        cell, track = track.place.ix, at_place(track, ray, place)
        if place.region == OUTSIDE:
            return escaped(problem, tally, track, stream), walk.stretch, waiting, stream
        note_entered(problem, tally, cell, track, stream)
        if place.region != SCENE:
            track, waiting, stream = split_into_voxels(problem, track, stack, waiting, stream)
            return track, walk.stretch, waiting, stream
        walk = Walk(track, walk.stretch, 0.0)
    track = walk.track
    tally.account[CAPPED_HISTORIES] += 1.0
    tally.account[ESCAPED] += track.weight * track.energy
    return over(track), walk.stretch, waiting, stream


@kernel
def walk_out_of_voxels(problem, track, stretch, tally, stack, waiting, stream):
    """Do the same with what a step in a lane has brought out of the box of voxels."""
    track = from_lane(problem, track, phase_of(problem.scene, stream.seed, stream.history))
    if track.place.region == OUTSIDE:
        return escaped(problem, tally, track, stream), f32(stretch), waiting, stream
    if track.place.region != SCENE:
        return track, f32(stretch), waiting, stream
    note_out_of_voxels(problem, tally, track, stream)
    return walk_in_scene(problem, track, f32(stretch), tally, stack, waiting, stream)


@inlined
def up_to_plane(problem, p, share, tally, track, moved, did, stack, waiting, stream):
    """Score a step up to a plane at which the particle ends; returns the stack count and the stream."""
    begin, at = did.begin, between(did.begin, moved.ray, share * did.at)
    lost = share * (track.energy - moved.energy)
    if lost > 0.0:
        absorb_in_part(problem, tally, track.place.ix, at.x, at.y, at.z, track.weight * lost, did.ratio)
    there, due = between(begin, moved.ray, share), did.due + share * (moved.deflection_due - did.due)
    energy = track.energy - lost
    return ends_at(problem, p, there, track.species, track.weight, energy, due, tally, stack, waiting, stream)


@inlined
def settled(problem, material, track, stops, tally, stack, waiting, stream):
    """Let a hard interaction happen, or end a track whose energy is scored; a positron still annihilates.

    Returns the track, of no energy if it is over, the stack count and the stream.
    """
    before, which = waiting, OTHER
    if stops:
        here, made, waiting, stream = stopped(problem, material, track, stack, waiting, stream)
        name_children(stack, before, waiting, stream, track.weight)
        after, happened = over(track), track.species == POSITRON
    else:
        after, here, made, which, waiting, stream = happen(problem, track, material, stack, waiting, stream)
        happened = after.energy < track.energy
    if happened:
        note_interacted(problem, tally, track, stream)
    waiting, stream = reduced_electron_event(
        problem, which, after.ray, track.place, track.energy, track.weight, before, stack, waiting, tally, stream
    )
    tally.account[BINDING] += track.weight * made
    absorb_at_once(problem, tally, material, track.place.ix, track.ray, track.weight * here)
    return after, waiting, stream


@inlined
def one_step(problem, walk, material, density, phase, stream):
    """Advance a particle by one step in its cell; returns it, what was done and the stream.

    A particle that crosses stands on the boundary, still in its old cell.
    """
    scene, values, track = problem.scene, problem.electrons.values, walk.track
    cell, ray, rho = track.place.ix, track.ray, f32(density)
    energy, due, paths = f32(track.energy), f32(track.deflection_due), f32(track.free_paths)
    kind = i32(i32(material + material) + (i32(1) if track.species == POSITRON else i32(0)))
    cut, rejection = problem.cuts.electron[material], problem.cuts.rejection[material]
    words, stream = eight_words(stream)

    # Plan: how far without deflection, how far to any boundary, and the energy half way.
    start = seen_from(values, kind, rho, energy)
    begins = walk.stretch <= ZERO
    stretch, max_step, safety, blind = walk.stretch, f32(problem.max_step_cm), walk.safety, False
    if begins:
        stretch = longest_stretch(values, start, max_step, walk.stretch < ZERO)
    coming = up_to_interaction(values, start, stretch, paths)
    range_cm = np.float64(range_there(values, start)) / density
    wanted = np.float64(coming / (rho + SMALLEST))
    enough = max(wanted, range_cm) if energy < rejection else wanted
    if safety < enough:
        safety = nearest(scene, cell, ray, enough, phase)
    if begins and safety < wanted:
        shortest = longest_stretch(values, start, max_step, True)
        reach = f32(SHORT_OF * safety) * rho
        blind = reach < min(stretch, shortest)
        stretch = min(stretch, max(shortest, reach))
        coming = up_to_interaction(values, start, stretch, paths)
        wanted = np.float64(coming / (rho + SMALLEST))
    rejected = energy < rejection and range_cm < safety and range_cm < nearest_plane(problem.planes, ray)
    boundary = ahead(scene, cell, ray, wanted, phase) if safety < wanted else FAR_CM
    planned = f32(min(wanted, boundary))
    middle = half_way(values, kind, start, energy, paths, planned)

    # Where a stretch begins, turn by what is due and half of what it will bring.
    turn = turn_due(middle, due, ZERO if blind else coming) if begins else ZERO
    u, v, w = turned_softly(f32(ray.u), f32(ray.v), f32(ray.w), turn, words)
    ray = along(ray, u, v, w)

    # Distance to the boundary, distance to the interaction.
    to_end = stretch / (rho + SMALLEST)
    longest = np.float64(min(to_end, middle.to_interaction))
    boundary = ahead(scene, cell, ray, longest, phase) if safety < longest else FAR_CM
    boundary = boundary if boundary < longest else FAR_CM
    end = end_of_step(to_end, f32(boundary), middle, rejected)
    way = boundary if end.crossing else np.float64(end.length)

    # Lose energy, somewhere on the way.
    after, lost, stops = slowed(values, start, middle, end, energy, cut, planned, words)
    at = np.float64((f32(np.int32(words[0] & BYTE)) + HALF) * TO_SHARE)
    left = np.float64(due - turn)
    due, paths, stretch = what_is_left(start, middle, end, due, turn, paths, stretch)

    # Large deflections happen here; other hard interactions are the caller's.
    there = advance(ray, way)
    u, v, w, paths, deflected = turned_hard(problem.electrons, kind, start, middle, end, u, v, w, paths, words)
    if deflected:
        there = along(there, u, v, w)
    moved = Track(
        there, track.place, np.float64(after), track.species, np.float64(due), np.float64(paths), track.weight
    )
    ratio = np.float64(column(values, middle.row, WATER_RATIO, middle.f))
    did = Stepped(
        np.float64(lost), at, ratio, end.crossing and not stops, end.hit and not deflected and not stops, stops, ray,
        left,
    )  # fmt: skip
    return Walk(moved, stretch, max(safety - way, 0.0)), did, stream


@inlined
def along(ray, u, v, w):
    """Return a ray from the same point in a direction of single precision, made a unit vector in double."""
    a, b, c = np.float64(u), np.float64(v), np.float64(w)
    norm = 1.0 / np.sqrt(a * a + b * b + c * c)
    return Ray(ray.x, ray.y, ray.z, a * norm, b * norm, c * norm)
