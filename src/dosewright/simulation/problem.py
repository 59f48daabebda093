"""One problem, packed to flat arrays: geometry, tables, source and scoring."""

from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.jit import COMPILED_ROOMS, source_hash
from dosewright.core.matter import Material
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.mass import mass_on
from dosewright.geometry.slab import Slab
from dosewright.geometry.trace import BEAMLINE, PATIENT, Geometry, packed_voxels
from dosewright.geometry.voxels import Voxels
from dosewright.materials.ion_tables import HIGHEST_MEV, ion_tables
from dosewright.materials.library import named
from dosewright.scoring.deposit import Scoring
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.sources.pencil_beams import PencilBeams
from dosewright.transport import step

BEAMLINE_HALF_WIDTH_MM = 1000.0
MOST_MATERIALS = 255  # a voxel names its material in one byte


@dataclass(frozen=True)
class TransportSettings:
    """Cuts and limits of the transport (MeV, mm); an infinite delta cut condenses all losses.

    `processes_off` is for verification.
    """

    proton_cut_MeV: float = 0.5
    delta_cut_MeV: float = 0.2
    max_step_mm: float = 5.0
    processes_off: tuple[str, ...] = ()
    dose_to_water: bool = True
    let: bool = False

    def __post_init__(self) -> None:
        problems = []
        if not 0.1 <= self.proton_cut_MeV <= 20:
            problems.append(f"proton_cut_MeV must lie between 0.1 and 20 (given: {self.proton_cut_MeV:g}).")
        if not self.delta_cut_MeV >= 0.01:
            problems.append(f"delta_cut_MeV must be at least 0.01 (given: {self.delta_cut_MeV:g}).")
        if not self.max_step_mm > 0:
            problems.append(f"max_step_mm must be positive (given: {self.max_step_mm:g}).")
        if problems:
            raise InputError(*problems)


@dataclass(frozen=True)
class Problem:
    """Everything a run needs; frozen, and known by its fingerprint.

    Parameters
    ----------
    packed
        What the kernels read.
    pencil_weights
        Particles of each pencil beam, for the sampling; one entry for other sources.
    score_grid
        Where the dose is wanted (patient coordinates); None when the scored voxels are the phantom's own.
    score_shape
        Scored voxels along x, y, z.
    mass_g, density_g_cm3
        Mass in each scored voxel and mean density there, [z, y, x].
    assumptions
        What a report must repeat.
    """

    packed: step.Problem
    pencil_weights: NDArray[np.float64]
    score_grid: Grid | None
    score_shape: tuple[int, int, int]
    mass_g: NDArray[np.float64]
    density_g_cm3: NDArray[np.float64]
    assumptions: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """Return a hash of all that shapes the result, the compiled sources included."""
        digest = sha256(source_hash((*COMPILED_ROOMS, "simulation")).encode())
        _feed(digest, (self.packed, self.pencil_weights, self.score_shape, self.mass_g))
        return digest.hexdigest()


def proton_problem(
    *,
    voxels: Voxels,
    pencil_beams: PencilBeams,
    beamline: tuple[Slab, ...],
    to_patient: Rigid,
    score_grid: Grid,
    settings: TransportSettings,
) -> Problem:
    """Pack one beam of a plan.

    Parameters
    ----------
    voxels
        The patient or phantom.
    pencil_beams
        The spots, in gantry axes.
    beamline
        Slabs between the start plane and the patient, gantry axes.
    to_patient
        From gantry to patient coordinates (mm).
    score_grid
        Where the dose is wanted.
    settings
        Cuts and limits.
    """
    gap = None if pencil_beams.medium == "vacuum" else named("G4_AIR")
    source = _pencil_source(pencil_beams.rows)
    geometry, materials = pack_geometry(voxels, beamline, pencil_beams.start_mm, gap, to_patient)
    scoring = _scoring(voxels, score_grid, to_water=settings.dose_to_water, let=settings.let)
    packed = _packed(geometry, materials, source, scoring, settings)
    mass = mass_on(voxels, score_grid)
    density = mass / score_grid.voxel_volume_cm3
    return Problem(
        packed, pencil_beams.particles, score_grid, score_grid.shape, mass, density, pencil_beams.assumptions
    )


def phantom_problem(
    *,
    voxels: Voxels,
    source: Source,
    weights: NDArray[np.float64],
    to_patient: Rigid,
    settings: TransportSettings,
    score_grid: Grid | None = None,
) -> Problem:
    """Pack a source in front of a phantom in vacuum, scored on a grid or, without one, in the phantom's own voxels."""
    geometry, materials = pack_geometry(voxels, (), 0.0, None, to_patient)
    if score_grid is None:
        scoring = Scoring(
            True, np.zeros((3, 4), np.float32), np.array(voxels.shape, np.int32), settings.dose_to_water, settings.let
        )
        shape, mass, density = voxels.shape, _voxel_mass(voxels), voxels.density_g_cm3.astype(np.float64)
    else:
        scoring = _scoring(voxels, score_grid, to_water=settings.dose_to_water, let=settings.let)
        shape, mass = score_grid.shape, mass_on(voxels, score_grid)
        density = mass / score_grid.voxel_volume_cm3
    packed = _packed(geometry, materials, source, scoring, settings)
    return Problem(packed, weights, score_grid, shape, mass, density)


