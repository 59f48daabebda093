"""Rayleigh scattering by the atoms of a medium, each for itself: squared form factors, added up.

Form factors of Hubbell and Overbo, J. Phys. Chem. Ref. Data 8, 69 (1979), from xraylib.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import xraylib
from numpy.typing import NDArray

from dosewright.core.matter import Material

STEP_BITS = 4  # 16 steps in an octave of x2
LOWEST_OCTAVE, OCTAVES = -14, 28  # x from 2^-7 to 2^7 per angstrom
NODES = OCTAVES * 2**STEP_BITS + 2  # the first at zero


class RayleighTables(NamedTuple):
    """What Rayleigh scattering needs, packed for the kernels.

    ``square`` are the nodes of x2 (1/A2), x = sin(theta/2)/wavelength; ``below`` [material, node] is the integral of
    the squared form factor over x2 up to a node.
    """

    square: NDArray[np.float64]
    below: NDArray[np.float64]


def squares_per_angstrom2() -> NDArray[np.float64]:
    """Return the nodes of x2: zero, then evenly in each octave."""
    octaves = 2.0 ** np.arange(LOWEST_OCTAVE, LOWEST_OCTAVE + OCTAVES)
    steps = 1.0 + np.arange(2**STEP_BITS) / 2**STEP_BITS
    return np.concatenate(([0.0], np.outer(octaves, steps).ravel(), [2.0 ** (LOWEST_OCTAVE + OCTAVES)]))


def rayleigh_tables(materials: Sequence[Material]) -> RayleighTables:
    """Return the tables of Rayleigh scattering of some materials, in the order of their numbers."""
    square = squares_per_angstrom2()
    below = [np.concatenate(([0.0], np.cumsum(_between(material) * np.diff(square)))) for material in materials]
    return RayleighTables(square, np.array(below))


def squared_form_factor(material: Material, x_per_angstrom: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the squared form factor per atomic mass unit of a mixture, for x = sin(theta/2)/wavelength in 1/A."""
    total = np.zeros_like(x_per_angstrom)
    for Z, w in material.mass_fractions.items():
        total += w / xraylib.AtomicWeight(Z) * np.array([xraylib.FF_Rayl(Z, x) for x in x_per_angstrom]) ** 2
    return total


def _between(material: Material) -> NDArray[np.float64]:
    """Return the mean squared form factor from each node of x2 to the next (Simpson)."""
    total = np.zeros(NODES - 1)
    for Z, w in material.mass_fractions.items():
        total += w / xraylib.AtomicWeight(Z) * _mean_square(Z)
    return total


@cache
def _mean_square(Z: int) -> NDArray[np.float64]:
    square = squares_per_angstrom2()
    halves = np.sort(np.concatenate((square, 0.5 * (square[1:] + square[:-1]))))
    f2 = np.array([xraylib.FF_Rayl(Z, x) for x in np.sqrt(halves)]) ** 2
    mean: NDArray[np.float64] = (f2[:-2:2] + 4.0 * f2[1::2] + f2[2::2]) / 6.0
    return mean
