"""Elastic Coulomb scattering: many small deflections condensed into one, large ones sampled one by one.

Both come from Moliere-screened Rutherford scattering (Moliere, Z. Naturforsch. 2a, 133 (1947)), split at an angle
(Fernandez-Varea et al., Nucl. Instrum. Methods B 73, 447 (1993)), so that step length does not matter and the tails
of Moliere's distribution are there for any material. Valid for protons and light ions above about 0.5 MeV per
nucleon. Large deflections carry the nuclear form factor and the spin-1/2 factor.
"""

import numpy as np

from dosewright.core.jit import inlined
from dosewright.core.single import (
    HALF,
    ONE,
    THREE_HALVES,
    TWO,
    ZERO,
    exp_minus,
    f32,
    log,
    random_direction,
    small_cos_sin,
)
from dosewright.materials.lookup import LARGEST_Q

QUARTER, PER_LARGEST_Q = f32(0.25), f32(1 / LARGEST_Q)
LARGEST_EXPONENT = f32(80.0)
LARGEST_CONDENSED_RAD = f32(1.5)  # a Gaussian angle beyond this is held here; only at the very end of the range


@inlined
def soft_angle(mean_square_angle, u):
    """Return cosine and sine of a condensed deflection: Gaussian in both projected angles."""
    return small_cos_sin(min(np.sqrt(-mean_square_angle * log(u)), LARGEST_CONDENSED_RAD))


@inlined
def hard_angle(cut, charge_radius2, momentum2, beta2, u, chance):
    """Return cosine and sine of one large deflection, none where nuclear size or spin forbids it.

    With q = 4 sin^2(theta/2): c/q^2 dq from the cut to 4, times the form factor exp(-p^2 <r^2> q/3) and 1 - beta^2 q/4.
    """
    q = ONE / (PER_LARGEST_Q + u * (ONE / cut - PER_LARGEST_Q))
    form = min(q * momentum2 * charge_radius2, LARGEST_EXPONENT)
    q = q if chance < exp_minus(form) * (ONE - QUARTER * beta2 * q) else ZERO
    return ONE - HALF * q, np.sqrt(q * (ONE - QUARTER * q))


@inlined
def turned_by(u, v, w, cosine, sine, u_azimuth):
    """Turn a direction by a polar angle and a random azimuth.

    The axes across are those of Duff et al., J. Comput. Graph. Tech. 6, 1 (2017): no branch, no singular direction.
    """
    a, b = random_direction(u_azimuth)
    a, b = a * sine, b * sine
    sign = ONE if w >= ZERO else -ONE
    c = -ONE / (sign + w)
    d = u * v * c
    x = cosine * u + a * (ONE + sign * u * u * c) + b * d
    y = cosine * v + a * sign * d + b * (sign + v * v * c)
    z = cosine * w - a * sign * u - b * v
    shrink = THREE_HALVES - HALF * (x * x + y * y + z * z)  # back to unit length, to second order
    return x * shrink, y * shrink, z * shrink


@inlined
def momentum2_and_beta2(energy, mass):
    """Return momentum squared (MeV2/c2) and velocity squared (c2) of a kinetic energy and a mass (MeV)."""
    momentum2 = energy * (energy + TWO * mass)
    total = energy + mass
    return momentum2, momentum2 / (total * total)
