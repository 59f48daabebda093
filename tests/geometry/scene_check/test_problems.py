"""Overlaps, protrusions, broken trees of parts: what is found, where, and what is none."""

import re
from dataclasses import replace
from time import process_time

import numpy as np
import pytest

from dosewright.commissioning.mlc_designs import mlc_design
from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.modules import LeafPair
from dosewright.core.scene import Part
from dosewright.core.shapes import Difference, Placement, Shape, Sphere
from dosewright.core.solids import Box, Prism, Tube
from dosewright.geometry.modules.build import parts_of
from dosewright.geometry.scene_check.chords import Rays
from dosewright.geometry.scene_check.closest import parallel_gaps
from dosewright.geometry.scene_check.families import overlaps
from dosewright.geometry.scene_check.pairs import chord_here
from dosewright.geometry.scene_check.placed import place
from dosewright.geometry.scene_check.problems import scene_problems
from dosewright.geometry.scene_check.rays import WAYS


def part(name: str, shape: Shape, centre: tuple[float, float, float] = (0.0, 0.0, 0.0), turn: object = None,
         parent: str | None = None, turns: bool = False) -> Part:  # fmt: skip
    rotation = np.eye(3) if turn is None else turn
    return Part(name, shape, None, Placement(centre, rotation), parent, turns=turns)  # type: ignore[arg-type]


def point_of(told: str) -> np.ndarray:
    found = re.search(r"\(([^()]*)\) mm", told)
    assert found is not None, told
    return np.array([float(x) for x in found[1].split(",")])


def inside(parts: list[Part], name: str, at: np.ndarray) -> bool:
    placed = next(p for p in place(parts)[0] if p.name == name)
    rays = Rays(np.tile(at, (len(WAYS), 1)), WAYS)
    return bool((chord_here(placed.chords(rays, np.zeros(len(WAYS)))) > 0).all())


