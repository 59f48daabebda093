"""Geometry text: volumes, placements and which way they turn, materials, mistakes with their line, garbage."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.core.scene import Part, Scene
from dosewright.core.shapes import Cone, Difference, Intersection, Polycone, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.formats.text.gamos.geometry import read_gamos_geometry
from dosewright.formats.text.scene_file import read_scene
from dosewright.materials.library import named

WORLD = ":ROTM R0 0 0 0\n:VOLU world BOX 1*m 1*m 1*m G4_AIR\n"


def write(folder: Path, text: str, name: str = "head.geom") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def scene_of(folder: Path, text: str) -> Scene:
    return read_gamos_geometry(write(folder, text), named)[0]


def notes_of(folder: Path, text: str) -> str:
    return "\n".join(read_gamos_geometry(write(folder, text), named)[1])


def problems_of(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as refused:
        read_gamos_geometry(write(folder, text), named)
    assert refused.value.problems
    return list(refused.value.problems)


def solid_of(folder: Path, sizes: str) -> Part:
    return scene_of(folder, f"{WORLD}:VOLU a {sizes} G4_W\n:PLACE a 1 world R0 0 0 0\n").parts[0]


@pytest.mark.parametrize(
    ("sizes", "shape"),
    [
        ("BOX 1 2*cm 3", Box((2.0, 40.0, 6.0))),  # half lengths
        ("TUBE 1 4 5", Tube(4.0, 10.0, 1.0)),
        ("TUBS 1 4 5 30 90", Tube(4.0, 10.0, 1.0, 30.0, 90.0)),
        ("TUBS 0 4 5 30*deg 6.283185307179586*rad", Tube(4.0, 10.0)),
        ("CONE 1 2 3 5 6", Cone(2.0, 5.0, 12.0, 1.0, 3.0)),  # inner, outer at -z; the same at +z; half length
        ("CONS 1 2 3 5 6 10. 20.", Cone(2.0, 5.0, 12.0, 1.0, 3.0, 10.0, 20.0)),
        ("ORB 7", Sphere(7.0)),
        ("SPHERE 2 7 0 360 0 180", Sphere(7.0, 2.0)),
        ("POLYCONE 0 360*deg 3 0. 0. 1.25 -10. 1. 9. -17. 2. 13.8",
         Polycone((0.0, -10.0, -17.0), (1.25, 9.0, 13.8), (0.0, 1.0, 2.0))),
        ("TRD 1 2 3 4 5", Frustum((2.0, 6.0), (4.0, 8.0), 10.0)),  # x at -z, x at +z, y at -z, y at +z
        ("TRAP 5 0 0 3 1 1 0 4 2 2 0", Frustum((2.0, 6.0), (4.0, 8.0), 10.0)),
    ],
)  # fmt: skip
def test_solids(tmp_path: Path, sizes: str, shape: object) -> None:
    part = solid_of(tmp_path, sizes)
    assert part.shape == shape
    assert part.material == named("G4_W")
    assert (part.parent, part.where) == (None, "head.geom, line 4")


def test_trapezoids_that_are_prisms(tmp_path: Path) -> None:
    """Corners after Geant4's own: mean x of the side at y is y tan(alpha); the wedge has its right angle at -x."""
    leaning = solid_of(tmp_path, "TRAP 5 0 0 3 1 2 45 3 1 2 45").shape
    assert isinstance(leaning, Prism)
    np.testing.assert_allclose(leaning.outline_mm, [[-4, -3], [-2, -3], [5, 3], [1, 3]], atol=1e-12)
    assert leaning.length_mm == 10.0
    wedge = solid_of(tmp_path, "TRAP 8 6 10 2").shape
    assert isinstance(wedge, Prism)
    np.testing.assert_allclose(wedge.outline_mm, [[-3, -3], [7, -3], [-1, 3], [-3, 3]], atol=1e-12)
    assert wedge.length_mm == 8.0


