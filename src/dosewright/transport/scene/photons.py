"""A photon in a scene: from boundary to boundary, until its mean free paths are used up."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.geometry.scene.trace import ahead, medium_of_cell, phase_of
from dosewright.geometry.trace import FAR_CM, OUTSIDE, SCENE, advance
from dosewright.materials.photons.lookup import position
from dosewright.scoring.deposit import BINDING, CAPPED_HISTORIES, ESCAPED
from dosewright.transport.photons.interact import interact
from dosewright.transport.scene.absorb import absorb_at_once
from dosewright.transport.scene.places import at_place, escaped, over, over_boundary
from dosewright.transport.tracks import Track

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
    paths = -np.log(a)
    for _ in range(MOST_BOUNDARIES):
        cell = track.place.ix
        material, density = medium_of_cell(scene, cell)
        total = attenuation.total[material, i]
        total += f * (attenuation.total[material, i + 1] - total)
        mu = total * density
        reach = paths / mu if mu * FAR_CM > paths else FAR_CM
        distance = ahead(scene, cell, track.ray, reach, phase)
        if distance < reach:
            paths -= mu * distance
            ray, place = over_boundary(problem, advance(track.ray, distance), phase)
            track = at_place(track, ray, place)
            if place.region == OUTSIDE:
                return escaped(problem, tally, track), waiting, stream
            if place.region != SCENE:
                return track, waiting, stream
            continue
        track = at_place(track, advance(track.ray, reach), track.place)
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
    energy, ray, here, made, waiting, stream = interact(
        problem, material, i, f, chosen, track.energy, track.weight, track.ray, track.place, stack, waiting, stream
    )
    tally.account[BINDING] += track.weight * made
    absorb_at_once(problem, tally, material, track.place.ix, track.ray, track.weight * here)
    return Track(ray, track.place, energy, track.species, 0.0, 0.0, track.weight), waiting, stream
