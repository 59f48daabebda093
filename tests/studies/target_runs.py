"""A target of tungsten and copper in air, in front of a filter: what cuts are proved with."""

from pathlib import Path

from dosewright.simulation import RunFile
from dosewright.simulation.crossings import PlaneSums, of_plane
from dosewright.simulation.goal import Goal
from dosewright.simulation.run import simulate
from dosewright.simulation.run_file.phantom_tables import Scene
from dosewright.simulation.run_file.source_tables import PencilSource
from dosewright.simulation.run_file.tables import Goals, Run
from dosewright.simulation.run_file.transport_tables import Region, Transport
from dosewright.simulation.run_folder import goal_at_planes
from dosewright.simulation.setup.prepare import prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY
from dosewright.studies.cut_study import Plane, to_plane

HEAD = """\
[scene]
fill = "air"

[[part]]
name = "target"
tube = {radius_mm = 20, length_mm = 1}
material = "G4_W"
centre_mm = [0, 0, 0.5]

[[part]]
name = "backing"
tube = {radius_mm = 20, length_mm = 4}
material = "G4_Cu"
centre_mm = [0, 0, 3]

[[part]]
name = "filter"
tube = {radius_mm = 60, length_mm = 10}
material = "G4_Al"
centre_mm = [0, 0, 45]
"""
PLANE = Plane(60.0, 1.0)
ELECTRONS = PencilSource(particle="electron", energy_MeV=6, position_mm=(0, 0, -5))


def target_run(folder: Path, histories: int, seed: int = 1, regions: tuple[Region, ...] = ()) -> RunFile:
    """Return a run of electrons of 6 MeV on the target, with low cuts but for those of some regions."""
    path = folder / "target.toml"
    path.write_text(HEAD, encoding="utf-8")
    transport = Transport(photon_cut_MeV=0.01, electron_cut_MeV=0.1, region=regions)
    return RunFile(scene=Scene(file=str(path)), source=ELECTRONS, transport=transport, goal=Goals(histories=histories),
                   run=Run(seed=seed, threads=1))  # fmt: skip


def reached(run_file: RunFile) -> tuple[float, float]:
    """Return the particles that reach the plane per history, and the standard error."""
    sums = PlaneSums()
    asked = to_plane(run_file, PLANE)
    problem = prepare(asked, WITHOUT_LIBRARY).problem
    goal = goal_at_planes(Goal(histories=asked.goal.histories), problem)
    done = simulate(
        problem, goal, seed=asked.run.seed, threads=1, crossed=lambda came: sums.add(of_plane(came.rows, 0))
    )
    mean, error = sums.per_history(done.histories)
    return float(mean[-1]), float(error[-1])
