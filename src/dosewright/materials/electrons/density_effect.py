"""The density effect by Sternheimer's exact method: atoms as oscillators, their energies scaled to meet ln I.

Sternheimer, Phys. Rev. 88, 851 (1952); Sternheimer, Berger and Seltzer, At. Data Nucl. Data Tables 30, 261 (1984).
Oscillators are the shells of the elements (occupancies and edges of xraylib), and one of free electrons in metals.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import xraylib
from numpy.typing import ArrayLike, NDArray

from dosewright.core.matter import Material
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.elements import element
from dosewright.materials.stopping import electron_shares, electrons_per_gram_mol, mean_excitation_eV

Array = NDArray[np.float64]

PLASMA_EV = 28.8159  # h nu_p = this x sqrt(density <Z/A>), density in g/cm3 (r_e and m c2 of CODATA 2022)
# Subshells as xraylib numbers them (K = 0 to Q1), those of one n and l together: they answer as one oscillator.
ORBITALS = (
    *((0,), (1,), (2, 3), (4,), (5, 6), (7, 8), (9,), (10, 11), (12, 13), (14, 15)),
    *((16,), (17, 18), (19, 20), (21, 22), (23,), (24, 25), (26, 27), (28,)),
)
METAL_ATOMS = 0.9  # from this share of metal atoms on a solid has conduction electrons (our reading of "metal")
SOLID_G_CM3 = 0.3  # less dense is vapour, whose atoms keep their electrons

# First ionisation energies, eV, hydrogen to uranium: NIST Atomic Spectra Database (Kramida et al., ver. 5.11, 2023).
FIRST_IONISATION_EV = (
    *(13.598, 24.587, 5.392, 9.323, 8.298, 11.260, 14.534, 13.618, 17.423, 21.565, 5.139, 7.646, 5.986, 8.152),
    *(10.487, 10.360, 12.968, 15.760, 4.341, 6.113, 6.561, 6.828, 6.746, 6.767, 7.434, 7.902, 7.881, 7.640),
    *(7.726, 9.394, 5.999, 7.899, 9.789, 9.752, 11.814, 14.000, 4.177, 5.695, 6.217, 6.634, 6.759, 7.092),
    *(7.119, 7.361, 7.459, 8.337, 7.576, 8.994, 5.786, 7.344, 8.608, 9.010, 10.451, 12.130, 3.894, 5.212),
    *(5.577, 5.539, 5.473, 5.525, 5.582, 5.644, 5.670, 6.150, 5.864, 5.939, 6.022, 6.108, 6.184, 6.254),
    *(5.426, 6.825, 7.550, 7.864, 7.834, 8.438, 8.967, 8.959, 9.226, 10.438, 6.108, 7.417, 7.286, 8.414),
    *(9.318, 10.749, 4.073, 5.278, 5.380, 6.307, 5.89, 6.194),
)

# Conduction electrons of an atom of a metal: its lowest common valence, as Sternheimer, Berger and Seltzer rule; the
# table is our own reading. One more or less changes the stopping power by 0.1 %.
CONDUCTION = {
    **dict.fromkeys((3, 11, 19, 29, 37, 47, 55, 79, 81), 1),
    **dict.fromkeys((4, 12, 20, 22, 23, 24, 25, 26, 27, 28, 30, 38, 46, 48, 50, 56, 62, 63, 70, 74, 78, 80, 82), 2),
    **dict.fromkeys((13, 21, 31, 39, 41, 42, 44, 45, 49, 51, 57, 58, 59, 60, 61, 64, 65, 66, 67, 68, 69, 71, 76), 3),
    **dict.fromkeys((83, 92), 3),
    **dict.fromkeys((40, 43, 72, 73, 75, 77, 90, 91), 4),
}
GRAPHITE_CONDUCTION = 1  # of a carbon atom in graphite: the one electron outside its planar bonds


class Oscillators(NamedTuple):
    """The electrons of a medium: share of all electrons, energies (eV, scaled; zero when free), plasma energy (eV)."""

    strength: Array
    energy_eV: Array
    plasma_eV: float

    def resonances_eV(self) -> Array:
        """Return the energies at which the oscillators take up energy: with the local field of their like, eV."""
        local = np.where(self.energy_eV > 0, 2 / 3, 1.0) * self.strength * self.plasma_eV**2
        shifted: Array = np.sqrt(self.energy_eV**2 + local)
        return shifted


@lru_cache(maxsize=256)
def oscillators(material: Material) -> Oscillators:
    """Return the oscillators of a medium, with the one factor on their energies that meets its ln I."""
    plasma = PLASMA_EV * np.sqrt(material.density_g_cm3 * electrons_per_gram_mol(material))
    shells = [(share * f, e) for z, share in electron_shares(material).items() for f, e in _shells(material, z)]
    strength, energy = np.array(shells).T
    wanted = np.log(mean_excitation_eV(material))
    low, high = -5.0, 8.0  # ln of the factor
    for _ in range(60):
        middle = 0.5 * (low + high)
        found = strength @ np.log(Oscillators(strength, np.exp(middle) * energy, plasma).resonances_eV())
        low, high = (middle, high) if found < wanted else (low, middle)
    return Oscillators(strength, np.exp(middle) * energy, float(plasma))


def density_effect(material: Material, energies_MeV: ArrayLike) -> Array:
    """Return the density-effect correction delta of electrons or positrons.

    Parameters
    ----------
    material
        Composition, density and mean excitation energy.
    energies_MeV
        Kinetic energies, one dimension, positive.

    Returns
    -------
    Array
        delta, no unit; zero below the energy where it sets in (never zero in conductors). Within 0.02 of ESTAR in
        insulators and 0.03 in metals.
    """
    gamma = 1 + np.asarray(energies_MeV, float) / ELECTRON_MASS_MEV
    slow = 1 / (gamma**2 - 1)  # 1/beta^2 - 1
    atoms = oscillators(material)
    f = atoms.strength
    nu2, resonance2 = (atoms.energy_eV / atoms.plasma_eV) ** 2, (atoms.resonances_eV() / atoms.plasma_eV) ** 2
    l2 = _root(f, nu2, slow)
    delta: Array = np.log1p(l2[:, None] / resonance2) @ f - l2 / gamma**2
    return np.maximum(delta, 0.0)


def _root(f: Array, nu2: Array, slow: Array) -> Array:
    """Return l^2 with sum f/(nu^2 + l^2) = slow, or zero where there is none; Newton on the reciprocal, from below."""
    l2 = f[nu2 == 0].sum() / slow
    bound = nu2 > 0
    if not l2.any():
        slow = np.minimum(slow, (f[bound] / nu2[bound]).sum())
    for _ in range(40):
        terms = f / (nu2 + l2[:, None])
        value, slope = terms.sum(1), (terms / (nu2 + l2[:, None])).sum(1)
        l2 = l2 + value * (value - slow) / (slow * slope)
    return np.asarray(l2, float)


def _shells(material: Material, z: int) -> list[tuple[float, float]]:
    """Return share of the atom's electrons and energy (eV) of each shell, free electrons with energy zero first."""
    free = _conduction(material, z)
    shells, still_free = [], free
    for electrons, edge in reversed(atomic_shells(z)):
        taken = min(still_free, electrons)  # conduction electrons come from the outermost shells
        still_free -= taken
        if electrons > taken:
            shells.append(((electrons - taken) / z, edge))
    return ([(free / z, 0.0)] if free else []) + shells


