"""How much energy photons leave on their way: the table of the track-length estimator."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

from dosewright.core.matter import Material
from dosewright.materials.photons.atoms import Atoms
from dosewright.materials.photons.lookup import COMPTON, PAIR, RAYLEIGH
from dosewright.materials.photons.tables import PhotonTables
from dosewright.materials.photons.vacancies import FOLLOWED, OUTER
from dosewright.transport.photons.track_length import compton_transfer
from dosewright.transport.tracks import empty_stack

Array = NDArray[np.float64]
HIGHEST_MEV = 1.0  # no pair production below
NODES_PER_OCTAVE = 8
SAMPLES = 40_000  # of Compton scattering at each node: 0.1 % of what it leaves, less after smoothing
SMOOTHED = 9  # nodes, by a cubic


def kerma(materials: Sequence[Material], photons: PhotonTables, photon_cut_MeV: float) -> Array:
    """Return the mean energy that photons leave where they interact, per unit of path.

    All that does not go on as a photon above the cut. Taken from the same tables and kernels as the transport, so that
    the estimator has the mean of the dose from energy deposited. Zero above 1 MeV.

    Returns
    -------
    Array
        MeV cm2/g, [material, node of the attenuation].
    """
    attenuation, atoms = photons.attenuation, photons.atoms
    energy = attenuation.energies
    emitted = emitted_MeV(atoms, photon_cut_MeV)
    nodes = np.geomspace(energy[0], HIGHEST_MEV, int(NODES_PER_OCTAVE * np.log2(HIGHEST_MEV / energy[0])))
    table = np.zeros_like(attenuation.total)
    stack = empty_stack()
    for m in range(len(materials)):
        left = [
            compton_transfer(photons.compton, emitted, atoms.row_of_z, m, float(e), SAMPLES, photon_cut_MeV, stack,
                             np.uint64(i)) / e
            for i, e in enumerate(nodes)
        ]  # fmt: skip
        parts = attenuation.cumulated[m]
        smooth = savgol_filter(np.log(left), SMOOTHED, 3)
        share = np.exp(np.interp(np.log(energy), np.log(nodes), smooth))
        compton = share * energy * (parts[:, COMPTON] - parts[:, RAYLEIGH])
        photoelectric = (attenuation.total[m] - parts[:, PAIR]) * energy - _fluorescence(atoms, m, emitted)
        table[m] = np.where(energy <= HIGHEST_MEV, compton + photoelectric, 0.0)
    return table


def emitted_MeV(atoms: Atoms, photon_cut_MeV: float) -> Array:
    """Return the mean energy of photons above the cut after a vacancy, MeV, [element row, shell]."""
    emitted = np.zeros(atoms.edge.size)
    for entry in reversed(range(emitted.size)):
        begin, end = atoms.begin[entry], atoms.begin[entry + 1]
        if atoms.edge[entry] <= photon_cut_MeV or begin == end:
            continue
        chance = np.diff(atoms.probability[begin:end], prepend=0.0)
        out = np.where(atoms.radiative[begin:end] & (atoms.energy[begin:end] > photon_cut_MeV),
                       atoms.energy[begin:end], 0.0)  # fmt: skip
        first = entry - entry % FOLLOWED
        for side in range(2):
            shell = atoms.left[begin:end, side]
            out = out + np.where(shell != OUTER, emitted[first + np.maximum(shell, 0)], 0.0)
        emitted[entry] = float(chance @ out)
    return emitted.reshape(-1, FOLLOWED)


def _fluorescence(atoms: Atoms, material: int, emitted: Array) -> Array:
    """Return the energy of characteristic photons after photoelectric absorption, MeV cm2/g, [node]."""
    places = slice(atoms.first[material], atoms.first[material + 1])
    coefficient = np.diff(atoms.cumulated[places], axis=0, prepend=0.0)
    rows = atoms.row[places]
    share = np.diff(atoms.share.reshape(-1, FOLLOWED, atoms.share.shape[1])[rows], axis=1, prepend=0.0)
    out: Array = np.einsum("pn,psn,ps->n", coefficient, share, emitted[rows])
    return out
