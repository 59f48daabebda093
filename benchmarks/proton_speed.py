"""How fast protons are transported: ``python -m benchmarks.proton_speed [PART ...]``.

Parts: table threads patient voxels histories memory compile vectors. A part that is named alone keeps the other
sections of docs/measured/proton_speed.md; ``--histories`` makes it a quick look.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.page_parts import write_parts
from benchmarks.speed_child import cold_and_warm, has_wide_vectors, in_child, one_by_one, without_wide_vectors
from benchmarks.speed_problems import patient, water
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import Problem
from dosewright.simulation.run import simulate

MEASURED = Path(__file__).resolve().parents[1] / "docs" / "measured"
PAGE = MEASURED / "proton_speed.md"
REPEATS = 5
ENERGIES = (70.0, 100.0, 150.0, 200.0, 230.0)
VOXELS_MM = (1.0, 2.0, 3.0)
CUBES = (64, 128, 192, 256, 384)
GIGABYTE = 1e9
# Primaries per CPU second of one core of a Zen 4 server in 2 mm voxels, by energy; measured for the reference doses
# (their README): MCsquare of opentps-core 2.0.0 through its AVX-512 path, and the build that AMD processors get.
MCSQUARE_WIDE = {100.0: 88_900, 150.0: 51_500, 200.0: 32_300}
MCSQUARE_GENERIC = {100.0: 37_900, 150.0: 20_600, 200.0: 14_100}
TOP = """# Speed of proton transport, measured

