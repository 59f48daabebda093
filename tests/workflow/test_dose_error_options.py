"""The options of a dose error as typed."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.scoring.dose_error import DoseErrorGoal, DoseErrorMeasure
from dosewright.workflow.dose_error_options import NOT_SAID, DoseErrorTexts
from dosewright.workflow.goals import Goals
from dosewright.workflow.read_wishes import read_wishes


@pytest.mark.parametrize(
    ("texts", "goal"),
    [
        (DoseErrorTexts("1"), DoseErrorGoal(1.0)),
        (DoseErrorTexts("1%", "20 %"), DoseErrorGoal(1.0, DoseErrorMeasure(20.0))),
        (DoseErrorTexts("2", dd_type="L"), DoseErrorGoal(2.0, DoseErrorMeasure(relative_to_maximum=False))),
        (DoseErrorTexts("2", "0", "GLOBAL", "1.8"), DoseErrorGoal(2.0, DoseErrorMeasure(0.0, True, 1.8))),
        (NOT_SAID, None),
    ],
)
def test_what_is_typed_is_read(texts: DoseErrorTexts, goal: DoseErrorGoal | None) -> None:
    assert texts.read() == goal
    assert texts.said == (goal is not None)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (DoseErrorTexts("much"), ["--dd is a dose error"]),
        (DoseErrorTexts("0"), ["--dd"]),
        (DoseErrorTexts("nan"), ["--dd"]),
        (DoseErrorTexts("1", "100"), ["--dco"]),
        (DoseErrorTexts("1", dd_type="globl"), ["global"]),
        (DoseErrorTexts("1", dgref="-2"), ["--dgref"]),
        (DoseErrorTexts("1", dd_type="local", dgref="2"), ["for global errors"]),
        (DoseErrorTexts(dco="50"), ["give it with --dd"]),
        (DoseErrorTexts("x", "y", "z", "w"), ["--dd", "--dco", "--dgref", "--dd-type"]),
    ],
)
def test_what_cannot_be_is_refused_with_every_problem(texts: DoseErrorTexts, said: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        texts.read()
    assert len(refused.value.problems) == len(said)
    assert all(word in one for word, one in zip(said, refused.value.problems, strict=True))


@given(st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=4, max_size=4))
def test_any_texts_give_a_goal_or_a_refusal(texts: list[str | None]) -> None:
    with contextlib.suppress(InputError):
        DoseErrorTexts(*texts).read()


def test_problems_are_told_with_those_of_other_options() -> None:
    wishes = read_wishes({"plan": "plan.dcm", "histories": "many", "dd": "little", "seed": "x"})
    assert len(wishes.unread) == 3
    named = read_wishes({"plan": "plan.dcm", "dd": "1.5", "dco": "30"})
    assert named.goals == Goals(dose_error=DoseErrorGoal(1.5, DoseErrorMeasure(30.0)))
    assert not named.goals_assumed
