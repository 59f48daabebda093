"""Mass electronic stopping power of protons: Bethe's formula with Bloch's term and an effective shell correction."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dosewright.core.matter import Material
from dosewright.core.units import (
    BETHE_K_MEV_CM2_PER_MOL,
    ELECTRON_MASS_MEV,
    FINE_STRUCTURE,
    PROTON_MASS_MEV,
)
from dosewright.materials.elements import element, elements, read_table

Array = NDArray[np.float64]

LOWEST_BETHE_MEV = 0.5  # lowest energy of the shell-correction table; below it the continuation takes over
CONDUCTION_FROM_MEV = 70.0  # above it the carbon column holds graphite's conduction electrons
CARBON_IN_COMPOUNDS = 0.008  # largest C/Z of carbon above that energy where it is bound (PSTAR, PMMA)
# The hydrogen column tends to this at high energy, where no shell term is left: it makes up for the mean excitation
# energy of the gas in PSTAR, and goes where a compound has its own. So water meets ICRU 90 and PSTAR to 0.03 %.
HYDROGEN_GAS_OFFSET = -0.023

LIGHT_PARTNERS = (1, 6, 7, 8, 9)  # H, C, N, O, F: they make a compound of what would be an alloy

# Varelas-Biersack form (ICRU Report 49, eq. 3.2; T in keV), fitted to liquid water of ICRU Report 90 from 10 to 300 keV
# (within 2 %) and to value and slope of the Bethe formula at 500 keV.
VARELAS_BIERSACK_WATER = (150.251, 82708.7, 1769.263, 0.02983745)


def mean_excitation_eV(material: Material) -> float:
    """Return the mean excitation energy in eV: the material's own, else by Bragg's rule.

    Bragg's rule averages ln I with the electrons each element brings; bound elements take the values for compounds
    (ICRU Report 37, table 5.1: liquids and solids). Pure elements and alloys, where nothing is bound to H, C, N, O
    or F, take those of the elements themselves.
    """
    if material.mean_excitation_eV is not None:
        return material.mean_excitation_eV
    bound = len(material.mass_fractions) > 1 and any(z in LIGHT_PARTNERS for z in material.mass_fractions)
    log_i = 0.0
    for z, share in electron_shares(material).items():
        one = element(z)
        log_i += share * np.log(one.compound_mean_excitation_eV if bound else one.mean_excitation_eV)
    return float(np.exp(log_i))


def electrons_per_gram_mol(material: Material) -> float:
    """Return <Z/A> in mol/g."""
    return sum(w * z / element(z).atomic_weight for z, w in material.mass_fractions.items())


def electron_shares(material: Material) -> dict[int, float]:
    """Return the share of all electrons that each element brings."""
    total = electrons_per_gram_mol(material)
    return {z: w * z / element(z).atomic_weight / total for z, w in material.mass_fractions.items()}


def proton_mass_stopping_power(material: Material, energy_MeV: ArrayLike) -> Array:
    """Return the unrestricted mass electronic stopping power of protons.

    From 1 to 300 MeV within 0.35 % of ICRU 90 (water, air, graphite) and of PSTAR; below 0.5 MeV (9 um of water) a
    continuation with the shape of water's, within 2 % for water and 5 % for air and graphite from 10 keV. The density
    effect is left out: at these energies it vanishes in insulators, and the shell table holds it for the metals it
    was made from.

    Parameters
    ----------
    material
        Composition and, where it has one, mean excitation energy.
    energy_MeV
        Kinetic energies, any shape, positive.

    Returns
    -------
    Array
        MeV cm2/g, shape of `energy_MeV`.
    """
    energy = np.asarray(energy_MeV, float)
    above = _bethe(material, np.maximum(energy, LOWEST_BETHE_MEV))
    shape = _water_shape(np.minimum(energy, LOWEST_BETHE_MEV)) / _water_shape(np.array(LOWEST_BETHE_MEV))
    return np.asarray(above * shape, float)


def _bethe(material: Material, energy: Array) -> Array:
    """Stopping number of Bethe and Bloch less the effective shell term; ICRU Report 49, eqs. 2.1 to 2.4."""
    gamma = 1.0 + energy / PROTON_MASS_MEV
    beta2 = 1.0 - 1.0 / gamma**2
    ratio = ELECTRON_MASS_MEV / PROTON_MASS_MEV
    largest_transfer = 2.0 * ELECTRON_MASS_MEV * beta2 * gamma**2
    recoil = 0.5 * np.log(1.0 + 2.0 * gamma * ratio + ratio**2)
    bethe = np.log(largest_transfer / (mean_excitation_eV(material) * 1e-6)) - beta2 - recoil
    shell = sum(share * shell_correction(z, energy, material) for z, share in electron_shares(material).items())
    number = bethe + _bloch(beta2) - shell
    return np.asarray(BETHE_K_MEV_CM2_PER_MOL / beta2 * electrons_per_gram_mol(material) * number, float)


def _bloch(beta2: Array) -> Array:
    """Bloch's correction L2 for unit charge in the form of Bichsel, ICRU Report 49, eq. 2.10."""
    y2 = FINE_STRUCTURE**2 / beta2
    return np.asarray(-y2 * (1.202057 - y2 * (1.042 - 0.8549 * y2 + 0.343 * y2**2)), float)


def shell_correction(z: int, energy_MeV: Array, material: Material) -> Array:
    """Return C/Z, the effective shell and Barkas term of one element inside a material.

    Linear in Z and in ln E; along the last interval beyond tungsten, constant beyond the ends in energy.
    """
    log_energy, numbers, table = _shell_table()
    at_nodes = _linear_in_z(z, numbers, table)
    value = np.interp(np.log(energy_MeV), log_energy, at_nodes)
    bound = len(material.mass_fractions) > 1
    if bound and z == 1:
        value = value - HYDROGEN_GAS_OFFSET
    if bound and z == 6:
        value = np.where(energy_MeV > CONDUCTION_FROM_MEV, np.minimum(value, CARBON_IN_COMPOUNDS), value)
    return np.asarray(value, float)


def _linear_in_z(z: int, numbers: Array, table: Array) -> Array:
    right = int(np.clip(np.searchsorted(numbers, z), 1, len(numbers) - 1))
    t = (z - numbers[right - 1]) / (numbers[right] - numbers[right - 1])
    return np.asarray((1.0 - t) * table[:, right - 1] + t * table[:, right], float)


@cache
def _shell_table() -> tuple[Array, Array, Array]:
    rows = read_table("shell_correction.csv")
    symbols = [name for name in rows[0] if name != "energy_MeV"]
    by_symbol = {one.symbol: z for z, one in elements().items()}
    log_energy = np.log([float(row["energy_MeV"]) for row in rows])
    table = np.array([[float(row[symbol]) for symbol in symbols] for row in rows])
    return log_energy, np.array([by_symbol[s] for s in symbols], float), table


def _water_shape(energy: Array) -> Array:
    a2, a3, a4, a5 = VARELAS_BIERSACK_WATER
    t_keV = 1000.0 * energy
    low = a2 * t_keV**0.45
    high = a3 / t_keV * np.log(1.0 + a4 / t_keV + a5 * t_keV)
    return np.asarray(low * high / (low + high), float)
