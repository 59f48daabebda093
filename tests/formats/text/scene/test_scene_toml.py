"""Scene files: every key with a value of its own, mistakes with their line, all together; garbage is refused."""

from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError, refuse
from dosewright.core.modules import MODULES, Jaws, LeafPair, LeafProfile, Mlc, RangeModulator, Tip
from dosewright.core.shapes import Cone, Difference, Intersection, Polycone, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.formats.text.scene.scene_toml import read_scene_toml
from dosewright.formats.text.scene.tables import TableFile, read_value
from dosewright.formats.text.scene.toml_lines import TomlLines
from dosewright.formats.text.scene.write import scene_text
from dosewright.materials.library import named

EXAMPLES = Path(__file__).resolve().parents[4] / "examples" / "scenes"

SHAPES = """
[scene]
name = "bench"
fill = "air"

[[material]]
name = "shielding"
density_g_cm3 = 3.0
mixture = { alloy = 0.5, G4_WATER = 0.5 }

[[material]]
name = "alloy"
density_g_cm3 = 17.5
elements = { W = 0.9, Ni = 0.06, Cu = 0.04 }
mean_excitation_eV = 700.0

[[part]]
name = "room"
box = { size_mm = [1000, 1100.0, 1200.0] }
material = "fill"

[[part]]
name = "pipe"
parent = "room"
tube = { radius_mm = 30.0, length_mm = 50.0, inner_radius_mm = 10.0, start_deg = 15.0, sweep_deg = 270.0 }
material = "shielding"
density_g_cm3 = 2.5
centre_mm = [1.0, 2.0, 3.0]
rotation_deg = [90.0, 0.0, 90.0]
turns = true

[[part]]
name = "plug"
parent = "room"
centre_mm = [200.0, 0.0, 0.0]
material = "alloy"
[part.cone]
lower_radius_mm = 5.0
upper_radius_mm = 8.0
length_mm = 20.0
lower_inner_mm = 1.0
upper_inner_mm = 2.0

[[part]]
name = "ball"
sphere = { radius_mm = 7.0, inner_radius_mm = 3.0 }
material = "water"

[[part]]
name = "filter"
polycone = { z_mm = [0.0, 5.0, 5.0, 9.0], radius_mm = [1.0, 6.0, 9.0, 9.0] }
material = "G4_Cu"

[[part]]
name = "star"
prism = { outline_mm = [[0, 0], [10, 0], [4, 4], [0, 10]], length_mm = 3.0 }
material = "G4_Pb"

[[part]]
name = "wedge"
frustum = { lower_mm = [10.0, 20.0], upper_mm = [0.0, 20.0], length_mm = 15.0 }
material = "G4_Fe"

[[part]]
name = "bored"
material = "G4_Al"
difference = [
  { box = { size_mm = [40.0, 40.0, 10.0] } },
  { tube = { radius_mm = 4.0, length_mm = 10.0 }, centre_mm = [10.0, 0.0, 0.0] },
  { union = [
      { sphere = { radius_mm = 2.0 } },
      { intersection = [
          { sphere = { radius_mm = 2.0 } }, { box = { size_mm = [1, 1, 1] } },
        ], rotation_deg = [0, 90, 0] },
    ], centre_mm = [-10.0, 0.0, 0.0] },
]
"""

