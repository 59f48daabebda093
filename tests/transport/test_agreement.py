"""The compiled kernels and the same functions in plain Python give the same answer."""

import os
import subprocess
import sys

PROGRAM = """
import numpy as np
from dosewright.core.frame import Rigid
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring.deposit import ACCOUNT_ROWS, Tally
from dosewright.simulation.problem import TransportSettings, phantom_problem
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.transport.loop_cpu import run_histories
from dosewright.transport.tracks import empty_stack

edges = np.linspace(-50, 50, 11)
deep = np.linspace(0, 60, 13)
material = np.zeros((12, 10, 10), np.uint8)
material[4:6] = 1
density = np.where(material == 1, 1.85, 1.0).astype(np.float32)
media = (named("G4_WATER"), named("G4_BONE_CORTICAL_ICRP"))
voxels = Voxels((edges, edges, deep), Rigid.identity(), material, density, media)
row = np.zeros((1, emit.PENCIL_COLUMNS))
row[0, emit.MEAN_ENERGY], row[0, emit.XX], row[0, emit.YY] = 90.0, 0.3, 0.4
nothing = np.zeros(0)
source = Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), nothing, nothing, nothing)
flip = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))
problem = phantom_problem(
    voxels=voxels, source=source, weights=np.ones(1), to_patient=flip, settings=TransportSettings()
)
tally = Tally(np.zeros(1200), np.zeros(1200), np.zeros(ACCOUNT_ROWS))
with np.errstate(over="ignore"):
    run_histories(problem.packed, np.uint64(0), np.zeros(20, np.int64), np.uint64(3), tally, empty_stack())
print(repr(tally.energy.sum()), repr((tally.energy * np.arange(1200)).sum()), repr(tally.energy_to_water.sum()))
"""


def run(**environment: str) -> list[float]:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return [float(word.removeprefix("np.float64(").removesuffix(")")) for word in answer.stdout.split()]


def test_compiled_and_plain_python_agree() -> None:
    """Twenty histories through water and bone, to the last digits that fused multiplication leaves."""
    compiled, plain = run(), run(NUMBA_DISABLE_JIT="1")
    for a, b in zip(compiled, plain, strict=True):
        assert abs(a - b) < 1e-6 * abs(b)
