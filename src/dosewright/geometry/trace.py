"""Where a particle is and how far it is to the next boundary.

Two boxes of voxels are known: the beamline (gantry axes) and the patient (its own axes). Between them lies one
uniform medium, the gap, described in the patient's axes. Beyond is nothing. Lengths in cm.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined

BEAMLINE, PATIENT, GAP, OUTSIDE = 0, 1, 2, 3
FAR_CM = 1.0e30


class Geometry(NamedTuple):
    """Two boxes of voxels and the way from one to the other, packed for the kernels.

    Edges of box b along axis a: ``edges[first[b, a] : first[b, a] + cells[b, a] + 1]``; voxel arrays run x fastest
    from ``voxel_first[b]``, the patient's from 0. A box with no voxels does not exist. A gap of zero density is vacuum.
    """

    edges: NDArray[np.float64]
    first: NDArray[np.int64]
    cells: NDArray[np.int64]
    voxel_first: NDArray[np.int64]
    material: NDArray[np.uint8]
    density: NDArray[np.float32]
    gap_material: int
    gap_density: float
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]


class Ray(NamedTuple):
    """A position (cm) and a unit direction, in the axes of the region the particle is in."""

    x: float
    y: float
    z: float
    u: float
    v: float
    w: float


class Place(NamedTuple):
    """A region and, inside a box, the voxel."""

    region: int
    ix: int
    iy: int
    iz: int


@inlined
def voxel_index(geometry, place):
    """Return the position of a voxel in the packed arrays."""
    b = place.region
    row = place.iz * geometry.cells[b, 1] + place.iy
    return geometry.voxel_first[b] + row * geometry.cells[b, 0] + place.ix


@inlined
def medium(geometry, place):
    """Return material and density (g/cm3) at a place."""
    if place.region == GAP:
        return geometry.gap_material, geometry.gap_density
    i = voxel_index(geometry, place)
    return np.int64(geometry.material[i]), np.float64(geometry.density[i])


@inlined
def _to_face(low, high, x, u):
    """Distance along one axis to the face ahead."""
    if u > 0.0:
        return max((high - x) / u, 0.0)
    if u < 0.0:
        return max((low - x) / u, 0.0)
    return FAR_CM


@inlined
def to_boundary(geometry, ray, place):
    """Return the distance to the next boundary and the axis (0, 1, 2) whose face it is.

    In the gap this is the distance to the patient box, `FAR_CM` where the ray misses it.
    """
    if place.region == GAP:
        return to_box(geometry, ray), 0
    b = place.region
    ex, ey, ez = geometry.first[b, 0] + place.ix, geometry.first[b, 1] + place.iy, geometry.first[b, 2] + place.iz
    dx = _to_face(geometry.edges[ex], geometry.edges[ex + 1], ray.x, ray.u)
    dy = _to_face(geometry.edges[ey], geometry.edges[ey + 1], ray.y, ray.v)
    dz = _to_face(geometry.edges[ez], geometry.edges[ez + 1], ray.z, ray.w)
    if dx <= dy and dx <= dz:
        return dx, 0
    if dy <= dz:
        return dy, 1
    return dz, 2


@inlined
def _between(low, high, x, u):
    """Interval of path lengths for which x + s u lies between two faces."""
    if u == 0.0:
        return (-FAR_CM, FAR_CM) if low <= x <= high else (FAR_CM, -FAR_CM)
    a, b = (low - x) / u, (high - x) / u
    return min(a, b), max(a, b)


@inlined
def to_box(geometry, ray):
    """Return the distance to the patient box, zero inside it, `FAR_CM` where the ray misses it."""
    enter, leave = 0.0, FAR_CM
    for axis in range(3):
        i = geometry.first[PATIENT, axis]
        low, high = geometry.edges[i], geometry.edges[i + geometry.cells[PATIENT, axis]]
        a, b = _between(low, high, (ray.x, ray.y, ray.z)[axis], (ray.u, ray.v, ray.w)[axis])
        enter, leave = max(enter, a), min(leave, b)
    return enter if enter < leave else FAR_CM


@inlined
def _find(edges, first, count, x):
    """Index of the interval that holds x; the nearest one beyond the ends."""
    low, high = 0, count
    while high - low > 1:
        middle = (low + high) // 2
        if edges[first + middle] <= x:
            low = middle
        else:
            high = middle
    return low


@inlined
def locate(geometry, ray, box):
    """Return the place of a point that lies in or on a box."""
    ix = _find(geometry.edges, geometry.first[box, 0], geometry.cells[box, 0], ray.x)
    iy = _find(geometry.edges, geometry.first[box, 1], geometry.cells[box, 1], ray.y)
    iz = _find(geometry.edges, geometry.first[box, 2], geometry.cells[box, 2], ray.z)
    return Place(box, ix, iy, iz)


@inlined
def leave_beamline(geometry, ray):
    """Turn a ray from gantry axes into the patient's and say where it is then."""
    r, t = geometry.rotation, geometry.translation
    turned = Ray(
        r[0, 0] * ray.x + r[0, 1] * ray.y + r[0, 2] * ray.z + t[0],
        r[1, 0] * ray.x + r[1, 1] * ray.y + r[1, 2] * ray.z + t[1],
        r[2, 0] * ray.x + r[2, 1] * ray.y + r[2, 2] * ray.z + t[2],
        r[0, 0] * ray.u + r[0, 1] * ray.v + r[0, 2] * ray.w,
        r[1, 0] * ray.u + r[1, 1] * ray.v + r[1, 2] * ray.w,
        r[2, 0] * ray.u + r[2, 1] * ray.v + r[2, 2] * ray.w,
    )
    return turned, enter_gap(geometry, turned)


