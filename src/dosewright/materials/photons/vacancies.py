"""How a vacancy in an inner shell of an atom is filled: lines, Auger electrons, Coster-Kronig transitions.

Yields, rates and edges are those of xraylib. Vacancies of K, L1 to L3 and M1 to M5 are followed; shells further out
take no part and their energy stays where the atom is.
"""

import re
from functools import cache
from typing import NamedTuple

import numpy as np
import xraylib

from dosewright.materials.photons.cross_sections import SHELLS, edges_MeV

FOLLOWED = 9  # shells of an element whose vacancies are followed: K, L1 to L3, M1 to M5
OUTER = -1  # any shell further out
FAINT = 0.01  # a line with less than this share of a shell's photons does not count as one it can send out
COSTER_KRONIG = {
    name: [name[0] + other for other in "2345" if other > name[1] and name[0] + other in SHELLS]
    for name in ("L1", "L2", "M1", "M2", "M3", "M4")
}


class Transition(NamedTuple):
    """One way in which a vacancy is filled; `energy` in MeV, `left` the shells vacant afterwards."""

    probability: float
    energy: float
    radiative: bool
    left: tuple[int, int]


@cache
def transitions(z: int, shell: int) -> tuple[Transition, ...]:
    """Return how a vacancy in a followed shell is filled, the likeliest first; empty where nothing is known.

    Yields and rates are those of xraylib (fluorescence: Krause 1979 and later; Coster-Kronig transitions apart from
    Auger's). Energies are differences of edges of the neutral atom. Where no Auger rates are known (M shells) both
    electrons are taken from N4, and a Coster-Kronig electron from an outer shell without binding.
    """
    name = SHELLS[shell]
    edges = dict(edges_MeV(z))
    if name not in edges:
        return ()
    found: list[Transition] = []
    for target, constant in _lines(name):
        rate = _value(xraylib.RadRate, z, constant)
        energy = _value(xraylib.LineEnergy, z, constant) * 1e-3
        gap = edges[name] - edges.get(target, 0.0)
        if rate > 0.0:
            left = (_followed(target), OUTER)
            found.append(Transition(rate, min(energy, gap) if energy > 0.0 else gap, True, left))
    found = _scaled(found, _value(xraylib.FluorYield, z, getattr(xraylib, f"{name}_SHELL")))
    ejections: list[Transition] = []
    for one, other, constant in _augers(name):
        rate = _value(xraylib.AugerRate, z, constant)
        if rate > 0.0:
            energy = max(edges[name] - edges.get(one, 0.0) - edges.get(other, 0.0), 0.0)
            ejections.append(Transition(rate, energy, False, (_followed(one), _followed(other))))
    if not ejections:
        ejections = [Transition(1.0, edges[name] - 2.0 * edges.get("N4", 0.0), False, (OUTER, OUTER))]
    found += _scaled(ejections, _value(xraylib.AugerYield, z, getattr(xraylib, f"{name}_SHELL")))
    for target in COSTER_KRONIG.get(name, []):
        rate = _value(xraylib.CosKronTransProb, z, getattr(xraylib, f"F{name[0]}{name[1]}{target[1]}_TRANS"))
        if rate > 0.0 and target in edges:
            found.append(Transition(rate, edges[name] - edges[target], False, (_followed(target), OUTER)))
    found = _scaled(found, 1.0)
    return tuple(sorted(found, reverse=True))


@cache
def highest_line_MeV(z: int, shell: int) -> float:
    """Return the highest energy of a photon from a vacancy in a shell, faint lines apart; 0 where it has none."""
    lines = [t for t in transitions(z, shell) if t.radiative]
    photons = sum(line.probability for line in lines)
    return max((line.energy for line in lines if line.probability > FAINT * photons), default=0.0)


def mean_photon_energy_MeV(z: int, shell: int, photon_cut_MeV: float) -> float:
    """Return the mean energy of all photons from the cut on that follow a vacancy in a shell."""
    vacancies = np.zeros(FOLLOWED)
    vacancies[shell] = 1.0
    energy = 0.0
    for s in range(shell, FOLLOWED):
        for one in transitions(z, s):
            if one.radiative and one.energy >= photon_cut_MeV:
                energy += vacancies[s] * one.probability * one.energy
            for left in one.left:
                if left != OUTER:
                    vacancies[left] += vacancies[s] * one.probability
    return energy


def _scaled(found: list[Transition], total: float) -> list[Transition]:
    """Return the transitions with probabilities that add up to `total`."""
    now = sum(transition.probability for transition in found)
    return [t._replace(probability=t.probability * total / now) for t in found] if now > 0.0 else []


def _followed(name: str) -> int:
    shell = SHELLS.index(name) if name in SHELLS else FOLLOWED
    return shell if shell < FOLLOWED else OUTER


@cache
def _lines(name: str) -> tuple[tuple[str, int], ...]:
    """Return the lines of a shell: where the vacancy goes, and xraylib's number."""
    pattern = re.compile(rf"{name}([L-Q]\d?)\d?_LINE")
    matches = ((pattern.fullmatch(word), word) for word in dir(xraylib))
    return tuple((match[1], getattr(xraylib, word)) for match, word in matches if match)


@cache
def _augers(name: str) -> tuple[tuple[str, str, int], ...]:
    """Return the Auger transitions of a shell: where the two vacancies are left, and xraylib's number."""
    pattern = re.compile(rf"{name}_([L-Q]\d)([L-Q]\d)_AUGER")
    matches = ((pattern.fullmatch(word), word) for word in dir(xraylib))
    return tuple((match[1], match[2], getattr(xraylib, word)) for match, word in matches if match)


def _value(function, z: int, constant: int) -> float:  # type: ignore[no-untyped-def]
    """Return a value of xraylib, 0 where it has none."""
    try:
        return float(function(z, constant))
    except ValueError:
        return 0.0
