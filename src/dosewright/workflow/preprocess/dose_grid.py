"""On which voxels the dose is scored, and why."""

import math
from dataclasses import dataclass

import numpy as np

from dosewright.core.errors import InputError
from dosewright.core.grid import Grid
from dosewright.workflow.request import MOST_VOXELS

SPACING_WITHOUT_TPS_MM = 2.0
NO_CT_GRID = "The full CT grid (-f) was asked for, and there is no CT."


@dataclass(frozen=True)
class DoseGrid:
    """The grid of the dose and one sentence that says where it comes from."""

    grid: Grid
    sentence: str


def spaced(box: Grid, spacing_mm: float) -> Grid:
    """Return a grid over the same box with voxels of at most `spacing_mm`, as large as fits a whole number."""
    counts = tuple(max(1, math.ceil(n * s / spacing_mm - 1e-6)) for n, s in zip(box.shape, box.spacing_mm, strict=True))
    spacing = (spacing_mm,) * 3
    extent = np.array(counts) * spacing_mm - np.array(box.shape) * box.spacing_mm
    corner = box.to_patient(np.array([-0.5] * 3)) - box.direction @ (extent / 2)
    origin = corner + box.direction @ (np.array(spacing) / 2)
    return Grid(counts, spacing, tuple(origin), box.direction)  # type: ignore[arg-type]


def counted(box: Grid, counts: tuple[int, int, int]) -> Grid:
    """Return a grid over the same box with the given numbers of voxels."""
    spacing = tuple(n * s / c for n, s, c in zip(box.shape, box.spacing_mm, counts, strict=True))
    origin = box.to_patient(np.array([-0.5] * 3)) + box.direction @ (np.array(spacing) / 2)
    return Grid(counts, spacing, tuple(origin), box.direction)  # type: ignore[arg-type]


@dataclass(frozen=True)
class GridWishes:
    """What is wished of a dose grid; `least_mm` is the least size of a voxel that counts may ask for."""

    voxel_counts: tuple[int, int, int] | None = None
    full_ct_grid: bool = False
    least_mm: float = 0.0


def dose_grid(tps: Grid | None, box: Grid, wishes: GridWishes, *, ct: bool, own: Grid | None = None) -> DoseGrid:
    """Choose the dose grid.

    Parameters
    ----------
    tps
        That of the planning system, taken where nothing else is said.
    box
        The voxels of the patient: divided into 2 mm where there is no other grid.
    ct
        Whether these are the CT's.
    own
        That of a phantom, which beats the planning system's.
    """
    alone = "" if tps is not None else "; there is no planned dose to compare with, so gamma is left out"
    if wishes.full_ct_grid:
        if not ct:
            raise InputError(NO_CT_GRID)
        return _checked(box, f"Dose on the CT's own voxels (-f), over the part of the CT that is calculated{alone}")
    base, of = (box, "the calculated box") if tps is None else (tps, "the planning system's dose grid")
    if own is not None:
        base, of = own, "the phantom's own dose grid"
    counts = wishes.voxel_counts
    if counts is not None:
        problem = too_fine(base, counts, wishes.least_mm)
        if problem is not None:
            raise InputError(problem)
        return _checked(counted(base, counts), f"Dose on {_times(counts)} voxels (-x) over {of}{alone}")
    if own is not None:
        return _checked(own, f"Dose on the phantom's own dose grid{alone}")
    if tps is None:
        return _checked(
            spaced(box, SPACING_WITHOUT_TPS_MM),
            f"There is no planned dose to compare with: the dose is scored on a {SPACING_WITHOUT_TPS_MM:g} mm grid "
            f"over the calculated box, and gamma is left out",
        )
    return _checked(tps, "Dose on the planning system's own dose grid")


def too_fine(base: Grid, counts: tuple[int, int, int], least_mm: float) -> str | None:
    """Say that counts (-x) ask for smaller voxels than the site allows, and how many it allows; None where not."""
    size = [n * s / c for n, s, c in zip(base.shape, base.spacing_mm, counts, strict=True)]
    if min(size) >= least_mm * (1 - 1e-9):
        return None
    most = " ".join(str(max(1, int(n * s / least_mm + 1e-9))) for n, s in zip(base.shape, base.spacing_mm, strict=True))
    given = " x ".join(f"{s:.3g}" for s in size)
    return (
        f"The dose voxels (-x) would be {given} mm; the site's least size is {least_mm:g} mm. "
        f"Given: {' '.join(str(c) for c in counts)}. Allowed: at most {most}."
    )


def _checked(grid: Grid, sentence: str) -> DoseGrid:
    if grid.size > MOST_VOXELS:
        raise InputError(f"The dose grid would have {grid.size:,} voxels; at most 2^28 are calculated. Use -x.")
    spacing = " x ".join(f"{s:.4g}" for s in grid.spacing_mm)
    return DoseGrid(grid, f"{sentence} ({_times(grid.shape)} voxels of {spacing} mm).")


def _times(counts: tuple[int, int, int]) -> str:
    return " x ".join(str(n) for n in counts)
