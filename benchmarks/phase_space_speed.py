"""How fast phase spaces are read, written, changed and analysed, and in how much memory.

``python -m benchmarks.phase_space_speed [--megabytes 1000] [--page]`` makes a file of that size in a temporary folder
and runs the product's own commands on it, each in a process of its own: processor time, wall time, peak memory. The
rate is of bytes of the source per second of processor time, one core; beside it that of bytes written. The source is in
the system's memory, what is written goes to disk and is read back from there. ``--page`` writes
docs/measured/phase_spaces.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dosewright.core.particles import ELECTRON, PHOTON, Layout, Particles
from dosewright.formats.phase_space.open import create_phase_space, open_phase_space

PAGE = Path(__file__).resolve().parents[1] / "docs" / "measured" / "phase_spaces.md"
RECORD_BYTES = 29  # x, y, u, v, weight, energy, species and the histories that sent nothing
BATCH = 1 << 16
LEAST_MB_S, LONGEST_S_PER_GB, MOST_MB = 200.0, 15.0, 300.0
FORMATS = (".IAEAheader", ".egsphsp1", ".phsp", ".h5")


@dataclass(frozen=True)
class Took:
    """What one command took."""

    wall_s: float
    cpu_s: float
    memory_MB: float


def particles(number: int, seed: int = 1) -> Iterator[Particles]:
    """Yield made particles: a beam of photons with some electrons, three records to a history on average."""
    numbers = np.random.default_rng(seed)
    for first in range(0, number, BATCH):
        n = min(BATCH, number - first)
        x, y = numbers.normal(0, 5, (2, n)).astype(np.float32)
        u, v = (x / 100).astype(np.float32), (y / 100).astype(np.float32)
        new = numbers.random(n) < 1 / 3
        new[0] |= first == 0
        yield Particles(
            species=np.where(numbers.random(n) < 0.02, ELECTRON, PHOTON).astype(np.int8),
            energy_MeV=numbers.gamma(2, 0.8, n).astype(np.float32) + np.float32(0.01),
            x_cm=x, y_cm=y, z_cm=np.full(n, 100, np.float32), u=u, v=v, w=np.sqrt(1 - u * u - v * v),
            weight=np.full(n, 0.5, np.float32), histories=np.where(new, 2, 0).astype(np.int64),
        )  # fmt: skip


def make(path: Path, number: int) -> None:
    """Write the file that all is done with."""
    layout = Layout(constants={"z_cm": 100.0}, extra={"incremental_history": "i4"})
    histories = 0
    with create_phase_space(path, layout) as writer:
        for batch in particles(number):
            histories += int(batch.histories.sum())
            writer.write(batch)
        writer.finish(float(histories))


def took(*command: str) -> Took:
    """Run a command of the product in a process of its own."""
    begun = time.monotonic()
    words = [sys.executable, "-c", "from dosewright.cli.main import main; main()", *command]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}")
    return Took(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def read_all(path: Path) -> float:
    """Return the seconds of processor time in which all records are read, from the system's memory."""
    for _ in open_phase_space(path).batches():
        pass
    begun = time.process_time()
    for _ in open_phase_space(path).batches():
        pass
    return time.process_time() - begun


def rows(folder: Path, megabytes: float) -> list[str]:
    """Return a table row for each command."""
    source = folder / "source.IAEAheader"
    make(source, round(megabytes * 1e6 / RECORD_BYTES))
    size = source.with_suffix(".IAEAphsp").stat().st_size
    asked: list[tuple[str, tuple[str, ...]]] = [
        ("analyse: figures and all histograms", ("phsp", "analyse", str(source), "-o", str(folder / "found")))
    ]
    asked += [("transform and write as IAEA", ("phsp", "transform", str(source), str(folder / "moved.IAEAheader"), "-t",
                                               "D 0 0 10 RTPS 30 20 10"))]  # fmt: skip
    asked += [(f"convert to `{suffix}`", ("phsp", "convert", str(source), str(folder / f"converted{suffix}")))
              for suffix in FORMATS]  # fmt: skip
    found = [f"| read alone | {size / read_all(source) / 1e6:.0f} MB/s | | | | |"]
    for what, command in asked:
        used = took(*command)
        rate = size / used.cpu_s / 1e6
        missed = []
        if what.startswith("analyse") and used.cpu_s > LONGEST_S_PER_GB * size / 1e9:
            missed.append(f"more than {LONGEST_S_PER_GB:g} s per GB")
        if not what.startswith("analyse") and rate < LEAST_MB_S:
            missed.append(f"below {LEAST_MB_S:g} MB/s")
        if used.memory_MB > MOST_MB:
            missed.append(f"above {MOST_MB:g} MB")
        verdict = f"**missed**: {', '.join(missed)}" if missed else "met"
        made = [*folder.glob("moved.*"), *folder.glob("converted.*")]
        written = f"{sum(path.stat().st_size for path in made) / used.cpu_s / 1e6:.0f} MB/s" if made else ""
        figures = f"{written} | {used.wall_s:.1f} s | {used.cpu_s:.1f} s | {used.memory_MB:.0f} MB"
        found.append(f"| {what} | {rate:.0f} MB/s | {figures} | {verdict} |")
        print(found[-1], flush=True)
        for path in made:
            path.unlink()
    top = ["| | rate | written | wall | processor | memory | |", "|---|---|---|---|---|---|---|"]
    return [f"{size / 1e6:,.0f} MB, {size // RECORD_BYTES:,} particles.", "", *top, *found, ""]


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write the page where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=1000.0)
    parser.add_argument("--page", action="store_true")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        text = rows(Path(folder), asked.megabytes)
    if asked.page:
        top = [
            "# Phase spaces: speed and memory, measured",
            "",
            "Made by `python -m benchmarks.phase_space_speed --page`. An IAEA file of made particles; each command",
            "in a process of its own, its start included. What is written is read again from the disk, byte for byte,",
            "before it gets its name, which is part of the time. Rates are of bytes of the source per second of",
            "processor time, and beside them of bytes written: an IAEA record of 29 bytes becomes 28 in EGSnrc, and 51",
            "in TOPAS, where histories that sent nothing are records too. The source is in the system's memory.",
            "",
        ]
        PAGE.write_text("\n".join([*top, *text]), encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
