"""Interpolation in the transport tables: linear between nodes equally spaced in the logarithm of the energy."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined

# Columns of `IonTables.values`; all per unit of mass thickness (g/cm2), for a proton.
STOPPING = 0  # MeV cm2/g, losses below the delta cut
STRAGGLING = 1  # MeV2 cm2/g, variance of those losses
SCATTERING = 2  # rad2 cm2/g, mean square angle of deflections below the hard-scattering cut
HARD_SCATTERING = 3  # cm2/g, deflections above that cut
DELTA = 4  # cm2/g, knock-on electrons above the delta cut
NUCLEAR = 5  # cm2/g, elastic and non-elastic nuclear interactions
WATER_RATIO = 6  # mass stopping power of water over that of the material
COLUMNS = 7

LARGEST_Q = 4.0  # 4 sin^2(theta/2) at 180 degrees


class IonTables(NamedTuple):
    """What matter does to protons and light ions, packed for the kernels.

    ``values[material, energy, column]``; elements of a material are rows ``element_first[m]`` to
    ``element_first[m + 1]`` of the element arrays; cross sections are cm2 per gram of the material.
    ``mass_excess[protons, neutrons]`` is in MeV.
    """

    log_low: float
    per_log: float
    values: NDArray[np.float32]
    delta_cut_MeV: float
    element_first: NDArray[np.int64]
    element_z: NDArray[np.float64]
    element_a: NDArray[np.float64]
    coulomb_share: NDArray[np.float64]
    screening: NDArray[np.float64]
    hard_path_scale: NDArray[np.float64]
    nuclear_elastic: NDArray[np.float32]
    nuclear_nonelastic: NDArray[np.float32]
    mass_excess: NDArray[np.float32]


@inlined
def position(tables, energy_MeV):
    """Return the node below an energy per nucleon and the fraction of the way to the next."""
    last = tables.values.shape[1] - 2
    t = (np.log(energy_MeV) - tables.log_low) * tables.per_log
    t = min(max(t, 0.0), last + 0.999999)
    i = int(t)
    return i, t - i


@inlined
def value(tables, material, column, i, f):
    """Return one column at a position from `position`."""
    low = tables.values[material, i, column]
    return low + f * (tables.values[material, i + 1, column] - low)


@inlined
def hard_path_g_cm2(energy_MeV):
    """Return the wanted mean free path between hard deflections: a choice of the algorithm, not physics.

    One g/cm2 at high energy, a fifth of the residual range near its end (R = 0.0022 E^1.77 cm, Bortfeld 1997).
    """
    return np.minimum(1.0, 0.05 + 0.2 * 0.0022 * energy_MeV**1.77)
