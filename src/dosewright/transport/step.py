"""One step of a charged particle: the table of contents of the physics.

A step ends where its share of energy is spent, at a hard interaction, or where the particle leaves a box. It turns,
then walks straight through the voxels on its way, losing energy in each by its own material and density; then it
interacts. Half of a step's condensed deflection is applied before it and half with that of the next, which keeps the
lateral spread right to second order in the step (a leapfrog, as in the trapezoidal rule).
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four, gaussian_pair
from dosewright.geometry.trace import (
    FAR_CM,
    GAP,
    OUTSIDE,
    PATIENT,
    Geometry,
    advance,
    cross,
    medium,
    to_boundary,
    to_box,
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
SHORTEST_STEP_CM = 1.0e-9  # a step has some length, so that its loss can be divided by
ROUNDING = 1.0e-9
GOLDEN_STRIDE = 0.6180339887498949  # spreads the points of deposit evenly over the voxels of one step


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
    if density == 0.0 or (track.place.region == GAP and to_box(problem.geometry, track.ray) >= FAR_CM):
        track, stream = fly(problem, track, tally, stream)
        return track, waiting, stream
    share, length, i, f = plan(problem, track, material, density)
    u1, u2, u3, u4, stream = draw_four(stream)

    z2, nucleons = CHARGE_SQUARED[track.species], NUCLEONS[track.species]
    half = 0.5 * value(problem.tables, material, SCATTERING, i, f) * density * z2 / (nucleons * nucleons) * length
    due = track.deflection_due + half
    ray = soft_deflection(track.ray, due, u1, u2) if due > 0.0 else track.ray

    variance = value(problem.tables, material, STRAGGLING, i, f) * density * z2 * length
    normal, _ = gaussian_pair(u3, u4)
    stretch = min(straggled_loss(share, variance, normal), track.energy) / share

    along = u1 * 65536.0 - np.floor(u1 * 65536.0)  # low bits of a word whose high bits alone matter above
    turned = Track(ray, track.place, track.energy, track.species, min(due, 0.0) - half, track.free_paths)
    moved, hit = walk(problem, turned, share, stretch, along, i, f, tally)
    if hit:
        return interact(problem, moved, tally, stack, waiting, stream)
    return moved, waiting, stream


@inlined
def plan(problem, track, material, density):
    """Choose the mean energy to lose in a step: by the user's limit, a share of the energy, the next interaction.

    Returns it with the length it takes in this medium, and where the tables are to be read: half way. Fluctuations
    are right for whole steps only, so a step must not run beyond an interaction that can be foreseen.
    """
    tables, nucleons = problem.tables, NUCLEONS[track.species]
    i, f = position(tables, track.energy / nucleons)
    stopping = value(tables, material, STOPPING, i, f) * density * CHARGE_SQUARED[track.species]
    by_user = min(problem.controls.max_step_cm / min(density, THIN_DENSITY), LARGEST_STEP_CM)
    longest = min(by_user, LARGEST_LOSS_SHARE * track.energy / stopping)
    i, f = position(tables, (track.energy - 0.5 * stopping * longest) / nucleons)
    expected = min(longest, track.free_paths / (hard_rate(tables, track.species, material, i, f) * density))
    if expected < longest:
        i, f = position(tables, (track.energy - 0.5 * stopping * expected) / nucleons)
    rate = hard_rate(tables, track.species, material, i, f) * density
    length = max(min(longest, track.free_paths / rate), SHORTEST_STEP_CM)
    share = value(tables, material, STOPPING, i, f) * density * CHARGE_SQUARED[track.species] * length
    return share, length, i, f


@inlined
def walk(problem, track, share, stretch, along, i, f, tally):
    """Go straight through voxels until a mean loss of `share` is spent; returns the track and whether it interacts.

    In each voxel the mean loss of its medium, times `stretch`, is left at a point of the path.
    """
    geometry, tables = problem.geometry, problem.tables
    z2, nucleons = CHARGE_SQUARED[track.species], NUCLEONS[track.species]
    ray, place, left = track.ray, track.place, share
    energy, due, paths, path = track.energy, track.deflection_due, track.free_paths, 0.0
    known, per_stopping, per_rate, per_turning, ratio, hit = -1, 0.0, 0.0, 0.0, 1.0, False
    while True:
        material, density = medium(geometry, place)
        if density == 0.0:
            break  # vacuum: what is due of the deflection comes before the flight
        if material != known:
            known = material
            per_stopping = value(tables, material, STOPPING, i, f) * z2
            per_rate = hard_rate(tables, track.species, material, i, f)
            per_turning = value(tables, material, SCATTERING, i, f) * z2 / (nucleons * nucleons)
            ratio = value(tables, material, WATER_RATIO, i, f)
        stopping, rate = per_stopping * density, per_rate * density
        boundary, axis = to_boundary(geometry, ray, place)
        length = min(min(boundary, left / stopping), LARGEST_STEP_CM - path)
        hit = paths <= rate * length * (1.0 + ROUNDING)
        if hit:
            length = paths / rate
        loss = min(stopping * length * stretch, energy)
        along += GOLDEN_STRIDE if along < 1.0 - GOLDEN_STRIDE else GOLDEN_STRIDE - 1.0
        where = advance(ray, along * length)
        deposit(problem.scoring, tally, patient_voxel(geometry, place), (where.x, where.y, where.z), loss, ratio)
        energy -= loss
        left -= stopping * length
        paths -= rate * length
        path += length
        due += per_turning * density * length
        ray = advance(ray, length)
        region, crossing = place.region, boundary <= length and not hit
        if crossing:
            ray, place = cross(geometry, ray, place, axis)
        if not crossing or place.region != region or energy <= 0.0:
            break
    if energy < problem.controls.cut_MeV * nucleons:
        if place.region != OUTSIDE:
            deposit(problem.scoring, tally, patient_voxel(geometry, place), (ray.x, ray.y, ray.z), energy, ratio)
            energy = 0.0
        hit = False
    moved = Track(ray, place, energy, track.species, due, paths)
    if place.region == OUTSIDE:
        return escape(moved, tally), False
    return moved, hit


@inlined
def fly(problem, track, tally, stream):
    """Go straight to the next boundary without loss, through vacuum or away from everything.

    The deflection still due is applied first, since it belongs to the matter left behind.
    """
    u1, u2, _, _, stream = draw_four(stream)
    ray, due = track.ray, track.deflection_due
    if due > 0.0:
        ray, due = soft_deflection(ray, due, u1, u2), 0.0
    boundary, axis = to_boundary(problem.geometry, ray, track.place)
    if boundary >= FAR_CM:
        return escape(Track(ray, track.place, track.energy, track.species, due, track.free_paths), tally), stream
    ray, place = cross(problem.geometry, advance(ray, boundary), track.place, axis)
    moved = Track(ray, place, track.energy, track.species, due, track.free_paths)
    return (escape(moved, tally) if place.region == OUTSIDE else moved), stream


@inlined
def patient_voxel(geometry, place):
    """Return the voxel of the patient box a particle is in, or -1 elsewhere."""
    return voxel_index(geometry, place) if place.region == PATIENT else -1


@inlined
def hard_rate(tables, species, material, i, f):
    """Return the rate of all interactions sampled one by one, per g/cm2."""
    rate = value(tables, material, HARD_SCATTERING, i, f)
    rate += CHARGE_SQUARED[species] * value(tables, material, DELTA, i, f)
    if species == PROTON:
        rate += value(tables, material, NUCLEAR, i, f)
    return rate


@kernel
def interact(problem, track, tally, stack, waiting, stream):
    """Let one hard interaction happen, chosen by the rates."""
    tables = problem.tables
    material, _ = medium(problem.geometry, track.place)
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
    if energy < problem.controls.cut_MeV * NUCLEONS[track.species]:
        here += energy
        energy = 0.0
    if here > 0.0:
        ratio = value(tables, material, WATER_RATIO, i, f)
        voxel = patient_voxel(problem.geometry, track.place)
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
def escape(track, tally):
    """End a track that left everything; its energy is accounted for."""
    tally.account[ESCAPED] += track.energy
    return Track(track.ray, track.place, 0.0, track.species, track.deflection_due, 0.0)
