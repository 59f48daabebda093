"""The sequence items of an RT Ion Plan to be written."""

from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from dosewright.core.plan import (
    Block,
    Compensator,
    EnergyLayer,
    IonBeam,
    IonPlan,
    RangeModulatorSetting,
    RangeShifterSetting,
)
from dosewright.formats.dicom.conformance import Write, declared
from dosewright.formats.dicom.saving import decimal
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN, RT_STRUCTURE_SET

FIRST: Final = "in the first control point"
WRITES: Final = (
    *declared(
        (RT_ION_PLAN,),
        "FractionGroupSequence",
        [
            Write("FractionGroupNumber", "number"),
            Write("NumberOfFractionsPlanned", "fractions"),
            Write("NumberOfBeams", "number of beams"),
            Write("NumberOfBrachyApplicationSetups", "0"),
            Write("ReferencedBeamSequence/ReferencedBeamNumber", "number of the beam"),
            Write("ReferencedBeamSequence/BeamMeterset", "meterset per fraction"),
        ],
    ),
    *declared(
        (RT_ION_PLAN,),
        "PatientSetupSequence",
        [Write("PatientSetupNumber", "number of the setup"), Write("PatientPosition", "position")],
    ),
    *declared(
        (RT_ION_PLAN,),
        "ReferencedStructureSetSequence",
        [Write("ReferencedSOPClassUID", "RT Structure Set"), Write("ReferencedSOPInstanceUID", "the structure set")],
    ),
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence",
        [
            Write("BeamNumber", "number"),
            Write("BeamName", "name"),
            Write("BeamType", "STATIC"),
            Write("TreatmentMachineName", "machine"),
            Write("PrimaryDosimeterUnit", "MU or NP"),
            Write("RadiationType", "PROTON or ION"),
            Write("RadiationAtomicNumber", "of an ion"),
            Write("RadiationMassNumber", "of an ion"),
            Write("RadiationChargeState", "of an ion"),
            Write("TreatmentDeliveryType", "TREATMENT"),
            Write("ScanMode", "MODULATED"),
            Write("ModulatedScanModeType", "STATIONARY"),
            Write("VirtualSourceAxisDistances", "scanning distances, mm"),
            Write("NumberOfWedges", "0"),
            Write("NumberOfCompensators", "number of compensators"),
            Write("NumberOfBoli", "0"),
            Write("NumberOfBlocks", "number of blocks"),
            Write("NumberOfLateralSpreadingDevices", "0"),
            Write("NumberOfRangeModulators", "number of range modulators"),
            Write("NumberOfRangeShifters", "number of range shifters"),
            Write("RangeShifterSequence/RangeShifterNumber", "number"),
            Write("RangeShifterSequence/RangeShifterID", "name"),
            Write("RangeShifterSequence/RangeShifterType", "BINARY or another type"),
            Write("RangeModulatorSequence/RangeModulatorNumber", "number"),
            Write("RangeModulatorSequence/RangeModulatorID", "name"),
            Write("RangeModulatorSequence/RangeModulatorType", "FIXED"),
            *(
                Write(f"IonBlockSequence/{path}", value)
                for path, value in (
                    ("BlockNumber", "number"),
                    ("BlockName", "name"),
                    ("BlockType", "APERTURE or SHIELDING"),
                    ("MaterialID", "material"),
                    ("BlockThickness", "mm"),
                    ("IsocenterToBlockTrayDistance", "mm"),
                    ("BlockMountingPosition", "PATIENT_SIDE or SOURCE_SIDE"),
                    ("BlockDivergence", "PRESENT or ABSENT"),
                    ("BlockNumberOfPoints", "number of points"),
                    ("BlockData", "x and y of every point, mm"),
                )
            ),
            *(
                Write(f"IonRangeCompensatorSequence/{path}", value)
                for path, value in (
                    ("CompensatorNumber", "number"),
                    ("CompensatorID", "name"),
                    ("MaterialID", "material"),
                    ("IsocenterToCompensatorTrayDistance", "mm"),
                    ("CompensatorMountingPosition", "PATIENT_SIDE, SOURCE_SIDE or DOUBLE_SIDED"),
                    ("CompensatorDivergence", "PRESENT or ABSENT"),
                    ("CompensatorRows", "rows"),
                    ("CompensatorColumns", "columns"),
                    ("CompensatorPixelSpacing", "between rows, between columns, mm"),
                    ("CompensatorPosition", "x and y of the first column, mm"),
                    ("CompensatorThicknessData", "mm"),
                    ("CompensatorColumnOffset", "mm, if not 0"),
                    ("IsocenterToCompensatorDistances", "mm, if DOUBLE_SIDED"),
                    ("CompensatorRelativeStoppingPowerRatio", "if known"),
                    ("CompensatorMillingToolDiameter", "mm, if known"),
                )
            ),
            Write("SnoutSequence/SnoutID", "snout"),
            Write("PatientSupportType", "TABLE"),
            Write("ReferencedPatientSetupNumber", "number of the setup"),
            Write("FinalCumulativeMetersetWeight", "sum of the spot weights"),
            Write("NumberOfControlPoints", "two per layer"),
        ],
    ),
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence",
        [
            Write(f"IonControlPointSequence/{path}", value)
            for path, value in (
                ("ControlPointIndex", "from 0"),
                ("CumulativeMetersetWeight", "sum of the weights before"),
                ("NominalBeamEnergy", "MeV"),
                ("ScanSpotTuneID", "tune"),
                ("NumberOfScanSpotPositions", "number of spots"),
                ("NumberOfPaintings", "1"),
                ("ScanSpotPositionMap", "x and y of each spot, mm"),
                ("ScanSpotMetersetWeights", "weights; 0 at the second point of each pair"),
                ("ScanningSpotSize", "full widths at half maximum, mm"),
                ("GantryAngle", FIRST),
                ("GantryRotationDirection", "NONE"),
                ("GantryPitchAngle", "0"),
                ("GantryPitchRotationDirection", "NONE"),
                ("BeamLimitingDeviceAngle", FIRST),
                ("BeamLimitingDeviceRotationDirection", "NONE"),
                ("PatientSupportAngle", FIRST),
                ("PatientSupportRotationDirection", "NONE"),
                ("TableTopPitchAngle", FIRST),
                ("TableTopPitchRotationDirection", "NONE"),
                ("TableTopRollAngle", FIRST),
                ("TableTopRollRotationDirection", "NONE"),
                ("TableTopVerticalPosition", "empty"),
                ("TableTopLongitudinalPosition", "empty"),
                ("TableTopLateralPosition", "empty"),
                ("IsocenterPosition", FIRST),
                ("SnoutPosition", FIRST),
                ("RangeModulatorSettingsSequence/ReferencedRangeModulatorNumber", FIRST),
                ("RangeModulatorSettingsSequence/IsocenterToRangeModulatorDistance", "mm"),
                ("RangeShifterSettingsSequence/ReferencedRangeShifterNumber", FIRST),
                ("RangeShifterSettingsSequence/RangeShifterSetting", "IN"),
                ("RangeShifterSettingsSequence/IsocenterToRangeShifterDistance", "mm"),
                ("RangeShifterSettingsSequence/RangeShifterWaterEquivalentThickness", "mm"),
            )
        ],
    ),
)


