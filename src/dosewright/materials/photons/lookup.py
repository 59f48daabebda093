"""Interpolation in the attenuation coefficients of photons: linear between the nodes of one grid for all materials.

The grid has 64 nodes in an octave and every absorption edge twice, just below and just above, so that a jump stays a
jump. The node below an energy is read off the bits of the energy and a few steps on.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined

# Columns of `Attenuation.cumulated`: cross sections added up in this order; what is left of the total is photoelectric.
RAYLEIGH, COMPTON, PAIR = 0, 1, 2
PARTIALS = 3

STEP_BITS = 6  # 64 steps in an octave
LOWEST_OCTAVE, OCTAVES = -10, 16  # 2^-10 to 64 MeV
LOWEST_MEV, HIGHEST_MEV = 1.0e-3, 50.0
_SHIFT = np.int32(23 - STEP_BITS)
_FIRST = np.int32((127 + LOWEST_OCTAVE) << STEP_BITS)
_LOWEST, _HIGHEST = 2.0**LOWEST_OCTAVE, 2.0 ** (LOWEST_OCTAVE + OCTAVES) * (1 - 2.0**-20)


class Attenuation(NamedTuple):
    """Mass attenuation coefficients (cm2/g), packed for the kernels.

    ``energies`` (MeV, ascending) are the nodes; ``begin[octave step]`` is the last node at or below the lower end of
    a step. ``total`` is [material, node], ``cumulated`` is [material, node, partial], ``largest`` the
    largest linear coefficient (1/cm) that any material reaches at its largest density.
    """

    energies: NDArray[np.float64]
    begin: NDArray[np.int32]
    total: NDArray[np.float64]
    cumulated: NDArray[np.float64]
    largest: NDArray[np.float64]


def step_energies_MeV() -> NDArray[np.float64]:
    """Return the lower ends of the octave steps, and the end of the last, MeV."""
    bits = (np.arange(OCTAVES * 2**STEP_BITS + 1, dtype=np.int32) + _FIRST) << _SHIFT
    return bits.view(np.float32).astype(np.float64)


@inlined
def position(attenuation, energy_MeV):
    """Return the node at or below an energy and the fraction of the way to the next."""
    energy = min(max(energy_MeV, _LOWEST), _HIGHEST)
    bits = np.float32(energy).view(np.int32)
    i = np.int64(attenuation.begin[(bits >> _SHIFT) - _FIRST])
    energies = attenuation.energies
    while i > 0 and energies[i] > energy:
        i -= 1
    while energies[i + 1] <= energy:
        i += 1
    return i, (energy - energies[i]) / (energies[i + 1] - energies[i])
