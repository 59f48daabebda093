"""From a run file to a problem that can run."""

from dataclasses import dataclass, replace

from dosewright.core.errors import InputError
from dosewright.core.grid import Grid
from dosewright.simulation.coupled_problem import coupled_problem
from dosewright.simulation.coupled_settings import CoupledSettings, RegionCuts
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem, proton_problem
from dosewright.simulation.reduction_settings import ReductionSettings
from dosewright.simulation.run_file.axes import score_edges
from dosewright.simulation.run_file.source_tables import PhaseSpaceSource, SpotsSource
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.setup.beam_source import beam_source
from dosewright.simulation.setup.leaving_bins import bins_of
from dosewright.simulation.setup.phantom import PhantomVoxels, even_grid, phantom_voxels
from dosewright.simulation.setup.phase_space_source import phase_space_source
from dosewright.simulation.setup.phase_space_wishes import reuse_of, wishes_of
from dosewright.simulation.setup.plan_source import plan_source
from dosewright.simulation.setup.reduction import reduction_settings
from dosewright.simulation.setup.resolvers import Resolvers
from dosewright.simulation.setup.scene import PlacedScene, placed_scene
from dosewright.simulation.setup.surroundings import Around, in_scene, mirrored_alike
from dosewright.simulation.setup.transport_warnings import transport_warnings


@dataclass(frozen=True)
class Prepared:
    """A problem, its phantom and its scene, the number of particles (None: per primary), and what a reader should know.

    `settings` are those of the transport.
    """

    problem: Problem
    phantom: PhantomVoxels | None
    particles: float | None
    warnings: tuple[str, ...]
    settings: TransportSettings | CoupledSettings
    scene: PlacedScene | None = None


def prepare(run_file: RunFile, resolvers: Resolvers) -> Prepared:
    """Build phantom, scene, source and score grid of a checked run file."""
    own = next((score_edges(s, n)[0] for n, s in enumerate(run_file.score) if s.has_voxels), [])
    grid = even_grid(own) if own else None
    scene = placed_scene(run_file.scene, resolvers) if run_file.scene is not None else None
    if run_file.source.particle == "proton":
        return _protons(run_file, grid, scene, resolvers)
    return _coupled(run_file, grid, scene, resolvers)


def _protons(run_file: RunFile, grid: Grid | None, scene: PlacedScene | None, resolvers: Resolvers) -> Prepared:
    settings = transport_settings(run_file)
    if isinstance(run_file.source, PhaseSpaceSource):
        raise ValueError("a phase space has no protons")
    phantom = None if run_file.phantom is None else phantom_voxels(run_file.phantom, resolvers)
    said = (*_said_of(phantom), *transport_warnings(run_file))
    if phantom is not None and isinstance(run_file.source, SpotsSource) and run_file.source.plan is not None:
        return _with_plan(run_file.source, phantom, grid, settings, resolvers, said)
    source, around = beam_source(run_file.source), Around.of(phantom, scene)
    problem = phantom_problem(
        voxels=around.voxels,
        source=source.packed,
        weights=source.weights,
        to_patient=source.to_patient,
        settings=settings,
        score_grid=grid,
        parts=around.parts,
        fill=around.fill,
        scene_to_box=around.scene_to_box,
        voxel_box=phantom is not None,
    )
    problem, of_scene = in_scene(problem, phantom, scene, run_file.source)
    return Prepared(problem, phantom, source.particles, (*said, *of_scene), settings, scene)


