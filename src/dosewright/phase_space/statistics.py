"""Particles, weight and energy per original history, with their errors over histories."""

from dataclasses import dataclass, field

import numpy as np

from dosewright.analysis.history_sums import HistorySums
from dosewright.core.particles import SPECIES, Particles
from dosewright.phase_space.histories import Numbering

ROWS = 1 + max(SPECIES)  # row 0 holds all


@dataclass(frozen=True)
class PerHistory:
    """A sum over a phase space, and the same per original history with one standard deviation."""

    total: float
    mean: float
    error: float


@dataclass
class Statistics:
    """What a phase space sends per original history, while it is read: number, weight and energy by species."""

    numbering: Numbering = field(default_factory=Numbering)
    _sums: dict[str, HistorySums] = field(
        default_factory=lambda: {what: HistorySums.empty(ROWS) for what in ("number", "weight", "energy_MeV")}
    )

    def add(self, particles: Particles) -> None:
        """Add records that follow those added before."""
        ones = np.ones(len(particles), np.float32)
        known = (particles.species >= 0) & (particles.species < ROWS)
        rows, numbers = np.where(known, particles.species, 0).astype(np.int8), self.numbering.of(particles)
        scores = {"number": ones, "weight": particles.weight, "energy_MeV": particles.energy_MeV * particles.weight}
        for what, values in scores.items():
            self._sums[what].add(rows, values, numbers)

    def count(self, species: int = 0) -> int:
        """Return the number of records of a species; 0 is all."""
        return int(self._sums["number"].sums()[species, 0])

    def per_history(self, what: str, original_histories: float, species: int = 0) -> PerHistory:
        """Return ``number``, ``weight`` or ``energy_MeV`` (both weighted) of a species; 0 is all."""
        sums = self._sums[what]
        total = float(sums.sums()[species, 0])
        error = float(sums.errors(original_histories)[species, 0])
        return PerHistory(total, total / original_histories, error)
