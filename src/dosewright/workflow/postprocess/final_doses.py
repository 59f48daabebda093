"""From dose per primary to dose of the treatment: scaled beams, their sum, and the uncertainty of both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.grid import Image

Singles = NDArray[np.float32]


def singles(image: Image) -> Singles:
    """Return an image's values as float32 [z, y, x]."""
    return np.asarray(image.values, np.float32)


@dataclass(frozen=True)
class FinalDose:
    """A dose of all fractions in Gy, to water and to medium, with its relative uncertainty (nan at no dose).

    `dose_to` says which of both the physical dose is: ``"water"`` or ``"medium"``.
    """

    to_water: Image
    to_medium: Image
    uncertainty: Image
    dose_to: str = "water"

    @property
    def physical(self) -> Image:
        """The dose that is reported and compared."""
        return self.to_medium if self.dose_to == "medium" else self.to_water

    @property
    def other(self) -> Image:
        """The dose to the other of water and medium."""
        return self.to_water if self.dose_to == "medium" else self.to_medium

    def within(self, where: NDArray[np.bool_]) -> "FinalDose":
        """Return the dose with zeros, of no uncertainty, everywhere else."""
        grid = self.to_water.grid
        water, medium = (
            Image(grid, np.where(where, singles(i), np.float32(0))) for i in (self.to_water, self.to_medium)
        )
        return replace(
            self,
            to_water=water,
            to_medium=medium,
            uncertainty=Image(grid, np.where(where, singles(self.uncertainty), np.float32(np.nan))),
        )


@dataclass(frozen=True)
class Scale:
    """What a dose per primary is multiplied by; `dose_factor` is the site's correction of the machine."""

    particles_per_fraction: float
    fractions: int
    dose_factor: float = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.particles_per_fraction) and self.particles_per_fraction > 0):
            raise refuse("A beam needs a positive number of particles", given=self.particles_per_fraction)
        if self.fractions < 1:
            raise refuse("The number of fractions must be positive", given=self.fractions)
        if not (np.isfinite(self.dose_factor) and self.dose_factor > 0):
            raise refuse("A dose is corrected by a positive factor", given=self.dose_factor)

    @property
    def total(self) -> float:
        """Primaries of the whole treatment, times the correction."""
        return self.particles_per_fraction * self.fractions * self.dose_factor


def scaled(to_water: Image, to_medium: Image, uncertainty: Image, scale: Scale, dose_to: str = "water") -> FinalDose:
    """Scale a beam's dose per primary to all fractions; where there is no dose there is no uncertainty."""
    relative = np.where(singles(to_medium) > 0, singles(uncertainty), np.float32(np.nan))
    return FinalDose(
        Image(to_water.grid, (np.asarray(to_water.values, float) * scale.total).astype(np.float32)),
        Image(to_medium.grid, (np.asarray(to_medium.values, float) * scale.total).astype(np.float32)),
        Image(uncertainty.grid, relative),
        dose_to,
    )


def plan_dose(beams: Sequence[FinalDose]) -> FinalDose:
    """Add beams on one grid; their uncertainties are independent and add in quadrature."""
    grid = beams[0].to_water.grid
    if any(not beam.to_water.grid.matches(grid) for beam in beams):
        raise refuse("Beams can be added on one grid only")
    if len({beam.dose_to for beam in beams}) > 1:
        raise refuse("Doses to water and to medium cannot be added")
    water = np.zeros(grid.array_shape)
    medium = np.zeros(grid.array_shape)
    variance = np.zeros(grid.array_shape)
    for beam in beams:
        water += singles(beam.to_water)
        medium += singles(beam.to_medium)
        absolute = np.nan_to_num(singles(beam.uncertainty).astype(float)) * singles(beam.to_medium)
        variance += absolute**2
    relative = np.full(grid.array_shape, np.nan, np.float32)
    np.divide(np.sqrt(variance), medium, out=relative, where=medium > 0, casting="same_kind")
    return FinalDose(
        Image(grid, water.astype(np.float32)),
        Image(grid, medium.astype(np.float32)),
        Image(grid, relative),
        beams[0].dose_to,
    )
