"""Problems whose speed is measured: water, a patient-like mixture of tissues, cubes of many voxels, a whole CT."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.matter import Material
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import known_names, named
from dosewright.materials.stopping import proton_mass_stopping_power
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem
from dosewright.sources import emit
from dosewright.sources.emit import Source

SPOT_SIGMA_MM = 5.0
LENGTH_MM, WIDTH_MM = 300.0, 100.0
CUBE_MM = 320.0
CT_SHAPE, CT_VOXEL_MM = (512, 512, 300), (0.9766, 0.9766, 1.5)
DOSE_SHAPE = (256, 256, 256)
MORE_TISSUES = (
    "G4_ADIPOSE_TISSUE_ICRP",
    "G4_BLOOD_ICRP",
    "G4_BONE_COMPACT_ICRU",
    "G4_BONE_CORTICAL_ICRP",
    "G4_BRAIN_ICRP",
    "G4_MUSCLE_SKELETAL_ICRP",
    "G4_SKIN_ICRP",
)
BEAM_ALONG_Z = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))


def spots(energy_MeV: float, field_mm: float = 0.0, spacing_mm: float = 5.0) -> Source:
    """Return one spot, or a square field of them."""
    places = np.arange(-field_mm / 2, field_mm / 2 + spacing_mm / 2, spacing_mm) / 10.0
    rows = np.zeros((places.size**2, emit.PENCIL_COLUMNS))
    rows[:, emit.X], rows[:, emit.Y] = (part.ravel() for part in np.meshgrid(places, places))
    rows[:, emit.MEAN_ENERGY] = energy_MeV
    rows[:, emit.XX] = rows[:, emit.YY] = SPOT_SIGMA_MM / 10.0
    nothing = np.zeros(0)
    return Source(emit.PENCILS, rows, np.zeros(3), np.zeros(2), nothing, nothing, nothing)


def problem_of(voxels: Voxels, source: Source, grid: Grid | None = None, *, to_water: bool = False) -> Problem:
    """Pack voxels and a source, the beam along the depth."""
    return phantom_problem(
        voxels=voxels,
        source=source,
        weights=np.ones(source.pencils.shape[0]),
        to_patient=BEAM_ALONG_Z,
        settings=TransportSettings(dose_to_water=to_water),
        score_grid=grid,
    )


def edges(low_mm: float, high_mm: float, count: int) -> NDArray[np.float64]:
    """Return evenly spaced voxel edges."""
    return np.linspace(low_mm, high_mm, count + 1)


def box(voxel_mm: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the edges of a box of 300 x 100 x 100 mm along the beam."""
    across = edges(-WIDTH_MM / 2, WIDTH_MM / 2, round(WIDTH_MM / voxel_mm))
    return across, across, edges(0.0, LENGTH_MM, round(LENGTH_MM / voxel_mm))


def water(energy_MeV: float, voxel_mm: float, field_mm: float = 0.0) -> Problem:
    """Return a water box with a spot, or a field of spots, along its length."""
    x, y, z = box(voxel_mm)
    shape = (z.size - 1, y.size - 1, x.size - 1)
    voxels = Voxels(
        (x, y, z),
        Rigid.identity(),
        np.zeros(shape, np.uint8),
        np.ones(shape, np.float32),
        (named("G4_WATER"),),
    )
    return problem_of(voxels, spots(energy_MeV, field_mm))


def tissues() -> tuple[tuple[Material, ...], NDArray[np.float32]]:
    """Return 30 tissues, Schneider's (Phys. Med. Biol. 45, 459, 2000) and a few of ICRP's, with densities as of water.

    A density is that which stops protons as water does.
    """
    schneider = [n for n in known_names() if n.startswith("SCHNEIDER_") and n != "SCHNEIDER_AIR"]
    materials = tuple(named(n) for n in (*schneider, *MORE_TISSUES))
    of_water = float(proton_mass_stopping_power(named("G4_WATER"), 100.0))
    density = [of_water / float(proton_mass_stopping_power(m, 100.0)) for m in materials]
    return materials, np.array(density, np.float32)


def patient(energy_MeV: float, voxel_mm: float, field_mm: float = 0.0) -> Problem:
    """Return the same box of tissues that change from voxel to voxel, densities 10 % about those that equal water.

    Protons go as far as in water, so that the work is the same but for the media.
    """
    x, y, z = box(voxel_mm)
    random = np.random.default_rng(1)
    materials, density = tissues()
    which = random.integers(0, len(materials), (z.size - 1, y.size - 1, x.size - 1), dtype=np.uint8)
    varied = density[which] * random.uniform(0.9, 1.1, which.shape).astype(np.float32)
    return problem_of(Voxels((x, y, z), Rigid.identity(), which, varied, materials), spots(energy_MeV, field_mm))


def cube(energy_MeV: float, count: float) -> Problem:
    """Return a water cube of 320 mm in count^3 voxels with a field of spots of 100 mm."""
    n = round(count)
    across = edges(-CUBE_MM / 2, CUBE_MM / 2, n)
    shape = (n, n, n)
    voxels = Voxels(
        (across, across, edges(0.0, CUBE_MM, n)),
        Rigid.identity(),
        np.zeros(shape, np.uint8),
        np.ones(shape, np.float32),
        (named("G4_WATER"),),
    )
    return problem_of(voxels, spots(energy_MeV, 100.0))


def whole_ct(energy_MeV: float, coarser: float = 1.0) -> Problem:
    """Return a CT of 512 x 512 x 300 voxels of tissues with a dose grid of 256^3, dose to medium and to water.

    A whole number `coarser` makes both smaller by so much along each axis.
    """
    shrink = round(coarser)
    nx, ny, nz = (n // shrink for n in CT_SHAPE)
    sizes = [n * s * shrink for n, s in zip((nx, ny, nz), CT_VOXEL_MM, strict=True)]
    x, y = (edges(-size / 2, size / 2, n) for size, n in zip(sizes[:2], (nx, ny), strict=True))
    materials, density = tissues()
    which = np.random.default_rng(1).integers(0, len(materials), (nz, ny, nx), dtype=np.uint8)
    voxels = Voxels((x, y, edges(0.0, sizes[2], nz)), Rigid.identity(), which, density[which], materials)
    shape = (DOSE_SHAPE[0] // shrink, DOSE_SHAPE[1] // shrink, DOSE_SHAPE[2] // shrink)
    spacing = (sizes[0] / shape[0], sizes[1] / shape[1], sizes[2] / shape[2])
    corner = (-sizes[0] / 2, -sizes[1] / 2, 0.0)
    first = tuple(c + s / 2 for c, s in zip(corner, spacing, strict=True))
    grid = Grid(shape, spacing, (first[0], first[1], first[2]))
    return problem_of(voxels, spots(energy_MeV, 100.0), grid, to_water=True)


PROBLEMS: dict[str, Callable[..., Problem]] = {
    "water": water,
    "patient": patient,
    "cube": cube,
    "whole_ct": whole_ct,
}
