"""Pair production: the photon becomes an electron and a positron."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.transport.electrons.annihilation import at_rest
from dosewright.transport.photons.deflect import deflected
from dosewright.transport.photons.quantile import quantile
from dosewright.transport.tracks import ELECTRON, POSITRON, push


@kernel
def pair(tables, material, energy, ray, place, photon_cut, electron_cut, stack, waiting, stream):
    """Make a pair and put it on the stack; return (deposited, waiting, stream), energies in MeV.

    Both leave on opposite sides of the photon, each at an angle with the leading term 1/(1 - beta cos)^2 of the cross
    section (Motz, Olsen and Koch, Rev. Mod. Phys. 41, 581 (1969), formula 3D-2000). A triplet counts as a pair: the
    third electron stays. What is below its cut is deposited; such a positron annihilates here.
    """
    a, b, c, azimuth, stream = draw_four(stream)
    both = energy - 2.0 * ELECTRON_MASS_MEV
    positron = both * quantile(tables.share, material, energy, a)
    electron = both - positron
    deposited = 0.0
    if electron >= electron_cut:
        cosine, sine = _angle(electron, b)
        waiting = push(stack, waiting, deflected(ray, cosine, sine, azimuth), place, electron, ELECTRON)
    else:
        deposited += electron
    if positron >= electron_cut:
        cosine, sine = _angle(positron, c)
        waiting = push(stack, waiting, deflected(ray, cosine, -sine, azimuth), place, positron, POSITRON)
    else:
        rest, waiting, stream = at_rest(ray, place, photon_cut, stack, waiting, stream)
        deposited += positron + rest
    return deposited, waiting, stream


@inlined
def _angle(energy, u):
    """Return cosine and sine of a polar angle for a kinetic energy (MeV) and a uniform number."""
    total = energy + ELECTRON_MASS_MEV
    beta = np.sqrt(energy * (energy + 2.0 * ELECTRON_MASS_MEV)) / total
    turn = 2.0 * (1.0 - u) * (1.0 - beta) / (1.0 + (2.0 * u - 1.0) * beta)
    return 1.0 - turn, np.sqrt(max(turn * (2.0 - turn), 0.0))
