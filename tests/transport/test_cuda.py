"""The GPU driver: compiled to PTX without a GPU, against the CPU in the simulator, and on a GPU where there is one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.proton_speed import water
from numba import float32, int32, int64, typeof, uint32, uint64

from dosewright.core.errors import DosewrightError, InputError
from dosewright.core.random import random_words
from dosewright.scoring.deposit import BINDING, DEPOSITED, ESCAPED, NEUTRAL, STARTED, Tally, empty_tally
from dosewright.transport import loop_cpu, loop_cuda
from dosewright.transport.step import Flight, step

from .ptx import atomic_additions, instructions, registers_and_spills, report

HERE = Path(__file__).parent
cuda = loop_cuda.cuda
PACKED = water(150.0, 2.0).packed
SLOTS = loop_cuda.Slots(
    *(np.zeros((1, 1), kind) for kind in (np.float32, np.int32, np.uint32)),
    np.zeros((1, 1, 1)),
    *(np.zeros(1, np.int64) for _ in range(3)),
)
ONE = np.zeros(1, np.int64)
NOT_FILLED = ("leaving", "leaving_energy", "parts", "crossings", "log", "carried")  # by protons in voxels
SUMS = loop_cuda.Sums(ONE, ONE, ONE, np.zeros((1, 1), np.int64), ONE, ONE, ONE, ONE, ONE, ONE)


def one_step(tables, floats, integers, words, size):  # type: ignore[no-untyped-def]
    """Take one step: every number comes from memory, so that nothing is left out."""
    i = cuda.grid(1)
    f, n, w = floats[i], integers[i], words[i]
    p = Flight(f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], n[0], n[1], n[2])
    four = random_words(w[0], w[1], w[2], w[3], w[4], w[5])
    p, did = step(tables, f[11], f[12], p, n[3], size[0], size[1], size[2], n[4], four + four)
    f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8] = p.energy, p.u, p.v, p.w, p.fx, p.fy, p.fz, p.due, p.paths
    n[0], n[1], n[2], n[3], n[4] = p.ix, p.iy, p.iz, did.hit, did.stopped
    f[9], f[10], f[11], f[12] = did.lost, did.at_x, did.at_y, did.at_z
    f[13], f[14], f[15] = did.ratio, did.let, did.length


def test_the_step_is_in_single_precision(compile_ptx: Any, tmp_path: Path) -> None:
    rows = float32[:, ::1], int32[:, ::1], uint32[:, ::1]
    ptx = compile_ptx(one_step, typeof(PACKED.tables), *rows, float32[::1])
    assert len(instructions(ptx, ".f32")) > 200
    assert instructions(ptx, ".f64") == []
    assert instructions(ptx, "call") == []
    report("step", ptx, tmp_path, most_registers=96)


@pytest.mark.parametrize("fly", [loop_cuda.fly_in_voxels, loop_cuda.fly_in_grid])
def test_particles_fly_in_single_precision_and_share_tallies(compile_ptx: Any, fly: Any, tmp_path: Path) -> None:
    ptx = compile_ptx(fly, typeof(PACKED), typeof(SLOTS), typeof(SUMS), uint64)
    double = [line for line in instructions(ptx, ".f64") if not line.startswith("ld.param")]
    assert len(double) <= 2 and all(line.startswith("cvt.") for line in double)  # cut and largest step, once
    # Energy, energy to water, four sums of LET, and three of the bookkeeping at least.
    assert len(atomic_additions(ptx)) >= 9
    report(fly.__name__, ptx, tmp_path, most_registers=128)


def test_all_that_ends_a_step_compiles(compile_ptx: Any, tmp_path: Path) -> None:
    """Emission, the gap, interactions, nuclear secondaries, the stack, scoring."""
    ptx = compile_ptx(
        loop_cuda.settle_all, typeof(PACKED), typeof(SLOTS), typeof(SUMS), uint64, int64[::1], uint64, int64
    )
    assert len(atomic_additions(ptx)) >= 9
    found = registers_and_spills(ptx, tmp_path)  # spills are rare here as the nuclear collisions that make them
    print("settle:", f"{found[0]} registers, {found[1]} bytes spilled" if found else "no ptxas here")


@pytest.fixture(scope="module")
def simulated() -> dict[str, Any]:
    """What both drivers score, in plain Python."""
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}
    program = [sys.executable, str(HERE / "on_simulated_gpu.py")]
    said = subprocess.run(program, capture_output=True, text=True, check=False, env=environment)
    assert said.returncode == 0, said.stderr
    answer: dict[str, Any] = json.loads(said.stdout)
    return answer


@pytest.mark.parametrize("scored", ["in_voxels", "in_grid"])
def test_the_gpu_driver_does_the_same_histories(simulated: dict[str, Any], scored: str) -> None:
    """Every voxel and quantity agrees to the rounding of its deposits: 2^-25 each, some hundred in a voxel."""
    cpu, gpu = simulated[scored]["cpu"], simulated[scored]["gpu"]
    for name, a, b in zip(Tally._fields, map(np.array, cpu), map(np.array, gpu), strict=True):
        assert a.max() > 0 if name not in NOT_FILLED else a.size == 0
        np.testing.assert_allclose(b, a, rtol=1e-7, atol=3e-5 if name == "let" else 1e-5)


@pytest.mark.parametrize("scored", ["in_voxels", "in_grid"])
def test_the_energy_account_closes(simulated: dict[str, Any], scored: str) -> None:
    account = simulated[scored]["gpu"][3]
    rest = account[STARTED] - sum(account) + account[STARTED]
    assert abs(rest) < 1e-6 * account[STARTED]
    assert account[DEPOSITED] > 0.8 * account[STARTED] * (0.6 if scored == "in_grid" else 1)
    assert account[NEUTRAL] + account[BINDING] + account[ESCAPED] > 0


@pytest.mark.parametrize("scored", ["in_voxels", "in_grid"])
def test_the_dose_does_not_depend_on_slots_and_steps(simulated: dict[str, Any], scored: str) -> None:
    assert simulated[scored]["same"]


def test_a_stack_that_was_full_is_no_result() -> None:
    with pytest.raises(DosewrightError, match="no room"):
        loop_cuda.check(np.array([10, 1, 0]))
    with pytest.raises(DosewrightError, match="no number"):
        loop_cuda.check(np.array([10, 0, 1]))
    loop_cuda.check(np.array([10, 0, 0]))


def test_sums_of_a_batch_stay_in_range() -> None:
    """The largest sum of one history, its energy times LET, is below 5000 MeV2 cm2/g: integral of S dE to 300 MeV."""
    assert loop_cuda.MOST_HISTORIES * 5000 * loop_cuda.UNITS_PER_MEV < 2**63
    there = loop_cuda.OnDevice(PACKED, SLOTS, SUMS)
    many = np.broadcast_to(np.int64(0), loop_cuda.MOST_HISTORIES + 1)
    with pytest.raises(InputError, match="Too many histories"):
        loop_cuda.run_histories(there, 0, many, 1, empty_tally(PACKED.scoring, 1))


def test_without_a_gpu_it_says_so() -> None:
    if loop_cuda.available():
        pytest.skip("there is a GPU")
    with pytest.raises(DosewrightError, match="no NVIDIA GPU"):
        loop_cuda.put_on_device(PACKED, 1)


@pytest.mark.gpu
def test_the_gpu_agrees_with_the_cpu() -> None:
    """100 000 primaries of 150 MeV: energy in slices of 10 mm within 0.5 %, the sum of all within 0.05 %."""
    if not loop_cuda.available():
        pytest.skip("there is no GPU here")
    problem = water(150.0, 2.0)
    size, pencils = int(np.prod(problem.score_shape)), np.zeros(100_000, np.int64)
    cpu, gpu, again = (empty_tally(problem.packed.scoring, size) for _ in range(3))
    loop_cpu.run_histories(problem.packed, np.uint64(0), pencils, np.uint64(9), cpu, loop_cpu.empty_room())
    loop_cuda.run_histories(loop_cuda.put_on_device(problem.packed, size, 1 << 14), 0, pencils, 9, gpu)
    loop_cuda.run_histories(loop_cuda.put_on_device(problem.packed, size, 1 << 16), 0, pencils, 9, again)
    assert np.array_equal(gpu.energy, again.energy)
    a, b = (t.energy.reshape(30, -1).sum(axis=1)[:15] for t in (cpu, gpu))
    np.testing.assert_allclose(b, a, rtol=5e-3)
    np.testing.assert_allclose(gpu.energy.sum(), cpu.energy.sum(), rtol=5e-4)
    assert abs(2 * gpu.account[STARTED] - gpu.account.sum()) < 1e-5 * gpu.account[STARTED]