def test_sectors_of_solids_without_one_are_cut_out(tmp_path: Path) -> None:
    quarter = solid_of(tmp_path, "POLYCONE 30 90 2 -2 0 5 6 0 3").shape
    assert isinstance(quarter, Intersection)
    assert quarter.first == Polycone((-2.0, 6.0), (5.0, 3.0), (0.0, 0.0))
    assert isinstance(quarter.second, Tube)
    assert (quarter.second.start_deg, quarter.second.sweep_deg) == (30.0, 90.0)
    assert quarter.second.radius_mm > 5.0
    assert quarter.placement.centre_mm == (0.0, 0.0, 2.0)
    assert quarter.second.length_mm > 8.0
    orange = solid_of(tmp_path, "SPHERE 0 5 0 180 0 180").shape
    assert isinstance(orange, Intersection)


def test_an_extruded_solid_lies_where_its_planes_are(tmp_path: Path) -> None:
    """Its shape lies around its own middle: placements, children and booleans are shifted by it."""
    text = (
        WORLD
        + """
    :VOLU slab EXTRUDED 3  0 0  10 0  0 10   2  -1 0 0 1   5 0 0 1  G4_W
    :ROTM X90 90 0 0
    :PLACE slab 1 world X90 100 0 0
    :VOLU hole ORB 0.5 G4_AIR
    :PLACE hole 1 slab R0 1 1 2
    :SOLID half EXTRUDED 3  0 0  10 0  0 10   2  0 0 0 1   5 0 0 1
    :SOLID cube BOX 1 1 1
    :VOLU cut SUBTRACTION half cube R0 1 2 3 G4_W
    :PLACE cut 1 world R0 0 0 0
    """
    )
    scene = scene_of(tmp_path, text)
    slab = scene.part("slab")
    assert isinstance(slab.shape, Prism)
    assert slab.shape.length_mm == 6.0
    # the middle, (0, 0, 2) in its own axes, turned by the inverse of 90 degrees about x: z to y
    np.testing.assert_allclose(slab.placement.centre_mm, [100, 2, 0], atol=1e-12)
    hole = scene.part("hole")
    assert hole.parent == "slab"
    np.testing.assert_allclose(hole.placement.centre_mm, [1, 1, 0], atol=1e-12)
    cut = scene.part("cut")
    assert isinstance(cut.shape, Difference)
    np.testing.assert_allclose(cut.placement.centre_mm, [0, 0, 2.5], atol=1e-12)
    np.testing.assert_allclose(cut.shape.placement.centre_mm, [1, 2, 0.5], atol=1e-12)


