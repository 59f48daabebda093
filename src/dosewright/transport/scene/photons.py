"""A photon in a scene: from boundary to boundary, until its mean free paths are used up."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.geometry.scene.trace import ahead, medium_of_cell, phase_of
from dosewright.geometry.trace import FAR_CM, OUTSIDE, PATIENT, SCENE, advance
from dosewright.materials.photons.lookup import position
from dosewright.scoring.deposit import BINDING, CAPPED_HISTORIES, ESCAPED
from dosewright.transport.lineage import note_entered, note_interacted
from dosewright.transport.photons.interact import interact
from dosewright.transport.scene.absorb import absorb_at_once
from dosewright.transport.scene.at_planes import ends_on_way
from dosewright.transport.scene.places import at_place, escaped, over, over_boundary
from dosewright.transport.scene.reduced import (
    interacting_copies,
    reduced_photon_event,
    reduced_place,
    split_into_voxels,
    splits_interaction,
    weighing,
)
from dosewright.transport.tracks import INTERACTING, PHOTON, Track

MOST_BOUNDARIES = 1_000_000


@kernel
def fly_in_scene(problem, track, tally, stack, waiting, stream):
    """Follow a photon through the parts of a scene until nothing is left of it or it comes to the box of voxels.

    Returns the track, of no energy if it is over, the stack count and the stream.
    """
    scene, attenuation = problem.scene, problem.photons.attenuation
    phase = phase_of(scene, stream.seed, stream.history)
    i, f = position(attenuation, track.energy)
    a, chosen, _, _, stream = draw_four(stream)
    paths, out = (0.0 if track.species == INTERACTING else -np.log(a)), False
    track = Track(track.ray, track.place, track.energy, np.int64(PHOTON), 0.0, 0.0, track.weight)
    for _ in range(MOST_BOUNDARIES):
        weight, out, stream = reduced_place(problem, track.ray, track.energy, track.weight, out, tally, stream)
        if weight <= 0.0:
            return over(track), waiting, stream
        track, cell = weighing(track, weight), track.place.ix
        material, density = medium_of_cell(scene, cell)
        total = attenuation.total[material, i]
        total += f * (attenuation.total[material, i + 1] - total)
        mu = total * density
        reach = paths / mu if mu * FAR_CM > paths else FAR_CM
        distance = ahead(scene, cell, track.ray, reach, phase)
        if distance < reach:
            paths -= mu * distance
            there = advance(track.ray, distance)
            ray, place = over_boundary(problem, there, phase)
            beyond = there if place.region == PATIENT else ray
            ends, waiting, stream = ends_on_way(problem, tally, track, beyond, stack, waiting, stream)
            if ends:
                return over(track), waiting, stream
            track = at_place(track, ray, place)
            if place.region == OUTSIDE:
                return escaped(problem, tally, track, stream), waiting, stream
            note_entered(problem, tally, cell, track, stream)
            if place.region != SCENE:
                return split_into_voxels(problem, track, stack, waiting, stream)
            continue
        there = advance(track.ray, reach)
        ends, waiting, stream = ends_on_way(problem, tally, track, there, stack, waiting, stream)
        if ends:
            return over(track), waiting, stream
        track = at_place(track, there, track.place)
        if splits_interaction(problem, material, density, track, phase):
            waiting, stream = interacting_copies(problem, track, stack, waiting, stream)
            return over(track), waiting, stream
        track, waiting, stream = interacted(
            problem, np.int64(material), i, f, chosen * total, track, tally, stack, waiting, stream
        )
        if track.energy <= 0.0:
            return track, waiting, stream
        i, f = position(attenuation, track.energy)
        a, chosen, _, _, stream = draw_four(stream)
        paths = -np.log(a)
    tally.account[CAPPED_HISTORIES] += 1.0
    tally.account[ESCAPED] += track.weight * track.energy
    return over(track), waiting, stream


@inlined
def interacted(problem, material, i, f, chosen, track, tally, stack, waiting, stream):
    """Let a photon interact in its cell; returns the track (of no energy if it ended), the stack count, the stream."""
    before, first, place, weight = track, waiting, track.place, track.weight
    energy, ray, here, made, waiting, stream = interact(
        problem, material, i, f, chosen, before.energy, weight, before.ray, place, stack, waiting, stream
    )
    note_interacted(problem, tally, before, stream)
    tally.account[BINDING] += track.weight * made
    absorb_at_once(problem, tally, material, track.place.ix, track.ray, track.weight * here)
    weight, waiting, stream = reduced_photon_event(
        problem, material, i, f, chosen, before.ray, before.energy, place, energy, ray, weight, first, stack, waiting,
        tally, stream,
    )  # fmt: skip
    energy = energy if weight > 0.0 else 0.0
    return Track(ray, place, energy, track.species, 0.0, 0.0, weight), waiting, stream
