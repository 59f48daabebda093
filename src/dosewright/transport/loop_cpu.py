"""Histories on a CPU thread, many at a time; the caller owns the tally and decides which histories."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import HIGH_SHIFT, LOW
from dosewright.core.shared import shared, whole
from dosewright.scoring.deposit import BEFORE_PATIENT, deposit, score_let
from dosewright.transport.history import born, settled, taken_up
from dosewright.transport.lanes import (
    ENERGY,
    EVENT,
    GOES_ON,
    LANES,
    LENGTH,
    LET,
    LOST,
    NOT_PATIENT,
    RATIO,
    SPECIES,
    STOPS,
    VOXEL,
    Lanes,
    clear,
    empty_lanes,
    put,
    taken,
)  # fmt: skip
from dosewright.transport.lockstep import advance_lanes, locate_in_grid
from dosewright.transport.tracks import PROTON, empty_stack

NONE = np.int64(0)  # a literal nought would have a type of its own, and compile everything twice


class Room(NamedTuple):
    """Where a thread keeps its particles: those in flight and those that wait."""

    lanes: Lanes
    stack: NDArray[np.float64]


def empty_room() -> Room:
    """Return room for one thread."""
    return Room(empty_lanes(), empty_stack())


@kernel
def run_histories(problem, first, pencils, seed, tally, room):
    """Run histories ``first``, ``first + 1``, ... with the pencil beam named for each, adding to `tally`.

    What becomes of a history does not depend on its neighbours; particles are added to the tally in a fixed order.
    """
    problem, tally = shared(problem), shared(tally)
    lanes, stack = room
    seed_low, seed_high = np.uint32(seed & LOW), np.uint32(seed >> HIGH_SHIFT)
    begun, waiting, flying = NONE, NONE, NONE
    for i in range(LANES):
        begun, waiting, flying = refill(problem, first, pencils, seed, tally, room, i, begun, waiting, flying)
    while flying > 0:
        advance_lanes(whole(problem), lanes, seed_low, seed_high)
        if not problem.scoring.same_voxels:
            locate_in_grid(whole(problem.scoring), lanes)
        score(problem.scoring, lanes, tally)
        for i in range(LANES):
            event = lanes.integers[EVENT + i]
            if event == GOES_ON:
                continue
            track, stream = taken(lanes, i, seed)
            track, waiting, stream = settled(problem, track, event, tally, stack, waiting, stream)
            if track.energy > 0.0:
                put(lanes, i, track, stream)
            else:
                flying -= 1
                begun, waiting, flying = refill(problem, first, pencils, seed, tally, room, i, begun, waiting, flying)


@kernel
def refill(problem, first, pencils, seed, tally, room, i, begun, waiting, flying):
    """Put the next particle into a lane: one that waits, else the next primary; empty the lane if there is none."""
    lanes, stack = room
    while waiting > 0 or begun < pencils.size:
        if waiting > 0:
            track, waiting, stream = taken_up(problem, tally, stack, waiting, seed)
        else:
            track, waiting, stream = born(problem, first + begun, pencils[begun], seed, tally, stack, waiting)
            begun += 1
        if track.energy > 0.0:
            put(lanes, i, track, stream)
            return begun, waiting, flying + 1
    clear(lanes, i)
    return begun, waiting, flying


@inlined
def score(scoring, lanes, tally):
    """Add what every lane has lost in its last step."""
    f, n = lanes.floats, lanes.integers
    for i in range(LANES):
        voxel, lost = n[VOXEL + i], np.float64(f[LOST + i])
        if voxel == NOT_PATIENT:
            tally.account[BEFORE_PATIENT] += lost
            continue
        deposit(scoring, tally, voxel, lost, np.float64(f[RATIO + i]))
        if scoring.let and n[SPECIES + i] == PROTON:
            followed = lost - np.float64(f[ENERGY + i]) if n[EVENT + i] == STOPS else lost
            score_let(tally, voxel, followed, np.float64(f[LENGTH + i]), np.float64(f[LET + i]))
