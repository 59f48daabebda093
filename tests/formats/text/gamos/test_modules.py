"""Modules of geometry text: every number in its place, over any number of lines; counts that do not fit are refused."""

from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.core.modules import Jaws, LeafPair, LeafProfile, Mlc, RangeModulator, Tip
from dosewright.core.scene import Module
from dosewright.formats.text.gamos.geometry import read_gamos_geometry
from dosewright.materials.library import named

HEAD = """:ROTM R0 0 0 0
:VOLU world BOX 1*m 1*m 1*m G4_AIR
:VOLU head BOX 400 400 400 G4_AIR
:PLACE head 1 world R0 0 0 0
:MIXT RTUW 18. 2  G4_W 0.95  G4_Ni 0.05
"""
JAWS = """:P JAWS_Z 80./2.
:P FIELD 12.*cm/2.
:MODULE JAWS
jaws_Y                          // name
Y ROUND_DISP                    // orientation, tip
11.*cm/2 13.*cm/2 $JAWS_Z       // half sizes
140. 35.                        // radius of the tip, its centre below the top
12.5                            // half-value layer
1.*mm -250.-$JAWS_Z -100.*cm    // z of focus, centre, isocentre
-$FIELD $FIELD+5                // field
RTUW head
"""
MLC = """:P N 3
:MODULE MLC
leaves Module_name
FOCUSED X ROUND_DISP_POSFILE
150./2.
90. 33. tips.dat
2. 5. -100.*cm
-45*cm
-70. 0.2 -(2.*$N+0.2*($N-1))/2.
2
LEAF 4
0. -1. 0. 1. -70. 1. -70. -1.
BLOCK 3
0. -2. 0. 2.
-80. 0.
$N
1 -30. 30.5
2 -3*cm -30
1 -32 0
RTUW world
"""
WHEEL = """:MODULE RANGE_MODULATOR wheel 70/2 50*3/2 280 4 3
  5.5 0.15
  12 0.12
  18.25 1/8
:VOLU modulator wheel G4_LUCITE
:PLACE modulator 1 head R0 160. 0 -1*cm
"""


def write(folder: Path, text: str) -> Path:
    (folder / "tips.dat").write_text("# opening, tip\n0. 0.\n50. 49.5\n100. 98.\n")
    path = folder / "head.geom"
    path.write_text(text)
    return path


def modules_of(folder: Path, text: str) -> tuple[Module, ...]:
    return read_gamos_geometry(write(folder, HEAD + text), named)[0].modules


def refused(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as error:
        modules_of(folder, text)
    return str(error.value)


def test_jaws(tmp_path: Path) -> None:
    (jaws,) = modules_of(tmp_path, JAWS)
    assert isinstance(jaws, Jaws)
    tip = Tip("ROUND_DISP", radius_mm=140.0, centre_below_top_mm=35.0, half_value_mm=12.5)
    assert jaws == Jaws("jaws_Y", "Y", tip, (55.0, 65.0, 40.0), 1.0, -290.0, -1000.0, -60.0, 65.0, jaws.material,
                        "head", -1, "head.geom, line 8")  # fmt: skip
    assert jaws.material.mass_fractions == pytest.approx({28: 0.05, 74: 0.95})


@pytest.mark.parametrize(
    ("kind", "of_tip", "of_travel", "tip"),
    [
        ("STRAIGHT", "", "250.", Tip("STRAIGHT", travel_radius_mm=250.0)),
        ("STRAIGHT_HORIZ", "", "250.", Tip("STRAIGHT_HORIZ", travel_radius_mm=250.0)),
        ("ROUND", "140. 12.", "", Tip("ROUND", radius_mm=140.0, half_value_mm=12.0)),
        ("ROUND_DISP", "140. 35. 12.", "", Tip("ROUND_DISP", 140.0, 35.0, 12.0)),
        ("ROUND_DISP_POSFILE", "140. 35. tips.dat", "",
         Tip("ROUND_DISP_POSFILE", 140.0, 35.0, positions_mm=((0.0, 0.0), (50.0, 49.5), (100.0, 98.0)))),
    ],
)  # fmt: skip
def test_each_tip_of_jaws_has_its_own_numbers(tmp_path: Path, kind: str, of_tip: str, of_travel: str, tip: Tip) -> None:
    text = f":MODULE JAWS j X {kind} 1*cm 2*cm 3*cm {of_tip} 0. {of_travel} -250. -100.*cm -4 5 G4_W world\n"
    (jaws,) = modules_of(tmp_path, text)
    assert isinstance(jaws, Jaws)
    assert jaws.tip == tip
    assert (jaws.half_size_mm, jaws.focus_z_mm, jaws.centre_z_mm) == ((10.0, 20.0, 30.0), 0.0, -250.0)
    assert (jaws.isocentre_z_mm, jaws.negative_mm, jaws.positive_mm, jaws.parent) == (-1000.0, -4.0, 5.0, None)


def test_a_collimator_of_leaves(tmp_path: Path) -> None:
    (mlc,) = modules_of(tmp_path, MLC)
    assert isinstance(mlc, Mlc)
    positions = ((0.0, 0.0), (50.0, 49.5), (100.0, 98.0))
    profiles = (
        LeafProfile("LEAF", ((0.0, -1.0), (0.0, 1.0), (-70.0, 1.0), (-70.0, -1.0))),
        LeafProfile("BLOCK", ((0.0, -2.0), (0.0, 2.0), (-80.0, 0.0))),
    )
    pairs = (LeafPair(1, -30.0, 30.5), LeafPair(2, -30.0, -30.0), LeafPair(1, -32.0, 0.0))
    tip = Tip("ROUND_DISP_POSFILE", 90.0, 33.0, positions_mm=positions)
    start = pytest.approx(-3.2)
    assert mlc == Mlc("leaves", True, "X", tip, 75.0, 2.0, 5.0, -1000.0, -450.0, -70.0, 0.2, start, profiles,  # type: ignore[arg-type]
                      pairs, mlc.material, None, -1, "head.geom, line 7")  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "of_tip", "tip"),
    [
        ("STRAIGHT", "400.", Tip("STRAIGHT", travel_radius_mm=400.0)),
        ("ROUND", "90. 12.", Tip("ROUND", 90.0, half_value_mm=12.0)),
        ("ROUND_DISP", "90. 33. 12.", Tip("ROUND_DISP", 90.0, 33.0, 12.0)),
    ],
)
def test_each_tip_of_leaves_has_its_own_numbers(tmp_path: Path, kind: str, of_tip: str, tip: Tip) -> None:
    text = MLC.replace("90. 33. tips.dat", of_tip).replace("ROUND_DISP_POSFILE", kind).replace("FOCUSED", "UNFOCUSED")
    (mlc,) = modules_of(tmp_path, text)
    assert isinstance(mlc, Mlc)
    assert (mlc.tip, mlc.focused, mlc.focus_z_mm) == (tip, False, 2.0)


