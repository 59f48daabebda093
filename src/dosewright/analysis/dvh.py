"""Dose-volume histograms from a dose image and the share of each voxel inside a structure.

Each voxel counts with its share, at the dose of its centre; in a gradient the curve of `dvh` has steps of one voxel.
`structure_dvh` samples dose and structure on a finer grid, so that structures smaller than a voxel have a curve too.
End caps, gaps between slices and partial voxels are those of `dosewright.core.mask.volume_fraction`. What of a
structure lies beyond the dose grid is not in the histogram: compare `Dvh.volume_cm3` with the structure's volume where
that may happen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.contours import contour_planes
from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import sample
from dosewright.core.mask import volume_fraction
from dosewright.core.structures import Structure

Floats = NDArray[np.float64]

FEWEST_BINS = 1000  # a dose far below the wanted bin width still gets a curve
MOST_BINS = 1_000_000
SAMPLES = 40_000  # in the box of a structure
FINEST_MM = 0.1
MOST_PARTS = 25  # of a voxel, along an axis
GOLDEN = 1.22074408460575947536  # of three dimensions: the root of x^4 = x + 1


@dataclass(frozen=True)
class Dvh:
    """The cumulative dose-volume histogram of one structure.

    Parameters
    ----------
    dose_Gy
        Bin edges, ascending, the first is 0 (or the least dose, if that is negative).
    volume_cm3_at
        Volume that receives at least the dose of the edge, same length, falling to 0.
    mean_Gy
        Mean over the structure, each voxel weighted with its share.
    min_Gy, max_Gy
        Over voxels of which at least half is inside; over all touched voxels where there is no such voxel.
    """

    dose_Gy: Floats
    volume_cm3_at: Floats
    mean_Gy: float
    min_Gy: float
    max_Gy: float

    @property
    def volume_cm3(self) -> float:
        """Volume of the structure on the dose grid, cm3."""
        return float(self.volume_cm3_at[0])

    def dose_at_volume(self, percent: float) -> float:
        """Return D_x: the dose (Gy) that `percent` of the volume receives at least."""
        if not 0 <= percent <= 100:
            raise refuse("D_x needs a part of the volume", given=f"{percent} %", allowed="0 to 100 %")
        return self.dose_at_volume_cm3(percent / 100 * self.volume_cm3)

    def dose_at_volume_cm3(self, cm3: float) -> float:
        """Return the dose (Gy) that at least this volume receives; nan where the structure is smaller."""
        if cm3 < 0:
            raise refuse("A volume cannot be negative", given=f"{cm3} cm3")
        if cm3 > self.volume_cm3 * (1 + 1e-9):
            return float("nan")
        # The last edge with that volume and the first with less; between them the curve is a straight line.
        after = int(np.searchsorted(-self.volume_cm3_at, -cm3, side="left" if cm3 == 0 else "right"))
        if after == 0 or after == len(self.dose_Gy):
            return float(self.dose_Gy[min(after, len(self.dose_Gy) - 1)])
        high, low = self.volume_cm3_at[after - 1], self.volume_cm3_at[after]
        part = min(max((high - cm3) / (high - low), 0.0), 1.0)
        return float(self.dose_Gy[after - 1] + part * (self.dose_Gy[after] - self.dose_Gy[after - 1]))

    def volume_at_dose(self, dose_Gy: float) -> float:
        """Return V_x: the part of the volume, percent, that receives at least `dose_Gy`."""
        volume = np.interp(dose_Gy, self.dose_Gy, self.volume_cm3_at)
        return 100.0 * float(volume) / self.volume_cm3


def dvh(dose: Image, fraction: NDArray[np.floating], bin_Gy: float = 0.01) -> Dvh:
    """Return the histogram of a dose image (Gy) over partial volumes, [z, y, x] on the same grid, 0 to 1.

    Bins are at most `bin_Gy` wide, narrower where the highest dose has fewer than a thousand of them. Raises
    `InputError` for a structure without volume on the grid and for doses that are not numbers.
    """
    if fraction.shape != dose.values.shape:
        raise refuse("Partial volumes must fit the dose grid", given=fraction.shape, allowed=dose.values.shape)
    if not bin_Gy > 0:
        raise refuse("A bin needs a width", given=f"{bin_Gy} Gy")
    touched = fraction > 0
    share, values = fraction[touched].astype(float), dose.values[touched].astype(float)
    if not share.size:
        raise InputError("The structure has no volume on the dose grid, so it has no dose-volume histogram.")
    if not np.all(np.isfinite(values)):
        raise InputError("The dose inside the structure holds values that are not numbers.")
    return histogram(values, share, bin_edges(float(values.min()), float(values.max()), bin_Gy), dose.grid)


def histogram(values: Floats, share: Floats, edges: Floats, grid: Grid) -> Dvh:
    """Return the histogram of doses (Gy) that stand for shares of the voxels of a grid, on given edges."""
    within = values[share >= 0.5] if np.any(share >= 0.5) else values
    # A dose on an edge belongs above it, in spite of rounding; what lies beyond the edges counts in the outer bins.
    shifted = np.clip(values + 1e-9 * (edges[-1] - edges[0]), edges[0], edges[-1])
    counts, _ = np.histogram(shifted, edges, weights=share)
    at_least = np.append(np.cumsum(counts[::-1])[::-1], 0.0) * grid.voxel_volume_cm3
    mean = float(np.average(values, weights=share))
    return Dvh(edges, at_least, mean, float(within.min()), float(within.max()))


def bin_edges(least: float, most: float, bin_Gy: float) -> Floats:
    """Return edges from 0 (or below) to the edge after the highest dose."""
    start = min(least, 0.0)
    span = (most - start) or 1.0
    bins = int(np.clip(np.ceil(span / bin_Gy), FEWEST_BINS, MOST_BINS))
    width = min(bin_Gy, span / bins) if bins < MOST_BINS else span / bins
    return start + width * np.arange(bins + 2, dtype=float)


def finer_grid(structure: Structure, grid: Grid) -> Grid:
    """Return the part of a grid around a structure, its voxels divided so that the structure is sampled finely.

    About `SAMPLES` voxels cover the structure's box, none finer than `FINEST_MM` or coarser than the grid's. A lone
    plane keeps the grid's slices. Raises `InputError` where the structure has no contours or its box does not meet the
    grid.
    """
    if not structure.contours:
        raise InputError(f"{structure.name} has no contours, so it has no dose-volume histogram.")
    planes = contour_planes(structure, axis=grid.direction[:, 2], lone_thickness_mm=grid.spacing_mm[2])
    if not planes.contours:
        raise InputError(f"{structure.name} has no closed contours, so it has no dose-volume histogram.")
    caps = planes.normal * float((planes.upper_mm - planes.lower_mm).max())
    points = np.concatenate(structure.contours)
    ends = grid.to_index(np.concatenate([points - caps, points + caps]))
    shape, spacing = np.array(grid.shape), np.array(grid.spacing_mm)
    lower = np.clip(np.floor(ends.min(axis=0) + 0.5), 0, shape).astype(int)
    upper = np.clip(np.ceil(ends.max(axis=0) - 0.5) + 1, 0, shape).astype(int)
    if np.any(lower >= upper):
        raise InputError(f"{structure.name} lies outside the dose grid, so it has no dose-volume histogram.")
    box = np.ptp(grid.to_index(points), axis=0) * spacing + 2 * np.abs(grid.direction.T @ caps)
    wanted = max(float(np.prod(np.minimum(box, shape * spacing)) / SAMPLES) ** (1 / 3), FINEST_MM)
    parts = np.clip(np.ceil(spacing / wanted - 1e-6), 1, MOST_PARTS).astype(int)
    if len(planes.contours) == 1:
        parts[2] = 1  # a lone plane is as thick as the grid's slices, so these stay
    origin = grid.to_patient(lower - 0.5 + 0.5 / parts)
    divided = tuple(int(n) for n in (upper - lower) * parts)
    return Grid(divided, tuple(spacing / parts), tuple(origin), grid.direction)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Samples:
    """Points in a structure, patient coordinates in mm, shape (n, 3), each with the share of its voxel of `grid`."""

    points_mm: Floats
    share: Floats
    grid: Grid


def samples_in(structure: Structure, grid: Grid) -> Samples:
    """Return points in a structure, one in each voxel of `finer_grid` that it touches.

    They lie anywhere in their voxels, after an even sequence (the generalised golden ratio), so that a dose that falls
    along an axis is not sampled in layers. Raises `InputError` where the structure has no volume on the grid.
    """
    fine = finer_grid(structure, grid)
    fraction = volume_fraction(structure, fine)
    touched = np.flatnonzero(fraction.ravel() > 0)
    if not len(touched):
        raise InputError(f"{structure.name} has no volume on the dose grid, so it has no dose-volume histogram.")
    nx, ny, _ = fine.shape
    centre = np.stack([touched % nx, touched // nx % ny, touched // (nx * ny)], axis=1).astype(float)
    aside = np.modf(0.5 + np.arange(1, len(touched) + 1)[:, None] * GOLDEN ** -np.arange(1.0, 4.0))[0] - 0.5
    return Samples(fine.to_patient(centre + aside), fraction.ravel()[touched].astype(float), fine)


def structure_dvh(dose: Image, structure: Structure, bin_Gy: float = 0.01) -> Dvh:
    """Return the histogram of a dose image (Gy) in a structure, sampled more finely than the dose where that helps.

    The dose between voxel centres is trilinear. Raises `InputError` as `samples_in` does, and for doses that are not
    numbers.
    """
    at = samples_in(structure, dose.grid)
    values = sample(dose, at.points_mm)
    if not np.all(np.isfinite(values)):
        raise InputError(f"The dose inside {structure.name} holds values that are not numbers.")
    return histogram(values, at.share, bin_edges(float(values.min()), float(values.max()), bin_Gy), at.grid)


def homogeneity(curve: Dvh) -> float:
    """Return ICRU Report 83's homogeneity index, (D2 - D98) / D50: 0 is perfectly even."""
    middle = curve.dose_at_volume(50)
    return (curve.dose_at_volume(2) - curve.dose_at_volume(98)) / middle if middle > 0 else float("nan")


def conformity(curve: Dvh, dose_Gy: float, isodose_cm3: float) -> float:
    """Return Paddick's conformity index of a target for an isodose, 0 to 1.

    ``(target volume in the isodose)^2 / (target volume x isodose volume)``; `isodose_cm3` is the volume of all tissue
    that receives at least `dose_Gy` (Paddick, J. Neurosurg. 93 Suppl. 3 (2000) 219).
    """
    inside = curve.volume_at_dose(dose_Gy) / 100 * curve.volume_cm3
    return inside**2 / (curve.volume_cm3 * isodose_cm3) if isodose_cm3 > 0 else 0.0
