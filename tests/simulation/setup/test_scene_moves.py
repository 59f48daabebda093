"""Modules of a scene that a run file, or a plan that it names, moves."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.formats.dicom.test_leaf_openings import item, position, written
from tests.geometry.modules.rays import length_in

from dosewright.core.errors import InputError
from dosewright.core.modules import Jaws, Mlc
from dosewright.formats.dicom.sop_classes import RT_PLAN
from dosewright.simulation import read_run_file, run_in_folder
from dosewright.simulation.run_file.phantom_tables import Scene
from dosewright.simulation.run_file.write import resolved_content, to_toml
from dosewright.simulation.setup.scene import PlacedScene, placed_scene

HEAD = """\
[[module]]
kind = "jaws"
name = "jaws X"
orientation = "X"
tip = { kind = "STRAIGHT", travel_radius_mm = 400.0 }
half_size_mm = [80.0, 90.0, 30.0]
focus_z_mm = 1000.0
centre_z_mm = 600.0
isocentre_z_mm = 0.0
negative_mm = -50.0
positive_mm = 50.0
material = "G4_W"

[[module]]
kind = "mlc"
name = "leaves"
focused = true
orientation = "Y"
tip = { kind = "STRAIGHT_HORIZ" }
half_length_mm = 80.0
focus_z_mm = 1000.0
cross_focus_mm = 0.0
isocentre_z_mm = 0.0
top_z_mm = 500.0
gap_z_mm = 0.0
cross_gap_mm = 0.0
cross_start_mm = -40.0
profiles = [{ kind = "LEAF", points_mm = [[0.0, 0.0], [0.0, 40.0], [-60.0, 40.0], [-60.0, 0.0]] }]
pairs = [{ profile = 1, negative_mm = -9.0, positive_mm = 9.0 }, { profile = 1, negative_mm = -9.0, positive_mm = 9.0 }]
material = "G4_W"
"""
RUN = """\
[scene]
file = "head.toml"
{more}

[source]
kind = "point"
particle = "photon"
energy_MeV = 1
position_mm = [0, 0, 1000]
field_mm = [150, 150]
field_at_mm = [0, 0, 0]

[[transport.region]]
name = "G4_W"
electron_cut_MeV = 2.0

[goal]
histories = 200
"""
SET = """\
[[scene.set]]
module = "jaws X"
negative_mm = -30
positive_mm = 60