def leaves(overlap_mm: float, tilt_deg: float = 0.0) -> list[Part]:
    """Leaves with a tongue and a groove, side by side along y, overlapping or (negative) apart."""
    step = [(0.0, -40.0), (2.5, -40.0), (2.5, 0.0), (2.9, 0.0), (2.9, 40.0), (0.4, 40.0), (0.4, 0.0), (0.0, 0.0)]
    turn = rotation_about("x", tilt_deg) @ np.array([(0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])
    pitch = (2.5 - overlap_mm) * np.array([0.0, np.cos(np.deg2rad(tilt_deg)), np.sin(np.deg2rad(tilt_deg))])
    outline = np.array(step)
    return [part(f"leaf {n + 1}", Prism(outline, 150.0), tuple((n * pitch).tolist()), turn) for n in range(10)]


@pytest.mark.parametrize("tilt", [0.0, 7.3])
@pytest.mark.parametrize("overlap", [0.01, 0.003])
def test_thin_overlaps_of_leaves_are_found_with_a_point_inside_both(overlap: float, tilt: float) -> None:
    parts = leaves(overlap, tilt)
    told = scene_problems(parts)
    assert len(told) == 9
    assert "The parts 'leaf 1' and 'leaf 2' overlap" in "".join(told)
    for one in told:
        names = re.findall(r"'(leaf \d+)'", one)
        at = point_of(one)
        assert all(inside(parts, name, at) for name in names[:2]), one


@pytest.mark.parametrize("tilt", [0.0, 7.3])
@pytest.mark.parametrize("apart", [0.0, 0.05])
def test_leaves_that_touch_or_stand_apart_are_right(apart: float, tilt: float) -> None:
    assert scene_problems(leaves(-apart, tilt)) == ()


def test_a_corner_that_reaches_in_is_found() -> None:
    """The corner of a turned box, 0.02 mm deep, in a face of 200 mm x 200 mm."""
    turn = rotation_about("x", 45.0) @ rotation_about("z", np.degrees(np.arctan(np.sqrt(0.5))))
    corner = float((np.abs(turn[0])).sum() * 10.0)
    parts = [
        part("wall", Box((20.0, 200.0, 200.0))),
        part("dice", Box((20.0,) * 3), (10 + corner - 0.02, 31.0, -7.0), turn),
    ]
    told = scene_problems(parts)
    assert len(told) == 1
    assert inside(parts, "wall", point_of(told[0])) and inside(parts, "dice", point_of(told[0]))
    assert scene_problems([parts[0], replace(parts[1], placement=Placement((10 + corner, 31.0, -7.0), turn))]) == ()


def test_crossed_bars_and_equal_boxes_overlap() -> None:
    assert len(scene_problems([part("a", Box((100.0, 5.0, 5.0))), part("b", Box((5.0, 100.0, 5.0)))])) == 1
    assert len(scene_problems([part("a", Box((10.0,) * 3)), part("b", Box((10.0,) * 3))])) == 1


def test_balls_that_overlap_a_little_are_found_by_closing_in() -> None:
    centre = (60.0, 60.0, float(np.sqrt(2800.0)) - 0.01)
    placed, _ = place([part("a", Sphere(50.0)), part("b", Sphere(50.0), centre)])
    found = overlaps(placed, closer=True)
    assert [(one.first, one.second) for one in found] == [("a", "b")]
    assert 0.004 < found[0].thickness_mm < 0.0054  # the lens is 0.0053 mm thick
    apart, _ = place([part("a", Sphere(50.0)), part("b", Sphere(50.0), (60.0, 60.0, centre[2] + 0.01))])
    assert overlaps(apart, closer=True) == []


def test_a_ball_in_a_hollow_of_its_size_touches_only() -> None:
    hollow = Difference(Box((60.0, 60.0, 60.0)), Sphere(20.0), Placement((1.0, 2.0, 3.0)))
    turn = rotation_about("y", 33.0)
    place_of_ball = tuple((turn @ np.array([1.0, 2.0, 3.0])).tolist())
    assert scene_problems([part("shell", hollow, turn=turn), part("ball", Sphere(20.0), place_of_ball)]) == ()
    told = scene_problems([part("shell", hollow, turn=turn), part("ball", Sphere(20.01), place_of_ball)])
    assert len(told) == 1


def test_children_that_reach_out_are_told_with_a_point() -> None:
    parts = [
        part("tank", Box((100.0,) * 3), (0.0, 0.0, 50.0)),
        part("rod", Tube(5.0, 100.01), (30.0, 0.0, 0.0), parent="tank"),
    ]
    told = scene_problems(parts)
    assert len(told) == 1
    assert told[0].startswith("The part 'rod' reaches out of 'tank', in which it lies: the point (")
    at = point_of(told[0])
    assert inside(parts, "rod", at) and not inside(parts, "tank", at)
    assert scene_problems([parts[0], part("rod", Tube(5.0, 100.0), (30.0, 0.0, 0.0), parent="tank")]) == ()


def test_a_child_in_a_hole_of_its_parent_reaches_out() -> None:
    holed = Difference(Box((100.0,) * 3), Tube(0.5, 200.0), Placement((17.0, 9.0, 0.0)))
    told = scene_problems([part("block", holed), part("slab", Box((80.0, 80.0, 2.0)), parent="block")])
    assert len(told) == 1
    assert point_of(told[0])[:2] == pytest.approx([17.0, 9.0], abs=0.5)


def test_what_turns_is_looked_at_in_every_phase() -> None:
    wheel = [
        part("wheel", Tube(50.0, 10.0), turns=True),
        part("blade", Box((40.0, 4.0, 10.0)), (25.0, 0.0, 0.0), parent="wheel"),
    ]
    assert scene_problems(wheel) == ()
    stop = part("stop", Box((4.0, 4.0, 4.0)), (-44.0, 0.0, 6.9))
    assert len(scene_problems([*wheel, stop])) == 1  # the wheel itself
    arm = [part("arm", Box((80.0, 4.0, 10.0)), turns=True), part("post", Box((4.0, 4.0, 10.0)), (0.0, 41.0, 0.0))]
    told = scene_problems(arm)
    assert len(told) == 1
    assert "turned by" in told[0]
    assert scene_problems([arm[0], part("post", Box((4.0, 4.0, 10.0)), (0.0, 42.2, 0.0))]) == ()


def test_boxes_of_parts_are_tight() -> None:
    turn = rotation_about("y", 30.0)
    rod, ball = part("rod", Tube(3.0, 40.0), (1.0, 2.0, 3.0), turn), part("ball", Sphere(5.0), turn=turn)
    wheel = part("wheel", Tube(50.0, 8.0, 0.0, 10.0, 30.0), (0.0, 0.0, 9.0), turns=True)
    blade = part("blade", Box((20.0, 2.0, 6.0)), (30.0, 0.0, 0.0), parent="wheel")
    placed, _ = place([rod, ball, wheel, blade])
    reach = 20 * np.sin(np.pi / 6) + 3 * np.cos(np.pi / 6)
    assert placed[0].high == pytest.approx([1 + reach, 5.0, 3 + 20 * np.cos(np.pi / 6) + 3 * np.sin(np.pi / 6)])
    assert placed[1].low == pytest.approx([-5.0] * 3)
    assert placed[2].high == pytest.approx([50.0, 50.0, 13.0], rel=0.002)
    assert placed[3].high == pytest.approx([np.hypot(40.0, 1.0)] * 2 + [12.0], rel=0.002)
    assert (placed[3].high >= [np.hypot(40.0, 1.0)] * 2 + [12.0]).all()


def test_what_turns_does_not_turn_in_what_turns() -> None:
    told = scene_problems([part("a", Tube(9.0, 9.0), turns=True), part("b", Tube(1.0, 1.0), parent="a", turns=True)])
    assert told == ("The part 'b' turns in 'a', which turns itself.",)


def test_broken_trees_are_told_together() -> None:
    box = Box((1.0, 1.0, 1.0))
    loop = [part("a", box, parent="b"), part("b", box, parent="a")]
    told = scene_problems([part("tank", box), part("rod", box, parent="tnk"), *loop, part("tank", box)])
    assert told[0] == "Two parts or modules have the same name. Given: 'tank'."
    assert told[1].startswith("'rod' lies in a part that is not there. Did you mean 'tank'? Given: 'tnk'.")
    assert told[2] == "Parts lie in each other in a circle. Given: a in b in a."
    assert len(told) == 3


def test_parts_hold_all_voxels_or_none() -> None:
    corners = ((-50.0, -50.0, 0.0), (50.0, 50.0, 100.0))
    to_box = Rigid(rotation_about("x", 180.0), np.zeros(3))  # the box lies at negative z of the scene
    room = part("room", Box((400.0,) * 3))
    cone = part("applicator", Tube(60.0, 20.0, 55.0), (0.0, 0.0, 12.0))
    assert scene_problems([room, replace(cone, parent="room")], corners, to_box) == ()
    low = replace(cone, parent="room", shape=Tube(60.0, 24.2, 45.0))
    told = scene_problems([room, low], corners, to_box)
    assert len(told) == 1
    assert told[0].startswith("The part 'applicator' reaches into the box of voxels")
    assert -0.1 < point_of(told[0])[2] < 0.0


def test_gaps_with_parallel_sides_are_told_but_not_wedges_and_tangents() -> None:
    placed, _ = place(leaves(-0.05, 7.3))
    found = parallel_gaps(placed, 0.5)
    assert len(found) == 9
    assert [gap.width_mm for gap in found] == pytest.approx([0.05] * 9, rel=0.03)
    touching, _ = place([part("a", Sphere(50.0)), part("b", Sphere(50.0), (100.0, 0.0, 0.0))])
    assert parallel_gaps(touching, 0.5) == []
    target, _ = place([part("tank", Box((100.0,) * 3)), part("core", Box((99.9, 99.9, 90.0)), parent="tank")])
    assert [gap.width_mm for gap in parallel_gaps(target, 0.5)] == pytest.approx([0.05])


def test_a_head_with_160_leaves_is_looked_at_quickly() -> None:
    module = mlc_design("generic_80")
    pairs = tuple(LeafPair(pair.profile, -50.0, 50.0 - 0.4 * n) for n, pair in enumerate(module.pairs))
    parts = parts_of(replace(module, pairs=pairs))
    assert len(parts) == 160
    begun = process_time()
    assert scene_problems(parts) == ()
    assert process_time() - begun < 2.0