def test_rotations_turn_the_axes(tmp_path: Path) -> None:
    """Geant4's R takes the mother's axes to those of what is placed; the placed thing turns by its inverse."""
    text = (
        WORLD
        + """
    :VOLU rod TUBE 0 1 50 G4_W
    :ROTM ZX 30 0 90
    :ROTM COLUMNS 90 0 90 90 0 0
    :ROTM NINE 0 0 -1  0 1 0  1 0 0
    :PLACE rod 1 world ZX 10 20 30
    :PLACE rod 2 world COLUMNS 0 0 0
    :PLACE rod 3 world NINE 0 0 0
    """
    )
    first, second, third = scene_of(tmp_path, text).parts
    c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    about_z = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(first.placement.rotation, (about_z @ about_x).T, atol=1e-12)
    # a point of the mother 5 mm along the rod has z = 5 in the rod's axes: R (p - t) = (0, 0, 5)
    along = np.array(first.placement.centre_mm) + first.placement.rotation @ [0, 0, 5]
    np.testing.assert_allclose(about_z @ about_x @ (along - [10, 20, 30]), [0, 0, 5], atol=1e-12)
    np.testing.assert_allclose(second.placement.rotation, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(third.placement.rotation, [[0, 0, -1], [0, 1, 0], [1, 0, 0]], atol=1e-12)
    assert [part.name for part in (first, second, third)] == ["rod 1", "rod 2", "rod 3"]


def test_the_second_solid_of_a_boolean_turns_like_a_placement(tmp_path: Path) -> None:
    text = (
        WORLD
        + """
    :SOLID plate BOX 50 50 5
    :SOLID bore TUBE 0 3 80
    :ROTM Y90 0 90 0
    :VOLU drilled SUBTRACTION plate bore Y90 1 2 3*cm G4_Al
    :SOLID both UNION drilled plate R0 0 0 10
    :VOLU all INTERSECTION both plate R0 0 0 0 G4_Al
    :PLACE drilled 1 world R0 0 0 0
    :PLACE all 1 world R0 0 0 100
    """
    )
    scene = scene_of(tmp_path, text)
    drilled = scene.part("drilled").shape
    assert isinstance(drilled, Difference)
    assert drilled.first == Box((100.0, 100.0, 10.0))
    assert drilled.placement.centre_mm == (1.0, 2.0, 30.0)
    np.testing.assert_allclose(drilled.placement.rotation @ [0, 0, 1], [-1, 0, 0], atol=1e-12)
    whole = scene.part("all").shape
    assert isinstance(whole, Intersection)
    assert isinstance(whole.first, Union)
    assert whole.first.first == drilled


def test_volumes_in_volumes_and_the_world(tmp_path: Path) -> None:
    text = """// a comment
    :P D 10*cm   // another
    :PS ABSORBER G4_W
    :ROTM R0 0. 0. 0.
    :VOLU "my box" BOX $D $D/2 \\
       $D G4_WATER
    :volu room
        box 1*m 1*m
        1*m
        G4_Galactic
    :PLACE "my box" 7 room R0 0 0 -$D
    :VOLU grain ORB 1*mm $ABSORBER
    :PLACE grain 1 "my box" R0 0 0 1
    :PLACE grain 2 "my box" R0 0 0 -1*cm
    :VOLU spare ORB 1 G4_W
    :VIS room OFF
    :COLOUR grain 1. 0. 0.
    :COLOUR room 1. 0. 0.
    :P D 5
    """
    scene, notes = read_gamos_geometry(write(tmp_path, text), named)
    assert scene.fill is None  # a world of vacuum
    box, one, two = scene.parts
    assert (box.name, box.shape, box.parent) == ("my box", Box((200.0, 100.0, 200.0)), None)
    assert box.placement.centre_mm == (0.0, 0.0, -100.0)
    assert (one.name, two.name, one.parent, one.material) == ("grain 1", "grain 2", "my box", named("G4_W"))
    assert two.placement.centre_mm == (0.0, 0.0, -10.0)
    assert scene.source == "head.geom"
    assert notes == (
        "The parameter D is defined again; the later value counts. Where: head.geom, line 19.",
        ":VIS has no effect here: how volumes are drawn (once in head.geom, line 16).",
        ":COLOUR has no effect here: how volumes are drawn (2 times, first in head.geom, line 17).",
        "The volume 'spare' is placed nowhere and left out (head.geom, line 15).",
    )
    assert scene_of(tmp_path, WORLD).fill == named("G4_AIR")


def test_what_lies_in_a_volume_placed_twice_is_there_twice(tmp_path: Path) -> None:
    text = (
        WORLD
        + """
    :VOLU cup BOX 10 10 10 G4_W
    :VOLU tea BOX 9 9 9 G4_WATER
    :PLACE tea 1 cup R0 0 0 0
    :PLACE cup 3 world R0 0 0 0
    :PLACE cup 5 world R0 50 0 0
    """
    )
    parts = scene_of(tmp_path, text).parts
    assert [(part.name, part.parent) for part in parts] == [
        ("cup 3", None),
        ("cup 5", None),
        ("tea 1", "cup 3"),
        ("tea 2", "cup 5"),
    ]


MATERIALS = """
:ELEM Hydrogen H 1. 1.00794*g/mole
:ELEM Oxygen O 8 15.9994
:ISOT O16 8 16 15.9949
:ISOT O18 8 18 17.9992
:ELEM_FROM_ISOT Oxy O 2 O16 0.998 O18 0.002
:MATE Alu 13 26.98 2.7*g/cm3
:MATE Iron 26. 55.85 7.87
:MIXT_BY_NATOMS Water 1. 2  Hydrogen 2  O 1
:MIXT_BY_NATOMS Other 1000*kg/m3 2  H 2  Oxy 1
:MIXT Steel 7.8 2
   Iron 0.98
   G4_C 2*perCent
:MIXT_BY_WEIGHT Foam 0.3 3  Hydrogen 0.1 Alu 1./3. O 1-0.1-1./3.
:MIXT_BY_VOLUME Half (7.87+2.7)/2 2  Alu 0.5  Iron 0.5
:MATE_MEE Water 78.*eV
:MATE_STATE Water liquid
"""


def test_materials(tmp_path: Path) -> None:
    names = ("Alu", "Water", "Other", "Steel", "Foam", "Half")
    volumes = "".join(f":VOLU v{n} ORB 1 {n}\n:PLACE v{n} 1 world R0 {10 * i} 0 0\n" for i, n in enumerate(names))
    scene = scene_of(tmp_path, volumes + WORLD + MATERIALS)  # materials may come after the volumes
    media = {part.material.name: part.material for part in scene.parts if part.material}
    assert media["Alu"].mass_fractions == {13: 1.0}
    assert media["Alu"].density_g_cm3 == pytest.approx(2.7, rel=1e-12)
    hydrogen = 2 * 1.00794 / (2 * 1.00794 + 15.9994)
    assert media["Water"].mass_fractions[1] == pytest.approx(hydrogen, rel=1e-4)
    assert media["Water"].mean_excitation_eV == pytest.approx(78.0)
    assert media["Other"].mass_fractions[1] == pytest.approx(hydrogen, rel=1e-3)
    assert media["Other"].density_g_cm3 == pytest.approx(1.0, rel=1e-12)
    assert media["Steel"].mass_fractions == pytest.approx({6: 0.02, 26: 0.98})
    assert media["Foam"].mass_fractions == pytest.approx({1: 0.1, 8: 1 - 0.1 - 1 / 3, 13: 1 / 3})
    assert media["Half"].mass_fractions == pytest.approx({13: 2.7 / 10.57, 26: 7.87 / 10.57})
    assert media["Half"].density_g_cm3 == pytest.approx(5.285)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("G4_C 2*perCent", "G4_C 0.1", r"The fractions of 'Steel' do not add up to one. Given: 1.08.*line 11"),
        (":MIXT Steel 7.8 2", ":MIXT Steel 7.8 3", r":MIXT ends before the name of a component of 'Steel', of 3"),
        (":MIXT Steel 7.8 2", ":MIXT Steel 7.8 1", r"do not add up to one|more words than it needs"),
        ("Iron 0.98", "Irn 0.98", r"Unknown material.*Did you mean 'Iron'.*line 12"),
        ("Alu 13 26.98 2.7", "Alu 13 26.98 -2.7", r"density of 'Alu' must be positive. Given: -2.7\*g/cm3"),
        ("Alu 13 26.98", "Alu 13 30", r"not that of the natural element.*Given: 30"),
        ("Alu 13 26.98", "Alu 13.5 26.98", r"Expected an atomic number, a whole number from 1 to 92"),
        ("Alu 13 26.98 2.7*g/cm3", "Alu 13 26.98 2.7*g", r"Expected a density. Given: 2.7\*g, which measures mass"),
        ("Hydrogen 2  O 1", "Hydrogen 2  G4_O 1", r"by numbers of atoms is made of elements"),
        ("Hydrogen 2  O 1", "Hydrogen 1.5  O 1", r"whole number of atoms"),
        (":MATE Iron", ":MATE Alu", r"A material is defined twice. Given: 'Alu'"),
        ("Iron 0.98", "Steel 0.98", r"These materials are made of each other. Given: Steel"),
        ("O18 0.002", "O17 0.002", r"Unknown isotope. Did you mean 'O1[68]'"),
        (":MATE_MEE Water", ":MATE_MEE Wate", r"no material of this name. Did you mean 'Water'"),
    ],
)
def test_mistakes_of_materials(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in MATERIALS
    with pytest.raises(InputError, match=said):
        scene_of(tmp_path, MATERIALS.replace(old, new, 1) + WORLD)


def test_included_files(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    write(tmp_path / "parts", "10 20 30\nG4_W\n:VOLU b ORB 1 G4_WW\n", "inner.txt")
    text = WORLD + ":VOLU a BOX\n#include parts/inner.txt\n:PLACE a 1 world R0 0 0 0\n:PLACE b 1 world R0 0 0 0\n"
    said = problems_of(tmp_path, text)
    assert len(said) == 1
    assert "G4_WW" in said[0]
    assert "Where: inner.txt, line 3" in said[0]
    write(tmp_path / "parts", "10 20 30\nG4_W\n:VOLU b ORB 1 G4_W\n", "inner.txt")
    assert scene_of(tmp_path, text).part("a").shape == Box((20.0, 40.0, 60.0))
    assert "A file includes itself" in problems_of(tmp_path, "#include head.geom\n")[0]
    assert "no such file" in problems_of(tmp_path, "#include other.geom\n")[0]
    assert "Unknown directive. Given: '#define'" in problems_of(tmp_path, "#define X\n")[0]


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    text = (
        WORLD
        + """:P HALF 5*cmm
:VOLU a BOX 1 2 G4_W
:VOLU b BOX 1 -2 3 G4_Ww
:VOLU c BOX $HALF 1 1 G4_W
:VOL d BOX 1 1 1 G4_W
:PLACE a 1 world R0 0 0 0
:PLACE d 1 wrld R00 0 0 0
:VOLU e CYLINDER 1 2 3 G4_W
:VOLU f TORUS 1 2 3 4 5 G4_W
:REPL a world X 3 2
:ROTM R9 0 0
:VOLU g BOX 1 1 1 G4_Wo
"""
    )
    said = problems_of(tmp_path, text)
    expected = [
        ("Neither a unit nor a function", "line 3"),
        ("The BOX 'a' has another number of sizes", "Given: 2", "3: half lengths x, y, z", "line 4"),
        ("The BOX 'b': the three lengths of a box must be positive", "(2.0, -4.0, 6.0)", "line 5"),
        ("Unknown tag", "Did you mean ':VOLU'", ":VOL", "line 7"),
        ("Unknown solid", "'CYLINDER'", "line 10"),
        ("The solid TORUS of Geant4 is not known here", "line 11"),
        (":REPL makes volumes in a way that is not known", "line 12"),
        ("A rotation has another number of values", "Given: 2", "line 13"),
        ("Unknown material", "'G4_Wo'", "line 14"),
        ("A volume that is not there is placed", "'d'", "line 9"),
        ("'d' is placed in a volume that is not there. Did you mean 'world'?", "line 9"),
        ("Unknown rotation. Did you mean 'R0'?", "line 9"),
    ]
    for wanted in expected:
        assert any(all(word in line for word in wanted) for line in said), (wanted, said)
    assert len(said) == len(expected)  # c and a, whose reasons were told, are not told again


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The text has no volume"),
        ("hello\n:VOLU a ORB 1 G4_W\n", "Words stand before the first tag. Given: 'hello'"),
        (WORLD + ":VOLU a ORB 1 G4_W\n:VOLU b ORB 1 G4_W\n:PLACE b 1 a R0 0 0 0\n:VOLU c ORB 1 G4_W\n"
         ":PLACE c 1 world R0 0 0 0\n", "Several volumes are placed nowhere and could be the world. Given: world, a"),
        (WORLD + ":VOLU a ORB 1 G4_W\n:VOLU b ORB 1 G4_W\n:PLACE b 1 a R0 0 0 0\n:PLACE a 1 b R0 0 0 0\n",
         "Volumes are placed in each other in a circle. Given: b, a. Where: head.geom, line 5; head.geom, line 6"),
        (WORLD + ":VOLU a ORB 1 G4_W\n:PLACE a 1 world R0 0 0 0\n:PLACE a 1 world R0 9 0 0\n",
         "A volume is placed twice with the same copy number"),
        (WORLD + ":VOLU a ORB 1 G4_W\n:PLACE a 1 world R0 0 0\n", ":PLACE ends before z"),
        (WORLD + ":VOLU a ORB 1 G4_W\n:PLACE a 1 world R0 0 0 0 0\n", ":PLACE has more words than it needs. Given: 1"),
        (WORLD + ":VOLU world ORB 1 G4_W\n", "A volume is defined twice"),
        (WORLD + ":VOLU a ball G4_W\n", "Unknown solid. Given: 'ball'. Allowed: :SOLID before it"),
        (WORLD + ":VOLU a SPHERE 0 5 0 360 0 90 G4_W\n", "The sphere 'a' is cut in theta"),
        (WORLD + ":VOLU a POLYCONE 0 360 2 1 2 3 4 G4_W\n", "given by corners"),
        (WORLD + ":VOLU a POLYCONE 0 360 2 1 2 3 4 5 G4_W\n", "The POLYCONE 'a' has another number of sizes"),
        (WORLD + ":VOLU a TUBE 5 4 1 G4_W\n", "smaller than the outer. Given: 5 and 4 mm"),
        (WORLD + ":VOLU a EXTRUDED 3 0 0 1 0 0 1 2 0 0 0 1 5 0 0 2 G4_W\n", "must be the same at all z"),
        (WORLD + ":VOLU a EXTRUDED 4 0 0 1 1 1 0 0 1 2 0 0 0 1 5 0 0 1 G4_W\n", "its outline meets itself"),
        (WORLD + ":VOLU a TRAP 5 10 0 3 1 2 0 3 1 2 0 G4_W\n", "leans in a way that is not known"),
        (WORLD + ":ROTM M 1 0 0 0 1 0 0 0 -1\n", "A rotation that mirrors is not known here"),
        (WORLD + ":ROTM M 1 0 0 1 1 0 0 0 1\n", "columns of a rotation must be orthogonal"),
        (WORLD + ":P A 1 :VOLU b ORB 1 G4_W\n", "A tag stands inside a line"),
        (WORLD + ':VOLU "a ORB 1 G4_W\n', "A double quote is not closed on its line"),
        (WORLD + ":VOLU a ORB 1 $MAT\n", "Unknown text parameter"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in problem for problem in problems_of(tmp_path, text)), problems_of(tmp_path, text)


def test_a_file_is_known_by_what_stands_in_it(tmp_path: Path) -> None:
    text = f"\n// a head\n{WORLD}:VIS world OFF\n"
    scene, notes = read_scene(write(tmp_path, text, "head.txt"), named)
    assert scene.fill == named("G4_AIR")
    assert len(notes) == 1
    toml = '# a head\n[scene]\nfill = "G4_AIR"\n'
    assert read_scene(write(tmp_path, toml, "head.txt"), named) == (
        Scene(fill=named("G4_AIR"), source="head.txt"), ()
    )  # fmt: skip


TAGS = st.sampled_from(
    [":VOLU", ":SOLID", ":PLACE", ":ROTM", ":P", ":PS", ":MATE", ":MIXT", ":ELEM", ":MIXT_BY_NATOMS", ":MODULE", ":VIS",
     ":MIXT_BY_VOLUME", ":ELEM_FROM_ISOT", ":ISOT", ":MATE_MEE", ":BEAM", "#include", "//", "\\"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["a", "b", "world", "R0", "G4_W", "BOX", "TUBS", "POLYCONE", "EXTRUDED", "TRAP", "SPHERE", "UNION", "SUBTRACTION",
     "JAWS", "MLC", "RANGE_MODULATOR", "X", "FOCUSED", "ROUND", "ROUND_DISP_POSFILE", "STRAIGHT", "LEAF", "0", "1", "2",
     "3", "-1", "5*cm", "90*deg", "$A", "1e99", "1/0", '"a b"', '"', "head.geom", "é", "(", "\\"]
)  # fmt: skip


@given(st.lists(st.tuples(TAGS, st.lists(WORDS, max_size=16)), max_size=8), st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_refused(tmp_path: Path, lines: list[tuple[str, list[str]]], with_world: bool) -> None:
    text = "\n".join(" ".join([tag, *words]) for tag, words in lines)
    try:
        read_scene(write(tmp_path, (WORLD if with_world else "") + text), named)
    except InputError as error:
        assert error.problems


@given(st.integers(0, len(MATERIALS) - 1), st.text(alphabet=':$*/()."- \n1aé\\', max_size=3))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_text_is_read_or_refused(tmp_path: Path, at: int, put: str) -> None:
    try:
        scene_of(tmp_path, WORLD + MATERIALS[:at] + put + MATERIALS[at + len(put) :])
    except InputError as error:
        assert error.problems
