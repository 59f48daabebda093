"""A pencil in cubes of water, scored on a grid of its own, as dose grids and CTs differ in the clinic."""

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import TransportSettings, phantom_problem
from dosewright.simulation.run import simulate
from dosewright.sources import emit
from dosewright.sources.emit import Source
from tests.physics.water_runs import BEAM_ALONG_Z, Run

HALF_WIDTH_MM, DEPTH_MM = 40.0, 180.0


def pencil_in_voxels(energy_MeV: float, histories: int, voxel_mm: float, *, seed: int = 1) -> Run:
    """Run a pencil of no width into cubes of water; energies come on bins of 1 mm across and in depth."""
    across = np.arange(-HALF_WIDTH_MM, HALF_WIDTH_MM + voxel_mm / 2, voxel_mm)
    deep = np.arange(0.0, DEPTH_MM + voxel_mm / 2, voxel_mm)
    shape = (deep.size - 1, across.size - 1, across.size - 1)
    water = np.zeros(shape, np.uint8), np.ones(shape, np.float32)
    voxels = Voxels((across, across, deep), Rigid.identity(), *water, (named("G4_WATER"),))
    wide = round(2 * HALF_WIDTH_MM)
    grid = Grid((wide, 1, round(DEPTH_MM)), (1.0, float(wide), 1.0), (0.5 - HALF_WIDTH_MM, 0.0, 0.5))
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY] = energy_MeV
    row[0, emit.X], row[0, emit.Y] = 0.025, 0.025  # 0.25 mm beside the middle: on no face of any voxel
    none = np.zeros(0)
    problem = phantom_problem(
        voxels=voxels,
        source=Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), none, none, none),
        weights=np.ones(1),
        to_patient=BEAM_ALONG_Z,
        settings=TransportSettings(dose_to_water=False),
        score_grid=grid,
    )
    result = simulate(problem, Goal(histories=histories), seed=seed)
    energy = (result.dose_Gy * problem.mass_g / MEV_PER_G_IN_GY)[:, 0, :]
    return Run(energy, np.arange(wide) + 0.5 - HALF_WIDTH_MM - 0.25, np.arange(DEPTH_MM) + 0.5, 1.0, result)
