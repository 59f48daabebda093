"""What was delivered, how, and what was taken for granted: as JSON, and as the text of a log."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

import dosewright
from dosewright.core.whole_file import write_whole_text
from dosewright.delivery.dry_run import step_text
from dosewright.delivery.scripts import ScriptRun
from dosewright.execution.artifact import file_sha256, private_folder
from dosewright.scoring.statistics import mean_uncertainty_percent
from dosewright.simulation.transport_account import PROTON_MODELS
from dosewright.workflow.postprocess.summary import NOT_CLINICAL
from dosewright.workflow.treatment.scores import UNITS, WORDS
from dosewright.workflow.treatment.sums import RegionSums
from dosewright.workflow.treatment.treatment import Treatment

SUMMARY, LOG = "summary.json", Path("log") / "run.out"
SHARING = (
    "The pencil beams of a field share nprim histories each, in proportion to their particles: by systematic sampling, "
    "batch by batch."
)
SHARING_ALL = "All pencil beams share the primaries of an iteration in proportion to their particles."


def account(
    treatment: Treatment, sums: Mapping[str, RegionSums], scripts: Sequence[ScriptRun], files: Mapping[str, Path],
    seed: int, seconds: float,
) -> dict[str, Any]:  # fmt: skip
    """Return the summary; `files` by their names in the output folder."""
    of, settings = treatment.delivery.input, treatment.portions[0].settings
    return {
        "dosewright": dosewright.__version__,
        "note": NOT_CLINICAL,
        "created": datetime.now().astimezone().isoformat(timespec="seconds"),
        "input": of.path.name,
        "seed": seed,
        "wall_seconds": round(seconds, 1),
        "histories": sum(one.histories for one in sums.values()),
        "regions": {name: _region(name, treatment, one) for name, one in sums.items()},
        "steps": [_step(treatment, number) for number in range(1, len(treatment.steps) + 1)],
        "scripts": [{**asdict(run), "path": str(run.path)} for run in scripts],
        "transport": {
            **asdict(settings),
            "processes_off": list(settings.processes_off),
            "models": PROTON_MODELS,
        },
        "assumptions": [*treatment.said, _sharing(treatment)],
        "warnings": list(dict.fromkeys(text for one in sums.values() for text in one.warnings)),
        "inputs_sha256": input_hashes(treatment),
        "definition_sha256": definition_sha256(treatment),
        "files_sha256": {name: file_sha256(path) for name, path in files.items()},
    }


def input_hashes(treatment: Treatment) -> dict[str, str]:
    """Return the SHA-256 of the input file and of its CTs; what it includes shows in the hash of the definition."""
    of = treatment.delivery.input
    found = {of.path.name: of.path}
    for one in of.regions:
        if one.ct is not None:
            beside = (one.ct, one.ct.with_suffix(".raw"), one.ct.with_suffix(".zraw"))
            found |= {path.name: path for path in beside if path.is_file()}
    return {name: file_sha256(path) for name, path in found.items()}


def definition_sha256(treatment: Treatment) -> str:
    """Return a hash of all that is defined and delivered, whatever files it came from."""
    delivery, of = treatment.delivery, treatment.delivery.input
    defined = (
        of.regions,
        of.fields,
        of.beams,
        of.materials,
        of.hu_rows,
        of.room_material,
        of.clamp_hu,
        of.switched_off,
    )
    return sha256(repr((*defined, of.variance_reduction, delivery.orders, delivery.at_end)).encode()).hexdigest()


def _sharing(treatment: Treatment) -> str:
    return SHARING if treatment.delivery.input.variance_reduction is None else SHARING_ALL


def _region(name: str, treatment: Treatment, of: RegionSums) -> dict[str, Any]:
    dose = of.medium.dose_Gy
    percent = mean_uncertainty_percent(dose, of.medium.relative_uncertainty(), of.density_g_cm3)
    return {
        "particles": of.particles,
        "histories": of.histories,
        "maximum_Gy": float(of.dose_in_matter_Gy.max()),
        "mean_uncertainty_percent": percent if np.isfinite(percent) else None,
        "deposited_MeV": of.deposited_MeV,
        "quantities": {WORDS[one]: UNITS[one] for one in treatment.scored[name]},
    }


def region_sentence(name: str, facts: Mapping[str, Any]) -> str:
    """Return what a region received in a sentence, from its part of the summary."""
    percent = facts["mean_uncertainty_percent"]
    known = "unknown" if percent is None else f"{percent:.2f} %"
    return (f"{name}: {facts['particles']:.6g} particles by {facts['histories']:,} histories, maximum "
            f"{facts['maximum_Gy']:.6g} Gy (air left out), mean uncertainty {known}.")  # fmt: skip


def _step(treatment: Treatment, number: int) -> dict[str, Any]:
    step = treatment.steps[number - 1]
    portions = [one for one in treatment.portions if one.step == number]
    return {
        "number": number,
        "where": step.where,
        "fields": [{"name": one.name, "pencil_beams": len(one.beams), "particles": one.particles}
                   for one in step.fields],
        "portions": [{"field": one.field, "region": one.region, "particles": one.particles,
                      "histories": one.whole(one.beams.histories), "seed": one.seed, "scene": bool(one.around.parts),
                      "in_front": [device.id for device in one.around.devices]} for one in portions],
    }  # fmt: skip


def write_log(
    output: Path, treatment: Treatment, sums: Mapping[str, RegionSums], scripts: Sequence[ScriptRun], seed: int,
    end: str,
) -> Path:  # fmt: skip
    """Write ``log/run.out``; return it."""
    of = treatment.delivery.input
    lines = [f"Dosewright {dosewright.__version__}. {NOT_CLINICAL}", f"Input {of.path}, seed {seed}", ""]
    lines += [f"Note: {text}" for text in (*treatment.said, _sharing(treatment))]
    for step in treatment.steps:
        lines += ["", step_text(treatment.delivery, step)]
        for run in (one for one in scripts if one.step == step.number or (step.number == 1 and one.step == 0)):
            how = "ended at the time limit" if run.timed_out else f"exit code {run.exit_code}"
            lines += [f"Script {run.path}: {how} after {run.seconds:.1f} s"]
            lines += [f"  {line}" for line in run.output.splitlines()]
    lines.append("")
    for name, one in sums.items():
        lines.append(region_sentence(name, _region(name, treatment, one)))
        lines += [f"Warning: {text}" for text in one.warnings]
    lines += ["", end]
    path = output / LOG
    private_folder(path.parent)
    write_whole_text(path, "\n".join(lines) + "\n")
    return path
