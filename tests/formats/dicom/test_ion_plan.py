"""RT Ion Plans: what is read, what is inherited, what is refused, and real plans against their published facts."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError
from dosewright.core.plan import IonPlan
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import read_ion_plan, write_ion_plan

Edit = Callable[[Dataset], None]


@pytest.fixture
def path(tmp_path: Path, ion_plan: IonPlan, identity: Identity) -> Path:
    write_ion_plan(tmp_path / "plan.dcm", ion_plan, identity)
    return tmp_path / "plan.dcm"


def edited(path: Path, edit: Edit) -> Path:
    dataset = pydicom.dcmread(path)
    edit(dataset)
    dataset.save_as(path)
    return path


def beam(dataset: Dataset, number: int = 0) -> Dataset:
    return dataset.IonBeamSequence[number]


def points(dataset: Dataset, number: int = 0) -> list[Dataset]:
    return list(beam(dataset, number).IonControlPointSequence)


def test_what_is_written_is_read_back(path: Path, ion_plan: IonPlan) -> None:
    read = read_ion_plan(path)
    assert read.warnings == ()
    for name in ("label", "uid", "frame_of_reference_uid", "structure_set_uid", "fractions", "prescription_Gy",
                 "fraction_group", "approval", "intent"):  # fmt: skip
        assert getattr(read, name) == getattr(ion_plan, name), name
    for ours, theirs in zip(ion_plan.beams, read.beams, strict=True):
        assert replace(theirs, layers=()) == replace(
            ours, layers=(), final_cumulative_weight=pytest.approx(ours.sum_of_weights)
        )
        for a, b in zip(ours.layers, theirs.layers, strict=True):
            assert a.control_point == b.control_point
            assert a.nominal_energy_MeV == b.nominal_energy_MeV
            np.testing.assert_array_equal(a.x_mm, b.x_mm)
            np.testing.assert_array_equal(a.y_mm, b.y_mm)
            np.testing.assert_array_equal(a.weights, b.weights)
            assert (a.spot_tune_id, a.spot_size_fwhm_mm) == (b.spot_tune_id, b.spot_size_fwhm_mm)


def test_spots_are_written_in_pairs(path: Path) -> None:
    control_points = points(pydicom.dcmread(path))
    assert len(control_points) == 8
    for first, second in zip(control_points[::2], control_points[1::2], strict=True):
        assert first.ScanSpotPositionMap == second.ScanSpotPositionMap
        assert not np.any(second.ScanSpotMetersetWeights)
        step = second.CumulativeMetersetWeight - first.CumulativeMetersetWeight
        assert step == pytest.approx(sum(first.ScanSpotMetersetWeights))


def test_spots_on_odd_control_points(path: Path, ion_plan: IonPlan) -> None:
    """Some systems put the weights on the second point of each pair."""

    def swap(dataset: Dataset) -> None:
        control_points = points(dataset)
        for first, second in zip(control_points[::2], control_points[1::2], strict=True):
            weights = first.ScanSpotMetersetWeights
            first.ScanSpotMetersetWeights = second.ScanSpotMetersetWeights
            second.ScanSpotMetersetWeights = weights

    read = read_ion_plan(edited(path, swap)).beams[0]
    assert read.sum_of_weights == pytest.approx(ion_plan.beams[0].sum_of_weights)
    assert [la.control_point for la in read.layers] == [1, 3, 5, 7]


def test_spots_on_every_control_point(path: Path, ion_plan: IonPlan) -> None:
    """One control point per layer, the last one ending the beam."""

    def single(dataset: Dataset) -> None:
        one = beam(dataset)
        one.IonControlPointSequence = points(dataset)[::2]
        one.NumberOfControlPoints = 4

    read = read_ion_plan(edited(path, single))
    assert read.beams[0].spot_count == ion_plan.beams[0].spot_count
    assert read.warnings == ()


def test_weights_given_twice_are_refused(path: Path) -> None:
    def double(dataset: Dataset) -> None:
        control_points = points(dataset)
        for first, second in zip(control_points[::2], control_points[1::2], strict=True):
            second.ScanSpotMetersetWeights = first.ScanSpotMetersetWeights

    with pytest.raises(InputError, match="do not add up to FinalCumulativeMetersetWeight"):
        read_ion_plan(edited(path, double))


def test_spots_of_no_weight_are_dropped(path: Path, ion_plan: IonPlan) -> None:
    def add(dataset: Dataset) -> None:
        first = points(dataset)[0]
        first.ScanSpotPositionMap = [99.0, 99.0, *first.ScanSpotPositionMap]
        first.ScanSpotMetersetWeights = [0.0, *first.ScanSpotMetersetWeights]
        first.NumberOfScanSpotPositions += 1

    np.testing.assert_array_equal(
        read_ion_plan(edited(path, add)).beams[0].layers[0].x_mm, ion_plan.beams[0].layers[0].x_mm
    )


def test_attributes_hold_until_changed(path: Path, ion_plan: IonPlan) -> None:
    def thin_out(dataset: Dataset) -> None:
        for number, point in enumerate(points(dataset)):
            if number:
                del point.ScanSpotTuneID, point.ScanningSpotSize
            if number % 2:
                del point.NominalBeamEnergy, point.ScanSpotPositionMap, point.ScanSpotMetersetWeights

    read = read_ion_plan(edited(path, thin_out)).beams[0]
    assert [la.nominal_energy_MeV for la in read.layers] == [150, 140, 130, 120]
    assert {(la.spot_tune_id, la.spot_size_fwhm_mm) for la in read.layers} == {("4.0", (14.0, 13.5))}


def test_a_cumulative_weight_that_disagrees_is_said(path: Path) -> None:
    def bend(dataset: Dataset) -> None:
        for point in points(dataset)[1:3]:
            point.CumulativeMetersetWeight = str(float(point.CumulativeMetersetWeight) * 1.01)

    (warning,) = read_ion_plan(edited(path, bend)).warnings
    assert "At 2 of 8 control points of beam Left the spot weights differ" in warning


def test_a_tenth_of_the_tolerance_is_not_said(path: Path) -> None:
    def bend(dataset: Dataset) -> None:
        point = points(dataset)[1]
        point.CumulativeMetersetWeight = str(float(point.CumulativeMetersetWeight) * (1 + 1e-4))

    assert read_ion_plan(edited(path, bend)).warnings == ()


@pytest.mark.parametrize(("factor", "accepted"), [(1.0005, True), (1.005, True), (1.02, False), (0.5, False)])
def test_the_total_of_the_weights(path: Path, factor: float, accepted: bool) -> None:
    def scale(dataset: Dataset) -> None:
        beam(dataset).FinalCumulativeMetersetWeight = str(float(beam(dataset).FinalCumulativeMetersetWeight) * factor)

    if accepted:
        assert any("add up to" in w for w in read_ion_plan(edited(path, scale)).warnings) == (factor > 1.001)
    else:
        with pytest.raises(InputError, match="do not add up"):
            read_ion_plan(edited(path, scale))


def test_missing_final_weight_is_the_sum_and_said(path: Path, ion_plan: IonPlan) -> None:
    read = read_ion_plan(edited(path, lambda d: delattr(beam(d), "FinalCumulativeMetersetWeight")))
    assert read.beams[0].final_cumulative_weight == pytest.approx(ion_plan.beams[0].sum_of_weights)
    assert "no final cumulative" in read.warnings[0]


def test_setup_beams_are_skipped(path: Path) -> None:
    read = read_ion_plan(edited(path, lambda d: setattr(beam(d, 1), "TreatmentDeliveryType", "SETUP")))
    assert [b.name for b in read.beams] == ["Left"]
    assert read.warnings == ("Beam Top is a SETUP beam and was skipped.",)


def test_empty_values_that_are_legal(path: Path) -> None:
    def empty(dataset: Dataset) -> None:
        dataset.FractionGroupSequence[0].NumberOfFractionsPlanned = None
        beam(dataset).TreatmentMachineName = ""
        beam(dataset).PrimaryDosimeterUnit = ""
        del points(dataset)[0].TableTopPitchAngle
        points(dataset)[0].GantryPitchAngle = None

    read = read_ion_plan(edited(path, empty))
    assert read.fractions is None
    assert (read.beams[0].machine, read.beams[0].meterset_unit, read.beams[0].pitch_deg) == ("", "", 0.0)
    said = " ".join(read.warnings)
    for words in ("number of fractions", "no treatment machine", "no unit of its meterset", "TableTopPitchAngle"):
        assert words in said


def test_range_shifter_without_thickness_and_distance(path: Path) -> None:
    def bare(dataset: Dataset) -> None:
        setting = points(dataset)[0].RangeShifterSettingsSequence[0]
        del setting.IsocenterToRangeShifterDistance, setting.RangeShifterWaterEquivalentThickness

    (shifter,) = read_ion_plan(edited(path, bare)).beams[0].range_shifters
    assert (shifter.isocenter_distance_mm, shifter.water_equivalent_thickness_mm) == (None, None)


def test_range_shifter_that_is_out(path: Path) -> None:
    def out(dataset: Dataset) -> None:
        points(dataset)[0].RangeShifterSettingsSequence[0].RangeShifterSetting = "OUT"

    assert read_ion_plan(edited(path, out)).beams[0].range_shifters == ()


def test_snout_position_belongs_to_the_control_point(path: Path) -> None:
    assert read_ion_plan(path).beams[0].snout_position_mm == 232.5


def test_heavier_ions_are_named(path: Path) -> None:
    def carbon(dataset: Dataset) -> None:
        one = beam(dataset)
        one.RadiationType = "ION"
        one.RadiationAtomicNumber, one.RadiationMassNumber, one.RadiationChargeState = 6, 12, 6

    assert read_ion_plan(edited(path, carbon)).beams[0].radiation == "ION_6_12_6"


def test_patient_position_follows_the_setup_link(path: Path) -> None:
    def turn(dataset: Dataset) -> None:
        dataset.PatientSetupSequence[1].PatientPosition = "FFP"

    assert [b.patient_position for b in read_ion_plan(edited(path, turn)).beams] == ["HFS", "FFP"]


def test_two_fraction_groups(path: Path) -> None:
    def second(dataset: Dataset) -> None:
        first = dataset.FractionGroupSequence[0]
        other = Dataset()
        other.FractionGroupNumber, other.NumberOfFractionsPlanned = 2, 7
        other.ReferencedBeamSequence = [first.ReferencedBeamSequence[1]]
        first.ReferencedBeamSequence = [first.ReferencedBeamSequence[0]]
        dataset.FractionGroupSequence = [first, other]

    edited(path, second)
    with pytest.raises(InputError, match=r"choose one by its number\. Given: 1, 2"):
        read_ion_plan(path)
    read = read_ion_plan(path, fraction_group=2)
    assert ([b.name for b in read.beams], read.fractions, read.fraction_group) == (["Top"], 7, 2)
    assert "does not belong to the fraction group" in read.warnings[0]
    with pytest.raises(InputError, match="no such fraction group"):
        read_ion_plan(path, fraction_group=3)


def change_point(number: int, **values: object) -> Edit:
    def edit(dataset: Dataset) -> None:
        for keyword, value in values.items():
            setattr(points(dataset)[number], keyword, value)

    return edit


def change_beam(**values: object) -> Edit:
    return lambda dataset: [setattr(beam(dataset), keyword, value) for keyword, value in values.items()] and None


def range_shifter_at(number: int, setting: str, distance: float = 275.5) -> Edit:
    def edit(dataset: Dataset) -> None:
        item = Dataset()
        item.ReferencedRangeShifterNumber, item.RangeShifterSetting = 1, setting
        item.IsocenterToRangeShifterDistance = distance
        points(dataset)[number].RangeShifterSettingsSequence = [item]

    return edit


REFUSED: list[tuple[Edit, str]] = [
    (change_beam(ScanMode="LINE"), "line scanning"),
    (change_beam(ScanMode="UNIFORM"), "uniform scanning"),
    (change_beam(ScanMode="NONE"), "passively scattered"),
    (change_beam(ScanMode="SPIRAL"), "Unknown scan mode"),
    (change_beam(ModulatedScanModeType="LINEAR"), "line scanning"),
    (change_beam(NumberOfBlocks=1), "NumberOfBlocks does not fit the blocks described"),
    (change_beam(IonBlockSequence=[Dataset()]), "Unknown type of block"),
    (change_beam(NumberOfCompensators=1), "NumberOfCompensators does not fit"),
    (change_beam(NumberOfRangeModulators=1), "NumberOfRangeModulators does not fit"),
    (change_beam(NumberOfWedges=2), "2 wedges, which cannot be calculated"),
    (change_beam(PrimaryDosimeterUnit="MINUTE"), "meterset unit"),
    (change_beam(RadiationType="ION"), "RadiationMassNumber"),
    (change_beam(NumberOfControlPoints=9), "cut short"),
    (change_beam(NumberOfRangeShifters=2), "NumberOfRangeShifters"),
    (change_beam(BeamNumber=2), "same numbers"),
    (change_beam(BeamName="Top"), "same names"),
    (change_point(2, GantryAngle="91"), "gantry angle changes"),
    (change_point(2, PatientSupportAngle="16"), "couch angle changes"),
    (change_point(2, TableTopPitchAngle=0.0), "table top pitch changes"),
    (change_point(2, IsocenterPosition=["0", "0", "0"]), "isocentre moves"),
    (change_point(2, SnoutPosition=100.0), "snout moves"),
    (change_point(0, GantryPitchAngle=3.0), "gantry is pitched"),
    (change_point(0, GantryAngle=None), "states no GantryAngle"),
    (change_point(0, PatientSupportAngle=None), "states no PatientSupportAngle"),
    (change_point(0, IsocenterPosition=None), "states no IsocenterPosition"),
    (change_point(0, NominalBeamEnergy=None), "no beam energy"),
    (change_point(2, NominalBeamEnergy="0"), "no beam energy"),
    (change_point(0, NominalBeamEnergyUnit="MM"), "must be in MeV"),
    (change_point(0, ScanSpotPositionMap=None), "no positions"),
    (change_point(0, ScanSpotPositionMap=[1.0, 2.0]), "x and y of every spot"),
    (change_point(0, ScanSpotMetersetWeights=[1.0, 2.0]), "NumberOfScanSpotPositions does not fit"),
    (change_point(0, ScanSpotMetersetWeights=[1.0, -2.0, 3.0]), "must not be negative"),
    (change_point(0, ScanSpotMetersetWeights=[1.0, float("nan"), 3.0]), "finite numbers"),
    (change_point(2, ScanSpotMetersetWeights=None), "do not add up"),
    (range_shifter_at(2, "OUT"), "RS_5CM' changes inside the beam"),
    (range_shifter_at(4, "IN", 200.0), "RS_5CM' changes inside the beam"),
    (range_shifter_at(0, "HALF"), "unknown setting"),
    (lambda d: delattr(points(d)[0], "RangeShifterSettingsSequence"), "no control point says"),
    (change_beam(RangeShifterSequence=[], NumberOfRangeShifters=0), "not described"),
    (lambda d: setattr(d.FractionGroupSequence[0].ReferencedBeamSequence[0], "BeamMeterset", None), "no meterset"),
    (lambda d: setattr(d.FractionGroupSequence[0], "ReferencedBeamSequence", []), "no fraction group with beams"),
    (lambda d: delattr(d, "IonBeamSequence"), "no treatment beam"),
    (lambda d: setattr(d.PatientSetupSequence[0], "PatientPosition", "SITTING"), "Unknown patient position"),
    (lambda d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.481.5"), "photon or electron plan"),
    (lambda d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"), "Given: CT Image"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_what_would_make_a_wrong_dose_is_refused(path: Path, edit: Edit, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        read_ion_plan(edited(path, edit))
    assert "secret" not in str(refused.value).casefold()


def test_all_problems_are_listed_together(path: Path) -> None:
    def several(dataset: Dataset) -> None:
        beam(dataset).ScanMode = "LINE"
        points(dataset, 1)[0].NominalBeamEnergy = None
        dataset.FractionGroupSequence[0].ReferencedBeamSequence[1].BeamMeterset = None

    with pytest.raises(InputError) as refused:
        read_ion_plan(edited(path, several))
    assert len(refused.value.problems) == 3
    assert any("beam 'Top', control point 0" in p for p in refused.value.problems)


def test_devices_can_be_ignored_aloud(path: Path) -> None:
    read = read_ion_plan(edited(path, change_beam(NumberOfBlocks=1)), ignore_devices=True)
    assert read.beams[0].devices_left_out == ("1 aperture or block",)
    assert "LEFT OUT on request" in read.warnings[0]


@pytest.mark.parametrize("explicit", [False, True])
def test_more_spots_than_a_short_length_field_holds(
    path: Path, ion_plan: IonPlan, identity: Identity, explicit: bool
) -> None:
    """9000 spots need 72 kB, more than Explicit VR can say for this kind of number."""
    layer = ion_plan.beams[0].layers[0]
    many = replace(layer, x_mm=np.arange(9000.0), y_mm=np.zeros(9000), weights=np.ones(9000))
    beams = (replace(ion_plan.beams[0], layers=(many,), final_cumulative_weight=9000.0),)
    write_ion_plan(path, replace(ion_plan, beams=beams), identity)
    if explicit:
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        dataset.save_as(path)
    np.testing.assert_array_equal(read_ion_plan(path).beams[0].layers[0].x_mm, many.x_mm)
