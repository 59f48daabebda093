"""Leaves: where they lie across and along, by exact rays from the focus."""

from dataclasses import replace
from itertools import pairwise
from math import hypot

import numpy as np
import pytest
from tests.geometry.modules.rays import length_in, spans_in

from dosewright.core.frame import Rigid
from dosewright.core.matter import Material
from dosewright.core.modules import LeafPair, LeafProfile, Mlc, Tip
from dosewright.core.scene import Part
from dosewright.geometry.modules.build import assumptions_of, parts_of
from dosewright.geometry.scene.batch import path_lengths
from dosewright.geometry.scene.pack import pack_scene

TUNGSTEN = Material("tungsten alloy", 17.5, {74: 0.95, 28: 0.05})
PLAIN = LeafProfile("LEAF", ((0.0, -2.5), (0.0, 2.5), (-70.0, 2.5), (-70.0, -2.5)))
STEPPED = LeafProfile(  # a tongue on the positive side and a groove for it on the negative one
    "LEAF",
    ((0.0, -2.5), (0.0, 2.5), (-30.0, 2.5), (-30.0, 3.0), (-40.0, 3.0), (-40.0, 2.5), (-70.0, 2.5), (-70.0, -2.5),
     (-42.0, -2.5), (-42.0, -1.9), (-28.0, -1.9), (-28.0, -2.5)),
)  # fmt: skip
TIPS = {
    "STRAIGHT": Tip("STRAIGHT", travel_radius_mm=435.0),
    "STRAIGHT on another circle": Tip("STRAIGHT", travel_radius_mm=420.0),
    "STRAIGHT_HORIZ": Tip("STRAIGHT_HORIZ"),
    "ROUND": Tip("ROUND", radius_mm=80.0, half_value_mm=14.0),
    "ROUND, light": Tip("ROUND", radius_mm=80.0),
    "ROUND, larger than the leaf": Tip("ROUND", radius_mm=160.0, half_value_mm=14.0),
    "ROUND_DISP": Tip("ROUND_DISP", radius_mm=160.0, centre_below_top_mm=30.0, half_value_mm=14.0),
}
OPENINGS = ((-20.0, 30.0), (-150.0, 150.0), (10.0, 60.0), (-80.0, -10.0), (-5.0, 5.0))


def mlc(
    tip: Tip = TIPS["ROUND"],
    orientation: str = "X",
    beam: int = -1,
    openings: tuple[tuple[float, float], ...] = OPENINGS,
    profile: LeafProfile = PLAIN,
    focused: bool = True,
    cross_focus: float = 4.0,
) -> Mlc:
    """Five pairs of leaves 5 mm wide, 0.1 mm apart at half their height; the top is 400 mm from a focus at 1000 mm."""
    return Mlc(
        "leaf", focused, orientation, tip, 75.0, -1000.0 * beam, cross_focus, 0.0, -600.0 * beam, -35.0, 0.1, -12.7,
        (profile,), tuple(LeafPair(1, *edges) for edges in openings), TUNGSTEN, beam=beam,
    )  # fmt: skip


def named(module: Mlc) -> dict[str, Part]:
    return {part.name: part for part in parts_of(module)}


def middle_of(module: Mlc, k: int) -> float:
    """Where the ray from the focus through the middle of a leaf (from 1) meets the isocentre plane, across."""
    low, high = module.sides_mm()[k - 1]
    f = module.cross_focus_mm
    return f + (0.5 * (low + high) - f) * 1000.0 / 435.0