def _packed(
    geometry: Geometry, materials: list[Material], source: Source, scoring: Scoring, settings: TransportSettings
) -> step.Problem:
    """Put the parts together; refuse energies beyond the tables."""
    highest = _highest_energy_MeV(source)
    if highest > HIGHEST_MEV:
        raise refuse("The proton energy lies beyond the tables", given=f"{highest:.1f} MeV", allowed=f"{HIGHEST_MEV:g}")
    return step.Problem(
        geometry=geometry,
        tables=ion_tables(materials, delta_cut_MeV=settings.delta_cut_MeV, processes_off=settings.processes_off),
        source=source,
        scoring=scoring,
        controls=step.Controls(settings.proton_cut_MeV, settings.max_step_mm / MM_PER_CM),
    )


def _highest_energy_MeV(source: Source) -> float:
    """Return the mean energy plus five sigma, or the end of the spectrum."""
    if source.spectrum_high.size:
        return float(source.spectrum_high.max())
    if source.kind == emit.PENCILS:
        return float((source.pencils[:, emit.MEAN_ENERGY] + 5 * source.pencils[:, emit.ENERGY_SIGMA]).max())
    return float(source.energy[0] + 5 * source.energy[1])


def _voxel_mass(voxels: Voxels) -> NDArray[np.float64]:
    """Mass of every voxel, g, [z, y, x]."""
    x, y, z = (np.diff(e) / MM_PER_CM for e in voxels.edges_mm)
    volume = z[:, None, None] * y[None, :, None] * x[None, None, :]
    mass: NDArray[np.float64] = volume * voxels.density_g_cm3
    return mass


def _pencil_source(rows: NDArray[np.float64]) -> Source:
    nothing = np.zeros(0)
    return Source(emit.PENCILS, rows, np.zeros(3), np.zeros(2), nothing, nothing, nothing)


def pack_geometry(
    voxels: Voxels, beamline: tuple[Slab, ...], start_mm: float, gap: Material | None, to_patient: Rigid
) -> tuple[Geometry, list[Material]]:
    """Pack the patient box, the beamline box (if any slab) and the gap; lengths become cm."""
    slabs = sorted(beamline, key=lambda s: s.upstream_mm)
    materials = list(voxels.materials)
    line_edges, line_material, line_density = _beamline_box(slabs, start_mm, gap, materials)
    gap_index = _index_of(gap, materials) if gap else 0
    boxes = {BEAMLINE: line_edges, PATIENT: voxels.edges_mm}
    flat: list[NDArray[np.float64]] = []
    first, cells = np.zeros((2, 3), np.int32), np.zeros((2, 3), np.int32)
    for b, edges in boxes.items():
        for axis in range(3):
            first[b, axis] = sum(f.size for f in flat)
            cells[b, axis] = max(len(edges[axis]) - 1, 0)
            flat.append(np.asarray(edges[axis], float) / MM_PER_CM)
    into_box = to_patient.then(voxels.frame.inverse())
    line = packed_voxels(np.array(line_material, np.uint8), np.array(line_density, np.float32))
    edges_cm = np.concatenate(flat)
    geometry = Geometry(
        edges=edges_cm,
        faces=edges_cm.astype(np.float32),
        sizes=np.append(np.diff(edges_cm), 0.0).astype(np.float32),
        first=first,
        cells=cells,
        voxel_first=np.array([voxels.material.size, 0], np.int32),
        voxels=np.concatenate([packed_voxels(voxels.material, voxels.density_g_cm3), line]),
        gap_material=gap_index,
        gap_density=gap.density_g_cm3 if gap else 0.0,
        rotation=np.ascontiguousarray(into_box.rotation),
        translation=into_box.translation / MM_PER_CM,
    )
    return geometry, materials


def _beamline_box(
    slabs: list[Slab], start_mm: float, gap: Material | None, materials: list[Material]
) -> tuple[tuple[NDArray[np.float64], ...], list[int], list[float]]:
    """Edges, materials and densities of the beamline from the lowest slab face up to the start plane."""
    if not slabs:
        return (np.zeros(0),) * 3, [], []
    edges, index, density = [slabs[0].downstream_mm], [], []
    gap_index, gap_density = (_index_of(gap, materials), gap.density_g_cm3) if gap else (0, 0.0)
    for slab in slabs:
        if slab.downstream_mm < edges[-1] - 1e-6:
            raise refuse("Two slabs in the beam overlap", given=f"{slab.downstream_mm:g} below {edges[-1]:g} mm")
        if slab.downstream_mm > edges[-1] + 1e-6:
            edges.append(slab.downstream_mm)
            index.append(gap_index)
            density.append(gap_density)
        edges.append(slab.upstream_mm)
        index.append(_index_of(slab.material, materials))
        density.append(slab.density_g_cm3)
    if start_mm < edges[-1] - 1e-6:
        raise refuse(
            "The beam starts below the upstream face of a slab",
            given=f"{start_mm:g} mm",
            allowed=f">= {edges[-1]:g} mm",
        )
    if start_mm > edges[-1] + 1e-6:
        edges.append(start_mm)
        index.append(gap_index)
        density.append(gap_density)
    across = np.array([-BEAMLINE_HALF_WIDTH_MM, BEAMLINE_HALF_WIDTH_MM])
    return (across, across, np.array(edges)), index, density


def _index_of(material: Material, materials: list[Material]) -> int:
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


def _feed(digest: Any, value: Any) -> None:
    """Hash nested tuples of arrays and numbers."""
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).data)
    elif isinstance(value, tuple):
        for part in value:
            _feed(digest, part)
    elif hasattr(value, "__dataclass_fields__"):
        for f in fields(value):
            _feed(digest, getattr(value, f.name))
    else:
        digest.update(repr(value).encode())
    digest.update(b";")  # so that neighbours cannot lend each other digits
