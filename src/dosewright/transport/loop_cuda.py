"""Histories on an NVIDIA GPU: the same functions as on a CPU, one thread for each particle in flight.

Two kernels take turns. `fly` moves every particle by up to `STEPS` steps, until something ends a step; `settle` does
what ended it, and where a particle is over puts the next one: a secondary of the same slot, else the next primary. So
the kernel of nearly all work is small and in single precision, and rare events do not hold up their neighbours at every
step. Slots come in blocks of `LANES` threads, and a block is the `Lanes` of the CPU.

Tallies are shared by all threads. They hold whole units of 2^-24 MeV (or cm), added by atomic operations: sums of
integers do not depend on the order, so the dose is the same bit for bit whatever the number of slots and steps. A
deposit is rounded by 3e-8 MeV at most, without bias; `MOST_HISTORIES` keeps every sum below 2^63.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import DosewrightError, refuse
from dosewright.core.jit import inlined, kernel
from dosewright.core.random import HIGH_SHIFT, LOW, random_words
from dosewright.core.single import HALF, f32, i32
from dosewright.geometry.scene.flat import has_scene
from dosewright.geometry.trace import PATIENT
from dosewright.scoring import deposit as scoring_deposit
from dosewright.scoring.deposit import (
    ACCOUNT_ROWS,
    BEFORE_PATIENT,
    Tally,
    deposit,
    empty_tally,
    score_let,
    scored_voxel,
)
from dosewright.transport.history import born, settled, taken_up
from dosewright.transport.lanes import (
    BOX,
    CAPPED,
    CHARGE2,
    DRAW,
    DUE,
    ENERGY,
    EVENT,
    FLOAT_ROWS,
    FX,
    FY,
    FZ,
    GOES_ON,
    HISTORY_HIGH,
    HISTORY_LOW,
    INTEGER_ROWS,
    INTERACTS,
    IX,
    IY,
    IZ,
    LANES,
    LEAVES,
    PARTICLE,
    PATHS,
    PER_NUCLEON,
    RATE_COLUMN,
    SPECIES,
    STOPS,
    WORD_ROWS,
    Lanes,
    U,
    V,
    W,
    put,
    taken,
)  # fmt: skip
from dosewright.transport.lockstep import MOST_DRAWS
from dosewright.transport.protons_in_scene import back_to_scene, into_scene, through_scene
from dosewright.transport.step import Flight, Problem, step
from dosewright.transport.tracks import PROTON, empty_stack

try:
    from numba import cuda
except ImportError:  # this Numba has no CUDA
    cuda = None
if cuda is not None and not numba.config.ENABLE_CUDASIM:  # the simulator compiles nothing
    from numba.cuda.descriptor import cuda_target
    from numba.cuda.mathimpl import get_unary_impl_for_fn_and_ty
    from numba.cuda.ufuncs import ufunc_db

SLOTS = 1 << 19  # particles in flight; an H200 holds 270 000 threads at a time
STEPS = 8  # of `fly` at one go: few enough that threads with an event do not wait long, enough to pay for the memory
ROUNDS = 8  # of both kernels between two looks at what is left to do
STACK_ROWS = 48  # for the secondaries of one slot; were they ever too few, the run is given up
ACCOUNTS = 1024  # copies of the energy account, so that threads seldom meet at one address
UNITS_PER_MEV = 2.0**24
MOST_HISTORIES = 1 << 26  # at once: times 5000 MeV2 cm2/g, the largest sum of energy times LET of one, below 2^39
SCENE_ENTRIES = (into_scene, through_scene, back_to_scene)
EMPTY = -1  # the event of a slot without a particle
BEGUN, FULL, NO_NUMBER = range(3)  # counters: primaries begun, stacks found full, energies that are no number
COUNTERS = 3
UNITS = f32(UNITS_PER_MEV)
_TWO, _NEXT = np.uint32(2), np.uint32(1)


class Slots(NamedTuple):
    """The particles in flight, by block of `LANES`; those that wait, by slot; `flying` after each round; counters."""

    floats: NDArray[np.float32]
    integers: NDArray[np.int32]
    words: NDArray[np.uint32]
    stack: NDArray[np.float64]
    waiting: NDArray[np.int64]
    flying: NDArray[np.int64]
    counters: NDArray[np.int64]


class Sums(NamedTuple):
    """The tally in whole units, shared by all threads, and copies of the energy account."""

    energy: NDArray[np.int64]
    energy_to_water: NDArray[np.int64]
    let: NDArray[np.int64]
    accounts: NDArray[np.int64]
    leaving: NDArray[np.int64]
    leaving_energy: NDArray[np.int64]
    parts: NDArray[np.int64]
    crossings: NDArray[np.int64]
    log: NDArray[np.int64]
    carried: NDArray[np.int64]


class OnDevice(NamedTuple):
    """What stays on the GPU between batches."""

    problem: Problem
    slots: Slots
    sums: Sums


@inlined
def lanes_of_block(slots):
    """Return the lanes of this block of threads."""
    block = cuda.blockIdx.x
    return Lanes(slots.floats[block], slots.integers[block], slots.words[block])


@inlined
def fly(problem, slots, sums, seed, same_voxels):
    """Move the particle of this thread until something ends a step, `STEPS` steps at most, and score what it loses."""
    geometry, tables, scoring = problem.geometry, problem.tables, problem.scoring
    cut, max_step = f32(problem.controls.cut_MeV), f32(problem.controls.max_step_cm)
    seed_low, seed_high = np.uint32(seed & LOW), np.uint32(seed >> HIGH_SHIFT)
    lanes, i = lanes_of_block(slots), cuda.threadIdx.x
    f, n, w = lanes.floats, lanes.integers, lanes.words
    event = n[EVENT + i]
    if event != GOES_ON:
        return
    account = cuda.local.array(ACCOUNT_ROWS, np.float32)
    for row in range(ACCOUNT_ROWS):
        account[row] = 0.0
    tally = Tally(
        sums.energy, sums.energy_to_water, sums.let, account, sums.leaving, sums.leaving_energy, sums.parts,
        sums.crossings, sums.log, sums.carried,
    )  # fmt: skip
    box, species, rate_column = n[BOX + i], n[SPECIES + i], n[RATE_COLUMN + i]
    nx, ny, nz = geometry.cells[box, 0], geometry.cells[box, 1], geometry.cells[box, 2]
    first_x, first_y, first_z = geometry.first[box, 0], geometry.first[box, 1], geometry.first[box, 2]
    low, high, particle, draw = w[HISTORY_LOW + i], w[HISTORY_HIGH + i], w[PARTICLE + i], w[DRAW + i]
    p = Flight(
        f[ENERGY + i], f[U + i], f[V + i], f[W + i], f[FX + i], f[FY + i], f[FZ + i], f[DUE + i], f[PATHS + i],
        f[CHARGE2 + i], f[PER_NUCLEON + i], n[IX + i], n[IY + i], n[IZ + i],
    )  # fmt: skip
    steps = 0
    while event == GOES_ON and steps < STEPS:
        voxel = i32(i32(i32(i32(i32(p.iz * ny) + p.iy) * nx) + p.ix) + geometry.voxel_first[box])
        x, y, z = i32(first_x + p.ix), i32(first_y + p.iy), i32(first_z + p.iz)
        size_x, size_y, size_z = geometry.sizes[x], geometry.sizes[y], geometry.sizes[z]
        four = random_words(seed_low, seed_high, low, high, particle, draw)
        words = four + random_words(seed_low, seed_high, low, high, particle, np.uint32(draw + _NEXT))
        draw = np.uint32(draw + _TWO)
        p, did = step(tables, cut, max_step, p, geometry.voxels[voxel], size_x, size_y, size_z, rate_column, words)
        if box != PATIENT:
            account[BEFORE_PATIENT] += did.lost
        else:
            if not same_voxels:
                voxel = i32(
                    scored_voxel(
                        scoring,
                        geometry.faces[x] + size_x * did.at_x,
                        geometry.faces[y] + size_y * did.at_y,
                        geometry.faces[z] + size_z * did.at_z,
                    )
                )
            deposit(scoring, tally, voxel, did.lost, did.ratio)
            if scoring.let and species == PROTON:
                followed = did.lost - p.energy if did.stopped else did.lost  # the end of the range counts by itself
                score_let(tally, voxel, followed, did.length, did.let)
        within = p.ix >= 0 and p.ix < nx and p.iy >= 0 and p.iy < ny and p.iz >= 0 and p.iz < nz
        event = i32(GOES_ON) if within else i32(LEAVES)
        event = i32(INTERACTS) if did.hit else event
        event = i32(CAPPED) if draw >= MOST_DRAWS else event
        event = i32(STOPS) if did.stopped else event
        steps += 1
    f[ENERGY + i], f[U + i], f[V + i], f[W + i] = p.energy, p.u, p.v, p.w
    f[FX + i], f[FY + i], f[FZ + i], f[DUE + i], f[PATHS + i] = p.fx, p.fy, p.fz, p.due, p.paths
    n[IX + i], n[IY + i], n[IZ + i], n[EVENT + i] = p.ix, p.iy, p.iz, event
    w[DRAW + i] = draw
    book(account, sums, slots.counters)


@inlined
def settle(problem, slots, sums, first, pencils, seed):
    """Do what ended the last step of this thread's particle; where it is over put the next one, if there is any."""
    lanes, i = lanes_of_block(slots), cuda.threadIdx.x
    slot = cuda.blockIdx.x * LANES + i
    stack, waiting = slots.stack[slot], slots.waiting[slot]
    account = cuda.local.array(ACCOUNT_ROWS, np.float64)
    for row in range(ACCOUNT_ROWS):
        account[row] = 0.0
    tally = Tally(
        sums.energy, sums.energy_to_water, sums.let, account, sums.leaving, sums.leaving_energy, sums.parts,
        sums.crossings, sums.log, sums.carried,
    )  # fmt: skip
    event = lanes.integers[EVENT + i]
    flying = event == GOES_ON
    if not flying and event != EMPTY:
        track, stream = taken(lanes, i, seed)
        track, waiting, stream = settled(problem, track, event, tally, stack, waiting, stream)
        flying = put_if_flying(slots, sums, lanes, i, track, stream, waiting, account)
    while not flying:
        if waiting > 0:
            track, waiting, stream = taken_up(problem, tally, stack, waiting, seed)
        else:
            number = cuda.atomic.add(slots.counters, BEGUN, 1)
            if number >= pencils.size:
                break
            history = first + np.uint64(number)
            track, waiting, stream = born(problem, history, pencils[number], seed, tally, stack, waiting)
        flying = put_if_flying(slots, sums, lanes, i, track, stream, waiting, account)
    if not flying:
        lanes.integers[EVENT + i] = EMPTY
    slots.waiting[slot] = waiting
    return flying


