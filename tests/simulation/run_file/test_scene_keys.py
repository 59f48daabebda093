"""Scenes and their variance reduction in a run file: what is taken, what is refused, and where."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.simulation import read_run_file
from dosewright.simulation.run_file.write import resolved_content, to_toml
from dosewright.simulation.setup.prepare import coupled_settings
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY
from dosewright.simulation.setup.scene import placed_scene

SCENE = """\
[scene]
fill = "air"

[[part]]
name = "target"
tube = { radius_mm = 5.0, length_mm = 1.0 }
material = "G4_W"
centre_mm = [0.0, 0.0, 100.0]

[[module]]
kind = "jaws"
name = "jaws"
orientation = "X"
tip = { kind = "STRAIGHT", travel_radius_mm = 60.0 }
half_size_mm = [20.0, 40.0, 10.0]
focus_z_mm = 100.0
centre_z_mm = 40.0
isocentre_z_mm = 0.0
negative_mm = -5.0
positive_mm = 5.0
material = "G4_W"
"""
RUN = """\
[scene]
file = "head.toml"
origin_mm = [0, 0, -20]
rotation_deg = [180, 0, 0]

[phantom]
size_mm = [20, 20, 40]
voxel_mm = [2, 2, 1]
origin_mm = [-10, -10, 0]
material = "G4_WATER"

[source]
kind = "pencil"
particle = "electron"
energy_MeV = 6
position_mm = [0, 0, -130]