def test_a_wheel_is_a_solid_that_the_text_places(tmp_path: Path) -> None:
    (wheel,) = modules_of(tmp_path, WHEEL)
    assert isinstance(wheel, RangeModulator)
    steps = ((5.5, 12.0, 18.25), (0.15, 0.12, 0.125))
    assert wheel == RangeModulator("modulator", 35.0, 75.0, 280.0, 4, *steps, named("G4_LUCITE"),
                                   (160.0, 0.0, -10.0), "head", True, "head.geom, line 6")  # fmt: skip
    notes = read_gamos_geometry(write(tmp_path, HEAD + WHEEL), named)[1]
    assert notes == ("The range modulator 'wheel' turns while the beam is on (head.geom, line 6).",)
    alone = WHEEL.split(":VOLU")[0]
    notes = read_gamos_geometry(write(tmp_path, HEAD + alone), named)[1]
    assert notes == ("The range modulator 'wheel' is not made a volume and left out (head.geom, line 6).",)


def test_the_beam_runs_along_plus_z_by_a_parameter(tmp_path: Path) -> None:
    text = ":MODULE JAWS j X STRAIGHT 1 2 3 0. 250. 250. 100.*cm -4 5 G4_W world\n"
    said = refused(tmp_path, text)
    assert "j: the beam runs along -z, from the focus to the isocentre" in said
    assert "Given: focus at 0 mm, isocentre at 1000 mm." in said
    assert ":P BEAM_Z 1 turns the beam round" in said
    (jaws,) = modules_of(tmp_path, ":P BEAM_Z +1\n" + text)
    assert isinstance(jaws, Jaws)
    assert jaws.beam == 1
    assert "Given: 0.5" in refused(tmp_path, ":P BEAM_Z 0.5\n" + text)


