"""One problem, packed to flat arrays: geometry, tables, source and scoring; and how those of protons are packed."""

from collections.abc import Sequence
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
from dosewright.core.scene import Part
from dosewright.core.solids import Device
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.beam.beamline import heights_mm
from dosewright.geometry.beam.clearance import refuse_in_patient
from dosewright.geometry.scene.flat import flattened, unflattened
from dosewright.geometry.scene.trace import SceneTables
from dosewright.geometry.trace import Geometry
from dosewright.geometry.voxels import Voxels
from dosewright.materials.ion_tables import HIGHEST_MEV, ion_tables
from dosewright.materials.library import named
from dosewright.scoring.deposit import Scoring
from dosewright.scoring.planes import RECORDED
from dosewright.simulation.pack import index_of, pack_geometry, pack_scored, source_energies_MeV
from dosewright.simulation.pack_scene import packed_scene
from dosewright.simulation.recorded import Recorded
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.sources.pencil_beams import PencilBeams, reach_mm
from dosewright.transport import step
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.repeated_loop import RepeatedProblem

NOT_MOVED = Rigid.identity()
CORE_SIGMAS = 2.0  # where a patient must not stand beside a device; a couch or a shoulder may stand beyond


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
    part_names
        The parts of the scene, in the order of the tally, which has one entry more for what fills the scene; none
        where there is no scene.
    recorded
        The phase space that the primaries come from; None where a source is sampled.
    """

    packed: step.Problem | CoupledProblem | RepeatedProblem
    pencil_weights: NDArray[np.float64]
    score_grid: Grid | None
    score_shape: tuple[int, int, int]
    mass_g: NDArray[np.float64]
    density_g_cm3: NDArray[np.float64]
    assumptions: tuple[str, ...] = ()
    part_names: tuple[str, ...] = ()
    recorded: Recorded | None = None

    @property
    def tallied_parts(self) -> int:
        """Entries of the tally of parts."""
        return len(self.part_names) + 1 if self.part_names else 0

    @property
    def per(self) -> str:
        """What doses are per."""
        return "primary" if self.recorded is None else "original history"

    @property
    def scene(self) -> SceneTables:
        """The scene around the box of voxels, as the kernels see it."""
        if isinstance(self.packed, step.Problem):
            return unflattened(self.packed.scene)
        return self.packed.phantom.scene if isinstance(self.packed, RepeatedProblem) else self.packed.scene

    @property
    def planes(self) -> int:
        """Planes that record what goes through them."""
        return int(self.packed.planes[:, RECORDED:].any(axis=1).sum()) if isinstance(self.packed, CoupledProblem) else 0

    @property
    def logs(self) -> bool:
        """Whether a log is kept of what leads to what planes record."""
        return isinstance(self.packed, CoupledProblem) and self.packed.lineage > 0 and self.planes > 0

    @property
    def carried(self) -> int:
        """Voxels for which energy that is carried into them is scored."""
        tags = isinstance(self.packed, CoupledProblem) and self.packed.tag_below.size > 0
        return int(np.prod(self.score_shape)) if tags else 0

    @property
    def scoring(self) -> Scoring:
        """Where energy is scored, as the kernels see it."""
        return self.packed.phantom.scoring if isinstance(self.packed, RepeatedProblem) else self.packed.scoring

    def fingerprint(self) -> str:
        """Return a hash of all that shapes the result, the compiled sources included."""
        digest = sha256(source_hash((*COMPILED_ROOMS, "simulation")).encode())
        _feed(digest, (self.packed, self.pencil_weights, self.score_shape, self.mass_g))
        if self.recorded is not None:
            _feed(digest, self.recorded.described())
        return digest.hexdigest()


def proton_problem(
    *,
    voxels: Voxels,
    pencil_beams: PencilBeams,
    beamline: tuple[Device, ...],
    to_patient: Rigid,
    score_grid: Grid | None,
    settings: TransportSettings,
    parts: Sequence[Part] = (),
    fill: Material | None = None,
    scene_to_box: Rigid = NOT_MOVED,
) -> Problem:
    """Pack one beam of pencil beams.

    Parameters
    ----------
    voxels
        The patient or phantom.
    pencil_beams
        The spots, in gantry axes.
    beamline
        What stands between the start plane and the patient, in gantry axes; nothing with a scene.
    to_patient
        From gantry to patient coordinates (mm).
    score_grid
        Where the dose is wanted; None: in the voxels of the patient.
    settings
        Cuts and limits.
    parts, fill, scene_to_box
        A scene around the patient, see `phantom_problem`; `fill` is there instead of the medium of the pencil beams.
    """
    if parts and beamline:
        raise refuse("Either solids of a scene or devices stand in a beam", given=[device.id for device in beamline])
    gap = None if pencil_beams.medium == "vacuum" or parts else named("G4_AIR")
    source = _pencil_source(pencil_beams.rows)
    found = heights_mm(beamline)
    field = None if found is None else reach_mm(pencil_beams, found[0])
    if found is not None:
        core = reach_mm(pencil_beams, found[0], sigmas=CORE_SIGMAS, margin_mm=0.0)
        refuse_in_patient(beamline, voxels, to_patient, core)
    geometry, materials = pack_geometry(voxels, beamline, pencil_beams.start_mm, gap, to_patient, field)
    scene, names = _scene(parts, fill, voxels, scene_to_box, materials)
    scored = pack_scored(voxels, score_grid, to_water=settings.dose_to_water, let=settings.let)
    packed = _packed(geometry, materials, source, scored.scoring, settings, scene)
    return Problem(
        packed, pencil_beams.particles, score_grid, scored.shape, scored.mass_g, scored.density_g_cm3,
        pencil_beams.assumptions, names,
    )  # fmt: skip


def phantom_problem(
    *,
    voxels: Voxels,
    source: Source,
    weights: NDArray[np.float64],
    to_patient: Rigid,
    settings: TransportSettings,
    score_grid: Grid | None = None,
    parts: Sequence[Part] = (),
    fill: Material | None = None,
    scene_to_box: Rigid = NOT_MOVED,
    voxel_box: bool = True,
) -> Problem:
    """Pack a source in front of a phantom in vacuum or in a scene.

    Parameters
    ----------
    voxels
        The phantom.
    source, weights
        The source in beam axes, the particles of each pencil.
    to_patient
        From beam axes to those of the phantom (mm).
    settings
        Cuts and limits.
    score_grid
        Where the dose is wanted; None: in the phantom's own voxels.
    parts, fill
        Solids around the phantom, which cuts them, and what lies between them (None: vacuum).
    scene_to_box
        From the axes of the parts to those of the phantom's box (mm).
    voxel_box
        Whether the voxels are there at all; without them a scene is alone, and one voxel must be given that nothing
        enters.
    """
    geometry, materials = pack_geometry(voxels, (), 0.0, None, to_patient)
    scene, names = _scene(parts, fill, voxels if voxel_box else None, scene_to_box, materials)
    scored = pack_scored(voxels, score_grid, to_water=settings.dose_to_water, let=settings.let)
    packed = _packed(geometry, materials, source, scored.scoring, settings, scene)
    return Problem(packed, weights, score_grid, scored.shape, scored.mass_g, scored.density_g_cm3, (), names)


def _scene(
    parts: Sequence[Part], fill: Material | None, voxels: Voxels | None, to_box: Rigid, materials: list[Material]
) -> tuple[SceneTables, tuple[str, ...]]:
    """Return what lies around the voxels, and the names of its parts."""
    if fill is not None and not parts:
        raise refuse("What fills a scene needs parts to lie between", given=fill.name)
    packed = packed_scene(parts, fill, voxels, to_box, lambda material, *_: index_of(material, materials))
    return packed.tables, packed.names


def _packed(
    geometry: Geometry,
    materials: list[Material],
    source: Source,
    scoring: Scoring,
    settings: TransportSettings,
    scene: SceneTables,
) -> step.Problem:
    """Put the parts together; refuse energies beyond the tables."""
    highest = source_energies_MeV(source)[1]
    if highest > HIGHEST_MEV:
        raise refuse("The proton energy lies beyond the tables", given=f"{highest:.1f} MeV", allowed=f"{HIGHEST_MEV:g}")
    return step.Problem(
        geometry=geometry,
        tables=ion_tables(materials, delta_cut_MeV=settings.delta_cut_MeV, processes_off=settings.processes_off),
        source=source,
        scoring=scoring,
        controls=step.Controls(settings.proton_cut_MeV, settings.max_step_mm / MM_PER_CM),
        scene=flattened(scene),
    )


def _pencil_source(rows: NDArray[np.float64]) -> Source:
    nothing = np.zeros(0)
    return Source(emit.PENCILS, rows, np.zeros(3), np.zeros(2), nothing, nothing, nothing)


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
