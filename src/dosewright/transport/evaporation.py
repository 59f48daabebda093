"""The slow stage of a break-up: an excited nucleus sends out light particles until it has too little energy.

Weisskopf, Phys. Rev. 52, 295 (1937), with the barriers of Dostrovsky, Fraenkel and Friedlander, Phys. Rev. 116, 683
(1959): neutrons, protons, deuterons, tritons, helions, alpha particles, isotropic in the frame of the nucleus. What
energy is left when no particle can leave goes to gamma rays.
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ATOMIC_MASS_UNIT_MEV, FINE_STRUCTURE, HBAR_C_MEV_FM
from dosewright.transport.tracks import ALPHA, DEUTERON, HELION, PROTON, TRITON

NEUTRON = -1
CHANNELS = 6
SPECIES = np.array([NEUTRON, PROTON, DEUTERON, TRITON, HELION, ALPHA])
PROTONS_OUT = np.array([0, 1, 1, 1, 2, 2])
NEUTRONS_OUT = np.array([1, 0, 1, 2, 1, 2])
WEIGHT = np.array([2.0, 2.0, 6.0, 6.0, 6.0, 4.0])  # spin states x mass
TOUCHING_FM = np.array([0.0, 0.0, 1.2, 1.2, 1.2, 1.2])  # radius of what leaves: Dostrovsky 1959
RADIUS_FM = 1.5  # of what stays, per A^(1/3): Dostrovsky 1959
# By channel and protons of the nucleus that stays: how much of the barrier is felt, 1 lowered by tunnelling, and the
# capture by the inverse reaction over the geometrical cross section. Within 0.05 of table I of Dostrovsky 1959.
_Z = np.arange(100.0)
BARRIER = np.array([0.0, 0.80, 0.86, 0.92, 0.92, 0.98])[:, None] * (
    1.0 - np.exp(-_Z / np.array([1.0, 14.0, 14.0, 14.0, 9.3, 9.3])[:, None])
)
CAPTURE = 1.0 + np.array([0.0, 0.95, 0.48, 0.32, 0.13, 0.10])[:, None] * np.exp(-_Z / 15.0)
NEUTRON_CAPTURE, NEUTRON_CAPTURE_LIGHT = 0.76, 2.2  # + this A^(-1/3): the same
NUCLEONS_PER_LEVEL = 8.0  # level density parameter A/8 per MeV: Dostrovsky 1959
FIRST_LEVEL_MEV = 60.0  # over the number of nucleons: no level lies lower, typically (4.4 MeV in C-12, 6.0 in O-16)
COULOMB_MEV_FM = FINE_STRUCTURE * HBAR_C_MEV_FM


class Remnant(NamedTuple):
    """What is left of a nucleus: protons, neutrons, momentum (MeV/c, z along the beam), excitation (MeV)."""

    protons: int
    neutrons: int
    px: float
    py: float
    pz: float
    excitation: float


@inlined
def barrier(channel, protons, size):
    """Return the Coulomb barrier (MeV) of a channel; `size` is the cube root of the nucleons that stay."""
    radius = RADIUS_FM * size + TOUCHING_FM[channel]
    return BARRIER[channel, protons] * COULOMB_MEV_FM * PROTONS_OUT[channel] * protons / radius


@inlined
def cube_root(nucleons):
    """Return A^(1/3)."""
    return np.exp(np.log(nucleons) / 3.0)


@inlined
def separation(mass_excess, remnant, channel):
    """Return the energy it costs to take a particle away, MeV."""
    return (
        mass_excess[remnant.protons - PROTONS_OUT[channel], remnant.neutrons - NEUTRONS_OUT[channel]]
        + mass_excess[PROTONS_OUT[channel], NEUTRONS_OUT[channel]]
        - mass_excess[remnant.protons, remnant.neutrons]
    )


@kernel
def emission(mass_excess, remnant, stream):
    """Choose what leaves next; return its channel (-1 for none), the energy that parts the two, MeV, and the stream.

    Rates go as g m x rho(x), x the energy above separation and barrier, rho = exp(2 sqrt(a x)).
    """
    total, chosen, above = 0.0, -1, 0.0
    nucleons = remnant.protons + remnant.neutrons
    size = cube_root(nucleons)
    a, _, _, _, stream = draw_four(stream)
    for channel in range(CHANNELS):
        protons, neutrons = remnant.protons - PROTONS_OUT[channel], remnant.neutrons - NEUTRONS_OUT[channel]
        if protons < 0 or neutrons < 0 or protons + neutrons < 1:
            continue
        x = remnant.excitation - separation(mass_excess, remnant, channel) - barrier(channel, protons, size)
        if x <= 0.0:
            continue
        capture = NEUTRON_CAPTURE + NEUTRON_CAPTURE_LIGHT / size if channel == 0 else CAPTURE[channel, protons]
        level = (protons + neutrons) / NUCLEONS_PER_LEVEL
        rate = WEIGHT[channel] * capture * x / level * np.exp(2.0 * np.sqrt(level * x))
        total += rate
        if a * total < rate:  # each channel is kept with its share of the rates so far
            chosen, above, a = channel, x, a * total / rate
        else:
            a = (a * total - rate) / (total - rate)
    if chosen < 0:
        return -1, 0.0, stream
    left = nucleons - PROTONS_OUT[chosen] - NEUTRONS_OUT[chosen]
    x, stream = _above_barrier(above, np.sqrt(above * NUCLEONS_PER_LEVEL / left), stream)
    if above - x < FIRST_LEVEL_MEV / left:
        x = above
    return chosen, x + barrier(chosen, remnant.protons - PROTONS_OUT[chosen], size), stream


@kernel
def _above_barrier(most, temperature, stream):
    """Sample x exp(-x/T) for x below `most`."""
    while True:
        a, b, _, _, stream = draw_four(stream)
        if most < temperature:  # from x alone, kept with the exponential
            x = most * np.sqrt(a)
            if b < np.exp(-x / temperature):
                return x, stream
        else:
            x = -temperature * np.log(a * b)
            if x < most:
                return x, stream


@kernel
def part(mass_excess, remnant, channel, kinetic, stream):
    """Let a particle leave isotropically with `kinetic` between it and the rest (MeV, non-relativistic).

    Returns its momentum (three components), its energy, the remnant and the stream; energies sum to what there was.
    """
    a, b, _, _, stream = draw_four(stream)
    cosine, phi = 2.0 * a - 1.0, 2.0 * np.pi * b
    sine = np.sqrt(1.0 - cosine * cosine)
    light = PROTONS_OUT[channel] + NEUTRONS_OUT[channel]
    share = light / (remnant.protons + remnant.neutrons)
    q = np.sqrt(2.0 * kinetic * light * (1.0 - share) * ATOMIC_MASS_UNIT_MEV)
    x, y = q * sine * np.cos(phi) + share * remnant.px, q * sine * np.sin(phi) + share * remnant.py
    z = q * cosine + share * remnant.pz
    after = Remnant(
        remnant.protons - PROTONS_OUT[channel],
        remnant.neutrons - NEUTRONS_OUT[channel],
        remnant.px - x,
        remnant.py - y,
        remnant.pz - z,
        max(remnant.excitation - separation(mass_excess, remnant, channel) - kinetic, 0.0),
    )
    return x, y, z, (x * x + y * y + z * z) / (2.0 * light * ATOMIC_MASS_UNIT_MEV), after, stream


@inlined
def recoil_energy(remnant):
    """Return the kinetic energy of a remnant, MeV (non-relativistic)."""
    p2 = remnant.px * remnant.px + remnant.py * remnant.py + remnant.pz * remnant.pz
    return p2 / (2.0 * ATOMIC_MASS_UNIT_MEV * max(remnant.protons + remnant.neutrons, 1))


@kernel
def light_channel(remnant):
    """Return the channel whose particle a remnant itself is, -1 for none."""
    for channel in range(CHANNELS):
        if remnant.protons == PROTONS_OUT[channel] and remnant.neutrons == NEUTRONS_OUT[channel]:
            return channel
    return -1
