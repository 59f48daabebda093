"""Which cuts an accelerator bears: the largest that lose less than a share of the particles that reach a plane."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.core.units import MM_PER_CM
from dosewright.materials.electrons.lookup import HIGHEST_MEV
from dosewright.scoring.planes import PLACE
from dosewright.simulation.goal import Goal
from dosewright.simulation.lineage import stories
from dosewright.simulation.problem import Problem
from dosewright.simulation.run import Progress, never, simulate
from dosewright.simulation.run_file.axes import phantom_edges
from dosewright.simulation.run_file.read import check
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import PhaseSpaceSource
from dosewright.simulation.run_file.tables import Goals, RunFile
from dosewright.simulation.run_file.transport_tables import Region
from dosewright.simulation.run_folder import goal_at_planes
from dosewright.simulation.setup.prepare import Prepared, prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY, Resolvers
from dosewright.simulation.work import AtPlanes
from dosewright.studies.basis import Basis
from dosewright.studies.collected import KINDS, RUN, WAYS, Collected, Found
from dosewright.studies.regions import Regions, regions_of
from dosewright.studies.suggested import Common, Cut, Together, common_ranges, cuts_of, rounded_down, together
from dosewright.studies.target import Target
from dosewright.transport.coupled import CoupledProblem

Array = NDArray[np.float64]

FEWEST = 100  # independent target particles; fewer tell nothing of a share of percents
MOST_LOST_PERCENT = 50.0
HISTORIES = 100_000  # where neither the command nor the run file names a number
MARGIN = 1.5  # more histories than were just enough


@dataclass(frozen=True)
class Plane:
    """The target: a plane across z of the run, or a rectangle of it about the axis (mm).

    `forward` is the way along z on which particles count and end, 1 or -1; `half_width_mm` None: all of it.
    """

    z_mm: float
    forward: float
    half_width_mm: tuple[float, float] | None = None


@dataclass(frozen=True)
class WayStudy:
    """What one way of ending particles would lose: each cut alone, a range for all regions, all cuts together."""

    found: Found
    cuts: tuple[Cut, ...]
    common: tuple[Common, ...]
    together: Together


@dataclass(frozen=True)
class CutStudy:
    """A study of cuts.

    Parameters
    ----------
    plane, lose_percent, histories
        What was asked, and how many histories were run.
    regions, chosen
        Where cuts may be, and the numbers of those that are looked at.
    target
        What reached the plane.
    ways
        By production cuts, by limits of the range, and by the cuts of a run file, which are both.
    highest_MeV
        The highest energy that anything had: a cut that ends all.
    warnings
        What the run has said.
    basis
        What the run stands on.
    """

    plane: Plane
    lose_percent: float
    histories: int
    regions: Regions
    chosen: tuple[int, ...]
    target: Target
    ways: dict[str, WayStudy]
    highest_MeV: float
    warnings: tuple[str, ...]
    basis: Basis

    @property
    def any_cut_MeV(self) -> float:
        """What is taken where any cut will do: the highest energy there was."""
        return min(rounded_down(self.highest_MeV), HIGHEST_MEV)

    def run_cuts(self) -> tuple[Region, ...]:
        """Return the cuts that lose less than the share together, as a run file takes them.

        Where any cut will do it is the highest energy there was. What a run file has no word for is left out.
        """
        energies, highest = self.ways[RUN].together.energies_MeV, self.any_cut_MeV
        cuts = []
        for number in self.chosen:
            name = self.regions.regions[number].run_name
            if name is not None:
                photon, electron = (energies.get((number, kind), highest) for kind in range(len(KINDS[RUN])))
                cuts.append(Region(name=name, photon_cut_MeV=photon, electron_cut_MeV=electron))
        return tuple(cuts)


def study_cuts(
    run_file: RunFile,
    plane: Plane,
    *,
    lose_percent: float = 1.0,
    histories: int | None = None,
    only: Sequence[str] = (),
    resolvers: Resolvers = WITHOUT_LIBRARY,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = never,
) -> CutStudy:
    """Run to a plane and find the largest cuts that lose less than a share (percent) of what reaches it.

    Parameters
    ----------
    run_file
        A run with a scene; its scores and goals are not used.
    plane
        The target.
    lose_percent
        The share that may be lost.
    histories
        How many to run; None: as many as the run file says.
    only
        Names of the parts and modules that are to have cuts; none: all.

    Raises
    ------
    InputError
        The share is out of range, there is no scene, a name is unknown, the plane cuts the phantom, or fewer than
        `FEWEST` independent particles reach it.
    """
    if not 0.0 < lose_percent <= MOST_LOST_PERCENT:
        raise refuse("So many particles may not be lost", given=f"{lose_percent:g} %",
                     allowed=f"more than 0, up to {MOST_LOST_PERCENT:g} %", where="--lose")  # fmt: skip
    if run_file.scene is None:
        raise refuse("Cuts are studied in a scene", allowed="a run file with [scene]")
    asked = to_plane(run_file, plane, histories)
    check(asked, resolvers)
    prepared = prepare(asked, resolvers)
    regions = regions_of(prepared)
    chosen = regions.chosen(only)
    collected, run = run_to_plane(asked, prepared, regions, plane, on_progress, stop)
    return evaluated(collected, plane, lose_percent, run, chosen, Basis.of(run_file), prepared.warnings)


def evaluated(
    collected: Collected,
    plane: Plane,
    lose_percent: float,
    histories: int,
    chosen: tuple[int, ...],
    basis: Basis,
    warnings: tuple[str, ...] = (),
) -> CutStudy:
    """Return the study of what so many histories brought to a plane; refuses fewer than `FEWEST` of their own."""
    if not collected.count:
        raise _nothing(histories)
    target, allowed = collected.target(), lose_percent / 100.0
    if target.independent < FEWEST:
        raise _too_few(target, histories)
    named = [n for n in chosen if collected.regions.regions[n].run_name is not None]
    ways = {way: _way(target, collected.found(way), way, chosen, named, allowed) for way in WAYS}
    highest = collected.highest_MeV
    return CutStudy(plane, lose_percent, histories, collected.regions, chosen, target, ways, highest, warnings, basis)


def _way(
    target: Target, found: Found, way: str, chosen: Sequence[int], named: Sequence[int], allowed: float
) -> WayStudy:
    """Return what one way loses; together are the cuts of all chosen regions, of a run file those that it can name."""
    alone = cuts_of(target, found.smallest.among(chosen), allowed)
    common = common_ranges(target, found.smallest, allowed, len(KINDS[way]))
    joined = found.smallest.among(named if way == RUN else chosen)
    return WayStudy(found, alone, common, together(target, joined, allowed))


def to_plane(run_file: RunFile, plane: Plane, histories: int | None = None) -> RunFile:
    """Return a run as it is, but that it ends at a plane and records what comes there."""
    score = Score(quantity="phase_space", z_mm=(plane.z_mm,), normal=(0.0, 0.0, plane.forward), kill=True)
    number = histories or run_file.goal.histories or HISTORIES
    return run_file.model_copy(update={"score": (score,), "goal": Goals(histories=number)})


def run_to_plane(
    run_file: RunFile,
    prepared: Prepared,
    regions: Regions,
    plane: Plane,
    on_progress: Callable[[Progress], None] | None,
    stop: Callable[[], bool],
) -> tuple[Collected, int]:
    """Run, and collect what came to the plane with its story; returns it and the number of histories."""
    collected = Collected(regions)
    box_to_run = Rigid.identity() if prepared.phantom is None else prepared.phantom.voxels.frame

    def take(came: AtPlanes) -> None:
        rows = came.rows[within(came.rows, box_to_run, plane.half_width_mm)]
        collected.add(rows, stories(rows, came.log), came.before.sent)

    problem = with_lineage(prepared.problem)
    goal = goal_at_planes(Goal(histories=run_file.goal.histories), problem)
    result = simulate(problem, goal, seed=run_file.run.seed, threads=run_file.run.threads, on_progress=on_progress,
                      stop=stop, crossed=take)  # fmt: skip
    return collected, result.histories


def with_lineage(problem: Problem) -> Problem:
    """Return a problem whose run keeps a log of what happens to particles."""
    packed = problem.packed
    return replace(problem, packed=packed._replace(lineage=1)) if isinstance(packed, CoupledProblem) else problem


def within(rows: Array, box_to_run: Rigid, half_width_mm: tuple[float, float] | None) -> NDArray[np.bool_]:
    """Say which records of a plane lie in a rectangle about the axis of the run."""
    if half_width_mm is None:
        return np.ones(len(rows), np.bool_)
    x, y, _ = box_to_run.points(rows[:, PLACE : PLACE + 3] * MM_PER_CM).T
    inside: NDArray[np.bool_] = (np.abs(x) <= half_width_mm[0]) & (np.abs(y) <= half_width_mm[1])
    return inside


def plane_of(run_file: RunFile, z_mm: float | None, half_width_mm: tuple[float, float] | None) -> Plane:
    """Return the target of a run.

    Without a height it is the last plane of the run's phase space, else the face of the phantom towards the source.
    Forward is the way from the source to there; of a phase space, whose place its file says, up unless a score of the
    run says otherwise.
    """
    asked = next((score for score in run_file.score if score.quantity == "phase_space" and score.z_mm), None)
    up = asked.normal[2] if asked is not None and asked.normal is not None else 1.0
    from_mm = None if isinstance(run_file.source, PhaseSpaceSource) else _source_z_mm(run_file)
    if z_mm is None and asked is not None and asked.z_mm:
        z_mm = max(asked.z_mm, key=lambda z: z * up)
    if z_mm is None:
        z_mm = _near_face_mm(run_file, from_mm)
    if half_width_mm is not None and not min(half_width_mm) > 0:
        raise refuse("A target has no such half width", given=f"{half_width_mm[0]:g} x {half_width_mm[1]:g} mm",
                     allowed="two positive numbers", where="--half-width")  # fmt: skip
    forward = up if from_mm is None else math.copysign(1.0, z_mm - from_mm)
    return Plane(z_mm, forward, half_width_mm)


def _source_z_mm(run_file: RunFile) -> float | None:
    position = getattr(run_file.source, "position_mm", None)
    return None if position is None else float(position[2])


def _near_face_mm(run_file: RunFile, from_mm: float | None) -> float:
    """Return the height of the phantom's face towards the source."""
    edges = [] if run_file.phantom is None else phantom_edges(run_file.phantom)[0]
    if from_mm is None or not edges or not edges[2].size:
        raise refuse("Where the target plane lies is not known", allowed="a height in mm", where="--plane")
    return float(min(edges[2][0], edges[2][-1], key=lambda z: abs(z - from_mm)))


def _nothing(histories: int) -> InputError:
    return refuse("Nothing reaches the target plane", given=f"0 particles of {histories:,} histories",
                  allowed=f"at least {FEWEST}: another plane, or more histories", where="--plane")  # fmt: skip


def _too_few(target: Target, histories: int) -> InputError:
    """Refuse to suggest cuts from few particles; say how many histories it takes."""
    needed = math.ceil(MARGIN * FEWEST / target.independent * histories)
    worth = f"{len(target.weight):,} of {histories:,} histories, worth {target.independent:.0f} independent ones"
    what = f"Too few particles reach the target plane; about {needed:,} histories would do"
    return refuse(what, given=worth, allowed=f"at least {FEWEST}", where="--histories")
