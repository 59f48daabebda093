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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import DosewrightError, StoppedEarlyError, refuse
from dosewright.core.random import first_uniform
from dosewright.scoring.deposit import Tally, empty_tally
from dosewright.scoring.leaving import NOTHING_LEAVING, Leaving, leaving_bins
from dosewright.scoring.lineage import HISTORY as LOGGED_HISTORY
from dosewright.scoring.lineage import room_for_log
from dosewright.scoring.planes import HISTORY, WEIGHT, counted, has_room, room_for
from dosewright.scoring.statistics import mean_uncertainty_percent
from dosewright.simulation import checkpoint
from dosewright.simulation.goal import Batches, Goal
from dosewright.simulation.lineage import needed
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
from dosewright.simulation.warm_up import emptied, warm_up
from dosewright.simulation.work import AtPlanes, Division, Drawn, Histories, Packed, Work, weigh
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room, run_histories
from dosewright.transport.repeated_loop import RepeatedProblem, empty_repeated_room, run_repeated_histories

SAVE_EVERY_SECONDS = 10.0
HIGHEST_SEED = 1 << 64
BATCH_STREAM = 1 << 62  # streams of batches lie apart from those of histories
RESUMED = "The run was resumed from kept sums; wall time counts the last part only."
FEWEST_FOR_A_DOSE = 2  # batches; one alone has no uncertainty
ROOM = 1 << 14  # for crossings of planes in a batch, at first
ROOM_FOR_LOG = 1 << 16  # for events of the log
SPARE = 1.25  # more than a batch needed that found no room

Crossed = Callable[[AtPlanes], None]


