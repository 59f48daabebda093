"""Quantiles of a distribution that changes slowly with energy: sampled with one number and without a loop.

Eight nodes in an octave from 2^-10 to 64 MeV, and 256 equally probable intervals; linear between both.
"""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined
from dosewright.materials.photons.lookup import LOWEST_OCTAVE, OCTAVES

STEP_BITS = 3  # 8 nodes in an octave
NODES = OCTAVES * 2**STEP_BITS + 1
INTERVALS = 256
_SHIFT = np.int32(23 - STEP_BITS)
_FIRST = np.int32((127 + LOWEST_OCTAVE) << STEP_BITS)
_BELOW = np.int32((1 << (23 - STEP_BITS)) - 1)
_PER_STEP = 2.0 ** -(23 - STEP_BITS)
_LOWEST, _HIGHEST = 2.0**LOWEST_OCTAVE, 2.0 ** (LOWEST_OCTAVE + OCTAVES) * (1 - 2.0**-20)


def node_energies_MeV() -> NDArray[np.float64]:
    """Return the energies of the nodes, MeV."""
    bits = (np.arange(NODES, dtype=np.int32) + _FIRST) << _SHIFT
    return bits.view(np.float32).astype(np.float64)


def quantiles(x: NDArray[np.float64], density: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a density on ascending points x has cumulative probability 0, 1/256, ..., 1.

    The density counts as linear between its points, which may be many more than the quantiles.
    """
    below = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(x))))
    return np.interp(np.linspace(0.0, below[-1], INTERVALS + 1), below, x)


@inlined
def quantile(table: NDArray[np.float32], material: int, energy_MeV: float, probability: float) -> float:
    """Return the quantile of a table [material, node, interval end] at an energy and a cumulative probability."""
    bits = np.float32(min(max(energy_MeV, _LOWEST), _HIGHEST)).view(np.int32)
    i = np.int64((bits >> _SHIFT) - _FIRST)
    f = (bits & _BELOW) * _PER_STEP
    at = probability * INTERVALS
    j = min(np.int64(at), INTERVALS - 1)
    g = at - j
    low = table[material, i, j] + g * (table[material, i, j + 1] - table[material, i, j])
    high = table[material, i + 1, j] + g * (table[material, i + 1, j + 1] - table[material, i + 1, j])
    return low + f * (high - low)
