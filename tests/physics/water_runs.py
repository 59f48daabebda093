"""Mono-energetic pencils on water, as the reference codes ran them, and the figures taken from their depth doses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import erf

from dosewright.analysis.profile import Profile, distal_position
from dosewright.core.frame import Rigid
from dosewright.core.matter import Material
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import TransportSettings, phantom_problem
from dosewright.simulation.result import Result
from dosewright.simulation.run import simulate
from dosewright.sources import emit
from dosewright.sources.emit import Source

Array = NDArray[np.float64]

DEFAULTS = TransportSettings()
BEAM_ALONG_Z = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))  # beam axes fly along -z, the phantom's depth is +z


@dataclass(frozen=True)
class Run:
    """Energy (MeV per primary) by depth and x, with their bin centres (mm)."""

    energy: Array
    x_mm: Array
    z_mm: Array
    dz_mm: float
    result: Result

    @property
    def depth_dose(self) -> Array:
        """Laterally integrated dose, MeV per cm and primary."""
        return self.energy.sum(1) / (self.dz_mm / 10.0)


@cache
def pencil_on_slabs(
    energy_MeV: float,
    histories: int,
    depth_mm: float,
    dz_mm: float = 1.0,
    *,
    slabs: tuple[tuple[float, float, str, float], ...] = (),
    off: tuple[str, ...] = (),
    sigma_mm: float = 0.0,
    dx_mm: float = 1.0,
    max_step_mm: float = DEFAULTS.max_step_mm,
    beside: tuple[str, float] | None = None,
    water_eV: float = 78.0,
    cut_MeV: float = DEFAULTS.proton_cut_MeV,
    seed: int = 11,
    threads: int = 0,
) -> Run:
    """Run a pencil into water with slabs of (from, to, material, density) along the depth.

    `beside` is the medium and density from the first voxel edge beyond the axis on (x = dx/2) instead of water;
    `water_eV` is the mean excitation energy of the water.
    """
    edges_x = np.arange(-150.0 - dx_mm / 2, 150.0 + dx_mm, dx_mm)
    edges_z = np.arange(0.0, depth_mm + dz_mm / 2, dz_mm)
    shape = (edges_z.size - 1, 1, edges_x.size - 1)
    material, density = np.zeros(shape, np.uint8), np.ones(shape, np.float32)
    materials: list[Material] = [replace(named("G4_WATER"), mean_excitation_eV=water_eV)]
    z = (edges_z[1:] + edges_z[:-1]) / 2
    for low, high, name, rho in slabs:
        materials.append(named(name))
        inside = (z > low) & (z < high)
        material[inside], density[inside] = len(materials) - 1, rho
    if beside is not None:
        materials.append(named(beside[0]))
        right = edges_x[:-1] > -1e-9
        material[:, :, right], density[:, :, right] = len(materials) - 1, beside[1]
    voxels = Voxels(
        (edges_x, np.array([-200.0, 200.0]), edges_z), Rigid.identity(), material, density, tuple(materials)
    )
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY] = energy_MeV
    row[0, emit.XX] = row[0, emit.YY] = sigma_mm / 10.0
    none = np.zeros(0)
    source = Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), none, none, none)
    settings = TransportSettings(
        processes_off=off, dose_to_water=False, max_step_mm=max_step_mm, proton_cut_MeV=cut_MeV
    )
    problem = phantom_problem(
        voxels=voxels, source=source, weights=np.ones(1), to_patient=BEAM_ALONG_Z, settings=settings
    )
    result = simulate(problem, Goal(histories=histories), seed=seed, threads=threads)
    energy = (result.dose_Gy * problem.mass_g / MEV_PER_G_IN_GY)[:, 0, :]
    return Run(energy, (edges_x[1:] + edges_x[:-1]) / 2, z, dz_mm, result)


def merged(runs: Sequence[Run]) -> Run:
    """Return the mean of runs of one problem and equal length with different seeds; its result is the first one's."""
    return replace(runs[0], energy=np.mean([r.energy for r in runs], axis=0))


def distal_mm(depth_dose: Array, z_mm: Array, level: float) -> float:
    """Depth beyond the peak where a depth dose falls to `level` of it."""
    return distal_position(Profile(z_mm, depth_dose), level)


def core_sigma_mm(run: Run, depth_mm: float, half_window: int = 2) -> float:
    """Sigma of a bin-integrated Gaussian fitted to the central two sigma of the projected profile."""
    i = int(np.argmin(abs(run.z_mm - depth_mm)))
    profile = run.energy[max(i - half_window, 0) : i + half_window + 1].sum(0)
    dx = run.x_mm[1] - run.x_mm[0]

    def bell(x: Array, height: float, sigma: float) -> Array:
        root = np.sqrt(2.0) * sigma
        return height * (erf((x + dx / 2) / root) - erf((x - dx / 2) / root))

    sigma = 3.0
    for _ in range(8):
        core = abs(run.x_mm) <= 2 * sigma + dx
        (_, sigma), _ = curve_fit(bell, run.x_mm[core], profile[core], p0=[profile.max(), sigma])
        sigma = abs(sigma)
    return float(sigma)
