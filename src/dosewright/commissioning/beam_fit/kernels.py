"""Depth doses of mono-energetic protons in water by our own transport, kept in the cache of the machine.

A pencil without width enters water; its energy is scored by depth, in parts of the range, and by distance from the
axis. Runs are known by the fingerprint of their problem, so that a change of the physics finds none.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.commissioning.beam_fit.rings import RINGS_MM, edges_mm, ring_shares
from dosewright.commissioning.demonstration.water_depth_dose import range_in_water_mm
from dosewright.core.frame import Rigid
from dosewright.core.jit import cache_folder
from dosewright.core.units import MEV_PER_G_IN_GY, MM_PER_CM
from dosewright.core.whole_file import write_whole
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem
from dosewright.simulation.run import simulate
from dosewright.sources import emit
from dosewright.sources.emit import Source

Array = NDArray[np.float64]

STEP = 1.06  # between energies: 11 % of range, over which curves scaled to their range hardly change
FIRST_MEV, LAST_MEV = 5.0, 300.0
PLATEAU, PEAK_FROM, PEAK_TO, END = 0.01, 0.85, 1.06, 1.2  # depth bins in parts of the range
FINE = 0.001
SEED = 1
INTO_WATER = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))  # the beam flies along -z, the depth is +z
GY_MM2_PER_MEV_CM = MEV_PER_G_IN_GY * 100.0  # MeV per cm of water of 1 g/cm3 to Gy mm2


def depth_edges() -> Array:
    """Return the edges of the depth bins in parts of the range, fine about the peak."""
    parts = [np.arange(0, PEAK_FROM, PLATEAU), np.arange(PEAK_FROM, PEAK_TO, FINE), np.arange(PEAK_TO, END, PLATEAU)]
    return np.unique(np.round(np.concatenate(parts), 6))


@dataclass(frozen=True)
class Kernels:
    """Runs at ascending energies: dose times area per proton (Gy mm2), [energy, depth in parts of the range, ring]."""

    energy_MeV: Array
    dose: Array
    histories: int

    @property
    def depth(self) -> Array:
        """Middles of the depth bins, in parts of the range."""
        edges = depth_edges()
        return np.asarray(0.5 * (edges[1:] + edges[:-1]))


def kernels_for(
    low_MeV: float,
    high_MeV: float,
    *,
    histories: int = 200_000,
    threads: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> Kernels:
    """Return the runs that serve energies from `low_MeV` to `high_MeV`, made now where they are not kept."""
    first = int(np.floor(np.log(low_MeV / FIRST_MEV) / np.log(STEP))) - 1
    last = int(np.ceil(np.log(high_MeV / FIRST_MEV) / np.log(STEP))) + 1
    energies: Array = np.asarray(FIRST_MEV * STEP ** np.arange(max(first, 0), last + 1), float)
    energies = energies[energies <= LAST_MEV]
    doses = []
    for n, energy in enumerate(energies, start=1):
        tell(f"depth dose of {energy:.1f} MeV protons in water, {n} of {energies.size}")
        doses.append(_kept(float(energy), histories, threads))
    return Kernels(energies, np.array(doses), histories)


def _kept(energy_MeV: float, histories: int, threads: int) -> Array:
    problem = water_problem(energy_MeV)
    name = f"{problem.fingerprint()[:24]}-{histories}-{SEED}.npy"
    path = cache_folder().parent / "depth-doses" / name
    try:
        kept = np.load(path)
    except (OSError, ValueError):
        kept = None
    if kept is not None and kept.shape == (depth_edges().size - 1, RINGS_MM.size - 1):
        return np.asarray(kept, float)
    made = (
        energy_by_ring(problem, histories, threads) / np.diff(depth_edges() * _range(energy_MeV) / MM_PER_CM)[:, None]
    )
    made *= GY_MM2_PER_MEV_CM
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda temporary: np.save(temporary, made))
    except OSError:
        return made  # a cache that cannot be written costs time only
    return made


def _range(energy_MeV: float) -> float:
    return float(range_in_water_mm(energy_MeV))


def energy_by_ring(problem: Problem, histories: int, threads: int, seed: int = SEED) -> Array:
    """Return energy per primary (MeV), [depth, ring]."""
    result = simulate(problem, Goal(histories=histories), seed=seed, threads=threads)
    energy = result.dose_Gy * problem.mass_g / MEV_PER_G_IN_GY
    return np.asarray(energy.reshape(energy.shape[0], -1) @ ring_shares())


def water_problem(energy_MeV: float) -> Problem:
    """Return a pencil without width and without spread of energy, entering water at once."""
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY] = energy_MeV
    none = np.zeros(0)
    return phantom_problem(
        voxels=water(depth_edges() * _range(energy_MeV)),
        source=Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), none, none, none),
        weights=np.ones(1),
        to_patient=INTO_WATER,
        settings=TransportSettings(dose_to_water=False),
    )


def water(depths_mm: Array, air_mm: float = 0.0) -> Voxels:
    """Return water by depth from z = 0 on, with voxels across the beam that become rings; air before it."""
    across = edges_mm()
    edges = np.concatenate([[-air_mm], depths_mm]) if air_mm > 0 else depths_mm
    shape = (edges.size - 1, across.size - 1, across.size - 1)
    media = (named("G4_WATER"), named("G4_AIR"))
    number = np.zeros(shape, np.uint8)
    number[: edges.size - depths_mm.size] = 1
    density = np.where(number == 1, media[1].density_g_cm3, media[0].density_g_cm3).astype(np.float32)
    return Voxels((across, across, edges), Rigid.identity(), number, density, media)