def _conduction(material: Material, z: int) -> float:
    """Return how many electrons an atom of a material gives to the conduction band."""
    if material.density_g_cm3 < SOLID_G_CM3:
        return 0.0
    if set(material.mass_fractions) == {6}:
        return float(GRAPHITE_CONDUCTION)
    atoms = {one: w / element(one).atomic_weight for one, w in material.mass_fractions.items()}
    metal = sum(share for one, share in atoms.items() if one in CONDUCTION) / sum(atoms.values())
    return float(CONDUCTION.get(z, 0)) if metal > METAL_ATOMS else 0.0


@lru_cache(maxsize=128)
def atomic_shells(z: int) -> list[tuple[float, float]]:
    """Return electrons and energy (eV) of each orbital of an atom; no energy is below the first ionisation."""
    orbitals = []
    for subshells in ORBITALS:
        held = [(_electrons(z, shell), _edge_eV(z, shell)) for shell in subshells]
        electrons = sum(n for n, _ in held)
        if electrons:
            log_edge = sum(n * np.log(max(edge, FIRST_IONISATION_EV[z - 1])) for n, edge in held) / electrons
            orbitals.append((electrons, float(np.exp(log_edge))))
    return orbitals


def _electrons(z: int, shell: int) -> float:
    try:
        return float(xraylib.ElectronConfig(z, shell))
    except ValueError:
        return 0.0  # nobody lives there


def _edge_eV(z: int, shell: int) -> float:
    try:
        return 1000.0 * float(xraylib.EdgeEnergy(z, shell))
    except ValueError:
        return 0.0  # not in the table: an outer shell
