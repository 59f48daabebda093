"""Pieces that every problem is packed from: boxes of voxels, where energy is scored, the highest energy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.matter import Material
from dosewright.core.solids import Device, Field
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.beam.beamline import BeamlineBox, beamline_box
from dosewright.geometry.mass import mass_on
from dosewright.geometry.trace import BEAMLINE, PATIENT, Geometry, packed_voxels
from dosewright.geometry.voxels import Voxels
from dosewright.scoring.deposit import Scoring
from dosewright.sources import emit
from dosewright.sources.emit import Source

MOST_MATERIALS = 255  # a voxel names its material in one byte
SIGMAS = 5.0  # a sampled energy stays within this many sigmas of the mean

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """Where energy is scored: the kernels' view, the voxels along x, y, z, their mass (g) and density, [z, y, x]."""

    scoring: Scoring
    shape: tuple[int, int, int]
    mass_g: Array
    density_g_cm3: Array


def pack_scored(voxels: Voxels, grid: Grid | None, *, to_water: bool, let: bool = False) -> Scored:
    """Describe scoring on a grid or, without one, in the phantom's own voxels."""
    if grid is None:
        same = Scoring(True, np.zeros((3, 4), np.float32), np.array(voxels.shape, np.int32), to_water, let)
        return Scored(same, voxels.shape, voxel_mass(voxels), voxels.density_g_cm3.astype(np.float64))
    mass = mass_on(voxels, grid)
    scoring = _scoring(voxels, grid, to_water=to_water, let=let)
    return Scored(scoring, grid.shape, mass, mass / grid.voxel_volume_cm3)


def source_energies_MeV(source: Source) -> tuple[float, float]:
    """Return the lowest and highest energy: the mean with five sigmas, or the ends of the spectrum or the records."""
    if source.kind == emit.RECORDS:
        return float(source.energy[0]), float(source.energy[1])
    if source.spectrum_high.size:
        return float(source.spectrum_low.min()), float(source.spectrum_high.max())
    if source.kind == emit.PENCILS:
        lowest, highest = pencil_energies_MeV(source.pencils)
        return float(lowest.min()), float(highest.max())
    mean, sigma = (float(one) for one in source.energy)
    return max(mean - SIGMAS * sigma, emit.LOWEST_ENERGY_SHARE * mean), mean + SIGMAS * sigma


def pencil_energies_MeV(rows: Array) -> tuple[Array, Array]:
    """Return the lowest and highest energy of each pencil beam, within its bounds if it has any."""
    mean, sigma = rows[:, emit.MEAN_ENERGY], rows[:, emit.ENERGY_SIGMA]
    reach = np.where(rows[:, emit.FLAT_ENERGY] != 0.0, emit.WIDTH_OF_FLAT / 2, SIGMAS) * sigma
    least = np.maximum(rows[:, emit.LEAST_ENERGY], emit.LOWEST_ENERGY_SHARE * mean)
    most = np.where(rows[:, emit.MOST_ENERGY] != 0.0, rows[:, emit.MOST_ENERGY], np.inf)
    return np.maximum(mean - reach, least), np.minimum(mean + reach, most)


def voxel_mass(voxels: Voxels) -> Array:
    """Mass of every voxel, g, [z, y, x]."""
    x, y, z = (np.diff(e) / MM_PER_CM for e in voxels.edges_mm)
    volume = z[:, None, None] * y[None, :, None] * x[None, None, :]
    mass: Array = volume * voxels.density_g_cm3
    return mass


def pack_geometry(
    voxels: Voxels,
    beamline: tuple[Device, ...],
    start_mm: float,
    gap: Material | None,
    to_patient: Rigid,
    field: Field | None = None,
) -> tuple[Geometry, list[Material]]:
    """Pack the patient box, the box of what stands in the beam (if anything) and the gap; lengths become cm."""
    materials = list(voxels.materials)
    line = beamline_box(beamline, start_mm, gap, field)
    line_edges = line.edges_mm if line else (np.zeros(0),) * 3
    line_words = _packed_line(line, materials) if line else np.zeros(0, np.int32)
    gap_index = index_of(gap, materials) if gap else 0
    boxes = {BEAMLINE: line_edges, PATIENT: voxels.edges_mm}
    flat: list[Array] = []
    first, cells = np.zeros((2, 3), np.int32), np.zeros((2, 3), np.int32)
    for b, edges in boxes.items():
        for axis in range(3):
            first[b, axis] = sum(f.size for f in flat)
            cells[b, axis] = max(len(edges[axis]) - 1, 0)
            flat.append(np.asarray(edges[axis], float) / MM_PER_CM)
    into_box = to_patient.then(voxels.frame.inverse())
    edges_cm = np.concatenate(flat)
    geometry = Geometry(
        edges=edges_cm,
        faces=edges_cm.astype(np.float32),
        sizes=np.append(np.diff(edges_cm), 0.0).astype(np.float32),
        first=first,
        cells=cells,
        voxel_first=np.array([voxels.material.size, 0], np.int32),
        voxels=np.concatenate([packed_voxels(voxels.material, voxels.density_g_cm3), line_words]),
        gap_material=gap_index,
        gap_density=gap.density_g_cm3 if gap else 0.0,
        rotation=np.ascontiguousarray(into_box.rotation),
        translation=into_box.translation / MM_PER_CM,
    )
    return geometry, materials


def _packed_line(line: BeamlineBox, materials: list[Material]) -> NDArray[np.int32]:
    """Return the voxels of what stands in the beam, their materials numbered in the common list."""
    number = np.array([index_of(material, materials) for material in line.materials], np.uint8)
    return packed_voxels(number[line.material], line.density_g_cm3)


def index_of(material: Material, materials: list[Material]) -> int:
    """Return the place of a material in the list, appended if new."""
    if material not in materials:
        if len(materials) > MOST_MATERIALS:
            raise refuse("Too many materials for one problem", given=len(materials) + 1, allowed=MOST_MATERIALS + 1)
        materials.append(material)
    return materials.index(material)


def _scoring(voxels: Voxels, grid: Grid, *, to_water: bool, let: bool) -> Scoring:
    """Describe how positions in the patient box fall into the voxels of `grid`."""
    into_grid = grid.direction.T / np.array(grid.spacing_mm)[:, None]
    rotation = into_grid @ voxels.frame.rotation
    shift = into_grid @ (voxels.frame.translation - np.asarray(grid.origin_mm)) + 0.5
    matrix = np.concatenate([rotation * MM_PER_CM, shift[:, None]], axis=1)
    return Scoring(False, matrix.astype(np.float32), np.array(grid.shape, np.int32), to_water, let)