[[scene.set]]
module = "leaves"
pairs_mm = [[-20, 70], [-10, 40]]
"""


def plan(folder: Path, *, collimator: float | None = 30.0, gantry: float = 0.0, points: int = 2) -> Path:
    """Write a plan: jaws along x at -30 and 60 mm, two pairs of leaves along y; each further point opens a bit more."""
    devices = [
        item(RTBeamLimitingDeviceType="ASYMX", NumberOfLeafJawPairs=1),
        item(RTBeamLimitingDeviceType="MLCY", NumberOfLeafJawPairs=2, LeafPositionBoundaries=[-80.0, 0.0, 80.0]),
    ]
    first = item(
        CumulativeMetersetWeight=0.0,
        GantryAngle=gantry,
        BeamLimitingDevicePositionSequence=[
            position("ASYMX", -30.0, 60.0), position("MLCY", -20.0, -10.0, 70.0, 40.0)
        ],
    )  # fmt: skip
    if collimator is not None:
        first.BeamLimitingDeviceAngle = collimator
    later = [
        item(BeamLimitingDevicePositionSequence=[position("ASYMX", -30.0, 60.0 + k)]) for k in range(1, points - 1)
    ]
    last = item(CumulativeMetersetWeight=1.0)
    beam = item(
        BeamNumber=4, BeamName="AP", TreatmentMachineName="LINAC", NumberOfControlPoints=points,
        BeamLimitingDeviceSequence=devices, ControlPointSequence=[first, *later, last],
    )  # fmt: skip
    dataset: Dataset = item(SOPClassUID=RT_PLAN, SOPInstanceUID="1.2.3", Modality="RTPLAN", BeamSequence=[beam])
    return written(folder, dataset)


def placed(folder: Path, **keys: Any) -> PlacedScene:
    (folder / "head.toml").write_text(HEAD, encoding="utf-8")
    return placed_scene(Scene(file=str(folder / "head.toml"), **keys))


def read(folder: Path, more: str) -> Path:
    (folder / "head.toml").write_text(HEAD, encoding="utf-8")
    path = folder / "run.toml"
    path.write_text(RUN.format(more=more), encoding="utf-8")
    return path


def refused(folder: Path, more: str) -> str:
    with pytest.raises(InputError) as error:
        read_run_file(read(folder, more))
    return str(error.value)


def test_modules_are_moved_by_the_run_file(tmp_path: Path) -> None:
    run = read_run_file(read(tmp_path, SET))
    assert run.scene is not None
    jaws, leaves = placed_scene(run.scene).scene.modules
    assert isinstance(jaws, Jaws)
    assert isinstance(leaves, Mlc)
    assert (jaws.negative_mm, jaws.positive_mm) == (-30.0, 60.0)
    assert [(pair.negative_mm, pair.positive_mm) for pair in leaves.pairs] == [(-20.0, 70.0), (-10.0, 40.0)]
    again = tmp_path / "again.toml"
    again.write_text(to_toml(resolved_content(run, tmp_path)), encoding="utf-8")
    assert read_run_file(again) == run


@pytest.mark.parametrize("degrees", [0.0, 30.0, 270.0])
def test_the_field_of_a_plan_turns_with_the_collimator(tmp_path: Path, degrees: float) -> None:
    """Counter-clockwise seen from the source, at +z: a point of the collimator's axes lies at Rz(angle) times it."""
    scene = placed(tmp_path, plan=str(plan(tmp_path, collimator=degrees)))
    angle, seen = np.radians(degrees), []
    for x, y in np.random.default_rng(3).uniform(-78.0, 78.0, (150, 2)):
        low, high = (-20.0, 70.0) if x < 0 else (-10.0, 40.0)
        if min(abs(x), abs(x + 30), abs(x - 60), abs(y - low), abs(y - high)) < 0.1:
            continue
        lit = -30 < x < 60 and low < y < high
        at = (x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), 0.0)
        assert (length_in(scene.parts, (0.0, 0.0, 1000.0), at) == 0.0) == lit, (x, y)
        seen.append(lit)
    assert 20 < sum(seen) < len(seen) - 20


def test_results_say_where_modules_stand_and_why(tmp_path: Path) -> None:
    plan(tmp_path, gantry=90.0)
    run = read_run_file(read(tmp_path, 'plan = "plan.dcm"\nbeam = "AP"\ngantry = "ignored"'))
    run_in_folder(run, tmp_path / "out")
    said = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert said["scene"]["plan"] == {
        "beam": 4, "beam_name": "AP", "machine": "LINAC", "control_point": 0, "control_points": 2,
        "collimator_deg": 30.0, "gantry_deg_not_applied": 90.0, "couch_deg_not_applied": None,
    }  # fmt: skip
    jaws, leaves = said["scene"]["modules"]
    assert jaws["opening_mm"] == [-30.0, 60.0]
    assert leaves["openings_mm"] == [[-20.0, 70.0], [-10.0, 40.0]]
    assert set(said["inputs_sha256"]) == {"scene.file", "scene.plan"}
    told = " ".join(said["warnings"])
    assert "control point 0 of beam 4 'AP' of the plan" in told
    assert "turned by the collimator angle, 30 degrees" in told
    assert "The gantry angle of the plan, 90 degrees, is not applied" in told
    again = read_run_file(tmp_path / "out" / "run.toml")
    assert again.scene is not None
    assert Path(again.scene.plan or "").resolve() == (tmp_path / "plan.dcm").resolve()


