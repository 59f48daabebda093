"""Sampling from tabulated quantiles: linear in energy and in cumulative probability."""

import numpy as np

from dosewright.core.jit import inlined
from dosewright.core.single import bits_of
from dosewright.materials.photons.lookup import LOWEST_OCTAVE, OCTAVES
from dosewright.materials.photons.quantiles import INTERVALS, STEP_BITS

_SHIFT = np.int32(23 - STEP_BITS)
_FIRST = np.int32((127 + LOWEST_OCTAVE) << STEP_BITS)
_BELOW = np.int32((1 << (23 - STEP_BITS)) - 1)
_PER_STEP = 2.0 ** -(23 - STEP_BITS)
_LOWEST, _HIGHEST = 2.0**LOWEST_OCTAVE, 2.0 ** (LOWEST_OCTAVE + OCTAVES) * (1 - 2.0**-20)


@inlined
def quantile(table, material, energy, probability):
    """Return the quantile of a table [material, node, interval end] at an energy (MeV) and a cumulative probability."""
    bits = bits_of(min(max(energy, _LOWEST), _HIGHEST))
    i = np.int64((bits >> _SHIFT) - _FIRST)
    f = (bits & _BELOW) * _PER_STEP
    at = probability * INTERVALS
    j = min(np.int64(at), INTERVALS - 1)
    g = at - j
    low = table[material, i, j] + g * (table[material, i, j + 1] - table[material, i, j])
    high = table[material, i + 1, j] + g * (table[material, i + 1, j + 1] - table[material, i + 1, j])
    return low + f * (high - low)


@inlined
def probability(table, material, energy, value):
    """Return the cumulative probability at which `quantile` returns a value: its inverse."""
    bits = bits_of(min(max(energy, _LOWEST), _HIGHEST))
    i = np.int64((bits >> _SHIFT) - _FIRST)
    f = (bits & _BELOW) * _PER_STEP
    low, high = 0, INTERVALS
    while high - low > 1:
        middle = (low + high) // 2
        if table[material, i, middle] + f * (table[material, i + 1, middle] - table[material, i, middle]) <= value:
            low = middle
        else:
            high = middle
    left = table[material, i, low] + f * (table[material, i + 1, low] - table[material, i, low])
    right = table[material, i, high] + f * (table[material, i + 1, high] - table[material, i, high])
    g = (value - left) / (right - left) if right > left else 0.0
    return (low + min(max(g, 0.0), 1.0)) / INTERVALS
