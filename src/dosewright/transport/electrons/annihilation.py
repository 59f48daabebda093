"""Positrons and electrons become two photons, in flight or at rest."""

import numpy as np

from dosewright.core.jit import kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.geometry.trace import Ray
from dosewright.transport.tracks import PHOTON, push

MOST_TRIES = 500  # two per draw; a third of them succeed at worst


@kernel
def in_flight(energy, stream):
    """Sample the two photons of an annihilation in flight, with a free electron at rest.

    One photon takes the share s of the energy T + 2 m c^2, from s0 to 1 - s0: 1/s, kept with
    g(s) = -(gamma + 1)^2 s + gamma^2 + 4 gamma + 1 - 1/s over its largest value (Heitler 1954; in the variables of
    Nelson, Hirayama and Rogers, SLAC-265 (1985), 2.12).

    Returns energy and cosine of one photon, energy and cosine of the other, and the stream; the other goes to the
    opposite side.
    """
    gamma = 1.0 + energy / ELECTRON_MASS_MEV
    p = np.sqrt(gamma * gamma - 1.0)
    least = 1.0 / (gamma + 1.0 + p)
    span = np.log((1.0 - least) / least)
    square, middle = (gamma + 1.0) * (gamma + 1.0), gamma * gamma + 4.0 * gamma + 1.0
    per_largest = 1.0 / (middle - 2.0 * (gamma + 1.0))
    share = 0.5
    for _ in range(MOST_TRIES):
        u, keep, v, keep_second, stream = draw_four(stream)
        share = least * np.exp(u * span)
        if keep < (middle - square * share - 1.0 / share) * per_largest:
            break
        share = least * np.exp(v * span)
        if keep_second < (middle - square * share - 1.0 / share) * per_largest:
            break
    total = energy + 2.0 * ELECTRON_MASS_MEV
    one = (gamma + 1.0 - 1.0 / share) / p
    other = (gamma + 1.0 - 1.0 / (1.0 - share)) / p
    first = share * total
    return first, max(-1.0, min(1.0, one)), total - first, max(-1.0, min(1.0, other)), stream


@kernel
def at_rest(ray, place, photon_cut, stack, waiting, stream):
    """Put the two photons of an annihilation at rest on the stack: back to back, in any direction.

    Returns the energy left here (of both photons, where they are below the cut), the stack count and the stream.
    """
    if photon_cut > ELECTRON_MASS_MEV:
        return 2.0 * ELECTRON_MASS_MEV, waiting, stream
    a, b, _, _, stream = draw_four(stream)
    w = 2.0 * a - 1.0
    across, phi = np.sqrt(1.0 - w * w), 2.0 * np.pi * b
    u, v = across * np.cos(phi), across * np.sin(phi)
    waiting = push(stack, waiting, Ray(ray.x, ray.y, ray.z, u, v, w), place, ELECTRON_MASS_MEV, PHOTON)
    waiting = push(stack, waiting, Ray(ray.x, ray.y, ray.z, -u, -v, -w), place, ELECTRON_MASS_MEV, PHOTON)
    return 0.0, waiting, stream
