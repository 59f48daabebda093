"""How fast photons and electrons are transported: ``python -m benchmarks.photon_speed [PART ...]``.

Parts: rates uncertainty track threads memory compile. A part that is named alone keeps the other sections of
docs/measured/photon_speed.md; ``--share`` below 1 makes it a quick look at the share of the histories, without a page.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.page_parts import write_parts
from benchmarks.photon_problems import kilovoltage, megavoltage, parallel_electrons, parallel_photons
from benchmarks.proton_speed import by_simulate, judged, wall_rate
from benchmarks.speed_child import cold_and_warm, in_child
from dosewright.scoring.deposit import Tally, empty_tally
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import Problem
from dosewright.simulation.run import simulate
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room
from dosewright.transport.repeated_loop import RepeatedProblem, empty_repeated_room, run_repeated_histories

MEASURED = Path(__file__).resolve().parents[1] / "docs" / "measured"
PAGE = MEASURED / "photon_speed.md"
REPEATS = 5
BATCHES = 25
PLACES = 16
PLATEAU_CM = 2.0  # half the width of the middle of the field, over which the depth dose is averaged
# DOSXYZnrc (EGSnrc 2025) on one core of a Zen 4 server: primaries per CPU second with exact boundary crossing; and CPU
# seconds to a mean uncertainty of 1 % above half maximum in 216 000 voxels of 5 mm with exact boundary crossing, with
# PRESTA-I, and with the shortcut for homogeneous phantoms. Measured for the reference doses.
REJECTING = "100 keV, rejecting"
DOSXYZ_RATES = {"6 MV": 73_000, "6 MeV": 33_000, "100 keV": 172_000, REJECTING: 172_000, "10 MeV electrons": 6_250}
DOSXYZ_SECONDS = {"6 MV": (2482, 1337, 444), "10 MeV electrons": (513, 140, 38)}
TOP = """# Speed of photon and electron transport, measured