def test_a_half_value_layer_in_the_place_of_a_file_is_explained(tmp_path: Path) -> None:
    for number in ("70.", "$HVL", "70.*mm", "(70)"):
        text = ":P HVL 70.\n" + MLC.replace("tips.dat", number)
        said = refused(tmp_path, text)
        assert "ROUND_DISP_POSFILE takes the name of a file with the positions of the tip here, not a number" in said
        assert f"Given: {number}; a half-value layer belongs to ROUND and ROUND_DISP only." in said
        assert "head.geom, line 12" in said
    (mlc,) = modules_of(tmp_path, ":PS TIPS tips.dat\n" + MLC.replace("tips.dat", "$TIPS"))
    assert isinstance(mlc, Mlc)
    assert len(mlc.tip.positions_mm) == 3
    (tmp_path / "120_leaves.dat").write_text("0 0\n50 49\n")  # a name that begins like a number
    (mlc,) = modules_of(tmp_path, MLC.replace("tips.dat", "120_leaves.dat"))
    assert isinstance(mlc, Mlc)
    assert mlc.tip.positions_mm == ((0.0, 0.0), (50.0, 49.0))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "$N\n1 -30",
            "4\n1 -30",
            r"Expected the profile of pair 4: 4 pairs are counted, the list ends after 3. Given: RTUW",
        ),
        ("$N\n1 -30", "2\n1 -30", r"Expected a material after 2 pairs of leaves.*Given: 1, and 5 words are left"),
        ("1 -30. 30.5", "1 -50 -30. 30.5", r"Pair 2 of 3 names a profile that is not there.*no cross position"),
        ("1 -30. 30.5", "3 -30. 30.5", r"Pair 1 of 3 names a profile.*Given: 3. Allowed: 1 to 2"),
        ("LEAF 4", "LEAF 3", r"Expected LEAF or BLOCK of profile 2 of 2. Given: '-70.'"),
        ("BLOCK 3", "BLOK 3", r"Expected LEAF or BLOCK of profile 2 of 2. Did you mean 'BLOCK'"),
        ("BLOCK 3", "BLOCK 2", r"Profile 2 needs three points"),
        ("FOCUSED X", "FOCUSD X", r"Expected the type of the collimator. Did you mean 'FOCUSED'"),
        ("FOCUSED X", "FOCUSED Z", r"Expected the orientation. Given: 'Z'. Allowed: X, Y"),
        ("ROUND_DISP_POSFILE", "ROUND_POSFILE", r"Expected the type of the tip. Did you mean"),
        ("150./2.", "-150./2.", r"the half length of the leaves must be positive. Given: -150./2. = -75 mm"),
        ("tips.dat", "tipps.dat", r"cannot be read. Did you mean 'tips.dat'.*Named in head.geom, line 11"),
        ("RTUW world", "RTUWW world", r"Unknown material.*Did you mean 'RTUW'"),
        ("RTUW world", "RTUW worl", r"'leaves' lies in a volume that is not there. Did you mean 'world'"),
        ("RTUW world", "RTUW world 5", r":MODULE has more words than it needs. Given: 1 more: 5"),
        ("RTUW world", "RTUW", r":MODULE ends before the mother volume"),
        (":MODULE MLC", ":MODULE MCL", r"Expected a kind of module. Did you mean 'MLC'"),
    ],
)
def test_mistakes_of_leaves(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in MLC
    with pytest.raises(InputError, match=said):
        modules_of(tmp_path, MLC.replace(old, new, 1))


def test_tables_of_tips_ascend(tmp_path: Path) -> None:
    path = write(tmp_path, HEAD + MLC)
    (tmp_path / "tips.dat").write_text("0 0\n50 49\n40 39\n")
    with pytest.raises(InputError, match="openings that ascend"):
        read_gamos_geometry(path, named)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("12.5  ", "-12.5  ", r"A half-value layer is not negative. Given: -12.5 = -12.5 mm"),
        ("140. 35.", "140.", r"The positive field edge: Neither a unit.*'RTUW'"),
        ("140. 35.", "140. 35. 7.", r"Expected a material.*more or fewer numbers"),
        ("-$FIELD $FIELD+5", "-$FIELD", r"The positive field edge: Neither a unit.*'RTUW'"),
        ("RTUW head", "RTUW heads", r"lies in a volume that is not there. Did you mean 'head'"),
    ],
)
def test_mistakes_of_jaws(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in JAWS
    with pytest.raises(InputError, match=said):
        modules_of(tmp_path, JAWS.replace(old, new, 1))


def test_a_straight_jaw_moves_on_a_circle(tmp_path: Path) -> None:
    text = ":MODULE JAWS j X STRAIGHT 1 2 3 0. 0. -250. -100.*cm -4 5 G4_W world\n"
    assert "the radius of the movement must be positive. Given: 0. = 0 mm" in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("4 3\n", "4 4\n", r":MODULE ends before the thickness of step 4 of 4"),
        ("4 3\n", "4 2\n", r":MODULE has more words than it needs. Given: 2 more: 18.25 1/8"),
        ("12 0.12", "-12 0.12", r"the thickness of step 2 of 3 must be positive. Given: -12"),
        ("12 0.12", "3 0.12", r"wheel: the thicknesses of a range modulator ascend. Given: \(5.5, 3.0, 18.25\)"),
        ("12 0.12", "12 0.82", r"shares of a turn and at most one together. Given: sum 1.095"),
        ("70/2 50*3/2", "90 50*3/2", r"the radii of a range modulator ascend: RMIN, RIN, ROUT. Given: 90, 75, 280 mm"),
        ("head R0 160", "head TILT 160", r"'modulator' must turn about the z axis of its mother"),
    ],
)
def test_mistakes_of_wheels(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in WHEEL
    with pytest.raises(InputError, match=said):
        modules_of(tmp_path, ":ROTM TILT 10 0 0\n" + WHEEL.replace(old, new, 1))


def test_a_module_cannot_lie_in_a_volume_placed_twice(tmp_path: Path) -> None:
    said = refused(tmp_path, ":PLACE head 2 world R0 900 0 0\n" + JAWS)
    assert "'jaws_Y' cannot lie in this volume. Given: head, placed 2 times" in said
