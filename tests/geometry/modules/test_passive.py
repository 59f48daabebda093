"""Wheels, plates, wedges, blocks, applicators and converging collimators by exact rays."""

from dataclasses import replace
from itertools import product
from math import hypot

import numpy as np
import pytest
from tests.geometry.modules.rays import length_in

from dosewright.core.errors import InputError
from dosewright.core.matter import Material
from dosewright.core.modules import MODULES, RangeModulator
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
from dosewright.core.scene import Part, Scene
from dosewright.core.solids import Box
from dosewright.geometry.modules.build import BUILDERS, all_parts, parts_of

BRASS = Material("brass", 8.5, {29: 0.615, 30: 0.352, 82: 0.033})
ELL = ((-10.0, -20.0), (30.0, -20.0), (30.0, 0.0), (5.0, 0.0), (5.0, 40.0), (-10.0, 40.0))
WHEEL = RangeModulator(  # the example of a published text: radii from diameters, four blades, about half open
    "wheel", 42.5, 85.0, 300.0, 4, (6.5, 11.0, 17.1, 22.3), (0.1811111, 0.12433333, 0.09644444, 0.0953889), BRASS,
    centre_mm=(200.0, 0.0, 50.0),
)  # fmt: skip


def along_z(parts: tuple[Part, ...], x: float, y: float) -> float:
    return length_in(parts, (x, y, 500.0), (x, y, -500.0))


def test_every_word_has_a_builder() -> None:
    assert set(MODULES.values()) == set(BUILDERS)
    for kind in MODULES.values():
        assert kind.__doc__


def test_a_wheel_shows_each_thickness_for_its_share_of_a_turn() -> None:
    """Paths along the axis at even steps of angle; on the hub always the largest thickness, in its hole none."""
    parts = parts_of(WHEEL)
    assert [part.name for part in parts] == ["wheel"]
    assert parts[0].turns
    angles = (np.arange(1000) + 0.5) * 0.5 * np.pi / 1000
    seen = np.array([along_z(parts, 200.0 + 150.0 * np.cos(a), 150.0 * np.sin(a)) for a in angles])
    for turn, k in product((0.5 * np.pi, np.pi, 1.5 * np.pi), range(3, 1000, 41)):  # the blades are alike
        x, y = 200.0 + 150.0 * np.cos(angles[k] + turn), 150.0 * np.sin(angles[k] + turn)
        assert along_z(parts, x, y) == pytest.approx(seen[k])
    for thickness, weight in zip(WHEEL.thickness_mm, WHEEL.weights, strict=True):
        assert np.mean(np.isclose(seen, thickness)) == pytest.approx(weight, abs=1.1 / 1000)
    assert np.mean(seen == 0.0) == pytest.approx(1.0 - sum(WHEEL.weights), abs=1.1 / 1000)
    for angle in angles[::101]:
        x, y = np.cos(angle), np.sin(angle)
        assert along_z(parts, 200.0 + 60.0 * x, 60.0 * y) == pytest.approx(22.3)
        assert along_z(parts, 200.0 + 42.0 * x, 42.0 * y) == 0.0
        assert along_z(parts, 200.0 + 301.0 * x, 301.0 * y) == 0.0


def test_a_full_wheel_has_no_opening() -> None:
    full = replace(WHEEL, blades=1, weights=(0.25, 0.25, 0.25, 0.25), centre_mm=(0.0, 0.0, 0.0))
    shares = [along_z(parts_of(full), 150.0 * np.cos(a), 150.0 * np.sin(a)) for a in (0.1, 1.7, 3.3, 4.9)]
    assert shares == pytest.approx([22.3, 17.1, 11.0, 6.5])


