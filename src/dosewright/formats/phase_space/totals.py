"""What records say together: enough to write a header, and to see that they read back as they were given."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from dosewright.core.particles import COLUMNS, SPECIES, Particles

SAME: Final = 1e-6  # kinetic energies stored as total ones in single precision, MeV or relative
# Of w files keep the sign; its size follows from u and v, badly where it is small.
SUMMED = tuple(name for name in COLUMNS if name not in ("species", "histories", "w"))


@dataclass
class Totals:
    """Numbers and energies of all records added so far.

    Parameters
    ----------
    counts
        Records by species code.
    begun
        Records that begin a history.
    histories
        Original histories they begin, empty ones that a file counts included.
    energies_MeV
        Lowest and highest energy by species code, of those seen.
    """

    counts: dict[int, int] = field(default_factory=lambda: dict.fromkeys(SPECIES, 0))
    begun: int = 0
    histories: int = 0
    energies_MeV: dict[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def particles(self) -> int:
        """Number of records."""
        return sum(self.counts.values())

    @property
    def energy_max_MeV(self) -> float:
        """Highest energy; 0 if there is no record."""
        return max((highest for _, highest in self.energies_MeV.values()), default=0.0)

    def add(self, particles: Particles) -> None:
        """Add records."""
        if not len(particles):
            return
        self.begun += int(np.count_nonzero(particles.histories))
        self.histories += int(particles.histories.sum())
        numbers = np.bincount(particles.species, minlength=max(SPECIES) + 1)
        for code in (code for code in SPECIES if numbers[code]):
            self.counts[code] += int(numbers[code])
            alone = numbers[code] == len(particles)
            energy = particles.energy_MeV if alone else particles.energy_MeV[particles.species == code]
            lowest, highest = self.energies_MeV.get(code, (np.inf, -np.inf))
            self.energies_MeV[code] = min(lowest, float(energy.min())), max(highest, float(energy.max()))


@dataclass
class Sums(Totals):
    """Numbers, sums and extremes of all records added so far.

    Parameters
    ----------
    backward
        Records with negative w.
    sums, extremes
        Of each column but species, w and histories.
    """

    backward: int = 0
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SUMMED, 0.0))
    extremes: dict[str, tuple[float, float]] = field(default_factory=lambda: dict.fromkeys(SUMMED, (np.inf, -np.inf)))

    def add(self, particles: Particles) -> None:
        """Add records."""
        super().add(particles)
        if not len(particles):
            return
        self.backward += int(np.count_nonzero(np.signbit(particles.w)))
        for name in SUMMED:
            column = getattr(particles, name)
            self.sums[name] += float(column.sum(dtype=np.float64))
            lowest, highest = self.extremes[name]
            self.extremes[name] = min(lowest, float(column.min())), max(highest, float(column.max()))

    def differences(self, given: "Sums", *, unheld: tuple[str, ...] = ()) -> list[str]:
        """Return what differs from what was given, a phrase each.

        Parameters
        ----------
        unheld
            What a format does not hold: ``empty histories`` and names of columns.
        """
        pairs = {f"{SPECIES[code]}s": (self.counts[code], given.counts[code]) for code in SPECIES}
        pairs["records that begin a history"] = (self.begun, given.begun)
        pairs["records with negative w"] = (self.backward, given.backward)
        if "empty histories" not in unheld:
            pairs["histories"] = (self.histories, given.histories)
        wrong = [f"{what}: {ours} instead of {theirs}" for what, (ours, theirs) in pairs.items() if ours != theirs]
        slack = SAME * max(given.particles, 1)
        for name in (name for name in SUMMED if name not in unheld):
            if not np.isclose(self.sums[name], given.sums[name], rtol=SAME, atol=slack):
                wrong.append(f"sum of {name}: {self.sums[name]} instead of {given.sums[name]}")
            if not np.allclose(self.extremes[name], given.extremes[name], rtol=SAME, atol=SAME):
                wrong.append(f"range of {name}: {self.extremes[name]} instead of {given.extremes[name]}")
        return wrong