Made by `python -m benchmarks.photon_speed`: full physics, dose to medium in every voxel of a water cube, a field of
10 x 10 cm2. 6 MV is the spectrum of Mohan, Chui and Lidofsky (1985) from a point 100 cm above; other beams are parallel
and of one energy. The photon cut is 10 keV, the electron cut 189 keV (10 keV for 100 keV photons), both kinetic.
Compiled code was cached. DOSXYZnrc is EGSnrc 2025 on one core of a Zen 4 server. A missed bound is marked.
"""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """Energy (MeV) per primary by voxel [z, y, x] with the variance of its mean, and what it took."""

    mean: Array
    variance: Array
    cpu_seconds: float


def rates(share: float) -> list[str]:
    """Primaries per CPU second without variance reduction."""
    cases: list[tuple[str, str, Problem, int, float | None]] = [
        ("6 MV", "5 x 5 x 2 mm", megavoltage(5.0, 2.0), 1_000_000, 146_000),
        ("6 MeV", "5 mm", parallel_photons(6.0), 500_000, None),
        ("100 keV", "5 mm", parallel_photons(0.1), 1_000_000, 340_000),
        (REJECTING, "5 mm", parallel_photons(0.1, rejection_MeV=0.1), 1_000_000, 340_000),
        ("10 MeV electrons", "5 mm", parallel_electrons(), 100_000, None),
    ]
    for _, _, problem, _, _ in cases:
        by_simulate(problem, 1000, 0)
    each = [[by_simulate(p, round(share * n), seed) for _, _, p, n, _ in cases] for seed in range(REPEATS)]
    measured = [statistics.median(column) for column in zip(*each, strict=True)]
    page = ["Primaries per CPU second of one core, no variance reduction; medians of runs that took turns.\n"]
    page += ["| beam | voxels | Dosewright | DOSXYZnrc, exact | ratio |", "|---" * 5 + "|"]
    said = []
    for (name, voxels, _, _, least), rate in zip(cases, measured, strict=True):
        there = DOSXYZ_RATES[name]
        page.append(f"| {name} | {voxels} | {rate:,.0f} | {there:,} | {rate / there:.1f} |")
        if least is not None:
            said += ["", judged(f"{name}: {rate:,.0f} primaries per CPU second", rate, least=least)]
    draw({name: rate for (name, *_), rate in zip(cases, measured, strict=True)})
    page += [
        "",
        "Rejecting: `range_rejection_MeV = 0.1`, electrons that cannot leave their voxel are absorbed at once.\n",
    ]
    aim = f"The aim for 6 MV, five times DOSXYZnrc, is {5 * DOSXYZ_RATES['6 MV']:,}."
    return [*page, *said, "", aim, "", "![Rates](photon_speed.png)"]


def draw(measured: dict[str, float]) -> None:
    """Draw the rates beside those of DOSXYZnrc."""
    picture = Figure(figsize=(8, 3.5), layout="constrained")
    axes = picture.subplots()
    at = np.arange(len(measured))
    axes.bar(at - 0.2, [r / 1000 for r in measured.values()], 0.4, color="#0b5563", label="Dosewright")
    there = [DOSXYZ_RATES[name] / 1000 for name in measured]
    axes.bar(at + 0.2, there, 0.4, color="#c9b3d9", label="DOSXYZnrc, exact boundary crossing")
    axes.set(ylabel="1000 primaries per CPU second", yscale="log", ylim=(3, 3000))
    axes.set_xticks(at, list(measured))
    axes.legend(frameon=False)
    MEASURED.mkdir(parents=True, exist_ok=True)
    picture.savefig(MEASURED / "photon_speed.png", dpi=100)


def spread(problem: Problem, histories: int, seed: int = 1) -> Spread:
    """Run batches of histories; the time is that of the histories alone."""
    size, voxels = histories // BATCHES, int(np.prod(problem.score_shape))
    tally = empty_tally(problem.scoring, voxels)
    run_batch(problem, 0, 0, seed, tally)
    total, squares, seconds = np.zeros(voxels), np.zeros(voxels), 0.0
    for batch in range(BATCHES):
        tally.energy[:] = 0.0  # written to, so that the first touch of its pages is not in the time either
        begun = time.thread_time()
        run_batch(problem, batch * size, size, seed, tally)
        seconds += time.thread_time() - begun
        total += tally.energy / size
        squares += (tally.energy / size) ** 2
    mean = total / BATCHES
    variance = (squares / BATCHES - mean**2) / (BATCHES - 1)
    shape = problem.score_shape[::-1]
    return Spread(mean.reshape(shape), variance.reshape(shape), seconds)


def run_batch(problem: Problem, first: int, size: int, seed: int, tally: Tally) -> None:
    """Run histories through the loop of their problem."""
    pencils, start, key = np.zeros(size, np.int64), np.uint64(first), np.uint64(seed)
    if isinstance(problem.packed, RepeatedProblem):
        run_repeated_histories(problem.packed, start, pencils, key, tally, empty_repeated_room())
    elif isinstance(problem.packed, CoupledProblem):
        run_coupled_histories(problem.packed, start, pencils, key, tally, empty_room())


def seconds_to_one_percent(run: Spread, expected: Array) -> float:
    """Return the CPU seconds until the root mean square of relative uncertainties is 1 %.

    Over the voxels of more than half the maximum; ``expected`` is a dose with little noise, which chooses the voxels
    and is what uncertainties are relative to.
    """
    high = expected > 0.5 * depth_dose(expected).max()
    relative = run.variance[high] / expected[high] ** 2
    return run.cpu_seconds * float(relative.mean()) / 0.01**2


def symmetric(dose: Array) -> Array:
    """Return the mean over the eight symmetries of a square field, [z, y, x]."""
    once = dose + dose.transpose(0, 2, 1)
    twice = once + once[:, ::-1, :]
    return (twice + twice[:, :, ::-1]) / 8.0


def depth_dose(dose: Array, side_cm: float = 30.0) -> Array:
    """Return the mean over the middle of the field by depth."""
    reach, middle = round(PLATEAU_CM / side_cm * dose.shape[1]), dose.shape[1] // 2
    inner: Array = dose[:, middle - reach : middle + reach, middle - reach : middle + reach].mean(axis=(1, 2))
    return inner


def uncertainty(share: float) -> list[str]:
    """CPU seconds to a mean uncertainty of 1 %."""
    split = f"photon_splitting = {PLACES}"
    cases: list[tuple[str, str, Problem, int]] = [
        ("6 MV", "analogue", megavoltage(), 10_000_000),
        ("6 MV", split, megavoltage(splitting=PLACES), 1_000_000),
        ("10 MeV electrons", "analogue", parallel_electrons(), 500_000),
        ("10 MeV electrons", "range rejection", parallel_electrons(rejection_MeV=2.0), 500_000),
    ]
    runs = [spread(problem, round(share * histories)) for _, _, problem, histories in cases]
    page = ["CPU seconds of one core until the root mean square of the relative uncertainties of all voxels above half"]
    page += [
        "maximum is 1 %, in 216 000 voxels of 5 mm. DOSXYZnrc: exact boundary crossing, PRESTA-I, its shortcut for"
    ]
    page += ["homogeneous phantoms.\n", "| beam | how | seconds | DOSXYZnrc |", "|---" * 4 + "|"]
    found: dict[tuple[str, str], float] = {}
    for (beam, how, _, _), run in zip(cases, runs, strict=True):
        same = [other for (name, *_), other in zip(cases, runs, strict=True) if name == beam]
        expected = symmetric(_joined(same))
        found[beam, how] = seconds_to_one_percent(run, expected)
        there = ", ".join(f"{s:,}" for s in DOSXYZ_SECONDS[beam])
        page.append(f"| {beam} | {how} | {found[beam, how]:,.1f} | {there} |")
    electrons = min(found["10 MeV electrons", "analogue"], found["10 MeV electrons", "range rejection"])
    photons = found["6 MV", split]
    return [
        *page,
        "",
        judged(f"6 MV with {split}: {photons:,.0f} s", photons, most=130),
        "",
        judged(f"10 MeV electrons: {electrons:,.0f} s", electrons, most=30),
    ]


def _joined(runs: list[Spread]) -> Array:
    """Return the mean of runs of the same dose, each with the weight of what it knows."""
    weights = [1.0 / float(run.variance.sum()) for run in runs]
    together: Array = sum((w * run.mean for w, run in zip(weights, runs, strict=True)), np.zeros_like(runs[0].mean))
    return together / sum(weights)


def track(share: float) -> list[str]:
    """The track-length estimator against the analogue one."""
    page = ["100 keV photons; efficiency (one over variance and CPU time) in the field at depths of 1 to 5 cm.\n"]
    page += ["| voxels | field | primaries per CPU second: analogue | by track length | gain |", "|---" * 5 + "|"]
    said = []
    for voxel, side, field, histories, least in ((5.0, 300.0, 10.0, 4_000_000, 10), (1.0, 200.0, 5.0, 6_000_000, 50)):
        problems = [kilovoltage(side, voxel, field, track_length=by_path) for by_path in (False, True)]
        gains, speeds = [], []
        for seed in range(3):
            counts = [round(share * histories), round(share * histories / 4)]
            runs = [spread(problem, n, seed) for problem, n in zip(problems, counts, strict=True)]
            gains.append(gain(runs[0], runs[1], voxel / 10.0, field))
            speeds.append([n / run.cpu_seconds for n, run in zip(counts, runs, strict=True)])
        middle = statistics.median(gains)
        analogue, by_path = (statistics.median(column) for column in zip(*speeds, strict=True))
        page.append(f"| {voxel:g} mm | {field:g} x {field:g} cm2 | {analogue:,.0f} | {by_path:,.0f} | {middle:.1f} |")
        said += ["", judged(f"In voxels of {voxel:g} mm it is {middle:.1f} times as efficient", middle, least=least)]
    return [*page, *said]


def gain(analogue: Spread, by_path: Spread, voxel_cm: float, field_cm: float) -> float:
    """Return the ratio of efficiencies inside the field, half a centimetre from its edge, 1 to 5 cm deep."""
    count = analogue.mean.shape[1]
    reach = round((field_cm / 2 - 0.5) / voxel_cm)
    across = slice(count // 2 - reach, count // 2 + reach)
    inside = (slice(round(1.0 / voxel_cm), round(5.0 / voxel_cm)), across, across)
    expected = by_path.mean[inside].mean(axis=(1, 2), keepdims=True)
    costs = [float((run.variance[inside] / expected**2).mean()) * run.cpu_seconds for run in (analogue, by_path)]
    return costs[0] / costs[1]


def threads(share: float) -> list[str]:
    """One thread against two, wall time."""
    histories, cores = round(share * 2_000_000), len(os.sched_getaffinity(0))
    page = []
    for name, problem, n in (
        ("", megavoltage(), histories),
        (", split", megavoltage(splitting=PLACES), histories // 10),
    ):
        one, two = (wall_rate(problem, n, count) for count in (1, 2))
        words = f"Wall time, 6 MV{name}, {cores} cores: two threads are {two / one:.2f} times as fast as one"
        page += [judged(words, two / one, least=1.8), ""]
    return page


def memory(share: float) -> list[str]:
    """Peak memory of the 216 000 voxels."""
    page = ["| 6 MV, 216 000 voxels | peak memory (MB) |", "|---|---|"]
    for name, places in (("analogue", 0), (f"photon_splitting = {PLACES}", PLACES)):
        run = in_child("megavoltage", (5.0, 5.0, places), histories=round(share * 200_000))
        page.append(f"| {name} | {run['peak_bytes'] / 1e6:.0f} |")
    return page


def compilation(_: float) -> list[str]:
    """Compile time with and without compiled code on disk."""
    page = []
    for name, places in (("analogue", 0), ("with split photons", PLACES)):
        cold, warm = cold_and_warm("megavoltage", (5.0, 5.0, places))
        page += [f"6 MV, {name}: without compiled code on disk {cold['compile_seconds']:.1f} s.", ""]
        again = f"6 MV, {name}: in the next process {warm['compile_seconds']:.2f} s"
        page += [judged(again, warm["compile_seconds"], most=1), ""]
    return page


PARTS: dict[str, tuple[str, Callable[[float], list[str]]]] = {
    "rates": ("Histories", rates),
    "uncertainty": ("Time to 1 %", uncertainty),
    "track": ("Kilovoltage dose by track length", track),
    "threads": ("Threads", threads),
    "memory": ("Memory", memory),
    "compile": ("Compilation", compilation),
}


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts asked for and renew their sections."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--share", type=float, default=1.0, help="of the histories; below 1 no page is written")
    chosen = parser.parse_args(arguments)
    simulate(megavoltage(), Goal(histories=100), threads=1)  # compiled code is loaded before the clock runs
    for part in chosen.parts or PARTS:
        title, measure = PARTS[part]
        section = "\n".join([f"## {title}\n", *measure(chosen.share)])
        print(section, flush=True)
        if chosen.share >= 1.0:
            write_parts(PAGE, TOP, list(PARTS), {part: section})


if __name__ == "__main__":
    main()
