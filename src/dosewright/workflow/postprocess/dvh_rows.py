"""Dose-volume histograms of every structure, from the calculated dose and the planning system's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dosewright.analysis.dvh import Dvh, conformity, homogeneity, structure_dvh
from dosewright.analysis.dvh_noise import NoisyDvh, noisy_dvh
from dosewright.analysis.voxel_noise import voxel_noise
from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import resample
from dosewright.core.structures import Structure
from dosewright.geometry.crop import beyond_mm
from dosewright.workflow.report.data import DvhCurve, DvhRow, DvhWithoutNoise

VOLUMES_PERCENT = (98.0, 95.0, 50.0, 2.0)  # near-minimum, coverage, median, near-maximum (ICRU Report 83, 2010)
LEVELS = (0.95, 0.5, 0.2)  # of the reference dose
TARGETS = ("PTV", "CTV", "GTV")
ISODOSE = 0.95  # of the reference dose, for conformity
UNKNOWN = 1.0  # relative uncertainty where nothing is known of it

Figures = dict[str, Callable[[Dvh], float]]


@dataclass(frozen=True)
class DosesInDvh:
    """The doses of the histograms, Gy: ours in the patient (nan elsewhere) and whole, its uncertainty, the planned one.

    `reference_Gy` is the dose whose parts the volumes are given at.
    """

    in_body: Image
    ours: Image
    uncertainty: Image
    theirs: Image | None
    reference_Gy: float


def dvh_rows(structures: Sequence[Structure], doses: DosesInDvh) -> tuple[tuple[DvhRow, ...], tuple[str, ...]]:
    """Return a row per structure that the dose grid meets, and what to say about the others."""
    rows: list[DvhRow] = []
    said: list[str] = []
    grid, theirs = doses.ours.grid, doses.theirs
    smooth = Image(grid, np.zeros(grid.array_shape)) if theirs is None else resample(theirs, grid)
    noise = voxel_noise(doses.ours, doses.uncertainty, smooth)
    isodose_cm3 = isodose_volume(doses.in_body, ISODOSE * doses.reference_Gy)
    for structure in structures:
        if not structure.contours:
            continue
        try:
            found = noisy_dvh(doses.ours, noise, structure)
        except InputError as problem:
            said.extend(problem.problems)
            continue
        mc = curve(found.plain, doses.reference_Gy)
        mc = replace(mc, without_noise=without_noise(found, doses.reference_Gy))
        if structure.kind in TARGETS:
            mc = replace(mc, indices=target_indices(found.plain, doses.reference_Gy, isodose_cm3))
        rows.append(DvhRow(structure.name, mc, planned(structure, doses), found.plain.volume_cm3))
    cut = [s.name for s in structures if s.contours and reaches_beyond(s, grid)]
    if cut:
        said.append(f"The DVH holds only what lies on the dose grid; structures reach beyond it: {', '.join(cut)}.")
    return tuple(rows), tuple(said)


def planned(structure: Structure, doses: DosesInDvh) -> DvhCurve | None:
    """Return the histogram of the planned dose, None where there is none."""
    if doses.theirs is None:
        return None
    try:
        found = structure_dvh(doses.theirs, structure)
    except InputError:
        return None
    mine = curve(found, doses.reference_Gy)
    if structure.kind not in TARGETS:
        return mine
    in_body = np.where(np.isnan(doses.in_body.values), np.nan, resample(doses.theirs, doses.ours.grid).values)
    volume = isodose_volume(Image(doses.in_body.grid, in_body), ISODOSE * doses.reference_Gy)
    return replace(mine, indices=target_indices(found, doses.reference_Gy, volume))


def isodose_volume(dose: Image, dose_Gy: float) -> float:
    """Return the volume (cm3) of the voxels that receive at least a dose; nan counts as less."""
    return float(np.count_nonzero(np.nan_to_num(dose.values, nan=-np.inf) >= dose_Gy)) * dose.grid.voxel_volume_cm3


def target_indices(found: Dvh, reference_Gy: float, isodose_cm3: float) -> dict[str, float]:
    """Return homogeneity and conformity of a target."""
    return {
        "HI = (D2 − D98) / D50": homogeneity(found),
        f"Paddick CI at {ISODOSE * reference_Gy:.3g} Gy": conformity(found, ISODOSE * reference_Gy, isodose_cm3),
    }


def reaches_beyond(structure: Structure, grid: Grid) -> bool:
    """Say whether contours leave the box of a grid by more than half a voxel (contours lie in slice centres)."""
    cut = beyond_mm(grid, np.concatenate(structure.contours))
    return bool(cut) and max(cut.values()) > 0.5 * max(grid.spacing_mm)


def figures(reference_Gy: float) -> Figures:
    """Return what is read from each histogram, by label."""
    at_volume: Figures = {f"D{percent:g} (Gy)": _dose_at(percent) for percent in VOLUMES_PERCENT}
    doses = [level * reference_Gy for level in LEVELS]
    return at_volume | {f"V{dose:.3g}Gy (%)": _volume_at(dose) for dose in doses}


def _dose_at(percent: float) -> Callable[[Dvh], float]:
    return lambda found: found.dose_at_volume(percent)


def _volume_at(dose_Gy: float) -> Callable[[Dvh], float]:
    return lambda found: found.volume_at_dose(dose_Gy)


def curve(found: Dvh, reference_Gy: float) -> DvhCurve:
    """Return what the report shows of a histogram: the curve, Dx, Vx, mean and extremes."""
    metrics = {label: of(found) for label, of in figures(reference_Gy).items()}
    percent = 100.0 * found.volume_cm3_at / found.volume_cm3
    return DvhCurve(found.dose_Gy, percent, found.mean_Gy, found.min_Gy, found.max_Gy, metrics)


def without_noise(found: NoisyDvh, reference_Gy: float) -> DvhWithoutNoise:
    """Return the band and the figures without noise."""
    lower, upper = (100.0 * volume / found.plain.volume_cm3 for volume in found.band_cm3)
    metrics = {label: found.figure(of) for label, of in figures(reference_Gy).items()}
    return DvhWithoutNoise(lower, upper, found.figure(lambda curve: curve.mean_Gy)[1], metrics)
