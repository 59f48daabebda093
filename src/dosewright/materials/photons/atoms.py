"""Atoms that photons and electrons ionise: which element and shell, and what fills the vacancy.

The transitions are those of `vacancies`; ionisation by electrons is that of `impact`.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.matter import Material
from dosewright.materials.electrons.lookup import node_energies_MeV
from dosewright.materials.photons.cross_sections import (
    SHELLS,
    edges_MeV,
    per_gram,
    photoelectric_barn,
    shell_barn,
)
from dosewright.materials.photons.impact import IONISED, ionisation_cm2_per_g
from dosewright.materials.photons.lookup import Attenuation
from dosewright.materials.photons.vacancies import FOLLOWED, highest_line_MeV, transitions

Array = NDArray[np.float64]

LARGEST_Z = 100
COARSE_PER_OCTAVE = 6  # nodes at which shell shares are worked out
TRUSTED = 0.02  # where the shells miss more than this share of the total, their data have ended


class Atoms(NamedTuple):
    """The elements of a problem, packed for the kernels.

    An element is a row. The elements of material m are the places ``first[m]`` to ``first[m + 1]`` of ``row`` and of
    their mass fractions ``weight``, with ``cumulated`` [place, node of the attenuation]: photoelectric coefficients
    (cm2/g) added up over the elements.
    ``z`` is [row]; ``row_of_z`` is [Z], -1 for elements that are not here.
    Shells K, L1, L2, L3, M1 to M5 are numbers 0 to 8, and an entry is ``FOLLOWED * row + shell``: ``edge`` [entry] in
    MeV (0 where there is none), ``share`` [entry, node] the share of photoelectric events in this shell and those
    further in. ``begin`` [entry, and one more] says where the transitions that fill a vacancy begin: their cumulative
    ``probability``, ``energy`` (MeV) of the photon (``radiative``) or electron, and the shells ``left`` [transition, 2]
    vacant, or ``OUTER``. ``line`` [entry] is the highest photon energy of a shell (MeV; 0 where it sends out none), and
    ``impact`` [IONISED * row + shell, node of the electrons] the ionisation of a shell by electrons, cm2/g.
    """

    first: NDArray[np.int64]
    row: NDArray[np.int64]
    weight: NDArray[np.float64]
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
    line: NDArray[np.float64]
    impact: NDArray[np.float64]


def atoms(materials: Sequence[Material], attenuation: Attenuation, processes_off: Collection[str] = ()) -> Atoms:
    """Return the atoms of some materials on the nodes of their attenuation.

    With "fluorescence" off no vacancy is filled: all its energy stays where the atom is, and electrons ionise no shell.
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
    entries = [(z, shell) for z in numbers for shell in range(FOLLOWED)]
    filled = [transitions(*entry) if "fluorescence" not in processes_off else () for entry in entries]
    every = [transition for of_shell in filled for transition in of_shell]
    lines = [highest_line_MeV(*entry) if of_shell else 0.0 for entry, of_shell in zip(entries, filled, strict=True)]
    nodes = node_energies_MeV()
    return Atoms(
        first=first.astype(np.int64),
        row=np.array([row for row, _ in places], np.int64),
        weight=np.array([weight for m in materials for weight in m.mass_fractions.values()]),
        cumulated=cumulated,
        z=np.array(numbers, np.int64),
        row_of_z=row_of_z.astype(np.int64),
        edge=edge.ravel(),
        share=share,
        begin=np.concatenate([[0], np.cumsum([len(of_shell) for of_shell in filled])]).astype(np.int64),
        probability=np.concatenate([np.cumsum([t.probability for t in of_shell]) for of_shell in filled]),
        energy=np.array([t.energy for t in every], float),
        radiative=np.array([t.radiative for t in every], bool),
        left=np.array([t.left for t in every], np.int64).reshape(-1, 2),
        line=np.array(lines),
        impact=np.array([ionisation_cm2_per_g(z, shell, nodes) for z in numbers for shell in range(IONISED)]),
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
