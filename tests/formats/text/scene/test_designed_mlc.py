"""Leaves of a scene file that name a design."""

from dataclasses import replace
from pathlib import Path

import pytest

from dosewright.commissioning.mlc_designs import mlc_design
from dosewright.core.errors import InputError
from dosewright.core.modules import Mlc
from dosewright.formats.text.scene.scene_toml import read_scene_toml
from dosewright.materials.library import named

LEAVES = """\
[[module]]
kind = "mlc"
name = "leaves"
design = "generic_60"
openings_mm = [[-20.0, 30.0]]
"""


def read(folder: Path, text: str = LEAVES) -> Mlc:
    path = folder / "head.toml"
    path.write_text(text, encoding="utf-8")
    (module,) = read_scene_toml(path, named, mlc_design).modules
    assert isinstance(module, Mlc)
    return module


def refused(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as error:
        read(folder, text)
    return str(error.value)


def test_leaves_are_those_of_the_design(tmp_path: Path) -> None:
    design = mlc_design("generic_60")
    opened = tuple(replace(pair, negative_mm=-20.0, positive_mm=30.0) for pair in design.pairs)
    assert read(tmp_path) == replace(design, name="leaves", pairs=opened, where="head.toml, line 1")


def test_each_pair_may_have_its_own_opening(tmp_path: Path) -> None:
    """The first row is that of the pair at the most negative position across."""
    rows = [[-k - 1.0, k + 2.0] for k in range(60)]
    mlc = read(tmp_path, LEAVES.replace("[[-20.0, 30.0]]", str(rows)))
    assert [[pair.negative_mm, pair.positive_mm] for pair in mlc.pairs] == rows
    assert [pair.profile for pair in mlc.pairs] == [2] * 10 + [1] * 40 + [2] * 10
    assert mlc.boundaries_mm()[0] < 0 < mlc.boundaries_mm()[-1]


@pytest.mark.parametrize("key", ["focus_z_mm = 700.0", "isocentre_z_mm = -300.0"])
def test_a_design_moves_as_one(tmp_path: Path, key: str) -> None:
    mlc, design = read(tmp_path, LEAVES + key), mlc_design("generic_60")
    assert (mlc.focus_z_mm, mlc.isocentre_z_mm, mlc.top_z_mm) == (700.0, -300.0, design.top_z_mm - 300.0)
    assert mlc.boundaries_mm() == pytest.approx(design.boundaries_mm(), abs=1e-9)


def test_a_beam_along_z_has_the_mirror_image(tmp_path: Path) -> None:
    mlc = read(tmp_path, "[scene]\nbeam = 1\n" + LEAVES + "isocentre_z_mm = 100.0\n")
    assert (mlc.beam, mlc.focus_z_mm, mlc.isocentre_z_mm, mlc.top_z_mm) == (1, -900.0, 100.0, -424.0)
    assert mlc.boundaries_mm() == pytest.approx(mlc_design("generic_60").boundaries_mm(), abs=1e-9)


def test_orientation_parent_and_material(tmp_path: Path) -> None:
    text = LEAVES + 'orientation = "Y"\nmaterial = "G4_W"\nparent = "air"\n'
    room = '[[part]]\nname = "air"\nbox = { size_mm = [900.0, 900.0, 900.0] }\nmaterial = "fill"\n'
    mlc = read(tmp_path, text + room)
    assert (mlc.orientation, mlc.material.name, mlc.parent) == ("Y", "G4_W", "air")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("generic_60", "generic_6",
         "No design of a multi-leaf collimator is called 'generic_6'. Did you mean 'generic_60'? Allowed: generic_60, "
         "generic_80. Where: head.toml, line 4."),
        ("[[-20.0, 30.0]]", "[[-20.0, 30.0], [1.0, 2.0]]",
         "The design 'generic_60' has another number of pairs of leaves than there are openings. Given: 2 rows of "
         "openings_mm. Allowed: 60, or 1 for all of them. Where: head.toml, line 1."),
        ("[[-20.0, 30.0]]", "[[30.0, -20.0]]",
         "pair 1: openings cross: the negative edge is at 30 mm, the positive one at -20 mm"),
        ("openings_mm = [[-20.0, 30.0]]", "", "The key 'module.1.openings_mm' is missing. Where: head.toml, line 1."),
        ("[[-20.0, 30.0]]\n", "[[-20.0, 30.0]]\ntop_z_mm = 500.0\n", "Unknown key 'module.1.top_z_mm'."),
        ("[[-20.0, 30.0]]\n", "[[-20.0, 30.0]]\nfocus_z_mm = 1000.0\nisocentre_z_mm = 100.0\n",
         "The design 'generic_60' keeps its distances: focus_z_mm or isocentre_z_mm moves all of it. Given: focus at "
         "z = 1000 mm, isocentre plane at 100 mm. Allowed: 1000 mm from the isocentre plane to the focus. Where: "
         "head.toml, line 1."),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_design_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in refused(tmp_path, LEAVES.replace(old, new))


def test_without_a_place_to_look_designs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "head.toml").write_text(LEAVES, encoding="utf-8")
    with pytest.raises(InputError, match="No designs of multi-leaf collimators are known here"):
        read_scene_toml(tmp_path / "head.toml", named)
