"""A beam given by rows of nominal energy, linear in between."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.beam_model import BeamAtEnergy, Optics
from dosewright.core.errors import refuse

Array = NDArray[np.float64]
LARGEST_SIZE_MM = 500.0  # beyond these a column is in another unit
LARGEST_DIVERGENCE_RAD = 0.5
LARGEST_ENERGY_MEV = 10_000.0
ENERGY_TOLERANCE_MEV = 1e-3  # a plan writes energies as decimal text


@dataclass(frozen=True)
class SpotAxis:
    """1 sigma size (mm), 1 sigma divergence (rad) and their correlation along one axis, one value per row."""

    sigma_mm: Array
    divergence_rad: Array
    correlation: Array


@dataclass(frozen=True)
class SpotTable:
    """One Gaussian component: its share of the particles and its two axes."""

    weight: Array
    x: SpotAxis
    y: SpotAxis


@dataclass(frozen=True)
class TabulatedBeam:
    """Rows of a beam model by ascending nominal energy; calling it with an energy gives the beam.

    Sizes, divergences and correlations are interpolated as they stand in the file, then become covariances.
    """

    name: str
    nominal_MeV: Array
    mean_MeV: Array
    sigma_MeV: Array
    particles_per_mu: Array | None
    spots: tuple[SpotTable, ...]

    def __post_init__(self) -> None:
        if not len(self.nominal_MeV) or np.any(np.diff(self.nominal_MeV) <= 0):
            raise refuse(f"Beam model {self.name!r} needs ascending nominal energies, each once")
        if np.any(self.mean_MeV <= 0) or np.any(self.sigma_MeV < 0):
            raise refuse(f"Beam model {self.name!r} needs positive energies and spreads of at least zero")
        if np.any(self.mean_MeV > LARGEST_ENERGY_MEV) or np.any(self.sigma_MeV >= self.mean_MeV):
            raise refuse(f"Beam model {self.name!r} has an impossible mean energy or a spread as large as the energy")
        if self.particles_per_mu is not None and np.any(self.particles_per_mu <= 0):
            raise refuse(f"Beam model {self.name!r} needs positive numbers of particles per MU")
        total = np.sum([spot.weight for spot in self.spots], axis=0)
        if any(np.any(spot.weight < 0) for spot in self.spots) or np.any(np.abs(total - 1.0) > 1e-3):
            raise refuse(f"The spot components of beam model {self.name!r} must share out all particles", given=total)
        for axis in (axis for spot in self.spots for axis in (spot.x, spot.y)):
            if np.any(axis.sigma_mm < 0) or np.any(axis.divergence_rad < 0) or np.any(np.abs(axis.correlation) > 1):
                raise refuse(f"Beam model {self.name!r} has a negative size or a correlation beyond -1 to 1")
            if np.any(axis.sigma_mm > LARGEST_SIZE_MM) or np.any(axis.divergence_rad > LARGEST_DIVERGENCE_RAD):
                raise refuse(
                    f"Beam model {self.name!r} has sizes or divergences that no beam has; are they in mm and rad?",
                    given=f"up to {axis.sigma_mm.max():g} mm, {axis.divergence_rad.max():g} rad",
                    allowed=f"up to {LARGEST_SIZE_MM:g} mm, {LARGEST_DIVERGENCE_RAD:g} rad",
                )

    @property
    def range_MeV(self) -> tuple[float, float]:
        """Lowest and highest nominal energy."""
        return float(self.nominal_MeV[0]), float(self.nominal_MeV[-1])

    def __call__(self, nominal_MeV: float) -> BeamAtEnergy:
        """Return the beam of a nominal energy inside the table."""
        energy = inside(self.name, nominal_MeV, self.range_MeV)

        def at(values: Array) -> float:
            return float(np.interp(energy, self.nominal_MeV, values))

        def cov(axis: SpotAxis) -> Array:
            return covariance(at(axis.sigma_mm), at(axis.divergence_rad), at(axis.correlation))

        shares = [at(spot.weight) for spot in self.spots]
        optics = tuple(
            Optics(share / sum(shares), cov(spot.x), cov(spot.y))
            for share, spot in zip(shares, self.spots, strict=True)
            if share > 0
        )
        per_mu = None if self.particles_per_mu is None else at(self.particles_per_mu)
        return BeamAtEnergy(at(self.mean_MeV), at(self.sigma_MeV), optics, per_mu)


def covariance(sigma_mm: float, divergence_rad: float, correlation: float) -> Array:
    """Return the covariance of (position, slope) from sizes and correlation; positive correlation diverges."""
    mixed = correlation * sigma_mm * divergence_rad
    return np.array([[sigma_mm**2, mixed], [mixed, divergence_rad**2]])


def inside(name: str, nominal_MeV: float, range_MeV: tuple[float, float]) -> float:
    """Return the energy, clamped within a rounding tolerance, or refuse it naming the model's range."""
    low, high = range_MeV
    if not low - ENERGY_TOLERANCE_MEV <= nominal_MeV <= high + ENERGY_TOLERANCE_MEV:
        raise refuse(
            f"The nominal energy lies outside the range of beam model {name!r}",
            given=f"{nominal_MeV:g} MeV",
            allowed=f"{low:g} to {high:g} MeV",
        )
    return min(max(nominal_MeV, low), high)