def _coupled(run_file: RunFile, grid: Grid | None, scene: PlacedScene | None, resolvers: Resolvers) -> Prepared:
    """Prepare photons, electrons or positrons; inserts with cuts of their own are media of their own."""
    settings = coupled_settings(run_file, scene)
    apart = [region.name for region in settings.regions]
    phantom = None if run_file.phantom is None else phantom_voxels(run_file.phantom, resolvers, apart=apart)
    recorded = None
    if isinstance(run_file.source, PhaseSpaceSource):
        recorded = phase_space_source(run_file.source, resolvers)
        source = recorded.beam
    else:
        source = beam_source(run_file.source)
    around = Around.of(phantom, scene)
    reduction = ReductionSettings() if scene is None else reduction_settings(run_file, scene, around.run_to_box)
    problem = coupled_problem(
        voxels=around.voxels,
        source=source.packed,
        particle=run_file.source.particle,
        weights=source.weights,
        to_patient=source.to_patient,
        settings=settings,
        inserts=phantom.inserts if phantom else (),
        score_grid=grid,
        leaving=bins_of(run_file),
        parts=around.parts,
        fill=around.fill,
        scene_to_box=around.scene_to_box,
        voxel_box=phantom is not None,
        reduction=reduction,
        planes=[wish.plane for wish in wishes_of(run_file)],
        lineage=any(wish.asks_past for wish in wishes_of(run_file)),
        reuse=reuse_of(run_file),
    )
    places_mm = None if recorded is None else recorded.places_mm
    problem, of_scene = in_scene(problem, phantom, scene, run_file.source, places_mm)
    problem = mirrored_alike(problem, reuse_of(run_file), around.run_to_box)
    x, y, _ = around.voxels.edges_mm
    missed = reduction.misses((x[0], y[0]), (x[-1], y[-1])) if phantom is not None else ""
    of_reduction = (told for told in (reduction.biased, missed) if told)
    said = (*_said_of(phantom), *transport_warnings(run_file), *problem.assumptions, *of_scene, *of_reduction)
    if recorded is not None:
        problem, said = replace(problem, recorded=recorded.records), (*said, *recorded.warnings)
    return Prepared(problem, phantom, source.particles, said, settings, scene)


def _said_of(phantom: PhantomVoxels | None) -> tuple[str, ...]:
    return () if phantom is None else phantom.warnings


def transport_settings(run_file: RunFile) -> TransportSettings:
    """Return the settings for protons; dose to water and LET only where a score asks for them."""
    transport, asked = run_file.transport, {score.quantity for score in run_file.score}
    return TransportSettings(
        proton_cut_MeV=transport.proton_cut_MeV,
        delta_cut_MeV=transport.delta_cut_MeV,
        max_step_mm=transport.max_step_mm,
        processes_off=transport.processes_off,
        dose_to_water="dose_to_water" in asked,
        let=bool(asked & {"letd", "lett"}),
    )


def coupled_settings(run_file: RunFile, scene: PlacedScene | None = None) -> CoupledSettings:
    """Return the settings for photons, electrons and positrons; dose to water only where a score asks for it.

    A region with the name of a module becomes one for each of its parts.
    """
    transport, of_module = run_file.transport, {} if scene is None else scene.of_module
    return CoupledSettings(
        photon_cut_MeV=transport.photon_cut_MeV,
        electron_cut_MeV=transport.electron_cut_MeV,
        range_rejection_MeV=transport.range_rejection_MeV,
        max_step_mm=transport.max_step_mm,
        regions=tuple(
            RegionCuts(**{**region.model_dump(), "name": name})
            for region in transport.region
            for name in of_module.get(region.name, (region.name,))
        ),
        processes_off=transport.processes_off,
        dose_to_water=any(score.quantity == "dose_to_water" for score in run_file.score),
        track_length=run_file.variance_reduction.track_length,
        photon_splitting=run_file.variance_reduction.photon_splitting,
    )


def _with_plan(
    source: SpotsSource,
    phantom: PhantomVoxels,
    grid: Grid | None,
    settings: TransportSettings,
    resolvers: Resolvers,
    said: tuple[str, ...],
) -> Prepared:
    score_grid = grid or phantom.grid
    if score_grid is None:
        raise InputError("A plan on a phantom with uneven axes needs scores with a grid of their own (size_mm, ...).")
    planned = plan_source(source, resolvers)
    problem = proton_problem(
        voxels=phantom.voxels,
        pencil_beams=planned.pencils,
        beamline=planned.devices,
        to_patient=planned.to_patient,
        score_grid=score_grid,
        settings=settings,
    )
    particles = float(planned.pencils.particles.sum())
    return Prepared(problem, phantom, particles, (*said, *planned.warnings), settings)
