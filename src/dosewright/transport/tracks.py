"""A particle in flight, and the stack of those that wait."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import HIGH_SHIFT, LOW, Stream, draw_four
from dosewright.core.units import (
    ALPHA_MASS_MEV,
    DEUTERON_MASS_MEV,
    HELION_MASS_MEV,
    PROTON_MASS_MEV,
    TRITON_MASS_MEV,
)
from dosewright.geometry.trace import Place, Ray
from dosewright.materials.lookup import HELIUM_RATE, ION_RATE, PROTON_RATE

PROTON, DEUTERON, ALPHA, TRITON, HELION = 0, 1, 2, 3, 4
PHOTON, ELECTRON, POSITRON = 5, 6, 7
INTERACTING = 8  # a photon that interacts where it is
# By species: nucleons (one where there are none), charge squared; mass of the nuclei (MeV).
NUCLEONS = np.array([1.0, 2.0, 4.0, 3.0, 3.0, 1.0, 1.0, 1.0])
CHARGE_SQUARED = np.array([1.0, 1.0, 4.0, 1.0, 4.0, 0.0, 1.0, 1.0])
MASS_MEV = np.array([PROTON_MASS_MEV, DEUTERON_MASS_MEV, ALPHA_MASS_MEV, TRITON_MASS_MEV, HELION_MASS_MEV])

# Of the nuclei, in `materials.lookup`; the others have tables of their own.
RATE_COLUMN = np.array([PROTON_RATE, ION_RATE, HELIUM_RATE, ION_RATE, HELIUM_RATE, 0, 0, 0])

STACK_ROWS = 4096
ENERGY, SPECIES = 6, 7  # columns of the stack
_HISTORY, _PARTICLE, WEIGHT, COPIES, _DUE = 12, 13, 14, 15, 16
# Number of the parent, how many random numbers it had drawn, and whether this is no child, but goes on as it was.
PARENT, PARENT_AT, SAME = 17, 18, 19
TAG = 20  # see `transport.carried`
UNSET = -1.0  # the tag of what has just been put on the stack
_OF_COPIES = 21  # how many a row stood for when it was put there
STACK_COLUMNS = 22


class Track(NamedTuple):
    """A charged particle between two steps.

    Attributes
    ----------
    ray, place
        Where it is (see `geometry.trace`).
    energy
        Kinetic energy, MeV.
    species
        ``PROTON``, ``DEUTERON``, ``ALPHA``, ``TRITON`` or ``HELION``.
    deflection_due
        Mean square angle (rad2) of the second half of the last step, still to be applied.
    free_paths
        Mean free paths left to the next hard interaction.
    weight
        How many particles it stands for: one, but with variance reduction.
    """

    ray: Ray
    place: Place
    energy: float
    species: int
    deflection_due: float
    free_paths: float
    weight: float


def empty_stack() -> NDArray[np.float64]:
    """Return room for the particles that wait; one per thread."""
    return np.zeros((STACK_ROWS, STACK_COLUMNS))


@inlined
def rate_column(species):
    """Return the column of the transport tables with the rate of this species' hard interactions."""
    return np.int32(RATE_COLUMN[species])


@kernel
def push(stack, waiting, ray, place, energy, species):
    """Put a particle on the stack; return the new count, unchanged if there is no room."""
    if waiting >= stack.shape[0]:
        return waiting
    stack[waiting, 0], stack[waiting, 1], stack[waiting, 2] = ray.x, ray.y, ray.z
    stack[waiting, 3], stack[waiting, 4], stack[waiting, 5] = ray.u, ray.v, ray.w
    stack[waiting, ENERGY], stack[waiting, SPECIES] = energy, species
    stack[waiting, COPIES], stack[waiting, _DUE], stack[waiting, TAG] = 0.0, 0.0, UNSET
    stack[waiting, _OF_COPIES] = 1.0
    stack[waiting, 8], stack[waiting, 9] = place.region, place.ix
    stack[waiting, 10], stack[waiting, 11] = place.iy, place.iz
    return waiting + 1