def fraction_group_item(plan: IonPlan) -> Dataset:
    """Return the fraction group with the meterset of every beam."""
    group = Dataset()
    group.FractionGroupNumber, group.NumberOfFractionsPlanned = plan.fraction_group, plan.fractions
    group.NumberOfBeams, group.NumberOfBrachyApplicationSetups = len(plan.beams), 0
    group.ReferencedBeamSequence = [_referenced_beam(beam) for beam in plan.beams]
    return group


def _referenced_beam(beam: IonBeam) -> Dataset:
    item = Dataset()
    item.ReferencedBeamNumber = beam.number
    if beam.meterset is not None:
        item.BeamMeterset = decimal(beam.meterset)
    return item


def setup_items(plan: IonPlan) -> list[Dataset]:
    """Return one patient setup per beam."""
    items = []
    for number, beam in enumerate(plan.beams, 1):
        item = Dataset()
        item.PatientSetupNumber, item.PatientPosition = number, beam.patient_position
        items.append(item)
    return items


def structure_set_item(uid: str) -> Dataset:
    """Return the reference to the structure set."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = RT_STRUCTURE_SET, uid
    return item


def beam_item(beam: IonBeam, setup: int) -> Dataset:
    """Return one beam with a pair of control points per layer."""
    item = Dataset()
    item.BeamNumber, item.BeamName, item.BeamType = beam.number, beam.name, "STATIC"
    item.TreatmentMachineName, item.PrimaryDosimeterUnit = beam.machine, beam.meterset_unit
    _put_radiation(item, beam.radiation)
    item.TreatmentDeliveryType, item.ScanMode, item.ModulatedScanModeType = "TREATMENT", "MODULATED", "STATIONARY"
    if beam.virtual_source_mm:
        item.VirtualSourceAxisDistances = list(beam.virtual_source_mm)
    item.NumberOfWedges = item.NumberOfBoli = item.NumberOfLateralSpreadingDevices = 0
    item.NumberOfBlocks, item.NumberOfCompensators = len(beam.blocks), len(beam.compensators)
    item.NumberOfRangeModulators = len(beam.range_modulators)
    if beam.blocks:
        item.IonBlockSequence = [_block(block) for block in beam.blocks]
    if beam.compensators:
        item.IonRangeCompensatorSequence = [_compensator(one) for one in beam.compensators]
    if beam.range_modulators:
        item.RangeModulatorSequence = [_range_modulator(one) for one in beam.range_modulators]
    item.NumberOfRangeShifters = len(beam.range_shifters)
    if beam.range_shifters:
        item.RangeShifterSequence = [_range_shifter(s) for s in beam.range_shifters]
    if beam.snout_id:
        item.SnoutSequence = [Dataset()]
        item.SnoutSequence[0].SnoutID = beam.snout_id
    item.PatientSupportType, item.ReferencedPatientSetupNumber = "TABLE", setup
    item.FinalCumulativeMetersetWeight = decimal(beam.final_cumulative_weight)
    item.IonControlPointSequence = _control_points(beam)
    item.NumberOfControlPoints = len(item.IonControlPointSequence)
    return item


def _put_radiation(item: Dataset, radiation: str) -> None:
    if not radiation.startswith("ION_"):
        item.RadiationType = radiation
        return
    number, mass, charge = radiation.removeprefix("ION_").split("_")
    item.RadiationType, item.RadiationAtomicNumber = "ION", int(number)
    item.RadiationMassNumber, item.RadiationChargeState = int(mass), int(charge)


def _range_shifter(setting: RangeShifterSetting) -> Dataset:
    item = Dataset()
    item.RangeShifterNumber, item.RangeShifterID, item.RangeShifterType = setting.number, setting.id, setting.kind
    return item


def _range_modulator(setting: RangeModulatorSetting) -> Dataset:
    item = Dataset()
    item.RangeModulatorNumber, item.RangeModulatorID = setting.number, setting.id
    item.RangeModulatorType = setting.kind
    return item


def _block(block: Block) -> Dataset:
    item = Dataset()
    item.BlockNumber, item.BlockName, item.BlockType = block.number, block.name, block.kind
    item.MaterialID, item.BlockThickness = block.material, decimal(block.thickness_mm)
    item.IsocenterToBlockTrayDistance, item.BlockMountingPosition = block.tray_mm, block.mounting
    item.BlockDivergence = "PRESENT" if block.divergent else "ABSENT"
    item.BlockNumberOfPoints = len(block.outline_mm)
    item.BlockData = [decimal(v) for v in block.outline_mm.ravel()]
    return item


def _compensator(one: Compensator) -> Dataset:
    item = Dataset()
    item.CompensatorNumber, item.CompensatorID, item.MaterialID = one.number, one.id, one.material
    item.IsocenterToCompensatorTrayDistance, item.CompensatorMountingPosition = one.tray_mm, one.mounting
    item.CompensatorDivergence = "PRESENT" if one.divergent else "ABSENT"
    item.CompensatorRows, item.CompensatorColumns = one.thickness_mm.shape
    item.CompensatorPixelSpacing = [decimal(v) for v in one.spacing_mm]
    item.CompensatorPosition = [decimal(v) for v in one.first_mm]
    item.CompensatorThicknessData = [decimal(v) for v in one.thickness_mm.ravel()]
    if one.column_offset_mm:
        item.CompensatorColumnOffset = one.column_offset_mm
    if one.upper_mm is not None:
        item.IsocenterToCompensatorDistances = one.upper_mm.ravel().tolist()
    if one.stopping_power_ratio is not None:
        item.CompensatorRelativeStoppingPowerRatio = one.stopping_power_ratio
    if one.milling_tool_mm is not None:
        item.CompensatorMillingToolDiameter = one.milling_tool_mm
    return item


def _control_points(beam: IonBeam) -> list[Dataset]:
    ends = np.cumsum([layer.weights.sum() for layer in beam.layers])
    points: list[Dataset] = []
    for layer, end in zip(beam.layers, ends, strict=True):
        for weights, cumulative in ((layer.weights, end - layer.weights.sum()), (0 * layer.weights, end)):
            point = _spots(layer, weights)
            point.ControlPointIndex, point.CumulativeMetersetWeight = len(points), decimal(cumulative)
            points.append(point)
    if points:
        _put_geometry(points[0], beam)
    return points


def _spots(layer: EnergyLayer, weights: np.ndarray) -> Dataset:
    point = Dataset()
    point.NominalBeamEnergy, point.ScanSpotTuneID = decimal(layer.nominal_energy_MeV), layer.spot_tune_id
    point.NumberOfScanSpotPositions, point.NumberOfPaintings = len(weights), 1
    point.ScanSpotPositionMap = np.column_stack([layer.x_mm, layer.y_mm]).ravel().tolist()
    point.ScanSpotMetersetWeights = weights.tolist()
    if layer.spot_size_fwhm_mm:
        point.ScanningSpotSize = list(layer.spot_size_fwhm_mm)
    return point


def _put_geometry(point: Dataset, beam: IonBeam) -> None:
    """Write what holds for the whole beam into its first control point."""
    point.GantryAngle, point.GantryRotationDirection = decimal(beam.gantry_deg), "NONE"
    point.GantryPitchAngle, point.GantryPitchRotationDirection = 0.0, "NONE"
    point.BeamLimitingDeviceAngle, point.BeamLimitingDeviceRotationDirection = decimal(beam.limiting_device_deg), "NONE"
    point.PatientSupportAngle, point.PatientSupportRotationDirection = decimal(beam.couch_deg), "NONE"
    point.TableTopPitchAngle, point.TableTopPitchRotationDirection = beam.pitch_deg, "NONE"
    point.TableTopRollAngle, point.TableTopRollRotationDirection = beam.roll_deg, "NONE"
    point.TableTopVerticalPosition = point.TableTopLongitudinalPosition = point.TableTopLateralPosition = ""
    point.IsocenterPosition = [decimal(v) for v in beam.isocenter_mm]
    if beam.snout_position_mm is not None:
        point.SnoutPosition = beam.snout_position_mm
    if beam.range_shifters:
        point.RangeShifterSettingsSequence = [_range_shifter_setting(s) for s in beam.range_shifters]
    places = [one for one in beam.range_modulators if one.isocenter_distance_mm is not None]
    if places:
        point.RangeModulatorSettingsSequence = [_range_modulator_place(one) for one in places]


def _range_shifter_setting(setting: RangeShifterSetting) -> Dataset:
    item = Dataset()
    item.ReferencedRangeShifterNumber, item.RangeShifterSetting = setting.number, "IN"
    if setting.isocenter_distance_mm is not None:
        item.IsocenterToRangeShifterDistance = setting.isocenter_distance_mm
    if setting.water_equivalent_thickness_mm is not None:
        item.RangeShifterWaterEquivalentThickness = setting.water_equivalent_thickness_mm
    return item


def _range_modulator_place(setting: RangeModulatorSetting) -> Dataset:
    item = Dataset()
    item.ReferencedRangeModulatorNumber = setting.number
    item.IsocenterToRangeModulatorDistance = setting.isocenter_distance_mm
    return item