Made by `python -m benchmarks.proton_speed`: full physics, dose to medium scored in every voxel, a spot of 5 mm sigma in
a box of 300 x 100 x 100 mm; medians of {repeats} runs, in primaries per CPU second of one core. Compiled code was
cached. A missed bound is marked.
"""


def by_simulate(problem: Problem, histories: int, seed: int) -> float:
    """Return primaries per CPU second of a run."""
    return simulate(problem, Goal(histories=histories), seed=seed, threads=1).histories_per_cpu_second


def rate(problem: Problem, histories: int) -> float:
    """Return the median of primaries per CPU second."""
    return statistics.median(by_simulate(problem, histories, seed) for seed in range(REPEATS))


def rates_in_turn(problems: Sequence[Problem], histories: int) -> list[float]:
    """Return the median rates of problems that take turns, so that a busy moment spoils no single one."""
    each = [[by_simulate(p, histories, seed) for p in problems] for seed in range(REPEATS)]
    return [statistics.median(column) for column in zip(*each, strict=True)]


def wall_rate(problem: Problem, histories: int, threads: int) -> float:
    """Return the median of primaries per second of wall time."""
    rates = []
    for seed in range(REPEATS):
        begun = time.monotonic()
        result = simulate(problem, Goal(histories=histories), seed=seed, threads=threads)
        rates.append(histories / (time.monotonic() - begun - result.compile_seconds))
    return statistics.median(rates)


def judged(words: str, value: float, least: float | None = None, most: float | None = None) -> str:
    """Return a sentence with its bound and whether it is met."""
    met = (least is None or value >= least) and (most is None or value <= most)
    bound = f"at least {least:,g}" if least is not None else f"at most {most:,g}"
    return f"{words} (bound: {bound}; {'met' if met else '**MISSED**'})."


def table(histories: int) -> list[str]:
    """Energies by voxel sizes, the codes beside."""
    page = ["| | " + " | ".join(f"{e:g} MeV" for e in ENERGIES) + " |", "|---" * (len(ENERGIES) + 1) + "|"]
    measured: dict[float, list[float]] = {}
    for voxel in VOXELS_MM:
        measured[voxel] = rates_in_turn([water(energy, voxel) for energy in ENERGIES], histories)
        page.append(f"| {voxel:g} mm | " + " | ".join(f"{r:,.0f}" for r in measured[voxel]) + " |")
    for name, code in (("MCsquare, AVX-512, 2 mm", MCSQUARE_WIDE), ("MCsquare, generic, 2 mm", MCSQUARE_GENERIC)):
        page.append(f"| {name} | " + " | ".join(f"{code[e]:,}" if e in code else "" for e in ENERGIES) + " |")
    draw(measured)
    here = measured[2.0][ENERGIES.index(150.0)]
    said = judged(f"150 MeV in 2 mm: {here:,.0f} primaries per CPU second", here, least=103_000)
    return [*page, "", said, "", "![Rates by energy](proton_speed.png)"]


def draw(measured: dict[float, list[float]]) -> None:
    """Draw the rates over energy."""
    picture = Figure(figsize=(6, 4), layout="constrained")
    axes = picture.subplots()
    for (voxel, rates), colour in zip(measured.items(), ("#7ab8c4", "#0b5563", "#04303a"), strict=True):
        axes.plot(ENERGIES, [r / 1000 for r in rates], "o-", color=colour, label=f"Dosewright, {voxel:g} mm")
    for name, code, colour in (("AVX-512", MCSQUARE_WIDE, "#7a5195"), ("generic", MCSQUARE_GENERIC, "#c9b3d9")):
        axes.plot(list(code), [r / 1000 for r in code.values()], "s--", color=colour, label=f"MCsquare {name}, 2 mm")
    axes.set(xlabel="Energy (MeV)", ylabel="1000 primaries per CPU second", yscale="log")
    axes.legend(frameon=False)
    MEASURED.mkdir(parents=True, exist_ok=True)
    picture.savefig(MEASURED / "proton_speed.png", dpi=100)


def threads(histories: int) -> list[str]:
    """One thread against two, wall time."""
    problem = water(150.0, 2.0)
    one, two = (wall_rate(problem, 4 * histories, n) for n in (1, 2))
    cores = len(os.sched_getaffinity(0))
    words = f"Wall time, 150 MeV, 2 mm, {cores} cores: two threads are {two / one:.2f} times as fast as one"
    return [judged(words, two / one, least=1.8)]


def tissue(histories: int) -> list[str]:
    """Patient-like media against water, for a spot and for a field of spots."""
    page = ["30 tissues that change from voxel to voxel, stopping power that of water; 150 MeV, voxels of 2 mm.\n"]
    page += ["| | water | tissues | ratio |", "|---|---|---|---|"]
    ratios = []
    for name, field in (("one spot", 0.0), ("field of 80 x 80 mm, spots of 5 mm", 80.0)):
        in_water, in_tissue = rates_in_turn([water(150.0, 2.0, field), patient(150.0, 2.0, field)], histories)
        ratios.append(in_tissue / in_water)
        page.append(f"| {name} | {in_water:,.0f} | {in_tissue:,.0f} | {ratios[-1]:.2f} |")
    return [*page, "", judged(f"The lower ratio is {min(ratios):.2f}", min(ratios), least=0.7)]


def voxels(histories: int) -> list[str]:
    """Number of voxels, in processes of their own."""
    page = ["A water cube of 320 mm, a field of spots of 100 mm, 150 MeV, one thread.\n"]
    page += ["| voxels | size (mm) | per CPU second | per second of wall time | peak memory (GB) |", "|---" * 5 + "|"]
    for count in CUBES if histories >= 50_000 else CUBES[:2]:
        run = in_child("cube", (150.0, count), histories=10 * histories)
        page.append(
            f"| {count}^3 | {320 / count:.3g} | {run['per_cpu_second']:,.0f} | {run['per_second']:,.0f} | "
            f"{run['peak_bytes'] / GIGABYTE:.2f} |"
        )
    return page


def many(histories: int) -> list[str]:
    """Number of histories: speed and memory must not depend on it."""
    page = ["Water in 2 mm, 150 MeV, one thread.\n"]
    page += ["| histories | per CPU second | peak memory (MB) |", "|---|---|---|"]
    peaks = []
    for factor in (1, 10, 50):
        run = in_child("water", (150.0, 2.0), histories=factor * histories)
        peaks.append(run["peak_bytes"])
        page.append(f"| {factor * histories:,} | {run['per_cpu_second']:,.0f} | {run['peak_bytes'] / 1e6:.0f} |")
    return [*page, "", judged(f"Fifty times the histories take {peaks[-1] / peaks[0]:.2f} times the memory",
                              peaks[-1] / peaks[0], most=1.1)]  # fmt: skip


def memory(histories: int) -> list[str]:
    """A whole CT, two threads."""
    coarser = 1.0 if histories >= 50_000 else 4.0
    run = in_child("whole_ct", (150.0, coarser), histories=10 * histories, threads=2)
    peak = run["peak_bytes"] / GIGABYTE
    words = (
        f"512 x 512 x 300 voxels of 30 tissues, dose to medium and to water on 256^3, two threads: {peak:.2f} GB at"
        f" most, {run['per_cpu_second']:,.0f} primaries per CPU second, {run['per_second']:,.0f} of wall time"
    )
    quick = [] if coarser == 1.0 else [f"(A quick look: {coarser:g} times coarser along each axis.)\n"]
    return [*quick, judged(words, peak, most=6.0)]


def compilation(_: int) -> list[str]:
    """Compile time with and without compiled code on disk."""
    cold, warm = cold_and_warm()
    first = judged(f"Without compiled code on disk: {cold['compile_seconds']:.1f} s", cold["compile_seconds"], most=30)
    again = judged(f"In the next process: {warm['compile_seconds']:.2f} s", warm["compile_seconds"], most=1)
    return [first, again]


def vectors(histories: int) -> list[str]:
    """The same code with the vectors of this processor, with those of AVX2, and one particle after the other."""
    names = ["as compiled for this processor", "with 256-bit vectors (AVX2)", "as a scalar loop"]
    rates = [
        statistics.median(
            in_child("water", (150.0, 2.0), histories=histories, environment=environment)["per_cpu_second"]
            for _ in range(3)
        )
        for environment in ({}, without_wide_vectors(), one_by_one())
    ]
    each = ", ".join(f"{rate:,.0f} {name}" for rate, name in zip(rates, names, strict=True))
    page = [f"150 MeV, 2 mm, primaries per CPU second: {each}."]
    if not has_wide_vectors():
        page.append("This processor has no 512-bit vectors.")
    return [*page, judged(f"AVX2 over the scalar loop: {rates[1] / rates[2]:.2f}", rates[1] / rates[2], least=1.5)]


PARTS: dict[str, tuple[str, Callable[[int], list[str]]]] = {
    "table": ("Energies and voxel sizes", table),
    "threads": ("Threads", threads),
    "patient": ("Tissues", tissue),
    "voxels": ("Number of voxels", voxels),
    "histories": ("Number of histories", many),
    "memory": ("Memory of a whole CT", memory),
    "compile": ("Compilation", compilation),
    "vectors": ("Without wide vectors", vectors),
}


def main(arguments: list[str] | None = None) -> None:
    """Measure the parts asked for and renew their sections."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--histories", type=int, default=100_000, help="of one run; fewer than 50000 write no page")
    chosen = parser.parse_args(arguments)
    simulate(water(100.0, 2.0), Goal(histories=100), threads=1)  # compiled code is loaded before the clock runs
    for part in chosen.parts or PARTS:
        title, measure = PARTS[part]
        section = "\n".join([f"## {title}\n", *measure(chosen.histories)])
        print(section, flush=True)
        if chosen.histories >= 50_000:
            write_parts(PAGE, TOP.format(repeats=REPEATS), list(PARTS), {part: section})


if __name__ == "__main__":
    main()
