"""What a header says of the records: how many of which species, their weights, energies and places."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dosewright.core.particles import SPECIES, Particles


@dataclass
class SpeciesStatistics:
    """Sums and extremes of the records of one species."""

    particles: int = 0
    weight: float = 0.0
    weighted_energy_MeV: float = 0.0
    weights: tuple[float, float] = (np.inf, -np.inf)
    energies_MeV: tuple[float, float] = (np.inf, -np.inf)

    @property
    def mean_energy_MeV(self) -> float:
        """Mean energy by weight; 0 where the weights add up to nothing."""
        return self.weighted_energy_MeV / self.weight if self.weight else 0.0


@dataclass
class RecordStatistics:
    """Statistics of all records added so far.

    Parameters
    ----------
    species
        By species code, those seen.
    histories
        Original histories begun by the records, empty ones that a file counts included.
    extent_cm
        Smallest and largest of ``x_cm``, ``y_cm`` and ``z_cm``.
    """

    species: dict[int, SpeciesStatistics] = field(default_factory=dict)
    particles: int = 0
    histories: int = 0
    extent_cm: dict[str, tuple[float, float]] = field(
        default_factory=lambda: dict.fromkeys(("x_cm", "y_cm", "z_cm"), (np.inf, -np.inf))
    )

    def add(self, particles: Particles) -> None:
        """Add records."""
        if not len(particles):
            return
        self.particles += len(particles)
        self.histories += int(particles.histories.sum())
        for name in self.extent_cm:
            self.extent_cm[name] = _widened(self.extent_cm[name], getattr(particles, name))
        for code in SPECIES:
            at = np.flatnonzero(particles.species == code)
            if not len(at):
                continue
            alone = len(at) == len(particles)
            energy = particles.energy_MeV if alone else particles.energy_MeV[at]
            weight = particles.weight if alone else particles.weight[at]
            one = self.species.setdefault(code, SpeciesStatistics())
            one.particles += len(at)
            one.weight += float(weight.sum(dtype=np.float64))
            one.weighted_energy_MeV += float(np.multiply(weight, energy, dtype=np.float64).sum())
            one.weights = _widened(one.weights, weight)
            one.energies_MeV = _widened(one.energies_MeV, energy)

    @property
    def counts(self) -> dict[int, int]:
        """Records by species code, 0 where there are none."""
        return {code: self.species[code].particles if code in self.species else 0 for code in SPECIES}

    @property
    def energy_max_MeV(self) -> float | None:
        """Highest kinetic energy; None if there is no record."""
        return max((one.energies_MeV[1] for one in self.species.values()), default=None)


def _widened(range_: tuple[float, float], values: NDArray[np.float32]) -> tuple[float, float]:
    return min(range_[0], float(values.min())), max(range_[1], float(values.max()))
