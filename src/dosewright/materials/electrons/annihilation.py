"""Annihilation of positrons in flight: Heitler's cross section."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.core.units import BETHE_K_MEV_CM2_PER_MOL, ELECTRON_MASS_MEV
from dosewright.materials.electrons.stopping import kinematics
from dosewright.materials.stopping import electrons_per_gram_mol

Array = NDArray[np.float64]


def annihilation_rate(material: Material, energies_MeV: Array) -> Array:
    """Return the cross section for annihilation of a positron in flight with two photons, cm2/g.

    With free electrons at rest: Heitler, The Quantum Theory of Radiation, 3rd ed. (1954), 27.

    Parameters
    ----------
    material
        Composition.
    energies_MeV
        Kinetic energies, any shape, positive.
    """
    gamma, _ = kinematics(np.asarray(energies_MeV, float))
    p = np.sqrt(gamma**2 - 1)
    shape = (gamma**2 + 4 * gamma + 1) / p**2 * np.log(gamma + p) - (gamma + 3) / p
    pi_r2_per_gram = 0.25 * BETHE_K_MEV_CM2_PER_MOL / ELECTRON_MASS_MEV * electrons_per_gram_mol(material)
    return np.asarray(pi_r2_per_gram / (gamma + 1) * shape, float)
