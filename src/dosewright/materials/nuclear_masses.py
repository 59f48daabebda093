"""Masses of nuclei, for the energy balance of reactions.

Light nuclei: measured mass excesses (packaged table). All others: the semi-empirical mass formula with the
coefficients of Rohlf, Modern Physics from alpha to Z0 (1994), good to some MeV in all and to about 1 MeV in the
energy that takes away a nucleon.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dosewright.materials.elements import read_table

MOST_PROTONS, MOST_NEUTRONS = 96, 160
UNBOUND_MEV = 1.0e4  # the mass excess of what does not exist
HYDROGEN_EXCESS_MEV, NEUTRON_EXCESS_MEV = 7.28897, 8.07132  # Wang et al., Chin. Phys. C 45, 030003 (2021)
VOLUME, SURFACE, COULOMB, ASYMMETRY, PAIRING = 15.75, 17.8, 0.711, 23.7, 11.18  # MeV; Rohlf 1994


@cache
def mass_excess_MeV() -> NDArray[np.float32]:
    """Return the mass excess [protons, neutrons] in MeV; `UNBOUND_MEV` where there is no such nucleus."""
    z, n = np.meshgrid(np.arange(MOST_PROTONS + 1.0), np.arange(MOST_NEUTRONS + 1.0), indexing="ij")
    a = np.maximum(z + n, 1.0)
    even = (z % 2 == 0).astype(float) + (n % 2 == 0)
    binding = (
        VOLUME * a
        - SURFACE * a ** (2 / 3)
        - COULOMB * z * (z - 1) / np.cbrt(a)
        - ASYMMETRY * (n - z) ** 2 / a
        + PAIRING * (even - 1) / np.sqrt(a)
    )
    excess = z * HYDROGEN_EXCESS_MEV + n * NEUTRON_EXCESS_MEV - binding
    rows = read_table("light_nuclei.csv")
    heaviest = max(int(row["Z"]) for row in rows)
    known = {(int(row["Z"]), int(row["N"])): float(row["mass_excess_MeV"]) for row in rows}
    excess[: heaviest + 1, : heaviest + 1] = UNBOUND_MEV
    excess[binding <= 0.0] = UNBOUND_MEV
    for place, value in known.items():
        excess[place] = value
    table: NDArray[np.float32] = excess.astype(np.float32)
    return table
