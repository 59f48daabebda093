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
from tests.physics.water_runs import BEAM_ALONG_Z, DEFAULTS, Array

COLUMN_MM = 0.5


def energy_in_columns(
    name: str,
    energy_MeV: float,
    edges_z: Array,
    *,
    columns: int = 300,
    max_step_mm: float = DEFAULTS.max_step_mm,
    seed: int = 5,
) -> Array:
    """Return the energy (MeV) that single protons leave between depths (mm), [depth, proton].

    One pencil per column of a square of `columns` x `columns`, one history per column on average; those columns are
    taken that hold the energy of exactly one proton, about 37 % of them. Nuclear interactions and deflections are off.
    """
    material = named(name)
    across = COLUMN_MM * (np.arange(columns + 1) - columns / 2)
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
        settings=TransportSettings(
            processes_off=("nuclear", "scattering"), max_step_mm=max_step_mm, dose_to_water=False
        ),
    )
    result = simulate(problem, Goal(histories=columns * columns), seed=seed)
    energy = result.dose_Gy * problem.mass_g / MEV_PER_G_IN_GY * result.histories
    return energy[:, abs(energy.sum(0) / energy_MeV - 1) < 0.01]


def stopping_depths(name: str, energy_MeV: float, expected_mm: float, sigma_mm: float, *, columns: int = 300) -> Array:
    """Return the depths (mm) where single protons stop, in bins of a fifth of sigma, within seven of the expected."""
    edges_z = np.concatenate([[0.0], expected_mm + sigma_mm * np.arange(-7.0, 7.1, 0.2)])
    energy = energy_in_columns(name, energy_MeV, edges_z, columns=columns)
    last = energy.shape[0] - 1 - np.argmax(energy[::-1] > 0, axis=0)
    return (edges_z[1:] + edges_z[:-1])[last] / 2
