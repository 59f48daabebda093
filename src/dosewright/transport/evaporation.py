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
# Tunnelling lowers barriers by most [1 - exp(-Z/scale)]: within 0.04 of table I of Dostrovsky 1959.
BARRIER_MOST = np.array([0.0, 0.80, 0.86, 0.92, 0.92, 0.98])
BARRIER_SCALE = np.array([1.0, 14.0, 14.0, 14.0, 9.3, 9.3])
# Capture by the inverse reaction, over the geometrical cross section, is 1 + most exp(-Z/15): table I of the same.
CAPTURE_MOST = np.array([0.0, 0.95, 0.48, 0.32, 0.13, 0.10])
CAPTURE_SCALE = 15.0
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
def barrier(channel, protons, nucleons):
    """Return the Coulomb barrier (MeV) between what leaves by a channel and the nucleus that stays."""
    radius = RADIUS_FM * nucleons ** (1.0 / 3.0) + TOUCHING_FM[channel]
    lowered = BARRIER_MOST[channel] * (1.0 - np.exp(-protons / BARRIER_SCALE[channel]))
    return lowered * COULOMB_MEV_FM * PROTONS_OUT[channel] * protons / radius


@kernel
def _rate(mass_excess, remnant, channel):
    """Return the energy above barrier and separation of a channel, and its rate (relative, as a logarithm)."""
    protons, neutrons = remnant.protons - PROTONS_OUT[channel], remnant.neutrons - NEUTRONS_OUT[channel]
    if protons < 0 or neutrons < 0 or protons + neutrons < 1:
        return 0.0, 0.0
    out = mass_excess[PROTONS_OUT[channel], NEUTRONS_OUT[channel]]
    cost = mass_excess[protons, neutrons] + out - mass_excess[remnant.protons, remnant.neutrons]
    above = remnant.excitation - cost - barrier(channel, protons, protons + neutrons)
    if above <= 0.0:
        return 0.0, 0.0
    level = (protons + neutrons) / NUCLEONS_PER_LEVEL
    capture = 1.0 + CAPTURE_MOST[channel] * np.exp(-protons / CAPTURE_SCALE)
    if channel == 0:
        capture = 0.76 + 2.2 * (protons + neutrons) ** (-1.0 / 3.0)
    return above, capture * WEIGHT[channel] * above / level * np.exp(2.0 * np.sqrt(level * above))


@kernel
def emission(mass_excess, remnant, stream):
    """Choose what leaves next; return its channel (or -1), its energy of separation in the centre of mass, the stream."""
    u, _, _, _, stream = draw_four(stream)
    total = 0.0
    for channel in range(CHANNELS):
        total += _rate(mass_excess, remnant, channel)[1]
    if total <= 0.0:
        return -1, 0.0, stream
    left, chosen, most = u * total, -1, 0.0
    for channel in range(CHANNELS):
        above, rate = _rate(mass_excess, remnant, channel)
        if rate > 0.0 and left >= 0.0:
            chosen, most = channel, above
        left -= rate
    protons, neutrons = remnant.protons - PROTONS_OUT[chosen], remnant.neutrons - NEUTRONS_OUT[chosen]
    kinetic, stream = _above_barrier(most, np.sqrt(most * NUCLEONS_PER_LEVEL / (protons + neutrons)), stream)
    nucleons = protons + neutrons
    if most - kinetic < FIRST_LEVEL_MEV / nucleons:
        kinetic = most
    return chosen, kinetic + barrier(chosen, protons, nucleons), stream


@kernel
def _above_barrier(most, temperature, stream):
    """Sample x exp(-x/T) for x below `most`."""
    while True:
        a, b, c, d, stream = draw_four(stream)
        x = -temperature * np.log(a * b)
        if x < most:
            return x, stream
        x = -temperature * np.log(c * d)
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
    protons, neutrons = remnant.protons - PROTONS_OUT[channel], remnant.neutrons - NEUTRONS_OUT[channel]
    cost = (
        mass_excess[protons, neutrons]
        + mass_excess[PROTONS_OUT[channel], NEUTRONS_OUT[channel]]
        - mass_excess[remnant.protons, remnant.neutrons]
    )
    light = PROTONS_OUT[channel] + NEUTRONS_OUT[channel]
    share = light / (remnant.protons + remnant.neutrons)
    q = np.sqrt(2.0 * kinetic * light * (1.0 - share) * ATOMIC_MASS_UNIT_MEV)
    x, y = q * sine * np.cos(phi) + share * remnant.px, q * sine * np.sin(phi) + share * remnant.py
    z = q * cosine + share * remnant.pz
    after = Remnant(
        protons,
        neutrons,
        remnant.px - x,
        remnant.py - y,
        remnant.pz - z,
        max(remnant.excitation - cost - kinetic, 0.0),
    )
    return x, y, z, (x * x + y * y + z * z) / (2.0 * light * ATOMIC_MASS_UNIT_MEV), after, stream


@inlined
def recoil_energy(remnant):
    """Return the kinetic energy of a remnant, MeV (non-relativistic)."""
    p2 = remnant.px * remnant.px + remnant.py * remnant.py + remnant.pz * remnant.pz
    return p2 / (2.0 * ATOMIC_MASS_UNIT_MEV * max(remnant.protons + remnant.neutrons, 1))
