"""Goals as a user types them, and their priorities."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.formats.text import site_settings
from dosewright.formats.text.site_settings import Range
from dosewright.scoring.dose_error import DoseErrorGoal, DoseErrorMeasure
from dosewright.workflow.goals import (
    Goals,
    beyond_site,
    duration_text,
    read_histories,
    read_percent,
    read_seconds,
    worse_than_usual,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", 600), ("0.5", 30), ("90s", 90), ("20m", 1200), ("20min", 1200), ("5h", 18000), ("1 d", 86400)],
)
def test_a_time_is_minutes_unless_it_says_otherwise(text: str, seconds: float) -> None:
    assert read_seconds(text) == seconds


def test_a_bare_number_that_looks_like_seconds_is_refused_with_both_readings() -> None:
    with pytest.raises(InputError, match=r"300 h.*18000m.*18000s"):
        read_seconds("18000")
    assert read_seconds("18000s") == 18000
    assert read_seconds("18000m") == 18000 * 60
    assert read_seconds("1440") == 86400


@pytest.mark.parametrize("text", ["", "-5", "5x", "h", "nan", "1e3", "5:30", "inf"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="-t"):
        read_seconds(text)


@given(st.text(max_size=12))
def test_any_text_gives_a_number_or_a_refusal(text: str) -> None:
    for read in (read_seconds, read_percent, read_histories):
        with contextlib.suppress(InputError):
            assert isinstance(read(text), (int, float))


def test_counts_and_percents() -> None:
    assert read_histories("1e6") == read_histories("1000000") == read_histories("1_000_000") == 10**6
    assert read_percent("1.5") == read_percent("1.5%") == 1.5
    for text in ("1.5", "many", "inf"):
        with pytest.raises(InputError):
            read_histories(text)


@pytest.mark.parametrize(
    ("n", "u", "t", "reached_at", "sentence"),
    [
        ("1e6", None, None, [(10**6, 9.0)], "1,000,000 primaries per beam."),
        (None, "1.5", None, [(10, 1.5)], "1.5 % mean uncertainty per beam."),
        (None, None, "5h", [(0, 99.0)], "Stop after 5 h."),
        ("1e6", "5", None, [(10**6, 5.0)], "primaries per beam and 5 %"),
        (None, "4", "5h", [(10, 4.0)], "4 % mean uncertainty per beam, or after 5 h"),
        ("1e6", None, "5h", [(10**6, 99.0)], "primaries per beam, or after 5 h"),
        ("1e6", "2", "5h", [(10**6, 2.0)], "primaries per beam and 2 % mean uncertainty per beam, or after 5 h"),
    ],
)
def test_all_seven_combinations(
    n: str | None, u: str | None, t: str | None, reached_at: list[tuple[int, float]], sentence: str
) -> None:
    goals = Goals.from_text(n, u, t)
    assert sentence in goals.sentence()
    assert all(goals.reached(histories, percent) for histories, percent in reached_at)
    assert goals.time_is_the_goal == (n is None and u is None)


def test_between_count_and_uncertainty_both_must_be_reached() -> None:
    goals = Goals.from_text("1e6", "2", None)
    assert not goals.reached(10**6, 2.1)
    assert not goals.reached(10**6 - 1, 1.9)


def test_every_problem_is_listed_and_no_goal_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        Goals.from_text("x", "y", "z")
    assert len(refused.value.problems) == 3
    with pytest.raises(InputError) as refused:
        Goals(histories=0, uncertainty_percent=99.5)
    assert len(refused.value.problems) == 2
    with pytest.raises(InputError, match="needs a goal"):
        Goals()


def site(**ranges: Range) -> site_settings.Goals:
    return site_settings.Goals(**ranges)  # type: ignore[arg-type]


ON = {"step": 0.1, "on": True}


def test_the_usual_goals_of_a_site() -> None:
    assert Goals.usual(site_settings.Goals()) == Goals(uncertainty_percent=1.0)
    both = site(primaries=Range(min=1e5, default=2e6, max=1e8, **ON), minutes=Range(min=1, default=30, max=90, **ON))
    assert Goals.usual(both) == Goals(2_000_000, 1.0, 1800.0)
    off = Range(min=0.5, default=1.5, max=5, step=0.1)
    count = Range(min=1e5, default=2e6, max=1e8, **ON)
    assert Goals.usual(site(uncertainty_percent=off, primaries=count)) == Goals(2_000_000)


def test_goals_beyond_what_a_site_allows_are_told_with_what_it_allows() -> None:
    allowed = site(uncertainty_percent=Range(min=0.5, default=1, max=5, **ON))
    assert beyond_site(Goals(10**6, 0.5, 60.0), allowed) == []
    assert beyond_site(Goals(10**6, 5.0), allowed) == []
    said = beyond_site(Goals(50, 5.1, 59.0), allowed)
    assert [word in one for word, one in zip(("-n", "-u", "-t"), said, strict=True)] == [True] * 3
    assert "5.1 percent is outside what the site allows: 0.5 to 5 percent." in said[1]


@pytest.mark.parametrize(
    ("goals", "worse"),
    [
        (Goals(uncertainty_percent=1.0), False),
        (Goals(uncertainty_percent=0.5), False),
        (Goals(uncertainty_percent=1.1), True),
        (Goals(histories=10**9), True),
        (Goals(max_seconds=1e6), True),
        (Goals(10**3, 0.9, 60.0), False),
    ],
)
def test_less_than_the_usual_quality_is_said(goals: Goals, worse: bool) -> None:
    said = worse_than_usual(goals, site_settings.Goals())
    assert (said is not None) == worse
    assert said is None or "1 % mean uncertainty" in said


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "0.25 s"), (90, "90 s"), (125, "2 min 5 s"), (18000, "5 h"), (19800, "5 h 30 min")]
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_goal_of_the_plan_says_so() -> None:
    goals = Goals(histories=1000, uncertainty_percent=2.0)
    assert goals.sentence("plan") == "Stop at 1,000 primaries of the plan and 2 % mean uncertainty of the plan."


LOCAL = DoseErrorMeasure(relative_to_maximum=False)


def test_a_dose_error_beside_the_others() -> None:
    goals = Goals(histories=100, dose_error=DoseErrorGoal(1.0))
    assert goals.reached(100, 99.0, errors_met=True)
    assert not goals.reached(100, 0.0)
    assert not goals.time_is_the_goal
    assert not Goals(dose_error=DoseErrorGoal(1.0)).time_is_the_goal
    assert "100 primaries of the plan and a mean error below 1 % in every voxel (percent of the maximum" in (
        goals.sentence("plan")
    )


@pytest.mark.parametrize(
    "goals",
    [
        Goals(10),
        Goals(dose_error=DoseErrorGoal(2.0, LOCAL)),
        Goals(10, 1.0, 5.0, DoseErrorGoal(1.0, DoseErrorMeasure(5.0, True, 2.0))),
    ],
)
def test_goals_come_back_from_plain_values(goals: Goals) -> None:
    assert Goals.from_json(json.loads(json.dumps(goals.as_json()))) == goals


@pytest.mark.parametrize(
    ("goal", "worse"),
    [
        (DoseErrorGoal(1.0, LOCAL), False),
        (DoseErrorGoal(1.1, LOCAL), True),
        (DoseErrorGoal(0.5), False),
        (DoseErrorGoal(0.6), True),
        (DoseErrorGoal(0.4, DoseErrorMeasure(60.0)), True),
        (DoseErrorGoal(0.4, DoseErrorMeasure(50.0, True, 2.0)), True),
    ],
)
def test_what_a_dose_error_promises_of_the_mean(goal: DoseErrorGoal, worse: bool) -> None:
    """1 % of the maximum is 2 % of half of it."""
    assert (worse_than_usual(Goals(dose_error=goal), site_settings.Goals()) is not None) == worse
