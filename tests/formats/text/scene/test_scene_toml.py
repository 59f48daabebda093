"""Scene files: every key with a value of its own, mistakes with their line, all together; garbage is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.text.scene.scene_texts import MODULE, SHAPES, problems_of, write

from dosewright.core.errors import InputError
from dosewright.core.shapes import Cone, Difference, Intersection, Polycone, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.formats.text.scene.scene_toml import read_scene_toml
from dosewright.materials.library import named

EXAMPLES = Path(__file__).resolve().parents[4] / "examples" / "scenes"


def test_shapes_materials_and_placements(tmp_path: Path) -> None:
    scene = read_scene_toml(write(tmp_path, SHAPES), named)
    assert scene.source == "bench"
    assert scene.fill == named("G4_AIR")
    shapes = {part.name: part.shape for part in scene.parts}
    assert shapes["room"] == Box((1000.0, 1100.0, 1200.0))
    assert shapes["pipe"] == Tube(30.0, 50.0, 10.0, 15.0, 270.0)
    assert shapes["plug"] == Cone(5.0, 8.0, 20.0, 1.0, 2.0)
    assert shapes["ball"] == Sphere(7.0, 3.0)
    assert shapes["filter"] == Polycone((0.0, 5.0, 5.0, 9.0), (1.0, 6.0, 9.0, 9.0), (0.0, 0.0, 0.0, 0.0))
    star = shapes["star"]
    assert isinstance(star, Prism)
    assert star.length_mm == 3.0
    np.testing.assert_array_equal(star.outline_mm, [[0, 0], [10, 0], [4, 4], [0, 10]])
    assert shapes["wedge"] == Frustum((10.0, 20.0), (0.0, 20.0), 15.0)
    assert scene.part("room").material is None
    pipe = scene.part("pipe")
    assert (pipe.parent, pipe.density_g_cm3, pipe.turns, pipe.where) == ("room", 2.5, True, "head.toml, line 22")
    assert pipe.placement.centre_mm == (1.0, 2.0, 3.0)
    # 90 degrees about x, then 90 degrees about z at rest: own x becomes y, own y becomes z, own z becomes x
    np.testing.assert_allclose(pipe.placement.rotation, [[0, 0, 1], [1, 0, 0], [0, 1, 0]], atol=1e-15)
    alloy = scene.part("plug").material
    assert alloy is not None
    assert alloy.mass_fractions == pytest.approx({74: 0.9, 28: 0.06, 29: 0.04})
    assert (alloy.density_g_cm3, alloy.mean_excitation_eV) == (17.5, 700.0)
    assert pipe.material is not None
    assert pipe.material.mass_fractions[74] == pytest.approx(0.45)
    assert scene.part("ball").material == named("G4_WATER")


def test_shapes_put_together_follow_one_after_another(tmp_path: Path) -> None:
    bored = read_scene_toml(write(tmp_path, SHAPES), named).part("bored").shape
    assert isinstance(bored, Difference)
    assert bored.placement.centre_mm == (-10.0, 0.0, 0.0)
    assert isinstance(bored.first, Difference)
    assert bored.first.first == Box((40.0, 40.0, 10.0))
    assert bored.first.second == Tube(4.0, 10.0)
    assert bored.first.placement.centre_mm == (10.0, 0.0, 0.0)
    assert isinstance(bored.second, Union)
    assert isinstance(bored.second.second, Intersection)
    np.testing.assert_allclose(bored.second.placement.rotation @ [0, 0, 1], [1, 0, 0], atol=1e-15)


def test_the_example_reads(tmp_path: Path) -> None:
    scene = read_scene_toml(EXAMPLES / "simple_jaws.toml", named)
    assert [part.name for part in scene.parts] == ["primary collimator", "monitor foil"]
    assert [module.name for module in scene.modules] == ["jaws Y", "jaws X"]


def test_all_mistakes_are_told_together_with_their_lines(tmp_path: Path) -> None:
    text = """[scene]
fill = "airr"
bean = 1

[[part]]
name = "a"
box = { size_mm = [1.0, -2.0, 3.0] }
material = "G4_WATERR"

[[part]]
name = "b"
tube = { radius_mm = 1.0, lenght_mm = 3.0 }
box = { size_mm = [1, 1, 1] }
material = "water"

[[part]]
name = "c"
tubee = { radius_mm = 1.0, length_mm = 3.0 }

