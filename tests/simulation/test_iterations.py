"""Iterations of a treatment: shares of pencil beams exact, the same on any machine, errors as they are defined."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.simulation.tiny_problem import GRID, tiny_problem

from dosewright.core.errors import InputError, StoppedEarlyError
from dosewright.formats.dose.mhd import read_mhd
from dosewright.formats.text.fred.variance_reduction import Mode, VarianceReduction
from dosewright.scoring.dose_error import DoseErrorGoal, DoseErrorMeasure
from dosewright.simulation import iterations as engine
from dosewright.simulation.goal import Goal
from dosewright.simulation.iteration_files import write_log, write_maps
from dosewright.simulation.iteration_plan import IterationPlan, pencil_shares, planned, stratified, van_der_corput
from dosewright.simulation.iteration_sums import Iteration
from dosewright.simulation.iterations import IteratedDose, iterate
from dosewright.simulation.problem import Problem
from dosewright.simulation.run import simulate

ONE, OTHER = tiny_problem(), tiny_problem(energy_MeV=50.0)
BOTH = (ONE, replace(OTHER, pencil_weights=np.array([30.0, 0.0, 2.0])))
PARTICLES = 40.0
PLAN = IterationPlan(5, 600, None, DoseErrorMeasure())
ASKED = VarianceReduction(Mode.FIXED, 10, True, None, None, 50.0, True, None, False, False, "input, line 3")


def same(one: IteratedDose, other: IteratedDose) -> bool:
    pairs = ((one.dose_Gy, other.dose_Gy), (one.mean_error_Gy, other.mean_error_Gy), (one.stdev_Gy, other.stdev_Gy))
    return all(np.array_equal(a, b) for a, b in pairs) and [
        (i.number, i.primaries, i.errors) for i in one.iterations
    ] == [(i.number, i.primaries, i.errors) for i in other.iterations]


@pytest.fixture(scope="module")
def undisturbed() -> IteratedDose:
    return iterate(BOTH, PLAN, threads=1)


def test_every_pencil_beam_has_its_expected_number_rounded_and_so_has_every_problem() -> None:
    shares = pencil_shares(BOTH)
    assert shares == pytest.approx(np.array([1, 2, 5, 30, 0, 2]) / PARTICLES)
    for primaries in (1, 7, 33, 600):
        for iteration in range(9):
            counts = stratified(shares, primaries, 3, iteration)
            assert counts.sum() == primaries
            assert np.abs(counts - primaries * shares).max() < 1.0
            assert np.abs(counts[:3].sum() - primaries * shares[:3].sum()) < 1.0
            assert counts[4] == 0


def test_the_expected_number_is_exact_over_seeds() -> None:
    """Within four standard errors of 2000 seeds, in any iteration."""
    shares = pencil_shares(BOTH)
    for iteration in (0, 3):
        counts = np.array([stratified(shares, 7, seed, iteration) for seed in range(2000)])
        part = 7 * shares % 1.0
        bound = 4 * np.sqrt(part * (1 - part) / 2000) + 1e-12
        assert np.all(np.abs(counts.mean(axis=0) - 7 * shares) <= bound)


def test_whoever_expects_two_primaries_in_all_iterations_has_one() -> None:
    rng = np.random.default_rng(5)
    shares = rng.uniform(0.0, 1.0, 400) ** 4
    shares /= shares.sum()
    for seed in range(20):
        for iterations in (3, 10, 100):
            counts = sum(stratified(shares, 50, seed, k) for k in range(iterations))
            assert np.all(counts[shares * 50 * iterations >= 2.0] >= 1)


def test_offsets_fill_the_stride() -> None:
    assert [van_der_corput(k) for k in range(5)] == [0.0, 0.5, 0.25, 0.75, 0.125]


def test_many_pencils_and_primaries_are_no_trouble() -> None:
    shares = np.full(20_000, 1 / 20_000)
    assert stratified(shares, 10**9, 1, 5).sum() == 10**9
    assert set(stratified(shares, 10**9, 1, 5)) == {50_000}


def test_the_sum_of_the_problems_is_that_of_runs_of_their_own(undisturbed: IteratedDose) -> None:
    """Within three standard errors, voxels of high dose: their mean, and the spread of the pulls."""
    parts = [simulate(problem, Goal(histories=3000), seed=9, threads=1) for problem in BOTH]
    weights = [problem.pencil_weights.sum() for problem in BOTH]
    dose = sum(w * one.dose_Gy for w, one in zip(weights, parts, strict=True))
    error = np.sqrt(sum((w * p.dose_Gy * p.relative_uncertainty) ** 2 for w, p in zip(weights, parts, strict=True)))
    high = dose > 0.3 * dose.max()
    assert undisturbed.dose_Gy[high].sum() / dose[high].sum() == pytest.approx(1.0, abs=0.02)
    pulls = (undisturbed.dose_Gy - dose)[high] / np.hypot(error, undisturbed.mean_error_Gy)[high]
    assert pulls.std() == pytest.approx(1.0, abs=0.35)
    assert undisturbed.dose_to_water_Gy is not None
    assert undisturbed.dose_to_water_Gy[high].sum() / undisturbed.dose_Gy[high].sum() == pytest.approx(1.0, abs=1e-3)


def test_errors_are_those_of_the_iterations() -> None:
    """Doses of single iterations are found as differences of means; their statistics are by the definition."""
    sums = [n * iterate(BOTH, replace(PLAN, most=n), threads=1).dose_Gy for n in range(1, 6)]
    doses = np.diff(np.array([np.zeros_like(sums[0]), *sums]), axis=0)
    found = iterate(BOTH, PLAN, threads=1)
    stdev = doses.std(axis=0, ddof=1)
    assert found.stdev_Gy == pytest.approx(stdev, abs=1e-6 * doses.max())
    assert found.mean_error_Gy == pytest.approx(stdev / np.sqrt(5), abs=1e-6 * doses.max())
    high = found.dose_Gy > 0.5 * found.dose_Gy.max()
    last = found.iterations[-1]
    assert last.primaries == 3000 and last.errors.voxels == high.sum()
    assert last.errors.largest_percent == pytest.approx(
        100 * found.mean_error_Gy[high].max() / found.dose_Gy.max(), rel=1e-9
    )


def test_iterations_differ_and_so_do_problems_and_seeds(undisturbed: IteratedDose) -> None:
    twins = iterate((ONE, ONE), PLAN, threads=1)
    alone = iterate((ONE,), PLAN, threads=1)
    assert not np.array_equal(twins.dose_Gy, 2 * alone.dose_Gy)
    assert not np.array_equal(iterate(BOTH, PLAN, seed=2, threads=1).dose_Gy, undisturbed.dose_Gy)


@pytest.mark.parametrize("threads", [2, 3])
def test_the_dose_does_not_depend_on_the_threads(
    undisturbed: IteratedDose, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert same(iterate(BOTH, PLAN, threads=threads), undisturbed)
    monkeypatch.setattr(engine, "DEFAULT_BATCH", 70)
    assert same(iterate(BOTH, PLAN, threads=threads), iterate(BOTH, PLAN, threads=1))


@pytest.mark.parametrize("killed_after", [1, 3, 5])
def test_a_killed_run_goes_on_to_the_same(
    undisturbed: IteratedDose, killed_after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SAVE_EVERY_SECONDS", -1.0)

    def killed(done: tuple[Iteration, ...]) -> None:
        if len(done) > killed_after:
            raise KeyboardInterrupt

    if killed_after < PLAN.most:
        with pytest.raises(KeyboardInterrupt):
            iterate(BOTH, PLAN, threads=1, folder=tmp_path, on_iteration=killed)
    told: list[int] = []
    found = iterate(BOTH, PLAN, threads=1, folder=tmp_path, on_iteration=lambda done: told.append(len(done)))
    assert same(found, undisturbed)
    assert told == list(range(killed_after if killed_after < PLAN.most else 1, 6))
    assert same(iterate(BOTH, PLAN, threads=1, folder=tmp_path), undisturbed)


def test_stopped_it_gives_what_is_whole_and_goes_on(undisturbed: IteratedDose, tmp_path: Path) -> None:
    looks = iter([False] * 5)
    found = iterate(BOTH, PLAN, threads=1, folder=tmp_path, stop=lambda: next(looks, True))
    assert found.stopped_on_request and not found.goal_reached
    assert [one.number for one in found.iterations] == [1, 2]
    assert same(iterate(BOTH, PLAN, threads=1, folder=tmp_path), undisturbed)
    with pytest.raises(StoppedEarlyError):
        iterate(BOTH, PLAN, threads=1, stop=lambda: True)


def test_averages_of_let_are_those_of_a_run_and_survive_a_kill(tmp_path: Path) -> None:
    """Within three standard errors of the mean over voxels of high dose, and the same when it goes on."""
    scored = tiny_problem(let=True)
    found = iterate((scored,), PLAN, threads=1)
    run = simulate(scored, Goal(histories=3000), seed=9, threads=1)
    assert found.let_d is not None and found.let_t is not None and run.let_d is not None
    high = found.dose_Gy > 0.5 * found.dose_Gy.max()
    ratio = found.let_d.keV_um[high] / run.let_d.keV_um[high]
    error = np.hypot(found.let_d.relative_uncertainty, run.let_d.relative_uncertainty)[high]
    assert ratio.mean() == pytest.approx(1.0, abs=3 * float(error.mean()))
    assert 0.0 < found.let_d.relative_uncertainty[high].max() < 0.2
    iterate((scored,), replace(PLAN, most=2), threads=1, folder=tmp_path)
    on = iterate((scored,), PLAN, threads=1, folder=tmp_path)
    assert on.let_d is not None and on.let_t is not None
    assert np.array_equal(on.let_d.keV_um, found.let_d.keV_um)
    assert np.array_equal(on.let_t.relative_uncertainty, found.let_t.relative_uncertainty)


GOAL = DoseErrorGoal(5.0)


def converging(folder: Path | None = None, kill_at: int = 0) -> IteratedDose:
    def told(done: tuple[Iteration, ...]) -> None:
        if len(done) == kill_at:
            raise KeyboardInterrupt

    plan = IterationPlan(100, 600, GOAL, GOAL.measure)
    return iterate(BOTH, plan, threads=1, folder=folder, on_iteration=told)


def test_it_ends_when_every_voxel_passed_twice_in_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = converging()
    *_, before, last = found.iterations
    assert found.goal_reached and 20 < last.number < 100
    assert before.errors.failing == last.errors.failing == 0
    assert last.errors.largest_percent < 5.0
    passed = [one.number for one in found.iterations if one.number >= 20 and one.errors.met]
    assert all(b - a > 1 for a, b in pairwise(passed[:-1])), "never twice in a row before"
    monkeypatch.setattr(engine, "SAVE_EVERY_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        converging(tmp_path, kill_at=last.number)
    assert same(converging(tmp_path), found)
    assert same(converging(tmp_path), found)


def test_without_convergence_it_ends_after_the_last_iteration_and_says_so() -> None:
    goal = DoseErrorGoal(0.01)
    found = iterate(BOTH, IterationPlan(3, 600, goal, goal.measure), threads=1)
    assert not found.goal_reached and not found.stopped_on_request
    assert len(found.iterations) == 3


@pytest.mark.parametrize(
    ("asked", "plan"),
    [
        ({}, (10, 900, None)),
        ({"mode": Mode.PERCENTAGE, "percentage": 500.0}, (10, 20, None)),
        ({"mode": Mode.ERROR, "dose_error_percent": 2.0, "most_iterations": 100}, (100, 900, 2.0)),
    ],
)
def test_the_three_modes(asked: dict[str, object], plan: tuple[int, int, float | None]) -> None:
    found = planned(replace(ASKED, **asked), BOTH, 900)  # type: ignore[arg-type]
    assert (found.most, found.primaries, found.goal and found.goal.percent) == plan
    assert found.notes == ()


def test_what_a_reader_must_know_is_said() -> None:
    hot = (replace(ONE, pencil_weights=np.array([1e-6, 1.0, 1.0])),)
    found = planned(replace(ASKED, stratified=False, mode=Mode.ERROR, dose_error_percent=1.0), hot, 300)
    assert len(found.notes) == 3
    for words, note in zip(
        ("in proportion to their particles", "after 20 iterations", "1 of 3"), found.notes, strict=True
    ):
        assert words in note
    local = planned(replace(ASKED, relative_to_maximum=False, cut_off_percent=20.0), hot, 300)
    assert local.measure == DoseErrorMeasure(20.0, False)


def test_the_log_and_the_maps(undisturbed: IteratedDose, tmp_path: Path) -> None:
    log = write_log(tmp_path, PLAN, undisturbed.iterations)
    assert log == tmp_path / "log" / "iterations.txt"
    lines = log.read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if not line.startswith("#")]
    assert [int(row[0]) for row in rows] == [1, 2, 3, 4, 5]
    assert [int(row[1]) for row in rows] == [600, 1200, 1800, 2400, 3000]
    assert rows[0][2:4] == ["-", "-"]
    assert float(rows[-1][2]) == pytest.approx(undisturbed.iterations[-1].errors.largest_percent, abs=1e-4)
    assert re.match(r"# *iteration +primaries +largest_% +mean_% +voxels +failing +seconds", lines[2])
    files = write_maps(tmp_path, GRID, undisturbed, mean_error=True, stdev=True)
    assert [path.name for path in files] == ["DoseMeanError.mhd", "DoseStdev.mhd"]
    values: list[NDArray[np.float64]] = [read_mhd(path).values for path in files]
    assert values[0] == pytest.approx(undisturbed.mean_error_Gy, rel=1e-6)
    assert values[1] == pytest.approx(undisturbed.stdev_Gy, rel=1e-6)
    assert write_maps(tmp_path / "none", GRID, undisturbed, mean_error=False, stdev=False) == ()


def unlike() -> tuple[Problem, ...]:
    return ONE, tiny_problem(to_water=False)


@pytest.mark.parametrize("problems", [(), unlike(), (replace(ONE, pencil_weights=np.zeros(3)),)])
def test_what_cannot_be_run_together_is_refused(problems: tuple[Problem, ...]) -> None:
    with pytest.raises(InputError):
        iterate(problems, PLAN, threads=1)
    with pytest.raises(InputError):
        IterationPlan(0, 10, None, DoseErrorMeasure())
