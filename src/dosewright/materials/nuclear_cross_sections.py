"""Cross sections of protons on nuclei, cm2 per atom, from 10 to about 300 MeV.

Non-elastic: ICRU Report 63 (2000), values typed for eleven elements (packaged table; iron at 250 MeV smoothed), with
the energy dependence between its nodes taken from the fit for oxygen of Fippel and Soukup, Med. Phys. 31, 2263
(2004), which agrees with ICRU 63 to 2.5 %. Elements between are interpolated in Z after dividing by A^(2/3).
Elastic on nuclei: the same authors' fit for oxygen (5 % from ICRU 63 between 50 and 250 MeV), times a power of A that
grows with energy, as nuclei become less black: from an eikonal calculation (`docs/physics/nuclear`). Elastic on
hydrogen: the fit of the proton-proton cross section by the same authors.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from dosewright.core.units import AVOGADRO_PER_MOL
from dosewright.materials.elements import element, read_table

Array = NDArray[np.float64]

WATER_MOLECULES_PER_G = AVOGADRO_PER_MOL / 18.015  # the fits are per gram of water
LOWEST_MEV = 7.0  # below, charged-particle reactions are hindered by the Coulomb barrier and are left out
HIGHEST_FIT_MEV = 300.0
FLAT_BELOW_MEV = 40.0  # the fit follows Coulomb scattering below; its 1.0 b there is what neutrons show at 10-20 MeV
# Elastic cross sections go as A to this power, at least 2/3: eikonal model with the nucleon-nucleon amplitudes of Ray,
# Phys. Rev. C 20, 1857 (1979), carbon to lead, 100-200 MeV.
POWER_AT_100_MEV, POWER_PER_MEV = 0.69, 0.0025


def nonelastic(z: int, energy_MeV: Array) -> Array:
    """Return the non-elastic cross section of protons on element `z`, cm2 per atom; zero for hydrogen."""
    if z == 1:
        return np.zeros_like(energy_MeV)
    log_nodes, z_nodes, ratio = _ratio_to_oxygen()
    by_z = np.array([np.interp(np.log(energy_MeV), log_nodes, column) for column in ratio.T])
    size = element(z).atomic_weight ** (2 / 3)
    at_z = np.array([np.interp(z, z_nodes, column) for column in by_z.T])
    sigma: Array = at_z * size * _oxygen_nonelastic(energy_MeV)
    return sigma


def elastic(z: int, energy_MeV: Array) -> Array:
    """Return the elastic nuclear cross section of protons on element `z`, cm2 per atom."""
    if z == 1:
        e = np.clip(energy_MeV, 1.0, HIGHEST_FIT_MEV)
        per_gram = 0.315 * e**-1.126 + 3.78e-6 * e  # Fippel and Soukup 2004, eq. 13; two protons per molecule
        sigma = per_gram / (2 * WATER_MOLECULES_PER_G)
    else:
        e = np.clip(energy_MeV, FLAT_BELOW_MEV, HIGHEST_FIT_MEV)
        per_gram = 1.88 / e + 4.0e-5 * e - 0.01475  # Fippel and Soukup 2004, eq. 15
        power = np.clip(POWER_AT_100_MEV + POWER_PER_MEV * (e - 100.0), 2 / 3, 1.0)
        sigma = per_gram / WATER_MOLECULES_PER_G * (element(z).atomic_weight / 15.999) ** power
    return np.where(energy_MeV < LOWEST_MEV, 0.0, sigma)


def _oxygen_nonelastic(energy_MeV: Array) -> Array:
    e = np.clip(energy_MeV, 8.0, HIGHEST_FIT_MEV)
    per_gram = 0.001 * (1.64 * (e - 7.9) * np.exp(-0.064 * e + 7.85 / e) + 9.86)  # Fippel and Soukup 2004, eq. 17
    return np.where(energy_MeV < LOWEST_MEV, 0.0, per_gram / WATER_MOLECULES_PER_G)


@cache
def _ratio_to_oxygen() -> tuple[Array, Array, Array]:
    """Nodes in ln E and in Z, and the cross section over that of oxygen and over A^(2/3), [energy, element]."""
    rows = read_table("proton_nonelastic.csv")
    symbols = [name for name in rows[0] if name != "energy_MeV"]
    sigma = np.array([[float(row[s]) for s in symbols] for row in rows])
    size = np.array([element(s).atomic_weight ** (2 / 3) for s in symbols])
    ratio = sigma / sigma[:, [symbols.index("O")]] / size
    log_energy = np.log([float(row["energy_MeV"]) for row in rows])
    return log_energy, np.array([element(s).Z for s in symbols], float), ratio