@inlined
def put_if_flying(slots, sums, lanes, i, track, stream, waiting, account):
    """Put a track into its lane if it has energy left, and say so; book what was done to it."""
    book(account, sums, slots.counters)
    if waiting >= slots.stack.shape[1]:
        cuda.atomic.add(slots.counters, FULL, 1)
    if track.energy > 0.0:
        put(lanes, i, track, stream)
        lanes.integers[EVENT + i] = GOES_ON
        return True
    return False


@inlined
def book(account, sums, counters):
    """Move what a thread has in its energy account to one that is shared."""
    for row in range(ACCOUNT_ROWS):
        amount = account[row]
        if amount != amount:
            cuda.atomic.add(counters, NO_NUMBER, 1)
        elif amount != 0.0:
            cuda.atomic.add(
                sums.accounts, (cuda.blockIdx.x % ACCOUNTS, row), np.int64(math.floor(amount * UNITS + HALF))
            )
        account[row] = 0.0


@kernel
def add_units(array, index, amount):
    """Add to one entry of a shared tally in whole units; takes the place of `deposit.add` on the GPU."""
    cuda.atomic.add(array, index, np.int64(amount * UNITS + HALF))


def fly_in_voxels(problem, slots, sums, seed):
    """Let all fly, scoring in the voxels of the patient box."""
    fly(problem, slots, sums, seed, True)


