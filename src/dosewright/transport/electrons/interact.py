"""One hard interaction of an electron or positron, chosen by the rates; large deflections are done in the step."""

import numpy as np

from dosewright.core.jit import inlined
from dosewright.core.random import draw_four
from dosewright.core.single import ZERO, f32
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.geometry.trace import Ray
from dosewright.materials.electrons.lookup import (
    HARD_COLLISION,
    HARD_ELASTIC,
    IMPACT,
    RADIATION,
    RATE,
    position,
    value,
)
from dosewright.transport.electrons.annihilation import at_rest, in_flight
from dosewright.transport.electrons.bremsstrahlung import radiate
from dosewright.transport.electrons.collisions import collide
from dosewright.transport.electrons.impact import ionise
from dosewright.transport.electrons.step import LARGEST_DUE, soft_angle
from dosewright.transport.scattering import turned_by
from dosewright.transport.tracks import ELECTRON, PHOTON, POSITRON, Track, name_children, push, turned

# What happened, where it matters for the directions of photons: all others are sent out evenly.
OTHER, BREMSSTRAHLUNG, ANNIHILATION = 0, 1, 2


@inlined
def interact(problem, track, material, stack, waiting, stream):
    """Let one hard interaction happen.

    Returns the track (of no energy if it ended), the energy that stays here, the rest energy of particles that were
    made (less that of those that vanished), the stack count and the stream.
    """
    after, here, made, _, waiting, stream = happen(problem, track, material, stack, waiting, stream)
    return after, here, made, waiting, stream


@inlined
def happen(problem, track, material, stack, waiting, stream):
    """Let one hard interaction happen; returns what `interact` does, with which it was before the stack count.

    What is due of condensed deflections comes first: what is sent out has the direction of the particle here.
    """
    track, stream = turned_by_due(track, stream)
    tables, first = problem.electrons, waiting
    photon_cut = np.float64(problem.cuts.photon[material])
    electron_cut = np.float64(problem.cuts.electron[material])
    kind = 2 * material + (1 if track.species == POSITRON else 0)
    a, b, c, _, stream = draw_four(stream)
    i, f = position(track.energy)
    every = value(tables, kind, RATE, i, f) - value(tables, kind, HARD_ELASTIC, i, f)
    chosen = a * np.float64(every)
    collision = np.float64(value(tables, kind, HARD_COLLISION, i, f))
    radiation = collision + np.float64(value(tables, kind, RADIATION, i, f))
    impact = radiation + np.float64(value(tables, kind, IMPACT, i, f))
    ray, place, energy, azimuth = track.ray, track.place, track.energy, 2.0 * np.pi * b
    here, made, which = 0.0, 0.0, OTHER
    if chosen < collision:
        lost, cos_on, cos_off, stream = collide(track.species, energy, electron_cut, stream)
        if lost > 0.0:
            waiting = push(stack, waiting, turned(ray, cos_off, azimuth + np.pi), place, lost, ELECTRON)
            ray = turned(ray, cos_on, azimuth)
            energy -= lost
    elif chosen < radiation:
        k, cosine, stream = radiate(tables, material, energy, photon_cut, stream)
        if k > 0.0:
            which = BREMSSTRAHLUNG
            waiting = push(stack, waiting, turned(ray, cosine, azimuth), place, k, PHOTON)
            energy -= k
    elif chosen < impact:
        lost, waiting, stream = ionise(
            problem.photons.atoms, material, energy, ray, place, photon_cut, stack, waiting, stream
        )
        energy -= lost
    elif track.species == POSITRON:
        here, waiting, stream = _annihilated(track, azimuth, photon_cut, stack, waiting, stream)
        made, which = -2.0 * ELECTRON_MASS_MEV, ANNIHILATION
        energy = 0.0
    if 0.0 < energy < electron_cut:
        track = Track(ray, place, energy, track.species, 0.0, 0.0, track.weight)
        here, made, waiting, stream = stopped(problem, material, track, stack, waiting, stream)
        here += energy
        energy = 0.0
    name_children(stack, first, waiting, stream, track.weight)
    after = Track(ray, place, energy, track.species, track.deflection_due, -np.log(c), track.weight)
    return after, here, made, which, waiting, stream


@inlined
def turned_by_due(track, stream):
    """Turn a particle by the deflection due since its stretch began; returns it and the stream."""
    a, b, _, _, stream = draw_four(stream)
    due, ray = f32(track.deflection_due), track.ray
    cosine, sine = soft_angle(min(max(due, ZERO), LARGEST_DUE), f32(a))
    u, v, w = turned_by(f32(ray.u), f32(ray.v), f32(ray.w), cosine, sine, f32(b))
    turned_ray = Ray(ray.x, ray.y, ray.z, np.float64(u), np.float64(v), np.float64(w))
    left = np.float64(min(due, ZERO))
    return Track(turned_ray, track.place, track.energy, track.species, left, track.free_paths, track.weight), stream


@inlined
def _annihilated(track, azimuth, photon_cut, stack, waiting, stream):
    """Annihilation in flight; returns the energy that stays here, the stack count and the stream."""
    k1, cos1, k2, cos2, stream = in_flight(track.energy, stream)
    here = 0.0
    if k1 >= photon_cut:
        waiting = push(stack, waiting, turned(track.ray, cos1, azimuth), track.place, k1, PHOTON)
    else:
        here += k1
    if k2 >= photon_cut:
        waiting = push(stack, waiting, turned(track.ray, cos2, azimuth + np.pi), track.place, k2, PHOTON)
    else:
        here += k2
    return here, waiting, stream


@inlined
def stopped(problem, material, track, stack, waiting, stream):
    """End an electron or positron; a positron annihilates, and its children are left unnamed.

    Returns what annihilation leaves here, the rest energy made (less what vanished), the stack count and the stream.
    """
    if track.species != POSITRON:
        return 0.0, 0.0, waiting, stream
    photon_cut = np.float64(problem.cuts.photon[material])
    here, waiting, stream = at_rest(track.ray, track.place, photon_cut, stack, waiting, stream)
    return here, -2.0 * ELECTRON_MASS_MEV, waiting, stream
