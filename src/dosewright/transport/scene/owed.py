"""Photons that an event still owes: a row of the stack stands for the event, and is paid in portions.

So an event that sends out a thousand photons takes one row, and they are followed before anything that waited.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.geometry.scene.trace import medium_of_cell
from dosewright.scoring.deposit import CAPPED_HISTORIES, ROULETTE
from dosewright.transport.electrons.bremsstrahlung import radiate
from dosewright.transport.electrons.directed import (
    aim_annihilation,
    aim_bremsstrahlung,
    try_annihilation,
    try_bremsstrahlung,
)
from dosewright.transport.photons.directed import (
    aim_compton,
    aim_isotropic,
    aim_rayleigh,
    try_compton,
    try_isotropic,
    try_rayleigh,
)
from dosewright.transport.reduction import thin_ones
from dosewright.transport.tracks import (
    COPIES,
    PARENT,
    PARENT_AT,
    PHOTON,
    SAME,
    SPECIES,
    name_children,
    pop,
    push,
    turned,
)

# Instead of a species: what happened. The energy is that of the particle before, or of the photon sent out evenly.
OWED_SPLIT, OWED_BREMSSTRAHLUNG, OWED_ANNIHILATION, OWED_EVENLY, OWED_RAYLEIGH, OWED_COMPTON = range(9, 15)
FIRST_OWED = OWED_SPLIT
NOT_COUNTED = -1.0  # trials; the window of the field is not known yet
PORTION = 64  # trials at once


@kernel
def owe(stack, waiting, what, ray, place, energy, trials, weight, stream):
    """Put what an event owes on the stack; returns the new count and the stream."""
    _, _, _, _, stream = draw_four(stream)  # the names of what it sent out already are made of this draw
    after = push(stack, waiting, ray, place, energy, what)
    name_children(stack, waiting, after, stream, weight)
    if after > waiting:
        stack[waiting, COPIES] = trials
    return after, stream


@inlined
def is_owed(stack, waiting):
    """Return whether what was last put on the stack is no particle, but photons that are owed."""
    return stack[waiting - 1, SPECIES] >= FIRST_OWED


@kernel
def pay(problem, stack, waiting, seed, tally):
    """Pay a portion of what the last row of the stack owes, as photons above it; returns the stack count."""
    reduction, top = problem.reduction, waiting - 1
    trials, parent, parent_at = stack[top, COPIES], stack[top, PARENT], stack[top, PARENT_AT]
    track, stream = pop(stack, waiting, seed)
    material = np.int64(medium_of_cell(problem.scene, track.place.ix)[0])
    photon_cut = np.float64(problem.cuts.photon[material])
    many = reduction.splitting if track.species == OWED_SPLIT else thin_ones(reduction, track.weight)
    aim, stream = _aim(problem, track, material, stream)
    if trials < 0.0:
        a, _, _, _, stream = draw_four(stream)
        trials = np.floor(many * aim[3] + a)
    portion = min(np.int64(trials), PORTION)
    trials -= portion
    first = waiting if trials > 0.0 else top
    sent = first
    for _ in range(portion):
        count, k, away, stream = _try(problem, track, material, photon_cut, aim, stream)
        if k < photon_cut:
            continue
        for _ in range(count):
            tally.account[ROULETTE] -= track.weight / many * k
            sent = push(stack, sent, away, track.place, k, PHOTON)
    name_children(stack, first, sent, stream, track.weight / many)
    if trials > 0.0:
        _, _, _, _, stream = draw_four(stream)
        name_children(stack, top, waiting, stream, track.weight)
        stack[top, COPIES] = trials
    scattered = track.species == OWED_COMPTON or track.species == OWED_RAYLEIGH
    for row in range(top, sent):  # of the particle that had the event; one that is scattered goes on
        stack[row, PARENT], stack[row, PARENT_AT], stack[row, SAME] = parent, parent_at, (1.0 if scattered else 0.0)
    if sent >= stack.shape[0]:
        tally.account[CAPPED_HISTORIES] += 1.0
    return sent


@inlined
def _aim(problem, track, material, stream):
    """Return how an event is aimed at the field, and the stream."""
    field, ray, energy, what = problem.reduction.field, track.ray, track.energy, track.species
    if what == OWED_BREMSSTRAHLUNG:
        return aim_bremsstrahlung(field, ray, energy), stream
    if what == OWED_COMPTON:
        return aim_compton(problem.photons.compton, material, field, ray, energy), stream
    if what == OWED_RAYLEIGH:
        return aim_rayleigh(problem.photons.rayleigh, material, field, ray, energy, stream)
    if what == OWED_ANNIHILATION:
        return aim_annihilation(field, ray, energy), stream
    return aim_isotropic(field, ray), stream


@inlined
def _try(problem, track, material, photon_cut, aim, stream):
    """Make one trial; return how many photons it sends out, their energy (MeV), their ray and the stream."""
    field, ray, energy, what = problem.reduction.field, track.ray, track.energy, track.species
    if what == OWED_BREMSSTRAHLUNG:
        return try_bremsstrahlung(problem.electrons, material, energy, photon_cut, field, aim, ray, stream)
    if what == OWED_COMPTON:
        return try_compton(problem.photons.compton, material, energy, field, aim, ray, stream)
    if what == OWED_RAYLEIGH:
        return try_rayleigh(problem.photons.rayleigh, material, energy, field, aim, ray, stream)
    if what == OWED_ANNIHILATION:
        return try_annihilation(energy, field, aim, ray, stream)
    if what == OWED_EVENLY:
        return try_isotropic(energy, field, aim, ray, stream)
    a, _, _, _, stream = draw_four(stream)
    k, cosine, stream = radiate(problem.electrons, material, energy, photon_cut, stream)
    return np.int64(1), k, turned(ray, cosine, 2.0 * np.pi * a), stream
