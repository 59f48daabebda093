"""Ramps from CT number to medium and density, as ctcreate of DOSXYZnrc has them, or from density to medium."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.in_voxels import Array


@dataclass(frozen=True)
class CtRamp:
    """Ramps of CT numbers: each medium reaches from the end of the one before to its own, with a density at both ends.

    Parameters
    ----------
    media
        Names of the media, in ascending order of CT number.
    lowest
        CT number where the first ramp begins.
    upper
        CT number where each ramp ends; the end belongs to it.
    low_g_cm3, high_g_cm3
        Densities at both ends of each ramp; between them they are on a straight line.
    """

    media: tuple[str, ...]
    lowest: float
    upper: Array
    low_g_cm3: Array
    high_g_cm3: Array

    def __post_init__(self) -> None:
        ends = np.array([self.lowest, *self.upper])
        densities = np.concatenate([self.low_g_cm3, self.high_g_cm3])
        if not self.media or not len(self.media) == len(self.upper) == len(self.low_g_cm3) == len(self.high_g_cm3):
            raise refuse("Each ramp needs a medium, an upper end and two densities", given=len(self.media))
        if not np.isfinite(ends).all() or not np.isfinite(densities).all() or (np.diff(ends) <= 0).any():
            raise refuse("The ends of the ramps must be finite and ascend", given=ends.tolist())
        if densities.min() < 0 or (self.low_g_cm3 > self.high_g_cm3).any() or (self.high_g_cm3 <= 0).any():
            raise refuse("The densities of a ramp must ascend, from 0 or more", given=densities.tolist())


@dataclass(frozen=True)
class DensityRamp:
    """Media by density, as the ramp files of egs++ have them: from a density (included) to another (excluded)."""

    media: tuple[str, ...]
    low_g_cm3: Array
    high_g_cm3: Array

    def __post_init__(self) -> None:
        if not self.media or not len(self.media) == len(self.low_g_cm3) == len(self.high_g_cm3):
            raise refuse("Each ramp needs a medium and two densities", given=len(self.media))
        both = np.concatenate([self.low_g_cm3, self.high_g_cm3])
        if not np.isfinite(both).all() or both.min() < 0 or (self.low_g_cm3 >= self.high_g_cm3).any():
            raise refuse("The densities of a ramp must be finite and ascend", given=both.tolist())


# The ramps that ctcreate takes where its input names none, by Hounsfield number (DOSXYZnrc user's manual, PIRS-794).
CTCREATE_DEFAULT = CtRamp(
    ("AIR521ICRU", "LUNG521ICRU", "ICRUTISSUE521ICRU", "ICRPBONE521ICRU"),
    -1024.0,
    np.array([-974.0, -724.0, 101.0, 1976.0]),
    np.array([0.001, 0.044, 0.302, 1.101]),
    np.array([0.044, 0.302, 1.101, 2.088]),
)


@dataclass(frozen=True)
class Ramped:
    """Media (int16, index from 0) and densities of CT numbers, and how many lay below and above all ramps."""

    medium: NDArray[np.int16]
    density_g_cm3: Array
    below: int
    above: int


def ramped(numbers: Array, ramp: CtRamp) -> Ramped:
    """Look CT numbers up; those beyond the ramps take the density at their end, and are counted."""
    at = np.clip(numbers, ramp.lowest, ramp.upper[-1])
    medium = np.searchsorted(ramp.upper, at, side="left")
    low_end = np.concatenate([[ramp.lowest], ramp.upper[:-1]])
    part = (at - low_end[medium]) / (ramp.upper - low_end)[medium]
    density = ramp.low_g_cm3[medium] + part * (ramp.high_g_cm3 - ramp.low_g_cm3)[medium]
    below, above = int((numbers < ramp.lowest).sum()), int((numbers > ramp.upper[-1]).sum())
    return Ramped(medium.astype(np.int16), density, below, above)


def media_by_density(density_g_cm3: Array, ramp: DensityRamp) -> NDArray[np.int16]:
    """Return the medium of each density, the first whose ramp holds it; densities in no ramp are refused."""
    medium = np.full(density_g_cm3.shape, -1, np.int16)
    for n in reversed(range(len(ramp.media))):
        medium[(density_g_cm3 >= ramp.low_g_cm3[n]) & (density_g_cm3 < ramp.high_g_cm3[n])] = n
    lost = medium < 0
    if lost.any():
        least, most = float(density_g_cm3[lost].min()), float(density_g_cm3[lost].max())
        spans = zip(ramp.media, ramp.low_g_cm3, ramp.high_g_cm3, strict=True)
        raise refuse(
            "Voxels have a density that no ramp holds",
            given=f"{int(lost.sum()):,} of {least:.4g} to {most:.4g} g/cm3",
            allowed="; ".join(f"{name} from {low:g} to {high:g}" for name, low, high in spans),
        )
    return medium
