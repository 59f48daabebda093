"""Interpolation in the tables of electrons and positrons: linear between nodes read off the bits of the energy.

As `materials.lookup` for protons, from 1 keV to 64 MeV; what varies slowly stands on every eighth node.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined
from dosewright.core.single import bits_of, f32, i32

# Columns of `ElectronTables.values`; all per unit of mass thickness (g/cm2).
STOPPING = 0  # MeV cm2/g, collisions and radiation below the production cuts
STRAGGLING = 1  # MeV2 cm2/g, variance of those losses
QUANTUM = 2  # MeV, their third moment over twice their variance
SCATTERING = 3  # rad2 cm2/g, mean of 2 (1 - cos) of elastic deflections below the hard cut
RATE = 4  # cm2/g, all that is sampled one by one
HARD_ELASTIC = 5  # cm2/g, deflections above the cut
HARD_COLLISION = 6  # cm2/g, Moller or Bhabha above the production cut of electrons
RADIATION = 7  # cm2/g, bremsstrahlung above the production cut of photons
IMPACT = 8  # cm2/g, ionisation of inner shells that sends out something above the cuts
# what is left of RATE is annihilation in flight
WATER_RATIO = 9  # mass collision stopping power of water over that of the material
LONGEST = 10  # g/cm2, the longest step
SCREENING = 11  # A in the hard cross section dq/(q + A)^2, q = 4 sin^2(theta/2)
HARD_CUT = 12  # the smallest q of that cross section
RANGE = 13  # g/cm2, in the continuous slowing down approximation
COLUMNS = 14

STEP_BITS = 5  # 32 steps in an octave
LOWEST_OCTAVE, OCTAVES = -10, 16  # 2^-10 to 64 MeV
NODES = OCTAVES * 2**STEP_BITS + 1
COARSE = 8  # fine nodes from one coarse node to the next
COARSE_NODES = OCTAVES * 2**STEP_BITS // COARSE + 1
ANGLE_NODES = 33  # of the hard-deflection tables, evenly from 0 to 1 in (q/4)^(1/4), q of the simple cross section
SHAPE_NODES = 65  # of the bremsstrahlung tables, evenly from 0 to 1 in k/T
LOWEST_MEV, HIGHEST_MEV = 1.0e-3, 50.0
LARGEST_Q = 4.0

_SHIFT = i32(23 - STEP_BITS)
_FIRST = i32((127 + LOWEST_OCTAVE) << STEP_BITS)
_BELOW = i32((1 << (23 - STEP_BITS)) - 1)
_PER_STEP = f32(2.0 ** -(23 - STEP_BITS))
_LOWEST, _HIGHEST = f32(2.0**LOWEST_OCTAVE), f32(2.0 ** (LOWEST_OCTAVE + OCTAVES) * (1 - 2.0**-20))
_STRIDE, _NODES = i32(COLUMNS), i32(NODES)


class ElectronTables(NamedTuple):
    """What matter does to electrons and positrons, packed for the kernels.

    ``values`` is flat: [kind, node, column], with kind = 2 * material for electrons and one more for positrons.
    ``hard_angle`` is flat: [kind, coarse node, angle node]: what the q of a hard deflection is over that of the
    screened Rutherford cross section dq/(q + A)^2 at the same cumulative probability, on nodes of the latter q; it
    relates whole distributions, whatever the cut.
    ``radiation_shape`` is flat: [material, coarse node, shape node]: the cross section k dsigma/dk over its
    largest value at that energy. ``radiation_z`` is the atomic number by material that radiates like the mixture.
    """

    values: NDArray[np.float32]
    hard_angle: NDArray[np.float32]
    radiation_shape: NDArray[np.float32]
    radiation_z: NDArray[np.float64]


def node_energies_MeV() -> NDArray[np.float64]:
    """Return the energies of the nodes, MeV; every eighth is a coarse node."""
    bits = (np.arange(NODES, dtype=np.int32) + _FIRST) << _SHIFT
    return bits.view(np.float32).astype(np.float64)


@inlined
def position(energy_MeV):
    """Return the node below a kinetic energy and the fraction of the way to the next (int32, float32)."""
    bits = bits_of(min(max(f32(energy_MeV), _LOWEST), _HIGHEST))
    return i32(i32(bits >> _SHIFT) - _FIRST), f32(i32(bits & _BELOW)) * _PER_STEP


@inlined
def row(kind, i):
    """Return where the columns of a kind begin at a node."""
    return i32(i32(i32(kind * _NODES) + i) * _STRIDE)


@inlined
def column(values, start, which, f):
    """Return one column between the node that begins at `start` and the next."""
    low = values[np.uintp(start + which)]
    return low + f * (values[np.uintp(start + which + _STRIDE)] - low)


@inlined
def value(tables, kind, which, i, f):
    """Return one column of a kind at a position from `position`."""
    return column(tables.values, row(i32(kind), i), which, f)
