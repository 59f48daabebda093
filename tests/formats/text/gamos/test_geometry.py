"""Geometry text: volumes, placements and which way they turn, files in files, mistakes with their line, garbage."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.text.gamos.geometry_texts import WORLD, problems_of, scene_of, write

from dosewright.core.errors import InputError
from dosewright.core.scene import Scene
from dosewright.core.shapes import Difference, Intersection, Union
from dosewright.core.solids import Box
from dosewright.formats.text.gamos.geometry import read_gamos_geometry
from dosewright.formats.text.scene_file import read_scene
from dosewright.materials.library import named


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
