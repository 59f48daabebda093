"""What a region has received from all that was delivered: doses and averages of LET with their variances."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dosewright.scoring.statistics import LIGHTEST_G_CM3
from dosewright.simulation.result import Let, Result

Array = NDArray[np.float64]


@dataclass
class DoseSum:
    """A sum of independent doses, Gy, and its variance, [z, y, x]."""

    dose_Gy: Array
    variance: Array

    @classmethod
    def empty(cls, shape: tuple[int, ...]) -> "DoseSum":
        """Return the sum of nothing."""
        return cls(np.zeros(shape), np.zeros(shape))

    def add(self, dose_Gy: Array, relative: Array, particles: float) -> None:
        """Add a dose per particle with its relative standard error."""
        self.dose_Gy += particles * dose_Gy
        self.variance += (particles * dose_Gy * relative) ** 2

    def relative_uncertainty(self) -> Array:
        """Return the relative standard error, one where there is no dose."""
        return np.divide(np.sqrt(self.variance), self.dose_Gy, out=np.ones_like(self.dose_Gy), where=self.dose_Gy > 0)


@dataclass
class LetSum:
    """An average of LET over independent runs: sums of weights, and what the variance needs, [z, y, x].

    The variance is that of a ratio of sums (delta method), ``sum w^2 (L^2 r^2 + (L - mean)^2 u^2) / (sum w)^2``, with r
    and u the relative errors of a run's LET and of its weight, taken as independent; u is that of the dose.
    """

    weight: Array
    weighted: Array
    of_let: Array
    of_weight: tuple[Array, Array, Array]  # sums of (w u)^2 times 1, L and L^2

    @classmethod
    def empty(cls, shape: tuple[int, ...]) -> "LetSum":
        """Return the average over nothing."""
        zeros = [np.zeros(shape) for _ in range(6)]
        return cls(zeros[0], zeros[1], zeros[2], (zeros[3], zeros[4], zeros[5]))

    def add(self, let: Let, relative_of_weight: Array, particles: float) -> None:
        """Add the average of a run per particle."""
        weight = particles * let.weight
        self.weight += weight
        self.weighted += weight * let.keV_um
        self.of_let += (weight * let.keV_um * let.relative_uncertainty) ** 2
        spread = (weight * relative_of_weight) ** 2
        for power, of in enumerate(self.of_weight):
            of += spread * let.keV_um**power

    def average_keV_um(self) -> Array:
        """Return the average, zero where nothing was scored."""
        return np.divide(self.weighted, self.weight, out=np.zeros_like(self.weight), where=self.weight > 0)

    def relative_uncertainty(self) -> Array:
        """Return its relative standard error, one where nothing was scored."""
        mean = self.average_keV_um()
        none, one, two = self.of_weight
        variance = self.of_let + np.maximum(two - 2 * mean * one + mean**2 * none, 0.0)
        return np.divide(np.sqrt(variance), self.weighted, out=np.ones_like(mean), where=self.weighted > 0)


@dataclass
class RegionSums:
    """All that is scored in a region.

    `histories` and `particles` count what was followed and what it stands for; `warnings` are those of the runs.
    """

    medium: DoseSum
    water: DoseSum | None
    let_d: LetSum | None
    mass_g: Array
    density_g_cm3: Array
    histories: int = 0
    particles: float = 0.0
    deposited_MeV: float = 0.0
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def empty(cls, mass_g: Array, density_g_cm3: Array, *, to_water: bool, let: bool) -> "RegionSums":
        """Return sums over nothing."""
        shape = mass_g.shape
        water, let_d = DoseSum.empty(shape) if to_water else None, LetSum.empty(shape) if let else None
        return cls(DoseSum.empty(shape), water, let_d, mass_g, density_g_cm3)

    @property
    def dose_in_matter_Gy(self) -> Array:
        """The dose, 0 in voxels lighter than 0.1 g/cm3, where a particle makes a dose of its own; all if all are."""
        matter = self.density_g_cm3 >= LIGHTEST_G_CM3
        return np.where(matter, self.medium.dose_Gy, 0.0) if matter.any() else self.medium.dose_Gy

    def add(self, result: Result, particles: float) -> None:
        """Add what a run says of so many particles."""
        self.medium.add(result.dose_Gy, result.relative_uncertainty, particles)
        if self.water and result.dose_to_water_Gy is not None and result.relative_uncertainty_to_water is not None:
            self.water.add(result.dose_to_water_Gy, result.relative_uncertainty_to_water, particles)
        if self.let_d and result.let_d is not None:
            self.let_d.add(result.let_d, result.relative_uncertainty, particles)
        self.histories += result.histories
        self.particles += particles
        self.deposited_MeV += particles * result.energy["deposited"]
        self.warnings += [one for one in result.warnings if one not in self.warnings]
