"""One run in a process of its own, for what only a process tells: peak memory, start-up, another processor.

``python -m benchmarks.speed_child PROBLEM HISTORIES THREADS NUMBER ...`` prints one line of JSON.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

from benchmarks import photon_problems, speed_problems
from dosewright.simulation.goal import Goal
from dosewright.simulation.run import simulate

ROOT = Path(__file__).resolve().parents[1]
STATUS = Path("/proc/self/status")


def in_child(
    problem: str,
    numbers: Sequence[float],
    *,
    histories: int,
    threads: int = 1,
    environment: dict[str, str] | None = None,
) -> dict[str, float]:
    """Run a problem in a new process; return its seconds, rate and peak memory (bytes)."""
    command = [sys.executable, "-m", "benchmarks.speed_child", problem, str(histories), str(threads)]
    done = subprocess.run(
        [*command, *(f"{n:g}" for n in numbers)],
        cwd=ROOT,
        env=os.environ | (environment or {}),
        check=True,
        capture_output=True,
        text=True,
    )
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def cold_and_warm(
    problem: str = "water", numbers: Sequence[float] = (100.0, 2.0)
) -> tuple[dict[str, float], dict[str, float]]:
    """Return a first run with an empty folder of compiled code, and a second one in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"DOSEWRIGHT_CACHE": folder}
        runs = [in_child(problem, numbers, histories=20, environment=environment) for _ in range(2)]
    return runs[0], runs[1]


def without_wide_vectors() -> dict[str, str]:
    """Return an environment in which code is compiled for this processor less its 512-bit vectors."""
    features = llvm.get_host_cpu_features()
    for name in features:
        if name.startswith(("avx512", "avx10", "evex512")):
            features[name] = False
    return {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": features.flatten() + ",+fast-gather"}


def one_by_one() -> dict[str, str]:
    """Return an environment in which the loop over lanes stays a loop: AVX2, but gathers are thought too dear."""
    environment = without_wide_vectors()
    return environment | {"NUMBA_CPU_FEATURES": environment["NUMBA_CPU_FEATURES"].removesuffix(",+fast-gather")}


def has_wide_vectors() -> bool:
    """Say whether this processor has 512-bit vectors."""
    return bool(llvm.get_host_cpu_features().get("avx512f", False))


def peak_bytes() -> int:
    """Return the most memory this process has held.

    Linux hands ru_maxrss on from a parent to what it starts, so its own mark of the address space is read there.
    """
    if STATUS.exists():
        line = next(text for text in STATUS.read_text().splitlines() if text.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    """Run what the command line says and print what it took."""
    name, histories, threads, *numbers = sys.argv[1:]
    problem = (speed_problems.PROBLEMS | photon_problems.PROBLEMS)[name](*(float(n) for n in numbers))
    begun = time.monotonic()
    result = simulate(problem, Goal(histories=int(histories)), seed=1, threads=int(threads))
    measured: dict[str, Any] = {
        "compile_seconds": result.compile_seconds,
        "wall_seconds": time.monotonic() - begun,
        "per_cpu_second": result.histories_per_cpu_second,
        "per_second": result.histories / max(result.wall_seconds - result.compile_seconds, 1e-9),
        "peak_bytes": peak_bytes(),
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
