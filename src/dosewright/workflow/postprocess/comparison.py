"""The calculated dose against the planning system's: gamma per structure, and the ratio that nothing normalises.

Gamma looks at the Monte Carlo dose point by point and searches the planning system's dose, as IDEAL does. Noise then
fails voxels that would pass, and passes some that would fail: a good plan looks worse, one that is wrong in many voxels
looks better. The rate without the noise, and that of the other direction, stand beside it. Percentages are of the
planning system's maximum inside the EXTERNAL.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.compare import Histories, high_dose_ratio, relative_bound, robust_maximum
from dosewright.analysis.gamma import GammaCriteria, gamma, pass_rate
from dosewright.analysis.gamma_noise import NoiselessRate, noiseless_rate_searched, noiseless_rates
from dosewright.analysis.voxel_noise import VoxelNoise, voxel_noise
from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import resample
from dosewright.core.mask import mask
from dosewright.core.structures import Structure
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.formats.text.site_settings import Gamma
from dosewright.workflow.postprocess.final_doses import FinalDose, singles
from dosewright.workflow.preprocess.tps_doses import TpsDose
from dosewright.workflow.report.data import GammaRate, GammaResult, HighDoseRatio

HIGH_DOSE_LEVEL = 0.5  # of the maximum
PLACE_LEVEL = 0.3  # of the maximum; at a half, few primaries select other voxels of a plateau than many
SAME_PLACE_MM = 10.0  # far above what noise, grids and models move the centre of a dose by
OTHER_WAY = "the same with the Monte Carlo dose searched"
DIRECTION = (
    "Each voxel of the Monte Carlo dose was looked at and the planning system's dose was searched; noise makes the "
    "plain rate of a good plan worse, and that of a plan that fails in many voxels better. Without noise: the rate "
    "corrected for the noise of the Monte Carlo dose, with its uncertainty "
    "(1 sigma). Percentages are of the planning system's maximum inside the patient."
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


@dataclass(frozen=True)
class BeamPart:
    """What a beam brought to a dose: its dose to medium, primaries, planned particles, most energy of one (MeV)."""

    to_medium: Image
    primaries: int
    particles: float
    most_MeV: float


@dataclass(frozen=True)
class Compared:
    """What is compared: a calculated dose and the planning system's, both physical and for all fractions.

    `parts` are the beams of the calculated dose and `density_g_cm3` that of its voxels; without them the uncertainty of
    the ratio is its plain upper end.
    """

    label: str
    ours: FinalDose
    tps: TpsDose
    parts: tuple[BeamPart, ...] = ()
    density_g_cm3: NDArray[np.float64] | None = None


def compare(compared: Compared, regions: Regions, external: Structure | None, wanted: Sequence[Gamma]) -> Comparison:
    """Compare two doses with the wanted criteria."""
    label, ours, tps = compared.label, compared.ours, compared.tps
    within = Image(ours.physical.grid, np.where(regions.external, singles(ours.physical), np.float32(np.nan)))
    theirs = singles(tps.image)
    where = mask(external, tps.image.grid) if external is not None else np.ones(theirs.shape, bool)
    top = float(theirs[where].max(initial=0.0))
    if top <= 0 or not np.nanmax(within.values, initial=0.0) > 0:
        return Comparison((), None, (*tps.notes, f"{label}: there is no dose to compare inside the patient."))
    noise = voxel_noise(ours.physical, ours.uncertainty, resample(tps.image, ours.physical.grid))
    looks = _Looks(within, ours.physical, tps.image, Image(tps.image.grid, np.where(where, theirs, np.nan)), noise)
    results = tuple(_gamma_result(label, looks, regions, one, top) for one in wanted)
    moved = displacement_note(label, ours.physical, tps.image, regions.body)
    return Comparison(results, ratio_of(compared, regions), (*moved, *tps.notes))


@dataclass(frozen=True)
class _Looks:
    """Both doses, whole and with nan outside the patient, and the noise of ours."""

    ours_within: Image
    ours: Image
    theirs: Image
    theirs_within: Image
    noise: VoxelNoise


def criteria_of(wanted: Gamma, reference_dose_Gy: float) -> GammaCriteria:
    """Return a site's criterion, with the dose that its percentages mean."""
    return GammaCriteria(
        wanted.dose_percent,
        wanted.distance_mm,
        threshold_percent=wanted.threshold_percent,
        threshold_Gy=wanted.threshold_Gy,
        local=wanted.local,
        reference_dose_Gy=reference_dose_Gy,
    )


