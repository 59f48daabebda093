"""Ionisation of inner shells by electrons and positrons, which makes the characteristic lines of an x-ray tube.

Cross sections: the formula of Casnati, Tartari and Baraldi, J. Phys. B 15, 155 (1982), times a smooth correction, an
own fit to the distorted-wave and plane-wave Born values of Bote, Salvat, Jablonski and Powell, At. Data Nucl. Data
Tables 95, 871 (2009), for nine elements from Al to U (K) and six from Cu to U (L). It follows them within 3 % from
1.2 times the edge to 60 MeV. Positrons take the values of electrons.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.core.units import AVOGADRO_PER_MOL, ELECTRON_MASS_MEV
from dosewright.materials.elements import element
from dosewright.materials.photons.cross_sections import SHELLS, edges_MeV
from dosewright.materials.photons.vacancies import highest_line_MeV, mean_photon_energy_MeV

Array = NDArray[np.float64]

IONISED = 4  # K, L1, L2, L3; M lines are too soft to matter
ELECTRONS = (2, 2, 2, 4)
RYDBERG_MEV = 13.605693e-6  # CODATA 2022
BOHR_RADIUS_CM = 5.29177211e-9  # CODATA 2022
FITTED_FROM_Z = (13, 29, 29, 29)
# Logarithm of the correction: Chebyshev polynomials in 2 ln U/(ln U + 2) - 1 (rows) times powers of (Z - 50)/50.
CORRECTIONS = (
    np.array(
        [
            [0.0379, -0.3521, 0.0802, 0.0671],
            [0.5200, -0.1699, -0.0424, 0.1627],
            [0.2389, -0.4839, -0.0314, 0.1722],
            [0.1251, -0.3673, 0.0771, 0.0901],
            [0.0986, -0.2185, 0.0578, 0.0504],
            [0.0198, -0.0350, 0.0954, -0.0420],
        ]
    ),
    np.array(
        [
            [0.0955, -0.0881, -0.1371],
            [0.3575, 0.1357, -0.2742],
            [0.4657, -0.0333, -0.1987],
            [0.3353, -0.0830, -0.1196],
            [0.2227, -0.0725, -0.0498],
            [0.0738, -0.0708, 0.0180],
        ]
    ),
    np.array(
        [
            [0.4122, -0.2344, 0.0253],
            [0.3234, -0.0448, 0.0500],
            [0.5230, -0.1166, -0.0875],
            [0.3398, -0.1339, -0.0683],
            [0.2109, -0.0819, -0.0481],
            [0.0817, -0.0896, 0.0238],
        ]
    ),
    np.array(
        [
            [0.4142, -0.2281, 0.0632],
            [0.2892, -0.1051, 0.0406],
            [0.5130, -0.1158, -0.0454],
            [0.3388, -0.1171, -0.0271],
            [0.2119, -0.0670, -0.0205],
            [0.0841, -0.0810, 0.0291],
        ]
    ),
)


class Impact(NamedTuple):
    """Ionisation of inner shells: ``rate`` (cm2/g), ``loss`` (MeV cm2/g), the mean energy of the photons it makes."""

    rate: Array
    loss: Array


def impact(
    material: Material, energies_MeV: Array, photon_cut_MeV: float, processes_off: Collection[str] = ()
) -> Impact:
    """Return how electrons ionise the K and L shells of a material that send out photons above the cut.

    The photons take their energy from the electron; everything else that an ionisation costs belongs to the condensed
    losses, Auger electrons too. Nothing with "impact_ionisation" or "fluorescence" off.
    """
    rate, loss = np.zeros_like(energies_MeV), np.zeros_like(energies_MeV)
    if "impact_ionisation" in processes_off or "fluorescence" in processes_off:
        return Impact(rate, loss)
    for z, weight in material.mass_fractions.items():
        for shell in range(IONISED):
            if highest_line_MeV(z, shell) < photon_cut_MeV:
                continue
            of_shell = weight * ionisation_cm2_per_g(z, shell, energies_MeV)
            rate += of_shell
            loss += of_shell * mean_photon_energy_MeV(z, shell, photon_cut_MeV)
    return Impact(rate, loss)


def ionisation_cm2_per_g(z: int, shell: int, energies_MeV: Array) -> Array:
    """Return the ionisation of a shell (0 to 3: K, L1, L2, L3) of an element by electrons, cm2/g."""
    edge = dict(edges_MeV(z)).get(SHELLS[shell], 0.0)
    if edge == 0.0:
        return np.zeros_like(energies_MeV)
    return ionisation_cm2(z, shell, edge, energies_MeV) * AVOGADRO_PER_MOL / element(z).atomic_weight


def ionisation_cm2(z: int, shell: int, edge_MeV: float, energies_MeV: Array) -> Array:
    """Return the ionisation cross section of a shell, cm2 per atom; 0 below the edge."""
    u = np.maximum(energies_MeV / edge_MeV, 1.0)
    sigma = casnati_cm2(ELECTRONS[shell], edge_MeV, u) * _correction(z, shell, u)
    return np.where(u > 1.0, sigma, 0.0)


def casnati_cm2(electrons: int, edge_MeV: float, u: Array) -> Array:
    """Return the cross section of Casnati et al. (1982) at `u` times the edge, with Gryzinski's relativistic factor."""
    j = ELECTRON_MASS_MEV / edge_MeV
    inner = u * (u + 2.0 * j) * (1.0 + j) ** 2
    relativistic = (1.0 + 2.0 * j) / (u + 2.0 * j) * ((u + j) / (1.0 + j)) ** 2
    relativistic = relativistic * ((1.0 + u) * inner / u / (j**2 * (1.0 + 2.0 * j) + inner)) ** 1.5
    psi = (edge_MeV / RYDBERG_MEV) ** (-0.0318 + 0.3160 / u - 0.1135 / u**2)
    phi = 10.57 * np.exp(-1.736 / u + 0.317 / u**2)
    unit = electrons * (BOHR_RADIUS_CM * RYDBERG_MEV / edge_MeV) ** 2
    return np.asarray(unit * relativistic * psi * phi * np.log(u) / u, float)


def _correction(z: int, shell: int, u: Array) -> Array:
    """Return the fitted ratio of the values of Bote et al. to the formula of Casnati et al."""
    log = np.log(u)
    y = (max(z, FITTED_FROM_Z[shell]) - 50.0) / 50.0
    coefficients = CORRECTIONS[shell] @ y ** np.arange(CORRECTIONS[shell].shape[1])
    return np.asarray(np.exp(np.polynomial.chebyshev.chebval(2.0 * log / (log + 2.0) - 1.0, coefficients)), float)
