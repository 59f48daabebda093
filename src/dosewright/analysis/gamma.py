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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.gamma_search import Searched, search
from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Grid, Image

STEPS_PER_DISTANCE = 10  # search lines per distance criterion, Wendling et al., Med. Phys. 34 (2007) 1647
VOXELS_PER_TASK = 4096


@dataclass(frozen=True)
class GammaCriteria:
    """What counts as agreement.

    Parameters
    ----------
    dose_percent, distance_mm
        The two tolerances.
    threshold_percent
        Reference voxels below this part of the reference dose are left out.
    local
        The dose tolerance is a part of the local reference dose, not of the reference dose.
    cap
        The largest gamma looked for; larger ones get this value.
    reference_dose_Gy
        The dose that the percentages of tolerance and threshold mean; the maximum of the reference image if None.
    """

    dose_percent: float
    distance_mm: float
    threshold_percent: float = 10.0
    local: bool = False
    cap: float = 2.0
    reference_dose_Gy: float | None = None

    def __post_init__(self) -> None:
        problems = [
            f"Gamma's {name} must be {allowed}. Given: {value}."
            for name, value, allowed, fine in (
                ("dose_percent", self.dose_percent, "positive", self.dose_percent > 0),
                ("distance_mm", self.distance_mm, "positive", self.distance_mm > 0),
                ("threshold_percent", self.threshold_percent, "0 to 100", 0 <= self.threshold_percent <= 100),
                ("cap", self.cap, "1 or more and finite", 1 <= self.cap < np.inf),
                ("reference_dose_Gy", self.reference_dose_Gy, "positive", (self.reference_dose_Gy or 1.0) > 0),
            )
            if not fine or (value is not None and not np.isfinite(value))
        ]
        if problems:
            raise InputError(*problems)

    def __str__(self) -> str:
        kind = "local" if self.local else "global"
        return f"{self.dose_percent:g} %/{self.distance_mm:g} mm {kind}, above {self.threshold_percent:g} %"


def gamma(reference: Image, evaluated: Image, criteria: GammaCriteria, *, threads: int | None = None) -> Image:
    """Return gamma on the reference grid, float32; nan below the threshold and where the reference is not a number.

    The grids may differ in any way. The minimum is exact along the steepest axis of each evaluated cell, and taken on
    lines a tenth of the distance criterion apart along the others: gamma is never below that of the trilinear field.
    `threads` is the number of processor threads, one per processor if None.
    """
    dose = np.ascontiguousarray(reference.values, np.float64).ravel()
    normal_Gy = criteria.reference_dose_Gy or float(np.nanmax(dose, initial=0.0))
    if not np.isfinite(normal_Gy) or normal_Gy <= 0:
        raise refuse("Gamma needs a reference dose above zero", given=normal_Gy)
    wanted = dose >= criteria.threshold_percent / 100 * normal_Gy
    if criteria.local:
        wanted &= dose > 0
    chosen = np.flatnonzero(wanted)
    searched = _searched(evaluated, criteria)
    result = np.full(dose.shape, np.nan, np.float32)

    def work(start: int) -> None:
        part = chosen[start : start + VOXELS_PER_TASK]
        tolerance = criteria.dose_percent / 100 * (dose[part] if criteria.local else np.full(len(part), normal_Gy))
        result[part] = search(searched, _searched_index(reference.grid, evaluated.grid, part), dose[part], tolerance)

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        list(pool.map(work, range(0, len(chosen), VOXELS_PER_TASK)))
    return Image(reference.grid, result.reshape(reference.grid.array_shape))


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


def _searched(evaluated: Image, criteria: GammaCriteria) -> Searched:
    """Prepare what every search needs: the dose, its range in each cell between voxel centres, the order of cells."""
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
        cells=_cells_outwards(spacing, criteria.cap, dose.shape),
        cap=criteria.cap,
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