def ray(module: Mlc, edge: float, cross: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    f = module.cross_focus_mm
    start, end = ((0.0, f), (edge, cross)) if module.orientation == "X" else ((f, 0.0), (cross, edge))
    return (*start, module.focus_z_mm), (*end, module.isocentre_z_mm)


def gaps_of(module: Mlc) -> list[float]:
    """Where the middles of the gaps, at the plane that defines them, are seen at the isocentre plane."""
    f, scale = module.cross_focus_mm, 1000.0 / (400.0 - module.gap_z_mm)
    sides = module.sides_mm()
    return [f + (0.5 * (a[1] + b[0]) - f) * scale for a, b in pairwise(sides)]


def bowed(module: Mlc, edge: float, cross: float) -> float:
    """Where a wall that is seen across at the edge 0 is seen at another edge: walls of revolved leaves are cones."""
    if module.tip.kind != "STRAIGHT":
        return cross
    return module.cross_focus_mm + (cross - module.cross_focus_mm) * hypot(edge, 1000.0) / 1000.0


@pytest.mark.parametrize(("orientation", "beam"), [("X", -1), ("X", 1), ("Y", -1), ("Y", 1)])
@pytest.mark.parametrize("name", TIPS)
def test_edges_are_projected_where_they_should_be(name: str, orientation: str, beam: int) -> None:
    module = mlc(TIPS[name], orientation, beam)
    parts = named(module)
    chord = module.tip.half_value_mm
    for k, edges in enumerate(OPENINGS, 1):
        cross = middle_of(module, k)
        for word, edge, outward in zip(("negative", "positive"), edges, (-1.0, 1.0), strict=True):
            leaf = parts[f"leaf_{k}_{word}"]
            inside, at, outside = (
                length_in([leaf], *ray(module, edge + outward * d, cross)) for d in (-1e-3, 0.0, 1e-3)
            )
            longer = hypot(hypot(edge, cross - module.cross_focus_mm), 1000.0) / hypot(edge, 1000.0)
            if chord:
                assert at == pytest.approx(chord * longer, rel=1e-6)
                assert inside < at < outside
            else:
                assert inside == 0.0
                assert outside > (0.1 if name.startswith("ROUND") else 69.0)


@pytest.mark.parametrize("name", [name for name in TIPS if name != "STRAIGHT on another circle"])
@pytest.mark.parametrize("beam", [-1, 1])
def test_sides_of_focused_leaves_point_at_the_focus(name: str, beam: int) -> None:
    """A ray in a gap goes past both leaves over their whole height, one beside it through a whole leaf."""
    openings = ((-30.0, 30.0), (-60.0, 20.0), (0.0, 90.0), (-90.0, -50.0), (40.0, 60.0))
    module = mlc(TIPS[name], beam=beam, openings=openings)
    parts = list(parts_of(module))
    for boundary in gaps_of(module):
        for share, shortest, longest in ((0.0, 0.0, 0.0), (0.499, 0.0, 0.0), (0.501, 69.0, 80.0)):
            for side in (-1.0, 1.0):
                across = boundary + side * share * 0.1 * 1000.0 / 435.0
                assert shortest <= length_in(parts, *ray(module, 130.0, bowed(module, 130.0, across))) <= longest


def test_leaves_follow_one_another_from_the_start() -> None:
    module = mlc()
    assert module.sides_mm() == pytest.approx(np.array([(-12.7 + 5.1 * k, -7.7 + 5.1 * k) for k in range(5)]))
    scale = 1000.0 / 435.0
    assert module.boundaries_mm() == pytest.approx([4.0 + (-12.75 + 5.1 * k - 4.0) * scale for k in range(6)])
    assert module.boundaries_mm()[1:-1] == pytest.approx(gaps_of(module))
    parts = named(module)
    assert list(parts)[:3] == ["leaf_1_negative", "leaf_1_positive", "leaf_2_negative"]
    for k, (low, high) in enumerate(module.sides_mm(), 1):
        line = ((140.0, -99.0, 565.0), (140.0, 99.0, 565.0))
        ((first, last),) = spans_in([parts[f"leaf_{k}_positive"]], *line) if k != 2 else ((low + 99.0, high + 99.0),)
        assert (first - 99.0, last - 99.0) == pytest.approx((low, high))


def test_unfocused_leaves_have_walls_along_the_axis() -> None:
    module = mlc(focused=False)
    low, high = module.sides_mm()[0]
    for v, length in ((low - 1e-6, 0.0), (low + 1e-6, 70.0), (high - 1e-6, 70.0), (high + 1e-6, 0.0)):
        assert length_in(parts_of(module), (140.0, v, 900.0), (140.0, v, 0.0)) == pytest.approx(length)


@pytest.mark.parametrize("name", ["ROUND", "STRAIGHT", "STRAIGHT_HORIZ"])
def test_tongues_stand_in_grooves(name: str) -> None:
    """A ray in the gap meets the tongue, but for its end; leaves do not overlap wherever they stand."""
    openings = ((-30.0, 30.0), (-60.0, 60.0), (-9.0, 9.0), (-60.0, -50.0), (-40.0, 60.0))
    module = replace(mlc(TIPS[name], profile=STEPPED, openings=openings, cross_focus=0.0), gap_z_mm=-60.0)
    parts = list(parts_of(module))
    for boundary in gaps_of(module):
        seen = length_in(parts, *ray(module, 110.0, bowed(module, 110.0, boundary)))
        aslant = hypot(110.0, 1000.0) / 1000.0
        # A revolved tongue lies between radii, a level one between heights.
        assert seen == pytest.approx(10.0 if name == "STRAIGHT" else 10.0 * aslant, rel=2e-3)
        for edge in (-110.0, 33.0, 110.0):
            line = ray(module, edge, boundary + 0.3)
            assert length_in(parts, *line) == pytest.approx(sum(length_in([part], *line) for part in parts))


@pytest.mark.parametrize("name", TIPS)
def test_what_rays_go_through_is_what_the_tables_of_the_scene_say(name: str) -> None:
    """The same path in every leaf from the packed scene and from the shapes themselves; no leaf overlaps another."""
    parts = parts_of(replace(mlc(TIPS[name], profile=STEPPED), gap_z_mm=-60.0))
    packed = pack_scene(parts, (0, 0.0), {}, None, Rigid.identity())
    rng = np.random.default_rng(5)
    for _ in range(25):
        p = np.array([*rng.uniform(-200, 200, 2), 900.0])
        q = np.array([*rng.uniform(-150, 150, 1), *rng.uniform(-13, 13, 1), 565.0])
        u = (q - p) / np.linalg.norm(q - p)
        found, crossings = np.zeros(len(parts) + 1), np.zeros(1, np.int64)
        path_lengths(packed.tables, np.array([[*(p / 10.0), *u]]), 500.0, 0.0, found, crossings)
        wanted = [length_in([part], p, q) / 10.0 for part in parts]
        assert found[:-1] == pytest.approx(np.array(wanted), abs=2e-7)


def test_leaves_are_as_long_as_they_should_be() -> None:
    for name, tip in TIPS.items():
        module = mlc(tip, openings=((-20.0, 20.0),) * 5)
        line = ((-900.0, 0.0, 565.0), (900.0, 0.0, 565.0))
        if not name.startswith("ROUND_DISP") and not name.startswith("STRAIGHT"):
            assert length_in(parts_of(module), *line) == pytest.approx(300.0)
    module = mlc(TIPS["STRAIGHT"], openings=((0.0, 0.0),) * 5)
    leaf = named(module)["leaf_3_positive"]
    arc = np.linspace(0.0, 150.0 / 400.0, 201)[1:-1]  # the length is that of the arc at the top
    for angle, held in [(a, True) for a in arc] + [(-0.001, False), (150.0 / 400.0 + 0.001, False)]:
        towards = np.array([np.sin(angle), 0.0, -np.cos(angle)])
        seen = length_in([leaf], (0.0, 0.0, 1000.0), np.array([0.0, 0.0, 1000.0]) + towards)
        assert seen == pytest.approx(70.0 if held else 0.0)


def test_a_block_fills_the_travel() -> None:
    wall = replace(PLAIN, kind="BLOCK")
    module = replace(mlc(), profiles=(PLAIN, wall), pairs=(LeafPair(2, 0.0, 0.0), LeafPair(1, -20.0, 20.0)))
    parts = named(module)
    assert list(parts) == ["leaf_1_block", "leaf_2_negative", "leaf_2_positive"]
    at = module.sides_mm()[0][0] + 2.5
    assert length_in([parts["leaf_1_block"]], (-999.0, at, 565.0), (999.0, at, 565.0)) == pytest.approx(300.0)


def test_closed_leaves_touch_and_that_is_said() -> None:
    module = mlc(openings=((0.0, 0.0), (-20.0, 20.0), (0.0, 0.1), (30.0, 30.0), (0.0, 60.0)))
    (said,) = assumptions_of(module)
    apart = 80.0 - np.sqrt(80.0**2 - 7.0**2)
    assert said == (f"MLC 'leaf': the leaves of 3 of 5 pairs touch, each up to {apart:.3g} mm farther out than asked.")
    assert assumptions_of(mlc(TIPS["STRAIGHT"], openings=((0.0, 0.0),) * 5)) == ()
