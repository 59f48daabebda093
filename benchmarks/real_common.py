"""What the measurements on real plans share: the data, a run of the command, pictures and pages."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dosewright.core.grid import Image
from dosewright.core.interpolate import sample

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
MEASURED = ROOT / "docs" / "measured"
COMMAND = Path(sys.executable).with_name("dosewright")

OURS, THEIRS = "#0b5f6b", "#c8500a"
OTHERS = ("#c8500a", "#7B5EA7", "#E69F00", "#5F6B73")
DOTS_PER_INCH = 90
WAIT4_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024  # ru_maxrss, getrusage(2)

Floats = NDArray[np.float64]


class DataMissingError(Exception):
    """Input data is not there; the message is the sentence for the page."""


@dataclass(frozen=True)
class Settings:
    """Mean uncertainty of the plans (percent), primaries of each depth dose, folder that keeps the runs, threads."""

    uncertainty_percent: float
    primaries: int
    work: Path
    threads: int = 0


@dataclass(frozen=True)
class Run:
    """One run of the command, with its wall and CPU time (seconds) and peak resident memory (bytes)."""

    exit_code: int
    output: str
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    folder: Path | None

    @property
    def results(self) -> Path:
        """The result folder of a run that ended well."""
        if self.folder is None or self.exit_code != 0:
            raise RuntimeError(f"the command ended with {self.exit_code}:\n{self.output}")
        return self.folder

    @property
    def summary(self) -> dict[str, Any]:
        """The figures of the finished run."""
        return dict(json.loads((self.results / "summary.json").read_text(encoding="utf-8")))


def needed(*parts: str) -> Path:
    """Return a path in the data folder, or say that it is missing."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        raise DataMissingError(
            f"`{'/'.join(parts)}` is not in the data folder beside the repository; nothing was measured."
        )
    return path


def run_command(arguments: Sequence[object], folder: Path | None = None) -> Run:
    """Run the command line in a process of its own and measure it."""
    started = time.monotonic()
    with subprocess.Popen(
        [str(COMMAND), *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Run(process.returncode, output, time.monotonic() - started, *_used(usage), folder)


def _used(usage: resource.struct_rusage) -> tuple[float, int]:
    return usage.ru_utime + usage.ru_stime, int(usage.ru_maxrss) * WAIT4_UNIT_BYTES


def machine() -> str:
    """Say on what the times were measured, and how busy it was."""
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    model = "processor of unknown make"
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model nam")
        ]
        model = named[0] if named else model
    busy = "idle before" if load < 0.5 else f"NOT idle: load average {load:.1f} before the run, so times are too long"
    return f"{cores} cores, {model}; {busy}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def bullets(sentences: Iterable[str]) -> str:
    """Return a Markdown list."""
    return "\n".join(f"- {sentence}" for sentence in sentences)


def figure(panels: int, *, height: float = 3.4) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels side by side."""
    drawn = Figure(figsize=(5.2 * panels, height), layout="constrained")
    axes = [drawn.add_subplot(1, panels, n + 1) for n in range(panels)]
    for one in axes:
        one.grid(color="#dde3e6", linewidth=0.6)
        one.spines[["top", "right"]].set_visible(False)
    return drawn, axes


def save(drawn: Figure, name: str) -> str:
    """Write a picture beside the page and return its Markdown."""
    MEASURED.mkdir(parents=True, exist_ok=True)
    drawn.savefig(MEASURED / f"{name}.png", dpi=DOTS_PER_INCH)
    return name + ".png"


def line_of(image: Image, axis: int, across_mm: dict[int, tuple[float, float]], at_mm: Floats) -> Floats:
    """Return the mean dose along a patient axis, over lines 2 mm apart in the given spans of the other two axes."""
    spans = {
        a: np.arange(low + 1.0, high, 2.0) if high > low else np.array([low]) for a, (low, high) in across_mm.items()
    }
    (a, first), (b, second) = spans.items()
    points = np.zeros((len(at_mm), len(first), len(second), 3))
    points[..., axis] = at_mm[:, None, None]
    points[..., a], points[..., b] = first[None, :, None], second[None, None, :]
    mean: Floats = sample(image, points.reshape(-1, 3)).reshape(points.shape[:3]).mean(axis=(1, 2))
    return mean


def last_crossing(position: Floats, values: Floats, threshold: float) -> float:
    """Return where values last fall through a threshold, linear in between."""
    n = int(np.flatnonzero(values >= threshold)[-1])
    part = (values[n] - threshold) / (values[n] - values[n + 1])
    return float(position[n] + part * (position[n + 1] - position[n]))


def first_crossing(position: Floats, values: Floats, threshold: float) -> float:
    """Return where values first rise through a threshold, linear in between."""
    return -last_crossing(-position[::-1], values[::-1], threshold)
