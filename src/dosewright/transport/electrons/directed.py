"""Photons of an electron sent into a field, as many as that many events would send there, without the others.

The number of trials of an event is its share (of whole events that fall into the window of the field) times how often
the event is to be repeated. A trial that fails sends out nothing; one that stands for more than itself sends out more.
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.transport.aim import aimed, along, window
from dosewright.transport.electrons.bremsstrahlung import angular_terms, photon_energy, two_bs

TURN = 2.0 * np.pi


@kernel
def aim_bremsstrahlung(field, ray, energy):
    """Return the window of the field, and what of v = 1/(1 + x) lies in it: low end, width, share of all trials.

    x is that of `photon_cosine`; without the slowly varying factor of formula 2BS all v are equally likely.
    """
    seen = window(field, ray)
    least, largest = _least_v(energy)
    low, high = 1.0 / (1.0 + 0.5 * largest * seen.high), 1.0 / (1.0 + 0.5 * largest * seen.low)
    return seen, low, high - low, (high - low) / (1.0 - least) * seen.span / TURN


@kernel
def try_bremsstrahlung(tables, material, energy, photon_cut, field, aim, ray, stream):
    """Make one trial; return how many photons it sends out, their energy (MeV), their ray and the stream.

    The direction comes first, even in v and azimuth; then an energy from the spectrum. How many photons there are is
    formula 2BS of that energy at this v over its mean, which is near one, rounded at random.
    """
    seen, low, width, _ = aim
    a, b, c, _, stream = draw_four(stream)
    least, largest = _least_v(energy)
    x = max(1.0 / (low + a * width) - 1.0, 0.0)
    away = along(seen, ray, min(2.0 * x / largest, 2.0), b)
    if not aimed(field, away):
        return 0, 0.0, away, stream
    k, _, _, stream = photon_energy(tables, material, energy, photon_cut, stream)
    _, ratio, transfer, screening = angular_terms(energy, k, tables.radiation_z[material])
    whole = integral(1.0, ratio, transfer, screening) - integral(least, ratio, transfer, screening)
    per_event = two_bs(x, ratio, transfer, screening) * (1.0 - least) / whole
    return np.int64(per_event + c), k, away, stream


@inlined
def _least_v(energy):
    """Return the v of the direction back, and its x."""
    before = 1.0 + energy / ELECTRON_MASS_MEV
    beta = np.sqrt(1.0 - 1.0 / (before * before))
    largest = 2.0 * beta * (1.0 + beta) * before * before
    return 1.0 / (1.0 + largest), largest


@inlined
def integral(v, ratio, transfer, screening):
    """Return the integral of `two_bs` over v = 1/(1 + x), from zero.

    By parts: of (b - 4 r v + 4 r v^2) [-4 - ln(T + S v^2)], and of the rational function that leaves.
    """
    both = 1.0 + ratio * ratio
    flat = (3.0 * both - 2.0 * ratio) * v
    whole = v * (both - 2.0 * ratio * v + 4.0 / 3.0 * ratio * v * v)  # integral of both - bend
    q = transfer / screening
    root = np.sqrt(q)
    bow, square = root * np.arctan(v / root), v * v
    second = v - bow  # of v^2/(v^2 + q); then of v^3 and v^4
    third = 0.5 * (square - q * np.log(1.0 + square / q))
    fourth = square * v / 3.0 - q * second
    rest = 2.0 * both * second - 4.0 * ratio * third + 8.0 / 3.0 * ratio * fourth
    return flat - whole * (4.0 + np.log(transfer + screening * square)) + rest


@kernel
def aim_annihilation(field, ray, energy):
    """Return the window of the field, the least share of the energy in it, how much more the largest, share of trials.

    Trials are those of `in_flight` for either photon: those that its g(s) refuses count as well.
    """
    seen = window(field, ray)
    gamma, p, least, middle = _shares(energy)
    square, log_all = (gamma + 1.0) * (gamma + 1.0), np.log((1.0 - least) / least)
    low = max(1.0 / (gamma + 1.0 - p + p * seen.high), least)
    high = min(1.0 / (gamma + 1.0 - p + p * seen.low), 1.0 - least)
    whole = middle * log_all - square * (1.0 - 2.0 * least) - 1.0 / least + 1.0 / (1.0 - least)
    tries = (middle - 2.0 * (gamma + 1.0)) / whole
    logs = np.log(high / low) + np.log((1.0 - low) / (1.0 - high))
    return seen, low, high - low, tries * logs * seen.span / TURN


@kernel
def try_annihilation(energy, field, aim, ray, stream):
    """Make one trial; return how many photons it sends out, their energy (MeV), their ray and the stream.

    The photon is one of the two of `in_flight`, which takes a share s as g(s)/s, or the other, which takes 1 - s.
    """
    seen, low, width, _ = aim
    a, b, c, _, stream = draw_four(stream)
    gamma, p, _, middle = _shares(energy)
    first, other = np.log((low + width) / low), np.log((1.0 - low) / (1.0 - low - width))
    a *= first + other
    share = low * np.exp(a) if a < first else 1.0 - (1.0 - low) * np.exp(first - a)
    turn = min(max((1.0 / share - (gamma + 1.0 - p)) / p, 0.0), 2.0)
    away = along(seen, ray, turn, b)
    s = share if a < first else 1.0 - share
    even = middle - (gamma + 1.0) * (gamma + 1.0) * s - 1.0 / s
    kept = c * (middle - 2.0 * (gamma + 1.0)) < even and aimed(field, away)
    return (1 if kept else 0), share * (energy + 2.0 * ELECTRON_MASS_MEV), away, stream


@inlined
def _shares(energy):
    """Return gamma, the momentum in mc, the least share of a photon, and gamma^2 + 4 gamma + 1."""
    gamma = 1.0 + energy / ELECTRON_MASS_MEV
    p = np.sqrt(gamma * gamma - 1.0)
    return gamma, p, 1.0 / (gamma + 1.0 + p), gamma * gamma + 4.0 * gamma + 1.0
