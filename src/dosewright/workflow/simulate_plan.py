"""The beams together, to a goal of the plan: primaries are shared between them where they help the plan most."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dosewright.core.errors import StoppedEarlyError
from dosewright.execution.artifact import sidecar_of, write_json
from dosewright.execution.stop import Question
from dosewright.simulation.goal import FEWEST_BATCHES, Batches, Goal
from dosewright.simulation.problem import Problem
from dosewright.simulation.result import Result
from dosewright.simulation.run import FEWEST_FOR_A_DOSE, RESUMED, Ended, Progress, simulate
from dosewright.workflow.folder import JobFolder
from dosewright.workflow.goals import Goals
from dosewright.workflow.plan_goal import NOTHING_YET, Known, PlanGoal, Reached, Round, Scored, reach
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.equip import EquippedBeam
from dosewright.workflow.preprocess.target import Target
from dosewright.workflow.simulate import (
    SimulatedBeam,
    TimeBudget,
    beam_figures,
    finite,
    kept_beam,
    mean_uncertainty_settings,
    publish_beam,
    remove_parts,
    without_primaries,
)
from dosewright.workflow.stages import StageClock, digest, finished
from dosewright.workflow.treatment.plan_portions import plan_portions
from dosewright.workflow.treatment.portion import Portion
from dosewright.workflow.watch import BeamProgress, Watch

STAGE = "simulate-plan"


def simulate_plan(
    case: Case, target: Target, folder: JobFolder, watch: Watch, stop: Question, *, extend: bool = False
) -> list[SimulatedBeam]:
    """Simulate all beams until the plan reaches its goals, unless it has; `extend` goes on where time was up before.

    Raises
    ------
    StoppedEarlyError
        Somebody asked to stop before every beam had primaries: without all of them there is no dose of the plan.
    """
    portions = plan_portions(case, target)
    problems = [portion.problem() for portion in portions]
    site = mean_uncertainty_settings(case.library.settings.goals)
    who = {
        "problems": [problem.fingerprint() for problem in problems],
        "seeds": [portion.seed for portion in portions],
    }
    inputs = {**who, "goals": case.request.goals.as_json(), "site": site}
    paths = [folder.result(equipped.beam.number) for equipped in case.beams]
    if finished(folder, STAGE, inputs):
        kept = [kept_beam(path, target.score.grid) for path in paths]
        beams = [one for one in kept if one is not None]
        if len(beams) == len(paths) and not any(b.stopped or (extend and not b.goal_reached) for b in beams):
            watch.say("All beams: finished before, taken as they are.")
            return beams
    clock = StageClock.start(folder, STAGE, inputs)
    runs = _Runs(case, portions, problems, folder, watch, stop, digest(who))
    reached = runs.to_the_goal(site)
    beams = [runs.published(beam, reached) for beam in range(len(paths))]
    clock.done([file for path in paths for file in (path, sidecar_of(path))], {"batches": reached.batches})
    if all(beam.goal_reached for beam in beams) and not case.request.keep_parts:
        folder.shares.unlink(missing_ok=True)
        remove_parts(folder, [equipped.beam.number for equipped in case.beams])
    return beams


def batch_histories(goals: Goals, beams: int, voxels: int) -> int:
    """Return the primaries of a batch: as for a beam, and few enough that the pilot is a small part of those asked
    for."""
    size = Batches.plan(Goal(max_seconds=1.0), voxels).size
    if goals.histories is None:
        return size
    number = max(beams * FEWEST_BATCHES * 2, -(-goals.histories // size))
    return max(1, -(-goals.histories // number))


@dataclass
class _Spent:
    """The seconds of a beam in all its rounds, and whether the first one took up kept sums."""

    resumed: bool
    wall: float = 0.0
    compiling: float = 0.0


@dataclass
class _Runs:
    """The beams of a plan, each with its sums in the folder; what is known of them all as they go on."""

    case: Case
    portions: Sequence[Portion]
    problems: list[Problem]
    folder: JobFolder
    watch: Watch
    stop: Question
    fingerprint: str
    size: int = 0
    spent: dict[int, _Spent] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)
    known: Known = NOTHING_YET
    budget: TimeBudget = field(default_factory=lambda: TimeBudget(None))

    def __post_init__(self) -> None:
        goals, voxels = self.case.request.goals, int(np.prod(self.problems[0].score_shape))
        self.size = batch_histories(goals, len(self.problems), voxels)
        self.budget = TimeBudget(goals.max_seconds)

    def to_the_goal(self, site: dict[str, Any]) -> Reached:
        """Run rounds until the goal, the time or a request to stop."""
        goals = self.case.request.goals
        batches = None if goals.histories is None else -(-goals.histories // self.size)
        goal = PlanGoal(goals.uncertainty_percent, batches, **site, dose_error=goals.dose_error)
        density = np.asarray(self.problems[0].density_g_cm3, float).ravel()
        reached = reach(goal, len(self.problems), density, self._former_round(), self.advance, self.keep_round)
        if math.isfinite(reached.uncertainty_percent):
            self.watch.say(
                f"Plan at {reached.uncertainty_percent:.2f} %, {sum(reached.batches) * self.size:,} primaries."
            )
        return reached

    def advance(self, beam: int, batches: int) -> Scored:
        """Run a beam to a number of batches, as far as time and wishes allow."""
        result = self._simulate(beam, batches)
        self.done[beam] = result.histories
        dose = self.portions[beam].particles * result.dose_Gy.ravel()
        spread = dose * result.relative_uncertainty.ravel()
        ended = Ended.GOAL if result.goal_reached else Ended.REQUEST if result.stopped_on_request else Ended.TIME
        return Scored(dose, spread**2 * result.batches, result.batches, ended)

    def _simulate(self, beam: int, batches: int) -> Result:
        number, request = self._equipped(beam).beam.number, self.case.request
        begun = time.monotonic()
        first = beam not in self.done
        left = self.budget.share(len(self.problems) - beam if first else 1)
        try:
            result = simulate(
                self.problems[beam],
                Goal(
                    histories=batches * self.size,
                    max_seconds=left,
                    batch_histories=self.size,
                    measure=request.goals.measure.per(self.portions[beam].particles),
                    **mean_uncertainty_settings(self.case.library.settings.goals),
                ),
                seed=self.portions[beam].seed,
                threads=request.threads,
                folder=self.folder.parts(number),
                on_progress=lambda progress: self._tell(beam, progress),
                stop=self.stop,
            )
        except StoppedEarlyError:
            raise without_primaries(number, self.folder) from None
        seconds = time.monotonic() - begun
        self.budget.spend(seconds)
        spent = self.spent.setdefault(beam, _Spent(RESUMED in result.warnings))
        spent.wall += seconds
        spent.compiling += result.compile_seconds
        return result

    def published(self, beam: int, reached: Reached) -> SimulatedBeam:
        """Write the result of a beam, taken from its sums."""
        self.budget.seconds = None
        result, spent = self._simulate(beam, FEWEST_FOR_A_DOSE), self.spent[beam]
        goals = self.case.request.goals
        by_time = goals.time_is_the_goal and reached.ended is Ended.TIME
        figures = {
            **beam_figures(result, Ended.GOAL if by_time else reached.ended, goals),
            "wall_seconds": spent.wall,
            "compile_seconds": spent.compiling,
            "warnings": [said for said in result.warnings if said != RESUMED or spent.resumed],
            "goal_scope": "plan",
            "plan_uncertainty_percent": finite(reached.uncertainty_percent),
            "plan_dose_errors": {**reached.errors.as_json(), "of": goals.measure.words},
            "share_of_primaries": reached.batches[beam] / sum(reached.batches),
        }
        return publish_beam(self.folder.result(self._equipped(beam).beam.number), result, figures)

    def keep_round(self, now: Round, known: Known) -> None:
        """Put down a round before it begins, so that a killed run goes on in it."""
        self.known = known
        kept = {"fingerprint": self.fingerprint, "size": self.size, "goal": repr(self.case.request.goals.dose_error)}
        write_json(self.folder.shares, {**kept, "batches": list(now.batches), "passes": now.passes})
        if math.isfinite(known.uncertainty_percent):
            said = ", ".join(
                f"beam {self._equipped(beam).beam.number} {n * self.size:,}" for beam, n in enumerate(now.batches)
            )
            self.watch.say(f"Plan at {self._where()}; primaries shared anew: {said}.")

    def _where(self) -> str:
        """Say how far the plan is."""
        percent, errors = f"{self.known.uncertainty_percent:.2f} %", self.known.errors
        if self.case.request.goals.dose_error is None:
            return percent
        return f"{percent}, largest error {errors.largest_percent:.2f} %, {errors.failing or 0:,} voxels failing"

    def _former_round(self) -> Round | None:
        """Return the round a killed run was in; None where there is none of these beams, seeds and batches.

        What it had passed counts where it had the same goal.
        """
        try:
            kept = json.loads(self.folder.shares.read_text(encoding="utf-8"))
            same = (kept["fingerprint"], kept["size"]) == (self.fingerprint, self.size)
            batches = tuple(int(n) for n in kept["batches"])
            passes = int(kept["passes"]) if kept["goal"] == repr(self.case.request.goals.dose_error) else 0
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Round(batches, passes) if same and len(batches) == len(self.problems) and min(batches) >= 1 else None

    def _equipped(self, beam: int) -> EquippedBeam:
        return self.case.beams[beam]

    def _tell(self, beam: int, progress: Progress) -> None:
        """Tell how far the plan is, in the row of the beam that is running."""
        equipped, limit = self._equipped(beam), self.budget.seconds
        errors_asked = self.case.request.goals.dose_error is not None
        total = sum(self.done.values()) - self.done.get(beam, 0) + progress.histories
        share = total / (self.known.batches_needed * self.size)
        left = (self.known.batches_needed * self.size - total) / max(progress.histories_per_second, 1e-9)
        if limit is not None:
            left = min(left, max(limit - progress.seconds, 0.0))
        self.watch.progress(
            BeamProgress(
                number=equipped.beam.number,
                name=equipped.beam.name,
                histories=progress.histories,
                histories_per_second=progress.histories_per_second,
                uncertainty_percent=finite(self.known.uncertainty_percent),
                seconds=progress.seconds,
                seconds_left=max(left, 0.0) if math.isfinite(left) else None,
                share_done=min(1.0, share),
                dose_error_percent=finite(self.known.errors.largest_percent) if errors_asked else None,
            )
        )
