"""What the doses say: comparison, histograms, and the report that shows them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.analysis.compare import relative_bound, robust_maximum
from dosewright.formats.text.site_settings import Goals as SiteGoals
from dosewright.scoring.dose_error import dose_errors
from dosewright.scoring.statistics import mean_uncertainty_percent
from dosewright.workflow.folder import JobFolder
from dosewright.workflow.goals import Goals
from dosewright.workflow.postprocess.comparison import (
    BeamPart,
    Compared,
    Comparison,
    compare,
    histories_in,
    regions_on,
)
from dosewright.workflow.postprocess.dvh_rows import DosesInDvh, dvh_rows
from dosewright.workflow.postprocess.filled_report import Findings, filled_report
from dosewright.workflow.postprocess.final_doses import singles
from dosewright.workflow.postprocess.outputs import write_gamma
from dosewright.workflow.postprocess.treatment import Treatment
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.settled import outputs
from dosewright.workflow.preprocess.target import Target
from dosewright.workflow.report.data import DvhRow, ReportData
from dosewright.workflow.report.page import write_report
from dosewright.workflow.simulate import SimulatedBeam, mean_uncertainty_settings

PLAN = "Plan"
MARGIN_OF_ENERGY = 1.05  # primaries may start with more than the nominal energy


@dataclass(frozen=True)
class Conclusion:
    """What the report shows, the figures of the plan's dose, and the files made."""

    data: ReportData
    plan_figures: dict[str, Any]
    files: tuple[Path, ...]


def conclude(
    case: Case, target: Target, beams: list[SimulatedBeam], treatment: Treatment, folder: JobFolder, created: str
) -> Conclusion:
    """Compare the doses, make the histograms and write the report."""
    comparisons = compare_all(case, beams, treatment)
    rows, said = histograms(case, beams, treatment)
    notes = [*treatment.notes, *said, *(note for comparison in comparisons for note in comparison.notes)]
    figures = plan_figures(treatment, case.settings.goals, case.request.goals)
    findings = Findings(tuple(comparisons), rows, tuple(notes), created, figures)
    data = filled_report(case, target, beams, treatment, findings)
    gammas = write_gamma(data.gammas, case, folder)
    write_report(folder.report, data)
    return Conclusion(data, figures, tuple(gammas))


def compare_all(case: Case, beams: list[SimulatedBeam], treatment: Treatment) -> list[Comparison]:
    """Compare plan with plan and beam with beam, with the criteria of the site's settings."""
    external, density = case.external, treatment.body.density_g_cm3
    regions = regions_on(treatment.plan.physical.grid, case.structures, external, treatment.body.where)
    parts = beam_parts(case, beams, treatment)
    pairs = []
    if treatment.tps_plan is not None:
        pairs.append(Compared(PLAN, treatment.plan, treatment.tps_plan, tuple(parts.values()), density))
    for number, tps in treatment.tps_beams.items():
        pairs.append(Compared(f"Beam {number}", treatment.beams[number], tps, (parts[number],), density))
    wanted = case.settings.calculation.gamma if outputs(case.request, case.settings).gamma else []
    return [compare(pair, regions, external, wanted) for pair in pairs]


def beam_parts(case: Case, beams: list[SimulatedBeam], treatment: Treatment) -> dict[int, BeamPart]:
    """Return what each beam brought to the plan's dose, by beam number."""
    parts = {}
    for equipped, simulated in zip(case.beams, beams, strict=True):
        number, layers = equipped.beam.number, equipped.audit.layers
        most = MARGIN_OF_ENERGY * max(layer.nominal_energy_MeV for layer in layers) * nucleons(equipped.beam.radiation)
        medium, particles = treatment.beams[number].to_medium, treatment.scales[number].total
        parts[number] = BeamPart(medium, simulated.histories, particles, most)
    return parts


def nucleons(radiation: str) -> int:
    """Return the nucleons of a radiation type of DICOM, ``PROTON`` or ``ION_Z_A_Q``: ions have MeV per nucleon."""
    words = radiation.split("_")
    return int(words[2]) if len(words) == 4 and words[2].isdigit() else 1


def histograms(
    case: Case, beams: list[SimulatedBeam], treatment: Treatment
) -> tuple[tuple[DvhRow, ...], tuple[str, ...]]:
    """Return the DVH of the plan; volumes are given at parts of the prescribed (or the highest) physical dose."""
    prescribed = case.study.plan.prescription_Gy
    ours = treatment.plan.physical
    reference = prescribed / case.rbe_factor if prescribed else robust_maximum(treatment.body.of(ours))
    said = []
    if prescribed:
        said.append(
            f"The prescribed {prescribed:g} Gy were taken as RBE-weighted: {reference:.4g} Gy physical dose in the DVH."
        )
    theirs = treatment.tps_plan.image if treatment.tps_plan else None
    parts = tuple(beam_parts(case, beams, treatment).values())

    def together(region: NDArray[np.bool_]) -> float:
        return relative_bound(histories_in(parts, treatment.body.density_g_cm3, ours.grid, region))

    doses = DosesInDvh(treatment.body.of(ours), ours, treatment.plan.uncertainty, theirs, reference, together)
    rows, more = dvh_rows(case.structures, doses)
    return rows, (*said, *more)


def plan_figures(treatment: Treatment, site: SiteGoals, goals: Goals) -> dict[str, Any]:
    """Return the highest dose of the plan with what it covers, its mean uncertainty and dose errors, as for a beam."""
    body, plan = treatment.body, treatment.plan
    relative = np.nan_to_num(singles(plan.uncertainty), nan=1.0).astype(float)
    doses, medium = body.of(plan.physical), singles(plan.to_medium).astype(float)
    errors = dose_errors(medium, medium * relative, body.density_g_cm3, goals.measure, goals.dose_error_percent)
    return {
        "maximum_Gy": float(np.nanmax(singles(doses), initial=0.0)),
        "highest_100_voxels_mean_Gy": robust_maximum(doses),
        "maximum_covers": body.words,
        "mean_uncertainty_percent": mean_uncertainty_percent(
            medium, relative, body.density_g_cm3, **mean_uncertainty_settings(site)
        ),
        "dose_errors": {**errors.as_json(), "of": goals.measure.words},
    }
