"""Atoms that photons and electrons ionise: which element and shell, and what fills the vacancy.

Edges, yields, line and Auger rates are those of xraylib. Every vacancy of K, L1 to L3 and M1 to M5 is followed; shells
further out take no part and their energy stays where the atom is.
"""

import re
from collections.abc import Collection, Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import xraylib
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.materials.photons.cross_sections import (
    SHELLS,
    edges_MeV,
    per_gram,
    photoelectric_barn,
    shell_barn,
)
from dosewright.materials.photons.lookup import Attenuation

Array = NDArray[np.float64]

FOLLOWED = 9  # shells of an element whose vacancies are followed: K, L1 to L3, M1 to M5
OUTER = -1  # any shell further out
LARGEST_Z = 100
COARSE_PER_OCTAVE = 6  # nodes at which shell shares are worked out
TRUSTED = 0.02  # where the shells miss more than this share of the total, their data have ended
COSTER_KRONIG = {
    name: [(int(other) - 1, name[0] + other) for other in "2345" if other > name[1] and name[0] + other in SHELLS]
    for name in ("L1", "L2", "M1", "M2", "M3", "M4")
}


class Atoms(NamedTuple):
    """The elements of a problem, packed for the kernels.

    An element is a row. The elements of material m are the places ``first[m]`` to ``first[m + 1]`` of ``row``, with
    ``cumulated`` [place, node of the attenuation]: photoelectric coefficients (cm2/g) added up over the elements.
    ``z`` is [row]; ``row_of_z`` is [Z], -1 for elements that are not here.
    Shells K, L1, L2, L3, M1 to M5 are numbers 0 to 8, and an entry is ``FOLLOWED * row + shell``: ``edge`` [entry] in
    MeV (0 where there is none), ``share`` [entry, node] the share of photoelectric events in this shell and those
    further in. ``begin`` [entry, and one more] says where the transitions that fill a vacancy begin: their cumulative
    ``probability``, ``energy`` (MeV) of the photon (``radiative``) or electron, and the shells ``left`` [transition, 2]
    vacant, or ``OUTER``.
    """

    first: NDArray[np.int64]
    row: NDArray[np.int64]
    cumulated: NDArray[np.float64]
    z: NDArray[np.int64]
    row_of_z: NDArray[np.int64]
    edge: NDArray[np.float64]
    share: NDArray[np.float64]
    begin: NDArray[np.int64]
    probability: NDArray[np.float64]
    energy: NDArray[np.float64]
    radiative: NDArray[np.bool_]
    left: NDArray[np.int64]


class Transition(NamedTuple):
    """One way in which a vacancy is filled; `energy` in MeV, `left` the shells vacant afterwards."""

    probability: float
    energy: float
    radiative: bool
    left: tuple[int, int]


def atoms(materials: Sequence[Material], attenuation: Attenuation, processes_off: Collection[str] = ()) -> Atoms:
    """Return the atoms of some materials on the nodes of their attenuation.

    With "fluorescence" off no vacancy is filled: all its energy stays where the atom is.
    """
    numbers = sorted({z for material in materials for z in material.mass_fractions})
    rows = {z: row for row, z in enumerate(numbers)}
    row_of_z = np.full(LARGEST_Z + 1, -1)
    row_of_z[numbers] = np.arange(len(numbers))
    photoelectric = {z: per_gram(z, photoelectric_barn(z, attenuation.energies)) for z in numbers}
    places = [(rows[z], weight * photoelectric[z]) for m in materials for z, weight in m.mass_fractions.items()]
    counts = [len(material.mass_fractions) for material in materials]
    first = np.concatenate([[0], np.cumsum(counts)])
    cumulated = np.array([sigma for _, sigma in places])
    for begin, end in pairwise(first):
        cumulated[begin:end] = np.cumsum(cumulated[begin:end], axis=0)
    edge = np.zeros((len(numbers), FOLLOWED))
    for z, row in rows.items():
        for name, energy in edges_MeV(z):
            if SHELLS.index(name) < FOLLOWED:
                edge[row, SHELLS.index(name)] = energy
    share = np.concatenate([shell_shares(z, attenuation.energies) for z in numbers])
    none: tuple[Transition, ...] = ()
    by_entry = [
        none if "fluorescence" in processes_off else transitions(z, shell) for z in numbers for shell in range(FOLLOWED)
    ]
    every = [transition for of_shell in by_entry for transition in of_shell]
    return Atoms(
        first.astype(np.int64),
        np.array([row for row, _ in places], np.int64),
        cumulated,
        np.array(numbers, np.int64),
        row_of_z.astype(np.int64),
        edge.ravel(),
        share,
        np.concatenate([[0], np.cumsum([len(of_shell) for of_shell in by_entry])]).astype(np.int64),
        np.concatenate([[0.0]] + [np.cumsum([t.probability for t in of_shell]) for of_shell in by_entry])[1:],
        np.array([t.energy for t in every], float),
        np.array([t.radiative for t in every], bool),
        np.array([t.left for t in every], np.int64).reshape(-1, 2),
    )


def shell_shares(z: int, energies_MeV: Array) -> Array:
    """Return [shell, energy]: the share of photoelectric events in a followed shell and those further in.

    From the partial cross sections of Kissel (xraylib), which depend on energy much more than edge jumps do. Beyond
    the end of these data the shares stay what they are there.
    """
    edges = np.array([edge for _, edge in edges_MeV(z)])
    low, high = energies_MeV[0], energies_MeV[-1]
    octaves = np.log2(high / low)
    regular = np.geomspace(low, high, int(octaves * COARSE_PER_OCTAVE))
    nodes = np.unique(np.concatenate([regular, edges[edges > low], edges[edges > low] * (1.0 - 1.0e-9)]))
    partial = np.array([shell_barn(z, name, edge, nodes) for name, edge in edges_MeV(z)])
    total = np.sum(partial, axis=0)
    trusted = np.flatnonzero(np.abs(total / photoelectric_barn(z, nodes) - 1.0) < TRUSTED)
    used = np.minimum(np.arange(len(nodes)), trusted[-1] if len(trusted) else 0)
    summed = np.cumsum(partial[:FOLLOWED, used], axis=0) / total[used]
    shares = np.zeros((FOLLOWED, len(energies_MeV)))
    for shell in range(FOLLOWED):
        of_shell = summed[min(shell, len(summed) - 1)]
        shares[shell] = np.interp(np.log(energies_MeV), np.log(nodes), of_shell)
    return shares


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
    for _, target in COSTER_KRONIG.get(name, []):
        rate = _value(xraylib.CosKronTransProb, z, getattr(xraylib, f"F{name[0]}{name[1]}{target[1]}_TRANS"))
        if rate > 0.0 and target in edges:
            found.append(Transition(rate, edges[name] - edges[target], False, (_followed(target), OUTER)))
    found = _scaled(found, 1.0)
    return tuple(sorted(found, reverse=True))


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