def fly_in_grid(problem, slots, sums, seed):
    """Let all fly, scoring in a grid of its own."""
    fly(problem, slots, sums, seed, False)


def settle_all(problem, slots, sums, first, pencils, seed, now):
    """Settle all, and count those that fly after round `now`."""
    flying = cuda.syncthreads_count(i32(settle(problem, slots, sums, first, pencils, seed)))
    if cuda.threadIdx.x == 0:
        cuda.atomic.add(slots.flying, now, flying)


def wipe(array):
    """Set a flat array to nought."""
    for i in range(cuda.grid(1), array.size, cuda.gridsize(1)):
        array[i] = 0


class Kernels(NamedTuple):
    """The compiled kernels, to be launched with ``kernel[blocks, threads](...)``."""

    fly: Any
    settle: Any
    wipe: Any


FASTMATH = {"contract", "arcp", "nsz", "afn"}  # as on the CPU: a NaN stays one


@lru_cache(maxsize=2)
def kernels(*, same_voxels: bool) -> Kernels:
    """Return the kernels for a scored grid that is the patient's voxels, or another; compiled at their first launch."""
    prepare_compiler()
    compiled = cuda.jit(fastmath=FASTMATH)
    return Kernels(compiled(fly_in_voxels if same_voxels else fly_in_grid), compiled(settle_all), compiled(wipe))


