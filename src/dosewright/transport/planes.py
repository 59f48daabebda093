"""Particles that go through planes: recorded where they do, in rows that the host takes after each batch.

A particle has crossed a plane when one end of its way lies before the plane and the other on it or beyond. Ends of
ways are begins of the next, so no crossing is lost or counted twice, wherever boundaries lie.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.geometry.trace import FAR_CM, Ray, advance
from dosewright.scoring.planes import (
    BACKWARDS,
    BECOMES,
    DIRECTION,
    DISTANCE,
    ENDS,
    ENERGY,
    FIRST_SPECIES,
    GOES_ON,
    HISTORY,
    LOGGED,
    NORMAL,
    PARTICLE,
    PLACE,
    PLANE,
    RECORDED,
    REPEATS,
    SPECIES,
    WEIGHT,
)
from dosewright.transport.tracks import number_of

NOT_CROSSED = 2.0  # instead of a share of a way
NO_PLANE = np.int64(-1)


@inlined
def through(planes, tally, begin, end, species, weight, energy, energy_there, stream):
    """Record what crosses planes on a straight way.

    Returns the share of the way up to the first plane at which the particle does not go on as it is, more than one
    where there is none, and the number of that plane.

    Parameters
    ----------
    begin, end
        Rays (cm); the direction is that of ``begin``.
    energy, energy_there
        Kinetic energy at both ends (MeV), in between in proportion to the way.
    stream
        That of the particle, which says who it is.
    """
    if planes.shape[0] == 0:
        return NOT_CROSSED, NO_PLANE
    return _through(planes, tally.crossings, tally.log, begin, end, species, weight, energy, energy_there, stream)


@kernel
def _through(planes, crossings, log, begin, end, species, weight, energy, energy_there, stream):
    until, last = NOT_CROSSED, NO_PLANE
    for p in range(planes.shape[0]):
        if planes[p, BECOMES] != GOES_ON:
            before, beyond = height(planes, p, begin), height(planes, p, end)
            if before < 0.0 <= beyond and before / (before - beyond) < until:
                until, last = before / (before - beyond), np.int64(p)
    for p in range(planes.shape[0]):
        before, beyond = height(planes, p, begin), height(planes, p, end)
        if (before < 0.0) == (beyond < 0.0):
            continue
        share = before / (before - beyond)
        if share <= until and wanted(planes, p, species, before < 0.0):
            there = energy + share * (energy_there - energy)
            record(crossings, log, p, species, there, between(begin, end, share), weight, stream)
    return until, last


@inlined
def between(begin, end, share):
    """Return the ray that a particle has at a share of a straight way."""
    x = begin.x + share * (end.x - begin.x)
    y = begin.y + share * (end.y - begin.y)
    z = begin.z + share * (end.z - begin.z)
    return Ray(x, y, z, begin.u, begin.v, begin.w)


@inlined
def onwards(planes, tally, ray, species, weight, energy, stream, repeats):
    """Record what crosses planes on its way to where nothing is any more.

    Returns how far it is (cm) to the first plane at which it ends, or goes on as several where it `repeats`, and the
    number of that plane, `NO_PLANE` where there is none.
    """
    if planes.shape[0] == 0:
        return FAR_CM, NO_PLANE
    return _onwards(planes, tally.crossings, tally.log, ray, species, weight, energy, stream, repeats)


@kernel
def _onwards(planes, crossings, log, ray, species, weight, energy, stream, repeats):
    until, last = FAR_CM, NO_PLANE
    for p in range(planes.shape[0]):
        if planes[p, BECOMES] == ENDS or (repeats and planes[p, BECOMES] == REPEATS):
            before, slope = height(planes, p, ray), steepness(planes, p, ray)
            if before < 0.0 < slope and -before / slope < until:
                until, last = -before / slope, np.int64(p)
    for p in range(planes.shape[0]):
        before, slope = height(planes, p, ray), steepness(planes, p, ray)
        if slope == 0.0 or (before < 0.0) != (slope > 0.0):
            continue
        way = -before / slope
        if way <= until and wanted(planes, p, species, slope > 0.0):
            record(crossings, log, p, species, energy, advance(ray, way), weight, stream)
    return until, last


@inlined
def nearest_plane(planes, ray):
    """Return the distance from a place to the nearest plane, cm; infinite where there is none."""
    way = np.inf
    for p in range(planes.shape[0]):
        way = min(way, abs(height(planes, p, ray)))
    return way


@inlined
def height(planes, p, ray):
    """Return how far beyond a plane a place is, less than nothing before it, cm."""
    plane = planes[p]
    return plane[NORMAL] * ray.x + plane[NORMAL + 1] * ray.y + plane[NORMAL + 2] * ray.z - plane[DISTANCE]


@inlined
def steepness(planes, p, ray):
    """Return the cosine between a direction and the normal of a plane."""
    plane = planes[p]
    return plane[NORMAL] * ray.u + plane[NORMAL + 1] * ray.v + plane[NORMAL + 2] * ray.w


@inlined
def wanted(planes, p, species, forward):
    """Return whether a plane records a species that crosses it in a direction."""
    return planes[p, RECORDED + species - FIRST_SPECIES] > 0.0 and (forward or planes[p, BACKWARDS] > 0.0)


@inlined
def record(crossings, log, p, species, energy, ray, weight, stream):
    """Add a row for a crossing at the place of a ray, or only count it where there is no room."""
    if crossings.shape[0] == 0:
        return
    crossings[0, 0] += 1.0
    n = np.int64(crossings[0, 0])
    if n >= crossings.shape[0]:
        return
    row = crossings[n]
    row[PLANE], row[SPECIES], row[ENERGY], row[WEIGHT], row[HISTORY] = p, species, energy, weight, stream.history
    row[PARTICLE], row[LOGGED] = number_of(stream), (log[0, 0] if log.shape[0] > 0 else 0.0)
    row[PLACE], row[PLACE + 1], row[PLACE + 2] = ray.x, ray.y, ray.z
    row[DIRECTION], row[DIRECTION + 1], row[DIRECTION + 2] = ray.u, ray.v, ray.w
