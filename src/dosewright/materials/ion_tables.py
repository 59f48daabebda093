"""Tables of what a set of materials does to protons, made once on the host from published formulas.

Losses are split at the delta cut, deflections at an angle that leaves about one hard deflection per g/cm2 (more
often near the end of the range): what lies below is condensed, what lies above is sampled one by one (Berger's
class II).
"""

from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import nearest, refuse
from dosewright.core.matter import Material
from dosewright.core.units import (
    AVOGADRO_PER_MOL,
    BETHE_K_MEV_CM2_PER_MOL,
    ELECTRON_MASS_MEV,
    FINE_STRUCTURE,
    HBAR_C_MEV_FM,
    PROTON_MASS_MEV,
)
from dosewright.materials import lookup, nuclear_cross_sections
from dosewright.materials.elements import element
from dosewright.materials.library import named
from dosewright.materials.lookup import LARGEST_Q, IonTables, node_energies_MeV
from dosewright.materials.nuclear_masses import mass_excess_MeV
from dosewright.materials.stopping import electrons_per_gram_mol, proton_mass_stopping_power

Array = NDArray[np.float64]

HIGHEST_MEV = 350.0  # the most a source may have; the tables go on a little
HARD_PATH_G_CM2 = 0.2
GAS_G_CM3 = 0.05  # in gases knock-on electrons are condensed: they would leave their energy decimetres away
MOST_KEPT = 256  # elements and energies whose nuclear cross sections are kept
PROCESSES = ("delta", "straggling", "scattering", "hard_scattering", "nuclear")

# 4 pi N_A (alpha hbar c)^2 in MeV2 cm2/mol: the characteristic angle is this x Z^2/A/(pv)^2 per g/cm2
# (Moliere 1947; Bethe, Phys. Rev. 89, 1256 (1953), eq. 2).
RUTHERFORD_MEV2_CM2 = 4 * np.pi * AVOGADRO_PER_MOL * (FINE_STRUCTURE * HBAR_C_MEV_FM * 1e-13) ** 2
THOMAS_FERMI_FM = 0.885 * 52917.721  # 0.885 a0, the atomic radius is this x Z^(-1/3) (Moliere 1947)
ELECTRON_ANGLE = ELECTRON_MASS_MEV / PROTON_MASS_MEV  # largest deflection of a proton by a free electron


def ion_tables(
    materials: Sequence[Material], *, delta_cut_MeV: float, processes_off: Collection[str] = ()
) -> IonTables:
    """Build the tables of `materials`; `processes_off` switches processes off for verification.

    ``"delta"`` condenses all losses, ``"hard_scattering"`` all deflections; ``"straggling"`` leaves mean losses,
    ``"scattering"`` no deflection at all, ``"nuclear"`` no nuclear interaction.
    """
    for process in processes_off:
        if process not in PROCESSES:
            hint = nearest(process, PROCESSES)
            raise refuse(f"Unknown process {process!r} to switch off.{hint}", allowed=", ".join(PROCESSES))
    energy = node_energies_MeV()
    values = np.array([_columns(m, energy, delta_cut_MeV, processes_off) for m in materials])
    first = np.cumsum([0, *(len(m.mass_fractions) for m in materials)])
    pairs = [(z, w) for m in materials for z, w in m.mass_fractions.items()]
    z = np.array([z for z, _ in pairs], float)
    a = np.array([element(z).atomic_weight for z, _ in pairs])
    elastic, nonelastic = _nuclear_rows(pairs, energy, off="nuclear" in processes_off)
    rest_let, rest_range = rest_in_water(energy)
    return IonTables(
        values=values.astype(np.float32).ravel(),
        rest_let=rest_let.astype(np.float32),
        rest_range=rest_range.astype(np.float32),
        delta_cut_MeV=np.inf if {"delta", "straggling"} & set(processes_off) else float(delta_cut_MeV),
        element_first=first,
        element_z=z,
        element_a=a,
        charge_radius2=np.array([_charge_radius2(m) for m in materials], np.float32),
        nuclear_elastic=elastic.astype(np.float32),
        nuclear_nonelastic=nonelastic.astype(np.float32),
        mass_excess=mass_excess_MeV(),
    )