[[module]]
kind = "jawss"
"""
    said = problems_of(tmp_path, text).splitlines()
    expected = [
        ("bean", "line 3", "'beam'"),
        ("Unknown material", "airr", "line 2"),
        ("The part 'a': the three lengths of a box must be positive", "-2.0", "line 7"),
        ("Unknown material", "'G4_WATER'", "line 8"),
        ("The part 'b' needs exactly one shape", "box and tube", "head.toml"),
        ("'part.3.tubee'", "Did you mean 'tube'?", "line 18"),
        ("The key 'part.3.material' is missing", "line 16"),
        ("The part 'c' needs exactly one shape", "none", "line 16"),
        ("A module needs a kind that is known", "Did you mean 'jaws'?", "line 21"),
    ]
    for wanted in expected:
        assert any(all(word in line for word in wanted) for line in said), (wanted, said)
    assert len(said) == len(expected)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("length_mm = 50.0", "length_mm = -50.0", r"The part 'pipe': the length must be positive. Given: -50 mm"),
        ("inner_radius_mm = 10.0", "inner_radius_mm = 40.0", r"smaller than the outer. Given: 40 and 30 mm"),
        ("sweep_deg = 270.0", "sweep_deg = 400.0", r"at most 360 degrees. Given: 400 degrees"),
        ("density_g_cm3 = 2.5", "density_g_cm3 = -2.5", r"'pipe' needs a positive density.*line 27"),
        ('parent = "room"\ntube', 'parent = "roon"\ntube', r"'pipe' lies in a part that is not there. Did you mean 'r"),
        ('name = "ball"', 'name = "plug"', r"the same name. Given: 'plug'. Where: head.toml, line 32 and .*line 44"),
        ("W = 0.9", "W = 0.8", r"'material.2.elements' do not add up to one. Given: 0.9.*line 14"),
        ("W = 0.9", "Wo = 0.9", r"Unknown element.*'Wo'"),
        ("alloy = 0.5", "aloy = 0.5", r"Unknown material.*Did you mean 'alloy'.*line 9"),
        ('name = "alloy"', 'name = "G4_Cu"', r"The library has a material of this name already"),
        ("upper_inner_mm = 2.0", "upper_inner_mm = 9.0", r"no inner radius may be larger"),
        ("z_mm = [0.0, 5.0, 5.0, 9.0]", "z_mm = [0.0, 5.0, 4.0, 9.0]", r"must ascend or descend"),
        ("[[0, 0], [10, 0], [4, 4], [0, 10]]", "[[0, 0], [10, 10], [10, 0], [0, 10]]", r"its outline meets itself"),
        ("upper_mm = [0.0, 20.0]", "upper_mm = [-1.0, 20.0]", r"faces of a trapezoid must have positive lengths"),
        ("radius_mm = 7.0", 'radius_mm = "7"', r"'part.4.sphere.radius_mm' must be a number. Given: '7'"),
        ("radius_mm = 7.0", "radius_mm = nan", r"must be a finite number"),
        ("radius_mm = 7.0", "radius_mm = 1e10", r"must be a number of at most 1e\+09"),
        ("turns = true", "turns = 1", r"'part.2.turns' must be true or false"),
        ("{ box = { size_mm = [40.0, 40.0, 10.0] } }", "{ box = { size_mm = [1, 1, 1] }, centre_mm = [0, 0, 1] }",
         r"the first shape of 'part.8.difference' lies at the origin"),
        ('name = "bench"', 'name = "bench"\nbeam = 0', r"The beam runs along -z .* Given: 0"),
    ],
)  # fmt: skip
def test_mistakes_of_parts(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SHAPES
    with pytest.raises(InputError, match=said):
        read_scene_toml(write(tmp_path, SHAPES.replace(old, new, 1)), named)


def test_parents_in_a_circle_are_named(tmp_path: Path) -> None:
    part = '[[part]]\nname = "{0}"\nparent = "{1}"\nmaterial = "water"\nsphere = {{ radius_mm = 1.0 }}\n'
    text = part.format("a", "b") + part.format("b", "c") + part.format("c", "a") + part.format("d", "a")
    assert problems_of(tmp_path, text) == (
        "Parts lie in each other in a circle. Given: a in b in c in a. Where: head.toml, line 1."
    )


def test_materials_made_of_each_other(tmp_path: Path) -> None:
    mixed = '[[material]]\nname = "{0}"\ndensity_g_cm3 = 1.0\nmixture = {{ {1} = 1.0 }}\n'
    said = problems_of(tmp_path, mixed.format("x", "y") + mixed.format("y", "x"))
    assert "made of each other. Given: x, y. Where: head.toml, line 1; head.toml, line 5" in said


def test_vacuum_is_nothing(tmp_path: Path) -> None:
    assert read_scene_toml(write(tmp_path, ""), named).fill is None
    assert read_scene_toml(write(tmp_path, '[scene]\nfill = "G4_Galactic"\n'), named).fill is None
    text = '[scene]\nfill = "air"\n[[part]]\nname = "p"\nsphere = {radius_mm = 1}\nmaterial = "vacuum"\n'
    part = read_scene_toml(write(tmp_path, text), named).parts[0]
    assert part.material is not None  # not what fills the scene
    assert part.material.density_g_cm3 < 1e-20


def test_deep_shapes_are_refused_not_followed(tmp_path: Path) -> None:
    inner = "{ sphere = { radius_mm = 1.0 } }"
    for _ in range(30):
        inner = f"{{ union = [{inner}, {{ sphere = {{ radius_mm = 1.0 }} }}] }}"
    text = f'[[part]]\nname = "p"\nmaterial = "water"\nunion = [{inner}, {inner}]\n'
    assert "more than 20 deep" in problems_of(tmp_path, text)


ATOMS = st.sampled_from(
    ["1.0", "-1", "0", '"water"', "true", "[]", "{}", "[1.0, 2.0]", "[[0,0],[1,0],[0,1]]", "nan", "1e400", "9" * 400]
)  # fmt: skip
WORDS = """name material parent box tube cone sphere polycone prism frustum union difference centre_mm rotation_deg
    turns kind tip radius_mm length_mm size_mm z_mm outline_mm profiles pairs weights blades elements mixture fill"""
KEYS = st.sampled_from(WORDS.split())
HEADS = st.sampled_from(
    ["[scene]", "[[part]]", "[[material]]", "[[module]]", "[part.tube]", "[part]", "[[module.pairs]]"]
)


@given(st.lists(st.one_of(HEADS, st.builds("{} = {}".format, KEYS, ATOMS)), max_size=12), st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_refused(tmp_path: Path, lines: list[str], with_scene: bool) -> None:
    path = write(tmp_path, "\n".join(([SHAPES] if with_scene else []) + lines))
    try:
        read_scene_toml(path, named)
    except InputError:
        return


@given(st.integers(0, len(MODULE) - 1), st.text(alphabet='[]{}=,."- \n1aé', max_size=3))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, at: int, put: str) -> None:
    try:
        read_scene_toml(write(tmp_path, MODULE[:at] + put + MODULE[at + len(put) :]), named)
    except InputError:
        return
