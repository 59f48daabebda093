"""Quantiles of a distribution that changes slowly with energy: sampled with one number and without a loop.

Eight nodes in an octave from 2^-10 to 64 MeV, and 256 equally probable intervals. `transport.photons.quantile` reads
them.
"""

import numpy as np
from numpy.typing import NDArray

from dosewright.materials.photons.lookup import LOWEST_OCTAVE, OCTAVES

STEP_BITS = 3  # 8 nodes in an octave
NODES = OCTAVES * 2**STEP_BITS + 1
INTERVALS = 256


def node_energies_MeV() -> NDArray[np.float64]:
    """Return the energies of the nodes, MeV: evenly in each octave."""
    octave, step = np.divmod(np.arange(NODES), 2**STEP_BITS)
    energies: NDArray[np.float64] = 2.0 ** (LOWEST_OCTAVE + octave) * (1.0 + step / 2**STEP_BITS)
    return energies


def quantiles(x: NDArray[np.float64], density: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a density on ascending points x has cumulative probability 0, 1/256, ..., 1.

    The points may be many more than the quantiles; between two of them the density counts as even.
    """
    below = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(x))))
    return np.interp(np.linspace(0.0, below[-1], INTERVALS + 1), below, x)
