"""Macros: aliases, other macros of the library, volumes as GATE places and repeats them, mistakes with their line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import Material
from dosewright.core.solids import Box, Frustum, Solid, Tube
from dosewright.formats.text.ideal.gate_macro import read_macro

NOZZLE = """# a nozzle of our own making
/control/alias PROTON_CONVERGENCE_XTHETA     true
/control/alias half 0.5
/gate/world/daughters/name nozzle
/gate/world/daughters/insert box
/gate/nozzle/setMaterial G4_AIR
/gate/nozzle/geometry/setXLength 40 cm
/gate/nozzle/geometry/setYLength 30 cm  # along y
/gate/nozzle/geometry/setZLength 1 m
/gate/nozzle/placement/setTranslation 0 -1200 0 mm
/gate/nozzle/placement/setRotationAxis 1 0 0
/gate/nozzle/placement/setRotationAngle 90 deg
/gate/nozzle/vis/setColor blue
/control/execute ./data/foils.mac
/gate/nozzle/daughters/name window
/gate/nozzle/daughters/insert cylinder
/gate/window/setMaterial Kapton
/gate/window/geometry/setRmax 80 mm
/gate/window/geometry/setRmin 10 um
/gate/window/geometry/setHeight {half} mm
/gate/window/geometry/setPhiStart 90 deg
/gate/window/geometry/setDeltaPhi 180 deg
/gate/window/placement/setTranslation 0 20 -300 mm
/gate/physics/addPhysicsList QGSP_BIC_HP_EMZ
"""
FOILS = """/gate/nozzle/daughters/name foil
/gate/nozzle/daughters/insert box
/gate/foil/setMaterial Kapton
/gate/foil/geometry/setXLength 20 cm
/gate/foil/geometry/setYLength \\
   20 cm
