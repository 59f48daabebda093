"""One step of a charged particle: the table of contents of the physics.

Distance to the boundary, distance to the next hard interaction; turn, move, lose energy, deposit; cross or interact.
Half of a step's condensed deflection is applied before it and half with that of the next, which keeps the lateral
spread right to second order in the step (a leapfrog, as in the trapezoidal rule).
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four, gaussian_pair
from dosewright.geometry.trace import (
    FAR_CM,
    OUTSIDE,
    PATIENT,
    Geometry,
    advance,
    cross,
    medium,
    to_boundary,
    voxel_index,
)
from dosewright.materials.lookup import (
    DELTA,
    HARD_SCATTERING,
    NUCLEAR,
    SCATTERING,
    STOPPING,
    STRAGGLING,
    WATER_RATIO,
    IonTables,
    position,
    value,
)
from dosewright.scoring.deposit import BINDING, ESCAPED, NEUTRAL, Scoring, deposit
from dosewright.sources.emit import Source
from dosewright.transport.ion import knock_on_energy, straggled_loss
from dosewright.transport.nuclear import choose_nuclear, elastic_on_hydrogen, elastic_on_nucleus, nonelastic
from dosewright.transport.scattering import hard_deflection, soft_deflection
from dosewright.transport.tracks import CHARGE_SQUARED, NUCLEONS, PROTON, Track

LARGEST_LOSS_SHARE = 0.15  # of the kinetic energy in one step; the midpoint rule is then good to 1e-3
LARGEST_STEP_CM = 10.0
THIN_DENSITY = 1.0  # g/cm3; in thinner media the largest step grows in proportion


class Controls(NamedTuple):
    """Cuts and limits of the transport (MeV, cm)."""

    cut_MeV: float
    max_step_cm: float


class Problem(NamedTuple):
    """All that never changes during a run."""

    geometry: Geometry
    tables: IonTables
    source: Source
    scoring: Scoring
    controls: Controls


@inlined
def step(problem, track, tally, stack, waiting, stream):
    """Advance a track by one step; returns the track, the stack count and the stream.

    A track of no energy has ended.
    """
    material, density = medium(problem.geometry, track.place)
    boundary, axis = to_boundary(problem.geometry, track.ray, track.place)
    if boundary >= FAR_CM:
        return _escape(track, tally), waiting, stream
    if density == 0.0:
        ray, place = cross(problem.geometry, advance(track.ray, boundary), track.place, axis)
        return _with(track, ray, place), waiting, stream

    z2, nucleons = CHARGE_SQUARED[track.species], NUCLEONS[track.species]
    planned, middle, rate = _plan(problem, track, material, density, boundary)
    i, f = position(problem.tables, middle / nucleons)

    u1, u2, u3, u4, stream = draw_four(stream)
    turning = value(problem.tables, material, SCATTERING, i, f) * density * z2 / (nucleons * nucleons)
    half = 0.5 * turning * planned
    due = track.deflection_due + half
    ray = soft_deflection(track.ray, due, u1, u2) if due > 0.0 else track.ray
    boundary, axis = to_boundary(problem.geometry, ray, track.place)
    length = min(planned, boundary)

    mean = value(problem.tables, material, STOPPING, i, f) * density * z2 * length
    variance = value(problem.tables, material, STRAGGLING, i, f) * density * z2 * length
    normal, _ = gaussian_pair(u3, u4)
    loss = straggled_loss(mean, variance, normal)
    ended = track.energy - loss < problem.controls.cut_MeV * nucleons
    if ended:
        loss = track.energy

    along = u1 * 65536.0 - np.floor(u1 * 65536.0)  # low bits of a word whose high bits alone matter above
    where = advance(ray, along * length)
    voxel = voxel_index(problem.geometry, track.place) if track.place.region == PATIENT else -1
    ratio = value(problem.tables, material, WATER_RATIO, i, f)
    deposit(problem.scoring, tally, voxel, (where.x, where.y, where.z), loss, ratio)

    ray = advance(ray, length)
    due = min(due, 0.0) + turning * length - half  # negative after a step cut short by a turn: a credit
    moved = Track(ray, track.place, track.energy - loss, track.species, due, track.free_paths - rate * length)
    if ended:
        return moved, waiting, stream
    if boundary <= planned:
        ray, place = cross(problem.geometry, ray, track.place, axis)
        moved = _with(moved, ray, place)
        return (_escape(moved, tally) if place.region == OUTSIDE else moved), waiting, stream
    if moved.free_paths <= 1.0e-9:
        return interact(problem, moved, material, ratio, tally, stack, waiting, stream)
    return moved, waiting, stream


@inlined
def _plan(problem, track, material, density, boundary):
    """Choose the length of a step; return it with the energy half way and the rate of interactions per cm.

    It ends at the boundary, at the user's limit, at the largest share of energy to lose, or at an interaction.
    """
    tables, nucleons = problem.tables, NUCLEONS[track.species]
    i, f = position(tables, track.energy / nucleons)
    stopping = value(tables, material, STOPPING, i, f) * density * CHARGE_SQUARED[track.species]
    by_user = min(problem.controls.max_step_cm / min(density, THIN_DENSITY), LARGEST_STEP_CM)
    length = min(min(boundary, by_user), LARGEST_LOSS_SHARE * track.energy / stopping)
    middle = track.energy - 0.5 * stopping * length
    j, g = position(tables, middle / nucleons)
    rate = hard_rate(tables, track.species, material, j, g) * density
    if track.free_paths < rate * length:
        length = track.free_paths / rate
        middle = track.energy - 0.5 * stopping * length
    return length, middle, rate


@inlined
def hard_rate(tables, species, material, i, f):
    """Return the rate of all interactions sampled one by one, per g/cm2."""
    z2, nucleons = CHARGE_SQUARED[species], NUCLEONS[species]
    rate = value(tables, material, HARD_SCATTERING, i, f) + z2 * value(tables, material, DELTA, i, f)
    if species == PROTON and nucleons == 1.0:
        rate += value(tables, material, NUCLEAR, i, f)
    return rate


@kernel
def interact(problem, track, material, ratio, tally, stack, waiting, stream):
    """Let one hard interaction happen, chosen by the rates."""
    tables = problem.tables
    u, b, _, _, stream = draw_four(stream)
    i, f = position(tables, track.energy / NUCLEONS[track.species])
    left = u * hard_rate(tables, track.species, material, i, f)
    paths, ray, energy = -np.log(b), track.ray, track.energy
    here = 0.0
    left -= value(tables, material, HARD_SCATTERING, i, f)
    if left < 0.0:
        ray, stream = hard_deflection(tables, track, material, stream)
    else:
        left -= CHARGE_SQUARED[track.species] * value(tables, material, DELTA, i, f)
        if left < 0.0 or track.species != PROTON:
            here, stream = knock_on_energy(tables, track, stream)
            energy -= here
        else:
            here, energy, ray, waiting, stream = collide(problem, track, material, tally, stack, waiting, stream)
    if energy < problem.controls.cut_MeV:
        here += energy
        energy = 0.0
    if here > 0.0:
        voxel = voxel_index(problem.geometry, track.place) if track.place.region == PATIENT else -1
        deposit(problem.scoring, tally, voxel, (ray.x, ray.y, ray.z), here, ratio)
    return Track(ray, track.place, energy, track.species, track.deflection_due, paths), waiting, stream


@kernel
def collide(problem, track, material, tally, stack, waiting, stream):
    """A nuclear interaction; returns the energy left here and energy and ray of the proton that goes on."""
    tables = problem.tables
    u, _, _, _, stream = draw_four(stream)
    element, elastic = choose_nuclear(tables, material, track.energy, u)
    if not elastic:
        here, neutral, binding, waiting, stream = nonelastic(tables, element, track, stack, waiting, stream)
        tally.account[NEUTRAL] += neutral
        tally.account[BINDING] += binding
        return here, 0.0, track.ray, waiting, stream
    if tables.element_z[element] == 1.0:
        energy, ray, waiting, stream = elastic_on_hydrogen(track, stack, waiting, stream)
        return 0.0, energy, ray, waiting, stream
    recoil, ray, stream = elastic_on_nucleus(tables, element, track, stream)
    return recoil, track.energy - recoil, ray, waiting, stream


@inlined
def _with(track, ray, place):
    return Track(ray, place, track.energy, track.species, track.deflection_due, track.free_paths)


@inlined
def _escape(track, tally):
    """End a track that left everything; its energy is accounted for."""
    tally.account[ESCAPED] += track.energy
    return Track(track.ray, track.place, 0.0, track.species, 0.0, 0.0)
