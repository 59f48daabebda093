"""Devices stand where the axes they are described in say: on the gantry, on the snout, in the room of a GATE macro."""

import re
from pathlib import Path

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.frame import gantry_to_patient, rotation_about
from dosewright.core.solids import Box, Device, Solid
from dosewright.geometry.beam.device_place import gantry_to_room, placed
from dosewright.geometry.beam.solid_inside import bounds_mm
from dosewright.materials.library import named

BRASS = named("brass")
CORNER = np.array([10.0, -20.0, 300.0])


def _device(centre: tuple[float, float, float], *, on_snout: bool = False, axes: str = "gantry") -> Device:
    solid = Solid("s", Box((8.0, 6.0, 2.0)), BRASS, 8.5, centre, rotation_about("z", 90.0))
    return Device("D", "nozzle", (solid,), on_snout, axes)


@pytest.mark.parametrize(
    ("gantry", "source"), [(0.0, (0, -1, 0)), (90.0, (1, 0, 0)), (180.0, (0, 1, 0)), (270.0, (-1, 0, 0))]
)
def test_the_source_is_where_the_room_of_a_macro_has_it(gantry: float, source: tuple[float, ...]) -> None:
    """y points down, x to the patient's left: above the patient at 0 degrees, at the left at 90."""
    np.testing.assert_allclose(gantry_to_room(gantry) @ [0.0, 0.0, 1.0], source, atol=1e-12)


@pytest.mark.parametrize("gantry", [0.0, 37.0, 90.0, 201.0, 270.0])
def test_the_room_is_the_patient_s_axes_of_one_who_lies_head_first_supine(gantry: float) -> None:
    """Left, down and towards the gantry are then the DICOM axes: x left, y posterior, z superior."""
    to_patient = gantry_to_patient(
        gantry_deg=gantry, couch_deg=0.0, patient_position="HFS", isocenter_mm=np.zeros(3), pitch_deg=0.0, roll_deg=0.0
    )
    np.testing.assert_allclose(gantry_to_room(gantry), to_patient.rotation, atol=1e-12)


@pytest.mark.parametrize("gantry", [0, 90, 180, 270])
def test_gate_s_own_orientation_plans_agree(gantry: int, shared_data: Path) -> None:
    """The plan of each angle holds the spots; GATE places the source at (x (S-D)/S, y (S-D)/S, D), turns it by +90
    degrees about x and then by the gantry angle about z: written here without this package's frames."""
    folder = shared_data / "beam-models" / "gate-rtion" / "TPSPencilBeamSource"
    lines = (folder / f"OrientationTest_PlanDescriptionFileGTRY{gantry}.txt").read_text().splitlines()
    after = next(i for i, line in enumerate(lines) if re.match(r"^#+\s*GantryAngle", line.strip()))
    angle = float(next(line for line in lines[after + 1 :] if line.strip() and not line.startswith("#")).split()[0])
    assert angle == gantry
    x, y, z = CORNER
    x, y, z = x, -z, y  # +90 degrees about x
    g = np.radians(angle)
    wanted = (x * np.cos(g) - y * np.sin(g), x * np.sin(g) + y * np.cos(g), z)
    np.testing.assert_allclose(gantry_to_room(angle) @ CORNER, wanted, atol=1e-9)


def test_what_turns_with_the_gantry_stays_as_it_is() -> None:
    device = _device((1.0, 2.0, 300.0))
    assert placed(device, gantry_deg=37.0, snout_mm=None) == device


@pytest.mark.parametrize("gantry", [0.0, 37.0, 90.0])
def test_a_device_of_the_room_is_turned_into_the_beam(gantry: float) -> None:
    turn = gantry_to_room(gantry)
    x, y, z = turn @ CORNER
    fixed = Device("D", "nozzle", (Solid("s", Box((8.0, 6.0, 2.0)), BRASS, 8.5, (x, y, z), turn),), axes="room")
    (solid,) = placed(fixed, gantry_deg=gantry, snout_mm=None).solids
    np.testing.assert_allclose(solid.centre_mm, CORNER, atol=1e-9)
    np.testing.assert_allclose(solid.rotation, np.eye(3), atol=1e-12)
    assert set(solid.rotation.ravel()) <= {0.0, 1.0} or gantry == 37.0


def test_a_fixed_beam_line_of_another_angle_is_refused() -> None:
    horizontal = Device("Horizontal", "nozzle", (Solid("s", Box((8.0, 60.0, 60.0)), BRASS, 8.5, (500.0, 0.0, 0.0)),),
                        axes="room")  # fmt: skip
    (solid,) = placed(horizontal, gantry_deg=90.0, snout_mm=None).solids
    low, high = bounds_mm(solid)
    np.testing.assert_allclose((low, high), ([-30, -30, 496], [30, 30, 504]), atol=1e-9)
    for gantry, off in ((0.0, 90), (37.0, 53), (270.0, 180)):
        with pytest.raises(
            InputError, match=rf"'Horizontal' is fixed in the room .* gantry angle {gantry:g}.*{off} deg"
        ):
            placed(horizontal, gantry_deg=gantry, snout_mm=None)


def test_what_rides_on_the_snout_is_counted_from_its_face() -> None:
    (solid,) = placed(_device((1.0, 2.0, 30.0), on_snout=True), gantry_deg=10.0, snout_mm=210.0).solids
    assert solid.centre_mm == (1.0, 2.0, 240.0)
    with pytest.raises(InputError, match="rides on the snout, and the plan states no snout position"):
        placed(_device((1.0, 2.0, 30.0), on_snout=True), gantry_deg=10.0, snout_mm=None)
    with pytest.raises(InputError, match="the snout moves inside the beam"):
        placed(_device((1.0, 2.0, 30.0), on_snout=True), gantry_deg=10.0, snout_mm=210.0, snout_moves=True)
