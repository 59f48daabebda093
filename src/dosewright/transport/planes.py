"""Particles that go through planes: recorded where they do, in rows that the host takes after each batch.

A particle has crossed a plane when one end of its way lies before the plane and the other on it or beyond. Ends of
ways are begins of the next, so no crossing is lost or counted twice, wherever boundaries lie.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.scoring.planes import (
    BACKWARDS,
    DIRECTION,
    DISTANCE,
    ENERGY,
    FIRST_SPECIES,
    HISTORY,
    KILLS,
    NORMAL,
    PLACE,
    PLANE,
    RECORDED,
    SPECIES,
    WEIGHT,
)

NOT_CROSSED = 2.0  # instead of a share of a way


@inlined
def through(planes, tally, begin, end, species, weight, energy, energy_there, history):
    """Record what crosses planes on a straight way; return the share of it up to a plane that ends it, else more.

    Parameters
    ----------
    begin, end
        Rays (cm); the direction is that of ``begin``.
    energy, energy_there
        Kinetic energy at both ends (MeV), in between in proportion to the way.
    """
    if planes.shape[0] == 0:
        return NOT_CROSSED
    return _through(planes, tally.crossings, begin, end, species, weight, energy, energy_there, history)


@kernel
def _through(planes, crossings, begin, end, species, weight, energy, energy_there, history):
    until = NOT_CROSSED
    for p in range(planes.shape[0]):
        if planes[p, KILLS] > 0.0:
            before, beyond = height(planes, p, begin), height(planes, p, end)
            if before < 0.0 <= beyond:
                until = min(until, before / (before - beyond))
    for p in range(planes.shape[0]):
        before, beyond = height(planes, p, begin), height(planes, p, end)
        if (before < 0.0) == (beyond < 0.0):
            continue
        share = before / (before - beyond)
        if share <= until and wanted(planes, p, species, before < 0.0):
            x = begin.x + share * (end.x - begin.x)
            y = begin.y + share * (end.y - begin.y)
            z = begin.z + share * (end.z - begin.z)
            there = energy + share * (energy_there - energy)
            record(crossings, p, species, there, x, y, z, begin, weight, history)
    return until


@inlined
def onwards(planes, tally, ray, species, weight, energy, history):
    """Record what crosses planes on its way (cm) to where nothing is any more."""
    if planes.shape[0] > 0:
        _onwards(planes, tally.crossings, ray, species, weight, energy, history)


@kernel
def _onwards(planes, crossings, ray, species, weight, energy, history):
    until = np.inf
    for p in range(planes.shape[0]):
        if planes[p, KILLS] > 0.0:
            before, slope = height(planes, p, ray), steepness(planes, p, ray)
            if before < 0.0 < slope:
                until = min(until, -before / slope)
    for p in range(planes.shape[0]):
        before, slope = height(planes, p, ray), steepness(planes, p, ray)
        if slope == 0.0 or (before < 0.0) != (slope > 0.0):
            continue
        way = -before / slope
        if way <= until and wanted(planes, p, species, slope > 0.0):
            x, y, z = ray.x + way * ray.u, ray.y + way * ray.v, ray.z + way * ray.w
            record(crossings, p, species, energy, x, y, z, ray, weight, history)


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
def record(crossings, p, species, energy, x, y, z, ray, weight, history):
    """Add a row for a crossing, or only count it where there is no room."""
    if crossings.shape[0] == 0:
        return
    crossings[0, 0] += 1.0
    n = np.int64(crossings[0, 0])
    if n >= crossings.shape[0]:
        return
    row = crossings[n]
    row[PLANE], row[SPECIES], row[ENERGY], row[WEIGHT], row[HISTORY] = p, species, energy, weight, history
    row[PLACE], row[PLACE + 1], row[PLACE + 2] = x, y, z
    row[DIRECTION], row[DIRECTION + 1], row[DIRECTION + 2] = ray.u, ray.v, ray.w
