"""What was done to make voxels of a patient, in numbers and in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dosewright.core.grid import Grid
from dosewright.geometry.overrides import OverrideUse
from dosewright.geometry.voxels import Voxels


@dataclass(frozen=True)
class MaterialUse:
    """How much of a material occurs."""

    name: str
    voxels: int
    mean_density_g_cm3: float


@dataclass(frozen=True)
class PatientReport:
    """What the voxels were made from.

    Parameters
    ----------
    grid
        The voxels' grid, after cropping.
    hu_range
        Lowest and highest Hounsfield number believed (inside the patient, not overridden); None without a CT.
    clamped_below, clamped_above
        Voxels whose Hounsfield number lies beyond the ends of the table and was moved to them.
    materials
        In the order of the voxels' own list.
    overrides
        In the order they were applied.
    assumptions
        Plain sentences: what was done and assumed, for every report.
    warnings
        Plain sentences: what somebody should look at.
    """

    grid: Grid
    hu_range: tuple[float, float] | None
    clamped_below: int
    clamped_above: int
    materials: tuple[MaterialUse, ...]
    overrides: tuple[OverrideUse, ...]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Patient:
    """What particles travel through, and how it was made."""

    voxels: Voxels
    report: PatientReport


def material_use(voxels: Voxels) -> tuple[MaterialUse, ...]:
    """Count voxels and average the density of each material."""
    count = len(voxels.materials)
    number = np.zeros(count)
    density = np.zeros(count)
    for index, rho in zip(voxels.material, voxels.density_g_cm3, strict=True):  # by slice: small temporaries
        number += np.bincount(index.ravel(), minlength=count)
        density += np.bincount(index.ravel(), weights=rho.ravel(), minlength=count)
    return tuple(
        MaterialUse(m.name, int(n), float(d / n) if n else 0.0)
        for m, n, d in zip(voxels.materials, number, density, strict=True)
    )


def clamp_warnings(below: int, above: int, table: str, read: int) -> Sequence[str]:
    """Say aloud how many voxels lie beyond the ends of a CT protocol's table."""
    said = []
    for count, side in ((below, "below the lowest"), (above, "above the highest")):
        if count:
            said.append(
                f"{count} of {read} patient voxels have a Hounsfield number {side} of CT protocol {table!r} "
                f"and were given its end value."
            )
    return said