MODULE = """
[scene]
beam = 1

[[part]]
name = "head"
box = { size_mm = [900.0, 900.0, 900.0] }
material = "fill"

[[module]]
kind = "jaws"
name = "upper"
parent = "head"
orientation = "Y"
tip = { kind = "ROUND_DISP", radius_mm = 150.0, centre_below_top_mm = 40.0, half_value_mm = 12.0 }
half_size_mm = [60.0, 61.0, 39.0]
focus_z_mm = 0.0
centre_z_mm = 300.0
isocentre_z_mm = 1000.0
negative_mm = -50.0
positive_mm = 55.0
material = "G4_W"

[[module]]
kind = "mlc"
name = "leaves"
focused = true
orientation = "X"
half_length_mm = 80.0
focus_z_mm = 0.0
cross_focus_mm = 1.0
isocentre_z_mm = -1000.0
top_z_mm = -400.0
gap_z_mm = -30.0
cross_gap_mm = 0.1
cross_start_mm = -10.0
material = "G4_W"
beam = -1

[module.tip]
kind = "ROUND_DISP_POSFILE"
radius_mm = 80.0
centre_below_top_mm = 30.0
positions_mm = [[0.0, 0.0], [100.0, 95.0]]

[[module.profiles]]
kind = "LEAF"
points_mm = [[0.0, 0.0], [0.0, 5.0], [-60.0, 5.0], [-60.0, 0.0]]

[[module.pairs]]
profile = 1
negative_mm = -20.0
positive_mm = 21.0

[[module.pairs]]
profile = 1
negative_mm = -22.0
positive_mm = 23.0

[[module]]
kind = "range_modulator"
name = "wheel"
hub_inner_mm = 10.0
hub_outer_mm = 40.0
outer_mm = 120.0
blades = 3
thickness_mm = [5.0, 11.0]
weights = [0.2, 0.3]
material = "G4_LUCITE"
centre_mm = [60.0, 0.0, 0.0]
turns = false
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "head.toml"
    path.write_text(text)
    return path


def problems_of(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as refused:
        read_scene_toml(write(folder, text), named)
    return str(refused.value)


def without_places(value: object) -> object:
    """Return a value with the fields of all dataclasses in it, but where they were read."""
    if isinstance(value, tuple):
        return tuple(without_places(one) for one in value)
    if is_dataclass(value):
        return {one.name: without_places(getattr(value, one.name)) for one in fields(value) if one.name != "where"}
    return value


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


def test_modules_have_the_fields_of_their_dataclass(tmp_path: Path) -> None:
    jaws, mlc, wheel = read_scene_toml(write(tmp_path, MODULE), named).modules
    tungsten = named("G4_W")
    tip = Tip("ROUND_DISP", 150.0, 40.0, 12.0)
    upper = Jaws("upper", "Y", tip, (60.0, 61.0, 39.0), 0.0, 300.0, 1000.0, -50.0, 55.0, tungsten, "head", 1)
    assert without_places(jaws) == without_places(upper)
    assert getattr(jaws, "where") == "head.toml, line 10"  # noqa: B009  a module need not have it
    assert isinstance(mlc, Mlc)
    assert mlc.beam == -1  # its own key wins over that of the scene
    assert mlc.tip.positions_mm == ((0.0, 0.0), (100.0, 95.0))
    profile = LeafProfile("LEAF", ((0.0, 0.0), (0.0, 5.0), (-60.0, 5.0), (-60.0, 0.0)))
    assert without_places(mlc.profiles) == without_places((profile,))
    assert mlc.pairs == (LeafPair(1, -20.0, 21.0), LeafPair(1, -22.0, 23.0))
    assert isinstance(wheel, RangeModulator)
    assert (wheel.thickness_mm, wheel.weights, wheel.turns) == ((5.0, 11.0), (0.2, 0.3), False)


VALUES: tuple[object, ...] = ("water", 1, 1.5, True, [], [1], [[1.0, 2.0]], {}, [{}])


@pytest.mark.parametrize("kind", MODULES)
def test_every_module_of_core_can_be_read(kind: str) -> None:
    """Each field's type is one that a table can hold; a text is refused or taken, never a crash."""
    file = TableFile(Path("a.toml"), TomlLines(""), named)
    hints = get_type_hints(MODULES[kind])
    for one in fields(MODULES[kind]):
        for value in VALUES:
            try:
                read_value(hints[one.name], value, (one.name,), file)
            except InputError:
                continue


@pytest.mark.parametrize("text", [SHAPES, MODULE], ids=["shapes", "modules"])
def test_a_scene_is_written_and_read_again(tmp_path: Path, text: str) -> None:
    scene = read_scene_toml(write(tmp_path, text), named)
    again = read_scene_toml(write(tmp_path, scene_text(scene, named)), named)
    for old, new in zip(scene.parts, again.parts, strict=True):
        if not isinstance(old.shape, Prism):
            assert new.shape == old.shape
        np.testing.assert_allclose(new.placement.rotation, old.placement.rotation, atol=1e-14)
        ours = (old.name, old.material, old.density_g_cm3, old.parent, old.turns, old.placement)
        assert ours == (new.name, new.material, new.density_g_cm3, new.parent, new.turns, new.placement)
    assert without_places(scene.modules) == without_places(again.modules)
    assert (again.fill, again.source) == (scene.fill, scene.source)


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


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("blades = 3", "blades = 3.0", r"'module.3.blades' must be a whole number"),
        ("focused = true\n", "", r"The key 'module.2.focused' is missing"),
        (
            "profile = 1\n",
            "profile = 1\nprofil = 2\n",
            r"Unknown key 'module.2.pairs.1.profil'. Did you mean 'profile'",
        ),
        ('parent = "head"', 'parent = "had"', r"'upper' lies in a part that is not there. Did you mean 'head'"),
        ("isocentre_z_mm = 1000.0\n", "", r"The key 'module.1.isocentre_z_mm' is missing"),
    ],
)
def test_mistakes_of_modules(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in MODULE
    with pytest.raises(InputError, match=said):
        read_scene_toml(write(tmp_path, MODULE.replace(old, new, 1)), named)


@dataclass(frozen=True)
class Shield:
    """A module that checks itself, with a place or without."""

    name: str
    thickness_mm: float
    where: str = ""

    def __post_init__(self) -> None:
        if self.thickness_mm < 0:
            raise refuse("too thin", given=self.thickness_mm, where=self.where)
        if self.thickness_mm > 100:
            raise refuse("too thick", given=self.thickness_mm)


def test_what_a_module_refuses_itself_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, "shield", Shield)
    text = '\n[[module]]\nkind = "shield"\nname = "s"\nthickness_mm = {}\n'
    said = problems_of(tmp_path, text.format(-1.0) + text.format(101.0) + text.format(3)).splitlines()
    assert said == [
        "too thin. Given: -1.0. Where: head.toml, line 2.",
        "too thick. Given: 101.0. Where: head.toml, line 7.",
    ]
    assert read_scene_toml(write(tmp_path, text.format(3)), named).modules == (Shield("s", 3.0, "head.toml, line 2"),)


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
