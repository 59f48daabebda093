"""A small problem of protons that runs in a fraction of a second."""

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.solids import Device
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.problem import Problem, TransportSettings, proton_problem
from dosewright.sources import emit
from dosewright.sources.pencil_beams import PencilBeams

GRID = Grid((8, 8, 10), (5.0, 5.0, 4.0), (-17.5, -17.5, -38.0))


def tiny_problem(
    *,
    slabs: tuple[Device, ...] = (),
    medium: str = "air",
    energy_MeV: float = 60.0,
    to_water: bool = True,
    let: bool = False,
) -> Problem:
    """Three spots on a water cube of 40 mm."""
    rows = np.zeros((3, emit.PENCIL_COLUMNS))
    rows[:, emit.X] = -0.5, 0.0, 0.5
    rows[:, emit.XX] = rows[:, emit.YY] = 0.3
    rows[:, emit.MEAN_ENERGY], rows[:, emit.ENERGY_SIGMA] = energy_MeV, 0.4
    rows[:, emit.START_Z] = 10.0
    density = np.ones(GRID.array_shape, np.float32)
    return proton_problem(
        voxels=Voxels.on_grid(GRID, np.zeros(GRID.array_shape, np.uint8), density, [named("G4_WATER")]),
        pencil_beams=PencilBeams(rows, np.array([1.0, 2.0, 5.0]), 100.0, medium, None, ()),
        beamline=slabs,
        to_patient=Rigid.identity(),
        score_grid=GRID,
        settings=TransportSettings(dose_to_water=to_water, let=let),
    )
