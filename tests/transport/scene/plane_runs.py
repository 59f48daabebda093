"""Runs of photons and electrons through planes, with and without scenes and voxels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.scene import Part
from dosewright.geometry.voxels import Voxels
from dosewright.scoring.deposit import Tally, empty_tally
from dosewright.scoring.planes import DIRECTION, ENERGY, PLANE, WEIGHT, counted, has_room
from dosewright.simulation.coupled_problem import coupled_problem
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.simulation.planes import Plane, ReusePlane
from dosewright.simulation.problem import Problem
from dosewright.simulation.reduction_settings import ReductionSettings
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room

from .scene_runs import FORWARD, one_voxel, slab

Array = NDArray[np.float64]
SETTINGS = CoupledSettings()
NO_REDUCTION = ReductionSettings()
NOTHING = np.zeros(0)
FAR = slab("far", "G4_Al", 400.0, 420.0, width_mm=20.0)  # there must be something in a scene
ROOM = 1 << 17


def beam(energy_MeV: float, field_cm: float = 1.0) -> Source:
    """Return a parallel beam."""
    extent, pencils = np.array([field_cm, field_cm, 0.0]), np.zeros((1, emit.PENCIL_COLUMNS))
    return Source(emit.RECTANGLE, pencils, extent, np.array([energy_MeV, 0.0]), NOTHING, NOTHING, NOTHING)


def cone(energy_MeV: float) -> Source:
    """Return a focus 10 cm before a field of 8 cm, which lies where the beam axes begin."""
    return beam(energy_MeV)._replace(kind=emit.POINT, extent=np.array([8.0, 8.0, 10.0]))


def problem_with(
    planes: Sequence[Plane],
    source: Source,
    particle: str,
    *,
    parts: Sequence[Part] = (FAR,),
    voxels: Voxels | None = None,
    begin_mm: float = -50.0,
    settings: CoupledSettings = SETTINGS,
    grid: Grid | None = None,
    reuse: ReusePlane | None = None,
    reduction: ReductionSettings = NO_REDUCTION,
) -> Problem:
    """Pack parts or voxels or both, the beam along +z from a height, and planes."""
    return coupled_problem(
        voxels=voxels or one_voxel(),
        source=source,
        particle=particle,
        weights=np.ones(1),
        to_patient=Rigid(FORWARD.rotation, np.array([0.0, 0.0, begin_mm])),
        settings=settings,
        score_grid=grid,
        parts=parts,
        voxel_box=voxels is not None,
        planes=planes,
        reuse=reuse,
        reduction=reduction,
    )


def run(problem: Problem, histories: int, seed: int = 1, events: int = 0) -> tuple[Tally, Array]:
    """Run histories, with room for so many events of a log; return the tally and what was recorded."""
    packed = problem.packed
    assert isinstance(packed, CoupledProblem)
    tally = empty_tally(packed.scoring, int(np.prod(problem.score_shape)), 0, problem.tallied_parts, ROOM, events)
    run_coupled_histories(packed, np.uint64(0), np.zeros(histories, np.int64), np.uint64(seed), tally, empty_room())
    assert has_room(tally.crossings) and has_room(tally.log)
    return tally, tally.crossings[1 : 1 + counted(tally.crossings)]


def net_energy(rows: Array, plane: int) -> float:
    """Return the energy (MeV) that went forward through a plane across z, less what came back."""
    mine = rows[rows[:, PLANE] == plane]
    return float((mine[:, ENERGY] * mine[:, WEIGHT] * np.sign(mine[:, DIRECTION + 2])).sum())