@kernel
def name_children(stack, first, waiting, stream, weight):
    """Give the particles a collision put on the stack their weight, and numbers by which they draw random numbers.

    The number mixes that of the parent, how much it has drawn, and which child it is (finaliser of MurmurHash3), so it
    does not depend on what else is in flight.
    """
    for row in range(first, waiting):
        stack[row, PARENT], stack[row, PARENT_AT] = number_of(stream), np.float64(stream.draw & LOW)
        stack[row, SAME] = 0.0
        stack[row, _HISTORY] = np.float64(stream.history)
        stack[row, _PARTICLE] = _mixed(stream.draw, row - first + 1)
        stack[row, WEIGHT] = weight


@inlined
def number_of(stream):
    """Return the number of the particle that draws from a stream; 0 is a primary where it leaves the source."""
    return np.float64(stream.draw >> HIGH_SHIFT)


@inlined
def _mixed(parent, child):
    """Return the number of a particle from that of its parent and which child it is."""
    mixed = parent * np.uint64(0x9E3779B97F4A7C15) + np.uint64(child)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return np.float64(mixed >> np.uint64(33))


@kernel
def push_copies(stack, waiting, ray, place, energy, species, copies, weight, due, stream):
    """Put a particle on the stack as one row that stands for so many; return the new count.

    All have the same weight and deflection due (rad2), and random numbers of their own; their first flights are drawn
    from equal shares of all flights (stratified sampling: Cochran, Sampling Techniques, ch. 5).
    """
    after = push(stack, waiting, ray, place, energy, species)
    name_children(stack, waiting, after, stream, weight)
    if after > waiting:
        stack[waiting, COPIES], stack[waiting, _DUE], stack[waiting, SAME] = copies, due, 1.0
        stack[waiting, _OF_COPIES] = copies
    return after


@kernel
def take(stack, waiting, seed):
    """Return the particle last put on the stack, its stream, and the new count: the same where copies are left."""
    top = waiting - 1
    track, stream = pop(stack, waiting, seed)
    if stack[top, COPIES] <= 1.0:
        return track, stream, top
    stack[top, COPIES] -= 1.0
    stack[top, _PARTICLE] = _mixed(np.uint64(stack[top, _PARTICLE]) << HIGH_SHIFT, np.int64(stack[top, COPIES]))
    return track, stream, waiting


@kernel
def pop(stack, waiting, seed):
    """Return the particle last put on the stack, on its way to its first interaction, and its stream."""
    top = stack[waiting - 1]
    number = np.uint64(top[_PARTICLE]) << HIGH_SHIFT
    u, _, _, _, stream = draw_four(Stream(seed, np.uint64(top[_HISTORY]), number))
    if top[_OF_COPIES] > 1.0:  # each copy in a share of its own
        u = (top[COPIES] - 1.0 + u) / top[_OF_COPIES]
    ray = Ray(top[0], top[1], top[2], top[3], top[4], top[5])
    place = Place(np.int64(top[8]), np.int64(top[9]), np.int64(top[10]), np.int64(top[11]))
    return Track(ray, place, top[6], np.int64(top[SPECIES]), top[_DUE], -np.log(u), top[WEIGHT]), stream


@inlined
def turned(ray, cos_theta, phi):
    """Return the ray with its direction turned by a polar angle about itself and an azimuth."""
    sin_theta = np.sqrt(max(0.0, 1.0 - cos_theta * cos_theta))
    a, b = sin_theta * np.cos(phi), sin_theta * np.sin(phi)
    across2 = ray.u * ray.u + ray.v * ray.v
    if across2 < 1.0e-12:
        sign = 1.0 if ray.w > 0.0 else -1.0
        u, v, w = a, b * sign, cos_theta * sign
    else:
        across = np.sqrt(across2)
        u = ray.u * cos_theta + (ray.u * ray.w * a - ray.v * b) / across
        v = ray.v * cos_theta + (ray.v * ray.w * a + ray.u * b) / across
        w = ray.w * cos_theta - across * a
    norm = 1.0 / np.sqrt(u * u + v * v + w * w)
    return Ray(ray.x, ray.y, ray.z, u * norm, v * norm, w * norm)
