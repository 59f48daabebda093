"""One step of an electron or positron through a voxel: as `transport.step` for protons, with the physics of light ones.

A step ends at the face of the voxel, at a hard interaction, or at the end of a stretch. Small elastic deflections are
condensed: a particle turns only where a stretch begins, by half of what the stretch will bring and half of what the
one before has brought (a leapfrog), with the mean cosine of the theory of Goudsmit and Saunderson, Phys. Rev. 57, 24
(1940). Stretches know nothing of faces: to turn at a face, by an amount that depends on the way to the next, would
disturb what is isotropic there. Large deflections are sampled one by one (mixed simulation, Fernandez-Varea et al.,
Nucl. Instrum. Methods B 73, 447 (1993)).

There is no branch in here and all is single precision: the same function is one lane of a vector on a CPU and one
thread on a graphics card.
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined
from dosewright.core.random import unit
from dosewright.core.single import FOUR, HALF, ONE, TWO, ZERO, f32, i32, log
from dosewright.geometry.trace import medium_of, to_face
from dosewright.materials.electrons.lookup import (
    ANGLE_NODES,
    COARSE,
    COARSE_NODES,
    HARD_CUT,
    HARD_ELASTIC,
    LONGEST,
    QUANTUM,
    RANGE,
    RATE,
    SCATTERING,
    SCREENING,
    STOPPING,
    STRAGGLING,
    WATER_RATIO,
    column,
    position,
    row,
)
from dosewright.transport.ion import FEWEST_QUANTA, SMALLEST_QUANTUM, gamma_over_mean, mean_loss, normal
from dosewright.transport.scattering import turned_by
from dosewright.transport.step import LONGEST_CM, SMALLEST, THIN_DENSITY, moved, to_faces

NINE, FOURTEEN, LOW_NINE = np.uint32(9), np.uint32(14), np.uint32(0x1FF)
BYTE, TO_SHARE = np.uint32(0xFF), f32(1 / 256)
LARGEST_SHARE = f32(0.7)  # of the energy that a step may be planned to lose as seen from its start
QUARTER, LARGEST_DUE = f32(0.25), f32(2.0)
FIRST_SHARE = f32(0.07)  # of the longest stretch: the first of a particle, for angles grow evenly from its beginning
_COARSE, _COARSE_NODES, _ANGLES = i32(COARSE), i32(COARSE_NODES), i32(ANGLE_NODES)
_PER_COARSE, _LAST_ANGLE = f32(1 / COARSE), f32(ANGLE_NODES - 1)
_LAST_CELL = i32(ANGLE_NODES - 2)


class Flight(NamedTuple):
    """An electron or positron inside a box, as the step sees it; see `transport.lanes` for the quantities."""

    energy: float
    u: float
    v: float
    w: float
    fx: float
    fy: float
    fz: float
    due: float
    paths: float
    stretch: float
    ix: int
    iy: int
    iz: int


class Done(NamedTuple):
    """What a step did: energy lost, where (fractions of the voxel), ratio of stopping powers of water and medium, and
    how it ended.
    """

    lost: float
    at_x: float
    at_y: float
    at_z: float
    ratio: float
    hit: bool
    stopped: bool


class Start(NamedTuple):
    """What a step sees from where it begins: place in the tables, density (g/cm3), linear stopping power (MeV/cm)."""

    row: int
    f: float
    density: float
    stopping: float


class Middle(NamedTuple):
    """What it takes half way: place in the tables, rate of interactions (1/cm) and distance to the next (cm), and the
    mean square angle by thickness (rad2 cm2/g).
    """

    i: int
    row: int
    f: float
    rate: float
    to_interaction: float
    turning: float


class End(NamedTuple):
    """How far a step goes (cm), and what ends it."""

    length: float
    hit: bool
    crossing: bool
    rejected: bool


@inlined
def step(tables, cut, rejection, max_step, p, word, kind, size_x, size_y, size_z, words):
    """Advance an electron (kind 0) or positron (1 more) by one step in its voxel; returns it and what was done."""
    values = tables.values
    _, density = medium_of(word)

    # Plan: how far without deflection, and the energy half way.
    start = seen_from(values, kind, density, p.energy)
    begins = p.stretch <= ZERO
    stretch = longest_stretch(values, start, max_step, p.stretch < ZERO) if begins else p.stretch  # g/cm2
    coming = up_to_interaction(values, start, stretch, p.paths)
    planned = min(coming / (density + SMALLEST), to_faces(p, size_x, size_y, size_z))
    nearest = to_nearest_face(p, size_x, size_y, size_z)
    rejected = (p.energy < rejection) and (range_there(values, start) < nearest * density)
    middle = half_way(values, kind, start, p.energy, p.paths, planned)

    # Where a stretch begins, turn by what is due and half of what it will bring.
    turn = turn_due(middle, p.due, coming) if begins else ZERO
    u, v, w = turned_softly(p.u, p.v, p.w, turn, words)

    # Distance to the boundary, distance to the interaction.
    face_x, face_y, face_z = to_face(p.fx, size_x, u), to_face(p.fy, size_y, v), to_face(p.fz, size_z, w)
    boundary = min(min(face_x, face_y), face_z)
    end = end_of_step(stretch / (density + SMALLEST), boundary, middle, rejected)

    # Lose energy, somewhere on the way.
    energy, lost, stopped = slowed(values, start, middle, end, p.energy, cut, planned, words)
    share = (f32(np.int32(words[0] & BYTE)) + HALF) * TO_SHARE * end.length

    # Move.
    cross_x = end.crossing and face_x <= boundary
    cross_y = end.crossing and (not cross_x) and face_y <= boundary
    cross_z = end.crossing and (not cross_x) and (not cross_y)
    fx, at_x, ix = moved(p.fx, u, size_x, end.length, share, cross_x, p.ix)
    fy, at_y, iy = moved(p.fy, v, size_y, end.length, share, cross_y, p.iy)
    fz, at_z, iz = moved(p.fz, w, size_z, end.length, share, cross_z, p.iz)
    due, paths, stretch = what_is_left(start, middle, end, p.due, turn, p.paths, stretch)

    # The most frequent of the hard interactions, a large deflection, happens here; the others are the caller's.
    u, v, w, paths, deflected = turned_hard(tables, kind, start, middle, end, u, v, w, paths, words)

    after = Flight(energy, u, v, w, fx, fy, fz, due, paths, stretch, ix, iy, iz)
    ratio = column(values, middle.row, WATER_RATIO, middle.f)
    return after, Done(lost, at_x, at_y, at_z, ratio, end.hit and (not deflected) and (not stopped), stopped)


@inlined
def seen_from(values, kind, density, energy):
    """Return what a step sees from where it begins."""
    i, f = position(energy)
    start = row(kind, i)
    return Start(start, f, density, column(values, start, STOPPING, f) * density)


@inlined
def longest_stretch(values, start, max_step, first):
    """Return how far a particle may go without turning, g/cm2; the first stretch of a particle is short."""
    density = start.density
    by_length = min(max_step / min(density, THIN_DENSITY), LONGEST_CM) * density
    longest = column(values, start.row, LONGEST, start.f)
    longest = longest * FIRST_SHARE if first else longest
    return min(by_length, longest)


@inlined
def up_to_interaction(values, start, stretch, paths):
    """Return what lies ahead of a stretch up to an interaction, g/cm2."""
    return min(stretch, paths / (column(values, start.row, RATE, start.f) + SMALLEST))


@inlined
def range_there(values, start):
    """Return the range in the continuous slowing down approximation, g/cm2."""
    return column(values, start.row, RANGE, start.f)


@inlined
def half_way(values, kind, start, energy, paths, planned):
    """Return what a step of a planned length (cm) takes half way."""
    halfway = energy - HALF * min(start.stopping * planned, LARGEST_SHARE * energy)
    i, f = position(halfway)
    there = row(kind, i)
    rate = column(values, there, RATE, f) * start.density
    return Middle(i, there, f, rate, paths / (rate + SMALLEST), column(values, there, SCATTERING, f))


@inlined
def turn_due(middle, due, coming):
    """Return the mean square angle where a stretch begins: what is due, and half of what it will bring."""
    return max(due + HALF * middle.turning * coming, ZERO)


@inlined
def turned_softly(u, v, w, turn, words):
    """Turn a direction by a condensed deflection of this mean square angle."""
    cosine, sine = soft_angle(min(turn, LARGEST_DUE), unit(words[0]))
    return turned_by(u, v, w, cosine, sine, unit(words[1]))


@inlined
def end_of_step(ahead, boundary, middle, rejected):
    """Return how far a step goes: to the end of its stretch, the boundary or the interaction (cm)."""
    length = min(min(boundary, ahead), middle.to_interaction)
    hit = (middle.to_interaction <= min(boundary, ahead)) and (not rejected)
    crossing = (not hit) and (boundary <= ahead) and (not rejected)
    return End(ZERO if rejected else length, hit, crossing, rejected)


@inlined
def slowed(values, start, middle, end, energy, cut, planned, words):
    """Return the energy at the end of a step, what was lost on it, and whether the particle stops."""
    halfway_stopping = column(values, middle.row, STOPPING, middle.f) * start.density
    lost, growth = mean_loss(energy, start.stopping, halfway_stopping, planned, end.length)
    variance = column(values, middle.row, STRAGGLING, middle.f) * start.density * end.length * (growth * growth)
    quantum = column(values, middle.row, QUANTUM, middle.f) * growth
    few = unit(np.uint32((words[2] << NINE | words[3] & LOW_NINE) << FOURTEEN))  # of the bits that `unit` leaves
    lost = min(straggled(lost, variance, quantum, normal(unit(words[2]), unit(words[3])), few), energy)
    after = energy - lost
    stopped = (after < cut) or end.rejected
    return after, (energy if stopped else energy - after), stopped  # what was really taken off in single precision


@inlined
def what_is_left(start, middle, end, due, turn, paths, stretch):
    """Return the deflection due after a step, the mean free paths left, and the rest of the stretch."""
    due, paths = due - turn + middle.turning * start.density * end.length, max(paths - middle.rate * end.length, ZERO)
    return due, paths, max(stretch - start.density * end.length, ZERO) if end.crossing else ZERO


@inlined
def turned_hard(tables, kind, start, middle, end, u, v, w, paths, words):
    """Turn a direction by a large deflection, if that is what a step ended with.

    Returns the direction, the mean free paths left and whether there was one.
    """
    hard = column(tables.values, middle.row, HARD_ELASTIC, middle.f) * start.density / (middle.rate + SMALLEST)
    chance = unit(words[4])
    deflected = end.hit and chance < hard
    cosine, sine = hard_angle(tables, kind, middle.row, middle.i, middle.f, min(chance / (hard + SMALLEST), ONE))
    u, v, w = turned_by(u, v, w, cosine if deflected else ONE, sine if deflected else ZERO, unit(words[5]))
    return u, v, w, (-log(unit(words[7])) if deflected else paths), deflected


@inlined
def straggled(mean, variance, quantum, normal_number, chance):
    """Return a loss with this mean, this variance, and the third moment 2 x variance x quantum: `ion.straggled_loss`.

    Electrons may lose in few, large quanta. Where a step brings less than 0.3 of them, most bring none: the variate is
    that of 0.3 quanta with a chance and a scale that keep mean and variance.
    """
    quantum = max(quantum, SMALLEST_QUANTUM)
    quanta = variance / (quantum * quantum)
    few, quanta_at_least = min(quanta, FEWEST_QUANTA), max(quanta, FEWEST_QUANTA)
    scale = (ONE + few) / (ONE + FEWEST_QUANTA)
    likely = few / (FEWEST_QUANTA * scale)
    variate = quanta_at_least * gamma_over_mean(quanta_at_least, normal_number)
    return max(mean + quantum * ((scale * variate if chance < likely else ZERO) - quanta), ZERO)


@inlined
def soft_angle(mean_square, u):
    """Return cosine and sine of a condensed deflection of which 2 (1 - cos) would be this on a straight path.

    1 - cos is exponential with mean 1 - exp(-mean_square/2), which is the mean cosine of Goudsmit and Saunderson, and
    their next moment to second order.
    """
    x = HALF * mean_square
    mean = x * (ONE - HALF * x * (ONE - x * (THIRD - QUARTER * THIRD * x * (ONE - FIFTH * x))))
    m = min(-mean * log(u), TWO)
    return ONE - m, np.sqrt(m * (TWO - m))


THIRD, FIFTH = f32(1 / 3), f32(0.2)


@inlined
def hard_angle(tables, kind, start, i, f, xi):
    """Return cosine and sine of one large deflection at a cumulative probability."""
    screening = column(tables.values, start, SCREENING, f)
    smallest = column(tables.values, start, HARD_CUT, f)
    low, high = ONE / (smallest + screening), ONE / (FOUR + screening)
    q = ONE / (low + xi * (high - low)) - screening
    coarse = i32(i // _COARSE)
    g = (f32(i - i32(coarse * _COARSE)) + f) * _PER_COARSE
    t = np.sqrt(np.sqrt(min(max(q, ZERO) * QUARTER, ONE))) * _LAST_ANGLE
    cell = min(i32(t), _LAST_CELL)
    h = t - f32(cell)
    begin = i32(i32(i32(i32(kind * _COARSE_NODES) + coarse) * _ANGLES) + cell)
    below = _between(tables.hard_angle, begin, h)
    above = _between(tables.hard_angle, i32(begin + _ANGLES), h)
    q = min(max(q * (below + g * (above - below)), ZERO), FOUR)
    return ONE - HALF * q, np.sqrt(q * (ONE - QUARTER * q))


@inlined
def _between(table, begin, h):
    low = table[np.uintp(begin)]
    return low + h * (table[np.uintp(begin + i32(1))] - low)


@inlined
def to_nearest_face(p, size_x, size_y, size_z):
    """Return the distance to the nearest face of the voxel, in any direction."""
    x, y, z = min(p.fx, ONE - p.fx) * size_x, min(p.fy, ONE - p.fy) * size_y, min(p.fz, ONE - p.fz) * size_z
    return min(min(x, y), z)
