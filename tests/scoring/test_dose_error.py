"""The error of every voxel: which count, what it is relative to, when it is met."""

import math
from itertools import pairwise

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.scoring.dose_error import (
    FEWEST_CHECKED,
    NONE_PASSED,
    NOTHING_KNOWN,
    DoseErrorGoal,
    DoseErrorMeasure,
    Streak,
    dose_errors,
)
from dosewright.simulation.goal import Batches, Goal

DOSE = np.array([[2.0, 1.0, 1.1, 0.0, 50.0]])
ERROR = np.array([[0.02, 0.5, 0.033, 0.0, 9.0]])
DENSITY = np.array([[1.0, 1.0, 0.3, 1.0, 0.01]])


@pytest.mark.parametrize(
    ("measure", "largest", "mean"),
    [
        (DoseErrorMeasure(), 1.65, (1.0 + 1.65) / 2),
        (DoseErrorMeasure(relative_to_maximum=False), 3.0, (1.0 + 3.0) / 2),
        (DoseErrorMeasure(reference_Gy=4.0), 0.825, (0.5 + 0.825) / 2),
        (DoseErrorMeasure(cut_off_percent=49.9), 25.0, (1.0 + 25.0 + 1.65) / 3),
        (DoseErrorMeasure(cut_off_percent=60.0), 1.0, 1.0),
        (DoseErrorMeasure(cut_off_percent=0.0, relative_to_maximum=False), 50.0, (1.0 + 50.0 + 3.0) / 3),
    ],
)
def test_errors_of_the_voxels_that_count(measure: DoseErrorMeasure, largest: float, mean: float) -> None:
    """Air neither counts nor gives the maximum; neither does what got nothing."""
    errors = dose_errors(DOSE, ERROR, DENSITY, measure)
    assert (errors.largest_percent, errors.mean_percent) == pytest.approx((largest, mean))
    assert errors.failing is None and not errors.met


@pytest.mark.parametrize(("percent", "failing"), [(0.5, 2), (1.0, 2), (1.001, 1), (1.7, 0)])
def test_a_voxel_passes_below_the_goal(percent: float, failing: int) -> None:
    dose, error, density = np.array([2.0, 1.1]), np.array([0.02, 0.033]), np.ones(2)
    found = dose_errors(dose, error, density, DoseErrorMeasure(), percent)
    assert (found.failing, found.met, found.voxels) == (failing, failing == 0, 2)


def test_without_dose_nothing_is_known_and_nothing_met() -> None:
    found = dose_errors(np.zeros(3), np.zeros(3), np.ones(3), percent=1.0)
    assert found == NOTHING_KNOWN and not found.met
    assert found.as_json() == {"largest_percent": None, "mean_percent": None, "voxels": 0, "failing": None}


def test_an_error_that_is_no_number_fails() -> None:
    assert not dose_errors(np.ones(2), np.array([0.001, math.nan]), np.ones(2), percent=1.0).met


def test_a_reference_goes_with_the_unit_of_the_dose() -> None:
    measure = DoseErrorMeasure(reference_Gy=2.0)
    scaled = dose_errors(1e9 * DOSE, 1e9 * ERROR, DENSITY, measure)
    plain = dose_errors(DOSE, ERROR, DENSITY, measure.per(1e9))
    assert plain.largest_percent == pytest.approx(scaled.largest_percent)
    assert DoseErrorGoal(1.0).per(1e9) == DoseErrorGoal(1.0)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"cut_off_percent": 100.0}, "cut-off"),
        ({"cut_off_percent": -1.0}, "cut-off"),
        ({"cut_off_percent": math.nan}, "cut-off"),
        ({"reference_Gy": 0.0}, "positive"),
        ({"reference_Gy": math.inf}, "positive"),
        ({"reference_Gy": 2.0, "relative_to_maximum": False}, "global"),
    ],
)
def test_measures_that_cannot_be_are_refused(bad: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        DoseErrorMeasure(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [0.0, -1.0, 100.1, math.nan])
def test_goals_are_percentages(bad: float) -> None:
    with pytest.raises(InputError, match="percentage"):
        DoseErrorGoal(bad)


def streak_of(verdicts: dict[int, bool]) -> Streak:
    streak, before = NONE_PASSED, 0
    for at, met in verdicts.items():
        streak, before = streak.after(at, before, met=met), at
    return streak


@pytest.mark.parametrize(
    ("verdicts", "enough"),
    [
        ({20: True}, False),
        ({20: True, 30: True}, True),
        ({20: True, 30: False, 40: True}, False),
        ({10: True, 20: True}, False),
        ({10: True, 20: True, 30: True}, True),
        ({20: False, 30: True, 40: True}, True),
    ],
)
def test_two_checks_in_a_row_with_batches_enough(verdicts: dict[int, bool], enough: bool) -> None:
    assert FEWEST_CHECKED == 20
    assert streak_of(verdicts).long_enough is enough


def test_a_check_that_is_made_again_counts_once_and_one_that_was_missed_breaks_the_row() -> None:
    once = NONE_PASSED.after(20, 10, met=True)
    assert once.after(20, 10, met=True) == once
    assert not once.after(40, 30, met=True).long_enough
    assert once.after(30, 20, met=True).long_enough


def test_the_checkpoint_before() -> None:
    seen = [0]
    while seen[-1] < 500:
        seen.append(Batches.next_checkpoint(seen[-1]))
    assert all(Batches.checkpoint_before(later) == now for now, later in pairwise(seen))
    assert Batches.checkpoint_before(37) == 30


def test_the_goal_beside_the_others() -> None:
    goal = Goal(histories=100, uncertainty_percent=2.0, dose_error=DoseErrorGoal(1.0))
    assert goal.reached(100, 2.0, errors_met=True)
    assert not goal.reached(100, 2.0)
    assert not goal.reached(99, 2.0, errors_met=True)
    assert not goal.reached(100, 2.1, errors_met=True)
    assert Goal(dose_error=DoseErrorGoal(1.0)).reached(1, math.inf, errors_met=True)
    assert Batches.plan(Goal(histories=1000, dose_error=DoseErrorGoal(1.0)), 1000).last is None
