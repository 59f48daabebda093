"""Energy loss of protons and light ions: mean, straggling, and knock-on electrons above the cut.

Valid from 0.5 MeV per nucleon to 350 MeV per nucleon. Losses below the delta cut are condensed; the sampled loss has
the mean and the variance of the restricted theory and the shape of a gamma distribution, which tends to the Gaussian
of thick steps and stays positive for thin ones. Electrons above the cut are sampled one by one and leave their
energy where they are made.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.single import NINTH, ONE, THIRD, ZERO, f32, log, random_direction
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.transport.tracks import MASS_MEV

FEWEST_QUANTA = f32(0.3)  # below, the transformation no longer keeps mean and variance
NO_VARIANCE = f32(1.0e-30)
MINUS_TWO = f32(-2.0)


@inlined
def normal(u1, u2):
    """Return a standard normal number from two uniforms (Box and Muller, Ann. Math. Stat. 29, 610 (1958))."""
    cosine, _ = random_direction(u2)
    return np.sqrt(MINUS_TWO * log(u1)) * cosine


@inlined
def straggled_loss(mean, variance, normal_number):
    """Return a loss with this mean and variance from a standard normal number.

    Wilson and Hilferty, Proc. Natl. Acad. Sci. 17, 684 (1931): the cube root of a gamma variate is nearly normal.
    """
    quanta = max(mean * mean / (variance + NO_VARIANCE), FEWEST_QUANTA)
    root = max(ONE - NINTH / quanta + normal_number * THIRD / np.sqrt(quanta), ZERO)
    return mean * (root * root * root)


@kernel
def largest_transfer(energy, mass):
    """Return the largest energy given to a free electron, MeV (ICRU Report 49, eq. 2.3)."""
    gamma = 1.0 + energy / mass
    ratio = ELECTRON_MASS_MEV / mass
    return 2.0 * ELECTRON_MASS_MEV * (gamma * gamma - 1.0) / (1.0 + 2.0 * gamma * ratio + ratio * ratio)


@kernel
def knock_on_energy(tables, track, stream):
    """Sample the energy of an electron above the cut; zero if the ion is too slow by now.

    d(sigma)/dT = 1/T^2 (1 - beta^2 T/Tmax + T^2/(2 E^2)), Rossi, High-Energy Particles (1952), 2.3.
    """
    mass = MASS_MEV[track.species]
    top, cut = largest_transfer(track.energy, mass), tables.delta_cut_MeV
    if top <= cut:
        return 0.0, stream
    total = track.energy + mass
    beta2 = 1.0 - (mass / total) ** 2
    while True:
        a, b, c, d, stream = draw_four(stream)
        t = 1.0 / (1.0 / cut - a * (1.0 / cut - 1.0 / top))
        if b * (1.0 + 0.5 * (top / total) ** 2) < 1.0 - beta2 * t / top + 0.5 * (t / total) ** 2:
            return t, stream
        t = 1.0 / (1.0 / cut - c * (1.0 / cut - 1.0 / top))
        if d * (1.0 + 0.5 * (top / total) ** 2) < 1.0 - beta2 * t / top + 0.5 * (t / total) ** 2:
            return t, stream
