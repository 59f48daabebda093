"""What tests of transport through scenes share: boxes of matter, the same as voxels, and runs in batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.matter import Material
from dosewright.core.scene import Part
from dosewright.core.shapes import Placement
from dosewright.core.solids import Box
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring.deposit import (
    BEFORE_PATIENT,
    BINDING,
    CAPPED_HISTORIES,
    DEPOSITED,
    ESCAPED,
    LEAVING_KINDS,
    STARTED,
    empty_tally,
)
from dosewright.scoring.leaving import NOTHING_LEAVING, Leaving, leaving_bins
from dosewright.simulation.coupled_problem import coupled_problem
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.simulation.problem import Problem
from dosewright.sources.emit import Source
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room

Array = NDArray[np.float64]

FORWARD = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))  # beams fly along +z of the run
WIDE_MM = 300.0


@dataclass(frozen=True)
class SceneRun:
    """What batches of equal size gave per primary [batch, ...]: energy by part and voxel, the account, what leaves."""

    parts: Array
    energy: Array
    account: Array
    leaving: Array
    problem: CoupledProblem

    @property
    def residual(self) -> float:
        """Energy that the account does not explain, as a share of what started."""
        total = self.account.sum(0)
        explained = total[[DEPOSITED, BEFORE_PATIENT, ESCAPED, BINDING]].sum()
        return float(abs(total[STARTED] - explained) / total[STARTED])

    @property
    def capped(self) -> float:
        """Histories that were given up."""
        return float(self.account[:, CAPPED_HISTORIES].sum())


def slab(
    name: str,
    material: str,
    low_mm: float,
    high_mm: float,
    *,
    width_mm: float = WIDE_MM,
    density: float | None = None,
    at_mm: tuple[float, float] = (0.0, 0.0),
) -> Part:
    """Return a box from one height to another, its middle at a place in x and y."""
    size = (width_mm, width_mm, high_mm - low_mm)
    centre = (*at_mm, 0.5 * (low_mm + high_mm))
    return Part(name, Box(size), named(material), Placement(centre), None, density)


def one_voxel(
    low_mm: Sequence[float] = (0, 0, 0), high_mm: Sequence[float] = (1, 1, 1), cells: Sequence[int] = (1, 1, 1)
) -> Voxels:
    """Return a box of voxels of water."""
    matter = named("G4_WATER")
    edges = tuple(np.linspace(a, b, n + 1) for a, b, n in zip(low_mm, high_mm, cells, strict=True))
    shape = tuple(reversed([int(n) for n in cells]))
    density = np.full(shape, matter.density_g_cm3, np.float32)
    return Voxels(edges, Rigid.identity(), np.zeros(shape, np.uint8), density, (matter,))  # type: ignore[arg-type]


def scene_problem(
    parts: Sequence[Part],
    source: Source,
    particle: str,
    settings: CoupledSettings,
    *,
    fill: Material | None = None,
    voxels: Voxels | None = None,
    score_grid: Grid | None = None,
    leaving: Leaving = NOTHING_LEAVING,
    begin_mm: float = 0.0,
) -> Problem:
    """Pack parts, perhaps around voxels; the beam begins at a height and flies along +z."""
    return coupled_problem(
        voxels=voxels or one_voxel(),
        source=source,
        particle=particle,
        weights=np.ones(1),
        to_patient=Rigid(FORWARD.rotation, np.array([0.0, 0.0, begin_mm])),
        settings=settings,
        score_grid=score_grid,
        leaving=leaving,
        parts=parts,
        fill=fill,
        voxel_box=voxels is not None,
    )


def run(problem: Problem, histories: int, *, batches: int = 10, seed: int = 1, first: int = 0) -> SceneRun:
    """Run histories in batches."""
    packed, size, room = problem.packed, max(histories // batches, 1), empty_room()
    assert isinstance(packed, CoupledProblem)
    voxels, bins = int(np.prod(problem.score_shape)), leaving_bins(packed.leaving)
    shape = (LEAVING_KINDS, packed.leaving.energy_bins + 1, packed.leaving.angle_bins) if bins else (0,)
    parts, energy, account, left = [], [], [], []
    for batch in range(batches):
        tally = empty_tally(packed.scoring, voxels, bins, problem.tallied_parts)
        begin = np.uint64(first + batch * size)
        run_coupled_histories(packed, begin, np.zeros(size, np.int64), np.uint64(seed), tally, room)
        parts.append(tally.parts / size)
        energy.append(tally.energy.reshape(problem.score_shape[::-1]) / size)
        account.append(tally.account / size)
        left.append(tally.leaving.reshape(shape) / size)
    return SceneRun(np.array(parts), np.array(energy), np.array(account), np.array(left), packed)


def mean_and_error(batches: Array) -> tuple[Array, Array]:
    """Return the mean over the batches (first axis) and its standard error."""
    return batches.mean(0), batches.std(0, ddof=1) / np.sqrt(len(batches))
