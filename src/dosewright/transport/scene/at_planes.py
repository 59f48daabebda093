"""What becomes of particles at planes: recorded there they go on, end, or go on as several."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.geometry.scene.cell_rays import BEYOND_CM
from dosewright.geometry.scene.trace import phase_of
from dosewright.geometry.trace import OUTSIDE, PATIENT, Ray, leave_box
from dosewright.scoring.deposit import ESCAPED
from dosewright.scoring.planes import BECOMES, NORMAL, REPEATS
from dosewright.transport.planes import between, onwards, through
from dosewright.transport.reuse import AS_IT_IS, MIRROR_X, MIRROR_XY, MIRROR_Y
from dosewright.transport.scene.places import has_scene, into_box, into_world
from dosewright.transport.tracks import push_copies


@inlined
def ends_on_way(problem, tally, track, there, stack, waiting, stream):
    """Record a particle that loses nothing at the planes on its way to a place (cm).

    Returns whether it ends at one of them, maybe to go on as several, the stack count and the stream.
    """
    energy, species, weight = track.energy, track.species, track.weight
    share, p = through(problem.planes, tally, track.ray, there, species, weight, energy, energy, stream)
    if share > 1.0:
        return False, waiting, stream
    at, due = between(track.ray, there, share), track.deflection_due
    waiting, stream = ends_at(problem, p, at, species, weight, energy, due, tally, stack, waiting, stream)
    return True, waiting, stream


@kernel
def ends_at(problem, p, ray, species, weight, energy, due, tally, stack, waiting, stream):
    """End a particle at a plane: its energy (MeV) escapes, or it goes on as several; returns the count and the stream.

    Those are put on the stack a little beyond the plane, where they enter the scene or the box.
    """
    plane, reuse = problem.planes[p], problem.reuse
    if plane[BECOMES] != REPEATS:
        tally.account[ESCAPED] += weight * energy
        return waiting, stream
    x, y, z = (
        ray.x + BEYOND_CM * plane[NORMAL],
        ray.y + BEYOND_CM * plane[NORMAL + 1],
        ray.z + BEYOND_CM * plane[NORMAL + 2],
    )
    beyond = Ray(x, y, z, ray.u, ray.v, ray.w)
    turns = 1 if reuse.mirror == AS_IT_IS else (4 if reuse.mirror == MIRROR_XY else 2)
    each = weight / reuse.copies
    for turn in range(turns):
        many = np.ceil((reuse.copies - turn) / turns)
        if many > 0.0:
            start = mirrored(reuse, beyond, turn)
            waiting, stream = _set_out(problem, start, species, each, many, energy, due, tally, stack, waiting, stream)
    return waiting, stream


@inlined
def mirrored(reuse, ray, turn):
    """Return the ray (cm, axes of the box) of a use of a particle: as it is, or turned in x or y of the run or both."""
    in_x = turn % 2 == 1 and (reuse.mirror == MIRROR_X or reuse.mirror == MIRROR_XY)
    in_y = turn >= 2 or (turn == 1 and reuse.mirror == MIRROR_Y)
    if not (in_x or in_y):
        return ray
    m, x, y, z, u, v, w = reuse.axes, ray.x, ray.y, ray.z, ray.u, ray.v, ray.w
    if in_x:
        x, y, z, u, v, w = _turned(m, 0, x, y, z, u, v, w)
    if in_y:
        x, y, z, u, v, w = _turned(m, 1, x, y, z, u, v, w)
    return Ray(x, y, z, u, v, w)


@inlined
def _turned(m, axis, x, y, z, u, v, w):
    """Mirror a place and a direction at the plane on which a coordinate of the run, a row of `m`, is zero."""
    a, b, c = m[axis, 0], m[axis, 1], m[axis, 2]
    off, along = 2.0 * (a * x + b * y + c * z + m[axis, 3]), 2.0 * (a * u + b * v + c * w)
    return x - off * a, y - off * b, z - off * c, u - along * a, v - along * b, w - along * c


@inlined
def _set_out(problem, ray, species, weight, copies, energy, due, tally, stack, waiting, stream):
    """Put so many particles on the stack where their ray (cm) enters the scene or the box; returns count and stream."""
    _, _, _, _, stream = draw_four(stream)
    if has_scene(problem):
        inside, place = into_world(problem, ray, phase_of(problem.scene, stream.seed, stream.history))
    else:
        inside, place = into_box(problem.geometry, ray)
    together = copies * weight
    if place.region == OUTSIDE:
        tally.account[ESCAPED] += together * energy
        onwards(problem.planes, tally, ray, species, together, energy, stream, False)
        return waiting, stream
    entry = leave_box(problem.geometry, inside, place) if place.region == PATIENT else inside
    share, _ = through(problem.planes, tally, ray, entry, species, together, energy, energy, stream)
    if share <= 1.0:
        tally.account[ESCAPED] += together * energy
        return waiting, stream
    return push_copies(stack, waiting, inside, place, energy, species, copies, weight, due, stream), stream
