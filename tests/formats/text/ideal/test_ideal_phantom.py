"""Phantoms of IDEAL: texts and dose grid of the .cfg, solids of the .mac, and that the two agree."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import Material
from dosewright.core.solids import Box, Tube
from dosewright.formats.text.ideal.ideal_phantom import IdealPhantom, read_ideal_phantom

CFG = """# a phantom of our own making
[documentation]
GUI name = Slab with a hole
tooltip = 30 x 20 x 10 cm3
help text = first line
 second line, with a = sign
  third line

[dose grid]
x grid size [mm] =  300
Y Grid Size [mm] =  200
z grid size [mm] =  100
number of x voxels = 150
number of y voxels = 50
number of z voxels = 20
dose to water = no
"""
MAC = """/gate/world/daughters/name slab
/gate/world/daughters/insert box
/gate/slab/setMaterial PMMA
/gate/slab/geometry/setXLength 300 mm
/gate/slab/geometry/setYLength 20 cm
/gate/slab/geometry/setZLength 100 mm
/gate/slab/placement/setTranslation {slab_move_x} {slab_move_y} {slab_move_z} mm
/gate/slab/vis/setColor blue
/gate/slab/daughters/name hole
/gate/slab/daughters/insert cylinder
/gate/hole/setMaterial Air
/gate/hole/geometry/setRmax 20 mm
/gate/hole/geometry/setHeight 100 mm
/gate/hole/placement/setTranslation 50 0 0 mm
/gate/slab/attachPhantomSD
"""


def named(name: str) -> Material:
    known = {"PMMA": 1.19, "Air": 0.0012}
    if name not in known:
        raise refuse("Unknown material", given=repr(name))
    return Material(name, known[name], {1: 0.1, 6: 0.9})


def read(folder: Path, cfg: str = CFG, mac: str = MAC, name: str = "slab") -> IdealPhantom:
    (folder / "slab.cfg").write_text(cfg)
    (folder / f"{name}.mac").write_text(mac)
    return read_ideal_phantom(folder / "slab.cfg", folder / f"{name}.mac", named)


def test_both_files(tmp_path: Path) -> None:
    phantom = read(tmp_path)
    assert (phantom.name, phantom.description, phantom.tooltip) == ("slab", "Slab with a hole", "30 x 20 x 10 cm3")
    assert phantom.help_text == "first line\nsecond line, with a = sign\nthird line"
    assert (phantom.size_mm, phantom.counts) == ((300.0, 200.0, 100.0), (150, 50, 20))
    assert not phantom.dose_to_water
    slab, hole = phantom.solids
    assert (slab.shape, slab.centre_mm) == (Box((300.0, 200.0, 100.0)), (0.0, 0.0, 0.0))
    assert (hole.shape, hole.centre_mm) == (Tube(20.0, 100.0), (50.0, 0.0, 0.0))
    assert [note for note in phantom.notes if "attachPhantomSD" in note]
    assert [file.name for file in phantom.files] == ["slab.cfg", "slab.mac"]


def test_a_cylinder_turned_along_an_axis(tmp_path: Path) -> None:
    mac = (
        "/gate/world/daughters/name slab\n/gate/world/daughters/insert cylinder\n/gate/slab/setMaterial PMMA\n"
        "/gate/slab/geometry/setRmax 10 cm\n/gate/slab/geometry/setHeight 300 mm\n/gate/slab/placement/alignToX\n"
        "/gate/slab/placement/setTranslation {slab_move_x} {slab_move_y} {slab_move_z} mm\n"
    )
    phantom = read(tmp_path, CFG.replace("=  100", "=  200"), mac)
    assert phantom.solids[0].rotation[:, 2] == pytest.approx([1, 0, 0], abs=1e-12)
    with pytest.raises(InputError, match="parallel to its dose grid"):
        read(tmp_path, CFG, mac.replace("alignToX", "setRotationAxis 0 0 1") + "/gate/slab/placement/alignToX\n"
             "/gate/slab/placement/setRotationAngle 30 deg\n")  # fmt: skip


def test_a_phantom_that_stays_where_it_is_says_so(tmp_path: Path) -> None:
    phantom = read(tmp_path, mac=MAC.replace("{slab_move_x} {slab_move_y} {slab_move_z}", "0 0 0"))
    assert any("does not use the aliases" in note for note in phantom.notes)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("= 150", "= 150.5", r"number of x voxels.*'150.5'.*whole number.*slab.cfg, line 13"),
        ("= 150", "= 0", r"number of x voxels.*whole number from 1"),
        ("z grid size [mm]", "z grid size [cm]", r"another unit.*z grid size \[mm\].*line 12"),
        ("z grid size [mm]", "grid size z [mm]", r"Unknown setting in \[dose grid\].*line 12"),
        ("z grid size [mm] =  100\n", "", r"not complete.*z grid size"),
        ("=  100", "=  120", r"z size of the phantom is given twice.*120 mm in slab.cfg, 100 mm in slab.mac"),
        ("= no", "= maybe", r"dose to water.*'maybe'.*line 16"),
        ("[dose grid]", "[dosegrid]", r"Did you mean 'dose grid'.*line 9"),
        (" second", "second", r"Unknown setting in \[documentation\].*line 6"),
    ],
)
def test_mistakes_of_the_configuration(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CFG
    with pytest.raises(InputError, match=message):
        read(tmp_path, cfg=CFG.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{slab_move_z} mm", "{slab_move_z} cm", r"must move all of it.*a move by 10, 20, 40 mm for 1, 2, 4"),
        ("{slab_move_x} {slab_move_y}", "{slab_move_y} {slab_move_x}", r"a move by 2, 1, 4 mm for 1, 2, 4"),
        ("{slab_move_x}", "{slab_mov_x}", r"Unknown alias. Did you mean 'slab_move_x'.*slab.mac, line 7"),
        ("{slab_move_x} {slab_move_y} {slab_move_z}", "0 0 5", r"must lie at the origin.*5.0"),
        ("setMaterial PMMA", "setMaterial PMM", r"Unknown material.*'PMM'.*slab.mac, line 2"),
        ("50 0 0 mm", "150 0 0 mm", r"'hole' sticks out of its mother 'slab'.*20 mm along x"),
    ],
)
def test_mistakes_of_the_macro(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in MAC
    with pytest.raises(InputError, match=message):
        read(tmp_path, mac=MAC.replace(old, new, 1))


def test_names_must_agree(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must build the volume 'slab'. Did you mean 'slabs'"):
        read(tmp_path, mac=MAC.replace("/gate/slab/", "/gate/slabs/").replace("name slab", "name slabs"))
    with pytest.raises(InputError, match=r"must have one name"):
        read(tmp_path, name="plate")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(MAC)), st.integers(0, 60), st.booleans())
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int, which: bool
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    read(folder)
    target = folder / ("slab.mac" if which else "slab.cfg")
    good = target.read_bytes()
    for data in (noise, good[:start] + noise[:12] + good[start + cut :]):
        target.write_bytes(data)
        try:
            phantom = read_ideal_phantom(folder / "slab.cfg", folder / "slab.mac", named)
        except InputError:
            continue
        assert np.all(np.isfinite(phantom.size_mm))
