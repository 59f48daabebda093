"""From the beamline to the patient through the medium between them."""

import numpy as np

from dosewright.core.jit import kernel
from dosewright.core.random import draw_four, eight_words
from dosewright.core.single import f32, i32
from dosewright.geometry.trace import FAR_CM, GAP, OUTSIDE, PATIENT, Place, Ray, advance, enter_box, packed_word, to_box
from dosewright.scoring.deposit import BEFORE_PATIENT, CAPPED_HISTORIES, ESCAPED
from dosewright.transport.interact import interact
from dosewright.transport.scattering import soft_angle, turned_by
from dosewright.transport.step import LONGEST_CM, THIN_DENSITY, Flight, step
from dosewright.transport.tracks import CHARGE_SQUARED, NUCLEONS, Track, rate_column

TOUCHES_CM = 1.0e-4  # well above what single precision resolves of a step
MOST_STEPS = 100_000
_VAST, _HALF, _NOWHERE = f32(4.0 * LONGEST_CM), f32(0.5), i32(0)  # a voxel whose faces are never reached


@kernel
def to_patient(problem, track, tally, stack, waiting, stream):
    """Bring a particle through the gap; returns it in the patient box, or with no energy if it ended on the way.

    Secondaries made in the gap are put on the stack where they are.
    """
    geometry = problem.geometry
    u1, u2, _, _, stream = draw_four(stream)
    ray = track.ray
    cosine, sine = soft_angle(
        f32(max(track.deflection_due, 0.0)), f32(u1)
    )  # what is due belongs to what is left behind
    u, v, w = turned_by(f32(ray.u), f32(ray.v), f32(ray.w), cosine, sine, f32(u2))
    turned = Ray(ray.x, ray.y, ray.z, np.float64(u), np.float64(v), np.float64(w))
    track = Track(turned, Place(GAP, 0, 0, 0), track.energy, track.species, 0.0, track.free_paths, 1.0)
    for _ in range(MOST_STEPS):
        if track.energy <= 0.0:
            return track, waiting, stream
        distance = to_box(geometry, track.ray)
        if distance >= FAR_CM:
            tally.account[ESCAPED] += track.energy
            return _ended(track), waiting, stream
        if distance <= TOUCHES_CM or geometry.gap_density == 0.0:
            ray, place = enter_box(geometry, advance(track.ray, distance), PATIENT)
            track = Track(ray, place, track.energy, track.species, track.deflection_due, track.free_paths, 1.0)
            return track, waiting, stream
        track, hit, stream = _through_gap(problem, track, distance, tally, stream)
        if hit:
            track, waiting, stream = interact(problem, track, geometry.gap_material, tally, stack, waiting, stream)
    tally.account[CAPPED_HISTORIES] += 1.0
    tally.account[ESCAPED] += track.energy
    return _ended(track), waiting, stream


@kernel
def _through_gap(problem, track, longest, tally, stream):
    """Take one step of at most `longest` cm; returns the track, whether it interacts, the stream."""
    geometry, controls, ray = problem.geometry, problem.controls, track.ray
    here = Flight(
        f32(track.energy), f32(ray.u), f32(ray.v), f32(ray.w), _HALF, _HALF, _HALF, f32(track.deflection_due),
        f32(track.free_paths), f32(CHARGE_SQUARED[track.species]), f32(1.0 / NUCLEONS[track.species]),
        _NOWHERE, _NOWHERE, _NOWHERE,
    )  # fmt: skip
    words, stream = eight_words(stream)
    word = packed_word(geometry.gap_material, geometry.gap_density)
    reach = f32(longest * min(geometry.gap_density, THIN_DENSITY))  # as the step allows more in thin media
    p, did = step(
        problem.tables, f32(controls.cut_MeV), reach, here, word, _VAST, _VAST, _VAST, rate_column(track.species), words
    )
    tally.account[BEFORE_PATIENT] += did.lost
    energy = 0.0 if did.stopped else np.float64(p.energy)
    x, y, z = (p.fx - _HALF) * _VAST, (p.fy - _HALF) * _VAST, (p.fz - _HALF) * _VAST
    there = Ray(ray.x + x, ray.y + y, ray.z + z, np.float64(p.u), np.float64(p.v), np.float64(p.w))
    moved = Track(there, track.place, energy, track.species, np.float64(p.due), np.float64(p.paths), 1.0)
    return moved, did.hit, stream


@kernel
def _ended(track):
    return Track(track.ray, Place(OUTSIDE, 0, 0, 0), 0.0, track.species, 0.0, 0.0, 1.0)
