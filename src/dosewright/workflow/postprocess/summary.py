"""The summary: all figures of a calculation as JSON, with the SHA-256 of every file; written last."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import dosewright
from dosewright.core.whole_file import write_whole_text
from dosewright.execution.artifact import file_sha256, write_json
from dosewright.geometry.patient_report import PatientReport
from dosewright.workflow.folder import JobFolder
from dosewright.workflow.postprocess.conclude import Conclusion
from dosewright.workflow.postprocess.user_log import user_log
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.equip import EquippedBeam
from dosewright.workflow.preprocess.settled import outputs
from dosewright.workflow.preprocess.target import Target
from dosewright.workflow.report.data import DvhCurve, GammaResult
from dosewright.workflow.simulate import SimulatedBeam

NOT_HASHED = ("summary.json", "log.txt", ".lock", "request.json", "job.json", "progress.json", "STOP")
NOT_CLINICAL = "Not for clinical use: a quality-assurance and research tool, no medical device."


def write_summary(
    case: Case, target: Target, beams: list[SimulatedBeam], conclusion: Conclusion, folder: JobFolder
) -> dict[str, Any]:
    """Write the user log from the figures, where it is asked for, then the summary; return the latter."""
    content: dict[str, Any] = plain(
        {
            **who_and_what(case),
            "goal_reached": all(beam.goal_reached for beam in beams),
            **dose_facts(case, target),
            "beams": [beam_facts(equipped, beam) for equipped, beam in zip(case.beams, beams, strict=True)],
            "patient": patient_facts(target.patient.report),
            **conclusion_facts(conclusion),
            "inputs_sha256": case.study.input_sha256,
            "models_sha256": {beam.model.name: beam.model.sha256 for beam in case.beams},
            "ct_protocol": None if target.table is None else target.table.name,
            "models": [one.as_json() for one in case.models],
            "settings": settings_facts(case),
        }
    )
    folder.user_log.unlink(missing_ok=True)
    if outputs(case.request, case.settings).user_log:
        write_whole_text(folder.user_log, user_log({**content, "files_sha256": files_of(folder)}))
    summary: dict[str, Any] = {**content, "files_sha256": files_of(folder)}
    write_json(folder.summary, summary)
    return summary


def who_and_what(case: Case) -> dict[str, Any]:
    """Return who calculated what, and to which goal."""
    return {
        "dosewright": dosewright.__version__,
        "note": NOT_CLINICAL,
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "plan_uid": case.study.plan.uid,
        "user": case.user.name,
        "acronym": case.user.acronym,
        "account": case.user.account,
        "role": case.user.role,
        "seed": case.request.seed,
        "fractions": case.fractions,
        "goals": case.request.goals.as_json(),
        "goal_scope": case.request.goal_scope,
        "goal": case.request.goals.sentence(case.request.goal_scope),
    }


def dose_facts(case: Case, target: Target) -> dict[str, Any]:
    """Return what the doses are, and on which grid."""
    to, rbe, grid = case.request.dose_to, case.rbe_factor, target.score.grid
    return {
        "dose": f"physical dose to {to} in Gy, all fractions; effective dose is {rbe:g} times that",
        "dose_to": to,
        "rbe_factor": rbe,
        "outside_removed": bool(case.request.remove_outside and case.external is not None),
        "dose_grid": {
            "voxels": list(grid.shape),
            "spacing_mm": list(grid.spacing_mm),
            "basis": target.score.sentence,
        },
    }


def settings_facts(case: Case) -> dict[str, Any]:
    """Return the site's settings as they were taken, without its users, and what else was chosen."""
    request = case.request
    return {
        "file": None if case.library.settings_file is None else str(case.library.settings_file),
        "library": case.library.content.name,
        "outputs": [name for name, on in outputs(request, case.settings).model_dump().items() if on],
        "overrides": [list(pair) for pair in request.overrides],
        "phantom": request.phantom,
        "phantom_shift_mm": request.phantom_shift_mm,
        "threads": request.threads,
        **case.settings.model_dump(mode="json", include={"goals", "calculation", "memory"}),
    }


