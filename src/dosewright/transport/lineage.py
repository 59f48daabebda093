"""Events that go into the log, where there is one: see `scoring.lineage`."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import LOW
from dosewright.geometry.scene.trace import locate, part_of, phase_of
from dosewright.geometry.trace import PATIENT, leave_box, to_box
from dosewright.scoring.lineage import (
    AT,
    BORN,
    ENERGY,
    ENTERED,
    GOES_ON,
    HISTORY,
    INTERACTED,
    KIND,
    NO_PARENT,
    PARENT_AT,
    PART,
    PARTICLE,
    PLACE,
    SPECIES,
)
from dosewright.scoring.lineage import PARENT as LOGGED_PARENT
from dosewright.transport import tracks
from dosewright.transport.tracks import INTERACTING, PARENT, PHOTON, SAME, number_of

NOBODY = 0.0  # the parent of what is not born


@inlined
def note_primary(problem, tally, ray, species, energy, stream):
    """Log that a source sends out a particle (ray in cm)."""
    if tally.log.shape[0] > 0:
        _note_primary(problem, tally.log, ray, species, energy, stream)


@inlined
def note_taken(problem, tally, stack, row, track, stream):
    """Log that a particle that waited in a row of the stack begins, or goes on."""
    if tally.log.shape[0] > 0:
        _note_taken(problem, tally.log, stack, row, track, stream)


@inlined
def note_entered(problem, tally, cell, track, stream):
    """Log that a particle of a cell of the scene has come into another part, or into the voxels."""
    if tally.log.shape[0] > 0 and part_at(problem.scene, track.place) != part_of(problem.scene, cell):
        _note_here(problem, tally.log, ENTERED, track, stream)


@inlined
def note_out_of_voxels(problem, tally, track, stream):
    """Log that a particle has come out of the voxels into a part."""
    if tally.log.shape[0] > 0:
        _note_here(problem, tally.log, ENTERED, track, stream)


@inlined
def note_interacted(problem, tally, track, stream):
    """Log that a particle has interacted; it is given as it was before, its stream as it is after."""
    if tally.log.shape[0] > 0:
        _note_here(problem, tally.log, INTERACTED, track, stream)


@inlined
def part_at(scene, place):
    """Return the part that a place in the scene lies in, or the number of the voxels, which count after all others."""
    if place.region == PATIENT:
        return np.int32(scene.parts + 1)
    return np.int32(part_of(scene, place.ix))


@kernel
def _note_primary(problem, log, ray, species, energy, stream):
    geometry, scene = problem.geometry, problem.scene
    part = np.int32(scene.parts)
    if scene.cells.shape[0] > 0:
        cell = np.int64(locate(scene, ray.x, ray.y, ray.z, phase_of(scene, stream.seed, stream.history)))
        inside = part_of(scene, cell)
        part = inside if inside >= 0 else np.int32(scene.parts + 1)
    elif to_box(geometry, ray) <= 0.0:
        part = np.int32(scene.parts + 1)
    _write(log, stream, BORN, NO_PARENT, 0.0, species, part, energy, ray)


@kernel
def _note_taken(problem, log, stack, row, track, stream):
    kind = GOES_ON if stack[row, SAME] > 0.0 else BORN
    ray = leave_box(problem.geometry, track.ray, track.place) if track.place.region == PATIENT else track.ray
    part, species = part_at(problem.scene, track.place), track.species
    parent, parent_at = stack[row, PARENT], stack[row, tracks.PARENT_AT]
    _write(log, stream, kind, parent, parent_at, PHOTON if species == INTERACTING else species, part, track.energy, ray)


@kernel
def _note_here(problem, log, kind, track, stream):
    ray = leave_box(problem.geometry, track.ray, track.place) if track.place.region == PATIENT else track.ray
    part = part_at(problem.scene, track.place)
    _write(log, stream, kind, NOBODY, 0.0, track.species, part, track.energy, ray)


@inlined
def _write(log, stream, kind, parent, parent_at, species, part, energy, ray):
    """Add a row, or only count it where there is no room."""
    log[0, 0] += 1.0
    n = np.int64(log[0, 0])
    if n >= log.shape[0]:
        return
    row = log[n]
    row[HISTORY], row[PARTICLE], row[AT], row[KIND] = stream.history, number_of(stream), stream.draw & LOW, kind
    row[LOGGED_PARENT], row[PARENT_AT], row[SPECIES], row[PART] = parent, parent_at, species, part
    row[ENERGY], row[PLACE], row[PLACE + 1], row[PLACE + 2] = energy, ray.x, ray.y, ray.z