def rest_in_water(energy_MeV: Array) -> tuple[Array, Array]:
    """Return the mean stopping power of water (MeV cm2/g) over energies from zero to each, and the CSDA range, g/cm2.

    Integrals on steps of 1 % from 10 eV; what lies below is taken with the stopping power at 10 eV.
    """
    fine = np.geomspace(1e-5, energy_MeV.max(), 2000)
    stopping = proton_mass_stopping_power(named("G4_WATER"), fine)
    steps, first = np.diff(fine), fine[0]
    area = np.cumsum([first * stopping[0], *(steps * (stopping[1:] + stopping[:-1]) / 2)])
    way = np.cumsum([first / stopping[0], *(steps * (1 / stopping[1:] + 1 / stopping[:-1]) / 2)])
    mean: Array = np.interp(energy_MeV, fine, area) / energy_MeV
    return mean, np.interp(energy_MeV, fine, way)


def kinematics(energy_MeV: Array) -> tuple[Array, Array, Array]:
    """Return beta^2, momentum (MeV/c) and momentum x velocity (MeV) of protons."""
    gamma = 1 + energy_MeV / PROTON_MASS_MEV
    beta2 = 1 - 1 / gamma**2
    momentum = np.sqrt(energy_MeV * (energy_MeV + 2 * PROTON_MASS_MEV))
    return beta2, momentum, momentum * np.sqrt(beta2)


def largest_transfer_MeV(energy_MeV: Array) -> Array:
    """Return the largest energy a proton can give to a free electron (ICRU Report 49, eq. 2.3)."""
    gamma = 1 + energy_MeV / PROTON_MASS_MEV
    ratio = ELECTRON_MASS_MEV / PROTON_MASS_MEV
    t: Array = 2 * ELECTRON_MASS_MEV * (gamma**2 - 1) / (1 + 2 * gamma * ratio + ratio**2)
    return t


def _columns(material: Material, energy: Array, delta_cut: float, off: Collection[str]) -> Array:
    table = np.zeros((energy.size, lookup.COLUMNS))
    stopping = proton_mass_stopping_power(material, energy)
    condensed = {"delta", "straggling"} & set(off) or material.density_g_cm3 < GAS_G_CM3
    rate, hard_loss, variance, third = _knock_on(material, energy, np.inf if condensed else delta_cut)
    table[:, lookup.STOPPING] = stopping - hard_loss
    table[:, lookup.STRAGGLING] = 0.0 if "straggling" in off else variance
    table[:, lookup.QUANTUM] = third / (2 * variance)
    if "scattering" not in off:
        soft, hard, cut = _deflections(material, energy, condensed="hard_scattering" in off)
        table[:, lookup.SCATTERING], table[:, lookup.HARD_SCATTERING], table[:, lookup.HARD_CUT] = soft, hard, cut
    elastic, nonelastic = _nuclear_rows(list(material.mass_fractions.items()), energy, off="nuclear" in off)
    table[:, lookup.ION_RATE] = table[:, lookup.HARD_SCATTERING] + rate
    table[:, lookup.PROTON_RATE] = table[:, lookup.ION_RATE] + elastic.sum(0) + nonelastic.sum(0)
    table[:, lookup.HELIUM_RATE] = table[:, lookup.HARD_SCATTERING] + 4 * rate
    table[:, lookup.TOTAL_STOPPING] = stopping
    table[:, lookup.WATER_RATIO] = proton_mass_stopping_power(named("G4_WATER"), energy) / stopping
    return table


def _knock_on(material: Material, energy: Array, cut: float) -> tuple[Array, Array, Array, Array]:
    """Rate and mean loss of transfers above `cut`; variance and third moment of those below; per g/cm2.

    d(sigma)/dT = k/T^2 (1 - beta^2 T/Tmax + T^2/(2 E^2)) for spin 1/2 (Rossi 1952, High-Energy Particles, 2.3).
    """
    beta2, _, _ = kinematics(energy)
    total2 = (energy + PROTON_MASS_MEV) ** 2
    top = largest_transfer_MeV(energy)
    low = np.minimum(cut, top)
    k = 0.5 * BETHE_K_MEV_CM2_PER_MOL * electrons_per_gram_mol(material) / beta2
    log = np.log(top / low)
    rate = k * (1 / low - 1 / top - beta2 / top * log + (top - low) / (2 * total2))
    loss = k * (log - beta2 * (top - low) / top + (top**2 - low**2) / (4 * total2))
    variance = k * (low - beta2 * low**2 / (2 * top) + low**3 / (6 * total2))
    third = k * (low**2 / 2 - beta2 * low**3 / (3 * top) + low**4 / (8 * total2))
    return rate, loss, variance, third


