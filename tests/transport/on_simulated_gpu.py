"""Run the same histories by the drivers of CPU and GPU, all in plain Python; prints what `test_cuda` compares.

To be run with NUMBA_ENABLE_CUDASIM=1 and NUMBA_DISABLE_JIT=1.
"""

import json

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.geometry.beam.range_shifter import plate
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring.deposit import Tally, empty_tally
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem, proton_problem
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.sources.pencil_beams import PencilBeams
from dosewright.transport import loop_cpu, loop_cuda
from dosewright.transport.lanes import LANES

SEED, FIRST = 3 << 40 | 5, 1 << 33 | 7  # both words of each matter
SETTINGS = TransportSettings(let=True)


def in_voxels() -> tuple[Problem, np.ndarray]:
    """Water with a layer of bone, scored in its own voxels; 40 primaries of 90 MeV."""
    across, along = np.linspace(-50, 50, 11), np.linspace(0, 60, 13)
    material = np.zeros((12, 10, 10), np.uint8)
    material[4:6] = 1
    density = np.where(material == 1, 1.85, 1.0).astype(np.float32)
    media = (named("G4_WATER"), named("G4_BONE_CORTICAL_ICRP"))
    voxels = Voxels((across, across, along), Rigid.identity(), material, density, media)
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY], row[0, emit.XX], row[0, emit.YY] = 90.0, 0.3, 0.4
    nothing = np.zeros(0)
    source = Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), nothing, nothing, nothing)
    flip = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))
    problem = phantom_problem(voxels=voxels, source=source, weights=np.ones(1), to_patient=flip, settings=SETTINGS)
    return problem, np.zeros(40, np.int64)


def in_grid() -> tuple[Problem, np.ndarray]:
    """A plate in the beam, air, and water scored on a smaller grid that lies across its voxels; 40 primaries."""
    box = Grid((8, 8, 10), (5.0, 5.0, 4.0), (-17.5, -17.5, -38.0))
    scored = Grid((11, 9, 8), (3.0, 3.5, 4.5), (-15.0, -14.0, -33.0))
    rows = np.zeros((3, emit.PENCIL_COLUMNS))
    rows[:, emit.X] = -0.5, 0.0, 0.5
    rows[:, emit.XX] = rows[:, emit.YY] = 0.3
    rows[:, emit.MEAN_ENERGY], rows[:, emit.ENERGY_SIGMA], rows[:, emit.START_Z] = 75.0, 0.4, 10.0
    water = np.zeros(box.array_shape, np.uint8)
    problem = proton_problem(
        voxels=Voxels.on_grid(box, water, np.ones(box.array_shape, np.float32), [named("G4_WATER")]),
        pencil_beams=PencilBeams(rows, np.ones(3), 100.0, "air", None, ()),
        beamline=(plate("plate", named("G4_POLYCARBONATE"), 15.0, 45.0),),
        to_patient=Rigid.identity(),
        score_grid=scored,
        settings=SETTINGS,
    )
    return problem, np.arange(40) % 3


def empty(problem: Problem) -> Tally:
    """Return an empty tally."""
    return empty_tally(problem.packed.scoring, int(np.prod(problem.score_shape)))


def on_cpu(problem: Problem, pencils: np.ndarray) -> Tally:
    """Return the tally of the CPU driver."""
    tally = empty(problem)
    room = loop_cpu.empty_room()
    loop_cpu.run_histories(problem.packed, np.uint64(FIRST), pencils, np.uint64(SEED), tally, room)
    return tally


def on_gpu(problem: Problem, pencils: np.ndarray, slots: int, steps: int) -> Tally:
    """Return the tally of the GPU driver."""
    tally = empty(problem)
    loop_cuda.STEPS = steps
    there = loop_cuda.put_on_device(problem.packed, tally.energy.size, slots)
    loop_cuda.run_histories(there, FIRST, pencils, SEED, tally)
    return tally


def main() -> None:
    """Run all and print; the CPU first, for in the simulator both share `deposit.add`."""
    problems = {made.__name__: made() for made in (in_voxels, in_grid)}
    cpu = {name: on_cpu(*problem) for name, problem in problems.items()}
    answer = {}
    for name, problem in problems.items():
        gpu, again = on_gpu(*problem, LANES, 8), on_gpu(*problem, 2 * LANES, 20)
        answer[name] = {
            "cpu": [array.tolist() for array in cpu[name]],
            "gpu": [array.tolist() for array in gpu],
            "same": all(np.array_equal(a, b) for a, b in zip(gpu[:3], again[:3], strict=True)),
        }
    print(json.dumps(answer))


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        main()
