"""Modules refuse what cannot be built, with the numbers and the rule."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dosewright.core import tip_place
from dosewright.core.errors import InputError
from dosewright.core.matter import Material
from dosewright.core.modules import MODULES, Jaws, LeafPair, LeafProfile, Mlc, RangeModulator, Tip
from dosewright.core.openings import DeviceOpening
from dosewright.core.outline import extent_at, fault_of
from dosewright.core.passive_modules import (
    Aperture,
    Applicator,
    Block,
    Compensator,
    ConvergingCollimator,
    Frame,
    RangeShifter,
    Snout,
    Wedge,
)

TUNGSTEN = Material("tungsten", 19.3, {74: 1.0})
ROUND = Tip("ROUND", radius_mm=100.0, half_value_mm=12.0)
JAWS = Jaws(
    "jaw", "X", ROUND, (60.0, 100.0, 39.0), 1000.0, 680.0, 0.0, -50.0, 50.0, TUNGSTEN, where="head.geom, line 12"
)
RECTANGLE = ((0.0, -2.5), (0.0, 2.5), (-70.0, 2.5), (-70.0, -2.5))
LEAF = LeafProfile("LEAF", RECTANGLE)
MLC = Mlc(
    "mlc", True, "X", ROUND, 75.0, 1000.0, 0.0, 0.0, 600.0, -35.0, 0.1, -5.0,
    (LEAF,), (LeafPair(1, -20.0, 20.0), LeafPair(1, -20.0, 20.0)), TUNGSTEN, where="head.geom, line 40",
)  # fmt: skip
WHEEL = RangeModulator("wheel", 42.5, 85.0, 300.0, 4, (6.5, 11.0), (0.2, 0.3), TUNGSTEN, where="w.toml, line 2")
SQUARE = ((0.0, 0.0), (5.0, 0.0), (5.0, 5.0), (0.0, 5.0))
APERTURE = Aperture("ap", (20.0, 20.0), 10.0, (0.0, 0.0, 0.0), (SQUARE,), TUNGSTEN)
SHIFTER = RangeShifter("rs", (20.0, 20.0), 10.0, (0.0, 0.0, 0.0), TUNGSTEN)
SNOUT = Snout("snout", (20.0, 20.0), (10.0, 10.0), 30.0, (0.0, 0.0, 0.0), TUNGSTEN)
COMPENSATOR = Compensator("comp", ((1.0, 2.0), (3.0, 4.0)), (5.0, 5.0), (0.0, 0.0), 100.0, TUNGSTEN)
WEDGE = Wedge("wedge", "X", ((-50.0, 0.0), (50.0, 30.0)), 100.0, 400.0, TUNGSTEN)
BLOCK = Block("block", SQUARE, 350.0, 80.0, TUNGSTEN, hole_in_mm=(100.0, 100.0))
FRAME = Frame(100.0, 10.0, (100.0, 100.0), (50.0, 50.0))
APPLICATOR = Applicator("cone", (FRAME, replace(FRAME, z_mm=200.0)), TUNGSTEN)
MULTI = ConvergingCollimator("multi", 3, 5, (6.0, 8.0), 2.0, 50.0, 300.0, (60.0, 60.0), (0.0, 0.0, 0.0), TUNGSTEN)
NAN = float("nan")

WRONG: list[tuple[Callable[[], Any], str]] = [
    # Tips
    (lambda: Tip("RUOND"), "Unknown kind of tip. Did you mean 'ROUND'?"),
    (lambda: Tip("ROUND"), "radius must be positive, and is 0 mm"),
    (lambda: Tip("ROUND", radius_mm=80.0, half_value_mm=-1.0), "half-value layer must not be negative, and is -1 mm"),
    (lambda: Tip("STRAIGHT"), "radius of its movement must be positive, and is 0 mm"),
    (lambda: Tip("STRAIGHT", travel_radius_mm=300.0, half_value_mm=7.0), "has no half-value layer, but 7 mm is given"),
    (lambda: Tip("ROUND_DISP_POSFILE", radius_mm=80.0, half_value_mm=70.0), "has no half-value layer, but 70 mm"),
    (lambda: Tip("ROUND_DISP_POSFILE", radius_mm=80.0), "needs two or more rows, and has 0"),
    (
        lambda: Tip("ROUND_DISP_POSFILE", radius_mm=80.0, positions_mm=((0.0, 0.0), (0.0, 1.0))),
        "must ascend, and go from 0, 0 to 0, 1 mm",
    ),
    (lambda: Tip("ROUND", radius_mm=NAN), "radius_mm must be finite"),
    # Jaws
    (lambda: replace(JAWS, orientation="Z"), "orientation must be X or Y, and is 'Z'"),
    (lambda: replace(JAWS, beam=0), "the beam flies along z with -1 or +1, and 0 is given"),
    (lambda: replace(JAWS, half_size_mm=(60.0, 100.0, -39.0)), "half sizes must be positive, and are (60.0, 100.0, -3"),
    (lambda: replace(JAWS, negative_mm=20.0, positive_mm=-5.0), "openings cross: the negative edge is at 20 mm, the p"),
    (lambda: replace(JAWS, beam=1), "flies along +z, so the focus must lie before the isocentre plane; they are at z "),
    (lambda: replace(JAWS, focus_z_mm=700.0), "the focus, at z = 700 mm, must lie before the top, at z = 719 mm"),
    (lambda: replace(JAWS, tip=Tip("ROUND", radius_mm=30.0)), "does not reach the farther face of the leaf, 39 mm"),
    (
        lambda: replace(JAWS, tip=Tip("ROUND_DISP", radius_mm=100.0, centre_below_top_mm=80.0)),
        "the centre of the tip circle, at height 639 mm, must lie in the leaf, between 641 and 719 mm",
    ),
    (
        lambda: replace(JAWS, half_size_mm=(3.0, 100.0, 39.0)),
        "the tip circle goes 7.91851 mm back over the thickness of the leaf; the leaf must be longer than that, and is",
    ),
    (
        lambda: replace(JAWS, positive_mm=380.0),
        "the ray to the field edge 380 mm goes through the tip circle between heights 638.9",
    ),
    (
        lambda: replace(JAWS, tip=replace(ROUND, half_value_mm=70.0)),
        "goes through the tip circle between heights 640."),
    (lambda: replace(JAWS, tip=replace(ROUND, half_value_mm=200.0)), "is no chord of the tip circle of radius 100 mm"),
    (
        lambda: replace(JAWS, tip=Tip("ROUND", radius_mm=200.0), positive_mm=250.0),
        "touches the tip circle at height 631.493 mm, outside the leaf, which lies between 641 and 719 mm",
    ),
    (
        lambda: replace(JAWS, tip=Tip("STRAIGHT", travel_radius_mm=80.0)),
        "a leaf of 120 mm cannot move on a circle of 80 mm; at its top the radius is 41 mm",
    ),
    (lambda: replace(JAWS, centre_z_mm=float("inf")), "centre_z_mm must be finite, and is inf"),
    # Leaves
    (lambda: LeafProfile("BLADE", RECTANGLE), "Unknown kind of leaf. Given: BLADE. Allowed: LEAF, BLOCK"),
    (lambda: LeafProfile("LEAF", RECTANGLE[:2]), "it has 2 points and needs three or more"),
    (lambda: LeafProfile("LEAF", (RECTANGLE[0], *RECTANGLE)), "points 1 and 2 are the same, (0.0, -2.5)"),
    (lambda: LeafProfile("LEAF", tuple(RECTANGLE[k] for k in (0, 2, 1, 3))), "its sides 1 and 3 cross or touch"),
    (lambda: replace(MLC, pairs=()), "it needs a pair of leaves"),
    (lambda: replace(MLC, profiles=()), "it needs a leaf profile"),
    (lambda: replace(MLC, pairs=(LeafPair(1, 0, 0), LeafPair(3, 0, 0))), "pair 2 has profile 3, and there are 1 (coun"),
    (lambda: replace(MLC, half_length_mm=0.0), "half length of leaves must be positive, and is 0 mm"),
    (lambda: replace(MLC, cross_gap_mm=-0.1), "the gap between leaves must not be negative, and is -0.1 mm"),
    (lambda: replace(MLC, gap_z_mm=-80.0), "profile 1, between -70 and 0 mm from the top, has no width at the plane"),
    (lambda: replace(MLC, pairs=(LeafPair(1, 5.0, -5.0),)), "pair 1: openings cross: the negative edge is at 5 mm"),
    (lambda: replace(MLC, pairs=(LeafPair(1, -5.0, 500.0),)), "pair 1: the ray to the field edge 500 mm goes through"),
    (
        lambda: replace(MLC, profiles=(replace(LEAF, kind="BLOCK"),)),
        "pair 1 is a block, which has no opening, and is given one from -20 to 20 mm",
    ),
    # Wheels
    (lambda: replace(WHEEL, hub_inner_mm=85.0), "radii must ascend: hole, hub, blades; they are 85, 85 and 300 mm"),
    (lambda: replace(WHEEL, blades=0), "it needs a blade, and has 0"),
    (lambda: replace(WHEEL, weights=(0.2,)), "there are 2 thicknesses and 1 weights"),
    (lambda: replace(WHEEL, thickness_mm=(11.0, 6.5)), "must be positive and ascend, and go from 11 to 6.5 mm"),
    (lambda: replace(WHEEL, thickness_mm=(-1.0, 6.5)), "must be positive and ascend, and go from 0 to -1 mm"),
    (lambda: replace(WHEEL, weights=(0.7, 0.6)), "their sum must not exceed 1, and is 1.3"),
    (lambda: replace(WHEEL, weights=(0.0, 0.6)), "weights must be positive, and the smallest is 0"),
    # What does not move
    (lambda: replace(SHIFTER, thickness_mm=-2.0), "its thickness must be positive, and is -2 mm"),
    (lambda: replace(SHIFTER, size_mm=(20.0, 0.0)), "its sizes must be positive, and are 20 and 0 mm"),
    (lambda: replace(SHIFTER, size_mm=(20.0, 30.0), round=True), "it is round, so both sizes are its diameter"),
    (lambda: replace(SNOUT, opening_mm=(20.0, 10.0)), "its opening, 20 by 10 mm, must be smaller than its outside, 20"),
    (lambda: replace(SNOUT, opening_mm=(-1.0, 10.0)), "its opening must be positive, and is -1 by 10 mm"),
    (lambda: replace(APERTURE, holes_mm=()), "it needs a hole"),
    (lambda: replace(APERTURE, holes_mm=(SQUARE[:2],)), "hole 1 is no outline: it has 2 points"),
    (lambda: replace(APERTURE, size_mm=(8.0, 20.0)), "hole 1 reaches 5, 0 mm, outside the plate of 8 by 20 mm"),
    (lambda: replace(APERTURE, size_mm=(14.0, 14.0), round=True), "hole 1 reaches 5, 5 mm, outside the plate"),
    (lambda: replace(COMPENSATOR, thickness_mm=((1.0,), (1.0, 2.0))), "same number of columns, one or more; they have"),
    (lambda: replace(COMPENSATOR, thickness_mm=((1.0, -2.0),)), "must not be negative, nor all zero; they go from -2 "),
    (lambda: replace(COMPENSATOR, pitch_mm=(0.0, 1.0)), "columns need positive widths, and have (0.0, 1.0) mm"),
    (lambda: replace(WEDGE, profile_mm=((0.0, 1.0),)), "its profile needs two or more rows, and has 1"),
    (lambda: replace(WEDGE, profile_mm=((0.0, 1.0), (0.0, 2.0))), "must ascend, and go from 0 to 0 mm"),
    (lambda: replace(WEDGE, profile_mm=((0.0, 1.0), (9.0, -2.0))), "they go from -2 to 1 mm"),
    (lambda: replace(WEDGE, profile_mm=((0.0, 0.0), (9.0, 0.0), (10.0, 1.0))), "have no thickness; leave the first ou"),
    (lambda: replace(WEDGE, width_mm=0.0), "its width must be positive, and is 0 mm"),
    (lambda: replace(BLOCK, thickness_mm=0.0), "its thickness must be positive, and is 0 mm"),
    (lambda: replace(BLOCK, focus_z_mm=300.0), "before the top and the isocentre plane; they are at z = 300, 350 and "),
    (lambda: replace(BLOCK, hole_in_mm=(7.0, 100.0)), "outside the plate of 7 by 100 mm"),
    (lambda: replace(APPLICATOR, frames=()), "it needs a frame"),
    (lambda: replace(APPLICATOR, frames=(FRAME, FRAME)), "the frames at z = 100 and 100 mm overlap"),
    (lambda: replace(APPLICATOR, frames=(replace(FRAME, thickness_mm=-1.0),)), "frame 1: its thickness must be positi"),
    (lambda: replace(MULTI, rows=0), "it needs rows and columns of holes, and has 0 and 5"),
    (lambda: replace(MULTI, hole_mm=6.0), "its holes overlap at the downstream face: 6.005 mm wide along x, their mid"),
    (lambda: replace(MULTI, entrance_mm=8.0), "its holes overlap at the upstream face"),
    (lambda: replace(MULTI, size_mm=(25.0, 60.0)), "its holes need 30 mm along x, and the plate has 25 mm"),
    (lambda: replace(MULTI, focus_mm=-1.0), "the distance of the focus must be positive"),
    # Openings of a plan
    (lambda: DeviceOpening("IRIS", (0.0,), (1.0,)), "kind of device is unknown; it must be one of X, Y, ASYMX"),
    (lambda: DeviceOpening("X", (0.0, 1.0), (1.0, 2.0)), "jaws are one pair, and 2 are given"),
    (lambda: DeviceOpening("MLCX", (0.0,), (1.0, 2.0), (0.0, 1.0)), "there are 1 positions on the negative side and 2"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_cannot_be_built_is_refused(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(InputError) as told:
        make()
    assert said in str(told.value)


def test_messages_say_where_and_all_problems_together() -> None:
    with pytest.raises(InputError) as told:
        replace(JAWS, orientation="Z", half_size_mm=(0.0, 1.0, 1.0))
    assert len(told.value.problems) == 2
    assert all("'jaw'" in problem and "Where: head.geom, line 12." in problem for problem in told.value.problems)
    with pytest.raises(InputError) as told:
        replace(MLC, pairs=(LeafPair(1, 5.0, -5.0), LeafPair(1, 0.0, 0.0), LeafPair(1, 7.0, 6.0)))
    assert [problem.split(":")[1].strip() for problem in told.value.problems] == ["pair 1", "pair 3"]


def test_words_name_modules() -> None:
    assert MODULES["jaws"] is Jaws
    assert MODULES["mlc"] is Mlc
    assert MODULES["range_modulator"] is RangeModulator
    assert len(set(MODULES.values())) == len(MODULES)


def test_the_tip_on_the_axis_and_off_it() -> None:
    """At opening 0 a tangent tip ends on the axis; farther out its centre moves by more than the projected edge."""
    assert tip_place.circle_centre(0.0, 1000.0, 680.0, 80.0, 0.0) == 80.0
    s = tip_place.slope(100.0, 1000.0, 0.0)
    assert tip_place.circle_centre(s, 1000.0, 680.0, 80.0, 0.0) - 80.0 > 100.0 * 0.32
    assert tip_place.circle_centre(s, 1000.0, 680.0, 80.0, 12.0) == pytest.approx(32.0 + 79.774682 * 1.004987562)
    low, high = tip_place.chord_heights(s, 680.0, 80.0, 12.0)
    assert (high - low) * 1.004987562 == pytest.approx(12.0)
    assert tip_place.on_circle(s, 1000.0, 1000.0, 320.0) == pytest.approx((31.841191, 681.588088))


def test_outlines() -> None:
    assert fault_of(SQUARE) == ""
    assert fault_of(((0.0, 0.0), (1.0, 1.0), (2.0, 2.0))) == "it holds no area"
    assert extent_at(RECTANGLE, -35.0) == (-2.5, 2.5)
    assert extent_at(RECTANGLE, 0.0) == (-2.5, 2.5)
    assert extent_at(RECTANGLE, 1.0) is None
