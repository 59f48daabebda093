"""A whole scene looked at: rows of parts, slits, rays, and what keeps it from being used."""

import numpy as np
import pytest

from dosewright.commissioning.scenes import tracking
from dosewright.commissioning.scenes.check import SceneCheck, check_scene
from dosewright.commissioning.scenes.opened import OpenedScene
from dosewright.core.frame import rotation_about
from dosewright.core.matter import Material
from dosewright.core.scene import Part, Scene
from dosewright.core.shapes import Difference, Placement, Sphere
from dosewright.core.solids import Box, Tube

STEEL = Material("steel", 7.9, {26: 1.0})
WATER = Material("water", 1.0, {1: 0.112, 8: 0.888})


def look(*parts: Part, rays: int = 200) -> SceneCheck:
    return check_scene(OpenedScene(Scene(tuple(parts)), tuple(parts), "it.toml", "0" * 64), rays=rays)


def tank() -> tuple[Part, ...]:
    shell = Difference(Box((200.0, 200.0, 100.0)), Sphere(30.0))
    turn = rotation_about("x", 12.0)
    return (
        Part("tank", Box((200.0, 200.0, 100.0)), WATER, Placement((0.0, 0.0, 20.0), turn)),
        Part("ball", Sphere(30.0), STEEL, parent="tank", density_g_cm3=8.0),
        Part("hole", Tube(5.0, 40.0), None, parent="ball"),
        Part("lid", shell, STEEL, Placement((0.0, 0.0, 400.0))),
    )


def test_parts_are_weighed_without_what_lies_in_them() -> None:
    found = look(*tank())
    assert found.problems == ()
    rows = {row.name: row for row in found.rows}
    hole, ball = np.pi * 25 * 40, 4 / 3 * np.pi * 27_000
    for name, volume, density in (("tank", 4e6 - ball, 1.0), ("ball", ball - hole, 8.0), ("lid", 4e6 - ball, 7.9)):
        assert rows[name].volume_mm3 == pytest.approx(volume, rel=2e-3)
        assert abs(rows[name].volume_mm3 / volume - 1) < 4 * rows[name].relative_error
        assert rows[name].mass_g == pytest.approx(volume / 1000 * density, rel=2e-3)
    assert rows["hole"].volume_mm3 == pytest.approx(hole)
    assert rows["hole"].mass_g is None
    assert rows["tank"].high_mm[1] == pytest.approx(100 * np.cos(np.deg2rad(12)) + 50 * np.sin(np.deg2rad(12)))
    assert "200 rays followed, none lost. No problem was found." in found.text()
    assert found.as_json()["parts"][1]["parent"] == "tank"


def test_the_same_every_time() -> None:
    assert look(*tank(), rays=50).as_json() == look(*tank(), rays=50).as_json()


def test_problems_are_told_and_rays_are_not_followed_through_them() -> None:
    found = look(
        Part("a", Box((10.0, 10.0, 10.0)), STEEL),
        Part("b", Box((10.0, 10.0, 10.0)), STEEL, Placement((9.99, 0.0, 0.0))),
    )
    assert len(found.problems) == 1
    assert found.overlapping[0].thickness_mm == pytest.approx(0.01)
    assert not found.followed
    assert "One problem:\n  - The parts 'a' and 'b' overlap: both hold the point (4.99" in found.text()


def test_a_part_without_volume_is_a_problem_and_a_filled_one_a_note() -> None:
    nothing = Difference(Box((10.0, 10.0, 10.0)), Box((12.0, 12.0, 12.0)))
    assert look(Part("nothing", nothing, STEEL)).problems == ("The part 'nothing' has no volume: no ray meets it.",)
    box = Box((10.0, 10.0, 10.0))
    found = look(Part("case", box, STEEL), Part("inside", box, WATER, parent="case"))
    assert found.problems == ()
    assert "The part 'case' is filled by what lies in it." in found.notes


def test_slits_are_noted_alike_ones_together() -> None:
    plates = [Part(f"plate {n}", Box((50.0, 50.0, 2.0)), STEEL, Placement((0.0, 0.0, 2.1 * n))) for n in range(6)]
    found = look(*plates)
    assert found.problems == ()
    assert len(found.slits) == 5
    assert [note.split(";")[0] for note in found.notes] == ["There are 5 alike, 0.1 to 0.1 mm"]
    filled = [*plates[:2], Part("foil", Box((50.0, 50.0, 0.1)), WATER, Placement((0.0, 0.0, 1.05)))]
    assert look(*filled).slits == ()


def test_a_ray_that_sees_other_boundaries_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    real = tracking.boundaries_along

    def shifted(*given: object, **named: object) -> object:
        seen = real(*given, **named)  # type: ignore[arg-type]
        return seen._replace(distances_cm=seen.distances_cm + 1e-3)

    assert look(*tank(), rays=20).lost == ()
    monkeypatch.setattr(tracking, "boundaries_along", shifted)
    found = look(*tank(), rays=20)
    assert len(found.lost) >= 15  # some rays meet no part
    assert "gets lost: after" in found.problems[0]


def test_an_empty_scene_has_no_problem() -> None:
    assert look().problems == ()
