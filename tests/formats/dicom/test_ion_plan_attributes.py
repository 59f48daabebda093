"""RT Ion Plans, attribute by attribute: what no other test of plans shows of what is declared."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError
from dosewright.core.plan import IonPlan
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import read_ion_plan, write_ion_plan


@pytest.fixture
def path(tmp_path: Path, ion_plan: IonPlan, identity: Identity) -> Path:
    write_ion_plan(tmp_path / "plan.dcm", ion_plan, identity)
    return tmp_path / "plan.dcm"


def edited(path: Path, edit: Callable[[Dataset], Any]) -> Path:
    dataset = pydicom.dcmread(path)
    edit(dataset)
    dataset.save_as(path)
    return path


def item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def test_what_a_plan_says_of_itself(path: Path) -> None:
    def say(dataset: Dataset) -> None:
        dataset.SOPInstanceUID, dataset.FrameOfReferenceUID = "1.2.7", "1.2.8"
        dataset.RTPlanLabel, dataset.ApprovalStatus, dataset.PlanIntent = "two\r\nlines", "REJECTED", "PALLIATIVE"
        dataset.ReferencedStructureSetSequence = [item(ReferencedSOPInstanceUID="1.2.9")]

    plan = read_ion_plan(edited(path, say))
    assert (plan.uid, plan.frame_of_reference_uid, plan.structure_set_uid) == ("1.2.7", "1.2.8", "1.2.9")
    assert (plan.label, plan.approval, plan.intent) == ("two lines", "REJECTED", "PALLIATIVE")
    assert read_ion_plan(edited(path, lambda d: delattr(d, "ReferencedStructureSetSequence"))).structure_set_uid == ""


def test_a_plan_without_a_patient_is_said(path: Path) -> None:
    edited(path, lambda d: setattr(d, "RTPlanGeometry", "TREATMENT_DEVICE"))
    assert read_ion_plan(path).warnings == (
        "The plan was made on the treatment device, not on a patient (RTPlanGeometry).",
    )


def test_of_several_prescriptions_the_highest_counts(path: Path) -> None:
    def prescribe(*doses: float | None) -> Callable[[Dataset], None]:
        items = [item(DoseReferenceNumber=k, TargetPrescriptionDose=dose) for k, dose in enumerate(doses, 1)]
        return lambda dataset: setattr(dataset, "DoseReferenceSequence", items)

    plan = read_ion_plan(edited(path, prescribe(1.8, 2.2, None)))
    assert plan.prescription_Gy == 2.2
    assert plan.warnings == (
        "The plan prescribes several target doses (1.8, 2.2 Gy); the highest is taken as the prescription.",
    )
    assert read_ion_plan(edited(path, prescribe(None))).prescription_Gy is None


def test_beams_of_the_fraction_group_are_numbered(path: Path) -> None:
    """ReferencedBeamNumber is needed, and each beam comes once."""
    edited(path, lambda d: setattr(d.FractionGroupSequence[0].ReferencedBeamSequence[0], "ReferencedBeamNumber", None))
    with pytest.raises(InputError, match=r"has no number \(ReferencedBeamNumber\)"):
        read_ion_plan(path)
    edited(path, lambda d: setattr(d.FractionGroupSequence[0].ReferencedBeamSequence[0], "ReferencedBeamNumber", 2))
    with pytest.raises(InputError, match=r"listed twice in the fraction group\. Given: 2"):
        read_ion_plan(path)


def test_virtual_source_axis_distances(path: Path) -> None:
    def say(*distances: float) -> Callable[[Dataset], None]:
        return lambda dataset: setattr(dataset.IonBeamSequence[0], "VirtualSourceAxisDistances", list(distances))

    assert read_ion_plan(edited(path, say(1900.5, 2300.0))).beams[0].virtual_source_mm == (1900.5, 2300.0)
    assert read_ion_plan(edited(path, say(0, 0))).beams[0].virtual_source_mm is None
    with pytest.raises(InputError, match=r"VirtualSourceAxisDistances has the wrong number of values\. Given: 1"):
        read_ion_plan(edited(path, say(1900.5)))


def test_the_snout_of_a_beam(path: Path) -> None:
    edited(path, lambda d: setattr(d.IonBeamSequence[0], "SnoutSequence", [item(SnoutID="S9"), item(SnoutID="S8")]))
    edited(path, lambda d: delattr(d.IonBeamSequence[1], "SnoutSequence"))
    assert [beam.snout_id for beam in read_ion_plan(path).beams] == ["S9", ""]


def test_boli_and_accessories_are_said(path: Path) -> None:
    bolus = "uses a bolus; it counts only where the CT or a BOLUS structure has it."
    edited(path, lambda d: setattr(d.IonBeamSequence[0], "NumberOfBoli", 1))
    edited(path, lambda d: setattr(d.IonBeamSequence[1], "ReferencedBolusSequence", [item(ReferencedROINumber=3)]))
    assert read_ion_plan(path).warnings == (f"Beam Left {bolus}", f"Beam Top {bolus}")
    edited(path, lambda d: setattr(d.IonBeamSequence[0], "GeneralAccessorySequence", [item(GeneralAccessoryID="A")]))
    assert "Beam Left lists general accessories; they are left out." in read_ion_plan(path).warnings


def test_setups_are_tied_by_number(path: Path) -> None:
    """ReferencedPatientSetupNumber names a PatientSetupNumber; it is needed where the setups differ."""

    def swap(dataset: Dataset) -> None:
        one, two = dataset.PatientSetupSequence
        one.PatientSetupNumber, one.PatientPosition = 2, "FFS"
        two.PatientSetupNumber, two.PatientPosition = 1, "HFP"

    assert [beam.patient_position for beam in read_ion_plan(edited(path, swap)).beams] == ["HFP", "FFS"]
    edited(path, lambda d: setattr(d.IonBeamSequence[1], "ReferencedPatientSetupNumber", 7))
    with pytest.raises(InputError, match=r"names no patient setup of the plan, whose setups differ"):
        read_ion_plan(path)


def test_the_geometry_of_a_beam(path: Path) -> None:
    """SnoutPosition, TableTopPitchAngle and TableTopRollAngle may be left out; for the angles 0 is taken, said."""

    def turn(dataset: Dataset) -> None:
        point = dataset.IonBeamSequence[0].IonControlPointSequence[0]
        point.SnoutPosition, point.TableTopPitchAngle, point.TableTopRollAngle = 321.5, 2.5, -1.5

    beam = read_ion_plan(edited(path, turn)).beams[0]
    assert (beam.snout_position_mm, beam.pitch_deg, beam.roll_deg) == (321.5, 2.5, -1.5)
    point = "IonControlPointSequence"
    for keyword in ("SnoutPosition", "TableTopPitchAngle", "TableTopRollAngle"):
        edited(path, lambda d, keyword=keyword: delattr(d.IonBeamSequence[0][point].value[0], keyword))
    plan = read_ion_plan(path)
    assert (plan.beams[0].snout_position_mm, plan.beams[0].pitch_deg, plan.beams[0].roll_deg) == (None, 0.0, 0.0)
    assert plan.warnings == (
        "Beam Left states no TableTopPitchAngle; 0 is taken.",
        "Beam Left states no TableTopRollAngle; 0 is taken.",
    )


def test_a_beam_limiting_device_that_turns_is_said(path: Path) -> None:
    edited(path, lambda d: setattr(d.IonBeamSequence[0].IonControlPointSequence[0], "BeamLimitingDeviceAngle", "30"))
    plan = read_ion_plan(path)
    assert plan.beams[0].limiting_device_deg == 30.0
    assert plan.warnings == (
        "Beam Left turns its beam limiting device; blocks and compensators turn with it, scanned spots do not.",
    )


def test_what_a_range_shifter_says(path: Path) -> None:
    """RangeShifterNumber ties RangeShifterID and RangeShifterType to ReferencedRangeShifterNumber of the settings."""

    def describe(dataset: Dataset) -> None:
        beam = dataset.IonBeamSequence[0]
        kinds = [("OUTSIDE", 4, "BINARY"), ("WEDGES", 7, "ANALOG")]
        beam.RangeShifterSequence = [
            item(RangeShifterID=name, RangeShifterNumber=number, RangeShifterType=kind) for name, number, kind in kinds
        ]
        beam.NumberOfRangeShifters = 2
        beam.IonControlPointSequence[0].RangeShifterSettingsSequence = [
            item(ReferencedRangeShifterNumber=7, RangeShifterSetting="31", RangeShifterWaterEquivalentThickness=31.5),
            item(ReferencedRangeShifterNumber=4, RangeShifterSetting="OUT"),
        ]

    (shifter,) = read_ion_plan(edited(path, describe)).beams[0].range_shifters
    assert (shifter.id, shifter.number, shifter.kind) == ("WEDGES", 7, "ANALOG")
    assert shifter.water_equivalent_thickness_mm == 31.5

    def forget(dataset: Dataset) -> None:
        settings = dataset.IonBeamSequence[0].IonControlPointSequence[0].RangeShifterSettingsSequence
        del settings[0].RangeShifterWaterEquivalentThickness, settings[1].ReferencedRangeShifterNumber

    with pytest.raises(InputError) as refused:
        read_ion_plan(edited(path, forget))
    assert "needs RangeShifterWaterEquivalentThickness" in str(refused.value)
    assert "names no range shifter (ReferencedRangeShifterNumber)" in str(refused.value)


DEVICES = [
    ({"NumberOfWedges": 1}, "1 wedge"),
    ({"IonWedgeSequence": [item(WedgeID="W1")]}, "1 wedge (W1)"),
    ({"IonBeamLimitingDeviceSequence": [item(RTBeamLimitingDeviceType="X")]}, "1 collimator (X)"),
    (
        {"LateralSpreadingDeviceSequence": [
            item(LateralSpreadingDeviceType="SCATTERER", LateralSpreadingDeviceID="L1"),
            item(LateralSpreadingDeviceType="MAGNET", LateralSpreadingDeviceID="L2"),
        ]},
        "1 scatterer (L1)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("values", "name"), DEVICES, ids=[name for _, name in DEVICES])
def test_every_device_that_is_not_calculated_is_refused_or_left_out_aloud(
    path: Path, values: dict[str, object], name: str
) -> None:
    with pytest.raises(InputError) as refused:
        read_ion_plan(edited(path, in_beam(**values)))
    assert f"The beam has {name}, which cannot be calculated" in str(refused.value)
    assert read_ion_plan(path, ignore_devices=True).beams[0].devices_left_out == (name,)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"NumberOfBlocks": 2}, "2 aperture or blocks"),
        ({"IonBlockSequence": [item(BlockName="A1")]}, "1 aperture or block (A1)"),
        ({"NumberOfCompensators": 1}, "1 range compensator"),
        ({"IonRangeCompensatorSequence": [item(CompensatorID="C1")]}, "1 range compensator (C1)"),
        ({"NumberOfRangeModulators": 1}, "1 range modulator"),
        ({"RangeModulatorSequence": [item(RangeModulatorID="M1")]}, "1 range modulator (M1)"),
    ],
)
def test_devices_are_counted_where_they_are_left_out(path: Path, values: dict[str, object], name: str) -> None:
    plan = read_ion_plan(edited(path, in_beam(**values)), ignore_devices=True)
    assert plan.beams[0].devices_left_out == (name,)
    assert f"Beam Left: {name} LEFT OUT on request; the dose is not that of the plan." in plan.warnings


def in_beam(**values: object) -> Callable[[Dataset], None]:
    """An edit that sets attributes of the first beam."""

    def edit(dataset: Dataset) -> None:
        for keyword, value in values.items():
            setattr(dataset.IonBeamSequence[0], keyword, value)

    return edit


def test_what_a_block_says(path: Path) -> None:
    def aperture(**values: object) -> Dataset:
        return item(
            BlockType="APERTURE",
            BlockThickness="65",
            BlockData=["-1", "-2", "3", "-4", "5", "6"],
            MaterialID="BRASS",
            IsocenterToBlockTrayDistance=95.5,
            BlockMountingPosition="SOURCE_SIDE",
            BlockDivergence="PRESENT",
            **values,
        )

    blocks = [aperture(BlockName="A1", BlockNumber=7), aperture()]
    one, two = read_ion_plan(edited(path, in_beam(IonBlockSequence=blocks, NumberOfBlocks=2))).beams[0].blocks
    assert (one.name, one.number, two.name, two.number) == ("A1", 7, "", 2)
    assert (one.kind, one.thickness_mm, one.material, one.tray_mm) == ("APERTURE", 65.0, "BRASS", 95.5)
    assert (one.mounting, one.divergent, one.outline_mm.tolist()) == ("SOURCE_SIDE", True, [[-1, -2], [3, -4], [5, 6]])
    with pytest.raises(InputError, match="NumberOfBlocks does not fit the blocks described"):
        read_ion_plan(edited(path, in_beam(NumberOfBlocks=1)))


def test_what_a_compensator_says(path: Path) -> None:
    piece = item(
        CompensatorID="C1",
        CompensatorNumber=9,
        MaterialID="PMMA",
        IsocenterToCompensatorTrayDistance=60.5,
        CompensatorMountingPosition="SOURCE_SIDE",
        CompensatorDivergence="ABSENT",
        CompensatorRows=2,
        CompensatorColumns=3,
        CompensatorPixelSpacing=["4.5", "5.25"],
        CompensatorPosition=["-7.5", "8.25"],
        CompensatorColumnOffset=2.5,
        CompensatorThicknessData=["1", "2", "3", "4", "5", "6"],
        CompensatorRelativeStoppingPowerRatio=1.25,
        CompensatorMillingToolDiameter=4.75,
    )
    put = in_beam(IonRangeCompensatorSequence=[piece], NumberOfCompensators=1)
    (one,) = read_ion_plan(edited(path, put)).beams[0].compensators
    assert (one.id, one.number, one.material, one.tray_mm) == ("C1", 9, "PMMA", 60.5)
    assert one.thickness_mm.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (one.spacing_mm, one.first_mm, one.column_offset_mm) == ((4.5, 5.25), (-7.5, 8.25), 2.5)
    assert (one.stopping_power_ratio, one.milling_tool_mm, one.upper_mm) == (1.25, 4.75, None)
    with pytest.raises(InputError, match=r"compensator tray takes range.*TotalCompensatorTrayWaterEquivalentThickness"):
        read_ion_plan(edited(path, in_beam(TotalCompensatorTrayWaterEquivalentThickness=3.0)))
    with pytest.raises(InputError, match="NumberOfCompensators does not fit the compensators described"):
        read_ion_plan(edited(path, in_beam(NumberOfCompensators=2)))


def test_what_a_range_modulator_says(path: Path) -> None:
    modulators = [item(RangeModulatorID=name, RangeModulatorType="FIXED") for name in ("M1", "M2")]
    modulators[0].RangeModulatorNumber = 4
    place = item(ReferencedRangeModulatorNumber=4, IsocenterToRangeModulatorDistance=520.5)
    edited(path, in_beam(RangeModulatorSequence=modulators, NumberOfRangeModulators=2))
    edited(
        path,
        lambda d: setattr(d.IonBeamSequence[0].IonControlPointSequence[0], "RangeModulatorSettingsSequence", [place]),
    )
    one, two = read_ion_plan(path).beams[0].range_modulators
    assert (one.id, one.number, one.kind, one.isocenter_distance_mm) == ("M1", 4, "FIXED", 520.5)
    assert (two.id, two.number, two.isocenter_distance_mm) == ("M2", 2, None)
    edited(path, in_beam(NumberOfRangeModulators=1))
    with pytest.raises(InputError, match="NumberOfRangeModulators does not fit"):
        read_ion_plan(path)