@inlined
def enter_gap(geometry, ray):
    """Return the place of a ray outside the beamline: in the patient box, before it, or lost."""
    distance = to_box(geometry, ray)
    if distance == FAR_CM:
        return Place(OUTSIDE, 0, 0, 0)
    if distance == 0.0:
        return locate(geometry, ray, PATIENT)
    return Place(GAP, 0, 0, 0)


@inlined
def advance(ray, distance):
    """Return the ray moved along its direction."""
    return Ray(ray.x + distance * ray.u, ray.y + distance * ray.v, ray.z + distance * ray.w, ray.u, ray.v, ray.w)


@inlined
def cross(geometry, ray, place, axis):
    """Step over the boundary just reached: put the ray exactly on the face and name the next place."""
    if place.region == GAP:
        return ray, locate(geometry, ray, PATIENT)
    b = place.region
    ix, iy, iz = place.ix, place.iy, place.iz
    x, y, z = ray.x, ray.y, ray.z
    if axis == 0:
        ahead = 1 if ray.u > 0.0 else 0
        x = geometry.edges[geometry.first[b, 0] + ix + ahead]
        ix += 2 * ahead - 1
        inside = 0 <= ix < geometry.cells[b, 0]
    elif axis == 1:
        ahead = 1 if ray.v > 0.0 else 0
        y = geometry.edges[geometry.first[b, 1] + iy + ahead]
        iy += 2 * ahead - 1
        inside = 0 <= iy < geometry.cells[b, 1]
    else:
        ahead = 1 if ray.w > 0.0 else 0
        z = geometry.edges[geometry.first[b, 2] + iz + ahead]
        iz += 2 * ahead - 1
        inside = 0 <= iz < geometry.cells[b, 2]
    moved = Ray(x, y, z, ray.u, ray.v, ray.w)
    if inside:
        return moved, Place(b, ix, iy, iz)
    if b == BEAMLINE and axis == 2 and iz < 0:
        return leave_beamline(geometry, moved)
    return moved, Place(OUTSIDE, 0, 0, 0)
