"""Where a particle is and how far it is to the next boundary.

Two boxes of voxels are known: the beamline (gantry axes) and the patient (its own axes). Between them lies one
uniform medium, the gap, described in the patient's axes. Beyond is nothing. Lengths in cm.

Inside a box a place is a voxel and, along each axis, the fraction of the way from its lower to its upper face. A
particle that crosses a face gets the fraction 0 or 1 exactly, so that single precision cannot strand it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined
from dosewright.core.single import ONE, ZERO, bits_of, f32, float_of, i32

BEAMLINE, PATIENT, GAP, OUTSIDE, SCENE = 0, 1, 2, 3, 4
FAR_CM = 1.0e30
_FAR, _HARDLY = f32(FAR_CM), f32(1.0e-20)

# A voxel in one word: the upper 24 bits of the density as a float32 (to 1.6e-5), the lower 8 the material.
_MATERIAL = i32(0xFF)
_DENSITY = i32(-256)


class Geometry(NamedTuple):
    """Two boxes of voxels and the way from one to the other, packed for the kernels.

    Faces of box b along axis a: ``edges[first[b, a] : first[b, a] + cells[b, a] + 1]``, their distances `sizes` at the
    same places; `voxels` run x fastest from ``voxel_first[b]``, the patient's from 0. A box with no voxels does not
    exist. A gap of zero density is vacuum.
    """

    edges: NDArray[np.float64]
    faces: NDArray[np.float32]
    sizes: NDArray[np.float32]
    first: NDArray[np.int32]
    cells: NDArray[np.int32]
    voxel_first: NDArray[np.int32]
    voxels: NDArray[np.int32]
    gap_material: int
    gap_density: float
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]


class Ray(NamedTuple):
    """A position and a unit direction.

    In the gap the position is in cm; inside a box it is the three fractions of the way through the voxel.
    """

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


def packed_voxels(material: NDArray[np.uint8], density_g_cm3: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return materials and densities as one flat array of words, the density rounded to 16 bits of mantissa."""
    words = density_g_cm3.astype(np.float32).ravel().view(np.int32).copy()
    words += 128
    words &= np.int32(_DENSITY)
    words |= material.ravel()
    return words


def unpacked_voxels(words: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return materials and densities (g/cm3) of packed voxels."""
    return words & np.int32(_MATERIAL), (words & np.int32(_DENSITY)).view(np.float32)


@inlined
def packed_word(material, density_g_cm3):
    """Return one medium as a word."""
    return i32(i32(i32(bits_of(density_g_cm3) + i32(128)) & _DENSITY) | i32(material))


@inlined
def voxel_index(geometry, place):
    """Return the position of a voxel in the packed arrays."""
    b = place.region
    row = place.iz * geometry.cells[b, 1] + place.iy
    return geometry.voxel_first[b] + row * geometry.cells[b, 0] + place.ix


@inlined
def medium_of(word):
    """Return material and density (g/cm3) of a packed voxel."""
    return i32(word & _MATERIAL), float_of(i32(word & _DENSITY))


@inlined
def to_face(fraction, size, u):
    """Distance along one axis to the face ahead, from inside a voxel."""
    left = (ONE - fraction if u > ZERO else fraction) * size
    return left / abs(u) if abs(u) > _HARDLY else _FAR


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
def to_exit(geometry, ray):
    """Return the distance from a point in the patient box to where its ray leaves it; zero outside."""
    way = FAR_CM
    for axis in range(3):
        begin = geometry.first[PATIENT, axis]
        low, high = geometry.edges[begin], geometry.edges[begin + geometry.cells[PATIENT, axis]]
        x, u = (ray.x, ray.y, ray.z)[axis], (ray.u, ray.v, ray.w)[axis]
        if u > 0.0:
            way = min(way, (high - x) / u)
        elif u < 0.0:
            way = min(way, (low - x) / u)
        elif not low <= x < high:
            way = 0.0
    return max(way, 0.0)


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
def _fraction(edges, i, x):
    """Fraction of the way through the interval that begins at edge `i`."""
    return min(max((x - edges[i]) / (edges[i + 1] - edges[i]), 0.0), 1.0)


@inlined
def enter_box(geometry, ray, box):
    """Return ray and place, inside a box, of a point that lies in it or on its surface."""
    first, cells, edges = geometry.first, geometry.cells, geometry.edges
    ix = _find(edges, first[box, 0], cells[box, 0], ray.x)
    iy = _find(edges, first[box, 1], cells[box, 1], ray.y)
    iz = _find(edges, first[box, 2], cells[box, 2], ray.z)
    fx = _fraction(edges, first[box, 0] + ix, ray.x)
    fy = _fraction(edges, first[box, 1] + iy, ray.y)
    fz = _fraction(edges, first[box, 2] + iz, ray.z)
    return Ray(fx, fy, fz, ray.u, ray.v, ray.w), Place(box, ix, iy, iz)


@inlined
def leave_box(geometry, ray, place):
    """Return the ray of a point on the surface of a box with its position in cm; `place` may be one voxel outside."""
    first, cells, edges, box = geometry.first, geometry.cells, geometry.edges, place.region
    x = _position(edges, first[box, 0], cells[box, 0], place.ix, ray.x)
    y = _position(edges, first[box, 1], cells[box, 1], place.iy, ray.y)
    z = _position(edges, first[box, 2], cells[box, 2], place.iz, ray.z)
    return Ray(x, y, z, ray.u, ray.v, ray.w)


@inlined
def _position(edges, first, count, i, fraction):
    if i < 0:
        return edges[first]
    if i >= count:
        return edges[first + count]
    return edges[first + i] + fraction * (edges[first + i + 1] - edges[first + i])


@inlined
def to_patient_axes(geometry, ray):
    """Turn a ray from gantry axes into the patient's."""
    r, t = geometry.rotation, geometry.translation
    return Ray(
        r[0, 0] * ray.x + r[0, 1] * ray.y + r[0, 2] * ray.z + t[0],
        r[1, 0] * ray.x + r[1, 1] * ray.y + r[1, 2] * ray.z + t[1],
        r[2, 0] * ray.x + r[2, 1] * ray.y + r[2, 2] * ray.z + t[2],
        r[0, 0] * ray.u + r[0, 1] * ray.v + r[0, 2] * ray.w,
        r[1, 0] * ray.u + r[1, 1] * ray.v + r[1, 2] * ray.w,
        r[2, 0] * ray.u + r[2, 1] * ray.v + r[2, 2] * ray.w,
    )


@inlined
def advance(ray, distance):
    """Return the ray of the gap moved along its direction."""
    return Ray(ray.x + distance * ray.u, ray.y + distance * ray.v, ray.z + distance * ray.w, ray.u, ray.v, ray.w)
