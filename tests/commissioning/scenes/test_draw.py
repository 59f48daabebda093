"""Cuts pixel by pixel, names where there is room, field edges by the formulas, and a picture with all of it."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from dosewright.commissioning.mlc_designs import mlc_design
from dosewright.commissioning.scenes.cuts import NOTHING, Plane, cut, read_plane
from dosewright.commissioning.scenes.draw import Picture, colours_of, draw_scene, spread
from dosewright.commissioning.scenes.field_edges import edge_lines
from dosewright.commissioning.scenes.names import names_on
from dosewright.commissioning.scenes.opened import OpenedScene
from dosewright.commissioning.scenes.window import part_window, usual_planes, whole_scene
from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.matter import Material
from dosewright.core.modules import Jaws, Tip
from dosewright.core.scene import Part, Scene
from dosewright.core.shapes import Placement
from dosewright.core.solids import Box, Tube
from dosewright.geometry.modules.build import all_parts
from dosewright.geometry.scene_check.placed import place

STEEL = Material("steel", 7.9, {26: 1.0})
AIR = Material("air", 0.0012, {7: 0.77, 8: 0.23})
TUNGSTEN = Material("tungsten", 19.3, {74: 1.0})
JAWS = Jaws(
    "jaws", "X", Tip("STRAIGHT", travel_radius_mm=400.0), (60.0, 100.0, 39.0), 1000.0, 600.0, 0.0, -30.0, 80.0, TUNGSTEN
)


def parts() -> tuple[Part, ...]:
    return (
        Part("tank", Box((200.0, 100.0, 60.0)), AIR),
        Part("foil", Box((200.0, 100.0, 0.1)), STEEL, Placement((0.0, 0.0, 10.013)), "tank"),
        Part("rod", Tube(10.0, 100.0), STEEL, Placement((50.0, 0.0, -10.0), rotation_about("x", 90.0)), "tank"),
    )


def test_pixels_of_a_cut_are_the_parts_there() -> None:
    placed, _ = place(parts())
    seen = cut(placed, Plane("y", 0.0), (-120.0, -50.0), (120.0, 50.0), 0.25)
    assert seen.parts.shape == (400, 960)
    count = np.bincount(seen.parts.ravel() + 1) * 0.25**2
    assert count[3] == pytest.approx(np.pi * 100, rel=0.01)
    assert count[0] == pytest.approx(240 * 100 - 200 * 60, rel=0.01)
    rows, columns = np.nonzero(seen.parts == 2)
    assert (columns.mean() + 0.5) * 0.25 - 120 == pytest.approx(50.0, abs=0.1)
    assert (rows.mean() + 0.5) * 0.25 - 50 == pytest.approx(-10.0, abs=0.1)


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("tilt", [0.0, 20.0])
def test_a_thin_foil_is_drawn_from_end_to_end(axis: str, tilt: float) -> None:
    """0.1 mm in pixels of 1 mm: in every column there are pixels of it."""
    foil = Part("foil", Box((180.0, 180.0, 0.1)), STEEL, Placement((0.0, 0.0, 3.37), rotation_about("x", tilt)))
    seen = cut(place([foil])[0], Plane(axis, 0.0), (-100.0, -100.0), (100.0, 100.0), 1.0)
    half = 90 * np.cos(np.deg2rad(tilt)) if axis == "x" else 90.0
    columns = (seen.parts == 0).any(axis=0)
    assert columns[int(101 - half) : int(99 + half)].all()
    assert (seen.parts == 0).sum() < 5 * 200


def test_planes_are_read() -> None:
    assert read_plane(" Z = -12.5") == Plane("z", -12.5)
    for wrong in ("z", "w=3", "z=high", "z=inf"):
        with pytest.raises(InputError, match="A plane is an axis and a place on it in mm"):
            read_plane(wrong)


def test_names_stand_in_their_parts_or_beside() -> None:
    placed, _ = place(parts())
    seen = cut(placed, Plane("y", 0.0), (-120.0, -50.0), (120.0, 50.0), 0.25)
    found = {name.text: name for name in names_on(seen, [p.name for p in placed], (10.0, 20.0), 10)}
    assert found["tank"].inside and found["rod"].inside and not found["foil"].inside
    assert np.hypot(found["rod"].at_mm[0] - 50, found["rod"].at_mm[1] + 10) < 5
    assert abs(found["foil"].at_mm[1] - 10) < 1
    plates = [Part(f"plate {n}", Box((50.0, 50.0, 1.0)), STEEL, Placement((0.0, 0.0, 2.0 * n))) for n in range(12)]
    seen = cut(place(plates)[0], Plane("y", 0.0), (-30.0, -5.0), (30.0, 30.0), 0.25)
    names = names_on(seen, [part.name for part in plates], (10.0, 20.0), 10)
    assert [name.text for name in names] == ["plate 0 ... plate 11 (12)"]


def test_names_beside_do_not_overlap() -> None:
    heights = spread(np.array([0.1, 0.11, 0.12, 0.98, 0.99, 1.0]), 0.05)
    assert (np.diff(heights) >= 0.05 - 1e-12).all()
    assert heights[0] >= 0 and heights[-1] <= 1


def test_rays_of_the_field_edges_go_from_the_focus_to_the_isocentre_plane() -> None:
    collimator = mlc_design("generic_80")
    scene = Scene(modules=(JAWS, collimator))
    placed, _ = place(all_parts(scene))
    on_y = edge_lines([JAWS], placed, Plane("y", 3.0))
    assert [line.points_mm.tolist() for line in on_y] == [[[0, 1000], [-30, 0]], [[0, 1000], [80, 0]]]
    assert [line.says for line in on_y] == ["-30", "+80"]
    assert edge_lines([JAWS], placed, Plane("x", 0.0)) == []
    on_z = edge_lines([JAWS], placed, Plane("z", 600.0))
    assert on_z[0].points_mm.tolist() == [[-12.0, -100.0], [-12.0, 100.0]]
    assert edge_lines([collimator], placed, Plane("x", 0.0)) == []  # closed
    outline = edge_lines([collimator], placed, Plane("z", 0.0))
    assert outline[0].points_mm[:, 1].min() == pytest.approx(-200.0)


def test_rays_follow_the_part_that_a_module_lies_in() -> None:
    head = Part("head", Box((800.0, 800.0, 800.0)), AIR, Placement((5.0, 0.0, 500.0), rotation_about("z", 90.0)))
    inside = Jaws(**{**vars(JAWS), "parent": "head", "focus_z_mm": 380.0, "centre_z_mm": 0.0, "isocentre_z_mm": -380.0,
                     "tip": Tip("STRAIGHT", travel_radius_mm=380.0)})  # fmt: skip
    placed, _ = place([head])
    lines = edge_lines([inside], placed, Plane("x", 5.0))
    assert np.allclose([line.points_mm for line in lines], [[[0, 880], [-30, 120]], [[0, 880], [80, 120]]])


def test_windows_and_usual_planes() -> None:
    scene = Scene(parts(), (JAWS,))
    placed, _ = place(all_parts(scene))
    whole = whole_scene(placed, scene.modules, rays=True)
    assert whole.low[2] < -30 and whole.high[2] > 1000
    planes = usual_planes(placed, scene.modules, whole)
    assert [plane.axis for plane in planes] == ["x", "y", "z"]
    assert 590 < planes[2].at_mm < 610
    assert part_window(placed, "jaws").low[2] > 500
    with pytest.raises(InputError, match="Did you mean 'foil'"):
        part_window(placed, "fol")


def test_the_densest_material_comes_first_and_the_fill_last() -> None:
    placed, _ = place(parts())
    labels = list(colours_of(Picture(placed, (), None, "it")))
    assert labels == ["steel (7.9 g/cm3)", "air (0.0012 g/cm3)", "around: vacuum"]


def test_a_picture_of_everything(tmp_path: Path) -> None:
    scene = Scene(parts(), (JAWS, mlc_design("generic_80")))
    opened = OpenedScene(scene, all_parts(scene), "it.toml", "0" * 64)
    output = tmp_path / "it.png"
    assert draw_scene(opened, output, planes=("x=0", "z=600"), rays=True) == ["x=0", "z=600"]
    image = matplotlib.image.imread(output)
    assert image.shape[0] > 1000 and image.shape[1] > 1500
    assert len(np.unique((image[::7, ::7, :3] * 255).astype(int).reshape(-1, 3), axis=0)) > 10
    again = tmp_path / "again.png"
    draw_scene(opened, again, planes=("x=0", "z=600"), rays=True)
    assert (matplotlib.image.imread(again) == image).all()


def test_all_that_is_wrong_with_a_wish_is_told_together(tmp_path: Path) -> None:
    opened = OpenedScene(Scene(parts()), parts(), "it.toml", "0" * 64)
    with pytest.raises(InputError) as told:
        draw_scene(opened, tmp_path / "it.jpg", planes=("w=0", "z=0"), low_mm=(0.0, 0.0, 0.0), zoom="rod")
    assert len(told.value.problems) == 3
    with pytest.raises(InputError, match="from its lower to its higher corner"):
        draw_scene(opened, tmp_path / "it.png", low_mm=(0.0, 0.0, 0.0), high_mm=(1.0, -1.0, 1.0))
    with pytest.raises(InputError, match="The folder of the picture does not exist"):
        draw_scene(opened, tmp_path / "none" / "it.png")
    with pytest.raises(InputError, match="no parts to draw"):
        draw_scene(OpenedScene(Scene(), (), "it.toml", ""), tmp_path / "it.png")


def test_nothing_stands_where_nothing_is() -> None:
    seen = cut(place(parts())[0], Plane("y", 500.0), (-10.0, -10.0), (10.0, 10.0), 1.0)
    assert (seen.parts == NOTHING).all()