def test_closed_leaves_that_touch_are_told(tmp_path: Path) -> None:
    text = HEAD.replace('{ kind = "STRAIGHT", travel_radius_mm = 400.0 }', '{ kind = "ROUND", radius_mm = 80.0, '
                        "half_value_mm = 10.0 }")  # fmt: skip
    (tmp_path / "head.toml").write_text(text, encoding="utf-8")
    move = ({"module": "jaws X", "negative_mm": 0.0, "positive_mm": 0.0},)
    told = placed_scene(Scene.model_validate({"file": str(tmp_path / "head.toml"), "set": move})).assumptions
    assert len(told) == 1
    assert told[0].startswith("Jaws 'jaws X' touch")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (SET.replace('"jaws X"', '"jaws Y"'),
         "scene.set[1]: The scene has no module 'jaws Y'. Did you mean 'jaws X'? Allowed: jaws X, leaves. Where: "
         "run.toml, line 3."),
        (SET.replace("positive_mm = 60", "positive_mm = -60"),
         "openings cross: the negative edge is at -30 mm, the positive one at -60 mm"),
        (SET.replace("positive_mm = 60\n", ""), "scene.set[1]: 'jaws X' are jaws, which have two edges."),
        (SET.replace(", [-10, 40]", ""), "scene.set[2]: The leaves 'leaves' have another number of pairs. Given: 1. "
         "Allowed: 2, from the most negative across."),
        (SET.replace("pairs_mm = [[-20, 70], [-10, 40]]", "negative_mm = 1"), "scene.set[2]: 'leaves' are leaves."),
        (SET + SET, "scene.set moves the module 'jaws X' twice."),
        (SET.replace("negative_mm", "negative_cm"), "Did you mean 'negative_mm'?"),
        ("control_point = 1", "scene.control_point is of a plan, and there is none. Given: 1. Allowed: scene.plan."),
        ('plan = "plan.dcm"\ngantry = "applied"', "scene.gantry is not a known word."),
        ('plan = "other.dcm"', "The file of scene.plan does not exist."),
        ('plan = "head.toml"', "scene.plan: The file is no DICOM object"),
        ('plan = "plan.dcm"\nbeam = "PA"', "scene.plan: The plan has no beam 'PA'. Known: 4 'AP'."),
        ('plan = "plan.dcm"\ncontrol_point = 2', "scene.plan: The beam has no such control point. Given: 2. Allowed: "
         "0 to 1."),
        ('plan = "plan.dcm"\nignored_devices = ["MLCY"]', "The plan does not say where the module 'leaves'"),
        ('plan = "plan.dcm"\n' + SET, "No module fits the plan's device ASYMX"),
    ],
)  # fmt: skip
def test_what_would_open_a_wrong_field_is_refused(tmp_path: Path, more: str, said: str) -> None:
    plan(tmp_path)
    assert said in refused(tmp_path, more)


def test_a_gantry_angle_must_be_ignored_by_name(tmp_path: Path) -> None:
    plan(tmp_path, gantry=90.0)
    said = refused(tmp_path, 'plan = "plan.dcm"')
    assert "The gantry angle of a plan is not applied: the scene lies where scene.rotation_deg has it" in said
    assert 'Given: 90 degrees. Allowed: 0, or gantry = "ignored". Where: run.toml, line 3.' in said


def test_control_points_that_differ_are_named(tmp_path: Path) -> None:
    path = plan(tmp_path, points=3)
    assert "The 3 control points of beam 4 differ" in refused(tmp_path, 'plan = "plan.dcm"')
    jaws = placed(tmp_path, plan=str(path), control_point=1).scene.modules[0]
    assert isinstance(jaws, Jaws)
    assert jaws.positive_mm == 61.0


def test_a_beam_along_z_has_no_plan(tmp_path: Path) -> None:
    plan(tmp_path)
    text = HEAD.replace('material = "G4_W"\n', 'material = "G4_W"\nbeam = 1\n', 1)
    text = text.replace("= 1000.0", "= -1000.0", 1).replace("centre_z_mm = 600.0", "centre_z_mm = -600.0")
    (tmp_path / "head.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"the beam along -z; these modules have it along \+z. Given: jaws X"):
        placed_scene(Scene(file=str(tmp_path / "head.toml"), plan=str(tmp_path / "plan.dcm")))


def test_a_collimator_angle_that_is_not_stated_is_told(tmp_path: Path) -> None:
    said = placed(tmp_path, plan=str(plan(tmp_path, collimator=None))).assumptions
    assert "The plan states no collimator angle; it is taken as 0." in said
