"""The beams, one after the other, each to its goal; what is finished is kept and never done twice."""

import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dosewright.core.errors import StoppedEarlyError
from dosewright.core.grid import Grid, Image
from dosewright.execution.artifact import publish, sidecar_of, verified
from dosewright.execution.stop import Question
from dosewright.formats.text.site_settings import Goals as SiteGoals
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import Problem
from dosewright.simulation.result import Result
from dosewright.simulation.run import Ended, Progress, simulate
from dosewright.workflow.folder import JobFolder
from dosewright.workflow.goals import Goals
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.equip import EquippedBeam
from dosewright.workflow.preprocess.target import Target
from dosewright.workflow.stages import StageClock, finished
from dosewright.workflow.treatment.plan_portions import plan_portions
from dosewright.workflow.treatment.portion import Portion
from dosewright.workflow.watch import BeamProgress, Watch

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SimulatedBeam:
    """The dose per primary of one beam (Gy) and how it was reached; `figures` holds counts, times, energies."""

    to_water: Image
    to_medium: Image
    uncertainty: Image
    histories: int
    mean_uncertainty_percent: float | None
    goal_reached: bool
    figures: dict[str, Any]

    @property
    def shortfall(self) -> str | None:
        """Say what kept it from its goal, or None where it was reached."""
        if self.goal_reached:
            return None
        return (
            "was stopped on request before its goal"
            if self.stopped
            else "was stopped by the time limit before its goal"
        )

    @property
    def stopped(self) -> bool:
        """True where somebody asked it to stop."""
        return bool(self.figures["ended"] == Ended.REQUEST.value)


@dataclass
class TimeBudget:
    """The time left for all beams; each gets an equal share of what is left, so time saved helps the later ones."""

    seconds: float | None

    def share(self, beams_left: int) -> float | None:
        """Return the seconds for the next beam."""
        return None if self.seconds is None else max(self.seconds / beams_left, 1e-3)

    def spend(self, seconds: float) -> None:
        """Take the time a beam used."""
        if self.seconds is not None:
            self.seconds = max(self.seconds - seconds, 0.0)


def simulate_beams(
    case: Case, target: Target, folder: JobFolder, watch: Watch, stop: Question, *, extend: bool = False
) -> list[SimulatedBeam]:
    """Simulate every beam that is not finished yet; `extend` continues beams whose time was up before their goal.

    Raises
    ------
    StoppedEarlyError
        Somebody asked to stop before every beam had primaries: without all of them there is no dose of the plan.
    """
    beams, request = case.beams, case.request
    budget = TimeBudget(request.goals.max_seconds)
    done = []
    for index, (equipped, portion) in enumerate(zip(beams, plan_portions(case, target), strict=True)):
        problem = portion.problem()
        inputs = {
            "problem": problem.fingerprint(),
            "goals": request.goals.as_json(),
            "site": mean_uncertainty_settings(case.library.settings.goals),
            "seed": portion.seed,
        }
        stage, path = f"simulate-{equipped.beam.number}", folder.result(equipped.beam.number)
        kept = kept_beam(path, target.score.grid) if finished(folder, stage, inputs) else None
        if kept is None or kept.stopped or (extend and not kept.goal_reached):
            job = _Job(equipped, portion, problem, case, folder, watch, stop, budget.share(len(beams) - index))
            kept = _simulate_one(job)
            clock = StageClock(folder, stage, inputs, time.monotonic() - kept.figures["wall_seconds"])
            clock.done([path, sidecar_of(path)], {"histories": kept.histories})
            if kept.goal_reached and not request.keep_parts:
                remove_parts(folder, [equipped.beam.number])
        else:
            watch.say(f"Beam {equipped.beam.number}: finished before, taken as it is.")
        budget.spend(kept.figures["wall_seconds"])
        done.append(kept)
    return done


def remove_parts(folder: JobFolder, numbers: list[int]) -> None:
    """Remove the parts of beams, and their folder when it is empty."""
    for number in numbers:
        shutil.rmtree(folder.parts(number), ignore_errors=True)
    if folder.parts_root.is_dir() and not any(folder.parts_root.iterdir()):
        folder.parts_root.rmdir()


def mean_uncertainty_settings(goals: SiteGoals) -> dict[str, Any]:
    """Return what the site says about the voxels of the mean uncertainty, by the names of `Goal`."""
    return {"top_voxels": goals.top_voxels, "dose_threshold_percent": goals.dose_threshold_percent}


@dataclass(frozen=True)
class _Job:
    """One beam to simulate within its share of the time."""

    equipped: EquippedBeam
    portion: Portion
    problem: Problem
    case: Case
    folder: JobFolder
    watch: Watch
    stop: Question
    seconds: float | None


