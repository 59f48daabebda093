"""A quick look at a phase space: which values there are, from records all over it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.particles import Particles, PhaseSpaceReader
from dosewright.phase_space.histograms import Axis
from dosewright.phase_space.quantities import QUANTITIES
from dosewright.phase_space.scan import planes_of

PIECES, PIECE = 16, 1 << 14  # records looked at: so many places, so many at each
INSIDE = 0.995  # share of the particles that the limits shall hold
BINS = 100  # as in GAMOS


@dataclass(frozen=True)
class Look:
    """Records taken from places all over a phase space, batch by batch."""

    seen: tuple[Particles, ...]

    @classmethod
    def at(cls, reader: PhaseSpaceReader, count: int | None = None) -> "Look":
        """Look at the first `count` records, or at all."""
        total = reader.info.particles if count is None else min(count, reader.info.particles)
        if total <= PIECES * PIECE:
            return cls(tuple(reader.batches(0, total)))
        firsts = np.linspace(0, total - PIECE, PIECES).astype(np.int64)
        return cls(tuple(batch for first in firsts for batch in reader.batches(int(first), PIECE)))

    def values(self, quantity: str) -> NDArray[np.float64]:
        """Return a quantity of all records looked at that are finite."""
        found = [QUANTITIES[quantity](batch).astype(np.float64) for batch in self.seen]
        values = np.concatenate(found) if found else np.zeros(0)
        finite: NDArray[np.float64] = values[np.isfinite(values)]
        return finite

    def species(self, quantity: str) -> NDArray[np.int8]:
        """Return the species of the records of `values`."""
        found = [batch.species[np.isfinite(QUANTITIES[quantity](batch))] for batch in self.seen]
        return np.concatenate(found) if found else np.zeros(0, np.int8)

    def plane_mm(self) -> float | None:
        """Return the z that all of them share, in mm."""
        planes = {z for batch in self.seen for z in planes_of(np.array([batch.z_cm.min(), batch.z_cm.max()]))}
        return planes.pop() if len(planes) == 1 else None

    def axes(
        self, bins: int | None = None, radius_cm: float | None = None, energy_MeV: float | None = None
    ) -> dict[str, Axis]:
        """Return an axis for every quantity, with round limits, or with those given."""
        bins = bins or BINS
        radius = radius_cm or round_up(max(self._reach("X"), self._reach("Y")))
        energy = energy_MeV or round_up(float(self.values("Energy").max(initial=0.0)))
        behind = bool((self.values("Vz") < 0).any())
        theta = 180.0 if behind else min(90.0, round_up(self._reach("Direction Theta")))
        sine = round_up(max(self._reach("Vx"), self._reach("Vy")))
        limits = {
            "X": (-radius, radius), "Y": (-radius, radius), "R": (0.0, radius),
            "Direction Theta": (0.0, theta), "Direction Phi": (-180.0, 180.0), "Energy": (0.0, energy),
            "Vx": (-sine, sine), "Vy": (-sine, sine), "Vz": (-1.0 if behind else 0.0, np.nextafter(1.0, 2.0)),
        }  # fmt: skip
        return {name: Axis(name, low, high, bins) for name, (low, high) in limits.items()}

    def _reach(self, quantity: str) -> float:
        values = np.abs(self.values(quantity))
        return float(np.quantile(values, INSIDE)) if len(values) else 0.0


def round_up(value: float) -> float:
    """Return the next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten; 1 for what is not positive."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0) if step * power >= value))