def conclusion_facts(conclusion: Conclusion) -> dict[str, Any]:
    """Return figures, comparisons and sentences."""
    data = conclusion.data
    return {
        "plan_dose_Gy": conclusion.plan_figures,
        "gamma": [gamma_facts(result) for result in data.gammas],
        "high_dose_ratios": [
            {
                "dose": r.comparison,
                "ratio": r.ratio,
                "uncertainty": r.uncertainty,
                "region": r.region,
                "voxels": r.voxels,
            }
            for r in data.ratios
        ],
        "dvh": [
            {
                "structure": row.structure,
                "volume_cm3": row.volume_cm3,
                **{
                    name: dvh_facts(c)
                    for name, c in (("calculated", row.mc), ("planning_system", row.tps))
                    if c is not None
                },
            }
            for row in data.dvh
        ],
        "warnings": list(data.warnings),
        "assumptions": list(data.assumptions),
    }


def beam_facts(equipped: EquippedBeam, simulated: SimulatedBeam) -> dict[str, Any]:
    """Return the figures of one beam, with its meterset audit."""
    beam, audit = equipped.beam, equipped.audit
    return {
        "number": beam.number,
        "name": beam.name,
        "machine": beam.machine,
        "beam_model": equipped.model.name,
        "meterset_unit": audit.unit,
        "meterset": audit.meterset,
        "final_cumulative_weight": audit.final_cumulative_weight,
        "sum_of_weights": audit.sum_of_weights,
        "particles_per_fraction": audit.particles,
        "correction": equipped.correction.model_dump(),
        "weight_factors": list(audit.weight_factors),
        "spots": beam.spot_count,
        "layers": [asdict(layer) for layer in audit.layers],
        **simulated.figures,
    }


def patient_facts(report: PatientReport) -> dict[str, Any]:
    """Return what the voxels were made from, with the account of every override."""
    return {
        "voxels": list(report.grid.shape),
        "spacing_mm": list(report.grid.spacing_mm),
        "hounsfield_range": None if report.hu_range is None else list(report.hu_range),
        "clamped_below": report.clamped_below,
        "clamped_above": report.clamped_above,
        "materials": [asdict(use) for use in report.materials],
        "overrides": [asdict(use) for use in report.overrides],
    }


def dvh_facts(curve: DvhCurve) -> dict[str, Any]:
    """Return the figures of one histogram; without noise: pairs of value and standard deviation."""
    facts: dict[str, Any] = {"mean_Gy": curve.mean_Gy, "min_Gy": curve.minimum_Gy, "max_Gy": curve.maximum_Gy}
    facts |= {**curve.metrics, **curve.indices}
    if curve.without_noise is not None:
        facts["mean_sigma_Gy"] = curve.without_noise.mean_sigma_Gy
        facts["without_noise"] = {label: list(pair) for label, pair in curve.without_noise.metrics.items()}
    return facts


def gamma_facts(result: GammaResult) -> dict[str, Any]:
    """Return the pass rates of one comparison."""
    return {
        "dose": result.comparison,
        "criterion": result.criterion,
        "threshold": result.threshold,
        "direction": result.note,
        "pass_percent": {rate.region: rate.pass_percent for rate in result.rates},
        "without_noise_percent": {rate.region: rate.without_noise for rate in result.rates},
        "without_noise_sigma_percent": {rate.region: rate.sigma for rate in result.rates},
        "voxels": {rate.region: rate.voxels for rate in result.rates},
    }


def files_of(folder: JobFolder) -> dict[str, str]:
    """Return the SHA-256 of every result file, by its place in the folder; parts and stamps are left out."""
    skipped = (folder.path / "parts", folder.path / "stages")
    found = {}
    for path in sorted(p for p in folder.path.rglob("*") if p.is_file()):
        if path.name not in NOT_HASHED and not any(path.is_relative_to(place) for place in skipped):
            found[path.relative_to(folder.path).as_posix()] = file_sha256(path)
    return found


def files_intact(folder: JobFolder, summary: dict[str, Any]) -> bool:
    """Say whether every file of a summary is still what it was."""
    try:
        return all(_same(folder.path / name, hashed) for name, hashed in summary["files_sha256"].items())
    except (KeyError, AttributeError):
        return False


def plain(value: Any) -> Any:
    """Return a value with NumPy numbers and not-a-numbers turned into what JSON knows."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not abs(value) < float("inf") else value


def _same(path: Path, hashed: str) -> bool:
    return path.is_file() and file_sha256(path) == hashed
