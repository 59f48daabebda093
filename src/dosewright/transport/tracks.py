"""A particle in flight, and the stack of those that wait."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined, kernel
from dosewright.core.units import (
    ALPHA_MASS_MEV,
    DEUTERON_MASS_MEV,
    HELION_MASS_MEV,
    PROTON_MASS_MEV,
    TRITON_MASS_MEV,
)
from dosewright.geometry.trace import Place, Ray

PROTON, DEUTERON, ALPHA, TRITON, HELION = 0, 1, 2, 3, 4
# By species: nucleons, charge squared, mass (MeV).
NUCLEONS = np.array([1.0, 2.0, 4.0, 3.0, 3.0])
CHARGE_SQUARED = np.array([1.0, 1.0, 4.0, 1.0, 4.0])
MASS_MEV = np.array([PROTON_MASS_MEV, DEUTERON_MASS_MEV, ALPHA_MASS_MEV, TRITON_MASS_MEV, HELION_MASS_MEV])

STACK_ROWS = 64
_COLUMNS = 12


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
    """

    ray: Ray
    place: Place
    energy: float
    species: int
    deflection_due: float
    free_paths: float


def empty_stack() -> NDArray[np.float64]:
    """Return room for the particles that wait; one per thread."""
    return np.zeros((STACK_ROWS, _COLUMNS))


@kernel
def push(stack, waiting, ray, place, energy, species):
    """Put a particle on the stack; return the new count, unchanged if there is no room."""
    if waiting >= STACK_ROWS:
        return waiting
    stack[waiting, 0], stack[waiting, 1], stack[waiting, 2] = ray.x, ray.y, ray.z
    stack[waiting, 3], stack[waiting, 4], stack[waiting, 5] = ray.u, ray.v, ray.w
    stack[waiting, 6], stack[waiting, 7] = energy, species
    stack[waiting, 8], stack[waiting, 9] = place.region, place.ix
    stack[waiting, 10], stack[waiting, 11] = place.iy, place.iz
    return waiting + 1


@kernel
def pop(stack, waiting, free_paths):
    """Return the particle last put on the stack."""
    row = stack[waiting - 1]
    ray = Ray(row[0], row[1], row[2], row[3], row[4], row[5])
    place = Place(int(row[8]), int(row[9]), int(row[10]), int(row[11]))
    return Track(ray, place, row[6], int(row[7]), 0.0, free_paths)


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
