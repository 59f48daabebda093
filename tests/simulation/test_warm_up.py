"""A run gives the same dose whether its kernels were compiled for it or lay in the cache."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from tests.physics.coupled_runs import narrow_beam, run, slabs
from tests.transport.scene.proton_scenes import PMMA, pencil, problem_of, slab, water

from dosewright.core.jit import cache_folder
from dosewright.core.random import first_uniform
from dosewright.scoring.deposit import empty_tally
from dosewright.simulation import RunFile
from dosewright.simulation import run as engine
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.simulation.goal import Goal
from dosewright.simulation.run_file.phantom_tables import Phantom
from dosewright.simulation.run_file.source_tables import PencilSource
from dosewright.simulation.run_file.tables import Goals
from dosewright.simulation.run_file.transport_tables import VarianceReduction
from dosewright.simulation.setup.prepare import prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY
from dosewright.simulation.warm_up import emptied, warm_up
from dosewright.transport.loop_cpu import empty_room, run_histories

RUN = """
[phantom]
size_mm = [100, 100, 100]
voxel_mm = [5, 5, 5]
origin_mm = [-50, -50, 0]
material = "G4_WATER"
[source]
kind = "pencil"
particle = "electron"
energy_MeV = 6
position_mm = [0, 0, -10]
[goal]
histories = 40000
"""
COMMAND = "from dosewright.cli.main import main; main()"


def test_emptied_problem_has_the_types_of_the_full_one() -> None:
    packed = run(slabs([0.0, 1.0]), narrow_beam(1.0), "photon", CoupledSettings(), 10, batches=2).problem
    assert numba.typeof(emptied(packed)) == numba.typeof(packed)
    assert emptied(packed).geometry.voxels.size == 0


def test_marks_what_lies_in_the_cache() -> None:
    before = set(cache_folder().glob("ready-*"))
    warm_up(first_uniform, np.uint64(1), np.uint64(2))
    warm_up(first_uniform, np.uint64(3), np.uint64(4))  # the same types
    made = set(cache_folder().glob("ready-*")) - before
    assert len(made) <= 1
    assert set(cache_folder().glob("ready-*"))


def test_a_child_that_fails_leaves_the_work_to_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    before = set(cache_folder().glob("ready-*"))
    warm_up(first_uniform, np.uint64(1), np.float64(2.0))  # types that no other test takes
    assert set(cache_folder().glob("ready-*")) == before


def test_a_child_compiles_protons_in_a_scene_without_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child gets arrays that hold nothing, and must end well all the same; nothing is said where it does not."""
    problem = problem_of((slab("plate", PMMA, -60.0, -40.0),), water(), pencil(100.0, -100.0))
    ended: list[int] = []
    started = subprocess.run

    def noted(*arguments: object, **options: object) -> object:
        done = started(*arguments, **options)  # type: ignore[call-overload]
        ended.append(done.returncode)
        return done

    monkeypatch.setattr(subprocess, "run", noted)
    monkeypatch.setattr(Path, "exists", lambda _: False)  # whatever was compiled before
    tally = empty_tally(problem.scoring, 1)
    nobody = np.zeros(0, np.int64)
    warm_up(run_histories, emptied(problem.packed), np.uint64(0), nobody, np.uint64(0), tally, empty_room())
    assert ended == [0]


@pytest.mark.parametrize(("particle", "splitting"), [("proton", 0), ("photon", 0), ("photon", 16)])
def test_a_child_can_compile_every_kind_of_run(particle: str, splitting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is called with tables that hold nothing, and returns."""
    run_file = RunFile(
        phantom=Phantom(size_mm=(100, 100, 100), voxel_mm=(50, 50, 50), origin_mm=(-50, -50, 0), material="G4_WATER"),
        source=PencilSource(particle=particle, energy_MeV=100 if particle == "proton" else 6, position_mm=(0, 0, -10)),
        goal=Goals(histories=10), variance_reduction=VarianceReduction(photon_splitting=splitting),
    )  # fmt: skip
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr("dosewright.simulation.batch.warm_up", lambda *call: calls.append(call))
    engine.simulate(prepare(run_file, WITHOUT_LIBRARY).problem, Goal(histories=10), seed=1, threads=1)
    (call,) = calls
    assert warm_up(*call)


@pytest.mark.slow
def test_same_dose_compiled_and_cached(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(RUN, encoding="utf-8")
    environment = os.environ | {"DOSEWRIGHT_CACHE": str(tmp_path / "cache")}
    doses = []
    for name in ("compiled", "cached"):
        arguments = ["simulate", str(tmp_path / "run.toml"), "-o", str(tmp_path / name)]
        subprocess.run([sys.executable, "-c", COMMAND, *arguments], env=environment, check=True, capture_output=True)
        doses.append(hashlib.sha256((tmp_path / name / "dose.raw").read_bytes()).hexdigest())
    assert doses[0] == doses[1]
