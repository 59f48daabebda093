"""Protons per second on an NVIDIA GPU, and the same dose as on the CPU: ``python -m benchmarks.gpu_speed``.

Needs the package numba-cuda and a GPU; says so where there is none, and writes nothing.
"""

import argparse
import time
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from benchmarks.proton_speed import water
from dosewright.scoring.deposit import STARTED, Tally, empty_tally
from dosewright.simulation.problem import Problem
from dosewright.transport import loop_cpu, loop_cuda

MEASURED = Path(__file__).resolve().parents[1] / "docs" / "measured"
ENERGY_MEV, VOXEL_MM = 150.0, 2.0
CPU_BATCHES = 20
REPEATS = 3
TOP = """# Speed of proton transport on a GPU, measured

Made by `python -m benchmarks.gpu_speed` on {device}: {energy:g} MeV, {voxel:g} mm voxels of water, full
physics, dose to medium scored in every voxel, a spot of 5 mm sigma; best of {repeats} batches, in primaries per second
of wall time from the upload of the batch to its dose on the host. Compiling took {compiling:.0f} s.

| primaries in a batch | protons/s |
|---|---|
"""


def new_tally(problem: Problem) -> Tally:
    """Return an empty tally."""
    return empty_tally(problem.packed.scoring, int(np.prod(problem.score_shape)))


def by_depth(problem: Problem, tally: Tally) -> NDArray[np.float64]:
    """Return the energy in each layer of voxels, MeV."""
    return tally.energy.reshape(problem.score_shape[2], -1).sum(axis=1)


def on_gpu(problem: Problem, there: loop_cuda.OnDevice, histories: int, first: int, seed: int) -> tuple[Tally, float]:
    """Run one batch; return its tally and the seconds."""
    tally, pencils = new_tally(problem), np.zeros(histories, np.int64)
    begun = time.monotonic()
    loop_cuda.run_histories(there, first, pencils, seed, tally)
    return tally, time.monotonic() - begun


def on_cpu(problem: Problem, histories: int, seed: int) -> NDArray[np.float64]:
    """Return the energy by depth per primary of each of some batches."""
    layers, size = [], histories // CPU_BATCHES
    room = loop_cpu.empty_room()
    for batch in range(CPU_BATCHES):
        tally, pencils = new_tally(problem), np.zeros(size, np.int64)
        loop_cpu.run_histories(problem.packed, np.uint64(batch * size), pencils, np.uint64(seed), tally, room)
        layers.append(by_depth(problem, tally) / size)
    return np.array(layers)


def comparison(gpu: NDArray[np.float64], cpu: NDArray[np.float64]) -> str:
    """Say how energies by depth per primary agree; `cpu` by batch. Layers below 1 % of the highest are left out."""
    mean, error = cpu.mean(axis=0), cpu.std(axis=0, ddof=1) / np.sqrt(len(cpu))
    high = mean > 0.01 * mean.max()
    apart = (gpu[high] - mean[high]) / error[high]
    return (
        f"Energy by depth against the CPU: all of it {100 * (gpu.sum() / mean.sum() - 1):+.3f} %; over {high.sum()} "
        f"layers {np.mean(apart**2):.2f} squared standard errors on average (one is expected), "
        f"{np.abs(apart).max():.1f} standard errors at worst, "
        f"{100 * np.abs(gpu[high] / mean[high] - 1).max():.2f} % at worst."
    )


def device_name() -> str:
    """Return what the GPU calls itself."""
    if numba.config.ENABLE_CUDASIM:
        return "a simulated GPU"
    name = loop_cuda.cuda.get_current_device().name
    return name.decode() if isinstance(name, bytes) else str(name)


def main() -> None:
    """Measure, compare, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, nargs="+", default=[1_000_000, 4_000_000, 16_000_000])
    parser.add_argument("--cpu-histories", type=int, default=200_000)
    parser.add_argument("--slots", type=int, default=loop_cuda.SLOTS)
    parser.add_argument("--steps", type=int, default=loop_cuda.STEPS)
    parser.add_argument("--page", type=Path, default=MEASURED / "gpu_speed.md")
    wanted = parser.parse_args()
    if not loop_cuda.available():
        print("There is no NVIDIA GPU here that Numba can use: nothing was measured.")
        return
    loop_cuda.STEPS = wanted.steps  # read when the kernels are compiled
    problem = water(ENERGY_MEV, VOXEL_MM)
    cpu = on_cpu(problem, wanted.cpu_histories, 2)
    there = loop_cuda.put_on_device(problem.packed, int(np.prod(problem.score_shape)), wanted.slots)
    _, compiling = on_gpu(problem, there, 1, 0, 1)
    top = {"device": device_name(), "energy": ENERGY_MEV, "voxel": VOXEL_MM, "repeats": REPEATS}
    page = TOP.format(**top, compiling=compiling)
    for histories in wanted.histories:
        seconds = []
        for repeat in range(REPEATS):
            tally, took = on_gpu(problem, there, histories, repeat * histories, 1)
            seconds.append(took)
        page += f"| {histories:,} | {histories / min(seconds):,.0f} |\n"
    balance = (2 * tally.account[STARTED] - tally.account.sum()) / tally.account[STARTED]
    page += f"\n{wanted.slots:,} slots, {wanted.steps} steps at a time. The energy balance misses {balance:.1e}.\n"
    page += "\n" + comparison(by_depth(problem, tally) / histories, cpu) + "\n"
    wanted.page.write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
