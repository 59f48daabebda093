"""A request is valid once built; all its problems come together."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.workflow.goals import Goals
from dosewright.workflow.request import DoseRequest, Wishes

GOALS = Goals(uncertainty_percent=2.0)
FULL = DoseRequest(
    plan=Path("plan/RN.dcm"),
    goals=Goals(10**6, 1.5, 3600.0),
    output=Path("out"),
    beams=("Field 1", "2"),
    ct_protocol="generic",
    overrides=(("Filling", "G4_TITANIUM"), ("Air: big", "G4_AIR")),
    voxel_counts=(100, 90, 80),
    beam_model="generic",
    threads=2,
    library=Path("lib"),
    login="me:research",
    seed=7,
    keep_parts=True,
)


def test_json_round_trip() -> None:
    text = json.dumps(FULL.as_json())
    assert DoseRequest.from_json(json.loads(text)) == FULL
    plain = DoseRequest(Path("p"), GOALS)
    assert DoseRequest.from_json(plain.as_json()) == plain


def test_what_excludes_how_it_runs() -> None:
    other = {**FULL.as_json(), "threads": 1, "login": None, "output": "elsewhere", "goals": GOALS.as_json()}
    assert DoseRequest.from_json(other).what() == FULL.what()
    assert DoseRequest.from_json({**FULL.as_json(), "seed": 8}).what() != FULL.what()


def test_all_problems_of_a_request_come_together() -> None:
    wishes = Wishes(
        plan=Path("p"),
        goals=GOALS,
        overrides=(("Filling", "G4_Ti"), ("Filling", "G4_WATER")),
        ct_protocol="generic",
        phantom="water_box",
        voxel_counts=(0, 1, 1),
        full_ct_grid=True,
        threads=-1,
        seed=-1,
    )
    problems = wishes.problems()
    assert len(problems) == 8
    for said in ("-m", "-c", "-p", "-x", "-f", "-j", "--seed"):
        assert any(f"({said})" in problem for problem in problems), said
    with pytest.raises(InputError) as refused:
        wishes.checked()
    assert list(refused.value.problems) == problems


def test_wishes_that_can_be_are_a_request() -> None:
    assert Wishes(Path("p"), GOALS, seed=3).checked() == DoseRequest(Path("p"), GOALS, seed=3)


def test_unknown_keys_name_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'threads'"):
        DoseRequest.from_json({"plan": "p", "goals": GOALS.as_json(), "thread": 1})
    with pytest.raises(InputError, match="lacks 'goals'"):
        DoseRequest.from_json({"plan": "p"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*FULL.as_json(), "x"]), json_values, max_size=6))
def test_any_json_gives_a_request_or_a_refusal(values: dict[str, object]) -> None:
    try:
        request = DoseRequest.from_json({**FULL.as_json(), **values})
    except InputError:
        return
    assert isinstance(request, DoseRequest)
