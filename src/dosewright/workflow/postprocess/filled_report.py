"""The report's value, filled in from a finished calculation."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from dosewright.workflow.goals import duration_text
from dosewright.workflow.postprocess.beam_rows import beam_row
from dosewright.workflow.postprocess.comparison import Comparison
from dosewright.workflow.postprocess.treatment import Treatment
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.target import Target
from dosewright.workflow.report.data import DosePair, DvhRow, ReportData
from dosewright.workflow.simulate import SimulatedBeam

SHAPES_THE_NUMBERS = ("dosewright", "numpy", "numba", "scipy", "pydicom")


@dataclass(frozen=True)
class Findings:
    """What the comparison found and said; figures of the plan's dose; `created` is the report's date in words."""

    comparisons: tuple[Comparison, ...]
    histograms: tuple[DvhRow, ...]
    notes: tuple[str, ...]
    created: str
    plan_figures: Mapping[str, Any]


def filled_report(
    case: Case, target: Target, beams: list[SimulatedBeam], treatment: Treatment, findings: Findings
) -> ReportData:
    """Fill in the report."""
    on_phantom = case.request.phantom is not None
    study, tps = case.study, treatment.tps_plan
    pairs = list(zip(case.beams, beams, strict=True))
    goal, site = case.request.goals.sentence(case.request.goal_scope), case.settings.goals
    return ReportData(
        plan_label=study.plan.label,
        plan_uid=study.plan.uid,
        created=findings.created,
        user=case.user.titled,
        role=case.user.role,
        seed=case.request.seed,
        fractions=case.fractions,
        dose_label=f"Physical dose to {treatment.plan.dose_to}",
        plan=DosePair(
            treatment.plan.physical, treatment.plan.uncertainty, tps.image if tps else None, treatment.body.where
        ),
        beams=tuple(beam_row(e, b, treatment, goal, site) for e, b in pairs),
        plan_figures=findings.plan_figures,
        ct=study.ct.image if study.ct and not on_phantom else None,
        structures=study.structures.structures if study.structures and not on_phantom else (),
        dvh=findings.histograms,
        gammas=tuple(g for comparison in findings.comparisons for g in comparison.gammas),
        ratios=tuple(comparison.ratio for comparison in findings.comparisons if comparison.ratio),
        warnings=warnings(case, target, beams, findings),
        assumptions=tuple(dict.fromkeys([*case.assumptions, *target.assumptions, target.score.sentence])),
        settings=settings(case, target),
        versions={"Python": platform.python_version(), **{name: version(name) for name in SHAPES_THE_NUMBERS}},
        hashes={**study.input_sha256, **{one.title: one.sha256 for one in case.models}},
        made_from=target.patient.report,
        timings={f"Beam {e.beam.number}": timing(b) for e, b in pairs},
    )


def warnings(case: Case, target: Target, beams: list[SimulatedBeam], findings: Findings) -> tuple[str, ...]:
    """Return everything somebody should look at, each sentence once, the gravest first."""
    unreached = [
        f"Beam {equipped.beam.number} {beam.shortfall}."
        for equipped, beam in zip(case.beams, beams, strict=True)
        if beam.shortfall
    ]
    run = [said for beam in beams for said in beam.figures["warnings"]]
    return tuple(dict.fromkeys([*unreached, *case.warnings, *target.warnings, *findings.notes, *run]))


def settings(case: Case, target: Target) -> dict[str, str]:
    """Return what was asked for and chosen, in words."""
    request, grid = case.request, target.score.grid
    table = target.table
    return {
        "Goal": request.goals.sentence(request.goal_scope),
        "Dose": f"to {request.dose_to}, RBE factor {case.rbe_factor:g}"
        + (", zero outside the EXTERNAL" if request.remove_outside and case.external else ""),
        "Beam models": ", ".join(dict.fromkeys(e.model.name for e in case.beams)),
        "Patient": f"phantom {request.phantom}"
        if request.phantom
        else ("CT" if table else "EXTERNAL filled with water"),
        "CT protocol": table.name if table else "none",
        "Overrides": ", ".join(f"{roi}: {material}" for roi, material in request.overrides) or "none",
        "Dose grid": " x ".join(str(n) for n in grid.shape)
        + " voxels of "
        + " x ".join(f"{s:.4g}" for s in grid.spacing_mm)
        + " mm",
        "Voxels": " x ".join(str(n) for n in target.patient.report.grid.shape),
        "Approval": " ".join(one.sentence for one in case.models),
        "Library": case.library.content.name,
        "Settings": str(case.library.settings_file or "none, so the defaults"),
        "Threads": str(request.threads or "all cores"),
    }


def timing(beam: SimulatedBeam) -> str:
    """Return the times of one beam in words."""
    figures = beam.figures
    return (
        f"{duration_text(figures['wall_seconds'])}, of which compiling {duration_text(figures['compile_seconds'])}; "
        f"processor time in transport {duration_text(figures['cpu_seconds'])}"
    )
