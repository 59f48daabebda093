"""From a run file to a problem that can run."""

from dataclasses import dataclass

from dosewright.core.errors import InputError
from dosewright.core.grid import Grid
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem, proton_problem
from dosewright.simulation.run_file.axes import score_edges
from dosewright.simulation.run_file.tables import RunFile, SpotsSource, Transport
from dosewright.simulation.setup.phantom import PhantomVoxels, even_grid, phantom_voxels
from dosewright.simulation.setup.plan_source import plan_source
from dosewright.simulation.setup.proton_source import proton_source
from dosewright.simulation.setup.resolvers import Resolvers

PHOTON_CUTS = ("photon_cut_MeV", "electron_cut_MeV")


@dataclass(frozen=True)
class Prepared:
    """A problem, its phantom, the number of particles (None: per primary), and what a reader should know."""

    problem: Problem
    phantom: PhantomVoxels
    particles: float | None
    warnings: tuple[str, ...]


def prepare(run_file: RunFile, resolvers: Resolvers) -> Prepared:
    """Build phantom, source and score grid of a checked run file."""
    phantom = phantom_voxels(run_file.phantom, resolvers)
    settings = transport_settings(run_file)
    own = score_edges(run_file.score[0], 0)[0]
    grid = even_grid(own) if own else None
    said = (*phantom.warnings, *_transport_warnings(run_file.transport))
    if isinstance(run_file.source, SpotsSource) and run_file.source.plan is not None:
        return _with_plan(run_file.source, phantom, grid, settings, resolvers, said)
    source = proton_source(run_file.source)
    problem = phantom_problem(
        voxels=phantom.voxels,
        source=source.packed,
        weights=source.weights,
        to_patient=source.to_patient,
        settings=settings,
        score_grid=grid,
    )
    return Prepared(problem, phantom, source.particles, said)


def transport_settings(run_file: RunFile) -> TransportSettings:
    """Return the transport's settings; dose to water and LET only where a score asks for them."""
    transport, asked = run_file.transport, {score.quantity for score in run_file.score}
    return TransportSettings(
        proton_cut_MeV=transport.proton_cut_MeV,
        delta_cut_MeV=transport.delta_cut_MeV,
        max_step_mm=transport.max_step_mm,
        processes_off=transport.processes_off,
        dose_to_water="dose_to_water" in asked,
        let=bool(asked & {"letd", "lett"}),
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
        beamline=planned.slabs,
        to_patient=planned.to_patient,
        score_grid=score_grid,
        settings=settings,
    )
    particles = float(planned.pencils.particles.sum())
    return Prepared(problem, phantom, particles, (*said, *planned.warnings))


def _transport_warnings(transport: Transport) -> tuple[str, ...]:
    usual = Transport()
    said = [
        f"transport.{key} = {getattr(transport, key):g} changes nothing: protons make no photons or tracked electrons "
        "here."
        for key in PHOTON_CUTS
        if getattr(transport, key) != getattr(usual, key)
    ]
    if transport.processes_off:
        said.append(f"Switched off for verification: {', '.join(transport.processes_off)}. This is not the true dose.")
    return tuple(said)
