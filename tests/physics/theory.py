"""What theory says of protons in matter, from published formulas and without the transport.

Energies in MeV, lengths in mm, a medium by its name and density (g/cm3) or as a `Material`.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0, k1

from dosewright.core.matter import Material
from dosewright.core.units import (
    AVOGADRO_PER_MOL,
    BETHE_K_MEV_CM2_PER_MOL,
    ELECTRON_MASS_MEV,
    FINE_STRUCTURE,
    HBAR_C_MEV_FM,
    PROTON_MASS_MEV,
)
from dosewright.materials.elements import element
from dosewright.materials.library import named
from dosewright.materials.stopping import electrons_per_gram_mol, proton_mass_stopping_power

Array = NDArray[np.float64]

NODES_MEV = np.geomspace(1e-3, 300.0, 6000)


def stopping_MeV_per_mm(name: str, density: float, energy: float | Array) -> Array:
    """Return the linear stopping power."""
    return proton_mass_stopping_power(named(name), energy) * density / 10.0


@cache
def _csda_mm(name: str, density: float) -> Array:
    inverse = 1.0 / stopping_MeV_per_mm(name, density, NODES_MEV)
    return np.concatenate([[0.0], np.cumsum(np.diff(NODES_MEV) * (inverse[1:] + inverse[:-1]) / 2)])


def csda_range_mm(name: str, density: float, energy: float | Array) -> Array:
    """Return the range in the continuous slowing-down approximation, from 1 keV on."""
    return np.interp(energy, NODES_MEV, _csda_mm(name, density))


def energy_of_range(name: str, density: float, range_mm: float | Array) -> Array:
    """Return the energy that has a residual range."""
    return np.interp(range_mm, _csda_mm(name, density), NODES_MEV)


def energy_behind(name: str, density: float, thickness_mm: float | Array, energy: float) -> Array:
    """Return the mean energy behind a slab."""
    return energy_of_range(name, density, csda_range_mm(name, density, energy) - thickness_mm)


def water_equivalent_mm(name: str, density: float, thickness_mm: float, energy: float) -> float:
    """Return the thickness of water (1 g/cm3) that takes as much energy as a slab."""
    behind = energy_behind(name, density, thickness_mm, energy)
    return float(csda_range_mm("G4_WATER", 1.0, energy) - csda_range_mm("G4_WATER", 1.0, behind))


def loss_moments(material: Material, energy: Array) -> tuple[Array, Array]:
    """Return the second and third moments of the losses to free electrons per mass thickness (MeV2, MeV3 cm2/g).

    Integrals of T^2 and T^3 over k/T^2 (1 - beta^2 T/Tmax + T^2/(2 E^2)), Rossi, High-Energy Particles (1952), 2.3;
    the second is Bohr's variance in relativistic form.
    """
    gamma = 1 + energy / PROTON_MASS_MEV
    beta2, total = 1 - 1 / gamma**2, energy + PROTON_MASS_MEV
    ratio = ELECTRON_MASS_MEV / PROTON_MASS_MEV
    top = 2 * ELECTRON_MASS_MEV * (gamma**2 - 1) / (1 + 2 * gamma * ratio + ratio**2)
    k = BETHE_K_MEV_CM2_PER_MOL / 2 / beta2 * electrons_per_gram_mol(material)
    second = k * (top - beta2 * top / 2 + top**3 / (6 * total**2))
    third = k * (top**2 / 2 - beta2 * top**2 / 3 + top**4 / (8 * total**2))
    return second, third


def knock_on_rate(material: Material, energy: float, above: Array) -> Array:
    """Return how many electrons get more than each energy (MeV) per mass thickness (cm2/g); Rossi, as above."""
    gamma = 1 + energy / PROTON_MASS_MEV
    beta2, total = 1 - 1 / gamma**2, energy + PROTON_MASS_MEV
    ratio = ELECTRON_MASS_MEV / PROTON_MASS_MEV
    top = 2 * ELECTRON_MASS_MEV * (gamma**2 - 1) / (1 + 2 * gamma * ratio + ratio**2)
    k = BETHE_K_MEV_CM2_PER_MOL / 2 / beta2 * electrons_per_gram_mol(material)
    t = np.minimum(above, top)
    return k * (1 / t - 1 / top - beta2 / top * np.log(top / t) + (top - t) / (2 * total**2))


def share_losing_more(material: Material, energy: float, mass_per_area: float, surplus: Array) -> Array:
    """Return the share of protons that lose more than the mean by `surplus` (MeV) in a thin layer (g/cm2).

    Free electrons, each knocked on by itself: the compound Poisson distribution by Fourier transform, as Vavilov's
    (1957) but without its approximations.
    """
    bin_MeV = 2e-4
    bounds = bin_MeV * (np.arange(2**15 + 1) + 0.5)
    rates = -np.diff(knock_on_rate(material, energy, bounds)) * mass_per_area
    transfers = (bounds[1:] + bounds[:-1]) / 2
    padded = np.concatenate([[0.0], rates])
    chance = np.fft.irfft(np.exp(np.fft.rfft(padded, 2**16) - rates.sum()))
    losses = bin_MeV * np.arange(chance.size) - (rates * transfers).sum()
    return np.interp(surplus, losses, 1 - np.cumsum(chance) + chance / 2)


def range_straggling(name: str, energy: float, until: float) -> tuple[float, float]:
    """Return sigma (mm at the medium's own density) and skewness of the depth where protons slow down to `until`.

    Variances of the residual range add along the way, d(sigma^2) = M2/S^3 dE (Bohr 1948; ICRU Report 49, 1993). The
    third moment has two parts: that of the single losses, -M3/S^4 dE, and, since the variance per depth v = M2/S^2
    depends on the residual range y, 3 v'(y) sigma^2 dE/S; both to first order in the losses.
    """
    material = named(name)
    e = np.geomspace(energy, until, 4000)
    s = proton_mass_stopping_power(material, e)
    second, third = loss_moments(material, e)
    per_depth = second / s**2
    along = np.gradient(per_depth, e) * s  # dv/dy, since dy = dE/S
    path = np.concatenate([[0.0], np.cumsum(-np.diff(e) * (1 / s[1:] + 1 / s[:-1]) / 2)])
    variance = np.concatenate([[0.0], np.cumsum(np.diff(path) * (per_depth[1:] + per_depth[:-1]) / 2)])
    mu3 = np.trapezoid(-third / s**3 + 3 * along * variance, path)
    return 10 * float(np.sqrt(variance[-1])) / material.density_g_cm3, float(mu3 / variance[-1] ** 1.5)


def share_within(name: str, thickness_mm: float, energy: float, angle: Array) -> Array:
    """Return the share of protons whose projected angle behind a slab (own density) is below each `angle` (rad).

    Screened Rutherford scattering added up exactly, as in Moliere's theory but without its expansion: the exponents of
    the Fourier transform add over depth and elements, C/chi^2 (1 - k chi K1(k chi)) for nuclei (Bethe, Phys. Rev. 89,
    1256 (1953), eq. 19) and k^2/4 of the mean square angle for atomic electrons, which deflect by less than m_e/M
    (Fano 1954). What the form factor of the nucleus takes away is integrated by numbers: F^2 = exp(-(p theta R)^2/3),
    R = 0.82 A^(1/3) + 0.58 fm (Hofstadter 1957).
    """
    material = named(name)
    x = np.linspace(0, thickness_mm, 51)
    dx_cm = np.diff(x) / 10
    e = energy_behind(name, material.density_g_cm3, (x[1:] + x[:-1]) / 2, energy)
    momentum = np.sqrt(e * (e + 2 * PROTON_MASS_MEV))
    beta2 = 1 - 1 / (1 + e / PROTON_MASS_MEV) ** 2
    k = np.geomspace(1e-3 / angle.max(), 40.0 / angle.min(), 6000)
    exponent = sum(
        _exponent(k, z, w * material.density_g_cm3 * dx_cm, beta2, momentum) for z, w in material.mass_fractions.items()
    )
    return 2 / np.pi * np.trapezoid(np.sin(np.outer(angle, k)) / k * np.exp(-exponent), k) + 2 / np.pi * angle * k[0]


def _exponent(k: Array, z: int, mass_per_area: Array, beta2: Array, momentum: Array) -> Array:
    """Exponent of one element over all layers."""
    coupling = FINE_STRUCTURE * HBAR_C_MEV_FM
    strength = 4 * np.pi * AVOGADRO_PER_MOL * (coupling * 1e-13) ** 2 / (momentum**2 * beta2)
    strength *= mass_per_area * z**2 / element(z).atomic_weight
    radius = 0.885 * 52917.721 * z ** (-1 / 3)  # Thomas-Fermi, fm
    chi2 = (HBAR_C_MEV_FM / radius / momentum) ** 2 * (1.13 + 3.76 * (FINE_STRUCTURE * z) ** 2 / beta2)
    t = k[:, None] * np.sqrt(chi2)
    nuclei = strength / chi2 * (1 - t * k1(t))
    largest = (ELECTRON_MASS_MEV / PROTON_MASS_MEV) ** 2
    electrons = k[:, None] ** 2 / 4 * strength / z * (np.log1p(largest / chi2) - 1)
    size = (0.82 * element(z).atomic_weight ** (1 / 3) + 0.58) / HBAR_C_MEV_FM
    q = np.geomspace(1e-6, 4.0, 300)
    lost = [
        c * (1 - np.exp(-q * (p * size) ** 2 / 3)) / (q + s2) ** 2
        for c, p, s2 in zip(strength, momentum, chi2, strict=True)
    ]
    weight = np.sum(lost, axis=0) * np.gradient(q)
    return (nuclei + electrons).sum(1) - (1 - j0(np.outer(k, np.sqrt(q)))) @ weight
