"""Runs: the same dose whatever the threads, the interruptions and the machine; goals kept; energy accounted for."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.simulation.tiny_problem import tiny_problem

from dosewright.core.errors import InputError, StoppedEarlyError
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.geometry.beam.range_shifter import plate
from dosewright.materials.library import named
from dosewright.scoring.dose_error import DoseErrorGoal
from dosewright.scoring.statistics import mean_uncertainty_percent
from dosewright.simulation import goal as goals
from dosewright.simulation import run
from dosewright.simulation.batch import pencils_of_batch
from dosewright.simulation.goal import Batches, Goal
from dosewright.simulation.result import Result
from dosewright.simulation.run import Progress, simulate

HISTORIES = 4000
BATCH = HISTORIES // goals.FEWEST_BATCHES
GOAL = Goal(histories=HISTORIES)
PLASTIC = plate("plate", named("G4_POLYCARBONATE"), 15.0, 45.0)


PROBLEM = tiny_problem()


@pytest.fixture(scope="module")
def undisturbed() -> Result:
    return simulate(PROBLEM, GOAL, threads=1)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums are kept at every checkpoint."""
    monkeypatch.setattr(run, "SAVE_EVERY_SECONDS", -1.0)


def same_dose(one: Result, other: Result) -> bool:
    """Say whether all that two runs scored is bitwise the same."""
    assert one.dose_to_water_Gy is not None
    assert other.dose_to_water_Gy is not None
    return (
        np.array_equal(one.dose_Gy, other.dose_Gy)
        and np.array_equal(one.dose_to_water_Gy, other.dose_to_water_Gy)
        and np.array_equal(one.relative_uncertainty, other.relative_uncertainty)
        and (one.histories, one.batches, one.energy) == (other.histories, other.batches, other.energy)
    )


def stop_at(batches: int) -> Callable[[Progress], None]:
    def told(progress: Progress) -> None:
        if progress.histories >= batches * BATCH:
            raise KeyboardInterrupt

    return told


