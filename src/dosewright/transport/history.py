"""A history as far as it is not a step: how particles begin, and what happens when a step has ended."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four, start_stream
from dosewright.geometry.scene.flat import has_scene
from dosewright.geometry.trace import (
    BEAMLINE,
    GAP,
    OUTSIDE,
    PATIENT,
    SCENE,
    Place,
    Ray,
    enter_box,
    leave_box,
    medium_of,
    to_patient_axes,
    voxel_index,
)
from dosewright.materials.lookup import WATER_RATIO, position, value
from dosewright.scoring.deposit import CAPPED_HISTORIES, ESCAPED, STARTED
from dosewright.sources.emit import emit
from dosewright.transport.absorb import absorb, end_of_range
from dosewright.transport.gap import to_patient
from dosewright.transport.interact import interact
from dosewright.transport.lanes import CAPPED, INTERACTS, LEAVES, STOPS
from dosewright.transport.protons_in_scene import back_to_scene, into_scene, through_scene
from dosewright.transport.tracks import NUCLEONS, PROTON, Track, pop


@kernel
def born(problem, number, pencil, seed, tally, stack, waiting):
    """Return the primary of a history in the first box it meets, or with no energy; the stack count, its stream."""
    geometry = problem.geometry
    stream = start_stream(seed, number)
    x, y, z, u, v, w, energy, stream = emit(problem.source, pencil, stream)
    a, _, _, _, stream = draw_four(stream)
    tally.account[STARTED] += energy
    ray, paths = Ray(x, y, z, u, v, w), -np.log(a)
    if geometry.cells[BEAMLINE, 0] > 0:
        ray, place = enter_box(geometry, ray, BEAMLINE)
        return Track(ray, place, energy, PROTON, 0.0, paths, 1.0), waiting, stream
    track = Track(to_patient_axes(geometry, ray), Place(GAP, 0, 0, 0), energy, PROTON, 0.0, paths, 1.0)
    if has_scene(problem.scene):
        return into_scene(problem, track, tally, stack, waiting, stream)
    return to_patient(problem, track, tally, stack, waiting, stream)


@kernel
def taken_up(problem, tally, stack, waiting, seed):
    """Return the particle last put on the stack, in a box, or with no energy; the stack count, its stream."""
    track, stream = pop(stack, waiting, seed)
    waiting -= 1
    if track.energy < problem.controls.cut_MeV * NUCLEONS[track.species]:
        absorb(problem, tally, track, track.energy, water_ratio(problem, track), 0.0)
        return Track(track.ray, track.place, 0.0, track.species, 0.0, 0.0, 1.0), waiting, stream
    if track.place.region == GAP:
        return to_patient(problem, track, tally, stack, waiting, stream)
    if track.place.region == SCENE:
        return through_scene(problem, track, tally, stack, waiting, stream)
    return track, waiting, stream


@kernel
def water_ratio(problem, track):
    """Return the ratio of stopping powers of water and the medium a particle is in; one between the boxes."""
    if track.place.region == GAP:
        return 1.0
    material = track.place.iz if track.place.region == SCENE else material_at(problem.geometry, track.place)
    i, f = position(track.energy / NUCLEONS[track.species])
    return np.float64(value(problem.tables, material, WATER_RATIO, i, f))


@inlined
def material_at(geometry, place):
    """Return the material of the voxel at a place."""
    material, _ = medium_of(geometry.voxels[voxel_index(geometry, place)])
    return np.int64(material)


@kernel
def settled(problem, track, event, tally, stack, waiting, stream):
    """Do what ended a step; returns the track (of no energy if it is over), the stack count, the stream."""
    geometry = problem.geometry
    if event == INTERACTS:
        material = material_at(geometry, track.place)
        return interact(problem, track, material, tally, stack, waiting, stream)
    if event == LEAVES and track.place.region == BEAMLINE and track.place.iz < 0:
        out = to_patient_axes(geometry, leave_box(geometry, track.ray, track.place))
        track = Track(
            out, Place(GAP, 0, 0, 0), track.energy, track.species, track.deflection_due, track.free_paths, 1.0
        )
        return to_patient(problem, track, tally, stack, waiting, stream)
    if event == LEAVES and track.place.region == PATIENT and has_scene(problem.scene):
        return back_to_scene(problem, track, tally, stack, waiting, stream)
    if event == LEAVES:
        tally.account[ESCAPED] += track.energy
    if event == STOPS:
        end_of_range(problem, tally, track)
    if event == CAPPED:
        tally.account[CAPPED_HISTORIES] += 1.0
    return Track(track.ray, Place(OUTSIDE, 0, 0, 0), 0.0, track.species, 0.0, 0.0, 1.0), waiting, stream
