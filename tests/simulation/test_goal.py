"""When a run may stop, and how histories are divided."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.simulation.goal import DEFAULT_BATCH, FEWEST_BATCHES, Batches, Goal

INFINITE = math.inf


@pytest.mark.parametrize(
    ("goal", "histories", "uncertainty", "reached"),
    [
        (Goal(histories=100), 99, 0.0, False),
        (Goal(histories=100), 100, INFINITE, True),
        (Goal(uncertainty_percent=2.0), 10**9, 2.01, False),
        (Goal(uncertainty_percent=2.0), 1, 2.0, True),
        (Goal(uncertainty_percent=2.0), 10**9, INFINITE, False),
        (Goal(histories=100, uncertainty_percent=2.0), 100, 2.1, False),
        (Goal(histories=100, uncertainty_percent=2.0), 99, 1.0, False),
        (Goal(histories=100, uncertainty_percent=2.0), 100, 2.0, True),
        (Goal(max_seconds=1.0), 10**12, 0.0, False),
        (Goal(histories=100, max_seconds=1.0), 100, INFINITE, True),
    ],
)
def test_all_that_is_given_must_be_reached(goal: Goal, histories: int, uncertainty: float, reached: bool) -> None:
    assert goal.reached(histories, uncertainty) is reached


def test_a_goal_is_needed() -> None:
    with pytest.raises(InputError, match="needs a goal"):
        Goal()


@pytest.mark.parametrize("bad", [0, -1, math.nan])
@pytest.mark.parametrize("name", ["histories", "uncertainty_percent", "max_seconds"])
def test_goals_must_be_positive(name: str, bad: float) -> None:
    with pytest.raises(InputError, match="must be positive"):
        Goal(**{name: bad})  # type: ignore[arg-type]


@given(histories=st.integers(1, 10**9), voxels=st.integers(1, 10**8))
def test_batches_end_exactly_on_a_history_goal(histories: int, voxels: int) -> None:
    batches = Batches.plan(Goal(histories=histories), voxels)
    full, rest = divmod(histories, batches.size)
    assert batches.histories_in(0) >= 1
    assert full * batches.size + batches.histories_in(full) == histories
    assert batches.histories_in(full) == rest
    assert batches.histories_in(full + 1) == 0
    if full:
        assert batches.histories_in(full - 1) == batches.size


@given(histories=st.integers(FEWEST_BATCHES**2, 10**9), voxels=st.integers(1, 10**8))
def test_a_history_goal_has_enough_batches_for_an_uncertainty(histories: int, voxels: int) -> None:
    batches = Batches.plan(Goal(histories=histories), voxels)
    assert -(-histories // batches.size) >= FEWEST_BATCHES - 1


@pytest.mark.parametrize("goal", [Goal(uncertainty_percent=1.0), Goal(max_seconds=5.0)])
def test_other_goals_have_no_last_batch(goal: Goal) -> None:
    batches = Batches.plan(goal, 1000)
    assert batches == Batches(DEFAULT_BATCH, None)
    assert batches.histories_in(10**9) == DEFAULT_BATCH


def test_with_an_uncertainty_too_the_run_may_go_beyond_the_histories() -> None:
    batches = Batches.plan(Goal(histories=1000, uncertainty_percent=1.0), 1000)
    assert batches == Batches(50, None)


def test_large_grids_have_larger_batches() -> None:
    assert Batches.plan(Goal(uncertainty_percent=1.0), 20_000_000).size == 100_000


def test_the_division_does_not_depend_on_the_time_limit() -> None:
    """A resumed run may have another limit and must still add up."""
    for more in ({}, {"max_seconds": 1.0}, {"max_seconds": 500.0}):
        assert Batches.plan(Goal(histories=12345, **more), 100) == Batches(618, 12345)


def test_checkpoints_come_every_ten_batches_and_later_every_tenth_part() -> None:
    at, seen = 0, []
    while at < 1000:
        at = Batches.next_checkpoint(at)
        seen.append(at)
    assert seen[:11] == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]
    assert all(later - now == max(10, now // 10) for now, later in pairwise(seen))


def test_runs_to_several_goals_may_share_one_division() -> None:
    for histories in (700, 7000):
        assert Batches.plan(Goal(histories=histories, batch_histories=70), 10**8) == Batches(70, histories)


@pytest.mark.parametrize(
    "bad",
    [{"top_voxels": 0}, {"dose_threshold_percent": 0.0}, {"dose_threshold_percent": 100.0}, {"batch_histories": 0}],
)
def test_what_the_uncertainty_is_formed_of_is_checked(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="needs"):
        Goal(histories=1, **bad)  # type: ignore[arg-type]