def test_plates_and_tubes() -> None:
    shifter = parts_of(RangeShifter("rs", (200.0, 100.0), 40.0, (5.0, 0.0, 100.0), BRASS))
    assert along_z(shifter, 104.0, 49.0) == pytest.approx(40.0)
    assert along_z(shifter, 106.0, 0.0) == 0.0
    disc = parts_of(RangeShifter("rs", (100.0, 100.0), 40.0, (5.0, 0.0, 100.0), BRASS, round=True))
    assert along_z(disc, 54.0, 0.0) == pytest.approx(40.0)
    assert along_z(disc, 45.0, 40.0) == 0.0
    snout = parts_of(Snout("snout", (120.0, 120.0), (100.0, 100.0), 300.0, (0.0, 0.0, 50.0), BRASS, round=True))
    assert along_z(snout, 49.9, 0.0) == 0.0
    assert along_z(snout, 50.1, 0.0) == pytest.approx(300.0)


def test_an_aperture_is_open_where_its_outline_says() -> None:
    square = ((50.0, 50.0), (60.0, 50.0), (60.0, 60.0), (50.0, 60.0))
    parts = parts_of(Aperture("ap", (150.0, 150.0), 65.0, (3.0, 4.0, 80.0), (ELL, square), BRASS))
    assert [part.name for part in parts] == ["ap", "ap_hole_1", "ap_hole_2"]
    for x, y, thick in (
        (-9.9, -19.9, 0),
        (29.9, -0.1, 0),
        (29.9, 0.1, 65),
        (4.9, 39.9, 0),
        (5.1, 39.9, 65),
        (55, 55, 0),
    ):
        assert along_z(parts, x, y) == pytest.approx(thick)


def test_an_applicator_is_frames_with_openings() -> None:
    frames = (Frame(300.0, 10.0, (300.0, 300.0), (150.0, 120.0)), Frame(60.0, 20.0, (250.0, 250.0), (100.0, 80.0)))
    parts = parts_of(Applicator("cone", frames, BRASS))
    assert [part.name for part in parts][:2] == ["cone_frame_1", "cone_frame_1_opening"]
    for x, y, thick in (
        (49.0, 39.0, 0.0),
        (51.0, 39.0, 20.0),
        (74.0, 59.0, 20.0),
        (0.0, 61.0, 30.0),
        (140.0, 0.0, 10.0),
    ):
        assert along_z(parts, x, y) == pytest.approx(thick)


@pytest.mark.parametrize("beam", [-1, 1])
@pytest.mark.parametrize("orientation", ["X", "Y"])
def test_a_wedge_is_as_thick_as_its_profile(orientation: str, beam: int) -> None:
    wedge = Wedge("w", orientation, ((-80.0, 0.0), (60.0, 42.0), (80.0, 42.0)), 100.0, 400.0, BRASS, 5.0, beam)
    parts = parts_of(wedge)
    for u, v, thick in (
        (-79.0, 0.0, 0.3),
        (-20.0, 54.0, 18.0),
        (59.0, -44.0, 41.7),
        (70.0, 0.0, 42.0),
        (0.0, 56.0, 0.0),
    ):
        x, y = (u, v) if orientation == "X" else (v, u)
        assert along_z(parts, x, y) == pytest.approx(thick)
    upstream = 400.0 - beam * 41.0
    for z, length in ((upstream, 20.0 + 140.0 / 42.0), (400.0 + beam, 0.0)):
        end = (1.0, 0.0, z) if orientation == "X" else (0.0, 1.0, z)
        assert length_in(parts, (0.0, 0.0, z), end) == pytest.approx(length)


def test_a_compensator_has_its_columns() -> None:
    rng = np.random.default_rng(4)
    map_mm = np.round(rng.uniform(0.0, 40.0, (7, 5)))
    map_mm[2, 1:4] = 0.0
    map_mm[3, :] = 12.0
    rows = tuple(tuple(float(t) for t in row) for row in map_mm)
    parts = parts_of(Compensator("comp", rows, (4.0, 5.0), (10.0, -20.0), 100.0, BRASS))
    assert [part.name for part in parts] == ["comp"]
    for row in range(7):
        for column in range(5):
            x, y = 10.0 + (column - 2) * 4.0 + 1.1, -20.0 + (row - 3) * 5.0 - 1.2
            assert along_z(parts, x, y) == pytest.approx(map_mm[row, column])
    assert length_in(parts, (-99.0, -21.2, 111.9), (99.0, -21.2, 111.9)) == pytest.approx(20.0)


