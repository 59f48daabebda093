"""Bremsstrahlung of electrons and positrons: a smooth fit to the evaluation of Seltzer and Berger.

Seltzer and Berger, Nucl. Instrum. Methods B 12, 95 (1985); At. Data Nucl. Data Tables 35, 345 (1986): nuclear and
electron field. The fit is a sum of products of Chebyshev polynomials in ln Z, in ln T and in a variable of k/T and T
that stretches both ends of the spectrum; ``python -m benchmarks.bremsstrahlung_fit`` makes it.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.core.units import AVOGADRO_PER_MOL, ELECTRON_MASS_MEV
from dosewright.materials.electrons.lookup import COARSE, SHAPE_NODES, node_energies_MeV
from dosewright.materials.electrons.stopping import kinematics
from dosewright.materials.elements import element, read_table

Array = NDArray[np.float64]

DEGREES = (8, 14, 12)  # in ln Z, ln T and the share of the energy
HEAVIEST = 92
LOWEST_MEV, HIGHEST_MEV = 1.0e-3, 100.0  # of the fit; beyond, the ends are taken
# Where the stretching of the ends sets in: at small shares k/T, and at small energies (MeV) left to the electron.
SMALL_SHARE, SMALL_LEFT_MEV, SOFT_WEIGHT = 0.03, 0.05, 0.6
CM2_PER_MB = 1.0e-27

# The ratio of positrons to electrons is 1 - exp(-P(t)), t = ln(1 + 1e6 T/(Z^2 m c^2)): fit of Salvat,
# Fernandez-Varea and Sempau (PENELOPE-2011, OECD/NEA) to Kim et al., Phys. Rev. A 33, 3002 (1986), within 0.5 %.
# Coefficients of the powers of t, from 0.
POSITRON = (0.0, 1.2359e-1, -6.1274e-2, 3.1516e-2, -7.7446e-3, 1.0595e-3, -7.0568e-5, 1.8080e-6)

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_X = 0.5 * (1 + _NODES)
_SPREAD, _SPREAD_WEIGHTS = _X**2 * (3 - 2 * _X), 3 * _X * (1 - _X) * _WEIGHTS  # crowded at both ends of (0, 1)


class Radiation(NamedTuple):
    """Bremsstrahlung at a number of energies.

    ``stopping`` (MeV cm2/g) of photons below the cut, ``rate`` (cm2/g) of those above and their part in the mean loss,
    ``hard_loss`` (MeV cm2/g).
    """

    stopping: Array
    rate: Array
    hard_loss: Array

    @property
    def total(self) -> Array:
        """The whole radiative stopping power, MeV cm2/g."""
        return self.stopping + self.hard_loss


def radiation(material: Material, energies_MeV: Array, photon_cut_MeV: float, positron: bool = False) -> Radiation:
    """Return the bremsstrahlung below and above a cut.

    Parameters
    ----------
    material
        Composition.
    energies_MeV
        Kinetic energies, one dimension, 1 keV to 100 MeV.
    photon_cut_MeV
        Smallest energy of a photon that is sampled; infinity condenses all losses.
    positron
        For positrons instead of electrons.
    """
    energy = np.asarray(energies_MeV, float)
    cut = np.minimum(photon_cut_MeV / energy, 1.0)
    log_cut = np.log(cut)
    soft = cut[:, None] * _SPREAD
    hard = np.exp(log_cut[:, None] * _SPREAD)
    both = _mixture(material, energy, np.concatenate((soft, hard), axis=1), positron)
    below, above = both[:, : soft.shape[1]], both[:, soft.shape[1] :]
    return Radiation(
        stopping=energy * cut * (below @ _SPREAD_WEIGHTS),
        rate=-log_cut * (above @ _SPREAD_WEIGHTS),
        hard_loss=-energy * log_cut * ((above * hard) @ _SPREAD_WEIGHTS),
    )


def radiation_shape(material: Material) -> Array:
    """Return k dsigma/dk over its largest value [coarse node of energy, node of k/T], for sampling."""
    energy = node_energies_MeV()[::COARSE]
    share = np.linspace(0.0, 1.0, SHAPE_NODES)
    table = _mixture(material, energy, np.broadcast_to(share, (energy.size, share.size)), positron=False)
    return np.asarray(table / table.max(1, keepdims=True), float)


def radiating_z(material: Material) -> float:
    """Return the atomic number whose screening stands for that of a mixture: ln Z averaged as the nuclei radiate."""
    share = {z: w * z**2 / element(z).atomic_weight for z, w in material.mass_fractions.items()}
    return float(np.exp(sum(s * np.log(z) for z, s in share.items()) / sum(share.values())))


def positron_ratio(z: int, energy_MeV: Array) -> Array:
    """Return the radiative stopping power of positrons over that of electrons."""
    t = np.log1p(1e6 * energy_MeV / (z**2 * ELECTRON_MASS_MEV))
    return np.asarray(-np.expm1(-np.polynomial.polynomial.polyval(t, POSITRON)), float)


def scaled_cross_section(z: int, energy_MeV: Array, share: Array) -> Array:
    """Return (beta^2/Z^2) k dsigma/dk of an atom for electrons, mb.

    Parameters
    ----------
    z
        Atomic number, 1 to 92.
    energy_MeV
        Kinetic energies [n].
    share
        k/T from 0 to 1 [n, m].
    """
    return np.asarray(np.exp(_series(z, _energies(energy_MeV), _shares(energy_MeV, share))), float)


def basis(z: Array, energy_MeV: Array, share: Array) -> tuple[Array, Array, Array]:
    """Return the polynomials of the fit in atomic number [z, degree], energy [n, degree] and share [n, m, degree]."""
    return _elements(z), _energies(energy_MeV), _shares(energy_MeV, share)


def _elements(z: Array) -> Array:
    return np.asarray(chebvander(2 * np.log(z) / np.log(HEAVIEST) - 1, DEGREES[0]), float)


def _energies(energy: Array) -> Array:
    inside = np.clip(energy, LOWEST_MEV, HIGHEST_MEV)
    return np.asarray(chebvander(2 * np.log(inside / LOWEST_MEV) / np.log(HIGHEST_MEV / LOWEST_MEV) - 1, DEGREES[1]))


def _shares(energy: Array, share: Array) -> Array:
    scale = np.clip(energy, LOWEST_MEV, HIGHEST_MEV)[:, None] / SMALL_LEFT_MEV
    soft = np.log1p(share / SMALL_SHARE) / np.log1p(1 / SMALL_SHARE)
    tip = 1 - np.log1p(scale * (1 - share)) / np.log1p(scale)
    return np.asarray(chebvander(2 * (SOFT_WEIGHT * soft + tip) / (1 + SOFT_WEIGHT) - 1, DEGREES[2]), float)


def _series(z: int, of_energy: Array, of_share: Array) -> Array:
    of_element = np.tensordot(_elements(np.array([float(z)]))[0], _coefficients(), axes=1)
    rows: Array = np.einsum("nk,nmk->nm", of_energy @ of_element, of_share)
    return rows


def _mixture(material: Material, energy: Array, share: Array, positron: bool) -> Array:
    """k dsigma/dk per gram of a material [n, m], cm2/g."""
    of_energy, of_share = _energies(energy), _shares(energy, share)
    _, beta2 = kinematics(energy)
    total = np.zeros(share.shape)
    for z, w in material.mass_fractions.items():
        per_gram = CM2_PER_MB * AVOGADRO_PER_MOL * w / element(z).atomic_weight * z**2 / beta2
        ratio = positron_ratio(z, energy) if positron else 1.0
        total += (per_gram * ratio)[:, None] * np.exp(_series(z, of_energy, of_share))
    return total


@cache
def _coefficients() -> Array:
    """Return the coefficients of the fit [in Z, in T, in the share]."""
    rows = read_table("bremsstrahlung.csv")
    columns = [f"share_{k}" for k in range(DEGREES[2] + 1)]
    return np.array([[float(row[c]) for c in columns] for row in rows]).reshape([d + 1 for d in DEGREES])