def _simulate_one(job: _Job) -> SimulatedBeam:
    number, request = job.equipped.beam.number, job.case.request
    goals = request.goals
    try:
        result = simulate(
            job.problem,
            Goal(
                histories=goals.histories,
                uncertainty_percent=goals.uncertainty_percent,
                max_seconds=job.seconds,
                dose_error=None if goals.dose_error is None else goals.dose_error.per(job.portion.particles),
                **mean_uncertainty_settings(job.case.library.settings.goals),
            ),
            seed=job.portion.seed,
            threads=request.threads,
            folder=job.folder.parts(number),
            on_progress=lambda progress: job.watch.progress(_beam_progress(job, progress)),
            stop=job.stop,
        )
    except StoppedEarlyError:
        raise without_primaries(number, job.folder) from None
    by_time = goals.time_is_the_goal and not result.stopped_on_request
    errors_met = result.goal_reached
    reached = by_time or goals.reached(result.histories, result.mean_uncertainty_percent, errors_met=errors_met)
    ended = Ended.GOAL if reached else Ended.REQUEST if result.stopped_on_request else Ended.TIME
    return publish_beam(job.folder.result(number), result, beam_figures(result, ended, goals))


def without_primaries(number: int, folder: JobFolder) -> StoppedEarlyError:
    """Return the refusal to make a dose of a plan one beam of which has none."""
    return StoppedEarlyError(
        f"Stopped on request. Beam {number} has too few primaries for a dose, so no dose of the plan was made. What is "
        f"done is kept: the same command continues where it was. Where: {folder.path}."
    )


def beam_figures(result: Result, ended: Ended, goals: Goals) -> dict[str, Any]:
    """Return the counts, times and energies of a beam, and why it ended."""
    return {
        "histories": result.histories,
        "batches": result.batches,
        "mean_uncertainty_percent": finite(result.mean_uncertainty_percent),
        "dose_errors": {**result.dose_errors.as_json(), "of": goals.measure.words},
        "goal_reached": ended is Ended.GOAL,
        "ended": ended.value,
        "energy_MeV_per_primary": result.energy,
        "wall_seconds": result.wall_seconds,
        "cpu_seconds": result.cpu_seconds,
        "compile_seconds": result.compile_seconds,
        "warnings": list(result.warnings),
    }


def publish_beam(path: Path, result: Result, figures: dict[str, Any]) -> SimulatedBeam:
    """Write a beam's result and read it back, so that what goes on is what is kept."""
    _publish(path, result, figures)
    LOG.info("%s: %s", path.stem, figures)
    kept = kept_beam(path, result.dose.grid)
    if kept is None:
        raise RuntimeError(f"{path.name} changed while it was written")
    return kept


def _beam_progress(job: _Job, progress: Progress) -> BeamProgress:
    return BeamProgress(
        number=job.equipped.beam.number,
        name=job.equipped.beam.name,
        histories=progress.histories,
        histories_per_second=progress.histories_per_second,
        uncertainty_percent=finite(progress.uncertainty_percent),
        seconds=progress.seconds,
        seconds_left=progress.seconds_left,
        share_done=share_done(progress, job.case.request.goals, job.seconds),
        dose_error_percent=finite(progress.dose_error_percent) if job.case.request.goals.dose_error else None,
    )


def finite(value: float) -> float | None:
    """Return a number, None for what is not known."""
    return value if np.isfinite(value) else None


def share_done(progress: Progress, goals: Goals, seconds: float | None) -> float:
    """Return how much of the way to the goals is done, 0 to 1: uncertainty falls with the root of the primaries."""
    shares = []
    if goals.histories is not None:
        shares.append(progress.histories / goals.histories)
    if goals.uncertainty_percent is not None:
        shares.append((goals.uncertainty_percent / max(progress.uncertainty_percent, 1e-9)) ** 2)
    if goals.dose_error_percent is not None:
        shares.append((goals.dose_error_percent / max(progress.dose_error_percent, 1e-9)) ** 2)
    by_goal = min(shares, default=0.0)
    by_time = progress.seconds / seconds if seconds else 0.0
    return float(min(1.0, max(by_goal, by_time)))


def _publish(path: Path, result: Result, figures: dict[str, Any]) -> None:
    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez(
                file,
                to_water=np.asarray(result.dose_to_water.values, np.float32),
                to_medium=np.asarray(result.dose.values, np.float32),
                uncertainty=np.asarray(result.uncertainty.values, np.float32),
            )

    publish(path, write, figures)


def kept_beam(path: Path, grid: Grid) -> SimulatedBeam | None:
    """Return a finished beam, or None where its file is missing or damaged."""
    figures = verified(path)
    if figures is None:
        return None
    with np.load(path, allow_pickle=False) as stored:
        water, medium, uncertainty = (Image(grid, stored[name]) for name in ("to_water", "to_medium", "uncertainty"))
    return SimulatedBeam(
        to_water=water,
        to_medium=medium,
        uncertainty=uncertainty,
        histories=figures["histories"],
        mean_uncertainty_percent=figures["mean_uncertainty_percent"],
        goal_reached=figures["goal_reached"],
        figures=figures,
    )
