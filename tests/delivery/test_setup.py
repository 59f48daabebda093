"""Motions of regions: frames, turns, groups, mothers, slots; and what moves back."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.delivery.deliveries import problems, step

from dosewright.core.frame import rotation_about
from dosewright.delivery.directives import Turn
from dosewright.delivery.setup import turned_about

C, S = np.cos(np.deg2rad(30)), np.sin(np.deg2rad(30))


def origin_cm(folder: Path, text: str, name: str = "phantom") -> np.ndarray:
    return step(folder, text).placements[name].translation / 10


def axes(folder: Path, text: str, name: str = "phantom") -> np.ndarray:
    """Left, up and front as rows."""
    return step(folder, text).placements[name].rotation.T


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("transform: phantom shift_by 0 0 5", (1, 2, 8)),
        ("transform: phantom shift_by [1,-2,5] global", (2, 0, 8)),
        ("transform: phantom shift_by 1 1 1 Room", (2, 3, 4)),
        ("transform: phantom shift_by 1 2 3 RS", (-1 + 1, 2 + 3, 3 + 2)),  # RS: left is -x, up z, front y
        ("transform: phantom move_to 4 5 6", (4, 5, 6)),
        ("transform: phantom move_to 1 2 3 RS", (-1, 3, -18)),
        ("transform: phantom rotate z 90", (-2, 1, 3)),
        ("transform: phantom rotate x 90", (1, -3, 2)),
        ("transform: phantom rotate y 90", (3, 2, -1)),
        ("transform: phantom rotate [0,0,2] 90", (-2, 1, 3)),
        ("transform: phantom rotate 0 0 -1 90", (2, -1, 3)),
        ("transform: phantom rotate z 90 self", (1, 2, 3)),
        ("transform: phantom rotate z 180 RS", (-1, 2, -43)),  # about the line along y through (0, 0, -20)
        ("transform: phantom rotate z 30", (C - 2 * S, S + 2 * C, 3)),
    ],
)
def test_where_motions_lead(tmp_path: Path, text: str, expected: tuple[float, float, float]) -> None:
    assert np.allclose(origin_cm(tmp_path, text), expected)


def test_turns_are_right_handed_and_take_the_axes_along(tmp_path: Path) -> None:
    assert np.allclose(axes(tmp_path, "transform: phantom rotate z 90"), [[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    assert np.allclose(axes(tmp_path, "transform: phantom rotate x 90 self"), [[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    # About its own front, which is y in the room.
    turned = axes(tmp_path, "transform: RS rotate z 90 local", "RS")
    assert np.allclose(turned, [[0, 0, 1], [1, 0, 0], [0, 1, 0]])


def test_a_shift_along_own_axes_follows_earlier_turns(tmp_path: Path) -> None:
    text = "transform: phantom rotate z 90 self\ntransform: phantom shift_by 3 0 0 self"
    assert np.allclose(origin_cm(tmp_path, text), (1, 5, 3))


def test_the_field_turns_with_its_beams(tmp_path: Path) -> None:
    one = step(tmp_path, "transform: field_1 rotate y 90\ndeliver: field_1")
    assert np.allclose(one.placements["field_1"].translation, (-500, 0, 0))
    assert np.allclose(one.placements["field_1"].directions((0, 0, 1)), (1, 0, 0))


@given(st.sampled_from("xyz"), st.floats(-720, 720))
def test_turns_agree_with_those_about_the_axes(axis: str, degrees: float) -> None:
    unit = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}[axis]
    assert np.allclose(turned_about(Turn(unit, degrees)), rotation_about(axis, degrees), atol=1e-12)


def test_groups_and_groups_in_groups_move_as_one_or_each_by_itself(tmp_path: Path) -> None:
    groups = "group: pair phantom RS\ngroup: more pair, field_1\n"
    one = step(tmp_path, groups + "transform: more shift_by 1 0 0")
    assert [one.placements[name].translation[0] for name in ("phantom", "RS", "field_1", "field_2")] == [20, 10, 10, 0]
    one = step(tmp_path, groups + "transform: PAIR shift_by 0 0 1 self")
    assert np.allclose(one.placements["phantom"].translation, (10, 20, 40))
    assert np.allclose(one.placements["RS"].translation, (0, 10, -200))
    one = step(tmp_path, groups + "transform: pair rotate z 180 self")
    assert np.allclose(one.placements["phantom"].translation, (10, 20, 30))


def test_daughters_move_with_their_mother_and_not_the_other_way(tmp_path: Path) -> None:
    text = "group: fields field_1 field_2\nset_parent: gantry fields RS\ntransform: gantry rotate z 90\n"
    one = step(tmp_path, text + "transform: RS shift_by 0 0 1\n")
    assert np.allclose(one.placements["field_2"].translation, (500, 0, 0))
    assert np.allclose(one.placements["RS"].translation, (0, 0, -190))
    assert np.allclose(one.placements["gantry"].translation, (0, 0, 0))
    assert np.allclose(one.placements["phantom"].translation, (10, 20, 30))
    one = step(tmp_path, text + "transform: gantry move_to 1 0 0")
    assert np.allclose(one.placements["field_2"].translation, (510, 0, 0))


def test_grandmothers_new_mothers_and_none(tmp_path: Path) -> None:
    chain = "set_parent: gantry RS\nset_parent: RS field_1\n"
    move = "transform: gantry shift_by 1 0 0"
    assert step(tmp_path, chain + move).placements["field_1"].translation[0] == 10
    other = "set_parent: phantom field_1\n"
    assert step(tmp_path, chain + other + move).placements["field_1"].translation[0] == 0
    assert step(tmp_path, chain + "set_parent: room field_1\n" + move).placements["field_1"].translation[0] == 0
    # Turned round, the daughter is the mother.
    assert (
        step(tmp_path, chain + "set_parent: room RS\nset_parent: field_1 gantry\n" + move)
        .placements["RS"]
        .translation[0]
        == 0
    )


def test_loops_and_daughters_named_beside_their_mother_are_refused(tmp_path: Path) -> None:
    assert "its own mother" in problems(tmp_path, "set_parent: RS RS")[0]
    assert (
        "its own mother"
        in problems(tmp_path, "set_parent: gantry RS\nset_parent: RS field_1\nset_parent: field_1 gantry")[0]
    )
    (one,) = problems(tmp_path, "set_parent: gantry RS\ntransform: gantry RS shift_by 1 0 0")
    assert "moves with its mother" in one and one.endswith("line 12.")


def test_slots_keep_placement_and_activity_and_not_mothers(tmp_path: Path) -> None:
    text = """deactivate: RS
