"""A pencil through a slab, seen two metres behind, where the place on a thin layer tells the angle.

The layer is hydrogen: no proton breaks up in it, so that it counts protons and nothing else.
"""

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

DRIFT_MM = 2000.0
FAR_MM = 5000.0
LAYER_MM = 0.1
NEARLY_NOTHING_G_CM3 = 1e-9


def behind_slab(
    name: str,
    thickness_mm: float,
    energy_MeV: float,
    histories: int,
    edges_mm: tuple[Array, Array],
    *,
    off: tuple[str, ...],
    seed: int = 3,
) -> Array:
    """Return the energy left in a layer behind a slab and a drift, MeV per primary by y and x."""
    medium, air, hydrogen = named(name), named("G4_AIR"), named("G4_H")
    edges_z = np.cumsum([0.0, thickness_mm, DRIFT_MM, LAYER_MM])
    shape = (3, edges_mm[1].size - 1, edges_mm[0].size - 1)
    density, material = np.empty(shape, np.float32), np.empty(shape, np.uint8)
    density[:] = np.array([medium.density_g_cm3, NEARLY_NOTHING_G_CM3, 1.0])[:, None, None]
    material[:] = np.arange(3)[:, None, None]
    voxels = Voxels((*edges_mm, edges_z), Rigid.identity(), material, density, (medium, air, hydrogen))
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY] = energy_MeV
    none = np.zeros(0)
    problem = phantom_problem(
        voxels=voxels,
        source=Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), none, none, none),
        weights=np.ones(1),
        to_patient=BEAM_ALONG_Z,
        settings=TransportSettings(processes_off=off, dose_to_water=False),
    )
    result = simulate(problem, Goal(histories=histories), seed=seed)
    return (result.dose_Gy * problem.mass_g / MEV_PER_G_IN_GY)[2]


def share_seen(name: str, thickness_mm: float, energy_MeV: float, angles: Array, histories: int) -> Array:
    """Return the share of protons within each projected angle (rad, ascending), nuclear interactions off.

    Drawn back to the middle of the slab: what multiple scattering shifts sideways inside it turns about there, to 0.2 %
    of the angle.
    """
    marks = np.tan(angles) * (DRIFT_MM + thickness_mm / 2)
    x = np.concatenate([[-FAR_MM], -marks[::-1], marks, [FAR_MM]])
    off = ("nuclear", "straggling")
    seen = behind_slab(name, thickness_mm, energy_MeV, histories, (x, FAR_MM * np.array([-1, 1])), off=off)[0]
    inside = np.array([seen[angles.size - i : angles.size + 1 + i].sum() for i in range(angles.size)])
    return inside / seen.sum()


def share_untouched(name: str, thickness_mm: float, energy_MeV: float, histories: int) -> float:
    """Return the share of protons that no nuclear interaction has deflected, stopped or broken up.

    With Coulomb scattering and straggling off they all arrive on the axis with the same energy.
    """
    edges = np.array([-FAR_MM, -1.0, 1.0, FAR_MM])
    off = ("scattering", "straggling")
    some = behind_slab(name, thickness_mm, energy_MeV, histories, (edges, edges), off=off)[1, 1]
    every = behind_slab(name, thickness_mm, energy_MeV, 200, (edges, edges), off=(*off, "nuclear"))[1, 1]
    return float(some / every)