@dataclass(frozen=True)
class Progress:
    """Where a run stands; the uncertainty is infinite and the time left None while unknown."""

    histories: int
    histories_goal: int | None
    uncertainty_percent: float
    seconds: float
    histories_per_second: float
    seconds_left: float | None


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
    """The sums of a run, and the mean uncertainty (percent) when it was last looked at."""

    sums: RunSums
    uncertainty: float = float("inf")


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
) -> Result:
    """Run until the goal; `threads` 0 takes all cores; `folder` keeps sums so that a killed run resumes.

    `stop` is asked at the beginning and after every batch: once it says so, the run ends with what it has, and the
    result says that (`stopped_on_request`). `crossed` is given what went through planes, batch after batch; with what
    had happened to it before, where the packed problem has ``lineage`` 1 (`prepare` sees to it where a score asks for
    it; else ``replace(problem, packed=problem.packed._replace(lineage=1))``). All events of a batch are held at once:
    give the goal few `batch_histories` then, 250 do.

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
    compile_seconds = _compile(problem)
    division = divided(problem, goal)
    fingerprint = f"{problem.fingerprint()}-{seed}-{division.key}"
    state, resumed = _begin(problem, folder, fingerprint)
    begun = time.monotonic()
    task = _Task(problem, goal, division, seed, threads, stop, crossed)
    report = _Reporter(task, state, on_progress, begun, folder, fingerprint)
    ended = _run(task, state, report)
    if folder is not None and state.sums.batches:
        checkpoint.save(folder, fingerprint, state.sums)
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
    ) -> None:
        self.goal, self.state, self.tell, self.begun = task.goal, state, on_progress, begun
        self.folder, self.fingerprint, self.uses = folder, fingerprint, task.division.uses
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
            )
        )

    def _left(self, histories: int, rate: float, seconds: float) -> float | None:
        needed = [float(self.goal.histories)] if self.goal.histories else []
        if self.goal.uncertainty_percent and np.isfinite(self.state.uncertainty):
            needed.append(histories * (self.state.uncertainty / self.goal.uncertainty_percent) ** 2)
        left = max(max(needed) - histories, 0.0) / max(rate, 1e-9) if needed else None
        if self.goal.max_seconds is not None:
            until = max(self.goal.max_seconds - seconds, 0.0)
            left = until if left is None else min(left, until)
        return left

    def checkpoint(self) -> None:
        """Keep the sums, not more often than every few seconds."""
        if self.folder is not None and time.monotonic() - self.saved > SAVE_EVERY_SECONDS:
            checkpoint.save(self.folder, self.fingerprint, self.state.sums)
            self.saved = time.monotonic()


def divided(problem: Problem, goal: Goal) -> Division:
    """Divide a run to a goal into batches."""
    voxels = int(np.prod(problem.score_shape))
    if problem.recorded is None:
        return Drawn(problem.packed, Batches.plan(goal, voxels))
    if not isinstance(problem.packed, CoupledProblem):
        raise refuse("A phase space has photons, electrons and positrons", given=type(problem.packed).__name__)
    return RecordedBatches(problem.recorded, problem.packed, goal, voxels)


def _begin(problem: Problem, folder: Path | None, fingerprint: str) -> tuple[_State, bool]:
    voxels = int(np.prod(problem.score_shape))
    bins, carried = leaving_bins(_leaving(problem)), problem.carried
    sums = RunSums.empty(problem.scoring, voxels, bins, problem.tallied_parts, carried)
    resumed = folder is not None and checkpoint.load(folder, fingerprint, sums)
    return _State(sums), resumed


def _run(task: _Task, state: _State, report: _Reporter) -> Ended:
    """Run batches until the goal, the end of the source, the time or a request to stop."""
    check_at = _first_checkpoint_after(state.sums.batches)
    if state.sums.batches and _judge(task, state) and _at_checkpoint(task.division, state):
        return Ended.GOAL
    if task.stop():
        return Ended.REQUEST
    done = _batches_in_order(task, state.sums.batches)
    try:
        for work, tally, cpu in done:
            if not np.isfinite(tally.account).all():
                raise DosewrightError("A batch ended with an energy that is no number; the result is not usable.")
            if task.crossed is not None:
                rows, log = _recorded(tally, work)
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
                _judge(task, state)
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


def _judge(task: _Task, state: _State) -> bool:
    medium, goal = state.sums.medium, task.goal
    state.uncertainty = mean_uncertainty_percent(
        dose_per_primary(medium, task.problem),
        medium.relative_uncertainty(),
        task.problem.density_g_cm3,
        goal.top_voxels,
        goal.dose_threshold_percent,
    )
    return goal.reached(state.sums.histories * task.division.uses, state.uncertainty)


def _batches_in_order(task: _Task, first: int) -> Generator[tuple[Work, Tally, float], None, None]:
    """Yield finished batches by number while others are running; a tally is free again at the next one."""
    spare: deque[Tally] = deque(_new_tally(task.problem) for _ in range(task.threads + 1))
    running: deque[tuple[Work, Future[tuple[Tally, float]]]] = deque()
    number = first
    with ThreadPoolExecutor(task.threads) as pool:
        try:
            while True:
                while spare and (work := task.division.work(number)):
                    tally = spare.popleft()
                    running.append((work, pool.submit(_one_batch, task, work, number, tally)))
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


def _new_tally(problem: Problem) -> Tally:
    voxels = int(np.prod(problem.score_shape))
    room = ROOM if problem.planes else 0
    events = ROOM_FOR_LOG if problem.logs else 0
    bins, carried = leaving_bins(_leaving(problem)), problem.carried
    return empty_tally(problem.scoring, voxels, bins, problem.tallied_parts, room, events, carried)


def _leaving(problem: Problem) -> Leaving:
    """Return the bins of what leaves the phantom; none for protons and split photons."""
    return problem.packed.leaving if isinstance(problem.packed, CoupledProblem) else NOTHING_LEAVING


def _one_batch(task: _Task, work: Work, number: int, tally: Tally) -> tuple[Tally, float]:
    """Run one batch into a cleared tally; return it and its CPU seconds.

    LET is cleared by the sums that took it. Where planes were crossed more often than there was room, or more was
    logged, the batch is run again with more, so that nothing is lost; the same histories come to the same.
    """
    begun = time.thread_time()
    pencils = work.pencils
    if pencils is None:
        pencils = pencils_of_batch(task.problem.pencil_weights, work.primaries, task.seed, number)
    while True:
        _clear(tally)
        _run_histories(work.packed, work.first, pencils, task.seed, tally)
        if has_room(tally.crossings) and has_room(tally.log):
            break
        if not has_room(tally.crossings):
            tally = tally._replace(crossings=room_for(int(SPARE * counted(tally.crossings))))
        if not has_room(tally.log):
            tally = tally._replace(log=room_for_log(int(SPARE * counted(tally.log))))
    if work.weight != 1.0:
        weigh(tally, work.weight)
    return tally, time.thread_time() - begun


def _recorded(tally: Tally, work: Work) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a batch recorded at planes and what led to it, histories from 0, weights as those of the batch."""
    rows, log = (found[1 : 1 + counted(found)] for found in (tally.crossings, tally.log))
    if len(tally.log):
        rows, log = needed(rows, log)
    for found, column in ((rows, HISTORY), (log, LOGGED_HISTORY)):
        index = (found[:, column] - work.first).astype(np.int64)
        found[:, column] = index if work.history is None else work.history[index]
    rows[:, WEIGHT] *= work.weight
    return rows, log


