"""Dose-volume histograms of every structure, from the calculated dose and the planning system's."""

from collections.abc import Sequence

import numpy as np

from dosewright.analysis.dvh import Dvh, dvh
from dosewright.core.grid import Grid, Image
from dosewright.core.mask import volume_fraction
from dosewright.core.structures import Structure
from dosewright.geometry.crop import beyond_mm
from dosewright.workflow.report.data import DvhCurve, DvhRow

VOLUMES_PERCENT = (98.0, 95.0, 50.0, 2.0)  # near-minimum, coverage, median, near-maximum (ICRU Report 83, 2010)
LEVELS = (0.95, 0.5, 0.2)  # of the reference dose


def dvh_rows(
    structures: Sequence[Structure], ours: Image, theirs: Image | None, reference_Gy: float
) -> tuple[tuple[DvhRow, ...], tuple[str, ...]]:
    """Return a row per structure that the dose grid meets, and what to say about the others."""
    rows, said = [], []
    for structure in structures:
        if not structure.contours:
            continue
        fraction = volume_fraction(structure, ours.grid)
        volume = float(fraction.sum(dtype=np.float64)) * ours.grid.voxel_volume_cm3
        if volume <= 0:
            said.append(f"{structure.name} lies outside the dose grid; it has no DVH.")
            continue
        tps = None
        if theirs is not None:
            share = fraction if theirs.grid == ours.grid else volume_fraction(structure, theirs.grid)
            tps = curve(dvh(theirs, share), reference_Gy) if share.any() else None
        rows.append(DvhRow(structure.name, curve(dvh(ours, fraction), reference_Gy), tps, volume))
    cut = [s.name for s in structures if s.contours and reaches_beyond(s, ours.grid)]
    if cut:
        said.append(f"The DVH holds only what lies on the dose grid; structures reach beyond it: {', '.join(cut)}.")
    return tuple(rows), tuple(said)


def reaches_beyond(structure: Structure, grid: Grid) -> bool:
    """Say whether contours leave the box of a grid by more than half a voxel (contours lie in slice centres)."""
    cut = beyond_mm(grid, np.concatenate(structure.contours))
    return bool(cut) and max(cut.values()) > 0.5 * max(grid.spacing_mm)


def curve(found: Dvh, reference_Gy: float) -> DvhCurve:
    """Return what the report shows of a histogram: the curve, Dx, Vx, mean and extremes."""
    metrics = {f"D{percent:g} (Gy)": found.dose_at_volume(percent) for percent in VOLUMES_PERCENT}
    for level in LEVELS:
        dose = level * reference_Gy
        metrics[f"V{dose:.3g}Gy (%)"] = found.volume_at_dose(dose)
    percent = 100.0 * found.volume_cm3_at / found.volume_cm3
    return DvhCurve(found.dose_Gy, percent, found.mean_Gy, found.min_Gy, found.max_Gy, metrics)
