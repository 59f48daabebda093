"""Rayleigh scattering: the direction changes, the energy stays."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.single import bits_of
from dosewright.materials.photons.compton import HC_MEV_ANGSTROM
from dosewright.materials.photons.rayleigh import LOWEST_OCTAVE, NODES, STEP_BITS
from dosewright.transport.photons.deflect import deflected

_SHIFT = np.int32(23 - STEP_BITS)
_FIRST = np.int32((127 + LOWEST_OCTAVE) << STEP_BITS)


@kernel
def rayleigh(tables, material, energy, ray, stream):
    """Turn a photon; return (ray, stream).

    x2 = (sin(theta/2)/wavelength)^2 is drawn from the squared form factor, between zero and what the energy (MeV)
    allows, and kept with Thomson's (1 + cos^2)/2.
    """
    largest = energy / HC_MEV_ANGSTROM
    largest *= largest
    top = node(largest)
    whole = integral(tables, material, top, largest)
    while True:
        a, b, c, _, stream = draw_four(stream)
        turn = min(2.0 * square_at(tables, material, top, a * whole) / largest, 2.0)
        cosine = 1.0 - turn
        if 2.0 * b < 1.0 + cosine * cosine:
            return deflected(ray, cosine, np.sqrt(turn * (2.0 - turn)), c), stream


@inlined
def node(square):
    """Return the node at or below x2, the last but one at most."""
    i = np.int64((bits_of(square) >> _SHIFT) - _FIRST) + 1
    return min(max(i, 0), NODES - 2)


@inlined
def integral(tables, material, i, square):
    """Return the integral of the squared form factor up to x2 above node i."""
    below, nodes = tables.below, tables.square
    f = min((square - nodes[i]) / (nodes[i + 1] - nodes[i]), 1.0)
    return below[material, i] + f * (below[material, i + 1] - below[material, i])


@inlined
def square_at(tables, material, top, wanted):
    """Return the x2 up to which the integral has a wanted value; it lies below the end of interval `top`."""
    below, nodes = tables.below, tables.square
    low, high = 0, top + 1
    while high - low > 1:
        middle = (low + high) // 2
        if below[material, middle] <= wanted:
            low = middle
        else:
            high = middle
    f = (wanted - below[material, low]) / (below[material, low + 1] - below[material, low])
    return nodes[low] + f * (nodes[low + 1] - nodes[low])
