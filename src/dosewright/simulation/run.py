"""Run a problem batch after batch until its goal.

Batches are fixed ranges of histories. Threads work on different batches; sums take them in the order of their
numbers, so the dose is the same for any number of threads. Goals are looked at after fixed numbers of batches;
whether somebody asked to stop, and the time, after every one.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from dosewright.core.errors import DosewrightError, StoppedEarlyError, refuse
from dosewright.scoring.deposit import Tally
from dosewright.scoring.dose_error import NONE_PASSED, NOTHING_KNOWN, DoseErrors, Streak, dose_errors
from dosewright.scoring.leaving import leaving_bins
from dosewright.scoring.statistics import mean_uncertainty_percent
from dosewright.simulation import checkpoint
from dosewright.simulation.batch import compiled, leaving_of, new_tally, one_batch, recorded
from dosewright.simulation.goal import Batches, Goal
from dosewright.simulation.problem import Problem
from dosewright.simulation.recorded import RecordedBatches
from dosewright.simulation.records_used import records_used
from dosewright.simulation.result import (
    Result,
    account_warnings,
    averaged_let,
    carried_dose,
    dose_per_primary,
    energy_account,
    energy_of_parts,
    leaving_spectrum,
)
from dosewright.simulation.sums import RunSums
from dosewright.simulation.work import AtPlanes, Division, Drawn, Histories, Work
from dosewright.transport.coupled import CoupledProblem

SAVE_EVERY_SECONDS = 10.0
HIGHEST_SEED = 1 << 64
RESUMED = "The run was resumed from kept sums; wall time counts the last part only."
FEWEST_FOR_A_DOSE = 2  # batches; one alone has no uncertainty

Crossed = Callable[[AtPlanes], None]


@dataclass(frozen=True)
class Progress:
    """Where a run stands; uncertainty and largest dose error are infinite and the time left None while unknown."""

    histories: int
    histories_goal: int | None
    uncertainty_percent: float
    seconds: float
    histories_per_second: float
    seconds_left: float | None
    dose_error_percent: float = float("inf")


class Ended(Enum):
    """Why a run ended."""

    GOAL = "goal"
    TIME = "time"
    REQUEST = "request"
    USED_UP = "used up"


def never() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass
class _State:
    """The sums of a run; its mean uncertainty (percent) and dose errors when last looked at; checks passed in a row."""

    sums: RunSums
    uncertainty: float = float("inf")
    errors: DoseErrors = NOTHING_KNOWN
    streak: Streak = NONE_PASSED


def simulate(
    problem: Problem,
    goal: Goal,
    *,
    seed: int = 1,
    threads: int = 0,
    folder: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = never,
    crossed: Crossed | None = None,
    planes: checkpoint.Planes | None = None,
) -> Result:
    """Run until the goal; `threads` 0 takes all cores; `folder` keeps sums so that a killed run resumes.

    `stop` is asked at the beginning and after every batch: once it says so, the run ends with what it has, and the
    result says that (`stopped_on_request`). `crossed` is given what went through planes, batch after batch; with what
    had happened to it before, where the packed problem has ``lineage`` 1 (`prepare` sees to it where a score asks for
    it; else ``replace(problem, packed=problem.packed._replace(lineage=1))``). All events of a batch are held at once:
    give the goal few `batch_histories` then, 250 do. `planes` is given it instead, and goes on with a run that resumes;
    `crossed` is not given again what it was given before.

    Raises
    ------
    InputError
        The seed is out of range.
    StoppedEarlyError
        It was stopped before two batches had ended, without which a dose has no uncertainty; `folder` keeps them.
    """
    if not 0 <= seed < HIGHEST_SEED:
        raise refuse("The seed must be a whole number", given=seed, allowed="0 to 2^64 - 1")
    started = time.monotonic()
    threads = threads or len(os.sched_getaffinity(0))
    compile_seconds = compiled(problem)
    division = divided(problem, goal)
    fingerprint = f"{problem.fingerprint()}-{seed}-{division.key}"
    state, resumed = _begin(problem, goal, folder, fingerprint, planes)
    begun = time.monotonic()
    task = _Task(problem, goal, division, seed, threads, stop, crossed if planes is None else planes.add)
    report = _Reporter(task, state, on_progress, begun, folder, fingerprint, planes)
    ended = _run(task, state, report)
    if folder is not None and state.sums.batches:
        checkpoint.save(folder, fingerprint, state.sums, state.streak, repr(goal.dose_error), planes)
    if ended is Ended.REQUEST and state.sums.batches < FEWEST_FOR_A_DOSE:
        raise StoppedEarlyError("Stopped on request before there was enough to make a dose with an uncertainty.")
    return _result(task, state, ended, time.monotonic() - started, compile_seconds, resumed)


@dataclass(frozen=True)
class _Task:
    """What is run, how far, who may stop it, and who takes what went through planes."""

    problem: Problem
    goal: Goal
    division: Division
    seed: int
    threads: int
    stop: Callable[[], bool]
    crossed: Crossed | None


class _Reporter:
    """Says how far a run is and keeps its sums now and then."""

    def __init__(
        self,
        task: _Task,
        state: _State,
        on_progress: Callable[[Progress], None] | None,
        begun: float,
        folder: Path | None,
        fingerprint: str,
        planes: checkpoint.Planes | None,
    ) -> None:
        self.goal, self.state, self.tell, self.begun = task.goal, state, on_progress, begun
        self.folder, self.fingerprint, self.uses = folder, fingerprint, task.division.uses
        self.planes = planes
        self.before, self.saved = state.sums.histories * self.uses, begun

    def batch_done(self) -> None:
        """Tell the progress after each batch."""
        if self.tell is None:
            return
        histories, seconds = self.state.sums.histories * self.uses, time.monotonic() - self.begun
        rate = (histories - self.before) / max(seconds, 1e-9)
        self.tell(
            Progress(
                histories,
                self.goal.histories,
                self.state.uncertainty,
                seconds,
                rate,
                self._left(histories, rate, seconds),
                self.state.errors.largest_percent,
            )
        )

    def _left(self, histories: int, rate: float, seconds: float) -> float | None:
        needed = [float(self.goal.histories)] if self.goal.histories else []
        if self.goal.uncertainty_percent and np.isfinite(self.state.uncertainty):
            needed.append(histories * (self.state.uncertainty / self.goal.uncertainty_percent) ** 2)
        if self.goal.dose_error and self.state.errors.voxels:
            needed.append(histories * (self.state.errors.largest_percent / self.goal.dose_error.percent) ** 2)
        left = max(max(needed) - histories, 0.0) / max(rate, 1e-9) if needed else None
        if self.goal.max_seconds is not None:
            until = max(self.goal.max_seconds - seconds, 0.0)
            left = until if left is None else min(left, until)
        return left

    def checkpoint(self) -> None:
        """Keep the sums, not more often than every few seconds."""
        if self.folder is not None and time.monotonic() - self.saved > SAVE_EVERY_SECONDS:
            of_goal = repr(self.goal.dose_error)
            checkpoint.save(self.folder, self.fingerprint, self.state.sums, self.state.streak, of_goal, self.planes)
            self.saved = time.monotonic()


def divided(problem: Problem, goal: Goal) -> Division:
    """Divide a run to a goal into batches."""
    voxels = int(np.prod(problem.score_shape))
    if problem.recorded is None:
        return Drawn(problem.packed, Batches.plan(goal, voxels))
    if not isinstance(problem.packed, CoupledProblem):
        raise refuse("A phase space has photons, electrons and positrons", given=type(problem.packed).__name__)
    return RecordedBatches(problem.recorded, problem.packed, goal, voxels)


def _begin(
    problem: Problem, goal: Goal, folder: Path | None, fingerprint: str, planes: checkpoint.Planes | None
) -> tuple[_State, bool]:
    voxels = int(np.prod(problem.score_shape))
    bins, carried = leaving_bins(leaving_of(problem)), problem.carried
    sums = RunSums.empty(problem.scoring, voxels, bins, problem.tallied_parts, carried)
    streak = None if folder is None else checkpoint.load(folder, fingerprint, sums, repr(goal.dose_error), planes)
    return _State(sums, streak=streak or NONE_PASSED), streak is not None


def _run(task: _Task, state: _State, report: _Reporter) -> Ended:
    """Run batches until the goal, the end of the source, the time or a request to stop."""
    check_at = _first_checkpoint_after(state.sums.batches)
    if not _at_checkpoint(task.division, state):
        _look(task, state)
    elif state.sums.batches and _judge(task, state):
        return Ended.GOAL
    if task.stop():
        return Ended.REQUEST
    done = _batches_in_order(task, state.sums.batches)
    try:
        for work, tally, cpu in done:
            if not np.isfinite(tally.account).all():
                raise DosewrightError("A batch ended with an energy that is no number; the result is not usable.")
            if task.crossed is not None:
                rows, log = recorded(tally, work)
                before, batch = Histories(state.sums.histories, state.sums.sent), Histories(work.histories, work.sent)
                task.crossed(AtPlanes(rows, before, batch, log))
            state.sums.add(tally, work.histories, cpu, work.sent, work.read)
            if state.sums.batches >= check_at or work.last:
                check_at = Batches.next_checkpoint(state.sums.batches)
                reached = _judge(task, state)
                if reached or work.last:
                    report.batch_done()
                    return Ended.USED_UP if work.used_up and not reached else Ended.GOAL
                report.checkpoint()
            report.batch_done()
            ended = _interrupted(task, report)
            if ended is not None:
                _look(task, state)
                return ended
    finally:
        done.close()
    if not state.sums.batches:
        raise refuse("The source has no histories")
    return Ended.USED_UP  # all of it was used before this run was resumed


def _interrupted(task: _Task, report: _Reporter) -> Ended | None:
    """Say what ends a run between two checkpoints, if anything does."""
    if task.stop():
        return Ended.REQUEST
    late = task.goal.max_seconds is not None and time.monotonic() - report.begun > task.goal.max_seconds
    return Ended.TIME if late else None


def _first_checkpoint_after(batches: int) -> int:
    """Return the first fixed checkpoint beyond a number of batches."""
    at = 0
    while at <= batches:
        at = Batches.next_checkpoint(at)
    return at


def _at_checkpoint(division: Division, state: _State) -> bool:
    """Say whether a kept run stopped at a fixed checkpoint or its last batch."""
    n, at = state.sums.batches, 0
    while at < n:
        at = Batches.next_checkpoint(at)
    return at == n or division.work(n) is None


def _look(task: _Task, state: _State) -> None:
    """Put down the mean uncertainty and the dose errors of what there is."""
    medium, goal, density = state.sums.medium, task.goal, task.problem.density_g_cm3
    dose, relative = dose_per_primary(medium, task.problem), medium.relative_uncertainty()
    state.uncertainty = mean_uncertainty_percent(dose, relative, density, goal.top_voxels, goal.dose_threshold_percent)
    asked = goal.dose_error
    measure, percent = (goal.measure, None) if asked is None else (asked.measure, asked.percent)
    state.errors = dose_errors(dose.ravel(), dose.ravel() * relative, density, measure, percent)


def _judge(task: _Task, state: _State) -> bool:
    """Say at a checkpoint whether the goals are reached; the dose error must be met there and at the one before."""
    _look(task, state)
    at = state.sums.batches
    state.streak = state.streak.after(at, Batches.checkpoint_before(at), met=state.errors.met)
    histories = state.sums.histories * task.division.uses
    return task.goal.reached(histories, state.uncertainty, errors_met=state.streak.long_enough)


def _batches_in_order(task: _Task, first: int) -> Generator[tuple[Work, Tally, float], None, None]:
    """Yield finished batches by number while others are running; a tally is free again at the next one."""
    spare: deque[Tally] = deque(new_tally(task.problem) for _ in range(task.threads + 1))
    running: deque[tuple[Work, Future[tuple[Tally, float]]]] = deque()
    number = first
    with ThreadPoolExecutor(task.threads) as pool:
        try:
            while True:
                while spare and (work := task.division.work(number)):
                    tally = spare.popleft()
                    running.append((work, pool.submit(one_batch, task.problem, work, number, task.seed, tally)))
                    number += 1
                if not running:
                    return
                work, future = running.popleft()
                tally, cpu = future.result()
                yield work, tally, cpu
                spare.append(tally)
        finally:
            for _, future in running:
                future.cancel()


def _result(task: _Task, state: _State, ended: Ended, wall: float, compile_seconds: float, resumed: bool) -> Result:
    problem, sums = task.problem, state.sums
    shape = problem.score_shape[::-1]
    warnings = account_warnings(sums.account, sums.histories)
    used = None if problem.recorded is None else records_used(problem.recorded, sums, task.division.uses)
    if used is not None:
        warnings += used.warnings(used_up=ended is Ended.USED_UP)
    if resumed:
        warnings += (RESUMED,)
    return Result(
        dose_Gy=dose_per_primary(sums.medium, problem),
        dose_to_water_Gy=dose_per_primary(sums.water, problem) if sums.water else None,
        relative_uncertainty=sums.medium.relative_uncertainty().reshape(shape),
        grid=problem.score_grid,
        histories=sums.histories,
        batches=sums.batches,
        mean_uncertainty_percent=state.uncertainty,
        goal_reached=ended is Ended.GOAL,
        stopped_on_request=ended is Ended.REQUEST,
        used_up=ended is Ended.USED_UP,
        energy=energy_account(sums.account, sums.histories),
        wall_seconds=wall,
        cpu_seconds=sums.cpu_seconds,
        compile_seconds=compile_seconds,
        warnings=warnings,
        relative_uncertainty_to_water=sums.water.relative_uncertainty().reshape(shape) if sums.water else None,
        let_d=averaged_let(sums.let_d, shape, sums.histories) if sums.let_d else None,
        let_t=averaged_let(sums.let_t, shape, sums.histories) if sums.let_t else None,
        leaving=leaving_spectrum(leaving_of(problem), sums.leaving, sums.leaving_totals)
        if sums.leaving and sums.leaving_totals
        else None,
        parts=energy_of_parts(problem.part_names, sums.parts) if sums.parts else None,
        records=used,
        carried=carried_dose(sums, problem),
        dose_errors=state.errors,
    )
