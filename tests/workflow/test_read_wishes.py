"""What a user typed becomes wishes; what cannot be read is told, left out, and stops nothing else."""

from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.workflow.dose_error_options import NOT_SAID
from dosewright.workflow.goals import Goals
from dosewright.workflow.read_wishes import read_goals, read_overrides, read_wishes
from dosewright.workflow.request import Wishes


def test_everything_is_read() -> None:
    said = {
        "plan": Path("p"),
        "histories": "1e6",
        "uncertainty": None,
        "time": "20m",
        "beams": ("1",),
        "overrides": ["Filling:G4_Ti"],
        "voxel_counts": ("100", "90", "80"),
        "fraction_group": "2",
        "seed": "7",
        "threads": "0",
        "phantom": None,
    }
    assert read_wishes(said) == Wishes(
        plan=Path("p"),
        goals=Goals(histories=10**6, max_seconds=1200.0),
        beams=("1",),
        overrides=(("Filling", "G4_Ti"),),
        voxel_counts=(100, 90, 80),
        fraction_group=2,
        seed=7,
    )


def test_what_cannot_be_read_is_told_and_left_out() -> None:
    said = {
        "plan": Path("p"),
        "histories": "many",
        "uncertainty": "0",
        "time": "soon",
        "overrides": ["Filling:G4_Ti", "oops"],
        "voxel_counts": ("1", "2", "z"),
        "fraction_group": "first",
        "seed": "1.5",
        "threads": "all",
        "beam_model": "generic",
    }
    wishes = read_wishes(said)
    problems = wishes.unread
    assert wishes.overrides == (("Filling", "G4_Ti"),)
    assert (wishes.voxel_counts, wishes.fraction_group, wishes.seed, wishes.threads) == (None, None, 1, 0)
    assert wishes.beam_model == "generic"
    assert not wishes.goals_assumed
    options = ("-n", "-u", "-t", "-x", "--fraction-group", "--seed", "-j", "-m")
    assert len(problems) == len(options)
    for option, given in zip(options, ("many", "0", "soon", "1 2 z", "first", "1.5", "all", "oops"), strict=True):
        assert any(f"({option})" in problem and given in problem for problem in problems), option
    with pytest.raises(InputError) as refused:
        wishes.checked()
    assert refused.value.problems == problems


def test_no_goal_takes_the_default_and_says_so() -> None:
    goals, assumed = read_goals(None, None, None, NOT_SAID, [])
    assert assumed
    assert goals == Goals(uncertainty_percent=1.0)


@pytest.mark.parametrize("text", ["", ":", "a:", ":b", "ab"])
def test_an_override_is_a_pair(text: str) -> None:
    problems: list[str] = []
    assert read_overrides([text], problems) == ()
    assert len(problems) == 1


def test_the_last_colon_divides_an_override() -> None:
    assert read_overrides(["Couch: top:G4_AIR"], []) == (("Couch: top", "G4_AIR"),)
