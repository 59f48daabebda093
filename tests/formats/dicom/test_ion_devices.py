"""Blocks, compensators and range modulators of an ion plan: written, read back, and refused where they are unclear."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError
from dosewright.core.plan import Block, Compensator, IonPlan, RangeModulatorSetting
from dosewright.formats.dicom.attributes import quietly
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import read_ion_plan, write_ion_plan

OUTLINE = np.array([[-20.5, -10.25], [31.0, -8.5], [12.0, 25.5]])
BLOCK = Block("apt", 1, "APERTURE", "BRASS", 65.0, 95.5, "SOURCE_SIDE", False, OUTLINE)
SHIELD = Block("", 2, "SHIELDING", "CERROBEND", 70.0, 200.0, "PATIENT_SIDE", True, OUTLINE + 2.0)
THICKNESS = np.arange(1.0, 13.0).reshape(3, 4)
COMPENSATOR = Compensator(
    "RC", 1, "PMMA", 60.5, "SOURCE_SIDE", False, THICKNESS, (4.5, 5.25), (-7.5, 8.25), 2.5, None, 1.16, 4.75
)
DOUBLE = replace(COMPENSATOR, mounting="DOUBLE_SIDED", upper_mm=100.0 + THICKNESS, column_offset_mm=0.0)
MODULATOR = RangeModulatorSetting("RM_3mm", 1, "FIXED", 520.5)
Edit = Callable[[Dataset], None]


@pytest.fixture
def path(tmp_path: Path, ion_plan: IonPlan, identity: Identity) -> Path:
    """A plan whose first beam has one of everything."""
    first, second = ion_plan.beams
    full = replace(
        first, blocks=(BLOCK, SHIELD), compensators=(COMPENSATOR,), range_modulators=(MODULATOR,),
        limiting_device_deg=30.0,
    )  # fmt: skip
    write_ion_plan(tmp_path / "plan.dcm", replace(ion_plan, beams=(full, second)), identity)
    return tmp_path / "plan.dcm"


def _edited(path: Path, edit: Edit) -> Path:
    dataset = pydicom.dcmread(path)
    edit(dataset.IonBeamSequence[0])
    dataset.save_as(path.with_name("edited.dcm"))
    return path.with_name("edited.dcm")


def test_all_devices_come_back(path: Path) -> None:
    beam, other = read_ion_plan(path).beams
    assert [replace(b, outline_mm=OUTLINE) for b in beam.blocks] == [BLOCK, replace(SHIELD, outline_mm=OUTLINE)]
    np.testing.assert_allclose(beam.blocks[0].outline_mm, OUTLINE)
    np.testing.assert_allclose(beam.blocks[1].outline_mm, OUTLINE + 2.0)
    (compensator,) = beam.compensators
    np.testing.assert_allclose(compensator.thickness_mm, THICKNESS)
    assert replace(compensator, thickness_mm=THICKNESS) == replace(
        COMPENSATOR, stopping_power_ratio=pytest.approx(1.16)
    )
    assert beam.range_modulators == (MODULATOR,)
    assert beam.limiting_device_deg == 30.0
    assert (other.blocks, other.compensators, other.range_modulators, other.limiting_device_deg) == ((), (), (), 0.0)


def test_double_sided_compensators_have_an_upper_surface(tmp_path: Path, ion_plan: IonPlan, identity: Identity) -> None:
    beam = replace(ion_plan.beams[0], compensators=(DOUBLE,))
    write_ion_plan(tmp_path / "plan.dcm", replace(ion_plan, beams=(beam,)), identity)
    (read,) = read_ion_plan(tmp_path / "plan.dcm").beams[0].compensators
    assert read.upper_mm is not None
    np.testing.assert_allclose(read.upper_mm, DOUBLE.upper_mm)


def test_a_closed_outline_is_opened(path: Path) -> None:
    def close(beam: Dataset) -> None:
        block = beam.IonBlockSequence[0]
        block.BlockData = [*block.BlockData, *block.BlockData[:2]]
        block.BlockNumberOfPoints = 4

    assert read_ion_plan(_edited(path, close)).beams[0].blocks[0].outline_mm.shape == (3, 2)


def _block(**changes: object) -> Edit:
    def edit(beam: Dataset) -> None:
        for keyword, value in changes.items():
            setattr(beam.IonBlockSequence[0], keyword, value)

    return edit


def _compensator(**changes: object) -> Edit:
    def edit(beam: Dataset) -> None:
        for keyword, value in changes.items():
            setattr(beam.IonRangeCompensatorSequence[0], keyword, value)

    return edit


def _modulator_moves(beam: Dataset) -> None:
    item = Dataset()
    item.ReferencedRangeModulatorNumber, item.IsocenterToRangeModulatorDistance = 1, 500.0
    beam.IonControlPointSequence[2].RangeModulatorSettingsSequence = [item]


def _snout_moves(beam: Dataset) -> None:
    del beam.IonControlPointSequence[0].RangeShifterSettingsSequence[0].RangeShifterSetting
    beam.RangeShifterSequence, beam.NumberOfRangeShifters = [], 0
    del beam.IonControlPointSequence[0].RangeShifterSettingsSequence
    beam.IonControlPointSequence[2].SnoutPosition = 100.0


REFUSED: list[tuple[Edit, str]] = [
    (_block(MaterialID=""), r"what it is made of \(MaterialID\).*block apt"),
    (_block(BlockType="HOLE"), "Unknown type of block.*Given: HOLE.*Allowed: APERTURE, SHIELDING"),
    (_block(BlockMountingPosition=None), "BlockMountingPosition"),
    (_block(BlockDivergence=None), "BlockDivergence must be known"),
    (_block(IsocenterToBlockTrayDistance=None), "IsocenterToBlockTrayDistance is missing"),
    (_block(BlockThickness="0"), "BlockThickness must be positive"),
    (_block(BlockData=["1", "2", "3"]), "x and y of three or more points"),
    (_block(BlockNumberOfPoints=7), "BlockNumberOfPoints does not fit.*Given: 7.*Allowed: 3"),
    (lambda beam: setattr(beam, "TotalBlockTrayWaterEquivalentThickness", 3.0), "block tray takes range"),
    (_compensator(CompensatorMountingPosition="HANGING"), "Allowed: PATIENT_SIDE, SOURCE_SIDE, DOUBLE_SIDED"),
    (_compensator(CompensatorMountingPosition="DOUBLE_SIDED"), "IsocenterToCompensatorDistances must hold one value"),
    (_compensator(CompensatorRows=5), "CompensatorThicknessData must hold one value.*Given: 12.*Allowed: 20"),
    (_compensator(CompensatorPixelSpacing=["0", "1"]), "two positive distances"),
    (_compensator(CompensatorPosition=None), "x and y of the first column"),
    (_compensator(CompensatorDivergence="SOME"), "CompensatorDivergence must be known"),
    (lambda beam: setattr(beam.RangeModulatorSequence[0], "RangeModulatorType", "WHL_MODWEIGHTS"), "wheel that turns"),
    (lambda beam: setattr(beam.RangeModulatorSequence[0], "RangeModulatorID", ""), "has no ID"),
    (lambda beam: setattr(beam.RangeModulatorSequence[0], "RangeModulatorType", None), "has no type"),
    (_modulator_moves, "'RM_3mm' moves inside the beam"),
    (_snout_moves, "snout moves inside the beam while a block is in"),
]


@pytest.mark.parametrize(("edit", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_is_unclear_is_refused(path: Path, edit: Edit, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_ion_plan(_edited(path, edit))


def test_everything_but_range_shifters_is_left_out_on_request(path: Path) -> None:
    plan = read_ion_plan(path, ignore_devices=True)
    beam = plan.beams[0]
    assert (beam.blocks, beam.compensators, beam.range_modulators) == ((), (), ())
    assert len(beam.range_shifters) == 1
    assert beam.devices_left_out == (
        "2 aperture or blocks (apt)",
        "1 range compensator (RC)",
        "1 range modulator (RM_3mm)",
    )
    assert sum("LEFT OUT on request" in w for w in plan.warnings) == 3


GARBAGE = (None, "", "garbage", -1, 0, "1e300", ["1", "2", "3"], [])


@pytest.mark.parametrize("sequence", ["IonBlockSequence", "IonRangeCompensatorSequence", "RangeModulatorSequence"])
def test_garbage_gives_an_input_error_and_nothing_else(path: Path, sequence: str) -> None:
    whole = pydicom.dcmread(path)
    keywords = [element.keyword for element in getattr(whole.IonBeamSequence[0], sequence)[0]]
    for keyword in keywords:
        for value in GARBAGE:
            spoiled = pydicom.dcmread(path)
            with quietly():
                try:
                    setattr(getattr(spoiled.IonBeamSequence[0], sequence)[0], keyword, value)
                    spoiled.save_as(path.with_name("spoiled.dcm"))
                except (ValueError, TypeError, OverflowError, OSError):
                    continue  # pydicom itself cannot write it
            with suppress(InputError):
                read_ion_plan(path.with_name("spoiled.dcm"))