@pytest.mark.parametrize("beam", [-1, 1])
@pytest.mark.parametrize("hole", [None, (200.0, 240.0)])
def test_walls_of_a_poured_block_follow_the_rays(hole: tuple[float, float] | None, beam: int) -> None:
    """Just inside the outline a ray from the focus passes wholly through the block or the hole, just outside not."""
    z = -float(beam)
    block = Block("cerrobend", ELL, 350.0 * z, 80.0, BRASS, True, 1000.0 * z, 0.0, hole, beam)
    parts = parts_of(block)
    focus = (0.0, 0.0, 1000.0 * z)
    for x, y, inside in ((-9.99, -19.99, 1), (-10.01, 0, 0), (29.99, -0.01, 1), (29.99, 0.01, 0), (4.99, 39.99, 1),
                         (5.01, 0.01, 0), (5.01, -0.01, 1), (4.99, 40.01, 0), (0.0, 0.0, 1)):  # fmt: skip
        whole = 80.0 * hypot(x, y, 1000.0) / 1000.0
        solid = bool(inside) == (hole is None)
        assert length_in(parts, focus, (x, y, 0.0)) == pytest.approx(whole if solid else 0.0, abs=1e-6), (x, y)


def test_a_block_with_straight_walls() -> None:
    parts = parts_of(Block("block", ELL, 350.0, 80.0, BRASS, divergent=False))
    assert along_z(parts, 29.9, -0.1) == pytest.approx(80.0)
    assert along_z(parts, 29.9, 0.1) == 0.0


@pytest.mark.parametrize("beam", [-1, 1])
@pytest.mark.parametrize("entrance", [None, 1.2, 2.6])
def test_holes_of_a_collimator_meet_in_its_focus(entrance: float | None, beam: int) -> None:
    """Axes of all holes pass free to the focus; each hole is as wide as it should be at both faces."""
    down = float(beam)
    c = ConvergingCollimator(
        "multi", 3, 5, (6.0, 8.0), 2.0, 50.0, 300.0, (60.0, 60.0), (1.0, 2.0, 10.0), BRASS, entrance, beam
    )
    parts = parts_of(c)
    assert len(parts) == 1 + 15
    focus = np.array([1.0, 2.0, 10.0 + down * 325.0])
    for row in range(3):
        for column in range(5):
            end = np.array([1.0 + (column - 2) * 6.0, 2.0 + (row - 1) * 8.0, 10.0 + down * 25.0])
            axis = (focus - end) / np.linalg.norm(focus - end)
            begin = end - axis * 50.0 / abs(axis[2])
            assert length_in(parts, begin - axis, focus) == 0.0
            side = np.cross(axis, [0.0, 1.0, 0.0])
            side /= np.linalg.norm(side)
            for share, diameter in (
                (0.25, 0.75 * 2.0 + 0.25 * (entrance or 2.0)),
                (0.75, 0.5 + 0.75 * (entrance or 2.0)),
            ):
                middle = end + share * (begin - end)
                hole = [part for part in parts if part.name in ("multi", f"multi_hole_{row + 1}_{column + 1}")]
                solid = length_in(hole, middle, middle + side)
                only = length_in(hole[:1], middle, middle + side)
                # The section at a right angle to the axis of a cone is a circle.
                assert only - solid == pytest.approx(diameter, rel=1e-9)


def test_names_of_parts_are_told_apart() -> None:
    shifter = RangeShifter("rs", (200.0, 100.0), 40.0, (5.0, 0.0, 100.0), BRASS, where="a.toml, line 3")
    scene = Scene(parts=(Part("rs", Box((1.0, 1.0, 1.0)), BRASS, where="a.toml, line 9"),), modules=(shifter,))
    with pytest.raises(
        InputError, match=r"Two parts or modules have the same name\. Given: 'rs'\. Where: a.toml, line 9 and a.toml, "
    ):
        all_parts(scene)
    assert [part.name for part in all_parts(Scene(modules=(shifter,)))] == ["rs"]
