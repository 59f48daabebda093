"""Energy loss of protons and light ions: mean, straggling, and knock-on electrons above the cut.

Valid from 0.5 MeV per nucleon to 350 MeV per nucleon. Losses below the delta cut are condensed; the sampled loss has
the first three moments of the restricted theory and the shape of a gamma distribution, which tends to the Gaussian of
thick steps. Electrons above the cut are sampled one by one and leave their
energy where they are made.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.single import NINTH, ONE, THIRD, TWO, ZERO, f32, log, random_direction
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.transport.tracks import MASS_MEV

FEWEST_QUANTA = f32(0.3)  # below, the transformation no longer keeps the variance
CUBE_BELOW, CUBE_AT_LEAST = f32(729.0), f32(12.0)
NO_LENGTH, SMALLEST_QUANTUM = f32(1.0e-30), f32(1.0e-12)  # keep divisions finite
TWELFTH, FIVE_SIXTHS = f32(1 / 12), f32(5 / 6)
MINUS_TWO = f32(-2.0)


@inlined
def normal(u1, u2):
    """Return a standard normal number from two uniforms (Box and Muller, Ann. Math. Stat. 29, 610 (1958))."""
    cosine, _ = random_direction(u2)
    return np.sqrt(MINUS_TWO * log(u1)) * cosine


@inlined
def mean_loss(energy, at_start, halfway, planned, length):
    """Return the mean loss along a length, and by how much a fluctuation half way has grown at its end.

    From the stopping powers at its start and half way along a planned length.

    Half way means at the energy less half of ``at_start * planned``. The midpoint rule plus its error for a stopping
    power E^-p of any p, which makes it right to third order: with x = halfway/at_start - 1 and the share f of the
    energy that `at_start` would take, the loss is at_start * length * (1 + x + x (f/12 + 5x/6)). A proton that lost
    more half way loses more from there on: fluctuations grow as the stopping power does, by (1 + 2x)/(1 + x).
    """
    part = min(length / (planned + NO_LENGTH), ONE)
    x = (halfway - at_start) / (at_start + NO_LENGTH) * part
    share = at_start * length / (energy + NO_LENGTH)
    return at_start * length * (ONE + x + x * (share * TWELFTH + x * FIVE_SIXTHS)), (ONE + TWO * x) / (ONE + x)


@inlined
def straggled_loss(mean, variance, quantum, normal_number):
    """Return a loss with this mean, this variance, and the third moment 2 x variance x quantum.

    A gamma variate on top of a constant: its number of quanta is variance/quantum^2. By Wilson and Hilferty, Proc.
    Natl. Acad. Sci. 17, 684 (1931), its cube root is nearly normal; what that changes in the mean (1 to 3 % of the
    variate where quanta are few) is taken out with 1 - 1/(729 q^3 + 12), own fit to 0.1 %.
    """
    quantum = max(quantum, SMALLEST_QUANTUM)
    quanta = max(variance / (quantum * quantum), FEWEST_QUANTA)
    return max(mean + variance / quantum * (gamma_over_mean(quanta, normal_number) - ONE), ZERO)


@inlined
def gamma_over_mean(quanta, normal_number):
    """Return a gamma variate of a number of quanta, 0.3 at least, over its mean."""
    root = max(ONE - NINTH / quanta + normal_number * THIRD / np.sqrt(quanta), ZERO)
    return root * root * root / (ONE - ONE / (CUBE_BELOW * quanta * quanta * quanta + CUBE_AT_LEAST))


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
