"""How far a beam is, and how the time is shared."""

import pytest

from dosewright.simulation.run import Progress
from dosewright.workflow.goals import Goals
from dosewright.workflow.simulate import TimeBudget, share_done


def progress(histories: int, percent: float, seconds: float = 1.0) -> Progress:
    return Progress(histories, None, percent, seconds, 1.0, None)


@pytest.mark.parametrize(
    ("goals", "now", "seconds", "share"),
    [
        (Goals(histories=100), progress(25, float("inf")), None, 0.25),
        (Goals(uncertainty_percent=2.0), progress(25, 4.0), None, 0.25),  # the square: a quarter of the way
        (Goals(uncertainty_percent=2.0), progress(25, float("inf")), None, 0.0),
        (Goals(histories=100, uncertainty_percent=2.0), progress(90, 4.0), None, 0.25),
        (Goals(histories=100, max_seconds=10.0), progress(10, 9.0, 5.0), 10.0, 0.5),
        (Goals(max_seconds=10.0), progress(10, 9.0, 20.0), 10.0, 1.0),
    ],
)
def test_the_share_that_is_done(goals: Goals, now: Progress, seconds: float | None, share: float) -> None:
    assert share_done(now, goals, seconds) == pytest.approx(share)


def test_time_saved_by_a_beam_helps_the_later_ones() -> None:
    budget = TimeBudget(90.0)
    assert budget.share(3) == pytest.approx(30.0)
    budget.spend(10.0)
    assert budget.share(2) == pytest.approx(40.0)
    budget.spend(500.0)
    assert 0 < (budget.share(1) or 0) < 0.01
    assert TimeBudget(None).share(2) is None
