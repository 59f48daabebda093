"""Compton scattering by bound electrons in motion.

The angle is that of an electron at rest, with the incoherent scattering function; the shell and the energy of the
scattered photon follow from the impulse approximation: Ribberfors, Phys. Rev. B 12, 2067 (1975), with the profiles of
Brusa, Stutz, Riveros, Fernandez-Varea and Salvat, Nucl. Instrum. Methods A 379, 167 (1996).
"""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.transport.photons.deflect import deflected
from dosewright.transport.photons.quantile import quantile
from dosewright.transport.tracks import ELECTRON, push

NO_SHELL = -1
_ROOT_HALF = np.sqrt(0.5)
_FASTEST = 0.2  # mc: beyond, the factor of the cross section that goes with momentum stays (Brusa et al. 1996)
_TRIALS = 100  # then the electron counts as free: at angles where binding forbids nearly everything


@kernel
def compton(tables, material, energy, ray, place, photon_cut, electron_cut, stack, waiting, stream):
    """Scatter a photon; return (energy, ray, deposited, element, shell, waiting, stream).

    The recoil electron goes on the stack, or is deposited below its cut. So is the binding energy, unless relaxation
    may send out something above a cut: then it is left out of the deposit, and ``element`` (atomic number) and
    ``shell`` (K, L1, L2, L3 as 0 to 3) say where the vacancy is; else shell is -1. Energies in MeV.
    """
    a, azimuth, c, d, stream = draw_four(stream)
    loss, left, turn = scattered(tables, material, energy, a)
    sine = np.sqrt(turn * (2.0 - turn))
    after, binding, i, stream = moved_by_shell(tables, material, energy, loss, left, turn, c, d, stream)
    deposited, element, shell = 0.0, 0, NO_SHELL
    if i >= 0 and tables.shell[i] >= 0 and binding >= min(photon_cut, electron_cut):
        element, shell = tables.element[i], tables.shell[i]
    else:
        deposited = binding
    recoil = energy - after - binding
    if recoil >= electron_cut:
        away = _recoil(ray, after / energy, turn, sine, azimuth)
        waiting = push(stack, waiting, away, place, recoil, ELECTRON)
    else:
        deposited += recoil
    return after, deflected(ray, 1.0 - turn, sine, azimuth), deposited, element, shell, waiting, stream


@inlined
def scattered(tables, material, energy, probability):
    """Return 1 - k'/k and k'/k for an electron at rest and 1 - cos(theta), at a cumulative probability."""
    k = energy / ELECTRON_MASS_MEV
    loss = 2.0 * k / (1.0 + 2.0 * k) * quantile(tables.loss, material, energy, probability)
    left = 1.0 - loss
    return loss, left, min(loss / (left * k), 2.0)


@inlined
def moved_by_shell(tables, material, energy, loss, left, turn, c, d, stream):
    """Return the energy of a photon scattered through an angle, the binding energy of the shell, the shell, the stream.

    The first try takes the two uniforms given; `loss` is 1 - k'/k for an electron at rest, `left` is k'/k.
    """
    cosine = 1.0 - turn
    momentum = np.sqrt(loss * loss + 2.0 * left * turn)  # transferred, over that of the photon
    slope = momentum + left * (left - cosine) / momentum
    first = tables.first[material]
    count = tables.first[material + 1] - first
    after, binding, i = energy * left, 0.0, NO_SHELL
    for _ in range(_TRIALS):
        one, even = choose(tables, first, count, c)
        along = tables.width[one] * (np.sqrt(0.5 - np.log(d)) - _ROOT_HALF)
        along = -along if even > 0.5 * (1.0 + slope * min(along, _FASTEST)) else along
        shifted = energy * _shift(left, cosine, momentum, along)
        if abs(along) < 1.0 and shifted <= energy - tables.binding[one]:
            after, binding, i = shifted, tables.binding[one], one
            break
        c, d, _, _, stream = draw_four(stream)
    return after, binding, i, stream


@inlined
def choose(tables, first, count, c):
    """Return a shell chosen by its electrons with a uniform number, and what is left of it: another uniform one."""
    at = c * count
    i = np.int64(at)
    rest = at - i
    share = tables.share[first + i]
    kept = rest < share
    even = (rest if kept else rest - share) / (share if kept else 1.0 - share)
    return first + (i if kept else np.int64(tables.other[first + i])), even


@inlined
def _shift(left, cosine, momentum, along):
    """Return k'/k for an electron with momentum `along` (mc, against the transferred one): Brusa et al. 1996."""
    moving = along * along * left
    sine2 = 1.0 - cosine * cosine
    root = np.sqrt(max(momentum * momentum - moving * left * sine2, 0.0))
    return left * (1.0 - moving * cosine + along * root) / (1.0 - moving * left)


@inlined
def _recoil(ray, left, turn, sine, azimuth):
    """Return the ray along the momentum that the photon gave away, on the side opposite to it; `left` is k'/k."""
    ahead, aside = 1.0 - left + left * turn, left * sine
    per_momentum = 1.0 / np.sqrt(max(ahead * ahead + aside * aside, 1.0e-30))
    return deflected(ray, ahead * per_momentum, -aside * per_momentum, azimuth)