[goal]
histories = 1e3
"""
DIRECTIONAL = "{n = 100, field_mm = [40, 40], at_mm = [0, 0, 0], electron_plane_mm = -15}"


def written(folder: Path, text: str, scene: str = SCENE) -> Path:
    (folder / "head.toml").write_text(scene, encoding="utf-8")
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str, scene: str = SCENE) -> tuple[str, ...]:
    with pytest.raises(InputError) as refused:
        read_run_file(written(folder, text, scene))
    return refused.value.problems


def without_phantom(text: str = RUN) -> str:
    return text[: text.index("[phantom]")] + text[text.index("[source]") :]


def test_a_scene_lies_where_the_run_file_says(tmp_path: Path) -> None:
    run = read_run_file(written(tmp_path, RUN))
    assert run.scene is not None
    scene = placed_scene(run.scene, WITHOUT_LIBRARY)
    assert scene.to_run.points(np.array([1.0, 2.0, 100.0])) == pytest.approx([1, -2, -120])
    assert scene.fill is not None and scene.fill.name == "G4_AIR"
    assert scene.of_module["jaws"] == tuple(name for name in scene.names[2:])
    assert scene.names[:2] == ("jaws", "target")
    assert {material.name for material in scene.materials} == {"G4_W", "G4_AIR"}
    own = read_run_file(written(tmp_path, RUN.replace("origin_mm = [0, 0, -20]", 'fill = "vacuum"')))
    assert own.scene is not None and placed_scene(own.scene).fill is None
    assert own.scene.origin_mm == (0, 0, 0)


def test_turns_are_about_x_then_y_then_z(tmp_path: Path) -> None:
    run = read_run_file(
        written(tmp_path, RUN.replace("[180, 0, 0]", "[90, 0, 90]").replace("[0, 0, -20]", "[0, 0, 0]"))
    )
    assert run.scene is not None
    assert placed_scene(run.scene).to_run.points(np.array([0.0, 0.0, 1.0])) == pytest.approx([1, 0, 0])


def test_without_a_phantom_parts_are_enough(tmp_path: Path) -> None:
    run = read_run_file(written(tmp_path, without_phantom()))
    assert run.phantom is None and run.score == ()
    out = tmp_path / "out"
    out.mkdir()
    content = resolved_content(run, out)
    assert "phantom" not in content and "score" not in content
    assert content["scene"] == {"file": "../head.toml", "origin_mm": [0, 0, -20], "rotation_deg": [180, 0, 0]}
    (out / "run.toml").write_text(to_toml(content))
    assert resolved_content(read_run_file(out / "run.toml"), out) == content


@pytest.mark.parametrize(
    ("old", "new", "said", "line"),
    [
        ('"head.toml"', '"head.tml"', "The file of scene.file does not exist", 2),
        ('file = "head.toml"', "", "The key 'scene.file' is missing", 1),
        ("rotation_deg", "rotation", "Unknown key 'scene.rotation'. Did you mean 'rotation_deg'?", 4),
        ("origin_mm = [0, 0, -20]", 'fill = "vaccum"', "Did you mean 'vacuum'?", 3),
        ("origin_mm = [0, 0, -20]", 'fill = "G4_WATR"', "Did you mean 'G4_WATER'?", 3),
        ("[180, 0, 0]", "[180, 0]", "scene.rotation_deg has too few values", 4),
        ("[goal]", "[transport]\nregion = [{name = 'targt', photon_cut_MeV = 0.1}]\n[goal]",
         "Did you mean 'target'?", 19),
        ("[goal]", "[variance_reduction]\nphoton_splitting = 16\n[goal]", "is for a phantom without a scene", 19),
        ("[goal]", "[variance_reduction]\nbremsstrahlung_splitting = 1\n[goal]", "0 for off, or at least 2", 19),
        ("[goal]", "[variance_reduction]\nbremsstrahlung_splitting = {directional = {n = 9}}\n[goal]",
         "towards a field: the keys directional or equal_weight", 19),
        ("[goal]", f"[variance_reduction]\nbremsstrahlung_splitting = 9\ndirectional = {DIRECTIONAL}\n[goal]",
         "Only one of the ways of splitting", 20),
        ("[goal]", f"[variance_reduction]\nrussian_roulette = 9\ndirectional = {DIRECTIONAL}\n[goal]",
         "plays a roulette of its own", 19),
        ("[goal]", f"[variance_reduction]\nequal_weight = {DIRECTIONAL.replace('-15', '0')}\n[goal]",
         "upstream of the field", 19),
        ("[goal]", f"[variance_reduction]\nequal_weight = {DIRECTIONAL.replace('-15', '15')}\n[goal]",
         "lie on different sides of the field", 19),
        ("[goal]", "[variance_reduction]\nvoxel_splitting = 1\n[goal]", "is 0 for off, or at least 2", 19),
        ("[goal]", f"[variance_reduction]\nequal_weight = {DIRECTIONAL.replace('field', 'feld')}\n[goal]",
         "Did you mean 'field_mm'?", 19),
        ("[goal]", "[variance_reduction]\nxy_limits = 'none.dat'\n[goal]", "xy_limits does not exist", 19),
        ("[goal]", "[variance_reduction]\nxy_limits = 'head.toml'\n[goal]", "Expected 3 columns", 19),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, said: str, line: int) -> None:
    assert old in RUN
    found = problems(tmp_path, RUN.replace(old, new, 1))
    assert any(said in one and f"run.toml, line {line}." in one for one in found), found


def test_what_is_wrong_in_the_scene_is_told_with_its_own_line(tmp_path: Path) -> None:
    found = problems(
        tmp_path, RUN, SCENE.replace("length_mm = 1.0", "length_mm = -1.0").replace('"G4_W"', '"G4_V2"', 1)
    )
    assert any("head.toml, line" in one and "scene.file" in one for one in found), found


def test_protons_have_no_splitting_and_no_scene_no_roulette(tmp_path: Path) -> None:
    table = "[variance_reduction]\nbremsstrahlung_splitting = 10\n[goal]"
    proton = RUN.replace('"electron"', '"proton"').replace("MeV = 6", "MeV = 60").replace("[goal]", table)
    assert "is nothing for protons" in problems(tmp_path, proton)[0]
    alone = RUN[RUN.index("[phantom]") :].replace("[goal]", table)
    assert "works in a scene, and there is none" in problems(tmp_path, alone)[0]


def test_without_a_phantom_a_score_needs_a_grid_and_a_goal_a_score(tmp_path: Path) -> None:
    bare = without_phantom()
    assert "has no voxels: there is no phantom" in problems(tmp_path, bare + "[[score]]\nquantity = 'energy'\n")[0]
    (found,) = problems(tmp_path, bare.replace("histories = 1e3", "uncertainty_percent = 2"))
    assert "is that of a dose, and nothing scores one" in found
    grid = "[[score]]\nsize_mm = [20, 20, 20]\nvoxel_mm = [2, 2, 2]\norigin_mm = [300, 0, 0]\n"
    assert len(read_run_file(written(tmp_path, bare + grid)).score) == 1
    spectrum = "[[score]]\nquantity = 'spectrum'\nparticle = 'photon'\n"
    assert read_run_file(written(tmp_path, bare + spectrum)).score[0].quantity == "spectrum"
    neither = "[source]" + bare.partition("[source]")[2]
    assert "a phantom inside a scene" in problems(tmp_path, neither)[0]


def test_names_mean_one_thing(tmp_path: Path) -> None:
    slab = "[[phantom.slab]]\nname = 'target'\nz_mm = [0, 2]\nmaterial = 'G4_Al'\n"
    assert "must not have the name of a part of the scene" in problems(tmp_path, RUN + slab)[0]
    region = "[[transport.region]]\nname = 'G4_W'\nelectron_cut_MeV = 0.1\n"
    same = SCENE.replace('"target"', '"G4_W"')
    assert "the name of a material and of a part" in problems(tmp_path, RUN + region, same)[0]


def test_a_module_is_a_region_of_all_its_parts(tmp_path: Path) -> None:
    text = RUN + "[[transport.region]]\nname = 'jaws'\nelectron_cut_MeV = 0.7\n"
    run = read_run_file(written(tmp_path, text))
    assert run.scene is not None
    scene = placed_scene(run.scene)
    assert [region.name for region in coupled_settings(run, scene).regions] == list(scene.of_module["jaws"])


def test_a_reduction_is_written_out(tmp_path: Path) -> None:
    (tmp_path / "limits.dat").write_text("10 20 30\n20 30 40\n")
    table = f"[variance_reduction]\nequal_weight = {DIRECTIONAL}\nxy_limits = 'limits.dat'\nroulette_value = 0\n[goal]"
    run = read_run_file(written(tmp_path, RUN.replace("[goal]", table)))
    out = tmp_path / "out"
    out.mkdir()
    content = resolved_content(run, out)
    assert content["variance_reduction"]["xy_limits"] == "../limits.dat"
    text = to_toml(content)
    assert tomllib.loads(text)["variance_reduction"]["equal_weight"]["electron_plane_mm"] == -15
    (out / "run.toml").write_text(text)
    assert resolved_content(read_run_file(out / "run.toml"), out) == content


def test_parts_that_overlap_are_refused_before_the_run(tmp_path: Path) -> None:
    """The target and a plate 0.01 mm in it: both names, a point in both, and where they stand in the file."""
    plate = '[[part]]\nname = "plate"\ntube = { radius_mm = 5.0, length_mm = 1.0 }\nmaterial = "G4_Cu"\n'
    (tmp_path / "head.toml").write_text(SCENE + "\n" + plate + "centre_mm = [0.0, 0.0, 99.01]\n")
    (tmp_path / "run.toml").write_text(RUN)
    with pytest.raises(InputError, match=r"The parts 'target' and 'plate' overlap: both hold the point \(.*, 99\.50"):
        read_run_file(tmp_path / "run.toml")