def _rutherford_shares(material: Material) -> dict[int, float]:
    """w Z^2/A of each element: how strongly its nuclei scatter, per g/cm2."""
    return {z: w * z**2 / element(z).atomic_weight for z, w in material.mass_fractions.items()}


def _charge_radius2(material: Material) -> float:
    """A third of the mean square charge radius of the nuclei over (hbar c)^2, weighted as they scatter.

    Rms radius 0.82 A^(1/3) + 0.58 fm (Hofstadter, Rev. Mod. Phys. 28, 214 (1956)), 0.84 fm for the proton.
    """
    shares = _rutherford_shares(material)
    radius = {z: 0.84 if z == 1 else 0.82 * element(z).atomic_weight ** (1 / 3) + 0.58 for z in shares}
    mean = sum(share * radius[z] ** 2 for z, share in shares.items()) / sum(shares.values())
    return mean / 3 / HBAR_C_MEV_FM**2


def hard_path_g_cm2(energy_MeV: Array) -> Array:
    """Return the mean free path between hard deflections in water: a choice of the algorithm, not physics.

    HARD_PATH_G_CM2 at high energy, a fifth of the residual range near its end (R = 0.0022 E^1.77 cm, Bortfeld 1997).
    """
    return np.minimum(HARD_PATH_G_CM2, 0.05 + 0.2 * 0.0022 * energy_MeV**1.77)


def _deflections(material: Material, energy: Array, *, condensed: bool) -> tuple[Array, Array, Array]:
    """Mean square angle below the cut and rate above it, per g/cm2, for Moliere-screened Rutherford scattering.

    With q = 4 sin^2(theta/2), each nucleus scatters as c/(q + chi^2)^2 dq; atomic electrons as free ones, up to the
    largest angle they can give (Fano, Phys. Rev. 93, 117 (1954)).
    """
    beta2, momentum, pv = kinematics(energy)
    largest = np.full_like(energy, LARGEST_Q)
    in_water = RUTHERFORD_MEV2_CM2 * sum(_rutherford_shares(named("G4_WATER")).values())
    cut = largest if condensed else np.minimum(largest, in_water * hard_path_g_cm2(energy) / pv**2)
    soft, hard = np.zeros_like(energy), np.zeros_like(energy)
    for z, w in material.mass_fractions.items():
        per_nucleus = RUTHERFORD_MEV2_CM2 * w * z**2 / element(z).atomic_weight / pv**2
        radius2 = (HBAR_C_MEV_FM / (THOMAS_FERMI_FM * z ** (-1 / 3)) / momentum) ** 2
        chi2 = radius2 * (1.13 + 3.76 * (z * FINE_STRUCTURE) ** 2 / beta2)  # Moliere 1947
        soft += per_nucleus * _mean_square(cut, chi2)
        soft += per_nucleus / z * _mean_square(np.minimum(cut, ELECTRON_ANGLE**2), chi2)
        hard += per_nucleus * (1 / cut - 1 / largest)  # so far out the screening is nothing
    return soft, hard, cut


def _mean_square(cut: Array, chi2: Array) -> Array:
    """Integral of q dq/(q + chi2)^2 from 0 to `cut`."""
    r: Array = np.log1p(cut / chi2) - cut / (cut + chi2)
    return r


def _nuclear_rows(pairs: list[tuple[int, float]], energy: Array, *, off: bool) -> tuple[Array, Array]:
    """Elastic and non-elastic cross sections of each element, cm2 per gram of its material."""
    if off:
        return np.zeros((len(pairs), energy.size)), np.zeros((len(pairs), energy.size))
    per_gram = np.array([AVOGADRO_PER_MOL * w / element(z).atomic_weight for z, w in pairs])[:, None]
    elastic, nonelastic = (
        np.array(rows) for rows in zip(*(_nuclear_of(z, energy.tobytes()) for z, _ in pairs), strict=True)
    )
    return per_gram * elastic, per_gram * nonelastic


@lru_cache(maxsize=MOST_KEPT)
def _nuclear_of(z: int, energies: bytes) -> tuple[Array, Array]:
    """Elastic and non-elastic cross sections of an element, cm2 per atom, kept for the other media that have it."""
    energy = np.frombuffer(energies)
    return nuclear_cross_sections.elastic(z, energy), nuclear_cross_sections.nonelastic(z, energy)
