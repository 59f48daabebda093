"""Scattered and characteristic photons sent into a field; trials and shares are those of `electrons.directed`."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.photons.compton import HC_MEV_ANGSTROM
from dosewright.transport.aim import aimed, along, towards, window
from dosewright.transport.photons.compton import moved_by_shell, scattered
from dosewright.transport.photons.quantile import probability
from dosewright.transport.photons.rayleigh import integral, node, square_at

TURN = 2.0 * np.pi
MOST_TRIES = 1000  # each succeeds with more than a half


@kernel
def aim_compton(tables, material, field, ray, energy):
    """Return the window of the field and what of the cumulative probability of angles lies in it."""
    seen = window(field, ray)
    low = _below(tables, material, energy, seen.low)
    high = _below(tables, material, energy, seen.high)
    return seen, low, high - low, (high - low) * seen.span / TURN


@kernel
def try_compton(tables, material, energy, field, aim, ray, stream):
    """Make one trial; return how many photons it sends out, their energy (MeV), their ray and the stream."""
    seen, low, width, _ = aim
    a, b, c, d, stream = draw_four(stream)
    loss, left, turn = scattered(tables, material, energy, low + a * width)
    away = along(seen, ray, turn, b)
    if not aimed(field, away):
        return 0, 0.0, away, stream
    after, _, _, stream = moved_by_shell(tables, material, energy, loss, left, turn, c, d, stream)
    return 1, after, away, stream


@inlined
def _below(tables, material, energy, turn):
    """Return the probability of a turn, 1 - cos(theta), below a value."""
    k = energy / ELECTRON_MASS_MEV
    return probability(tables.loss, material, energy, turn * (0.5 + k) / (1.0 + k * turn))


@kernel
def aim_rayleigh(tables, material, field, ray, energy, stream):
    """Return the window of the field and what of the integral of the squared form factor lies in it; and the stream.

    An event takes as many tries as Thomson's factor refuses, more than one on average; a sample of that number makes
    the share right in the mean.
    """
    seen = window(field, ray)
    largest = energy / HC_MEV_ANGSTROM
    largest *= largest
    low, high = 0.5 * largest * seen.low, 0.5 * largest * seen.high
    low, high = integral(tables, material, node(low), low), integral(tables, material, node(high), high)
    top = node(largest)
    whole, tries = integral(tables, material, top, largest), 0
    for _ in range(MOST_TRIES):
        tries += 1
        a, b, _, _, stream = draw_four(stream)
        cosine = 1.0 - min(2.0 * square_at(tables, material, top, a * whole) / largest, 2.0)
        if 2.0 * b < 1.0 + cosine * cosine:
            break
    return (seen, low, high - low, (high - low) / whole * tries * seen.span / TURN), stream


@kernel
def try_rayleigh(tables, material, energy, field, aim, ray, stream):
    """Make one trial; return how many photons it sends out, their energy (MeV), their ray and the stream."""
    seen, low, width, _ = aim
    a, b, c, _, stream = draw_four(stream)
    largest = energy / HC_MEV_ANGSTROM
    largest *= largest
    turn = min(2.0 * square_at(tables, material, node(largest), low + a * width) / largest, 2.0)
    away = along(seen, ray, turn, b)
    cosine = 1.0 - turn
    kept = 2.0 * c < 1.0 + cosine * cosine and aimed(field, away)
    return (1 if kept else 0), energy, away, stream


@kernel
def aim_isotropic(field, ray):
    """Return the window of the field about its middle, and what of the turns lies in it."""
    seen = window(field, towards(field, ray))
    width = seen.high - seen.low
    return seen, seen.low, width, 0.5 * width * seen.span / TURN


@kernel
def try_isotropic(energy, field, aim, ray, stream):
    """Make one trial; return how many photons it sends out, their energy (MeV), their ray and the stream."""
    seen, low, width, _ = aim
    a, b, _, _, stream = draw_four(stream)
    away = along(seen, ray, low + a * width, b)
    return (1 if aimed(field, away) else 0), energy, away, stream
