"""Everything that only a look at all records tells of a phase space."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dosewright.core.particles import SPECIES, Particles, PhaseSpaceInfo
from dosewright.phase_space.statistics import Statistics

PLANES = 16  # more different z are no planes
TOO_LONG = 1e-4  # what u² + v² of a file in single precision may be above one


@dataclass
class Scan:
    """What all records say, and what they say against their header.

    Parameters
    ----------
    statistics
        Numbers and energies per original history.
    histories
        Original histories that the records count.
    """

    statistics: Statistics = field(default_factory=Statistics)
    histories: int = 0
    energy_max_MeV: float = 0.0
    weights: tuple[float, float] = (np.inf, -np.inf)
    z_cm: tuple[float, float] = (np.inf, -np.inf)
    _planes: set[float] = field(default_factory=set)
    _too_long: int = 0

    def add(self, particles: Particles) -> None:
        """Add records that follow those added before."""
        self.statistics.add(particles)
        self.histories += int(particles.histories.sum())
        self.energy_max_MeV = max(self.energy_max_MeV, float(particles.energy_MeV.max()))
        self.weights = _widened(self.weights, particles.weight)
        self.z_cm = _widened(self.z_cm, particles.z_cm)
        if len(self._planes) <= PLANES:
            flat = particles.z_cm[0] == particles.z_cm.min() == particles.z_cm.max()
            self._planes |= set(planes_of(particles.z_cm[:1] if flat else particles.z_cm))
        self._too_long += int((particles.u * particles.u + particles.v * particles.v > 1 + TOO_LONG).sum())

    def planes_mm(self) -> list[float]:
        """Return the planes of constant z, in mm; none where z varies."""
        return sorted(self._planes) if len(self._planes) <= PLANES else []

    def counts(self) -> dict[int, int]:
        """Return the records by species."""
        return {code: self.statistics.count(code) for code in SPECIES}

    def original_histories(self, info: PhaseSpaceInfo) -> float:
        """Return the original histories: those of the header, else those that the records count."""
        return info.original_histories or float(self.histories)

    def problems(self, info: PhaseSpaceInfo) -> tuple[str, ...]:
        """Return where records contradict what the file says of itself, a sentence each."""
        said = list(info.problems)
        read = self.statistics.count()
        if read != info.particles:
            said.append(f"The file says it holds {info.particles:,} particles; {read:,} were read.")
        for code, count in (info.counts or {}).items():
            if count != self.statistics.count(code):
                name = f"{SPECIES.get(code, code)}s"
                said.append(f"The file says it holds {count:,} {name}; there are {self.statistics.count(code):,}.")
        if info.original_histories is None:
            said.append(
                f"Nobody wrote the number of original histories; {self.histories:,} are counted in the records."
            )
        elif self.histories > info.original_histories * (1 + 1e-6) + 0.5:  # single precision in EGS files
            said.append(
                f"The records count {self.histories:,} original histories, more than the "
                f"{info.original_histories:,.0f} that the file says."
            )
        if self._too_long:
            said.append(f"The directions of {self._too_long:,} particles are longer than one.")
        if self.weights[0] < 0:
            said.append(f"There are negative weights, down to {self.weights[0]:g}.")
        if read and len(self._planes) > PLANES:
            said.append(f"z is not that of a few planes: from {10 * self.z_cm[0]:g} to {10 * self.z_cm[1]:g} mm.")
        return tuple(dict.fromkeys(said))


def planes_of(z_cm: NDArray[np.float32]) -> list[float]:
    """Return the different z, in mm, to a tenth of a micrometre: what single precision tells apart near a metre."""
    return [float(z) for z in np.unique(np.round(z_cm * 10.0, 4) + 0.0)]  # no minus zero


def _widened(limits: tuple[float, float], values: NDArray[np.float32]) -> tuple[float, float]:
    return min(limits[0], float(values.min())), max(limits[1], float(values.max()))
