"""An electron or positron ionises an inner shell, and the atom sends out characteristic photons."""

import numpy as np

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four
from dosewright.materials.electrons.lookup import position
from dosewright.materials.photons.impact import IONISED
from dosewright.materials.photons.vacancies import FOLLOWED
from dosewright.transport.photons.relaxation import relax


@kernel
def ionise(atoms, material, energy, ray, place, photon_cut, stack, waiting, stream):
    """Ionise a K or L shell; return the energy of the photons sent out (MeV), the stack count and the stream.

    The electron loses what the photons take. The rest of the edge, Auger electrons included, is part of the condensed
    losses, so nothing is deposited here.
    """
    a, _, _, _, stream = draw_four(stream)
    i, f = position(energy)
    wanted = a * _summed(atoms, material, energy, photon_cut, i, f, np.inf)[0]
    _, row, shell = _summed(atoms, material, energy, photon_cut, i, f, wanted)
    if row < 0:
        return 0.0, waiting, stream
    here, waiting, stream = relax(atoms, row, shell, ray, place, photon_cut, np.inf, stack, waiting, stream)
    return atoms.edge[FOLLOWED * row + shell] - here, waiting, stream


@inlined
def _summed(atoms, material, energy, photon_cut, i, f, wanted):
    """Add up the shells that can send out photons until a sum is reached; return it, the row and the shell there."""
    total, row, shell = 0.0, -1, 0
    for place in range(atoms.first[material], atoms.first[material + 1]):
        for s in range(IONISED):
            entry = FOLLOWED * atoms.row[place] + s
            if atoms.line[entry] < photon_cut or atoms.line[entry] == 0.0 or atoms.edge[entry] >= energy:
                continue
            sigma = atoms.impact[IONISED * atoms.row[place] + s]
            total += atoms.weight[place] * (sigma[i] + f * (sigma[i + 1] - sigma[i]))
            row, shell = atoms.row[place], s
            if total >= wanted:
                return total, row, shell
    return total, row, shell
