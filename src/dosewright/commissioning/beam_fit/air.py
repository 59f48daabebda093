"""What air does to a beam on its way: water-equivalent length, and how spots widen."""

import numpy as np
from numpy.typing import NDArray

from dosewright.commissioning.demonstration.analytic_dose import SCATTERING_LENGTH_WATER_MM, scattering_power_per_mm
from dosewright.commissioning.demonstration.water_depth_dose import range_in_water_mm
from dosewright.core.matter import Material
from dosewright.core.units import AVOGADRO_PER_MOL, CLASSICAL_ELECTRON_RADIUS_CM, FINE_STRUCTURE, MM_PER_CM
from dosewright.materials.elements import element
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power

Array = NDArray[np.float64]

SLICES = 100


def water_equivalent_mm(energy_MeV: float, air_mm: float) -> float:
    """Return the length of water that slows protons as `air_mm` of air does."""
    air, water = named("G4_AIR"), named("G4_WATER")
    relative = air.density_g_cm3 * proton_mass_stopping_power(air, energy_MeV)
    relative /= water.density_g_cm3 * proton_mass_stopping_power(water, energy_MeV)
    return float(relative) * air_mm


def spread_mm2(energy_MeV: float, air_mm: Array) -> Array:
    """Return the variance of position (mm2) a pencil gains over lengths of air.

    Fermi-Eyges moment with the differential Moliere formula (Gottschalk, Med. Phys. 37, 352 (2010)).
    """
    longest = float(np.max(air_mm, initial=0.0))
    if longest <= 0:
        return np.zeros_like(air_mm)
    reach = float(range_in_water_mm(energy_MeV))
    way = (np.arange(SLICES) + 0.5) * longest / SLICES
    slowed = water_equivalent_mm(energy_MeV, longest) * way / longest
    shorter = SCATTERING_LENGTH_WATER_MM / scattering_length_mm(named("G4_AIR"))
    power = scattering_power_per_mm(reach - slowed, reach) * shorter
    lever = np.maximum(np.asarray(air_mm, float)[..., None] - way, 0.0)
    return np.asarray((power * lever**2).sum(axis=-1) * longest / SLICES)


def scattering_length_mm(material: Material) -> float:
    """Return the scattering length of a medium, by Bragg's rule (Gottschalk 2010, eqs. 15 and 16)."""
    inverse = 0.0
    for z, share in material.mass_fractions.items():
        weight = element(z).atomic_weight
        screened = 2.0 * np.log(33219.0 * (weight * z) ** (-1.0 / 3.0)) - 1.0
        inverse += (
            share * FINE_STRUCTURE * AVOGADRO_PER_MOL * (CLASSICAL_ELECTRON_RADIUS_CM * z) ** 2 / weight * screened
        )
    return MM_PER_CM / (material.density_g_cm3 * inverse)
