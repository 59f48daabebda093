"""How fast gamma is, and by what factor over pymedphys; run with ``python -m benchmarks.gamma_speed``."""

import importlib
import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dosewright.analysis.gamma import GammaCriteria, gamma, pass_rate
from dosewright.core.grid import Grid, Image

PAGE = Path(__file__).parents[1] / "docs" / "measured" / "gamma_speed.md"
CRITERIA = GammaCriteria(2.0, 2.0, threshold_percent=10.0, cap=2.0)
LARGEST = 140  # pymedphys takes minutes there


def field(size: int, shift_mm: float, scale: float, noise: float) -> tuple[Image, Image]:
    """Make a proton-like dose of size x size x size voxels of 2 mm, and a worse one: deeper, scaled and noisy."""
    grid = Grid((size,) * 3, (2.0,) * 3, (1.0 - size,) * 3)
    z, y, x = np.meshgrid(*(grid.centres_mm(a) for a in (2, 1, 0)), indexing="ij")

    def dose(depth_shift_mm: float) -> np.ndarray:
        depth = (x - depth_shift_mm) / size
        lateral = 1.0 / (1.0 + np.exp((np.hypot(y, z) - 0.75 * size) / 2.5))
        plateau = 1.2 + 0.8 * np.exp(-(((depth - 0.45) / 0.2) ** 2))
        return plateau * lateral / (1.0 + np.exp((x - depth_shift_mm - 0.65 * size) / 1.2))

    grain = 1.0 + noise * np.random.default_rng(1).normal(size=grid.array_shape)
    return Image(grid, dose(0.0)), Image(grid, scale * dose(shift_mm) * grain)


def by_pymedphys(reference: Image, evaluated: Image) -> np.ndarray:
    """Compute the same gamma with pymedphys, which does not install on the newest Pythons."""
    pymedphys = importlib.import_module("pymedphys")
    axes = [tuple(image.grid.centres_mm(a) for a in (2, 1, 0)) for image in (reference, evaluated)]
    values: np.ndarray = pymedphys.gamma(
        axes[0],
        reference.values,
        axes[1],
        evaluated.values,
        CRITERIA.dose_percent,
        CRITERIA.distance_mm,
        lower_percent_dose_cutoff=CRITERIA.threshold_percent,
        max_gamma=CRITERIA.cap,
    )
    return values


def seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Time one call by a clock."""
    start = clock()
    work()
    return clock() - start


TOP = f"""# Speed of gamma

Written by `python -m benchmarks.gamma_speed`: {CRITERIA}, gamma up to {CRITERIA.cap:g}, voxels of 2 mm, doses made by
formulas, the second one deeper, scaled and noisy. *Looked at* says which of the two is gone through voxel by voxel; the
other one is searched. Processor time is of one thread, both ours and pymedphys'; wall time is of two threads, on
whatever else the machine did. Compilation is not in it.
"""
HEAD = """| judged voxels | looked at | passing | processor time | wall, 2 threads | pymedphys, processor | factor |
|--:|---|--:|--:|--:|--:|--:|
"""


def main(arguments: list[str] | None = None) -> None:
    """Write times, rates and the factor over pymedphys on the same cases; ``--quick`` leaves out its largest."""
    quick = "--quick" in (arguments if arguments is not None else sys.argv[1:])
    small = field(8, 1.0, 1.0, 0.0)
    print(f"compilation or its cache: {seconds(lambda: gamma(*small, CRITERIA), time.perf_counter):.1f} s")
    lines = []
    for size, compare in ((40, True), (60, True), (140, not quick)):
        for shift_mm, scale, noise in ((1.0, 1.01, 0.01), (2.5, 1.03, 0.02)):
            smooth, noisy = field(size, shift_mm, scale, noise)
            lines.append(line(smooth, noisy, "the smooth dose", compare=compare))
            lines.append(line(noisy, smooth, "the noisy dose", compare=compare and size < LARGEST))
            print(*lines[-2:], sep="\n", flush=True)
    PAGE.write_text(f"{TOP}\n{HEAD}" + "\n".join(lines) + "\n", encoding="utf-8")


def line(reference: Image, evaluated: Image, name: str, *, compare: bool) -> str:
    """Measure one case."""
    percent, judged = pass_rate(gamma(reference, evaluated, CRITERIA))
    one = seconds(lambda: gamma(reference, evaluated, CRITERIA, threads=1), time.process_time)
    two = seconds(lambda: gamma(reference, evaluated, CRITERIA, threads=2), time.perf_counter)
    ours = f"| {judged:,} | {name} | {percent:.2f} % | {one:.2f} s | {two:.2f} s |"
    if not compare or importlib.util.find_spec("pymedphys") is None:
        return f"{ours} | |"
    other = seconds(lambda: by_pymedphys(reference, evaluated), time.process_time)
    return f"{ours} {other:.1f} s | {other / one:.0f} |"


if __name__ == "__main__":
    main()
