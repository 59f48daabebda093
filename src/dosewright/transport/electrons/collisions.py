"""Hard collisions with free electrons at rest: Moller's scattering of electrons, Bhabha's of positrons."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.transport.tracks import POSITRON

MOST_TRIES = 500  # two per draw; at least 0.4 of them succeed


@kernel
def collide(species, energy, cut, stream):
    """Sample a collision that sets an electron free with at least `cut` (MeV).

    The transfer W follows 1/W^2 and is kept with the rest of the cross section (`differential` of
    materials.electrons.collisions) over its largest value. Where no transfer above the cut is possible nothing is lost.

    Returns the energy of the electron set free, the cosines of the primary and of it to the direction before, and the
    stream.
    """
    top = energy if species == POSITRON else 0.5 * energy
    if top <= cut:
        return 0.0, 1.0, 1.0, stream
    gamma = 1.0 + energy / ELECTRON_MASS_MEV
    transfer = cut
    for _ in range(MOST_TRIES):
        u, keep, v, keep_second, stream = draw_four(stream)
        transfer = cut * top / (top - u * (top - cut))
        if keep < likelihood(species, gamma, transfer / energy):
            break
        transfer = cut * top / (top - v * (top - cut))
        if keep_second < likelihood(species, gamma, transfer / energy):
            break
    left, twice = energy - transfer, 2.0 * ELECTRON_MASS_MEV
    cos_primary = np.sqrt(left * (energy + twice) / (energy * (left + twice)))
    cos_secondary = np.sqrt(transfer * (energy + twice) / (energy * (transfer + twice)))
    return transfer, min(cos_primary, 1.0), min(cos_secondary, 1.0), stream


@inlined
def likelihood(species, gamma, e):
    """Return W^2 dsigma/dW over its largest value, for a share `e` of the energy."""
    if species == POSITRON:
        y = 1.0 / (gamma + 1.0)
        z = 1.0 - 2.0 * y
        beta2 = 1.0 - 1.0 / (gamma * gamma)
        b3 = z * z * (z + 1.0)
        return 1.0 - beta2 * e * (2.0 - y * y - e * (z * (3.0 + y * y) - e * (b3 - e * z * z * z)))
    a = (gamma - 1.0) / gamma
    a *= a
    ratio = e / (1.0 - e)
    return (1.0 + ratio * ratio + a * e * e - (1.0 - a) * ratio) / (1.0 + 1.25 * a)