/gate/foil/geometry/setZLength 50 um
/gate/foil/repeaters/insert linear
/gate/foil/linear/setRepeatNumber 3
/gate/foil/linear/setRepeatVector 0 0 10 mm
/gate/foil/placement/setTranslation 0 0 100 mm
"""


def named(name: str) -> Material:
    known = {"G4_AIR": 0.0012, "Air": 0.0012, "Kapton": 1.42, "PMMA": 1.19, "G4_Cu": 8.96}
    if name not in known:
        raise refuse("Unknown material", given=repr(name))
    return Material(name, known[name], {1: 0.1, 6: 0.9})


def write(folder: Path, nozzle: str = NOZZLE, foils: str = FOILS) -> Path:
    for name in ("RoomA", "common"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "common" / "foils.mac").write_text(foils)
    path = folder / "RoomA" / "RoomA_beamline_details.mac"
    path.write_text(nozzle)
    return path


def solids(folder: Path, text: str) -> dict[str, Solid]:
    return {one.name: one for one in read_macro(write(folder, text), root=folder).solids(named)}


def box(name: str, size: str = "10 20 30", mother: str = "world") -> str:
    x, y, z = size.split()
    return (
        f"/gate/{mother}/daughters/name {name}\n/gate/{mother}/daughters/insert box\n/gate/{name}/setMaterial PMMA\n"
        f"/gate/{name}/geometry/setXLength {x} mm\n/gate/{name}/geometry/setYLength {y} mm\n"
        f"/gate/{name}/geometry/setZLength {z} mm\n"
    )


def test_a_nozzle_with_a_macro_from_common(tmp_path: Path) -> None:
    macro = read_macro(write(tmp_path), root=tmp_path)
    assert macro.aliases == {"PROTON_CONVERGENCE_XTHETA": "true", "half": "0.5"}
    assert [file.name for file in macro.files] == ["RoomA_beamline_details.mac", "foils.mac"]
    (ignored,) = macro.ignored
    assert "line 24: /gate/physics/addPhysicsList" in ignored
    found = {one.name: one for one in macro.solids(named)}
    assert list(found) == ["nozzle", "foil[0]", "foil[1]", "foil[2]", "window"]
    assert found["nozzle"].shape == Box((400.0, 300.0, 1000.0))
    assert found["window"].shape == Tube(80.0, 0.5, 0.01, 90.0, 180.0)
    assert found["foil[0]"].shape == Box((200.0, 200.0, 0.05))
    assert (found["foil[0]"].density_g_cm3, found["nozzle"].density_g_cm3) == (1.42, 0.0012)
    # +90 degrees about x: own y to room z, own z to room -y.
    assert found["nozzle"].rotation @ [0, 1, 0] == pytest.approx([0, 0, 1], abs=1e-12)
    assert found["foil[1]"].rotation @ [0, 0, 1] == pytest.approx([0, -1, 0], abs=1e-12)
    assert found["foil[0]"].centre_mm == pytest.approx([0, -1200 - 90, 0], abs=1e-9)  # centred: 90, 100, 110 mm
    assert found["foil[2]"].centre_mm == pytest.approx([0, -1200 - 110, 0], abs=1e-9)
    assert found["window"].centre_mm == pytest.approx([0, -1200 + 300, 20], abs=1e-9)


def test_a_volume_turns_before_it_moves(tmp_path: Path) -> None:
    text = box("plate") + (
        "/gate/plate/placement/setTranslation 100 0 0 mm\n/gate/plate/placement/setRotationAxis 0 0 2\n"
        "/gate/plate/placement/setRotationAngle 0.5235987755982988 rad\n"
    )
    plate = solids(tmp_path, text)["plate"]
    assert plate.centre_mm == (100.0, 0.0, 0.0)
    assert plate.rotation[:, 0] == pytest.approx([np.cos(np.pi / 6), 0.5, 0.0])  # x towards y


def test_alignments(tmp_path: Path) -> None:
    def axis(name: str) -> list[float]:
        return [float(v) for v in solids(tmp_path, box("a") + f"/gate/a/placement/{name}\n")["a"].rotation[:, 2]]

    assert axis("alignToX") == pytest.approx([1, 0, 0], abs=1e-12)
    assert axis("alignToY") == pytest.approx([0, 1, 0], abs=1e-12)
    assert axis("alignToZ") == pytest.approx([0, 0, 1], abs=1e-12)


def test_repeaters_follow_the_axes_of_the_mother_and_multiply(tmp_path: Path) -> None:
    text = box("pin", "1 1 1") + (
        "/gate/pin/placement/setRotationAxis 0 0 1\n/gate/pin/placement/setRotationAngle 90 deg\n"
        "/gate/pin/repeaters/insert cubicArray\n/gate/pin/cubicArray/setRepeatNumberX 2\n"
        "/gate/pin/cubicArray/setRepeatNumberY 3\n/gate/pin/cubicArray/setRepeatVector 4 6 0 mm\n"
        "/gate/pin/repeaters/insert linear\n/gate/pin/linear/setRepeatNumber 2\n"
        "/gate/pin/linear/autoCenter false\n/gate/pin/linear/setRepeatVector 0 0 5 cm\n"
    )
    centres = [one.centre_mm for one in solids(tmp_path, text).values()]
    wanted = [(x, y, z) for y in (-6, 0, 6) for x in (-2, 2) for z in (0, 50)]
    assert np.array(centres) == pytest.approx(np.array(wanted, float), abs=1e-9)


def test_daughters_are_repeated_with_their_mother(tmp_path: Path) -> None:
    text = box("tray", "50 50 10") + box("pin", "2 2 2", "tray") + (
        "/gate/pin/placement/setTranslation 10 0 0 mm\n/gate/tray/placement/alignToX\n"
        "/gate/tray/repeaters/insert linear\n/gate/tray/linear/setRepeatNumber 2\n"
        "/gate/tray/linear/setRepeatVector 0 100 0 mm\n"
    )  # fmt: skip
    found = list(read_macro(write(tmp_path, text), root=tmp_path).solids(named))
    assert [one.name for one in found] == ["tray[0]", "pin", "tray[1]", "pin"]
    assert found[1].centre_mm == pytest.approx([0, -50, -10], abs=1e-9)  # +90 degrees about y: x to -z
    assert found[3].centre_mm == pytest.approx([0, 50, -10], abs=1e-9)


def ridge(z: str = "3") -> str:
    return (
        "/gate/world/daughters/name ridge\n/gate/world/daughters/insert trpd\n/gate/ridge/setMaterial PMMA\n"
        "/gate/ridge/geometry/setX1Length 100 mm\n/gate/ridge/geometry/setX2Length 90 mm\n"
        "/gate/ridge/geometry/setY1Length 60 mm\n/gate/ridge/geometry/setY2Length 50 mm\n"
        f"/gate/ridge/geometry/setZLength {z} mm\n/gate/ridge/placement/alignToX\n"
    )


def test_a_trapezoid_and_the_box_that_gate_cuts_out_of_it(tmp_path: Path) -> None:
    (flat,) = solids(tmp_path, ridge()).values()
    assert flat.shape == Frustum((100.0, 60.0), (90.0, 50.0), 3.0)
    ridge_, cavity = solids(tmp_path, ridge("40")).values()  # GATE's 10 mm at (10, 10, 10) mm now lies inside
    assert (ridge_.name, cavity.name) == ("ridge", "ridge cavity")
    assert cavity.shape == Box((10.0, 10.0, 10.0))
    assert cavity.material is None  # the world
    assert cavity.centre_mm == pytest.approx([10, 10, -10], abs=1e-9)
    text = ridge("40") + "/gate/ridge/geometry/setZBoxLength 25 mm\n/gate/ridge/geometry/setYBoxPos -3 mm\n"
    _, cavity = solids(tmp_path, text).values()
    assert cavity.shape == Box((10.0, 10.0, 22.5))  # cut off by the upper face, at z = 20 mm
    assert cavity.centre_mm == pytest.approx([8.75, -3, -10], abs=1e-9)
    with pytest.raises(InputError, match="cavity of 'ridge' cuts its sides"):
        solids(tmp_path, ridge("40") + "/gate/ridge/geometry/setXBoxPos 45 mm\n")
    assert len(solids(tmp_path, ridge("40") + "/gate/ridge/geometry/setXBoxPos 1 m\n")) == 1


def test_aliases_of_the_caller_and_aliases_in_aliases(tmp_path: Path) -> None:
    text = box("water") + (
        "/control/alias axis x\n/gate/water/placement/setTranslation {water_move_{axis}} {water_move_y} 0 mm\n"
        '/control/alias said "two words"\n'
    )
    macro = read_macro(write(tmp_path, text), root=tmp_path, aliases={"water_move_x": "1.5", "water_move_y": "-2"})
    assert macro.solids(named)[0].centre_mm == (1.5, -2.0, 0.0)
    assert macro.aliases["said"] == "two words"


def test_the_world_stays_air(tmp_path: Path) -> None:
    macro = read_macro(
        write(tmp_path, "/gate/world/setMaterial Air\n/gate/world/geometry/setXLength 5 m\n"), root=tmp_path
    )
    assert len(macro.ignored) == 2
    with pytest.raises(InputError, match=r"world cannot be changed.*Vacuum.*line 1"):
        read_macro(write(tmp_path, "/gate/world/setMaterial Vacuum\n"), root=tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("insert cylinder", "insert cone", r"shape of a volume is not known.*cone.*box, cylinder, trpd.*line 16"),
        ("setRmax 80 mm", "setRmaxi 80 mm", r"Did you mean 'setRmax'.*line 18"),
        ("setRmax 80 mm", "setRmax 80", r"a number and a unit.*'?80'?.*mm, cm.*line 18"),
        ("setRmax 80 mm", "setRmax 80 inch", r"a number and a unit.*80 inch.*line 18"),
        ("setRmax 80 mm", "setRmax 8O mm", r"Expected a number.*8O.*line 18"),
        ("setRmax 80 mm", "setRmax 5 um", r"'window' holds nothing.*Rmin 0.01 mm, Rmax 0.005 mm.*line 16"),
        ("/gate/window/setMaterial Kapton\n", "", r"'window' has no material.*/gate/window/setMaterial.*line 16"),
        ("setMaterial Kapton", "setMaterial Capton", r"Unknown material.*Capton.*line 16"),
        ("/gate/window/geometry/setHeight {half} mm\n", "", r"'window' is not complete.*no setHeight.*line 16"),
        ("{half} mm", "{halve} mm", r"Unknown alias. Did you mean 'half'.*\{halve\}.*line 20"),
        ("{half} mm", "{half mm", r"braces of an alias.*line 20"),
        ("setRotationAxis 1 0 0", "setRotationAxis 0 0 0", r"rotation axis needs a length.*line 11"),
        ("/gate/nozzle/placement/setRotationAxis 1 0 0\n", "", r"'nozzle' turns without an axis.*line 5"),
        ("0 -1200 0 mm", "0 -1200 mm", r"3 numbers and a unit.*line 10"),
        ("placement/setTranslation 0 20", "placement/setPhiOfTranslation 0 20", r"placement is not known.*line 23"),
        ("0 20 -300 mm", "0 20 -600 mm", r"'window' sticks out of its mother 'nozzle'.*100.25 mm along z.*line 16"),
        ("/gate/window/placement", "/gate/windows/placement", r"Unknown volume. Did you mean 'window'.*line 23"),
        ("daughters/name window", "daughters/name nozzle", r"'nozzle' is inserted twice.*line 5.*line 16"),
        ("/gate/window/placement/", "/gate/window/moves/insert translation #", r"may shape the beam.*moves.*line 23"),
        ("/gate/physics/addPhysicsList", "/gate/source/addSource", r"shapes the beam.*source properties.*line 24"),
        ("/gate/physics/addPhysicsList", "/gate/geometry/setMagField", r"shapes the beam.*straight in air.*line 24"),
        ("/gate/physics/addPhysicsList", "/control/loop", r"may shape the beam.*/control/loop.*line 24"),
        ("/gate/physics/addPhysicsList", "gate/physics", r"Expected a command.*line 24"),
        ("./data/foils.mac", "./data/foil.mac", r"missing. Did you mean 'foils.mac'.*line 14"),
        ("./data/foils.mac", "foils.mac", r"outside the library.*line 14"),
        ("./data/foils.mac", "./data/../foils.mac", r"outside the library.*line 14"),
        ("./data/foils.mac", "/etc/passwd", r"outside the library.*line 14"),
        ("./data/foils.mac", "./data/RoomA_beamline_details.mac", r"executes itself.*line 14"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in NOZZLE
    path = write(tmp_path, NOZZLE.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_macro(path, root=tmp_path).solids(named)


def test_nothing_more_is_said_of_a_volume_of_unknown_shape(tmp_path: Path) -> None:
    text = NOZZLE.replace("insert cylinder", "insert cone") + "/gate/window/daughters/name a\n/gate/a/setMaterial Air\n"
    with pytest.raises(InputError) as refused:
        read_macro(write(tmp_path, text), root=tmp_path)
    assert len(refused.value.problems) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("insert linear", "insert ring", r"repeater is not known.*insert ring.*foils.mac, line 8"),
        ("setRepeatNumber 3", "setRepeatNumber 2.5", r"copies is not possible.*foils.mac, line 9"),
        ("setRepeatNumber 3", "setRepeatNumbers 3", r"Did you mean 'setRepeatNumber'.*foils.mac, line 9"),
        ("setRepeatNumber 3", "setRepeatNumber 90000", r"1 to 20000.*foils.mac, line 9"),
    ],
)
def test_mistakes_of_executed_macros_too(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_macro(write(tmp_path, foils=FOILS.replace(old, new, 1)), root=tmp_path)


def test_the_library_is_not_left_and_is_unambiguous(tmp_path: Path) -> None:
    root = tmp_path / "beamlines"
    root.mkdir()
    (tmp_path / "secret.mac").write_text("/control/verbose 1\n")
    path = write(root)
    (root / "common" / "foils.mac").unlink()
    (root / "common" / "foils.mac").symlink_to(tmp_path / "secret.mac")
    with pytest.raises(InputError, match="outside the library"):
        read_macro(path, root=root)
    path = write(tmp_path)
    (tmp_path / "RoomA" / "foils.mac").write_text(FOILS)
    with pytest.raises(InputError, match=r"Two macros have the name"):
        read_macro(path, root=tmp_path)


def test_endless_macros_end(tmp_path: Path) -> None:
    many = "/control/execute ./data/foils.mac\n" * 3
    with pytest.raises(InputError, match="executes itself"):
        read_macro(write(tmp_path, foils=many), root=tmp_path)
    path = write(tmp_path, many)
    for level in range(8):
        (tmp_path / "common" / f"b{level}.mac").write_text(f"/control/execute ./data/b{level + 1}.mac\n" * 9)
    (tmp_path / "common" / "b8.mac").write_text("")
    (tmp_path / "common" / "foils.mac").write_text("/control/execute ./data/b0.mac\n")
    with pytest.raises(InputError, match="too often"):
        read_macro(path, root=tmp_path)
    grows = "/control/alias a " + "x" * 50 + "\n" + "/control/alias a {a}{a}\n" * 40
    with pytest.raises(InputError, match="too long"):
        read_macro(write(tmp_path, grows), root=tmp_path)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(NOZZLE)), st.integers(0, 60), st.booleans())
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int, inner: bool
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = write(folder)
    target = folder / "common" / "foils.mac" if inner else path
    good = target.read_bytes()
    for data in (
        noise,
        b"/gate/world/" + noise,
        b"/control/execute " + noise,
        good[:start] + noise[:12] + good[start + cut :],
    ):
        target.write_bytes(data)
        try:
            read_macro(path, root=folder).solids(named)
        except InputError:
            continue


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(NOZZLE.splitlines() + FOILS.splitlines() + ridge().splitlines()), max_size=40))
def test_commands_in_any_order_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    try:
        read_macro(write(folder, "\n".join(lines)), root=folder).solids(named)
    except InputError:
        return
