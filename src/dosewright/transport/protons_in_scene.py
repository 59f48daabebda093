"""Protons and their secondaries through a scene of solids, one step at a time, until they reach the voxels or leave.

The step is that of `transport.step`; positions are in double precision, and a step ends at the boundaries of cells.
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four, eight_words
from dosewright.core.single import f32
from dosewright.geometry.scene.flat import tables_of
from dosewright.geometry.scene.trace import BEYOND, VOXELS, ahead, crossed, locate, medium_of_cell, part_of, phase_of
from dosewright.geometry.trace import FAR_CM, OUTSIDE, PATIENT, SCENE, Place, Ray, advance, enter_box, leave_box
from dosewright.materials.lookup import TOTAL_STOPPING, WATER_RATIO, column
from dosewright.scoring.deposit import CAPPED_HISTORIES, ESCAPED, score_let
from dosewright.transport.absorb import absorb_in_part, score_rest
from dosewright.transport.interact import interact
from dosewright.transport.scattering import soft_angle, turned_by
from dosewright.transport.step import LONGEST_CM, THIN_DENSITY, advanced, deflected, planned, turned
from dosewright.transport.tracks import CHARGE_SQUARED, NUCLEONS, PROTON, Track, rate_column

MOST_STEPS = 1_000_000  # of one particle between two visits to the voxels; counted and reported
NOT_LOOKED = -1.0
GOES_ON, CROSSES, INTERACTS = range(3)


class Flier(NamedTuple):
    """A particle as the pieces of the step see it, in single precision; see `transport.lanes` for the quantities."""

    energy: float
    u: float
    v: float
    w: float
    due: float
    paths: float
    charge2: float
    per_nucleon: float


@kernel
def through_scene(problem, track, tally, stack, waiting, stream):
    """Follow a particle from boundary to boundary; returns it in the patient box, or with no energy where it ended.

    Its place names cell, part and material. Secondaries are put on the stack where they are made.
    """
    scene = tables_of(problem.scene)
    phase, straight_on = phase_of(scene, stream.seed, stream.history), NOT_LOOKED
    for _ in range(MOST_STEPS):
        cell = track.place.ix
        if track.energy <= 0.0:
            return track, waiting, stream
        if cell == BEYOND and ahead(scene, cell, track.ray, FAR_CM, phase) >= FAR_CM:
            tally.account[ESCAPED] += track.energy
            return _ended(track), waiting, stream
        if part_of(scene, cell) == VOXELS:
            ray, place = enter_box(problem.geometry, track.ray, np.int64(PATIENT))
            return _at(track, ray, place), waiting, stream
        material, density = medium_of_cell(scene, cell)
        if cell == BEYOND or density == 0.0:
            track, stream = _turned_by_what_is_due(track, stream)
            track = _crossed(scene, track, ahead(scene, cell, track.ray, FAR_CM, phase), phase)
            straight_on = NOT_LOOKED
            continue
        track, event, straight_on, stream = _step(
            problem, scene, track, material, density, straight_on, phase, tally, stream
        )
        if event == INTERACTS:
            track, waiting, stream = interact(problem, track, np.int64(material), tally, stack, waiting, stream)
    tally.account[CAPPED_HISTORIES] += 1.0
    tally.account[ESCAPED] += track.energy
    return _ended(track), waiting, stream


@kernel
def into_scene(problem, track, tally, stack, waiting, stream):
    """Find the cell of a particle whose position is in cm, and follow it; see `through_scene`."""
    scene, ray = tables_of(problem.scene), track.ray
    cell = locate(scene, ray.x, ray.y, ray.z, phase_of(scene, stream.seed, stream.history))
    return through_scene(problem, _at(track, ray, _in_cell(scene, cell)), tally, stack, waiting, stream)


@kernel
def back_to_scene(problem, track, tally, stack, waiting, stream):
    """Follow a particle that has just left the patient box into what is around it; see `through_scene`."""
    out = leave_box(problem.geometry, track.ray, track.place)
    out = _along(out, out.u, out.v, out.w)
    scene = tables_of(problem.scene)
    ray, cell = crossed(scene, out, phase_of(scene, stream.seed, stream.history))
    return through_scene(problem, _at(track, ray, _in_cell(scene, cell)), tally, stack, waiting, stream)


@kernel
def _step(problem, scene, track, material, density, straight_on, phase, tally, stream):
    """Take one step; returns the track, whether it interacts, how far it is to a boundary straight on, the stream.

    What lies straight on before the step turns only plans it: left from the step before, or looked up where that one
    ended otherwise than by its length.
    """
    tables, ray, cell = problem.tables, track.ray, track.place.ix
    max_step, density = f32(problem.controls.max_step_cm), f32(density)
    reach = 2.0 * np.float64(min(max_step / min(density, THIN_DENSITY), LONGEST_CM))  # of this step and the next
    if straight_on < 0.0:
        straight_on = ahead(scene, cell, ray, reach, phase)
    p = Flier(
        f32(track.energy), f32(ray.u), f32(ray.v), f32(ray.w), f32(track.deflection_due), f32(track.free_paths),
        f32(CHARGE_SQUARED[track.species]), f32(1.0 / NUCLEONS[track.species]),
    )  # fmt: skip
    words, stream = eight_words(stream)
    plan = planned(tables, max_step, p, material, density, f32(straight_on), rate_column(track.species))
    u, v, w, due = turned(p, plan, words)
    ray = _along(ray, u, v, w)
    boundary = ahead(scene, cell, ray, reach, phase)
    way = advanced(tables, f32(problem.controls.cut_MeV), p, plan, due, f32(boundary), words)
    u, v, w, paths, hit = deflected(tables, p, plan, way, material, u, v, w, words)

    _score(problem, tally, track, advance(ray, np.float64(way.lost_at)), plan, way)
    energy = 0.0 if way.stopped else np.float64(way.energy)
    due, paths = np.float64(way.due), np.float64(paths)
    if way.crossing:
        here = Track(ray, track.place, energy, track.species, due, paths, 1.0)
        return _crossed(scene, here, boundary, phase), CROSSES, NOT_LOOKED, stream
    length = min(np.float64(way.length), boundary)
    ray = advance(ray, length)
    ray = _along(ray, u, v, w) if way.hit else ray
    left = NOT_LOOKED if way.hit else boundary - length
    there = Track(ray, track.place, energy, track.species, due, paths, 1.0)
    return there, INTERACTS if hit else GOES_ON, left, stream


@inlined
def _score(problem, tally, track, ray, plan, way):
    """Add what a step has lost at a point."""
    scoring, lost = problem.scoring, np.float64(way.lost)
    ratio = column(problem.tables.values, plan.row, WATER_RATIO, plan.share)
    voxel = absorb_in_part(scoring, tally, track.place.iy, ray.x, ray.y, ray.z, lost, np.float64(ratio))
    if scoring.let and track.species == PROTON:
        let = ratio * column(problem.tables.values, plan.row, TOTAL_STOPPING, plan.share)
        followed = lost - np.float64(way.energy) if way.stopped else lost
        score_let(tally, voxel, followed, np.float64(way.length), np.float64(let))
        if way.stopped and way.energy > 0.0:
            score_rest(problem.tables, tally, voxel, track.place.iz, plan.density, np.float64(way.energy))


@inlined
def _along(ray, u, v, w):
    """Return a ray with another direction, made a unit vector in double precision."""
    u, v, w = np.float64(u), np.float64(v), np.float64(w)
    one = 1.0 / np.sqrt(u * u + v * v + w * w)
    return Ray(ray.x, ray.y, ray.z, u * one, v * one, w * one)


@inlined
def _turned_by_what_is_due(track, stream):
    """Turn a particle by what belongs to the matter that it leaves behind."""
    if track.deflection_due <= 0.0:
        return track, stream
    a, b, _, _, stream = draw_four(stream)
    ray = track.ray
    cosine, sine = soft_angle(f32(track.deflection_due), f32(a))
    u, v, w = turned_by(f32(ray.u), f32(ray.v), f32(ray.w), cosine, sine, f32(b))
    ray = _along(ray, u, v, w)
    return Track(ray, track.place, track.energy, track.species, 0.0, track.free_paths, 1.0), stream


@inlined
def _crossed(scene, track, distance, phase):
    """Return a particle on the other side of the boundary that lies straight on at a distance."""
    ray, cell = crossed(scene, advance(track.ray, distance), phase)
    return _at(track, ray, _in_cell(scene, cell))


@inlined
def _in_cell(scene, cell):
    material, _ = medium_of_cell(scene, cell)
    return Place(np.int64(SCENE), np.int64(cell), np.int64(part_of(scene, cell)), np.int64(material))


@inlined
def _at(track, ray, place):
    return Track(ray, place, track.energy, track.species, track.deflection_due, track.free_paths, 1.0)


@inlined
def _ended(track):
    return Track(track.ray, Place(OUTSIDE, 0, 0, 0), 0.0, track.species, 0.0, 0.0, 1.0)
