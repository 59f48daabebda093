"""One batch: histories followed into a tally of their own."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.random import first_uniform
from dosewright.scoring.deposit import Tally, empty_tally
from dosewright.scoring.leaving import NOTHING_LEAVING, Leaving, leaving_bins
from dosewright.scoring.lineage import HISTORY as LOGGED_HISTORY
from dosewright.scoring.lineage import room_for_log
from dosewright.scoring.planes import HISTORY, WEIGHT, counted, has_room, room_for
from dosewright.simulation.lineage import needed
from dosewright.simulation.problem import Problem
from dosewright.simulation.warm_up import emptied, warm_up
from dosewright.simulation.work import Packed, Work, weigh
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room, run_histories
from dosewright.transport.repeated_loop import RepeatedProblem, empty_repeated_room, run_repeated_histories

BATCH_STREAM = 1 << 62  # streams of batches lie apart from those of histories
ROOM = 1 << 14  # for crossings of planes in a batch, at first
ROOM_FOR_LOG = 1 << 16  # for events of the log
SPARE = 1.25  # more than a batch needed that found no room


def new_tally(problem: Problem) -> Tally:
    voxels = int(np.prod(problem.score_shape))
    room = ROOM if problem.planes else 0
    events = ROOM_FOR_LOG if problem.logs else 0
    bins, carried = leaving_bins(leaving_of(problem)), problem.carried
    return empty_tally(problem.scoring, voxels, bins, problem.tallied_parts, room, events, carried)


def leaving_of(problem: Problem) -> Leaving:
    """Return the bins of what leaves the phantom; none for protons and split photons."""
    return problem.packed.leaving if isinstance(problem.packed, CoupledProblem) else NOTHING_LEAVING


def one_batch(problem: Problem, work: Work, number: int, seed: int, tally: Tally) -> tuple[Tally, float]:
    """Run one batch into a cleared tally; return it and its CPU seconds.

    LET is cleared by the sums that took it. Where planes were crossed more often than there was room, or more was
    logged, the batch is run again with more, so that nothing is lost; the same histories come to the same.
    """
    begun = time.thread_time()
    pencils = work.pencils
    if pencils is None:
        pencils = pencils_of_batch(problem.pencil_weights, work.primaries, seed, number)
    while True:
        _clear(tally)
        _run_histories(work.packed, work.first, pencils, seed, tally)
        if has_room(tally.crossings) and has_room(tally.log):
            break
        if not has_room(tally.crossings):
            tally = tally._replace(crossings=room_for(int(SPARE * counted(tally.crossings))))
        if not has_room(tally.log):
            tally = tally._replace(log=room_for_log(int(SPARE * counted(tally.log))))
    if work.weight != 1.0:
        weigh(tally, work.weight)
    return tally, time.thread_time() - begun


def recorded(tally: Tally, work: Work) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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


def compiled(problem: Problem) -> float:
    """Compile or load the kernels; return the seconds it took."""
    begun = time.monotonic()
    nobody, tally = np.zeros(0, np.int64), empty_tally(problem.scoring, 1)
    run, room = _loop(problem.packed)
    warm_up(run, emptied(problem.packed), np.uint64(0), nobody, np.uint64(0), tally, room())
    _run_histories(problem.packed, 0, nobody, 0, tally)
    return time.monotonic() - begun
