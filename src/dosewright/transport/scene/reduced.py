"""What reduction of variance does to what events in a scene make, and to what goes on: see `transport.reduction`.

Every change of a weight is booked as energy taken away (`ROULETTE`), which is zero in the mean.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.single import f32, i32
from dosewright.geometry.scene.trace import medium_of_cell, nearest
from dosewright.geometry.trace import Ray
from dosewright.materials.photons.lookup import COMPTON, RAYLEIGH
from dosewright.scoring.deposit import ESCAPED, ROULETTE
from dosewright.transport.aim import aimed
from dosewright.transport.electrons.interact import BREMSSTRAHLUNG, OTHER
from dosewright.transport.electrons.step import range_there, seen_from
from dosewright.transport.photons.interact import partial
from dosewright.transport.reduction import (
    ROUNDED,
    beyond_plane,
    directs,
    fat,
    heavier,
    in_between,
    outside_limits,
)
from dosewright.transport.scene.owed import (
    NOT_COUNTED,
    OWED_ANNIHILATION,
    OWED_BREMSSTRAHLUNG,
    OWED_COMPTON,
    OWED_EVENLY,
    OWED_RAYLEIGH,
    OWED_SPLIT,
    owe,
)
from dosewright.transport.scene.places import over
from dosewright.transport.tracks import ENERGY, INTERACTING, PHOTON, SPECIES, STACK_COLUMNS, WEIGHT, Track, push_copies

GAS_G_CM3 = 0.05  # electrons go far in less before they meet a boundary
GONE = -1.0  # instead of a species
EVEN = 1.0 + 1.0e-6  # a weight of one, rounded


@inlined
def reduced_electron_event(problem, which, ray, place, energy, weight, first, stack, waiting, tally, stream):
    """Give what an electron's or positron's event made, rows of the stack from `first`, its weights.

    ``which`` is that of `happen`, ``ray`` and ``energy`` (MeV) those at the event. Returns the stack count and the
    stream.
    """
    reduction = problem.reduction
    if reduction.directional > 1.0:
        return _directed_children(problem, which, ray, place, energy, weight, first, stack, waiting, tally, stream)
    if which == BREMSSTRAHLUNG and reduction.splitting > 1.0 and weight * weight * reduction.splitting > 1.0:
        share = 1.0 / reduction.splitting
        stack[first, WEIGHT] = weight * share
        tally.account[ROULETTE] += (1.0 - share) * weight * stack[first, ENERGY]
        return owe(stack, waiting, OWED_SPLIT, ray, place, energy, reduction.splitting - 1.0, weight, stream)
    return waiting, stream


@inlined
def reduced_photon_event(
    problem, material, i, f, chosen, ray, energy, place, after, away, weight, first, stack, waiting, tally, stream
):
    """Give what a photon's event made, and the photon that goes on, their weights.

    ``ray`` and ``energy`` (MeV) are those before, ``away`` and ``after`` those that are left of it; `i`, `f` and
    ``chosen`` are those of `interact`. Returns the weight of what goes on (0: nothing does), the stack count and the
    stream.
    """
    reduction = problem.reduction
    if reduction.directional > 1.0:
        ahead, heavy = directs(reduction, ray.z), fat(reduction, weight)
        waiting, stream = _directed_children(
            problem, OTHER, ray, place, energy, weight, first, stack, waiting, tally, stream
        )
        if ahead and heavy and chosen < partial(problem.photons.attenuation, material, i, f, COMPTON):
            coherent = chosen < partial(problem.photons.attenuation, material, i, f, RAYLEIGH)
            what = OWED_RAYLEIGH if coherent else OWED_COMPTON
            waiting, stream = owe(stack, waiting, what, ray, place, energy, NOT_COUNTED, weight, stream)
        if ahead and after > 0.0:
            weight, stream = _kept_if_right(reduction, away, after, weight, heavy, tally, stream)
    elif reduction.roulette > 1.0 and weight <= EVEN:
        for row in range(first, waiting):
            if stack[row, SPECIES] != PHOTON:
                stream = _roulette_of_row(stack, row, reduction.roulette, tally, stream)
        waiting = _closed_up(stack, first, waiting)
    return weight, waiting, stream


@inlined
def reduced_electron(problem, behind, track, density, crossing, was_out, stack, waiting, tally, stream):
    """Play or split where an electron or positron has come to; returns its weight (0: it is over, or waits as copies).

    ``behind`` is its ray a step ago, ``crossing`` whether it has just come into another cell, `was_out` whether it
    was outside the limits of x and y. Also returns whether it is there now, the stack count and the stream.
    """
    reduction, ray = problem.reduction, track.ray
    weight, out, stream = reduced_place(problem, ray, track.energy, track.weight, was_out, tally, stream)
    if reduction.directional <= 1.0 or weight == 0.0:
        return weight, out, waiting, stream
    if not beyond_plane(reduction, ray.z):
        if not fat(reduction, weight):
            weight, stream = _roulette(1.0 / weight, track.energy, weight, tally, stream)
    elif heavier(reduction, weight) and (crossing or density < GAS_G_CM3 or not beyond_plane(reduction, behind.z)):
        many = np.ceil(min(weight, 1.0) * in_between(reduction) - ROUNDED)
        waiting, stream = _split(track, track.species, weight, many, stack, waiting, stream)
        weight = 0.0
    return weight, out, waiting, stream


@inlined
def split_into_voxels(problem, track, stack, waiting, stream):
    """Split what enters the voxels: thin particles in `voxels`, fat ones to the weight in between or, if all are to
    weigh the same, as far as thin ones.

    What has left them and comes again weighs too little to be split once more. Returns the track, of no energy where
    its copies wait, the stack count and the stream.
    """
    reduction = problem.reduction
    weight, finest = track.weight, max(reduction.directional, reduction.splitting) * reduction.voxels
    if reduction.directional > 1.0 and fat(reduction, weight) and not reduction.equal_weight:
        finest = in_between(reduction)
    many = np.ceil(min(weight, 1.0) * finest - ROUNDED)
    if reduction.directional <= 1.0:
        many = min(many, reduction.voxels)
    if many <= 1.0:
        return track, waiting, stream
    waiting, stream = _split(track, track.species, weight, many, stack, waiting, stream)
    return over(track), waiting, stream


@kernel
def splits_interaction(problem, material, density, track, phase):
    """Return whether a photon interacts as several: a fat one beyond the plane of electrons, which may get away.

    Where the nearest boundary is farther than an electron of its energy reaches, no electron gets away.
    """
    reduction = problem.reduction
    if not (reduction.directional > 1.0 and heavier(reduction, track.weight)):
        return False
    if not beyond_plane(reduction, track.ray.z):
        return False
    start = seen_from(problem.electrons.values, i32(2 * material), f32(density), f32(track.energy))
    reach = np.float64(range_there(problem.electrons.values, start)) / density
    return nearest(problem.scene, track.place.ix, track.ray, reach, phase) < reach


@inlined
def interacting_copies(problem, track, stack, waiting, stream):
    """Put a photon on the stack as several that interact where they are; returns the count and the stream."""
    many = np.ceil(min(track.weight, 1.0) * in_between(problem.reduction) - ROUNDED)
    return _split(track, INTERACTING, track.weight, many, stack, waiting, stream)


@inlined
def _split(track, species, weight, many, stack, waiting, stream):
    """Put a particle on the stack as so many copies; returns the stack count and the stream."""
    _, _, _, _, stream = draw_four(stream)
    each, due = weight / many, track.deflection_due
    waiting = push_copies(stack, waiting, track.ray, track.place, track.energy, species, many, each, due, stream)
    return waiting, stream


@inlined
def weighing(track, weight):
    """Return a track of another weight."""
    return Track(track.ray, track.place, track.energy, track.species, track.deflection_due, track.free_paths, weight)


@inlined
def reduced_place(problem, ray, energy, weight, was_out, tally, stream):
    """Play roulette, or end, where a particle comes outside the limits of x and y; returns weight, whether, stream.

    Who was outside before (``was_out``) plays no more, nor who weighs what survivors do.
    """
    reduction = problem.reduction
    if reduction.limits.shape[0] == 0:
        return weight, False, stream
    out = outside_limits(reduction, ray.x, ray.y, ray.z)
    if not out or was_out or (weight >= reduction.limit_roulette > 0.0):
        return weight, out, stream
    if reduction.limit_roulette == 0.0:
        tally.account[ESCAPED] += weight * energy
        return 0.0, out, stream
    weight, stream = _roulette(reduction.limit_roulette, energy, weight, tally, stream)
    return weight, out, stream


@kernel
def _directed_children(problem, which, ray, place, energy, weight, first, stack, waiting, tally, stream):
    """Give what an event made its weights under directional splitting; returns the stack count and the stream."""
    reduction = problem.reduction
    ahead, heavy = directs(reduction, ray.z), fat(reduction, weight)
    born, least = waiting, _least_of_electrons(problem, ray, place)
    if ahead and heavy and which != OTHER:
        what = OWED_BREMSSTRAHLUNG if which == BREMSSTRAHLUNG else OWED_ANNIHILATION
        waiting, stream = owe(stack, waiting, what, ray, place, energy, NOT_COUNTED, weight, stream)
    for row in range(first, born):
        if stack[row, SPECIES] == PHOTON:
            if not ahead:
                continue
            k = stack[row, ENERGY]
            evenly = which == OTHER or (which == BREMSSTRAHLUNG and row > first)  # of a positron that then stopped
            if heavy and evenly:
                waiting, stream = owe(stack, waiting, OWED_EVENLY, ray, place, k, NOT_COUNTED, weight, stream)
            away = Ray(ray.x, ray.y, ray.z, stack[row, 3], stack[row, 4], stack[row, 5])
            w, stream = _kept_if_right(reduction, away, k, weight, heavy, tally, stream)
            stack[row, WEIGHT] = w
            stack[row, SPECIES] = PHOTON if w > 0.0 else GONE
        elif not heavy and stack[row, WEIGHT] < least:
            stream = _roulette_of_row(stack, row, least / stack[row, WEIGHT], tally, stream)
    return _closed_up(stack, first, waiting), stream


@inlined
def _least_of_electrons(problem, ray, place):
    """Return the least weight of electrons and positrons set free at a place (0: any, for in a gas there are few)."""
    reduction = problem.reduction
    if not beyond_plane(reduction, ray.z):
        return 1.0
    return 0.0 if medium_of_cell(problem.scene, place.ix)[1] < GAS_G_CM3 else 1.0 / in_between(reduction)


@inlined
def _kept_if_right(reduction, away, energy, weight, heavy, tally, stream):
    """Return the weight of a photon ahead of the field (0: it is gone), and the stream.

    Of a fat event what is aimed goes, for others are sent there; a thin photon that is not aimed plays roulette.
    """
    if aimed(reduction.field, away) != heavy:
        return weight, stream
    if heavy:
        tally.account[ROULETTE] += weight * energy
        return 0.0, stream
    return _roulette(1.0 / weight, energy, weight, tally, stream)


@inlined
def _roulette(one_of, energy, weight, tally, stream):
    """Let one of so many go on, of so much more weight; returns the weight, 0 for none, and the stream."""
    a, _, _, _, stream = draw_four(stream)
    after = weight * one_of if a * one_of < 1.0 else 0.0
    tally.account[ROULETTE] += (weight - after) * energy
    return after, stream


@inlined
def _roulette_of_row(stack, row, one_of, tally, stream):
    """Play roulette with what waits on the stack; returns the stream."""
    w, stream = _roulette(one_of, stack[row, ENERGY], stack[row, WEIGHT], tally, stream)
    stack[row, WEIGHT] = w
    if w == 0.0:
        stack[row, SPECIES] = GONE
    return stream


@inlined
def _closed_up(stack, first, waiting):
    """Take what is gone off the stack; returns the count."""
    kept = first
    for row in range(first, waiting):
        if stack[row, SPECIES] != GONE:
            if row > kept:
                for column in range(STACK_COLUMNS):
                    stack[kept, column] = stack[row, column]
            kept += 1
    return kept