save_regions: 3
set_parent: gantry field_1
transform: phantom gantry shift_by 1 0 0
activate: RS
deactivate: phantom
save_regions: 9
restore: 3
transform: gantry shift_by 2 0 0
"""
    one = step(tmp_path, text)
    assert one.active == {"phantom", "gantry", "field_1", "field_2"}
    assert one.placements["phantom"].translation[0] == 10
    assert one.placements["field_1"].translation[0] == 20
    one = step(tmp_path, text + "restore: 9")
    assert one.active == {"RS", "gantry", "field_1", "field_2"}
    assert (one.placements["phantom"].translation[0], one.placements["field_1"].translation[0]) == (20, 10)


def test_activity(tmp_path: Path) -> None:
    one = step(tmp_path, "deactivate: all\nactivate: field_1, phantom\ndeliver: field_1")
    assert one.active == {"field_1", "phantom"}
    one = step(tmp_path, "group: g RS gantry\ndeactivate: g\nactivate: RS")
    assert one.active == {"phantom", "RS", "field_1", "field_2"}


MOTIONS = st.tuples(
    st.sampled_from(["phantom", "RS", "gantry"]),
    st.sampled_from(["x", "y", "z", "[1,2,3]"]),
    st.integers(-180, 180),
    st.sampled_from(["", "self", "RS", "field_2"]),
)


@settings(max_examples=40, deadline=3000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MOTIONS, min_size=1, max_size=6))
def test_motions_made_backwards_lead_back(tmp_path: Path, motions: list[tuple[str, str, int, str]]) -> None:
    there = [f"transform: {name} rotate {axis} {angle} {frame}" for name, axis, angle, frame in motions]
    back = [f"transform: {name} rotate {axis} {-angle} {frame}" for name, axis, angle, frame in reversed(motions)]
    one = step(tmp_path, "\n".join(there + back))
    start = step(tmp_path, "")
    for name, placement in start.placements.items():
        assert np.allclose(one.placements[name].translation, placement.translation, atol=1e-6)
        assert np.allclose(one.placements[name].rotation, placement.rotation, atol=1e-9)
