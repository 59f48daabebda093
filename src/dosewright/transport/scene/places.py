"""From part to part, into the box of voxels and out of it, and out of the world.

In a scene a ray is a point in cm in the axes of the box of voxels, and a place names its cell; in the box they are what
voxels need.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.geometry.scene.trace import BEYOND, VOXELS, ahead, crossed, locate, part_of
from dosewright.geometry.trace import (
    FAR_CM,
    OUTSIDE,
    PATIENT,
    SCENE,
    Place,
    Ray,
    advance,
    enter_box,
    leave_box,
    to_box,
    to_exit,
)
from dosewright.scoring.deposit import ESCAPED
from dosewright.scoring.leaving import score_leaving
from dosewright.transport.planes import onwards
from dosewright.transport.tracks import Track

NOWHERE = np.int64(0)  # a literal nought would have a type of its own, and compile everything twice


@inlined
def has_scene(problem):
    """Say whether there are solids around the box of voxels."""
    return problem.scene.cells.shape[0] > 0


@kernel
def into_world(problem, ray, phase):
    """Return ray and place where a ray from anywhere meets the world, `OUTSIDE` where it never does."""
    scene = problem.scene
    cell = np.int64(locate(scene, ray.x, ray.y, ray.z, phase))
    if cell == BEYOND:
        distance = ahead(scene, cell, ray, FAR_CM, phase)
        if distance >= FAR_CM:
            return ray, Place(np.int64(OUTSIDE), NOWHERE, NOWHERE, NOWHERE)
        ray, cell = crossed(scene, advance(ray, distance), phase)
    return placed(problem, ray, np.int64(cell))


@inlined
def into_box(geometry, ray):
    """Return ray and place where a ray from anywhere enters the box, `OUTSIDE` where it never does."""
    distance = to_box(geometry, ray)
    if distance >= FAR_CM:
        return ray, Place(np.int64(OUTSIDE), NOWHERE, NOWHERE, NOWHERE)
    inside, place = enter_box(geometry, advance(ray, distance), np.int64(PATIENT))
    return inside, Place(np.int64(PATIENT), np.int64(place.ix), np.int64(place.iy), np.int64(place.iz))


@inlined
def over_boundary(problem, ray, phase):
    """Return ray and place of what stands on a boundary and goes on."""
    ray, cell = crossed(problem.scene, ray, phase)
    return placed(problem, ray, np.int64(cell))


@kernel
def out_of_voxels(problem, ray, phase):
    """Return ray and place of what leaves the box of voxels along a ray that begins in it or on its surface (cm)."""
    norm = 1.0 / np.sqrt(ray.u * ray.u + ray.v * ray.v + ray.w * ray.w)  # lanes are in single precision
    ray = Ray(ray.x, ray.y, ray.z, ray.u * norm, ray.v * norm, ray.w * norm)
    return over_boundary(problem, advance(ray, to_exit(problem.geometry, ray)), phase)


@inlined
def from_lane(problem, track, phase):
    """Return a track that a step through voxels has brought out of their box, in its new place."""
    ray, place = out_of_voxels(problem, leave_box(problem.geometry, track.ray, track.place), phase)
    return at_place(track, ray, place)


@inlined
def placed(problem, ray, cell):
    """Return ray and place of a point in a cell: in the box of voxels those of the box."""
    if cell == BEYOND:
        return ray, Place(np.int64(OUTSIDE), NOWHERE, NOWHERE, NOWHERE)
    if part_of(problem.scene, cell) == VOXELS:
        inside, place = enter_box(problem.geometry, ray, np.int64(PATIENT))
        return inside, Place(np.int64(PATIENT), np.int64(place.ix), np.int64(place.iy), np.int64(place.iz))
    return ray, Place(np.int64(SCENE), cell, NOWHERE, NOWHERE)


@inlined
def at_place(track, ray, place):
    """Return a track somewhere else."""
    return Track(ray, place, track.energy, track.species, track.deflection_due, track.free_paths, track.weight)


@inlined
def over(track):
    """Return a track of no energy."""
    place = Place(np.int64(OUTSIDE), NOWHERE, NOWHERE, NOWHERE)
    return Track(track.ray, place, 0.0, track.species, 0.0, 0.0, track.weight)


@inlined
def escaped(problem, tally, track, stream):
    """Score a track that leaves the world, and return it without energy."""
    onwards(problem.planes, tally, track.ray, track.species, track.weight, track.energy, stream, False)
    tally.account[ESCAPED] += track.weight * track.energy
    score_leaving(problem.leaving, tally, track.species, track.energy, track.ray.w, track.weight)
    return over(track)
