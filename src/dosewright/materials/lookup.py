"""Interpolation in the transport tables: linear between nodes that are read off the bits of the energy.

A float32 is an exponent and a mantissa: its upper bits count octaves and equal steps inside each octave. So the node
below an energy is a shift, not a logarithm. With 32 steps in an octave a power law E^-1.8 is met to 6e-4 at worst,
stopping powers to 2e-4, and on average to a third of that.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined
from dosewright.core.single import bits_of, f32, i32

# Columns of `IonTables.values`; all per unit of mass thickness (g/cm2), for a proton.
STOPPING = 0  # MeV cm2/g, losses below the delta cut
STRAGGLING = 1  # MeV2 cm2/g, variance of those losses
SCATTERING = 2  # rad2 cm2/g, mean square angle of deflections below the hard-scattering cut
PROTON_RATE = 3  # cm2/g, all that is sampled one by one: hard deflections, knock-on electrons, nuclear interactions
ION_RATE = 4  # cm2/g, the same without nuclear interactions
HARD_SCATTERING = 5  # cm2/g, deflections above the cut
WATER_RATIO = 6  # mass stopping power of water over that of the material
TOTAL_STOPPING = 7  # MeV cm2/g, of all losses
HARD_CUT = 8  # the smallest 4 sin^2(theta/2) of a hard deflection
HELIUM_RATE = 9  # cm2/g, as ION_RATE for charge two
QUANTUM = 10  # MeV, third moment of the losses below the delta cut over twice their variance
COLUMNS = 11

STEP_BITS = 5  # 32 steps in an octave
LOWEST_OCTAVE, OCTAVES = -4, 13  # 0.0625 to 512 MeV per nucleon
NODES = OCTAVES * 2**STEP_BITS + 1
_SHIFT = i32(23 - STEP_BITS)
_FIRST = i32((127 + LOWEST_OCTAVE) << STEP_BITS)
_BELOW = i32((1 << (23 - STEP_BITS)) - 1)
_PER_STEP = f32(2.0 ** -(23 - STEP_BITS))
_LOWEST, _HIGHEST = f32(2.0**LOWEST_OCTAVE), f32(2.0 ** (LOWEST_OCTAVE + OCTAVES) * (1 - 2.0**-20))
_STRIDE, _NODES = i32(COLUMNS), i32(NODES)

LARGEST_Q = 4.0  # 4 sin^2(theta/2) at 180 degrees


class IonTables(NamedTuple):
    """What matter does to protons and light ions, packed for the kernels.

    ``values`` is flat: [material, node, column]. ``rest_let`` (MeV cm2/g) and ``rest_range`` (g/cm2) say, at the
    nodes, at what mean stopping power a proton loses all it has in water, and how far it goes.
    Elements of a material are rows ``element_first[m]`` to
    ``element_first[m + 1]`` of the element arrays; their cross sections [row, node] are cm2 per gram of the material.
    ``charge_radius2`` is a third of the mean square charge radius of the nuclei of a material, weighted as they scatter
    and over (hbar c)^2: 1/MeV2.
    ``mass_excess[protons, neutrons]`` is in MeV.
    """

    values: NDArray[np.float32]
    rest_let: NDArray[np.float32]
    rest_range: NDArray[np.float32]
    delta_cut_MeV: float
    element_first: NDArray[np.int64]
    element_z: NDArray[np.float64]
    element_a: NDArray[np.float64]
    charge_radius2: NDArray[np.float32]
    nuclear_elastic: NDArray[np.float32]
    nuclear_nonelastic: NDArray[np.float32]
    mass_excess: NDArray[np.float32]


def node_energies_MeV() -> NDArray[np.float64]:
    """Return the energies of the nodes, MeV per nucleon."""
    bits = (np.arange(NODES, dtype=np.int32) + _FIRST) << _SHIFT
    return bits.view(np.float32).astype(np.float64)


@inlined
def position(energy_MeV):
    """Return the node below an energy per nucleon and the fraction of the way to the next (int32, float32)."""
    bits = bits_of(min(max(f32(energy_MeV), _LOWEST), _HIGHEST))
    return i32(i32(bits >> _SHIFT) - _FIRST), f32(i32(bits & _BELOW)) * _PER_STEP


@inlined
def row(material, i):
    """Return where the columns of a material begin at a node."""
    return i32(i32(i32(material * _NODES) + i) * _STRIDE)


@inlined
def column(values, start, which, f):
    """Return one column between the node that begins at `start` and the next."""
    low = values[np.uintp(start + which)]
    return low + f * (values[np.uintp(start + which + _STRIDE)] - low)


@inlined
def value(tables, material, which, i, f):
    """Return one column of a material at a position from `position`."""
    return column(tables.values, row(i32(material), i), which, f)
