"""How fast gamma is, and by what factor over pymedphys; run with ``python -m benchmarks.gamma_speed``."""

import importlib
import importlib.util
import time
from collections.abc import Callable

import numpy as np

from dosewright.analysis.gamma import GammaCriteria, gamma, pass_rate
from dosewright.core.grid import Grid, Image

CRITERIA = GammaCriteria(2.0, 2.0, threshold_percent=10.0, cap=2.0)


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


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print times, rates and the factor over pymedphys on the same cases."""
    reference, evaluated = field(8, 1.0, 1.0, 0.0)
    print(f"compilation or its cache: {seconds(lambda: gamma(reference, evaluated, CRITERIA)):.1f} s")
    print(f"{CRITERIA}, cap {CRITERIA.cap:g}, voxels of 2 mm")
    print("     judged    passing   1 thread  2 threads  pymedphys   factor")
    for size, compare in ((40, True), (60, True), (140, False)):
        for shift_mm, scale, noise in ((1.0, 1.01, 0.01), (2.5, 1.03, 0.02)):
            print(line(*field(size, shift_mm, scale, noise), compare=compare), flush=True)


def line(reference: Image, evaluated: Image, *, compare: bool) -> str:
    """Measure one case."""
    percent, judged = pass_rate(gamma(reference, evaluated, CRITERIA))
    one = seconds(lambda: gamma(reference, evaluated, CRITERIA, threads=1))
    two = seconds(lambda: gamma(reference, evaluated, CRITERIA, threads=2))
    ours = f"{judged:11d} {percent:8.2f} % {one:8.2f} s {two:8.2f} s"
    if not compare or importlib.util.find_spec("pymedphys") is None:
        return ours
    other = seconds(lambda: by_pymedphys(reference, evaluated))
    return f"{ours} {other:8.1f} s {other / two:8.0f}"


if __name__ == "__main__":
    main()