@kernel
def not_in_scene(problem, track, tally, stack, waiting, stream):  # noqa: ARG001 - those of what it replaces
    """Take the place of the ways through scenes, which no GPU is given; compiled, they would be most of its code."""
    return track, waiting, stream


@lru_cache(maxsize=1)
def prepare_compiler() -> None:
    """Tell the CUDA compiler how to add to a shared tally, of two functions of NumPy, and that there are no scenes.

    It compiles a function of the CPU anew for the GPU and keeps the result with that function; here that place is taken
    beforehand. Raises if this compiler looks elsewhere: additions that are not atomic would give a wrong dose.
    """
    add = scoring_deposit.add
    if numba.config.ENABLE_CUDASIM:
        scoring_deposit.add = add_units
        return
    for of_cpu, of_gpu in ((add, add_units), *((entry, not_in_scene) for entry in SCENE_ENTRIES)):
        of_cpu._CUDATypingContext__dispatcher = ours = cuda.jit(device=True)(of_gpu.py_func)
        if cuda_target.typing_context.resolve_value_type(of_cpu).dispatcher is not ours:
            raise DosewrightError("This version of Numba's CUDA compiler is not known: its tallies would not be safe.")
    ufunc_db().setdefault(np.sqrt, compiled_as(math.sqrt))
    ufunc_db().setdefault(np.exp, compiled_as(math.exp))


