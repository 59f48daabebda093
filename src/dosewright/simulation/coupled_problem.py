"""How a problem of photons, electrons and positrons is packed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.matter import Material
from dosewright.core.scene import Part
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.scene.pack import PackedScene
from dosewright.geometry.trace import Geometry
from dosewright.geometry.voxels import Voxels
from dosewright.materials.electrons import lookup
from dosewright.materials.electrons.lookup import HIGHEST_MEV, LOWEST_MEV, ElectronTables
from dosewright.materials.electrons.tables import StepLimits, electron_tables
from dosewright.materials.photons.tables import PhotonTables, photon_tables
from dosewright.scoring.leaving import NOTHING_LEAVING, Leaving
from dosewright.simulation.coupled_settings import CoupledSettings, MaterialCuts
from dosewright.simulation.kerma import kerma
from dosewright.simulation.pack import pack_geometry, pack_scored, source_energies_MeV
from dosewright.simulation.pack_scene import packed_scene
from dosewright.simulation.planes import Plane, ReusePlane, with_reuse
from dosewright.simulation.problem import Problem
from dosewright.simulation.reduction_settings import ReductionSettings, pack_reduction
from dosewright.simulation.splitting import refuse_splitting, repeated_problem
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.transport.coupled import NO_KERMA, CoupledProblem, Cuts
from dosewright.transport.reduction import NO_REDUCTION
from dosewright.transport.tracks import ELECTRON, PHOTON, POSITRON

ROUNDED_UP = 1.0 + 2.0**-15  # voxels keep 16 bits of their density, and photons must never fly too far
GAS_G_CM3 = 0.05
EVEN = 1.0e-9  # of the size of a voxel
EQUILIBRIUM = (
    0.2  # of a voxel; what leaves it is made up for by what comes in but for the change of fluence on this way
)
NOT_MOVED = Rigid.identity()
NO_REDUCTION_ASKED = ReductionSettings()
SPECIES = {"photon": PHOTON, "electron": ELECTRON, "positron": POSITRON}
OF_EACH_RECORD = PHOTON  # of a phase space: what the kernels overlook, for every record has a species of its own


@dataclass(frozen=True)
class Medium:
    """A material as the tables know it: with the mean density of its voxels, the largest one, and its cuts.

    `insert` is the name of the slabs and boxes it fills, where they have cuts of their own.
    """

    material: Material
    insert: str
    largest_density_g_cm3: float
    cuts: MaterialCuts


def coupled_problem(
    *,
    voxels: Voxels,
    source: Source,
    particle: str,
    weights: NDArray[np.float64],
    to_patient: Rigid,
    settings: CoupledSettings,
    inserts: Sequence[str] = (),
    score_grid: Grid | None = None,
    leaving: Leaving = NOTHING_LEAVING,
    parts: Sequence[Part] = (),
    fill: Material | None = None,
    scene_to_box: Rigid = NOT_MOVED,
    voxel_box: bool = True,
    reduction: ReductionSettings = NO_REDUCTION_ASKED,
    planes: Sequence[Plane] = (),
    reuse: ReusePlane | None = None,
    lineage: bool = False,
) -> Problem:
    """Pack a source of photons, electrons or positrons in front of a phantom, in vacuum or in a scene.

    Parameters
    ----------
    voxels
        The phantom.
    source, particle, weights
        The source in beam axes, the particle it sends out, the particles of each pencil.
    to_patient
        From beam axes to those of the run (mm).
    settings
        Cuts and limits.
    inserts
        Name of the slabs or boxes that each material of the voxels fills, for cuts of their own; "" elsewhere.
    score_grid
        Where energy is scored; None: in the phantom's own voxels.
    leaving
        Bins of what leaves the phantom, or the world of the scene.
    parts, fill
        What stands around the phantom, and what is between (None: vacuum); no parts: vacuum alone.
    scene_to_box
        From the axes of the scene to those of the voxels' box (mm).
    voxel_box
        Whether the voxels are there at all; without them a scene is alone, and one voxel must be given that nothing
        enters.
    reduction
        How variance is reduced in the scene; its places are in the axes of the voxels' box.
    planes
        What records the particles that go through it, in the axes of the run.
    reuse
        Where particles go on as several.
    lineage
        Whether a log is kept of what leads to what planes record.
    """
    _refuse_energies(source)
    voxels, media = media_of(voxels, settings, inserts)
    if settings.photon_splitting:
        refuse_splitting(voxels, particle, score_grid, leaving)
    _refuse_beside(settings, scene=bool(parts), planes=bool(planes or reuse))
    geometry, _ = pack_geometry(voxels, (), 0.0, None, to_patient)
    scene, of_scene = scene_and_media(parts, fill, scene_to_box, voxels if voxel_box else None, settings, len(media))
    matter = _matter((*media, *of_scene), settings, voxels, source)
    scored = pack_scored(voxels, score_grid, to_water=settings.dose_to_water)
    lying, used_again = with_reuse(planes, reuse, voxels if voxel_box else None, voxels.frame.inverse())
    phantom = CoupledProblem(
        geometry=geometry,
        photons=matter.photons,
        electrons=matter.electrons,
        source=source,
        species=SPECIES.get(particle, OF_EACH_RECORD) if source.kind == emit.RECORDS else SPECIES[particle],
        scoring=scored.scoring,
        leaving=leaving,
        cuts=matter.cuts,
        max_step_cm=settings.max_step_mm / MM_PER_CM,
        kerma=matter.by_path,
        uniform=_all_alike(voxels, geometry),
        scene=scene.tables,
        reduction=pack_reduction(reduction, scene_to_box) if parts else NO_REDUCTION,
        planes=lying,
        reuse=used_again,
        lineage=int(lineage),
    )
    copies, highest = settings.photon_splitting, source_energies_MeV(source)[1]
    packed = repeated_problem(phantom, copies, highest) if copies else phantom
    return Problem(
        packed, weights, score_grid, scored.shape, scored.mass_g, scored.density_g_cm3, matter.said, scene.names
    )


def _refuse_beside(settings: CoupledSettings, *, scene: bool, planes: bool) -> None:
    """Refuse splitting and track length in a scene and beside planes."""
    if not settings.photon_splitting and not settings.track_length:
        return
    given = "photon_splitting" if settings.photon_splitting else "track_length"
    if scene:
        raise refuse("In a scene photons are neither split nor scored by track length", given=given, allowed="off")
    if planes:
        raise refuse("Particles that are repeated or scored by track length cross no plane", given=given, allowed="off")


@dataclass(frozen=True)
class _Matter:
    """What matter does to photons and electrons, as the kernels read it, and what a reader should know."""

    photons: PhotonTables
    electrons: ElectronTables
    cuts: Cuts
    by_path: NDArray[np.float64]
    said: tuple[str, ...]


def _matter(media: Sequence[Medium], settings: CoupledSettings, voxels: Voxels, source: Source) -> _Matter:
    """Tabulate media in their order; with track length no electron is followed."""
    materials, off = [medium.material for medium in media], settings.processes_off
    photon_cuts = [medium.cuts.photon_MeV for medium in media]
    electron_cuts = [medium.cuts.electron_MeV for medium in media]
    limits = StepLimits(settings.step_deflection, settings.step_loss)
    photons = photon_tables(materials, [medium.largest_density_g_cm3 for medium in media], off)
    electrons = electron_tables(materials, electron_cuts, photon_cuts, off, limits)
    by_path = NO_KERMA
    said: tuple[str, ...] = ()
    if settings.track_length:
        highest = source_energies_MeV(source)[1]
        said = refuse_lost_equilibrium(voxels, media, electrons, highest)
        by_path = kerma(materials, photons, settings.photon_cut_MeV)
        electron_cuts = [max(cut, highest * ROUNDED_UP) for cut in electron_cuts]
    cuts = Cuts(
        photon=np.array(photon_cuts, np.float32),
        electron=np.array(electron_cuts, np.float32),
        rejection=np.array([medium.cuts.rejection_MeV for medium in media], np.float32),
    )
    return _Matter(photons, electrons, cuts, by_path, said)


def media_of(
    voxels: Voxels, settings: CoupledSettings, inserts: Sequence[str] = ()
) -> tuple[Voxels, tuple[Medium, ...]]:
    """Return voxels that name only media that occur, and these media.

    The density effect of electrons needs a density: each material takes the mean of its voxels.
    """
    count = len(voxels.materials)
    names = [*inserts, *[""] * (count - len(inserts))]
    number = voxels.material.ravel()
    density = voxels.density_g_cm3.ravel().astype(np.float64)
    occurs = np.bincount(number, minlength=count)
    mean = np.bincount(number, weights=density, minlength=count) / np.maximum(occurs, 1)
    largest = np.zeros(count)
    np.maximum.at(largest, number, density)
    used = np.flatnonzero(occurs)
    media = tuple(
        Medium(
            replace(voxels.materials[i], density_g_cm3=float(mean[i])),
            names[i],
            float(largest[i]) * ROUNDED_UP,
            settings.cuts_in(voxels.materials[i].name, names[i]),
        )
        for i in used
    )
    renumbered = np.zeros(count, np.uint8)
    renumbered[used] = np.arange(used.size)
    materials = tuple(medium.material for medium in media)
    return replace(voxels, material=renumbered[voxels.material], materials=materials), media


def scene_and_media(
    parts: Sequence[Part],
    fill: Material | None,
    scene_to_box: Rigid,
    voxels: Voxels | None,
    settings: CoupledSettings,
    numbered: int,
) -> tuple[PackedScene, tuple[Medium, ...]]:
    """Return parts as tables, and the media they add to those that are numbered already.

    A part of its own density or cuts is a medium of its own. Their largest density is noted as zero: photons are
    followed there from boundary to boundary, and voxels need not know how much a target attenuates.
    """
    media: list[Medium] = []

    def number_of(material: Material, density_g_cm3: float, name: str) -> int:
        one = Medium(replace(material, density_g_cm3=density_g_cm3), "", 0.0, settings.cuts_in(material.name, name))
        if one not in media:
            media.append(one)
        return numbered + media.index(one)

    return packed_scene(parts, fill, voxels, scene_to_box, number_of), tuple(media)


def refuse_lost_equilibrium(
    voxels: Voxels, media: Sequence[Medium], electrons: ElectronTables, highest_MeV: float
) -> tuple[str, ...]:
    """Refuse dose by track length where the fastest electrons travel more than a fifth of the smallest voxel.

    Electrons are taken to have the energy of the photon. Gases are let pass, with a sentence: nobody asks for the dose
    there, and around them equilibrium is lost within the range in what is dense.
    """
    smallest_mm = min(float(np.diff(edges).min()) for edges in voxels.edges_mm)
    ranges = electrons.values.reshape(-1, lookup.NODES, lookup.COLUMNS)[::2, :, lookup.RANGE]
    said, problems = [], []
    for medium, of_medium in zip(media, ranges, strict=True):
        range_g_cm2 = float(np.interp(highest_MeV, lookup.node_energies_MeV(), of_medium))
        range_mm = range_g_cm2 / medium.material.density_g_cm3 * MM_PER_CM
        if range_mm <= EQUILIBRIUM * smallest_mm:
            continue
        name = medium.material.name
        if medium.material.density_g_cm3 < GAS_G_CM3:
            said.append(f"By track length the dose in {name} is kerma: electrons travel {range_mm:.3g} mm there.")
        else:
            given = f"electrons of {highest_MeV:g} MeV travel {range_mm:.3g} mm in {name}"
            allowed = f"a fifth of the smallest voxel, {EQUILIBRIUM * smallest_mm:.3g} mm"
            problems.append(refuse("By track length no dose is found where electrons travel", given=given,
                                   allowed=allowed, where="variance_reduction.track_length"))  # fmt: skip
    if problems:
        raise InputError(*(text for problem in problems for text in problem.problems))
    return tuple(said)


def _all_alike(voxels: Voxels, geometry: Geometry) -> bool:
    """Say whether all voxels have one medium, one density and one size."""
    sizes = [np.diff(edges) for edges in voxels.edges_mm]
    even = all(np.ptp(size) <= EVEN * size[0] for size in sizes)
    return even and bool(np.all(geometry.voxels == geometry.voxels[0]))


def _refuse_energies(source: Source) -> None:
    lowest, highest = source_energies_MeV(source)
    if lowest < LOWEST_MEV or highest > HIGHEST_MEV:
        given, allowed = f"{lowest:g} to {highest:g} MeV", f"{LOWEST_MEV:g} to {HIGHEST_MEV:g} MeV"
        raise refuse("The energies of the source lie beyond the tables", given=given, allowed=allowed)
