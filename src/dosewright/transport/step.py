"""One step of a charged particle through a voxel: the table of contents of the physics.

A step ends at the face of the voxel, at a hard interaction, where its share of energy is spent, or after the largest
step. Distance to the boundary, distance to the interaction, turn, move, lose energy. What happens next (deposit,
interact, leave) is settled by the caller, particle by particle.

Half of a step's condensed deflection is applied before it and half with that of the next, which keeps the lateral
spread right to second order in the step (a leapfrog, as in the trapezoidal rule). All quantities are
taken half way; the mean loss is right to third order.

There is no branch in here and all is single precision: the same function is one lane of a vector on a CPU and one
thread on a graphics card.
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined
from dosewright.core.random import unit
from dosewright.core.single import HALF, ONE, ZERO, f32, i32, log
from dosewright.core.units import PROTON_MASS_MEV
from dosewright.geometry.scene.flat import FlatScene
from dosewright.geometry.trace import Geometry, medium_of, to_face
from dosewright.materials.lookup import (
    HARD_CUT,
    HARD_SCATTERING,
    LARGEST_Q,
    QUANTUM,
    SCATTERING,
    STOPPING,
    STRAGGLING,
    TOTAL_STOPPING,
    WATER_RATIO,
    IonTables,
    column,
    position,
    row,
)
from dosewright.scoring.deposit import Scoring
from dosewright.sources.emit import Source
from dosewright.transport.ion import mean_loss, normal, straggled_loss
from dosewright.transport.scattering import hard_angle, momentum2_and_beta2, soft_angle, turned_by

LARGEST_LOSS_SHARE = f32(0.15)  # of the kinetic energy in one step; the midpoint rule is then good to 1e-3
PROTON_MASS, LARGEST = f32(PROTON_MASS_MEV), f32(LARGEST_Q)
LONGEST_CM = f32(10.0)  # in any medium: a metre of air in one step would not spread as it should
THIN_DENSITY = f32(1.0)  # g/cm3; in thinner media the largest step grows in proportion
SMALLEST = f32(1.0e-30)  # keeps divisions finite where there is no matter or no charge
BYTE, TO_SHARE = np.uint32(0xFF), f32(1 / 256)
AHEAD, BEHIND, STAYS = i32(1), i32(-1), i32(0)


class Controls(NamedTuple):
    """Cuts and limits of the transport (MeV per nucleon, cm)."""

    cut_MeV: float
    max_step_cm: float


class Problem(NamedTuple):
    """All that never changes during a run; `scene` lies around the patient box, instead of beamline and gap."""

    geometry: Geometry
    tables: IonTables
    source: Source
    scoring: Scoring
    controls: Controls
    scene: FlatScene


class Flight(NamedTuple):
    """A particle inside a box, as the step sees it; see `transport.lanes` for the quantities."""

    energy: float
    u: float
    v: float
    w: float
    fx: float
    fy: float
    fz: float
    due: float
    paths: float
    charge2: float
    per_nucleon: float
    ix: int
    iy: int
    iz: int


class Done(NamedTuple):
    """What a step did: energy lost, where (fractions of the voxel), ratio of stopping powers of water and medium,
    stopping power in water, length, and how it ended.
    """

    lost: float
    at_x: float
    at_y: float
    at_z: float
    ratio: float
    let: float
    length: float
    hit: bool
    stopped: bool


class Plan(NamedTuple):
    """A step as seen from its start: row of the tables and share for what holds half way, density, charge squared times
    density, stopping power here, largest and planned length, rate half way, length to the interaction, turning per cm.
    """

    row: int
    share: float
    density: float
    matter: float
    stopping_here: float
    longest: float
    length: float
    rate: float
    to_interaction: float
    turning: float


class Way(NamedTuple):
    """The length of a step, whether a boundary or a hard interaction ends it; energy left and lost, whether it stops;
    the point of the way at which the loss counts (cm), deflection due and mean free paths left.
    """

    length: float
    crossing: bool
    hit: bool
    energy: float
    lost: float
    stopped: bool
    lost_at: float
    due: float
    paths: float


@inlined
def step(tables, cut, max_step, particle, word, size_x, size_y, size_z, rate_column, words):
    """Advance a particle by one step in its voxel; returns it and what was done."""
    p = particle
    material, density = medium_of(word)
    plan = planned(tables, max_step, p, material, density, to_faces(p, size_x, size_y, size_z), rate_column)
    u, v, w, due = turned(p, plan, words)
    face_x, face_y, face_z = to_face(p.fx, size_x, u), to_face(p.fy, size_y, v), to_face(p.fz, size_z, w)
    boundary = min(min(face_x, face_y), face_z)
    way = advanced(tables, cut, p, plan, due, boundary, words)

    # Move.
    cross_x = way.crossing and face_x <= boundary
    cross_y = way.crossing and (not cross_x) and face_y <= boundary
    cross_z = way.crossing and (not cross_x) and (not cross_y)
    fx, at_x, ix = moved(p.fx, u, size_x, way.length, way.lost_at, cross_x, p.ix)
    fy, at_y, iy = moved(p.fy, v, size_y, way.length, way.lost_at, cross_y, p.iy)
    fz, at_z, iz = moved(p.fz, w, size_z, way.length, way.lost_at, cross_z, p.iz)

    u, v, w, paths, hit = deflected(tables, p, plan, way, material, u, v, w, words)
    after = Flight(way.energy, u, v, w, fx, fy, fz, way.due, paths, p.charge2, p.per_nucleon, ix, iy, iz)
    ratio = column(tables.values, plan.row, WATER_RATIO, plan.share)
    let = ratio * column(tables.values, plan.row, TOTAL_STOPPING, plan.share)
    return after, Done(way.lost, at_x, at_y, at_z, ratio, let, way.length, hit, way.stopped)


@inlined
def planned(tables, max_step, p, material, density, boundary, rate_column):
    """Plan a step: how far at most, as seen from here with a boundary ahead, and the energy half way."""
    matter = p.charge2 * density
    i, f = position(p.energy * p.per_nucleon)
    start = row(material, i)
    stopping_here = column(tables.values, start, STOPPING, f) * matter
    rate_here = column(tables.values, start, rate_column, f) * density
    by_length = min(max_step / min(density, THIN_DENSITY), LONGEST_CM)
    longest = min(by_length, LARGEST_LOSS_SHARE * p.energy / (stopping_here + SMALLEST))
    length = min(min(longest, boundary), p.paths / (rate_here + SMALLEST))
    halfway = (p.energy - HALF * stopping_here * length) * p.per_nucleon
    i, f = position(halfway)
    start = row(material, i)
    rate = column(tables.values, start, rate_column, f) * density
    to_interaction = p.paths / (rate + SMALLEST)
    turning = column(tables.values, start, SCATTERING, f) * matter * (p.per_nucleon * p.per_nucleon)
    return Plan(start, f, density, matter, stopping_here, longest, length, rate, to_interaction, turning)


@inlined
def turned(p, plan, words):
    """Turn by what is due and half of what this step will bring; returns the direction and what remains due."""
    due = p.due + HALF * plan.turning * plan.length
    cosine, sine = soft_angle(max(due, ZERO), unit(words[0]))
    u, v, w = turned_by(p.u, p.v, p.w, cosine, sine, unit(words[1]))
    return u, v, w, min(due, ZERO)


@inlined
def advanced(tables, cut, p, plan, due, boundary, words):
    """Go on to the boundary, the interaction or the largest length, and lose energy, somewhere on the way."""
    length = min(min(boundary, plan.longest), plan.to_interaction)
    hit = plan.to_interaction <= min(boundary, plan.longest)
    crossing = (not hit) and boundary <= plan.longest

    start, f = plan.row, plan.share
    halfway_stopping = column(tables.values, start, STOPPING, f) * plan.matter
    lost, growth = mean_loss(p.energy, plan.stopping_here, halfway_stopping, plan.length, length)
    variance = column(tables.values, start, STRAGGLING, f) * plan.matter * length * (growth * growth)
    quantum = column(tables.values, start, QUANTUM, f) * growth
    lost = min(straggled_loss(lost, variance, quantum, normal(unit(words[2]), unit(words[3]))), p.energy)
    energy = p.energy - lost
    stopped = energy * p.per_nucleon < cut
    lost = p.energy if stopped else p.energy - energy  # what was really taken off in single precision
    lost_at = (f32(np.int32(words[0] & BYTE)) + HALF) * TO_SHARE * length
    due = due + plan.turning * length - HALF * plan.turning * plan.length
    return Way(length, crossing, hit, energy, lost, stopped, lost_at, due, p.paths - plan.rate * length)


@inlined
def deflected(tables, p, plan, way, material, u, v, w, words):
    """Let the most frequent of the hard interactions, a large deflection, happen; the others are the caller's.

    Returns direction, mean free paths left, and whether another one happens.
    """
    start, f = plan.row, plan.share
    hard = column(tables.values, start, HARD_SCATTERING, f) * plan.density / (plan.rate + SMALLEST)
    chance = unit(words[4])
    happens = way.hit and chance < hard
    smallest = column(tables.values, start, HARD_CUT, f) * p.charge2 * p.per_nucleon * p.per_nucleon
    momentum2, beta2 = momentum2_and_beta2(way.energy, PROTON_MASS / p.per_nucleon)
    radius2 = tables.charge_radius2[np.uintp(material)]
    cosine, sine = hard_angle(
        min(smallest, LARGEST), radius2, momentum2, beta2, chance / (hard + SMALLEST), unit(words[6])
    )
    u, v, w = turned_by(u, v, w, cosine if happens else ONE, sine if happens else ZERO, unit(words[5]))
    paths = -log(unit(words[7])) if happens else way.paths
    return u, v, w, paths, way.hit and (not happens) and (not way.stopped)


@inlined
def to_faces(p, size_x, size_y, size_z):
    """Distance to the nearest face of the voxel ahead."""
    return min(min(to_face(p.fx, size_x, p.u), to_face(p.fy, size_y, p.v)), to_face(p.fz, size_z, p.w))


@inlined
def moved(fraction, u, size, length, share, crosses, index):
    """Return, along one axis, the fraction after a step, that of the point of deposit, and the voxel."""
    per_cm = u / size
    inside = min(max(fraction + per_cm * length, ZERO), ONE)
    point = min(max(fraction + per_cm * share, ZERO), ONE)
    forward = u > ZERO
    beyond = ZERO if forward else ONE
    aside = AHEAD if forward else BEHIND
    return (beyond if crosses else inside), point, i32(index + (aside if crosses else STAYS))
