"""Mass collision stopping power of electrons and positrons: Bethe's formula as Berger and Seltzer evaluated it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dosewright.core.matter import Material
from dosewright.core.units import BETHE_K_MEV_CM2_PER_MOL, ELECTRON_MASS_MEV
from dosewright.materials.electrons.density_effect import density_effect
from dosewright.materials.stopping import electrons_per_gram_mol, mean_excitation_eV

Array = NDArray[np.float64]

LOWEST_BETHE_MEV = 0.01  # below it Bethe's formula without shell corrections is not to be trusted (ICRU Report 37)
JOY_LUO = 0.85  # k in I' = I/(1 + k I/T): Joy and Luo, Scanning 11, 176 (1989)


def kinematics(energy_MeV: Array) -> tuple[Array, Array]:
    """Return gamma and beta^2 of electrons."""
    gamma = 1 + energy_MeV / ELECTRON_MASS_MEV
    return gamma, 1 - 1 / gamma**2


def collision_stopping(material: Material, energies_MeV: ArrayLike, positron: bool = False) -> Array:
    """Return the unrestricted mass collision stopping power of electrons or positrons.

    ICRU Report 37 (1984), eqs. 3.1 to 3.6 in Berger and Seltzer's form. From 1 to 10 keV it continues with the shape
    of Joy and Luo's modified formula, which stays positive where T is near I; 10 % uncertain there.

    Parameters
    ----------
    material
        Composition, density and, where it has one, mean excitation energy.
    energies_MeV
        Kinetic energies, one dimension, positive.
    positron
        For positrons instead of electrons.

    Returns
    -------
    Array
        MeV cm2/g.
    """
    energy = np.asarray(energies_MeV, float)
    above = _berger_seltzer(material, np.maximum(energy, LOWEST_BETHE_MEV), positron)
    lower = np.minimum(energy, LOWEST_BETHE_MEV)
    return np.asarray(above * _joy_luo(material, lower) / _joy_luo(material, np.array(LOWEST_BETHE_MEV)), float)


def _berger_seltzer(material: Material, energy: Array, positron: bool) -> Array:
    _, beta2 = kinematics(energy)
    tau = energy / ELECTRON_MASS_MEV
    if positron:
        y = 1 / (tau + 2)
        spin = 2 * np.log(2) - beta2 / 12 * (23 + 14 * y + 10 * y**2 + 4 * y**3)
    else:
        spin = (1 - beta2) * (1 + tau**2 / 8 - (2 * tau + 1) * np.log(2))
    number = 2 * np.log(energy / (mean_excitation_eV(material) * 1e-6)) + np.log1p(tau / 2) + spin
    k = 0.5 * BETHE_K_MEV_CM2_PER_MOL * electrons_per_gram_mol(material) / beta2
    return np.asarray(k * (number - density_effect(material, energy)), float)


def _joy_luo(material: Material, energy: Array) -> Array:
    """The modified formula, (1/T) ln(sqrt(e/2) (T/I + k)), up to a factor."""
    ratio = energy / (mean_excitation_eV(material) * 1e-6)
    return np.asarray(np.log(np.sqrt(np.e / 2) * (ratio + JOY_LUO)) / energy, float)
