"""What is transported through as devices in front of voxels, and what as parts of a scene: the dose is the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.workflow.treatment.inputs import BEAM, FIELD, WATER, range80_mm, treatment

from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.core.solids import Box
from dosewright.formats.dose.mhd import write_mhd
from dosewright.simulation.goal import Goal
from dosewright.simulation.run import simulate
from dosewright.workflow.treatment.portion import Around, Portion

AIR = "region: Room ; material = air\n"
PLATE = "region: RS ; O = [0,0,-5] ; L = [10,8,3] ; material = PMMA\n"


def around(folder: Path, text: str) -> Around:
    """Return what is around the only region that scores."""
    (portion,) = treatment(folder, text).portions
    return portion.around


@pytest.mark.parametrize(("room", "medium"), [("", "vacuum"), (AIR, "air")])
def test_a_phantom_alone_needs_no_scene(tmp_path: Path, room: str, medium: str) -> None:
    assert around(tmp_path, WATER + FIELD + BEAM + room) == Around(medium=medium)


def test_a_box_in_front_is_a_device_in_the_axes_of_its_beam(tmp_path: Path) -> None:
    """Turned with beam and phantom it stays what it is; the beam's own z is the room's -z."""
    turns = "group: all_of_it phantom RS field_1\ntransform: all_of_it rotate {} room\n"
    for turn in ("", turns.format("y 90"), turns.format("[1,2,3] 40")):
        found = around(tmp_path, WATER + FIELD + BEAM + AIR + PLATE + turn)
        (solid,) = found.devices[0].solids
        assert isinstance(solid.shape, Box) and found.medium == "air" and not found.parts
        assert solid.shape.size_mm == pytest.approx((100.0, 80.0, 30.0))
        np.testing.assert_allclose(solid.centre_mm, (0.0, 0.0, -250.0), atol=1e-9)  # the field starts at -300


def test_a_box_that_lies_on_its_side_keeps_its_lengths(tmp_path: Path) -> None:
    found = around(tmp_path, WATER + FIELD + BEAM + PLATE + "transform: RS rotate x 90 self\n")
    shape = found.devices[0].solids[0].shape
    assert isinstance(shape, Box) and shape.size_mm == (100.0, 30.0, 80.0)


@pytest.mark.parametrize(
    "more",
    [
        PLATE + "transform: RS rotate x 10 self\n",  # it leans
        PLATE.replace("-5", "25"),  # behind the phantom
        PLATE.replace("-5", "-31"),  # the beam starts below its upper face
        PLATE + "pb: 2 1 ; P = [0,0,1] ; T = 100 ; N = 1\n",  # beams start in two planes
        PLATE.replace("PMMA", "vacuum"),
        PLATE.replace("PMMA", "air"),  # hardly more than nothing
        PLATE + "region: inner ; O = [0,0,-5] ; L = [2,2,2] ; material = Al\n",  # one in another
        PLATE.replace("O = [0,0,-5]", "O = [8,0,4]").replace("L = [10,8,3]", "L = [2,8,3]"),  # beside the phantom
        "region: Room ; material = water\n",
        PLATE.replace("L = [10", "L = [300") + "pb: 2 1 ; P = [110,0,0] ; T = 100 ; N = 1\n",  # more than 1 m aside
        PLATE + "pb: 2 1 ; T = 100 ; v = [0,0.3,1] ; N = 1\n",  # a beam that leans has axes of its own
    ],
)
def test_all_else_takes_a_scene(tmp_path: Path, more: str) -> None:
    portions = treatment(tmp_path, WATER + FIELD + BEAM + more).portions
    assert any(one.around.parts and not one.around.devices for one in portions)


def test_a_box_behind_what_is_light_is_not_in_front_of_it(tmp_path: Path) -> None:
    """There is no body that the beam would meet before the box."""
    foam = "material: foam ; basedOn = water ; rho = 0.05\n" + WATER.replace("= water", "= foam")
    assert around(tmp_path, foam + FIELD + BEAM + PLATE).devices
    assert around(tmp_path, foam + FIELD + BEAM + PLATE.replace("-5", "25")).parts


def test_boxes_that_overlap_are_refused_before_anything_runs(tmp_path: Path) -> None:
    twice = PLATE + PLATE.replace("RS", "RS2").replace("-5", "-6") + "deliver: all\ndeliver: all\n"
    with pytest.raises(InputError, match="overlap") as refused:
        treatment(tmp_path, WATER + FIELD + BEAM + twice)
    assert len(refused.value.problems) == 1  # not for every step


def ct_with_air(folder: Path, shoulder: bool) -> str:
    """Return a text with a CT, 10 cm deep, the upper half of which is air but for a shoulder beside the beam."""
    numbers = np.zeros((10, 12, 12), np.int16)
    numbers[:5] = -1000
    if shoulder:
        numbers[:5, :, :3] = 0  # from 30 mm on: in the reach of the beam, not in its core
    write_mhd(folder / "ct.mhd", Image(Grid((12, 12, 10), (10.0,) * 3, (0.0, 0.0, 0.0)), numbers), dtype="i2")
    return (
        "region: ct ; CTscan = ct.mhd ; O = [0,0,5] ; score = [dose]\n"
        "matColumns: HU rho H O\nmat: -1000 0.001 11 89\nmat: 100 1.1 11 89\n"
    )


@pytest.mark.parametrize("shoulder", [False, True])
def test_a_device_may_stand_in_the_air_of_a_ct(tmp_path: Path, shoulder: bool) -> None:
    """As in a plan: the box of a CT reaches up to where a range shifter is. A shoulder beside its core is no matter."""
    text = ct_with_air(tmp_path, shoulder) + FIELD + BEAM
    near = PLATE.replace("-5", "2").replace("L = [10,8,3]", "L = [6,8,3]")
    assert [one.id for one in around(tmp_path, text + near).devices] == ["RS"]
    with pytest.raises(InputError, match="reaches into the box"):
        treatment(tmp_path, text + near.replace("[0,0,2]", "[0,0,4]"))  # into what is denser


def as_scene(portion: Portion, folder: Path, text: str) -> Portion:
    """Return a portion with the parts it would have with a speck of PMMA behind the phantom, without the speck."""
    (other,) = treatment(folder, text + "region: speck ; O = [0,0,40] ; L = [1,1,1] ; material = PMMA\n").portions
    parts = tuple(part for part in other.around.parts if part.name != "speck")
    return replace(portion, around=Around(parts=parts))


@pytest.mark.parametrize("room", ["", AIR])
def test_the_dose_is_that_of_the_scene(tmp_path: Path, room: str) -> None:
    """Through a plate that covers half of the beam: sum within 0.3 %, ranges within 0.1 mm, 1 cm slabs within 1 %.

    Slabs have a standard error of 0.15 % in each of the two.
    """
    text = WATER + FIELD.replace("-30", "-80") + BEAM + room + PLATE.replace("O = [0", "O = [5")
    (portion,) = treatment(tmp_path, text).portions
    assert portion.around.devices
    doses = []
    for one, seed in ((portion, 1), (as_scene(portion, tmp_path, text), 2)):
        dose = simulate(one.problem(), Goal(histories=60_000), seed=seed, threads=1).dose_Gy
        doses.append(dose.sum(axis=(1, 2)))
    a, b = doses
    assert a.sum() == pytest.approx(b.sum(), rel=0.003)
    assert range80_mm(a, 1.0) == pytest.approx(range80_mm(b, 1.0), abs=0.1)
    slabs = [dose[:100].reshape(-1, 10).sum(axis=1) for dose in doses]
    np.testing.assert_allclose(*slabs, rtol=0.01)
