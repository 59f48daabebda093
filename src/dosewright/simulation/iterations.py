"""A treatment of many problems in iterations: the dose, its mean error over them, and when it is known well enough.

The dose of an iteration is that of all particles delivered, estimated from its primaries alone. With N iterations the
dose is their mean, its standard deviation that with N - 1, and its mean error the latter over the root of N.

Source: FRED manual, variance reduction (version 3.70).
"""

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import DosewrightError, StoppedEarlyError, refuse
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.scoring.deposit import (
    LET_COLUMNS,
    LET_ENERGY,
    LET_ENERGY_LET,
    LET_PATH,
    LET_PATH_LET,
    Tally,
)
from dosewright.scoring.dose_error import NOTHING_KNOWN, dose_errors
from dosewright.simulation.batch import compiled, new_tally, one_batch
from dosewright.simulation.goal import DEFAULT_BATCH, VOXELS_PER_HISTORY
from dosewright.simulation.iteration_plan import IterationPlan, pencil_shares, stratified
from dosewright.simulation.iteration_sums import FEWEST_FOR_AN_ERROR, Iteration, IterationState, save, take_up
from dosewright.simulation.problem import Problem
from dosewright.simulation.result import Let, account_warnings, averaged_let
from dosewright.simulation.seeds import seed_of
from dosewright.simulation.work import Work

Array = NDArray[np.float64]

SAVE_EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class IteratedDose:
    """The dose of the particles delivered, Gy, arrays [z, y, x], and how it was reached.

    Parameters
    ----------
    dose_Gy, dose_to_water_Gy
        To medium; to water None where it is not scored.
    mean_error_Gy, stdev_Gy
        Of the dose to medium: the error of the mean, and the standard deviation of an iteration; zero with one alone.
    water_error_Gy
        The mean error of the dose to water.
    let_d, let_t
        Averages of LET, None where they are not scored.
    goal_reached
        Every voxel passed, twice in a row; or all iterations were done, where no error was asked for.
    """

    dose_Gy: Array
    mean_error_Gy: Array
    stdev_Gy: Array
    dose_to_water_Gy: Array | None
    water_error_Gy: Array | None
    iterations: tuple[Iteration, ...]
    goal_reached: bool
    stopped_on_request: bool
    warnings: tuple[str, ...]
    let_d: Let | None = None
    let_t: Let | None = None


@dataclass(frozen=True)
class _Piece:
    """Some histories of one problem in one iteration."""

    problem: int
    work: Work


def iterate(
    problems: Sequence[Problem],
    plan: IterationPlan,
    *,
    seed: int = 1,
    threads: int = 0,
    folder: Path | None = None,
    on_iteration: Callable[[tuple[Iteration, ...]], None] = lambda _done: None,
    stop: Callable[[], bool] = lambda: False,
) -> IteratedDose:
    """Run iterations until the plan's goal or the last of them.

    Parameters
    ----------
    problems
        One for each step and field, scored in the same voxels; the weights of their pencils are particles.
    threads
        0 takes all cores; the dose does not depend on them.
    folder
        Keeps sums, so that a killed run goes on where it was.
    on_iteration
        Given all iterations so far after each, and at the beginning those of a run that goes on.
    stop
        Asked after every piece of an iteration; once it says so, what is whole is the result.

    Raises
    ------
    StoppedEarlyError
        It was stopped before the first iteration had ended.
    """
    run = _Iterations(tuple(problems), plan, seed, threads or len(os.sched_getaffinity(0)), folder, stop)
    state, reached, stopped = run.begun(), False, False
    if state.done:
        on_iteration(tuple(state.done))
    before, begun = (state.done[-1].seconds if state.done else 0.0), time.monotonic()
    saved = begun
    while not (reached := run.reached(state)) and len(state.done) < plan.most:
        if not run.one(state):
            stopped = True
            break
        run.judge(state, before + time.monotonic() - begun)
        on_iteration(tuple(state.done))
        if time.monotonic() - saved > SAVE_EVERY_SECONDS:
            run.save(state)
            saved = time.monotonic()
    run.save(state)
    if not state.done:
        raise StoppedEarlyError("Stopped on request before the first iteration had ended.")
    return run.result(state, reached=reached or (plan.goal is None and not stopped), stopped=stopped)