def compiled_as(function: Callable[[float], float]) -> dict[str, Any]:
    """Return what makes a function of NumPy compile as one of `math`, in single and double precision."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return get_unary_impl_for_fn_and_ty(function, signature.args[0])(context, builder, signature, arguments)

    return {"f->f": lower, "d->d": lower}


def available() -> bool:
    """Say whether there is a GPU that Numba can use (the simulator counts as one)."""
    return cuda is not None and bool(cuda.is_available())


def put_on_device(problem: Problem, voxels: int, slots: int = SLOTS) -> OnDevice:
    """Return a problem with `voxels` scored ones on the GPU, with room for `slots` particles in flight.

    About 6 kB per slot and 8 bytes per scored voxel and quantity. Refuses scenes of solids.
    """
    if not available():
        raise DosewrightError("There is no NVIDIA GPU here that Numba can use; it needs the package numba-cuda.")
    if has_scene(problem.scene):
        raise refuse("A GPU follows particles through voxels only", given="a scene of solids", allowed="no scene")
    blocks = -(-slots // LANES)
    scoring = problem.scoring
    room = Slots(
        np.zeros((blocks, FLOAT_ROWS * LANES), np.float32),
        np.zeros((blocks, INTEGER_ROWS * LANES), np.int32),
        np.zeros((blocks, WORD_ROWS * LANES), np.uint32),
        np.zeros((blocks * LANES, STACK_ROWS, empty_stack().shape[1])),
        np.zeros(blocks * LANES, np.int64),
        np.zeros(ROUNDS, np.int64),
        np.zeros(COUNTERS, np.int64),
    )
    room.integers[:, EVENT : EVENT + LANES] = EMPTY
    tally = empty_tally(scoring, voxels)
    energy, to_water, let = (np.zeros(array.size, np.int64) for array in tally[:3])
    nothing = np.zeros(0, np.int64)
    accounts = np.zeros((ACCOUNTS, ACCOUNT_ROWS), np.int64)
    sums = Sums(energy, to_water, let, accounts, nothing, nothing, nothing, nothing, nothing, nothing)
    return OnDevice(copied(problem), copied(room), copied(sums))


def copied(value: Any) -> Any:
    """Return nested named tuples with every array copied to the GPU."""
    if isinstance(value, tuple):
        return type(value)(*(copied(part) for part in value))
    return cuda.to_device(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value


def on_host(array: Any) -> NDArray[np.int64]:
    """Return a copy of an array of the GPU, once all that was launched has ended."""
    copy: NDArray[np.int64] = array.copy_to_host()
    return copy


def run_histories(there: OnDevice, first: int, pencils: NDArray[np.int64], seed: int, tally: Tally) -> None:
    """Run histories ``first``, ``first + 1``, ... with the pencil beam named for each, adding to `tally` on the host.

    What becomes of a history does not depend on its neighbours. Raises if a particle found no room to wait, or an
    energy is no number.
    """
    if pencils.size > MOST_HISTORIES:
        raise refuse("Too many histories for one batch on a GPU", given=pencils.size, allowed=MOST_HISTORIES)
    problem, slots, sums = there
    blocks = slots.floats.shape[0]
    launch = kernels(same_voxels=bool(problem.scoring.same_voxels))
    for array in (*sums[:3], sums.accounts.reshape(-1), slots.counters):
        if array.size:
            launch.wipe[blocks, LANES](array)
    given = cuda.to_device(pencils)
    flying = 1
    while flying:
        launch.wipe[1, LANES](slots.flying)
        for now in range(ROUNDS):
            launch.settle[blocks, LANES](problem, slots, sums, np.uint64(first), given, np.uint64(seed), now)
            launch.fly[blocks, LANES](problem, slots, sums, np.uint64(seed))
        flying = on_host(slots.flying)[-1]
    check(on_host(slots.counters))
    for total, units in zip(tally[:3], sums[:3], strict=True):
        total += on_host(units) / UNITS_PER_MEV
    tally.account[:] += on_host(sums.accounts).sum(axis=0) / UNITS_PER_MEV


def check(counters: NDArray[np.int64]) -> None:
    """Raise where a batch cannot be used."""
    if counters[FULL]:
        raise DosewrightError(f"On the GPU {counters[FULL]} times no room was left for secondaries; the batch is lost.")
    if counters[NO_NUMBER]:
        raise DosewrightError("A batch ended with an energy that is no number; the result is not usable.")
