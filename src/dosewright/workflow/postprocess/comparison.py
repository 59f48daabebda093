"""The calculated dose against the planning system's: gamma per structure, and the ratio that nothing normalises.

Gamma looks at the Monte Carlo dose point by point and searches the planning system's dose, as IDEAL does; noise then
makes the result look worse, never better. The rate of the other direction stands beside it. Percentages are of the
planning system's maximum inside the EXTERNAL.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.compare import high_dose_ratio, robust_maximum
from dosewright.analysis.gamma import GammaCriteria, gamma, pass_rate
from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import resample
from dosewright.core.mask import mask
from dosewright.core.structures import Structure
from dosewright.workflow.postprocess.final_doses import FinalDose, singles
from dosewright.workflow.preprocess.tps_doses import TpsDose
from dosewright.workflow.report.data import GammaRate, GammaResult, HighDoseRatio

CRITERIA = ((3.0, 3.0), (2.0, 2.0))  # percent, mm: IDEAL's habit and the stricter one of AAPM TG-218 (2018)
THRESHOLD_PERCENT = 10.0  # AAPM TG-218: doses below a tenth are left out
HIGH_DOSE_LEVEL = 0.5  # of the maximum
PLACE_LEVEL = 0.3  # of the maximum; at a half, few primaries select other voxels of a plateau than many
SAME_PLACE_MM = 10.0  # far above what noise, grids and models move the centre of a dose by
OTHER_WAY = "the same with the Monte Carlo dose searched"
DIRECTION = (
    "Each voxel of the Monte Carlo dose was looked at and the planning system's dose was searched; noise makes the "
    "rate worse. The other way round, where the Monte Carlo dose is searched, noise makes it better; without noise the "
    "rate lies between. Percentages are of the planning system's maximum inside the patient."
)


@dataclass(frozen=True)
class Regions:
    """The structures on one grid; `external` is where doses are compared, everywhere if there is no EXTERNAL.

    `body` is where no air is, in whose voxels a single particle makes a high dose.
    """

    external: NDArray[np.bool_]
    inside: dict[str, NDArray[np.bool_]]
    whole: str
    body: NDArray[np.bool_]


@dataclass(frozen=True)
class Comparison:
    """One dose compared: with each criterion, as one number, and what had to be said."""

    gammas: tuple[GammaResult, ...]
    ratio: HighDoseRatio | None
    notes: tuple[str, ...]


def regions_on(
    grid: Grid, structures: Sequence[Structure], external: Structure | None, body: NDArray[np.bool_] | None = None
) -> Regions:
    """Put the structures with contours on a grid; without `body` air is not told apart."""
    inside = {s.name: mask(s, grid) for s in structures if s.contours and s is not external}
    where = np.ones(grid.array_shape, bool) if external is None else mask(external, grid)
    whole = "whole dose" if external is None else f"whole dose in {external.name}"
    return Regions(where, inside, whole, where if body is None else body)


def compare(
    label: str,
    ours: FinalDose,
    tps: TpsDose,
    regions: Regions,
    external: Structure | None,
    criteria: tuple[tuple[float, float], ...] = CRITERIA,
) -> Comparison:
    """Compare a calculated dose with the planning system's, both physical and for all fractions."""
    within = Image(ours.physical.grid, np.where(regions.external, singles(ours.physical), np.float32(np.nan)))
    theirs = singles(tps.image)
    where = mask(external, tps.image.grid) if external is not None else np.ones(theirs.shape, bool)
    top = float(theirs[where].max(initial=0.0))
    if top <= 0 or not np.nanmax(within.values, initial=0.0) > 0:
        return Comparison((), None, (*tps.notes, f"{label}: there is no dose to compare inside the patient."))
    results = []
    for percent, distance in criteria:
        asked = GammaCriteria(percent, distance, THRESHOLD_PERCENT, reference_dose_Gy=top)
        image = gamma(within, tps.image, asked)
        other_way = gamma(Image(tps.image.grid, np.where(where, theirs, np.float32(np.nan))), ours.physical, asked)
        results.append(
            GammaResult(
                label, percent, distance, rates(image, other_way, regions), THRESHOLD_PERCENT, False, image, DIRECTION
            )
        )
    moved = displacement_note(label, ours.physical, tps.image, regions.body)
    return Comparison(tuple(results), ratio_of(label, ours, tps, regions), (*moved, *tps.notes))


def displacement_note(label: str, ours: Image, theirs: Image, body: NDArray[np.bool_]) -> tuple[str, ...]:
    """Say where two doses do not lie in the same place, which no gamma and no ratio says plainly."""
    planned = singles(resample(theirs, ours.grid, outside=np.nan))
    both = body & np.isfinite(planned)
    centres = [centre_of(Image(ours.grid, np.where(both, dose, 0))) for dose in (singles(ours), planned)]
    if centres[0] is None or centres[1] is None:
        return (f"{label}: calculated and planned dose do not meet in the patient.",)
    apart = float(np.linalg.norm(centres[0] - centres[1]))
    if apart <= SAME_PLACE_MM:
        return ()
    places = [", ".join(f"{value:.0f}" for value in centre) for centre in centres if centre is not None]
    return (
        f"{label}: the doses lie {apart:.0f} mm apart: calculated around ({places[0]}) mm, planned around "
        f"({places[1]}) mm. Do the planned dose and this plan belong together? Look at gantry and couch angles, "
        f"isocentre and patient position of both.",
    )


def centre_of(image: Image) -> NDArray[np.float64] | None:
    """Return the centre of mass of the dose above `PLACE_LEVEL`, mm; None where there is no dose."""
    top = robust_maximum(image)
    if top <= 0:
        return None
    values = singles(image).astype(float)
    seen = np.argwhere(values >= PLACE_LEVEL * top)
    centre: NDArray[np.float64] = np.average(
        image.grid.to_patient(seen[:, ::-1].astype(float)), axis=0, weights=values[tuple(seen.T)]
    )
    return centre


def ratio_of(label: str, ours: FinalDose, tps: TpsDose, regions: Regions) -> HighDoseRatio:
    """Return the ratio of the mean doses, calculated over planned, where the planned dose is high."""
    grid = ours.physical.grid
    theirs = singles(resample(tps.image, grid)) * regions.external.astype(np.float32)
    relative = Image(grid, np.nan_to_num(singles(ours.uncertainty)))
    found = high_dose_ratio(ours.physical, Image(grid, theirs), HIGH_DOSE_LEVEL, relative)
    region = (
        f"where the planning system's dose is at least {found.level_Gy:.4g} Gy ({100 * HIGH_DOSE_LEVEL:g} % of its "
        f"maximum); the uncertainty is its upper end, as if all voxels varied together"
    )
    return HighDoseRatio(label, found.value, found.uncertainty_correlated, region, found.voxels)


def rates(image: Image, other_way: Image, regions: Regions) -> tuple[GammaRate, ...]:
    """Return the pass rate of the whole dose, in both directions, then inside each structure and outside each."""
    inside = [rate(name, image, where) for name, where in regions.inside.items()]
    outside = [rate(f"outside {name}", image, regions.external & ~where) for name, where in regions.inside.items()]
    return (rate(regions.whole, image, regions.external), rate(OTHER_WAY, other_way, None), *inside, *outside)


def rate(region: str, image: Image, where: NDArray[np.bool_] | None) -> GammaRate:
    """Return the pass rate of one region."""
    percent, voxels = pass_rate(image, where)
    return GammaRate(region, percent if voxels else None, voxels)
