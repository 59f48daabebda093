"""Collisions of electrons and positrons with atomic electrons: what is condensed, and what is sampled one by one.

Above the cut electrons are hit as if free and at rest (Moller, Bhabha). Below it the mean loss is what the unrestricted
stopping power leaves; its variance and third moment add close collisions with free electrons and distant ones, which
give the oscillators of `density_effect` their resonance energies (as Liljequist, J. Phys. D 16, 1567 (1983)).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.core.units import BETHE_K_MEV_CM2_PER_MOL, ELECTRON_MASS_MEV
from dosewright.materials.electrons.density_effect import density_effect, oscillators
from dosewright.materials.electrons.stopping import collision_stopping, kinematics
from dosewright.materials.stopping import electrons_per_gram_mol

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


class Collisions(NamedTuple):
    """Losses of collisions at a number of energies.

    ``stopping`` (MeV cm2/g), ``variance`` (MeV2 cm2/g) and ``third`` moment (MeV3 cm2/g) of losses below the cut;
    ``rate`` (cm2/g) of those above and their part in the mean loss, ``hard_loss`` (MeV cm2/g).
    """

    stopping: Array
    variance: Array
    third: Array
    rate: Array
    hard_loss: Array


def restricted(material: Material, energies_MeV: Array, cut_MeV: float, positron: bool = False) -> Collisions:
    """Return what collisions do below and above a cut.

    Parameters
    ----------
    material
        Composition, density and, where it has one, mean excitation energy.
    energies_MeV
        Kinetic energies, one dimension, positive.
    cut_MeV
        Smallest energy of a secondary electron that is sampled; infinity condenses all losses.
    positron
        For positrons instead of electrons.
    """
    energy = np.asarray(energies_MeV, float)
    top = energy if positron else energy / 2
    cut = np.minimum(cut_MeV, top)
    mean = collision_stopping(material, energy, positron)
    rate, hard_loss = (_moment(material, energy, cut, top, power, positron) for power in (0, 1))
    soft = np.maximum(mean - hard_loss, 0.0)
    variance, third = _soft_moments(material, energy, cut, soft, positron)
    return Collisions(mean - hard_loss, variance, third, rate, hard_loss)


def differential(energy_MeV: Array, transfer_MeV: Array, positron: bool = False) -> Array:
    """Return dsigma/dW times W^2 of a free electron in units of 2 pi r_e^2 m c^2/beta^2.

    Moller (Ann. Phys. 14, 531 (1932)) counts the slower of the two electrons as the secondary, up to half the energy;
    Bhabha (Proc. R. Soc. A 154, 195 (1936)) goes up to all of it. ICRU Report 37, eqs. 2.9 and 2.11.
    """
    gamma, beta2 = kinematics(energy_MeV)
    e = transfer_MeV / energy_MeV
    if positron:
        y = 1 / (gamma + 1)
        b1 = 2 - y**2
        b2 = (1 - 2 * y) * (3 + y**2)
        b4 = (1 - 2 * y) ** 3
        b3 = b4 + (1 - 2 * y) ** 2
        return np.asarray(1 - beta2 * (b1 * e - b2 * e**2 + b3 * e**3 - b4 * e**4), float)
    a = ((gamma - 1) / gamma) ** 2
    return np.asarray(1 + (e / (1 - e)) ** 2 + a * e**2 - (1 - a) * e / (1 - e), float)


def _moment(material: Material, energy: Array, low: Array, high: Array, power: int, positron: bool) -> Array:
    """Integral of W^power dsigma from `low` to `high` per gram; over ln W by Gauss and Legendre."""
    log_ratio = np.log(high / low)
    transfer = low[:, None] * np.exp(0.5 * log_ratio[:, None] * (1 + _NODES))
    integrand = differential(energy[:, None], transfer, positron) * transfer ** (power - 1)
    return np.asarray(_strength(material, energy) * 0.5 * log_ratio * (integrand @ _WEIGHTS), float)


def _soft_moments(material: Material, energy: Array, cut: Array, soft: Array, positron: bool) -> tuple[Array, Array]:
    """Variance and third moment of the losses below the cut, per gram.

    Close collisions go from the resonance of each oscillator to the cut. What they leave of the mean loss is distant,
    shared among the oscillators as in Bethe's formula: f (ln(2 m c^2 beta^2 gamma^2/W) - beta^2 - delta).
    """
    gamma, beta2 = kinematics(energy)
    strength = oscillators(material).strength
    resonance = 1e-6 * oscillators(material).resonances_eV()
    log = np.log(2 * ELECTRON_MASS_MEV * beta2 * gamma**2)[:, None] - np.log(resonance)
    share = strength * np.maximum(log - (beta2 + density_effect(material, energy))[:, None], 0.0)
    share /= np.maximum(share.sum(1), 1e-30)[:, None]
    least = np.minimum(resonance, cut[:, None])  # a loss above the cut would not be soft
    k = _strength(material, energy)
    free = [_free_moment(energy, cut, power, positron) for power in (1, 2, 3)]
    close = [
        np.maximum(part, 0.0)
        for part in (
            free[0] + np.log(cut[:, None] / least) @ strength,
            cut + free[1] - least @ strength,
            cut**2 / 2 + free[2] - (least**2 / 2) @ strength,
        )
    ]
    distant = np.maximum(soft - k * close[0], 0.0)
    variance = k * close[1] + distant * (share * least).sum(1)
    third = k * close[2] + distant * (share * least**2).sum(1)
    return variance, third


def _free_moment(energy: Array, cut: Array, power: int, positron: bool) -> Array:
    """Integral of W^power dsigma from 0 to the cut, less that of 1/W^2 alone; Gauss and Legendre."""
    transfer = 0.5 * cut[:, None] * (1 + _NODES)
    integrand = (differential(energy[:, None], transfer, positron) - 1) * transfer ** (power - 2)
    return np.asarray(0.5 * cut * (integrand @ _WEIGHTS), float)


def _strength(material: Material, energy: Array) -> Array:
    """2 pi r_e^2 m c^2 N_A <Z/A>/beta^2, MeV cm2/g."""
    _, beta2 = kinematics(energy)
    return np.asarray(0.5 * BETHE_K_MEV_CM2_PER_MOL * electrons_per_gram_mol(material) / beta2, float)
