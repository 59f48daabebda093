"""Where single protons stop: each flies straight down a column of its own."""

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import TransportSettings, phantom_problem
from dosewright.simulation.run import simulate
from dosewright.sources import emit
from dosewright.sources.emit import Source
from tests.physics.water_runs import BEAM_ALONG_Z, Array

COLUMN_MM = 0.5


def stopping_depths(
    name: str, energy_MeV: float, expected_mm: float, sigma_mm: float, *, columns: int = 300, seed: int = 5
) -> Array:
    """Return the depths (mm) where single protons stop, nuclear interactions and deflections off.

    One pencil per column of a square of `columns` x `columns`, one history per column on average; those columns are
    read that hold the energy of exactly one proton, about 37 % of them. Bins are a fifth of `sigma_mm`, within seven
    of `expected_mm`.
    """
    material = named(name)
    fine = expected_mm + sigma_mm * np.arange(-7.0, 7.1, 0.2)
    across = COLUMN_MM * (np.arange(columns + 1) - columns / 2)
    edges_z = np.concatenate([[0.0], fine])
    shape = (edges_z.size - 1, columns, columns)
    density = np.full(shape, material.density_g_cm3, np.float32)
    voxels = Voxels((across, across, edges_z), Rigid.identity(), np.zeros(shape, np.uint8), density, (material,))
    rows = np.zeros((columns * columns, emit.PENCIL_COLUMNS))
    middle = (across[1:] + across[:-1]) / 2 / 10.0
    rows[:, emit.X], rows[:, emit.Y] = (part.ravel() for part in np.meshgrid(middle, middle))
    rows[:, emit.MEAN_ENERGY] = energy_MeV
    none = np.zeros(0)
    problem = phantom_problem(
        voxels=voxels,
        source=Source(emit.PENCILS, rows, np.zeros(3), np.zeros(2), none, none, none),
        weights=np.ones(columns * columns),
        to_patient=BEAM_ALONG_Z,
        settings=TransportSettings(processes_off=("nuclear", "scattering"), dose_to_water=False),
    )
    result = simulate(problem, Goal(histories=columns * columns), seed=seed)
    energy = result.dose_Gy * problem.mass_g / MEV_PER_G_IN_GY * result.histories
    single = abs(energy.sum(0) / energy_MeV - 1) < 0.01
    last = energy.shape[0] - 1 - np.argmax(energy[::-1, single] > 0, axis=0)
    return (edges_z[1:] + edges_z[:-1])[last] / 2
