"""Dose by track length: the quick way through voxels that are all alike scores what the way from face to face does."""

import numpy as np
import pytest

from dosewright.scoring.deposit import ESCAPED, empty_tally
from dosewright.simulation.goal import Goal
from dosewright.simulation.problem import Problem
from dosewright.simulation.run import simulate
from dosewright.simulation.run_file.phantom_tables import Phantom, Slab, UnevenEdges
from dosewright.simulation.run_file.source_tables import PointSource
from dosewright.simulation.run_file.tables import Goals, RunFile
from dosewright.simulation.run_file.transport_tables import VarianceReduction
from dosewright.simulation.setup.prepare import prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room

BOX = Phantom(size_mm=(90, 60, 80), voxel_mm=(3, 6, 4), origin_mm=(-40, -30, 0), material="G4_WATER")


def problem_of(phantom: Phantom, x_mm: float = 0.0) -> Problem:
    """Return a wide divergent field of 80 keV photons, slanting where the focus lies aside."""
    source = PointSource(particle="photon", energy_MeV=0.08, position_mm=(x_mm, 0, -60), field_mm=(60, 50),
                         field_at_mm=(0, 0, 0), direction=(-x_mm, 0, 60))  # fmt: skip
    run = RunFile(phantom=phantom, source=source, goal=Goals(histories=1),
                  variance_reduction=VarianceReduction(track_length=True))  # fmt: skip
    return prepare(run, WITHOUT_LIBRARY).problem


@pytest.mark.parametrize("x_mm", [0.0, 80.0])
def test_layers_score_what_the_walk_scores(x_mm: float) -> None:
    """In the same histories every voxel agrees to 1e-7, and what escapes."""
    packed = problem_of(BOX, x_mm).packed
    assert isinstance(packed, CoupledProblem)
    assert packed.uniform
    tallies = []
    for uniform in (True, False):
        tally = empty_tally(packed.scoring, 30 * 10 * 20)
        pencils = np.zeros(5000, np.int64)
        one = packed._replace(uniform=uniform)
        run_coupled_histories(one, np.uint64(0), pencils, np.uint64(1), tally, empty_room())
        tallies.append(tally)
    layers, walk = tallies
    assert layers.energy == pytest.approx(walk.energy, rel=1e-7, abs=1e-9)
    assert layers.account[ESCAPED] == pytest.approx(walk.account[ESCAPED], rel=1e-9)
    assert (walk.energy > 0).mean() > 0.8


def test_only_voxels_that_are_all_alike_are_uniform() -> None:
    uneven = BOX.model_copy(update={"edges_mm": UnevenEdges(z=(0, 4, 9, 80))})
    bone = BOX.model_copy(update={"slab": (Slab(z_mm=(40, 80), material="G4_BONE_CORTICAL_ICRP"),)})
    for phantom, uniform in ((BOX, True), (uneven, False), (bone, False)):
        packed = problem_of(phantom).packed
        assert isinstance(packed, CoupledProblem)
        assert packed.uniform is uniform


def test_threads_change_nothing() -> None:
    problem = problem_of(BOX)
    one, two = (simulate(problem, Goal(histories=3000), threads=n) for n in (1, 2))
    assert np.array_equal(one.dose_Gy, two.dose_Gy)
