"""The mass of a scene on a grid: exact between faces, the phantom left out, turning parts on average."""

import numpy as np
import pytest

from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.grid import Grid
from dosewright.core.scene import Part
from dosewright.core.shapes import Placement, Sphere
from dosewright.core.solids import Box, Tube
from dosewright.geometry.scene.masses import scene_mass_on
from dosewright.geometry.scene.pack import pack_scene

GRID = Grid((10, 8, 6), (10.0, 10.0, 10.0), (-45.0, -35.0, 5.0))
BLOCK = Part("block", Box((100, 80, 25)), None, Placement((0, 0, 12.5)))


def mass(parts: list[Part], fill: float = 0.0, box: tuple | None = None, to_box: Rigid | None = None) -> np.ndarray:
    media = {part.name: (1, 2.0) for part in parts}
    packed = pack_scene(parts, (0, fill), media, box, Rigid.identity())
    return scene_mass_on(packed.tables, to_box or Rigid.identity(), GRID)


def test_between_faces_it_is_exact() -> None:
    found = mass([BLOCK], fill=0.5)
    expected = np.array([2.0, 2.0, 1.25, 0.5, 0.5, 0.5])
    inner = found[:3]
    assert inner == pytest.approx(np.broadcast_to(expected[:3, None, None], inner.shape), rel=1e-6)
    # The world of the scene ends 10 mm beyond its parts.
    assert found[3:].sum() == pytest.approx(80 * 0.5 * 0.5, rel=1e-5)


def test_the_phantom_is_left_out() -> None:
    box = (np.array([-50.0, -40.0, 10.0]), np.array([0.0, 40.0, 20.0]))
    found = mass([BLOCK], box=box)
    assert found[1, :, :5] == pytest.approx(0.0, abs=1e-6)
    assert found[1, :, 5:] == pytest.approx(2.0, rel=1e-6)


def test_a_ball_has_its_mass_however_the_grid_lies() -> None:
    ball = Part("ball", Sphere(22), None, Placement((3, -4, 31)))
    exact = 2.0 * 4 / 3 * np.pi * 2.2**3
    assert mass([ball]).sum() == pytest.approx(exact, rel=2e-3)
    centre = np.array([3.0, -4.0, 31.0])
    turn = rotation_about("y", 20) @ rotation_about("x", 10)
    assert mass([ball], to_box=Rigid(turn, centre - turn @ centre)).sum() == pytest.approx(exact, rel=2e-3)


def test_what_turns_is_the_mean_of_its_angles() -> None:
    wing = Part("wing", Tube(30, 20, sweep_deg=90), None, Placement((0, 0, 30)), turns=True)
    found = mass([wing])
    assert found.sum() == pytest.approx(2.0 * np.pi * 9 * 2 / 4, rel=1e-2)
    quarters = [found[:, :4, :5], found[:, :4, 5:], found[:, 4:, :5], found[:, 4:, 5:]]
    assert [q.sum() for q in quarters] == pytest.approx([found.sum() / 4] * 4, rel=1e-2)
