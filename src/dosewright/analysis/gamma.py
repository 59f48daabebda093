"""The gamma index: at each reference voxel the evaluated dose is searched for the closest agreement.

``gamma(r) = min over r' of sqrt((|r' - r| / distance)^2 + ((evaluated(r') - reference(r)) / dose)^2)``
(Low et al., Med. Phys. 25 (1998) 656). `reference` is looked at point by point and sets threshold and normalisation;
`evaluated` is searched, interpolated trilinearly. Swapping the two gives the direction in which IDEAL works.

Noise. In the searched image it lowers gamma, since the minimum picks the lucky values; in the image looked at point by
point it raises gamma. With a Monte Carlo dose as `evaluated` a noisy run therefore looks better than it is, with a
Monte Carlo dose as `reference` worse. Say in every result which side was searched.

Edges. Only places between the outermost voxel centres of the evaluated image are searched; an axis of one voxel is
taken to fill its thickness. A reference voxel with nothing to search within reach gets the cap: it fails.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.gamma_search import Searched, search, search_interval
from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Grid, Image

STEPS_PER_DISTANCE = 10  # search lines per distance criterion, Wendling et al., Med. Phys. 34 (2007) 1647
VOXELS_PER_TASK = 4096
USUAL_THRESHOLD_PERCENT = 10.0


@dataclass(frozen=True)
class GammaCriteria:
    """What counts as agreement.

    Parameters
    ----------
    dose_percent, distance_mm
        The two tolerances.
    threshold_percent, threshold_Gy
        Reference voxels below this part of the reference dose, or below this dose, are left out: one of the two;
        without either 10 % (AAPM TG-218, 2018).
    local
        The dose tolerance is a part of the local reference dose, not of the reference dose.
    cap
        The largest gamma looked for; larger ones get this value.
    reference_dose_Gy
        The dose that the percentages of tolerance and threshold mean; the maximum of the reference image if None.
    """

    dose_percent: float
    distance_mm: float
    threshold_percent: float | None = None
    threshold_Gy: float | None = None
    local: bool = False
    cap: float = 2.0
    reference_dose_Gy: float | None = None

    def __post_init__(self) -> None:
        if self.threshold_percent is None and self.threshold_Gy is None:
            object.__setattr__(self, "threshold_percent", USUAL_THRESHOLD_PERCENT)
        percent, gray = (0.0 if given is None else given for given in (self.threshold_percent, self.threshold_Gy))
        problems = [
            f"Gamma's {name} must be {allowed}. Given: {value}."
            for name, value, allowed, fine in (
                ("dose_percent", self.dose_percent, "positive", self.dose_percent > 0),
                ("distance_mm", self.distance_mm, "positive", self.distance_mm > 0),
                ("threshold_percent", self.threshold_percent, "0 to 100", 0 <= percent <= 100),
                ("threshold_Gy", self.threshold_Gy, "0 or more and finite", 0 <= gray < np.inf),
                ("cap", self.cap, "1 or more and finite", 1 <= self.cap < np.inf),
                ("reference_dose_Gy", self.reference_dose_Gy, "positive", (self.reference_dose_Gy or 1.0) > 0),
            )
            if not fine or (value is not None and not np.isfinite(value))
        ]
        if self.threshold_percent is not None and self.threshold_Gy is not None:
            problems.append("Gamma takes threshold_percent or threshold_Gy, not both.")
        if problems:
            raise InputError(*problems)

    @property
    def threshold(self) -> str:
        """The threshold with its unit, such as ``"10 %"`` or ``"0.5 Gy"``."""
        return f"{self.threshold_percent:g} %" if self.threshold_Gy is None else f"{self.threshold_Gy:g} Gy"

    def threshold_in_Gy(self, normal_Gy: float) -> float:
        """Return the threshold in Gy, given the dose that percentages mean."""
        return self.threshold_Gy or 0.0 if self.threshold_percent is None else self.threshold_percent / 100 * normal_Gy

    def __str__(self) -> str:
        kind = "local" if self.local else "global"
        return f"{self.dose_percent:g} %/{self.distance_mm:g} mm {kind}, above {self.threshold}"


def gamma(reference: Image, evaluated: Image, criteria: GammaCriteria, *, threads: int | None = None) -> Image:
    """Return gamma on the reference grid, float32; nan below the threshold and where the reference is not a number.

    The grids may differ in any way. The minimum is exact along the steepest axis of each evaluated cell, and taken on
    lines a tenth of the distance criterion apart along the others: gamma is never below that of the trilinear field.
    `threads` is the number of processor threads, one per processor if None.
    """
    points = judged_points(reference, evaluated.grid, criteria)
    searched = _searched(evaluated, criteria, criteria.cap)
    result = np.full(reference.grid.size, np.nan, np.float32)

    def work(part: slice) -> None:
        result[points.flat[part]] = search(searched, points.at(part), points.dose_Gy[part], points.tolerance_Gy[part])

    _in_parts(work, len(points.flat), threads)
    return Image(reference.grid, result.reshape(reference.grid.array_shape))


def passing_doses(
    reference: Image, evaluated: Image, criteria: GammaCriteria, *, threads: int | None = None
) -> tuple["JudgedPoints", NDArray[np.float64], NDArray[np.float64]]:
    """Return the judged reference voxels, and the lowest and the highest dose (Gy) that would pass in each.

    Gamma is at most one exactly where the reference dose lies between the two, since what passes is an interval: the
    tolerances around the doses of a connected sphere. Where nothing lies in reach the lowest is above the highest.
    With a local criterion the tolerance is that of the reference dose as it stands.
    """
    points = judged_points(reference, evaluated.grid, criteria)
    searched = _searched(evaluated, criteria, 1.0)
    lowest, highest = np.empty(len(points.flat)), np.empty(len(points.flat))

    def work(part: slice) -> None:
        lowest[part], highest[part] = search_interval(searched, points.at(part), points.tolerance_Gy[part])

    _in_parts(work, len(points.flat), threads)
    return points, lowest, highest


@dataclass(frozen=True)
class JudgedPoints:
    """The reference voxels that are judged: flat index, dose and dose tolerance (Gy); both grids."""

    flat: NDArray[np.int64]
    dose_Gy: NDArray[np.float64]
    tolerance_Gy: NDArray[np.float64]
    reference: Grid
    evaluated: Grid

    def at(self, part: slice) -> NDArray[np.float64]:
        """Return continuous indices (x, y, z) of some of them in the evaluated image."""
        return _searched_index(self.reference, self.evaluated, self.flat[part])


def judged_points(reference: Image, evaluated: Grid, criteria: GammaCriteria) -> JudgedPoints:
    """Return the reference voxels that are not below the threshold, with what each tolerates."""
    dose = np.ascontiguousarray(reference.values, np.float64).ravel()
    normal_Gy = criteria.reference_dose_Gy or float(np.nanmax(dose, initial=0.0))
    if not np.isfinite(normal_Gy) or normal_Gy <= 0:
        raise refuse("Gamma needs a reference dose above zero", given=normal_Gy)
    wanted = dose >= criteria.threshold_in_Gy(normal_Gy)
    if criteria.local:
        wanted &= dose > 0
    chosen = np.flatnonzero(wanted)
    tolerance = criteria.dose_percent / 100 * (dose[chosen] if criteria.local else np.full(len(chosen), normal_Gy))
    return JudgedPoints(chosen, dose[chosen], tolerance, reference.grid, evaluated)


def _in_parts(work: Callable[[slice], None], count: int, threads: int | None) -> None:
    parts = [slice(start, start + VOXELS_PER_TASK) for start in range(0, count, VOXELS_PER_TASK)]
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        list(pool.map(work, parts))


def pass_rate(gamma: Image, where: NDArray[np.bool_] | None = None) -> tuple[float, int]:
    """Return the percentage of voxels with gamma of at most 1, and how many voxels were judged.

    Voxels without gamma (nan) are not judged; `where` (bool [z, y, x]) restricts to a region. Nothing judged: nan.
    """
    if where is not None and where.shape != gamma.values.shape:
        raise refuse("The region must fit the gamma image", given=where.shape, allowed=gamma.values.shape)
    values = gamma.values if where is None else gamma.values[where]
    judged = values[~np.isnan(values)]
    if not judged.size:
        return float("nan"), 0
    return 100.0 * float(np.count_nonzero(judged <= 1.0)) / judged.size, int(judged.size)


def _searched(evaluated: Image, criteria: GammaCriteria, reach: float) -> Searched:
    """Prepare what every search needs: the dose, its range in each cell between voxel centres, the order of cells.

    `reach` is the largest distance searched, in distance criteria.
    """
    dose = np.ascontiguousarray(evaluated.values, np.float32)
    low, high = dose, dose
    for axis in range(3):
        if dose.shape[axis] > 1:
            here, there = [slice(None)] * 3, [slice(None)] * 3
            here[axis], there[axis] = slice(None, -1), slice(1, None)
            low = np.minimum(low[tuple(here)], low[tuple(there)])
            high = np.maximum(high[tuple(here)], high[tuple(there)])
    spacing = np.array(evaluated.grid.spacing_mm) / criteria.distance_mm
    lines = np.ceil(spacing * STEPS_PER_DISTANCE)
    return Searched(
        dose=dose,
        lowest=np.ascontiguousarray(low),
        highest=np.ascontiguousarray(high),
        spacing=spacing,
        step=1.0 / lines,
        cells=_cells_outwards(spacing, reach, dose.shape),
        cap=reach,
    )


def _cells_outwards(spacing: NDArray[np.float64], cap: float, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """List neighbouring cells as rows (least possible squared distance, x, y, z), nearest first."""
    reach = [int(np.ceil(cap / s)) if n > 1 else 0 for s, n in zip(spacing, reversed(shape), strict=True)]
    offset = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), -1).reshape(-1, 3)
    squared = (np.square(np.maximum(np.abs(offset) - 1, 0) * spacing)).sum(axis=1)
    cells = np.column_stack([squared, offset])[squared < cap**2]
    order = np.lexsort((np.square(offset[squared < cap**2] * spacing).sum(axis=1), cells[:, 0]))
    return np.ascontiguousarray(cells[order])


def _searched_index(reference: Grid, evaluated: Grid, flat: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return continuous indices (x, y, z) in the evaluated image of reference voxels given by flat index."""
    nx, ny, _ = reference.shape
    index = np.stack([flat % nx, flat // nx % ny, flat // (nx * ny)], axis=1).astype(float)
    at = evaluated.to_index(reference.to_patient(index))
    # Rounding error must not push a voxel centre off the evaluated centre it coincides with.
    near = np.round(at)
    at = np.where(np.abs(at - near) < 1e-5, near, at)
    thin = (np.array(evaluated.shape) == 1) & (np.abs(at) <= 0.5 + 1e-5)
    return np.where(thin, 0.0, at)
