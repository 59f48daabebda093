"""The compiled kernels and the same functions in plain Python give the same answer."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PROGRAM = """
import sys
import numpy as np
from tests.transport.flights import pencil_problem, run, water_and_bone

problem = pencil_problem(water_and_bone(), 60.0, let=True)
tallies = []
with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
    for number in range(5):
        tallies.append(np.concatenate([part.ravel() for part in run(problem, 1, first=number)]))
np.save(sys.argv[1], tallies)
"""
ROOT = Path(__file__).parents[2]


def histories(folder: Path, program: str, **environment: str) -> NDArray[np.float64]:
    """What each history adds to the tally, as a program says, one row each."""
    file = folder / f"{len(environment)}.npy"
    path = os.pathsep.join([str(ROOT), *sys.path])
    subprocess.run(
        [sys.executable, "-c", program, str(file)], check=True, env={**os.environ, "PYTHONPATH": path, **environment}
    )
    rows: NDArray[np.float64] = np.load(file)
    return rows


def test_compiled_and_plain_python_agree(tmp_path: Path) -> None:
    """Five histories through water into bone, one by one: energy, dose to water and LET of every voxel.

    Fused multiplication leaves other last digits, some 1e-6 at the end of a history. A step may then end on another
    side of a threshold and the history go its own way from there: one may, and another one must not.
    """
    compiled, plain = histories(tmp_path, PROGRAM), histories(tmp_path, PROGRAM, NUMBA_DISABLE_JIT="1")
    assert compiled.shape == plain.shape
    apart = np.abs(compiled - plain).max(axis=1) / np.abs(compiled).max(axis=1)
    assert np.all(np.sort(apart)[:-1] < 1e-5), apart