def _clear(tally: Tally) -> None:
    """Set a tally but for LET to nothing."""
    for array in (tally.energy, tally.energy_to_water, tally.account, tally.leaving, tally.leaving_energy, tally.parts,
                  tally.carried):  # fmt: skip
        array[:] = 0.0
    tally.crossings[:1], tally.log[:1] = 0.0, 0.0


def _run_histories(packed: Packed, first: int, pencils: NDArray[np.int64], seed: int, tally: Tally) -> None:
    """Run histories through the loop of their kind of problem."""
    run, room = _loop(packed)
    run(packed, np.uint64(first), pencils, np.uint64(seed), tally, room())


def _loop(packed: Packed) -> tuple[Callable[..., None], Callable[[], Any]]:
    """Return the kernel that runs a problem of its kind, and what makes room for its particles."""
    if isinstance(packed, RepeatedProblem):
        return run_repeated_histories, empty_repeated_room
    if isinstance(packed, CoupledProblem):
        return run_coupled_histories, empty_room
    return run_histories, empty_room


def pencils_of_batch(weights: NDArray[np.float64], size: int, seed: int, batch: int) -> NDArray[np.int64]:
    """Return the pencil beam of each history: systematic sampling in proportion to the particles.

    One random offset per batch, equal strides along the cumulated weights (Cochran, Sampling Techniques, ch. 8):
    each pencil gets its expected number rounded up or down, every batch is unbiased, batches are independent.
    """
    offset = first_uniform(np.uint64(seed), np.uint64(BATCH_STREAM + batch))
    cumulated = np.cumsum(weights)
    marks = (np.arange(size) + offset) / size * cumulated[-1]
    chosen: NDArray[np.int64] = np.searchsorted(cumulated, marks, side="right").clip(max=weights.size - 1)
    return chosen


def _compile(problem: Problem) -> float:
    """Compile or load the kernels; return the seconds it took."""
    begun = time.monotonic()
    nobody, tally = np.zeros(0, np.int64), empty_tally(problem.scoring, 1)
    run, room = _loop(problem.packed)
    warm_up(run, emptied(problem.packed), np.uint64(0), nobody, np.uint64(0), tally, room())
    _run_histories(problem.packed, 0, nobody, 0, tally)
    return time.monotonic() - begun


def _result(task: _Task, state: _State, ended: Ended, wall: float, compile_seconds: float, resumed: bool) -> Result:
    problem, sums = task.problem, state.sums
    shape = problem.score_shape[::-1]
    warnings = account_warnings(sums.account, sums.histories)
    recorded = None if problem.recorded is None else records_used(problem.recorded, sums, task.division.uses)
    if recorded is not None:
        warnings += recorded.warnings(used_up=ended is Ended.USED_UP)
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
        leaving=leaving_spectrum(_leaving(problem), sums.leaving, sums.leaving_totals)
        if sums.leaving and sums.leaving_totals
        else None,
        parts=energy_of_parts(problem.part_names, sums.parts) if sums.parts else None,
        records=recorded,
        carried=carried_dose(sums, problem),
    )