class _Iterations:
    """The problems of a run with what is made of them once."""

    def __init__(
        self,
        problems: tuple[Problem, ...],
        plan: IterationPlan,
        seed: int,
        threads: int,
        folder: Path | None,
        stop: Callable[[], bool],
    ) -> None:
        _refuse_unlike(problems)
        self.problems, self.plan, self.seed, self.threads, self.stop = problems, plan, seed, threads, stop
        self.folder = folder
        self.shares = pencil_shares(problems)
        self.first_pencil = np.cumsum([0, *(problem.pencil_weights.size for problem in problems)])
        self.seeds = [problem_seed(seed, number) for number in range(len(problems))]
        self.voxels = int(np.prod(problems[0].score_shape))
        self.delivered = float(sum(problem.pencil_weights.sum() for problem in problems))
        self.piece = max(DEFAULT_BATCH, self.voxels // VOXELS_PER_HISTORY)
        prints = [problem.fingerprint() for problem in problems]
        self.fingerprint = hashlib.sha256(f"{prints} {seed} {plan.primaries}".encode()).hexdigest()
        compiled(problems[0])

    def begun(self) -> IterationState:
        """Return the state that was kept, or an empty one."""
        scoring = self.problems[0].scoring
        state = IterationState.empty(len(self.problems), self.voxels, to_water=scoring.to_water, let=scoring.let)
        if self.folder is not None:
            take_up(self.folder, self.fingerprint, repr(self.plan.goal), state)
        return state

    def save(self, state: IterationState) -> None:
        """Keep the sums and the rows."""
        if self.folder is not None and state.done:
            save(self.folder, self.fingerprint, repr(self.plan.goal), state)

    def reached(self, state: IterationState) -> bool:
        """Whether the goal was met twice in a row."""
        return self.plan.goal is not None and state.streak.long_enough

    def one(self, state: IterationState) -> bool:
        """Run one iteration and add it; False where somebody asked to stop, and nothing was added."""
        energy = np.zeros(self.voxels)
        to_water = np.zeros(self.voxels) if state.water is not None else None
        medium, water = np.zeros(self.voxels), np.zeros(self.voxels)
        account, histories = np.zeros_like(state.account), np.zeros_like(state.histories)
        let = np.zeros((self.voxels if state.let else 0, LET_COLUMNS))
        number, now = len(state.done), 0

        def close(problem: int) -> None:
            scale = self._gray_per_MeV(problem)
            medium[:] += energy * scale
            energy[:] = 0.0
            if to_water is not None:
                water[:] += to_water * scale
                to_water[:] = 0.0

        pieces = self._in_order(self._pieces(number))
        try:
            for piece, tally in pieces:
                if piece.problem != now:
                    close(now)
                    now = piece.problem
                energy += tally.energy
                if to_water is not None:
                    to_water += tally.energy_to_water
                if state.let is not None:
                    let += tally.let.reshape(-1, LET_COLUMNS)
                    tally.let[:] = 0.0
                account[now] += tally.account
                histories[now] += piece.work.histories
                if self.stop():
                    return False
        finally:
            pieces.close()
        close(now)
        if not np.isfinite(account).all():
            raise DosewrightError("An iteration ended with an energy that is no number; the result is not usable.")
        state.medium.add(medium)
        if state.water is not None:
            state.water.add(water)
        if state.let is not None:
            state.let[0].add(let, LET_ENERGY_LET, LET_ENERGY)
            state.let[1].add(let, LET_PATH_LET, LET_PATH)
        state.account += account
        state.histories += histories
        return True

    def judge(self, state: IterationState, seconds: float) -> None:
        """Put down where an iteration led to."""
        number = len(state.done) + 1
        errors = NOTHING_KNOWN
        if number >= FEWEST_FOR_AN_ERROR:
            percent = None if self.plan.goal is None else self.plan.goal.percent
            error = state.medium.stdev(number) / np.sqrt(number)
            density = self.problems[0].density_g_cm3
            errors = dose_errors(state.medium.total / number, error, density, self.plan.measure, percent)
        state.streak = state.streak.after(number, number - 1, met=errors.met)
        state.done.append(Iteration(number, number * self.plan.primaries, errors, seconds))

    def result(self, state: IterationState, *, reached: bool, stopped: bool) -> IteratedDose:
        """Return what there is."""
        number, shape = len(state.done), self.problems[0].score_shape[::-1]
        stdev = state.medium.stdev(number)
        water = state.water
        said = [
            warning
            for account, histories in zip(state.account, state.histories, strict=True)
            for warning in account_warnings(account, int(histories))
        ]
        return IteratedDose(
            dose_Gy=(state.medium.total / number).reshape(shape),
            mean_error_Gy=(stdev / np.sqrt(number)).reshape(shape),
            stdev_Gy=stdev.reshape(shape),
            dose_to_water_Gy=None if water is None else (water.total / number).reshape(shape),
            water_error_Gy=None if water is None else (water.stdev(number) / np.sqrt(number)).reshape(shape),
            iterations=tuple(state.done),
            goal_reached=reached,
            stopped_on_request=stopped,
            warnings=tuple(dict.fromkeys((*self.plan.notes, *said))),
            let_d=None if state.let is None else averaged_let(state.let[0], shape, int(state.histories.sum())),
            let_t=None if state.let is None else averaged_let(state.let[1], shape, int(state.histories.sum())),
        )

    def _gray_per_MeV(self, problem: int) -> Array:
        """Return what the energy in the voxels, left by the primaries of an iteration, is multiplied by."""
        mass = self.problems[problem].mass_g.ravel()
        scale = np.zeros(self.voxels)
        np.divide(MEV_PER_G_IN_GY * self.delivered / self.plan.primaries, mass, out=scale, where=mass > 0)
        return scale

    def _pieces(self, iteration: int) -> Iterator[_Piece]:
        """Divide an iteration into pieces; each primary has a stream of random numbers of its own."""
        counts = stratified(self.shares, self.plan.primaries, self.seed, iteration)
        for number, problem in enumerate(self.problems):
            ends = np.cumsum(counts[self.first_pencil[number] : self.first_pencil[number + 1]])
            size = int(ends[-1])
            for begin in range(0, size, self.piece):
                end = min(begin + self.piece, size)
                pencils = np.searchsorted(ends, np.arange(begin, end), side="right").astype(np.int64)
                first = iteration * self.plan.primaries + begin
                yield _Piece(number, Work(problem.packed, first, end - begin, end - begin, end - begin, pencils))

    def _in_order(self, pieces: Iterator[_Piece]) -> Generator[tuple[_Piece, Tally], None, None]:
        """Yield finished pieces in order while others are running; a tally is free again at the next one."""
        most_parts = max(self.problems, key=lambda problem: problem.tallied_parts)
        spare = deque(new_tally(most_parts) for _ in range(self.threads + 1))
        running: deque[tuple[_Piece, Future[tuple[Tally, float]]]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                while True:
                    while spare and (piece := next(pieces, None)):
                        problem, seed = self.problems[piece.problem], self.seeds[piece.problem]
                        running.append((piece, pool.submit(one_batch, problem, piece.work, 0, seed, spare.popleft())))
                    if not running:
                        return
                    piece, future = running.popleft()
                    tally, _ = future.result()
                    yield piece, tally
                    spare.append(tally)
            finally:
                for _, future in running:
                    future.cancel()


def problem_seed(seed: int, number: int) -> int:
    """Return the seed of one problem: those with the same random numbers would not be independent."""
    return seed_of(seed, f"problem {number}")


def _refuse_unlike(problems: tuple[Problem, ...]) -> None:
    if not problems:
        raise refuse("A treatment needs something to deliver")
    if any(problem.recorded is not None or problem.planes for problem in problems):
        raise refuse(
            "Iterations are of sources with pencil beams", given="a phase space", allowed="a run file for that"
        )
    kinds = {
        (type(one.packed), one.score_shape, one.scoring.to_water, one.scoring.let, one.carried) for one in problems
    }
    if len(kinds) > 1:
        raise refuse("The problems of a treatment must score alike, in the same voxels", given=f"{len(kinds)} kinds")
