"""Ranges of photons, electrons and positrons in media of a run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.materials.electrons import lookup
from dosewright.materials.photons.lookup import RAYLEIGH
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.tracks import ELECTRON, PHOTON, POSITRON

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

# A photon counts as stopped after five mean free paths: Geant4 Physics Reference Manual, "Production threshold".
MEAN_FREE_PATHS = 5.0
SPECIES = (PHOTON, ELECTRON, POSITRON)


@dataclass(frozen=True)
class Ranges:
    """How far photons, electrons and positrons get in media, from tables of the run (g/cm2).

    Of electrons and positrons it is the range in the continuous slowing down approximation. Of photons it is the
    absorption length of Geant4, five mean free paths without coherent scattering; and the longest of all energies up
    to its own, since attenuation falls with energy but for edges and for pairs in heavy matter. So a cut in range and
    a cut in energy end the same particles.

    Parameters
    ----------
    density_g_cm3
        Of each medium; 0: a vacuum.
    energies_MeV
        Nodes, of photons, electrons and positrons.
    thickness_g_cm2
        At the nodes, [medium, node] for each of them.
    """

    density_g_cm3: Array
    energies_MeV: tuple[Array, Array, Array]
    thickness_g_cm2: tuple[Array, Array, Array]

    def cm(self, medium: Whole, species: Whole, energy_MeV: Array) -> Array:
        """Return the ranges of particles (cm), infinite in a vacuum; arrays of one length."""
        found = np.full(energy_MeV.shape, np.inf)
        for kind, code in enumerate(SPECIES):
            for one in np.unique(medium[species == code]):
                if self.density_g_cm3[one] > 0.0:
                    here = (species == code) & (medium == one)
                    found[here] = self._thickness(kind, one, energy_MeV[here]) / self.density_g_cm3[one]
        return found

    def energy_MeV(self, medium: int, species: int, range_cm: float) -> float:
        """Return the lowest energy with at least this range, infinite where none has."""
        kind = SPECIES.index(species)
        nodes, thickness = self.energies_MeV[kind], self.thickness_g_cm2[kind][medium]
        wanted = range_cm * self.density_g_cm3[medium]
        above = int(np.searchsorted(thickness, wanted))
        if above == 0:
            return float(nodes[0])
        if above == len(nodes) or self.density_g_cm3[medium] <= 0.0:
            return np.inf
        part = (wanted - thickness[above - 1]) / (thickness[above] - thickness[above - 1])
        return float(nodes[above - 1] + part * (nodes[above] - nodes[above - 1]))

    def _thickness(self, kind: int, medium: int, energy_MeV: Array) -> Array:
        found: Array = np.interp(energy_MeV, self.energies_MeV[kind], self.thickness_g_cm2[kind][medium])
        return found


def ranges_of(problem: CoupledProblem, medium: Whole, density_g_cm3: Array) -> Ranges:
    """Return the ranges in media of a run, by their numbers and densities (g/cm3; 0: a vacuum)."""
    attenuation = problem.photons.attenuation
    coefficient = attenuation.total[medium] - attenuation.cumulated[medium, :, RAYLEIGH]
    absorption = np.maximum.accumulate(MEAN_FREE_PATHS / np.maximum(coefficient, np.finfo(float).tiny), axis=1)
    nodes = lookup.node_energies_MeV()
    tables = problem.electrons.values.reshape(-1, 2, lookup.NODES, lookup.COLUMNS)[medium, :, :, lookup.RANGE]
    electrons, positrons = (tables[:, charge].astype(np.float64) for charge in (0, 1))
    return Ranges(density_g_cm3, (attenuation.energies, nodes, nodes), (absorption, electrons, positrons))
