"""Protons per CPU second of one core: ``python -m benchmarks.proton_speed``; writes docs/measured/proton_speed.md."""

import os
import statistics
import time
from pathlib import Path

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem
from dosewright.simulation.run import simulate
from dosewright.sources import emit
from dosewright.sources.emit import Source

MEASURED = Path(__file__).resolve().parents[1] / "docs" / "measured"
REPEATS = 5
TOP = """# Speed of proton transport, measured

Made by `python -m benchmarks.proton_speed`: water, full physics, dose to medium scored in every voxel, a spot of 5 mm
sigma; medians of {repeats} runs, in primaries per CPU second of one core. Compiled code was cached.
"""


def water(energy_MeV: float, voxel_mm: float) -> Problem:
    """Build a water cube of 300 x 100 x 100 mm with a beam along its length."""
    across = np.arange(-50.0, 50.0 + voxel_mm / 2, voxel_mm)
    along = np.arange(0.0, 300.0 + voxel_mm / 2, voxel_mm)
    shape = (along.size - 1, across.size - 1, across.size - 1)
    voxels = Voxels(
        (across, across, along),
        Rigid.identity(),
        np.zeros(shape, np.uint8),
        np.ones(shape, np.float32),
        (named("G4_WATER"),),
    )
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY], row[0, emit.XX], row[0, emit.YY] = energy_MeV, 0.5, 0.5
    nothing = np.zeros(0)
    source = Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), nothing, nothing, nothing)
    flip = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))
    settings = TransportSettings(dose_to_water=False)
    return phantom_problem(voxels=voxels, source=source, weights=np.ones(1), to_patient=flip, settings=settings)


def rate(problem: Problem, histories: int, threads: int = 1) -> tuple[float, float]:
    """Return medians of primaries per CPU second and per second of wall time."""
    cpu, wall = [], []
    for seed in range(REPEATS):
        begun = time.monotonic()
        result = simulate(problem, Goal(histories=histories), seed=seed, threads=threads)
        cpu.append(result.histories_per_cpu_second)
        wall.append(histories / (time.monotonic() - begun))
    return statistics.median(cpu), statistics.median(wall)


def main() -> None:
    """Measure and write the page."""
    simulate(water(100.0, 2.0), Goal(histories=100), threads=1)
    page = [TOP.format(repeats=REPEATS), "| voxels | 100 MeV | 150 MeV | 200 MeV |", "|---|---|---|---|"]
    for voxel in (1.0, 2.0, 3.0):
        rates = [rate(water(energy, voxel), 40_000)[0] for energy in (100.0, 150.0, 200.0)]
        page.append(f"| {voxel:g} mm | " + " | ".join(f"{r:,.0f}" for r in rates) + " |")
    threads = len(os.sched_getaffinity(0))
    problem = water(150.0, 2.0)
    one, many = rate(problem, 200_000, 1)[1], rate(problem, 200_000, threads)[1]
    page.append(f"\nWall time, 150 MeV, 2 mm: {threads} threads are {many / one:.2f} times as fast as one.\n")
    MEASURED.mkdir(parents=True, exist_ok=True)
    (MEASURED / "proton_speed.md").write_text("\n".join(page), encoding="utf-8")
    print("\n".join(page))


if __name__ == "__main__":
    main()
