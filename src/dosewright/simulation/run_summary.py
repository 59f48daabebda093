"""The summary of a run: what was asked and reached, how fast, where the energy went, and what to keep in mind."""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dosewright import __version__
from dosewright.execution.artifact import file_sha256
from dosewright.scoring.dose_error import USUAL
from dosewright.simulation.result import Result
from dosewright.simulation.result_files import DEFINITIONS, names_of, unit_of
from dosewright.simulation.run_file.goals import dose_error_of
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.tables import Goals, RunFile
from dosewright.simulation.run_file.values import AUTO, COUPLED, OFF
from dosewright.simulation.scene_account import scene_account
from dosewright.simulation.setup.prepare import Prepared
from dosewright.simulation.transport_account import transport_account

ENERGY_NAMES = {"neutral": "neutrals", "before_patient": "before_phantom"}


def summary(run_file: RunFile, prepared: Prepared, result: Result, warnings: Iterable[str]) -> dict[str, Any]:
    """Return everything but the hashes of the files."""
    goals = run_file.goal
    absolute = prepared.particles is not None
    return {
        "version": __version__,
        "seed": run_file.run.seed,
        "device": run_file.run.device,
        "threads": run_file.run.threads or len(os.sched_getaffinity(0)),
        "histories": result.histories,
        "batches": result.batches,
        "wall_seconds": round(result.wall_seconds, 3),
        "cpu_seconds": round(result.cpu_seconds, 3),
        "compile_seconds": round(result.compile_seconds, 3),
        "histories_per_cpu_second": round(result.histories_per_cpu_second, 1),
        "unit": "Gy" if absolute else f"Gy per {prepared.problem.per}",
        "particles": prepared.particles,
        "energy_MeV_per_primary": {ENERGY_NAMES.get(key, key): value for key, value in result.energy.items()},
        "goals": {
            "histories": goals.histories,
            "uncertainty_percent": goals.uncertainty_percent,
            "dose_error_percent": goals.dose_error_percent,
            "max_minutes": goals.max_minutes,
            "mean_uncertainty_percent": _finite(result.mean_uncertainty_percent),
            "dose_errors": told_errors(goals, result),
            "reached": goals_reached(run_file, result),
            "stopped_on_request": result.stopped_on_request,
            "source_used_up": result.used_up,
        },
        **({"scene": scene_account(run_file, prepared)} if prepared.scene else {}),
        **({"phase_space": result.records.account()} if result.records else {}),
        "transport": transport_account(run_file, prepared),
        "scores": [_score(s, prepared, result) for s in run_file.score],
        "warnings": [*dict.fromkeys((*prepared.warnings, *warnings, *result.warnings, *_missed(run_file, result)))],
    }


def told_errors(goals: Goals, result: Result) -> dict[str, Any]:
    """Return the largest and mean error of the dose, how many voxels they are of and fail, and what they are."""
    measure = USUAL if (asked := dose_error_of(goals)) is None else asked.measure
    return {**result.dose_errors.as_json(), "of": measure.words}


def goals_reached(run_file: RunFile, result: Result) -> bool:
    """Say whether a run did what was asked; where only a time was given, its end is the goal."""
    goals = run_file.goal
    others = (goals.histories, goals.uncertainty_percent, goals.dose_error_percent)
    by_time = all(goal is None for goal in others) and not result.stopped_on_request
    return result.goal_reached or by_time


def hashes(files: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of files by name."""
    return {path.name: file_sha256(path) for path in files}


def input_hashes(run_file: RunFile) -> dict[str, str]:
    """Return the SHA-256 of the files a run reads, by their key."""
    limits = run_file.variance_reduction.xy_limits
    named = {
        **{f"phantom.{key}": getattr(run_file.phantom, key, None) for key in ("image", "hlut", "egsphant", "g4dcm")},
        **{f"scene.{key}": getattr(run_file.scene, key, None) for key in ("file", "plan")},
        "variance_reduction.xy_limits": None if limits in (OFF, AUTO) else limits,
        **{f"source.{key}": getattr(run_file.source, key, None) for key in ("spectrum", "file", "plan", "beam_model")},
    }
    return {key: file_sha256(Path(text)) for key, text in named.items() if text and Path(text).is_file()}


def _score(score: Score, prepared: Prepared, result: Result) -> dict[str, Any]:
    """Return name, file, quantity and unit of a score, what the quantity is where its name does not say it, totals."""
    said: dict[str, Any] = {
        "name": score.file_name,
        "file": names_of([score])[0],
        "quantity": score.quantity,
        "unit": unit_of(score.quantity, prepared.particles, prepared.problem.per),
    }
    if score.quantity in DEFINITIONS:
        said["definition"] = DEFINITIONS[score.quantity]
    return said | _totals(score, result)


def _totals(score: Score, result: Result) -> dict[str, Any]:
    """Return number and energy of all that left the phantom, for a spectrum."""
    if score.quantity != "spectrum" or score.particle is None or result.leaving is None:
        return {}
    leaving, kind = result.leaving, COUPLED.index(score.particle)
    return {
        "particle": score.particle,
        "number_per_primary": float(leaving.number[kind]),
        "number_relative_uncertainty": float(leaving.number_uncertainty[kind]),
        "energy_MeV_per_primary": float(leaving.energy_MeV[kind]),
        "energy_relative_uncertainty": float(leaving.energy_uncertainty[kind]),
        "number_above_the_bins_per_primary": float(leaving.above[kind]),
    }


def _missed(run_file: RunFile, result: Result) -> tuple[str, ...]:
    """Say where nothing was scored, and what spectra do not show."""
    where = "phantom" if run_file.scene is None else "phantom or the scene"
    in_scene = 0.0 if run_file.scene is None else result.energy["before_patient"]
    if result.energy["deposited"] + in_scene <= 0:
        return (f"No energy was left in the {where}. Does the source point at it?",)
    doses = any(score.has_voxels for score in run_file.score)
    if doses and not result.dose_Gy.any():
        return ("Nothing was scored: the score grid got no energy.",)
    spectra = [(s, _totals(s, result)) for s in run_file.score if s.quantity == "spectrum"]
    return tuple(
        f"{score.file_name}.csv leaves out {above:.3g} particles per primary of more than energy_max_MeV."
        for score, said in spectra
        if (above := said.get("number_above_the_bins_per_primary", 0.0)) > 0
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
