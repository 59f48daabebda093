"""Protons through what stands in a beam onto a box of water below the isocentre plane, in gantry axes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.solids import Device
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import TransportSettings, proton_problem
from dosewright.simulation.run import simulate
from dosewright.sources import emit
from dosewright.sources.pencil_beams import PencilBeams

Array = NDArray[np.float64]

START_MM = 500.0
PARALLEL = np.inf


@dataclass(frozen=True)
class Shot:
    """Energy per primary (MeV) in the water, [depth, y, x] from the surface down; its places; the energy account."""

    energy: Array
    x_mm: Array
    depth_mm: Array
    account: dict[str, float]

    @property
    def depth_dose(self) -> Array:
        """Energy per layer."""
        total: Array = self.energy.sum((1, 2))
        return total

    def across(self, low_mm: float, high_mm: float) -> Array:
        """Energy per column along x between two depths."""
        rows = (self.depth_mm > low_mm) & (self.depth_mm < high_mm)
        total: Array = self.energy[rows].sum((0, 1))
        return total


def sheet(
    energy_MeV: float,
    half_mm: tuple[float, float],
    *,
    spacing_mm: float = 0.5,
    sigma_mm: float | None = None,
    source_mm: float = PARALLEL,
    spread_rad: float = 0.0,
    medium: str = "vacuum",
    sigma_MeV: float = 0.0,
) -> PencilBeams:
    """A field of pencils, uniform in the isocentre plane between -half and half along x and y.

    Their axes come from a point `source_mm` away; `spread_rad` is an angular spread of its own around each axis,
    `sigma_mm` their width at the start, half their spacing unless given.
    """
    half = [np.arange(-h + spacing_mm / 2, h, spacing_mm) if h > 0 else np.zeros(1) for h in half_mm]
    x, y = (a.ravel() for a in np.meshgrid(*half))
    rows = np.zeros((x.size, emit.PENCIL_COLUMNS))
    for place, slope, values in ((emit.X, emit.SLOPE_X, x), (emit.Y, emit.SLOPE_Y, y)):
        rows[:, place] = values * (1 - START_MM / source_mm) / 10
        rows[:, slope] = values / source_mm
    rows[:, emit.SS_X] = rows[:, emit.SS_Y] = spread_rad
    rows[:, emit.XX] = rows[:, emit.YY] = (spacing_mm / 2 if sigma_mm is None else sigma_mm) / 10
    rows[:, emit.MEAN_ENERGY], rows[:, emit.ENERGY_SIGMA] = energy_MeV, sigma_MeV
    rows[:, emit.START_Z] = START_MM / 10
    return PencilBeams(rows, np.ones(x.size), START_MM, medium, None, ())


def shoot(
    beam: PencilBeams,
    devices: tuple[Device, ...],
    histories: int,
    *,
    depth_mm: float,
    dz_mm: float = 1.0,
    half_mm: float = 60.0,
    dx_mm: float = 120.0,
    off: tuple[str, ...] = (),
    seed: int = 7,
) -> Shot:
    """Run a field onto water whose surface is the isocentre plane, scored in layers of columns along x."""
    nx, nz = round(2 * half_mm / dx_mm), round(depth_mm / dz_mm)
    grid = Grid((nx, 1, nz), (dx_mm, 2 * half_mm, dz_mm), (-half_mm + dx_mm / 2, 0.0, -depth_mm + dz_mm / 2))
    voxels = Voxels.on_grid(
        grid, np.zeros(grid.array_shape, np.uint8), np.ones(grid.array_shape, np.float32), [named("G4_WATER")]
    )
    problem = proton_problem(
        voxels=voxels,
        pencil_beams=beam,
        beamline=devices,
        to_patient=Rigid.identity(),
        score_grid=grid,
        settings=TransportSettings(dose_to_water=False, processes_off=off),
    )
    result = simulate(problem, Goal(histories=histories), seed=seed, threads=1)
    energy = (result.dose_Gy * problem.mass_g / MEV_PER_G_IN_GY)[::-1]
    depth = (np.arange(nz) + 0.5) * dz_mm
    return Shot(energy, grid.centres_mm(0), depth, result.energy)


def water_equivalent_mm(name: str, thickness_mm: float, energy_MeV: float) -> float:
    """Water that takes the same mean energy from a proton as a thickness of a medium does, step by step."""
    medium, water, energy, total = named(name), named("G4_WATER"), energy_MeV, 0.0
    for _ in range(200):
        step = thickness_mm / 200 / 10 * medium.density_g_cm3
        loss = step * float(proton_mass_stopping_power(medium, np.array(energy)))
        total += loss / float(proton_mass_stopping_power(water, np.array(energy - loss / 2))) * 10
        energy -= loss
    return total
