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
    assert read_ion_plan(path).warnings == (
        "Beam Left turns its beam limiting device; scanned spots do not turn with it.",
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
    ({"NumberOfBlocks": 2}, "2 aperture or blocks"),
    ({"IonBlockSequence": [item(BlockName="A1")]}, "1 aperture or block (A1)"),
    ({"NumberOfCompensators": 1}, "1 range compensator"),
    ({"IonRangeCompensatorSequence": [item(CompensatorID="C1")]}, "1 range compensator (C1)"),
    ({"NumberOfRangeModulators": 1}, "1 range modulator"),
    ({"RangeModulatorSequence": [item(RangeModulatorID="M1")]}, "1 range modulator (M1)"),
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
def test_every_device_is_refused_or_left_out_aloud(path: Path, values: dict[str, object], name: str) -> None:
    def put(dataset: Dataset) -> None:
        for keyword, value in values.items():
            setattr(dataset.IonBeamSequence[0], keyword, value)

    with pytest.raises(InputError) as refused:
        read_ion_plan(edited(path, put))
    assert f"The beam has {name}, which cannot be calculated yet" in str(refused.value)
    beam = read_ion_plan(path, ignore_devices=True).beams[0]
    assert beam.devices_left_out == (name,)
