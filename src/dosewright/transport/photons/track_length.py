"""A photon from where it is made to its end, scoring kerma on its way through every voxel.

The track-length estimator (Williamson, Med. Phys. 14, 567 (1987)): a photon of energy E leaves on average
E mu_en/rho per unit of mass thickness. Every photon that crosses a voxel speaks for its dose, not only the few that
interact there. It is the dose where electrons do not leave the voxel they are made in.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four, start_stream
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.geometry.trace import FAR_CM, PATIENT, Place, Ray, leave_box, medium_of
from dosewright.materials.photons.lookup import position
from dosewright.scoring.deposit import BINDING, CAPPED_HISTORIES, DEPOSITED, ESCAPED, add
from dosewright.scoring.leaving import score_leaving
from dosewright.transport.photons.compton import compton
from dosewright.transport.photons.interact import interact
from dosewright.transport.photons.quantile import quantile
from dosewright.transport.tracks import PHOTON

MOST_INTERACTIONS = 100_000
NO_ELECTRONS = 1.0e30  # MeV, a cut that absorbs all
SHORT_OF_THE_END = 1.0 - 1.0e-9  # so that rounding leads into no voxel beyond the last
NOBODY_WORD = np.int32(-1)  # no voxel has it: its density would be no number


@kernel
def fly_scoring(problem, ray, place, energy, weight, tally, stack, waiting, stream):
    """Follow a photon through the patient box until nothing is left of it; returns the stack count.

    All it leaves is times `weight`.
    """
    geometry, attenuation = problem.geometry, problem.photons.attenuation
    at = leave_box(geometry, ray, place)
    for _ in range(MOST_INTERACTIONS):
        i, f = position(attenuation, energy)
        a, c, _, _, stream = draw_four(stream)
        if problem.uniform:
            x, y, z, place, word = _through_layers(problem, at, place, i, f, -np.log(a), weight, tally)
        else:
            x, y, z, place, word = _to_interaction(problem, at, place, i, f, -np.log(a), weight, tally)
        if word == NOBODY_WORD:
            tally.account[ESCAPED] += weight * energy
            score_leaving(problem.leaving, tally, PHOTON, energy, at.w, weight)
            return waiting
        material = np.int64(medium_of(word)[0])
        total = attenuation.total[material, i]
        total += f * (attenuation.total[material, i + 1] - total)
        inside = Ray(
            _fraction(geometry, 0, place.ix, x),
            _fraction(geometry, 1, place.iy, y),
            _fraction(geometry, 2, place.iz, z),
            at.u,
            at.v,
            at.w,
        )
        energy, inside, here, made, waiting, stream = interact(
            problem, material, i, f, c * total, energy, weight, inside, place, stack, waiting, stream
        )
        tally.account[BINDING] += weight * made
        tally.account[DEPOSITED] += weight * here
        if energy <= 0.0:
            return waiting
        at = Ray(x, y, z, inside.u, inside.v, inside.w)
    tally.account[CAPPED_HISTORIES] += 1.0
    tally.account[ESCAPED] += weight * energy
    return waiting


@kernel
def _to_interaction(problem, at, place, i, f, paths, weight, tally):
    """Walk through the voxels until the mean free paths are used up, scoring on the way.

    Returns the point (cm), its place, and the word of the voxel, `NOBODY_WORD` outside the box.
    """
    geometry, attenuation = problem.geometry, problem.photons.attenuation
    nx, ny, nz = geometry.cells[PATIENT, 0], geometry.cells[PATIENT, 1], geometry.cells[PATIENT, 2]
    per_x, per_y, per_z = _inverse(at.u), _inverse(at.v), _inverse(at.w)
    ix, iy, iz = place.ix, place.iy, place.iz
    aside_x, aside_y, aside_z = (1 if at.u > 0.0 else -1), (1 if at.v > 0.0 else -1), (1 if at.w > 0.0 else -1)
    edge_x = geometry.first[PATIENT, 0] + (1 if at.u > 0.0 else 0)
    edge_y = geometry.first[PATIENT, 1] + (1 if at.v > 0.0 else 0)
    edge_z = geometry.first[PATIENT, 2] + (1 if at.w > 0.0 else 0)
    next_x = _ahead(geometry.edges[edge_x + ix] - at.x, per_x)
    next_y = _ahead(geometry.edges[edge_y + iy] - at.y, per_y)
    next_z = _ahead(geometry.edges[edge_z + iz] - at.z, per_z)
    s, last, mu, rate = 0.0, NOBODY_WORD, 0.0, 0.0
    while True:
        voxel = (iz * ny + iy) * nx + ix
        word = geometry.voxels[voxel]
        if word != last:
            material, density = medium_of(word)
            total = attenuation.total[material, i]
            mu = (total + f * (attenuation.total[material, i + 1] - total)) * density
            left = problem.kerma[material, i]
            rate = weight * (left + f * (problem.kerma[material, i + 1] - left)) * density
            last = word
        ahead = min(min(next_x, next_y), next_z)
        length = max(ahead - s, 0.0)
        if paths <= mu * length:
            length = paths / mu
            add(tally.energy, voxel, rate * length)
            s += length
            return at.x + s * at.u, at.y + s * at.v, at.z + s * at.w, Place(PATIENT, ix, iy, iz), word
        add(tally.energy, voxel, rate * length)
        paths -= mu * length
        s = ahead
        if next_x <= ahead:
            ix += aside_x
            if ix < 0 or ix >= nx:
                break
            next_x = _ahead(geometry.edges[edge_x + ix] - at.x, per_x)
        elif next_y <= ahead:
            iy += aside_y
            if iy < 0 or iy >= ny:
                break
            next_y = _ahead(geometry.edges[edge_y + iy] - at.y, per_y)
        else:
            iz += aside_z
            if iz < 0 or iz >= nz:
                break
            next_z = _ahead(geometry.edges[edge_z + iz] - at.z, per_z)
    return 0.0, 0.0, 0.0, place, NOBODY_WORD


@kernel
def _through_layers(problem, at, place, i, f, paths, weight, tally):
    """Do the same where all voxels are alike: one layer of voxels after the other, without a branch inside.

    Layers lie across the axis (c) of which the photon crosses most faces, so that it crosses at most one face of each
    other axis (a, b) on its way through one: it is in three voxels at most.
    """
    geometry, attenuation = problem.geometry, problem.photons.attenuation
    word = geometry.voxels[0]
    material, density = medium_of(word)
    total = attenuation.total[material, i]
    mu = (total + f * (attenuation.total[material, i + 1] - total)) * density
    left = problem.kerma[material, i]
    rate = weight * (left + f * (problem.kerma[material, i + 1] - left)) * density
    nx, ny = np.int64(geometry.cells[PATIENT, 0]), np.int64(geometry.cells[PATIENT, 1])
    next_a, pitch_a, jump_a, end_a = _faces_ahead(geometry, 0, place.ix, at.x, at.u, np.int64(1))
    next_b, pitch_b, jump_b, end_b = _faces_ahead(geometry, 1, place.iy, at.y, at.v, nx)
    next_c, pitch_c, jump_c, end_c = _faces_ahead(geometry, 2, place.iz, at.z, at.w, nx * ny)
    end = min(min(end_a, end_b), end_c) * SHORT_OF_THE_END
    if pitch_a < pitch_c and pitch_a <= pitch_b:
        next_a, pitch_a, jump_a, next_c, pitch_c, jump_c = next_c, pitch_c, jump_c, next_a, pitch_a, jump_a
    elif pitch_b < pitch_c:
        next_b, pitch_b, jump_b, next_c, pitch_c, jump_c = next_c, pitch_c, jump_c, next_b, pitch_b, jump_b
    voxel, s, length = (place.iz * ny + place.iy) * nx + place.ix, 0.0, min(paths / mu, end)
    while True:
        until = min(next_c, length)
        at_a, at_b = min(next_a, until), min(next_b, until)
        crosses_a, crosses_b = next_a < until, next_b < until
        step_a, step_b = (jump_a if crosses_a else 0), (jump_b if crosses_b else 0)
        middle = voxel + (step_a if at_a <= at_b else step_b)
        early, late = min(at_a, at_b), max(at_a, at_b)
        add(tally.energy, voxel, rate * (early - s))
        add(tally.energy, middle, rate * (late - early))
        voxel += step_a + step_b
        add(tally.energy, voxel, rate * (until - late))
        next_a += pitch_a if crosses_a else 0.0
        next_b += pitch_b if crosses_b else 0.0
        s = until
        if s >= length:
            break
        voxel += jump_c
        next_c += pitch_c
    if length >= end:
        return 0.0, 0.0, 0.0, place, NOBODY_WORD
    layer, row = voxel // (nx * ny), voxel // nx
    here = Place(PATIENT, voxel - row * nx, row - layer * ny, layer)
    return at.x + s * at.u, at.y + s * at.v, at.z + s * at.w, here, word


@inlined
def _faces_ahead(geometry, axis, cell, x, u, stride):
    """Return the distances to the next face of an axis, from face to face, how far apart voxels are, and to the end."""
    first, count = geometry.first[PATIENT, axis], np.int64(geometry.cells[PATIENT, axis])
    size, per_cosine = geometry.edges[first + 1] - geometry.edges[first], _inverse(u)
    up = u > 0.0
    ahead = max(_ahead(geometry.edges[first + cell + (1 if up else 0)] - x, per_cosine), 0.0)
    pitch = size * abs(per_cosine) if per_cosine != 0.0 else FAR_CM
    more = count - 1 - cell if up else cell
    return ahead, pitch, (stride if up else -stride), ahead + more * pitch


@inlined
def _inverse(u):
    """Return one over a direction cosine, zero where it is as good as none."""
    return 1.0 / u if abs(u) > 1.0e-12 else 0.0


@inlined
def _ahead(way, per_cosine):
    """Return the distance along the ray to a face."""
    return way * per_cosine if per_cosine != 0.0 else FAR_CM


@inlined
def _fraction(geometry, axis, i, x):
    left = geometry.edges[geometry.first[PATIENT, axis] + i]
    right = geometry.edges[geometry.first[PATIENT, axis] + i + 1]
    return min(max((x - left) / (right - left), 0.0), 1.0)


@kernel
def compton_transfer(tables, emitted, row_of_z, material, energy, samples, photon_cut, stack, seed):
    """Return the mean energy (MeV) that Compton scattering of photons of one energy takes off photons.

    Sampled where electrons are bound, as a difference to electrons at rest, which are summed up. ``emitted`` [element,
    shell] is the mean energy of characteristic photons after a vacancy.
    """
    k = energy / ELECTRON_MASS_MEV
    most, bound, free = energy * 2.0 * k / (1.0 + 2.0 * k), 0.0, 0.0
    along = Ray(0.5, 0.5, 0.5, 0.0, 0.0, 1.0)
    place = Place(PATIENT, 0, 0, 0)
    for n in range(samples):
        stream = start_stream(seed, np.uint64(n))
        after, turned, _, z, shell, _, _ = compton(
            tables, material, energy, along, place, photon_cut, NO_ELECTRONS, stack, 0, stream
        )
        bound += energy / (1.0 + k * (1.0 - turned.w)) - after
        if shell >= 0:
            bound -= emitted[row_of_z[z], shell]
        free += most * quantile(tables.loss, material, energy, (n + 0.5) / samples)
    return (bound + free) / samples