def interrupted(folder: Path, batches: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        simulate(PROBLEM, GOAL, threads=1, folder=folder, on_progress=stop_at(batches))


@pytest.mark.parametrize("threads", [2, 3])
def test_the_dose_does_not_depend_on_the_threads(undisturbed: Result, threads: int) -> None:
    assert same_dose(simulate(PROBLEM, GOAL, threads=threads), undisturbed)


def test_the_same_seed_gives_the_same_dose_and_another_one_does_not(undisturbed: Result) -> None:
    assert same_dose(simulate(PROBLEM, GOAL, seed=1, threads=1), undisturbed)
    other = simulate(PROBLEM, GOAL, seed=2, threads=1)
    assert not np.array_equal(other.dose_Gy, undisturbed.dose_Gy)
    assert other.dose_Gy.sum() == pytest.approx(undisturbed.dose_Gy.sum(), rel=0.02)


@pytest.mark.parametrize("histories", [1, 7, 20, 399, 1003])
def test_a_history_goal_is_met_exactly(histories: int) -> None:
    result = simulate(PROBLEM, Goal(histories=histories), threads=2)
    assert result.histories == histories
    assert result.goal_reached
    assert result.energy["started"] == pytest.approx(60.0, abs=5 * 0.4 / np.sqrt(histories))


def test_energy_balances_and_the_dose_holds_it(undisturbed: Result) -> None:
    energy = undisturbed.energy
    assert abs(energy["residual"]) < 1e-6 * energy["started"]
    in_dose = (undisturbed.dose_Gy * PROBLEM.mass_g).sum() / MEV_PER_G_IN_GY
    assert in_dose == pytest.approx(energy["deposited"], rel=1e-12)
    assert energy["before_patient"] > 0.0, "air takes a little"
    assert undisturbed.warnings == ()


@pytest.mark.parametrize("medium", ["air", "vacuum"])
def test_energy_balances_through_a_range_shifter_at_high_energy(medium: str) -> None:
    """Protons that scatter back or aside out of the beamline are counted as escaped.

    Single precision leaves some 1e-9; the bound would see a proton in a million.
    """
    problem = tiny_problem(slabs=(PLASTIC,), medium=medium, energy_MeV=180.0)
    energy = simulate(problem, Goal(histories=20_000), threads=2).energy
    assert abs(energy["residual"]) < 1e-6 * energy["started"]
    assert energy["before_patient"] > 5.0
    assert energy["escaped"] > 50.0
    assert energy["neutral"] > 0.0
    assert energy["binding"] > 0.0
    parts = sum(energy[name] for name in ("deposited", "before_patient", "escaped", "neutral", "binding"))
    assert parts == pytest.approx(energy["started"], rel=1e-6)


def test_dose_to_water_in_water_is_dose_to_medium(undisturbed: Result) -> None:
    assert undisturbed.dose_to_water_Gy is not None
    np.testing.assert_allclose(undisturbed.dose_to_water_Gy, undisturbed.dose_Gy, rtol=1e-5)


def test_dose_to_water_may_be_left_out(undisturbed: Result) -> None:
    result = simulate(tiny_problem(to_water=False), GOAL, threads=1)
    assert result.dose_to_water_Gy is None
    np.testing.assert_array_equal(result.dose_Gy, undisturbed.dose_Gy)


def test_the_predicted_uncertainty_is_the_spread_over_seeds() -> None:
    """Also with the systematic sampling of spots, which batches repeat each with its own offset."""
    results = [simulate(PROBLEM, Goal(histories=1000), seed=seed, threads=2) for seed in range(40)]
    doses = np.array([r.dose_Gy for r in results])
    where = doses.mean(axis=0) > 0.1 * doses.mean(axis=0).max()
    assert where.sum() > 50
    predicted = np.array([(r.relative_uncertainty * r.dose_Gy)[where] ** 2 for r in results])
    ratio = predicted.mean(axis=0) / doses[:, where].var(axis=0, ddof=1)
    # Each ratio has a spread of sqrt(2/39) = 0.23; neighbours along the beam go together, hence some 15 free ones.
    assert np.exp(np.log(ratio).mean()) == pytest.approx(1.0, abs=4 * 0.23 / np.sqrt(15))


def test_the_mean_uncertainty_is_that_of_the_dose(undisturbed: Result) -> None:
    wanted = mean_uncertainty_percent(undisturbed.dose_Gy, undisturbed.relative_uncertainty, PROBLEM.density_g_cm3)
    assert undisturbed.mean_uncertainty_percent == pytest.approx(wanted)
    assert 1.0 < wanted < 20.0


# Interruptions.


@pytest.mark.parametrize("at", [10, 13, 20])
def test_a_stopped_run_goes_on_to_the_same_dose(tmp_path: Path, eager: None, undisturbed: Result, at: int) -> None:
    interrupted(tmp_path, at)
    seen: list[int] = []
    result = simulate(PROBLEM, GOAL, threads=2, folder=tmp_path, on_progress=lambda p: seen.append(p.histories))
    assert same_dose(result, undisturbed)
    assert seen[0] > 10 * BATCH, "kept batches were run again"
    assert any("resumed" in w for w in result.warnings)


def test_a_run_stopped_before_its_first_checkpoint_starts_anew(
    tmp_path: Path, eager: None, undisturbed: Result
) -> None:
    interrupted(tmp_path, 5)
    result = simulate(PROBLEM, GOAL, threads=1, folder=tmp_path)
    assert same_dose(result, undisturbed)
    assert result.warnings == ()


def test_a_finished_run_is_not_run_again(tmp_path: Path, undisturbed: Result) -> None:
    first = simulate(PROBLEM, GOAL, threads=1, folder=tmp_path)
    seen: list[Progress] = []
    again = simulate(PROBLEM, GOAL, threads=1, folder=tmp_path, on_progress=seen.append)
    assert same_dose(first, undisturbed)
    assert same_dose(again, undisturbed)
    assert again.goal_reached
    assert again.mean_uncertainty_percent == undisturbed.mean_uncertainty_percent
    assert seen == []


def _newest(folder: Path) -> Path:
    return max(folder.glob("sums-*.npz"))


def _truncate(folder: Path) -> None:
    path = _newest(folder)
    path.write_bytes(path.read_bytes()[:-100])


def _flip_a_bit(folder: Path) -> None:
    path = _newest(folder)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _remove(folder: Path) -> None:
    _newest(folder).unlink()


def _remove_sidecar(folder: Path) -> None:
    path = _newest(folder)
    path.with_name(path.name + ".json").unlink()


def _spoil_sidecar(folder: Path) -> None:
    path = _newest(folder)
    path.with_name(path.name + ".json").write_text("{")


def _empty(folder: Path) -> None:
    _newest(folder).write_bytes(b"")


SPOILED = [_truncate, _flip_a_bit, _remove, _remove_sidecar, _spoil_sidecar, _empty]


@pytest.mark.parametrize("spoil", SPOILED, ids=lambda f: f.__name__.strip("_"))
@pytest.mark.parametrize("older_kept", [True, False])
def test_spoiled_sums_are_never_used(
    tmp_path: Path, eager: None, undisturbed: Result, spoil: Callable[[Path], None], older_kept: bool
) -> None:
    """The run falls back to older sums where there are any (a kill between writing and cleaning), else to nothing."""
    interrupted(tmp_path / "first", 10)
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    simulate(PROBLEM, GOAL, threads=1, folder=tmp_path / "second")
    if older_kept:
        for file in (tmp_path / "first").iterdir():
            shutil.copy2(file, tmp_path / "second")
    spoil(tmp_path / "second")
    seen: list[int] = []
    result = simulate(
        PROBLEM, GOAL, threads=1, folder=tmp_path / "second", on_progress=lambda p: seen.append(p.histories)
    )
    assert same_dose(result, undisturbed)
    assert seen[0] == (11 if older_kept else 1) * BATCH


def test_the_newest_of_several_sums_is_taken(tmp_path: Path, eager: None, undisturbed: Result) -> None:
    interrupted(tmp_path / "first", 10)
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    simulate(PROBLEM, GOAL, threads=1, folder=tmp_path / "second")
    shutil.copytree(tmp_path / "first", tmp_path / "second", dirs_exist_ok=True)
    seen: list[Progress] = []
    assert same_dose(
        simulate(PROBLEM, GOAL, threads=1, folder=tmp_path / "second", on_progress=seen.append), undisturbed
    )
    assert seen == []


def test_sums_of_another_problem_or_seed_are_not_taken_up(tmp_path: Path) -> None:
    simulate(PROBLEM, GOAL, threads=1, folder=tmp_path)
    for problem, seed in ((PROBLEM, 2), (tiny_problem(energy_MeV=60.1), 1)):
        result = simulate(problem, GOAL, seed=seed, threads=1, folder=tmp_path)
        assert result.warnings == ()
        assert same_dose(result, simulate(problem, GOAL, seed=seed, threads=1))


def test_one_set_of_sums_is_kept_for_its_owner_only(tmp_path: Path, eager: None) -> None:
    simulate(PROBLEM, GOAL, threads=1, folder=tmp_path / "parts")
    files = sorted((tmp_path / "parts").iterdir())
    assert [f.name for f in files] == ["sums-0000020.npz", "sums-0000020.npz.json"]
    assert {f.stat().st_mode & 0o777 for f in files} == {0o600}
    assert (tmp_path / "parts").stat().st_mode & 0o777 == 0o700


def run_and_die(folder: Path, where: str) -> None:
    """Run in a process of its own and kill it with SIGKILL, either between batches or half way through a file."""
    run.SAVE_EVERY_SECONDS = -1.0

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def told(progress: Progress) -> None:
        if where == "between batches" and progress.histories >= 14 * BATCH:
            die()

    save = np.savez
    saved: list[int] = []

    def half_saved(file: object, **arrays: NDArray[np.float64]) -> None:
        saved.append(1)
        if where == "while saving" and len(saved) == 2:
            file.write(b"half a file")  # type: ignore[attr-defined]
            file.flush()  # type: ignore[attr-defined]
            die()
        save(file, **arrays)  # type: ignore[arg-type]

    np.savez = half_saved
    simulate(PROBLEM, GOAL, threads=2, folder=folder, on_progress=told)


@pytest.mark.parametrize("where", ["between batches", "while saving"])
def test_a_killed_run_goes_on_to_the_same_dose(tmp_path: Path, undisturbed: Result, where: str) -> None:
    command = [sys.executable, "-m", "tests.simulation.test_run", str(tmp_path), where]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [p.name for p in tmp_path.glob("sums-*.npz")] == ["sums-0000010.npz"]
    seen: list[int] = []
    result = simulate(PROBLEM, GOAL, threads=1, folder=tmp_path, on_progress=lambda p: seen.append(p.histories))
    assert seen[0] == 11 * BATCH
    assert same_dose(result, undisturbed)


# Stopped on request.


class AfterBatches:
    """Asks to stop once it was looked at as often as this."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_run_stopped_softly_keeps_its_result_says_so_and_goes_on_to_the_same_dose(
    tmp_path: Path, undisturbed: Result
) -> None:
    stopped = simulate(PROBLEM, GOAL, threads=2, folder=tmp_path, stop=AfterBatches(7))
    assert (stopped.batches, stopped.histories) == (7, 7 * BATCH)
    assert stopped.stopped_on_request
    assert not stopped.goal_reached
    assert 1.0 < stopped.mean_uncertainty_percent < 30.0
    assert stopped.dose_Gy.sum() == pytest.approx(undisturbed.dose_Gy.sum(), rel=0.02)
    whole = simulate(PROBLEM, GOAL, threads=1, folder=tmp_path)
    assert same_dose(whole, undisturbed)
    assert whole.goal_reached
    assert not whole.stopped_on_request


@pytest.mark.parametrize("batches", [0, 1])
def test_a_run_with_nothing_scored_yet_refuses_to_make_a_dose(
    tmp_path: Path, undisturbed: Result, batches: int
) -> None:
    with pytest.raises(StoppedEarlyError, match="before there was enough"):
        simulate(PROBLEM, GOAL, threads=1, folder=tmp_path, stop=AfterBatches(batches))
    assert same_dose(simulate(PROBLEM, GOAL, threads=1, folder=tmp_path), undisturbed)


def test_a_goal_reached_wins_over_a_request_to_stop(tmp_path: Path, undisturbed: Result) -> None:
    assert same_dose(simulate(PROBLEM, GOAL, threads=1, folder=tmp_path, stop=AfterBatches(20)), undisturbed)
    again = simulate(PROBLEM, GOAL, threads=1, folder=tmp_path, stop=lambda: True)
    assert again.goal_reached
    assert not again.stopped_on_request


# Goals.


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(goals, "DEFAULT_BATCH", 50)


def test_what_counts_in_the_mean_uncertainty_may_be_chosen(undisturbed: Result) -> None:
    chosen = simulate(PROBLEM, Goal(histories=HISTORIES, top_voxels=5, dose_threshold_percent=90.0), threads=2)
    assert same_dose(chosen, undisturbed)
    wanted = mean_uncertainty_percent(
        undisturbed.dose_Gy, undisturbed.relative_uncertainty, PROBLEM.density_g_cm3, 5, 90.0
    )
    assert chosen.mean_uncertainty_percent == pytest.approx(wanted)
    assert chosen.mean_uncertainty_percent < undisturbed.mean_uncertainty_percent


def test_a_time_limit_stops_and_says_so(small_batches: None) -> None:
    began = time.monotonic()
    limited = simulate(PROBLEM, Goal(histories=10**9, max_seconds=0.5), threads=2)
    assert not limited.goal_reached
    assert 0.5 < time.monotonic() - began < 20.0
    assert limited.histories == 50 * limited.batches < 10**9
    assert np.isfinite(limited.mean_uncertainty_percent)
    assert limited.histories >= 1000, "too slow a machine for this test to mean something"
    assert same_dose(limited, simulate(PROBLEM, Goal(histories=limited.histories), threads=1))


def test_a_time_limit_alone_is_a_goal(small_batches: None) -> None:
    result = simulate(PROBLEM, Goal(max_seconds=0.05), threads=1)
    assert result.histories > 0
    assert not result.goal_reached


def test_pieces_cut_by_time_add_up_to_the_undisturbed_dose(tmp_path: Path, undisturbed: Result) -> None:
    cut = Goal(histories=HISTORIES, max_seconds=1e-6)
    for pieces in range(1, goals.FEWEST_BATCHES + 1):
        result = simulate(PROBLEM, cut, threads=1, folder=tmp_path)
        if result.goal_reached:
            break
        assert result.histories == pieces * BATCH
    assert pieces > 5
    assert same_dose(result, undisturbed)


def _run_to(percent: float, threads: int, on_progress: Callable[[Progress], None] | None = None) -> Result:
    return simulate(PROBLEM, Goal(uncertainty_percent=percent), threads=threads, on_progress=on_progress)


def test_an_uncertainty_goal_stops_at_the_first_fixed_checkpoint_that_meets_it(small_batches: None) -> None:
    seen: dict[int, float] = {}
    result = _run_to(5.0, 1, lambda p: seen.__setitem__(p.histories // 50, p.uncertainty_percent))
    assert result.goal_reached
    assert result.mean_uncertainty_percent <= 5.0
    checkpoints = [0]
    while checkpoints[-1] < result.batches:
        checkpoints.append(Batches.next_checkpoint(checkpoints[-1]))
    assert checkpoints[-1] == result.batches
    assert len(checkpoints) > 4
    assert all(seen[at] > 5.0 for at in checkpoints[1:-1])
    assert same_dose(_run_to(5.0, 3), result)


def test_both_goals_must_be_met(small_batches: None) -> None:
    by_uncertainty = _run_to(6.0, 2)
    more = 3 * by_uncertainty.histories
    result = simulate(PROBLEM, Goal(histories=more, uncertainty_percent=6.0), threads=2)
    assert result.histories >= more
    harder = simulate(PROBLEM, Goal(histories=100, uncertainty_percent=10.0), threads=2)
    assert harder.histories > 100
    assert harder.mean_uncertainty_percent <= 10.0


def test_an_uncertainty_goal_resumes_to_the_same_dose(tmp_path: Path, eager: None, small_batches: None) -> None:
    def stop(progress: Progress) -> None:
        if progress.histories >= 33 * 50:
            raise KeyboardInterrupt

    goal = Goal(uncertainty_percent=5.0)
    with pytest.raises(KeyboardInterrupt):
        simulate(PROBLEM, goal, threads=1, folder=tmp_path, on_progress=stop)
    resumed = simulate(PROBLEM, goal, threads=2, folder=tmp_path)
    assert any("resumed" in w for w in resumed.warnings)
    assert same_dose(resumed, _run_to(5.0, 1))


@pytest.mark.parametrize("percent", [5.0, 7.0])
@pytest.mark.parametrize("pieces", [13, 1000])
def test_an_uncertainty_goal_is_judged_at_checkpoints_only(
    tmp_path: Path, small_batches: None, percent: float, pieces: int
) -> None:
    """Pieces end on their time limit after each batch; the run goes on, in the end without a limit."""
    whole = _run_to(percent, 1)
    for _ in range(min(pieces, whole.batches - 1)):
        piece = simulate(PROBLEM, Goal(uncertainty_percent=percent, max_seconds=1e-6), threads=1, folder=tmp_path)
        assert not piece.goal_reached
    result = simulate(PROBLEM, Goal(uncertainty_percent=percent), threads=1, folder=tmp_path)
    assert result.goal_reached
    assert same_dose(result, whole)


def test_progress_is_told_after_every_batch() -> None:
    seen: list[Progress] = []
    simulate(PROBLEM, GOAL, threads=2, on_progress=seen.append)
    assert [p.histories for p in seen] == [BATCH * (i + 1) for i in range(20)]
    assert all(p.histories_goal == HISTORIES for p in seen)
    assert all(np.isinf(p.uncertainty_percent) for p in seen[:9])
    assert np.isfinite(seen[-1].uncertainty_percent)
    assert all(p.histories_per_second > 0 for p in seen)
    assert seen[-1].seconds_left == 0.0
    lefts = [p.seconds_left for p in seen]
    assert all(left is not None and left >= 0 for left in lefts)


# Sampling of spots.


def test_offsets_differ_by_batch_and_seed() -> None:
    weights = np.ones(10_000)
    chosen = [tuple(pencils_of_batch(weights, 10, seed, batch)) for seed in (1, 2) for batch in (0, 1, 2)]
    assert len(set(chosen)) == len(chosen)


WEIGHTS = np.array([3.0, 0.0, 1.0, 0.25, 10.0, 0.75])


@pytest.mark.parametrize("size", [1, 13, 100, 1001])
@pytest.mark.parametrize("batch", [0, 1, 7])
def test_every_spot_gets_its_share_rounded_up_or_down(size: int, batch: int) -> None:
    counts = np.bincount(pencils_of_batch(WEIGHTS, size, 1, batch), minlength=WEIGHTS.size)
    shares = size * WEIGHTS / WEIGHTS.sum()
    assert counts.sum() == size
    assert np.all(counts >= np.floor(shares))
    assert np.all(counts <= np.ceil(shares))


def test_over_many_batches_every_spot_gets_its_exact_share() -> None:
    """Also the first and the last: their expectation is exact only with offsets that are uniform in (0, 1)."""
    batches, size = 4000, 13
    counts = np.zeros(WEIGHTS.size)
    for batch in range(batches):
        counts += np.bincount(pencils_of_batch(WEIGHTS, size, 5, batch), minlength=WEIGHTS.size)
    # A count is one of two neighbours, so its variance is at most 1/4.
    np.testing.assert_allclose(counts / batches, size * WEIGHTS / WEIGHTS.sum(), atol=4 * 0.5 / np.sqrt(batches))
    assert counts[1] == 0, "a spot without particles is never sampled"


def test_a_larger_goal_goes_on_from_a_smaller_one(tmp_path: Path, undisturbed: Result) -> None:
    """The smaller run's last batch was cut short; its histories must not be missing from the larger one."""
    simulate(PROBLEM, Goal(histories=HISTORIES - 10), threads=1, folder=tmp_path)
    result = simulate(PROBLEM, GOAL, threads=1, folder=tmp_path)
    assert result.histories == HISTORIES
    assert same_dose(result, undisturbed)


def test_sums_of_another_run_do_not_push_out_one_s_own(tmp_path: Path, eager: None, undisturbed: Result) -> None:
    """Sums of another seed with more batches lie in the folder; those of this run must still be found."""
    simulate(PROBLEM, Goal(histories=30 * BATCH, uncertainty_percent=99.0), seed=2, threads=1, folder=tmp_path)
    interrupted(tmp_path, 15)
    result = simulate(PROBLEM, GOAL, threads=1, folder=tmp_path)
    assert any("resumed" in w for w in result.warnings)
    assert same_dose(result, undisturbed)


@pytest.mark.parametrize("seed", [0, 2**63 - 1, 2**63, 2**64 - 1])
def test_every_64_bit_seed_runs(seed: int) -> None:
    assert simulate(PROBLEM, Goal(histories=20), seed=seed, threads=1).histories == 20


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_other_seeds_are_refused(seed: int) -> None:
    with pytest.raises(InputError, match="seed"):
        simulate(PROBLEM, Goal(histories=20), seed=seed, threads=1)


if __name__ == "__main__":
    run_and_die(Path(sys.argv[1]), sys.argv[2])


def stopped_by_errors(folder: Path | None = None, tell: Callable[[Progress], None] | None = None) -> Result:
    goal = Goal(dose_error=DoseErrorGoal(4.0), batch_histories=100)
    return simulate(PROBLEM, goal, threads=1, folder=folder, on_progress=tell)


def test_a_run_stops_when_no_voxel_exceeds_the_dose_error() -> None:
    told: list[Progress] = []
    result = stopped_by_errors(tell=told.append)
    dose, error = result.dose_Gy, result.dose_Gy * result.relative_uncertainty
    high = dose > 0.5 * dose.max()
    assert result.goal_reached and result.dose_errors.failing == 0
    assert result.dose_errors.voxels == high.sum() > 5
    assert result.dose_errors.largest_percent == pytest.approx(100 * error[high].max() / dose.max())
    assert result.dose_errors.mean_percent == pytest.approx(100 * error[high].mean() / dose.max())
    seen = [(p.histories // 100, p.dose_error_percent) for p in told]
    first = next(n for n, percent in seen if percent < 4.0 and n >= 20)
    assert result.batches == Batches.next_checkpoint(first), "one check later"
    assert told[-2].seconds_left is not None


@pytest.mark.usefixtures("eager")
def test_checks_in_a_row_survive_a_kill_anywhere(tmp_path: Path) -> None:
    whole = stopped_by_errors()
    first = Batches.checkpoint_before(whole.batches)
    for killed_at in (first - 5, first, first + 5, whole.batches):
        folder = tmp_path / str(killed_at)

        def killed(progress: Progress, at: int = killed_at) -> None:
            if progress.histories >= 100 * at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            stopped_by_errors(folder, killed)
        assert same_dose(stopped_by_errors(folder), whole)
        assert same_dose(stopped_by_errors(folder), whole), "and once more, when it has ended"


def test_checks_of_another_goal_do_not_count(tmp_path: Path) -> None:
    strict = Goal(dose_error=DoseErrorGoal(4.0), batch_histories=100)
    loose = Goal(dose_error=DoseErrorGoal(20.0), batch_histories=100)
    begun = simulate(PROBLEM, loose, threads=1, folder=tmp_path)
    assert begun.batches == 30
    assert same_dose(simulate(PROBLEM, strict, threads=1, folder=tmp_path), stopped_by_errors())
