"""Hounsfield numbers by calculation: attenuation relative to water in two coefficients of the scanner.

Per electron the attenuation is 1 + k1 Z^1.86 + k2 Z^3.62, in units of the Klein-Nishina part: coherent scattering and
photoelectric absorption (Rutherford et al., Neuroradiology 11, 15 (1976); Schneider, Pedroni, Lomax, Phys. Med. Biol.
41, 111 (1996); in this form Schneider, Bortfeld, Schlegel, Phys. Med. Biol. 45, 459 (2000), eq. 8).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.materials.elements import element
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power

Array = NDArray[np.float64]

COHERENT, PHOTOELECTRIC = 1.86, 3.62  # exponents of Z, per electron
PUBLISHED = (1.24e-3, 3.06e-5)  # k1, k2 of Schneider, Bortfeld, Schlegel (2000), 120 kV
AT_MEV = 100.0  # relative stopping powers hardly depend on the energy


def parts(material: Material) -> Array:
    """Return Klein-Nishina, coherent and photoelectric sums of a medium, per gram: mu/rho = parts @ (1, k1, k2)."""
    sums = np.zeros(3)
    for z, share in material.mass_fractions.items():
        electrons = share * z / element(z).atomic_weight
        sums += electrons * np.array([1.0, z**COHERENT, z**PHOTOELECTRIC])
    return sums


def hounsfield(materials: Sequence[Material], k: Sequence[float]) -> Array:
    """Return the Hounsfield numbers of media at their own densities."""
    water = named("G4_WATER")
    weights = np.array([1.0, *k])
    of_water = water.density_g_cm3 * float(parts(water) @ weights)
    return np.array([1000.0 * (one.density_g_cm3 * float(parts(one) @ weights) / of_water - 1.0) for one in materials])


def relative_stopping_power(material: Material, density_g_cm3: float | None = None) -> float:
    """Return the stopping power of a medium for protons over that of water, at 100 MeV."""
    water = named("G4_WATER")
    density = material.density_g_cm3 if density_g_cm3 is None else density_g_cm3
    of_water = water.density_g_cm3 * float(proton_mass_stopping_power(water, AT_MEV))
    return density * float(proton_mass_stopping_power(material, AT_MEV)) / of_water
