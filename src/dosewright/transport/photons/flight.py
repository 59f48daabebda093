"""A photon from where it is made to its end, by Woodcock tracking.

It flies with the largest attenuation coefficient of the whole box and interacts with the share that belongs to the
place it comes to (Woodcock et al., ANL-7050, 557 (1965)), so that it need not stop at the faces of voxels.
"""

import numpy as np

from dosewright.core.jit import inlined
from dosewright.core.random import draw_four
from dosewright.geometry.scene.trace import phase_of
from dosewright.geometry.trace import OUTSIDE, PATIENT, Place, Ray, leave_box, medium_of
from dosewright.materials.photons.lookup import position
from dosewright.scoring.deposit import BINDING, CAPPED_HISTORIES, ESCAPED
from dosewright.scoring.leaving import score_leaving
from dosewright.transport.carried import tag_scattered
from dosewright.transport.electrons.absorb import absorb_here
from dosewright.transport.lineage import note_interacted, note_out_of_voxels
from dosewright.transport.photons.interact import interact
from dosewright.transport.planes import onwards
from dosewright.transport.scene.places import escaped, has_scene, out_of_voxels, over
from dosewright.transport.tracks import PHOTON, Track

MOST_FLIGHTS = 1_000_000


@inlined
def fly(problem, track, tally, stack, waiting, stream):
    """Follow a photon in the patient box until nothing is left of it or it comes out into a scene.

    What it makes goes on the stack. Returns the track, of no energy if it is over, the stack count and the stream.
    """
    geometry, attenuation = problem.geometry, problem.photons.attenuation
    energy, weight = track.energy, track.weight
    at = leave_box(geometry, track.ray, track.place)
    first, cells = geometry.first, geometry.cells
    x0, x1 = geometry.edges[first[PATIENT, 0]], geometry.edges[first[PATIENT, 0] + cells[PATIENT, 0]]
    y0, y1 = geometry.edges[first[PATIENT, 1]], geometry.edges[first[PATIENT, 1] + cells[PATIENT, 1]]
    z0, z1 = geometry.edges[first[PATIENT, 2]], geometry.edges[first[PATIENT, 2] + cells[PATIENT, 2]]
    i, f = position(attenuation, energy)
    largest = attenuation.largest[i] + f * (attenuation.largest[i + 1] - attenuation.largest[i])
    paths = track.free_paths
    for _ in range(MOST_FLIGHTS):
        a, b, c, _, stream = draw_four(stream)
        s = (paths if paths > 0.0 else -np.log(a)) / largest
        paths = 0.0
        x, y, z = at.x + s * at.u, at.y + s * at.v, at.z + s * at.w
        if not (x0 <= x < x1 and y0 <= y < y1 and z0 <= z < z1):
            if has_scene(problem):
                phase = phase_of(problem.scene, stream.seed, stream.history)
                ray, place = out_of_voxels(problem, at, phase)
                track = Track(ray, place, energy, track.species, 0.0, 0.0, weight)
                if place.region == OUTSIDE:
                    return escaped(problem, tally, track, stream), waiting, stream
                note_out_of_voxels(problem, tally, track, stream)
                return track, waiting, stream
            tally.account[ESCAPED] += weight * energy
            score_leaving(problem.leaving, tally, PHOTON, energy, at.w, weight)
            onwards(problem.planes, tally, at, np.int64(PHOTON), weight, energy, stream, False)
            return over(track), waiting, stream
        at = Ray(x, y, z, at.u, at.v, at.w)
        ix, fx = cell_of(geometry.edges, first[PATIENT, 0], cells[PATIENT, 0], x0, x1, x)
        iy, fy = cell_of(geometry.edges, first[PATIENT, 1], cells[PATIENT, 1], y0, y1, y)
        iz, fz = cell_of(geometry.edges, first[PATIENT, 2], cells[PATIENT, 2], z0, z1, z)
        word = geometry.voxels[(iz * cells[PATIENT, 1] + iy) * cells[PATIENT, 0] + ix]
        material, density = medium_of(word)
        total = attenuation.total[material, i]
        total += f * (attenuation.total[material, i + 1] - total)
        if b * largest >= total * density:
            continue
        inside, place = Ray(fx, fy, fz, at.u, at.v, at.w), Place(PATIENT, ix, iy, iz)
        before = Track(inside, place, energy, np.int64(PHOTON), 0.0, 0.0, weight)
        energy, inside, here, made, waiting, stream = interact(
            problem, np.int64(material), i, f, c * total, energy, weight, inside, place, stack, waiting, stream
        )
        note_interacted(problem, tally, before, stream)
        tally.account[BINDING] += weight * made
        absorb_here(problem, tally, np.int64(material), inside, place, weight * here)
        tag_scattered(problem, tally, np.int64(material), place, before.energy, energy, stack, waiting)
        if energy <= 0.0:
            return over(track), waiting, stream
        at = Ray(x, y, z, inside.u, inside.v, inside.w)
        i, f = position(attenuation, energy)
        largest = attenuation.largest[i] + f * (attenuation.largest[i + 1] - attenuation.largest[i])
    tally.account[CAPPED_HISTORIES] += 1.0
    tally.account[ESCAPED] += weight * energy
    return over(track), waiting, stream


@inlined
def cell_of(edges, first, count, low, high, x):
    """Return the cell along one axis that holds x, and the fraction of the way through it.

    The first guess is right where cells are even; from there it is a walk.
    """
    cell = min(np.int64((x - low) / (high - low) * count), np.int64(count - 1))
    while cell > 0 and edges[first + cell] > x:
        cell -= 1
    while cell < count - 1 and edges[first + cell + 1] <= x:
        cell += 1
    left = edges[first + cell]
    return cell, min(max((x - left) / (edges[first + cell + 1] - left), 0.0), 1.0)