def _gamma_result(label: str, looks: _Looks, regions: Regions, wanted: Gamma, top_Gy: float) -> GammaResult:
    criteria = criteria_of(wanted, top_Gy)
    image = gamma(looks.ours_within, looks.theirs, criteria)
    areas = areas_of(regions)
    corrected = noiseless_rates(looks.ours_within, looks.theirs, criteria, looks.noise, areas)
    whole, *others = (rate(name, image, where, corrected[name]) for name, where in areas.items())
    searched = gamma(looks.theirs_within, looks.ours, criteria)
    without = noiseless_rate_searched(looks.ours, looks.theirs, looks.theirs_within, criteria, looks.noise)
    return GammaResult(
        label,
        wanted.dose_percent,
        wanted.distance_mm,
        (whole, rate(OTHER_WAY, searched, None, without), *others),
        criteria.threshold,
        wanted.local,
        image,
        DIRECTION,
        wanted.outside_value,
    )


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


def ratio_of(compared: Compared, regions: Regions) -> HighDoseRatio:
    """Return the ratio of the mean doses, calculated over planned, where the planned dose is high."""
    ours, grid = compared.ours, compared.ours.physical.grid
    theirs = singles(resample(compared.tps.image, grid)) * regions.external.astype(np.float32)
    relative = Image(grid, np.nan_to_num(singles(ours.uncertainty)))
    found = high_dose_ratio(ours.physical, Image(grid, theirs), HIGH_DOSE_LEVEL, relative)
    bound = np.nan
    if compared.density_g_cm3 is not None:
        high = theirs >= found.level_Gy
        bound = found.value * relative_bound(histories_in(compared.parts, compared.density_g_cm3, grid, high))
    correlated = found.uncertainty_correlated if found.uncertainty_correlated is not None else np.inf
    uncertainty = float(np.nanmin([bound, correlated]))
    region = (
        f"where the planning system's dose is at least {found.level_Gy:.4g} Gy ({100 * HIGH_DOSE_LEVEL:g} % of its "
        f"maximum); the uncertainty (1 sigma) is an upper end"
    )
    return HighDoseRatio(compared.label, found.value, uncertainty, region, found.voxels)


def histories_in(
    parts: Sequence[BeamPart], density_g_cm3: NDArray[np.float64], grid: Grid, region: NDArray[np.bool_]
) -> tuple[Histories, ...]:
    """Return what the primaries of each beam left in a region."""
    mass_g = np.where(region, density_g_cm3, 0.0) * grid.voxel_volume_cm3
    found = []
    for part in parts:
        dose = singles(part.to_medium).astype(float)
        mean_MeV = float(np.vdot(dose, mass_g)) / MEV_PER_G_IN_GY / part.particles
        found.append(Histories(float(dose[region].sum()), part.primaries, mean_MeV, part.most_MeV))
    return tuple(found)


def areas_of(regions: Regions) -> dict[str, NDArray[np.bool_]]:
    """Return where rates are given: the whole, inside each structure, outside each."""
    outside = {f"outside {name}": regions.external & ~where for name, where in regions.inside.items()}
    return {regions.whole: regions.external, **regions.inside, **outside}


def rate(
    region: str, image: Image, where: NDArray[np.bool_] | None, corrected: NoiselessRate | None = None
) -> GammaRate:
    """Return the pass rate of one region, plain and without noise."""
    percent, voxels = pass_rate(image, where)
    if corrected is None:
        return GammaRate(region, percent if voxels else None, voxels)
    return GammaRate(region, percent if voxels else None, voxels, corrected.percent, corrected.uncertainty)
