"""One scanned ion beam from its item of the IonBeamSequence."""

from dataclasses import dataclass
from typing import Final

from dosewright.core.frame import PATIENT_AXES
from dosewright.core.plan import IonBeam
from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.beam_devices import CALCULATED, NOT_CALCULATED, devices, scatterers
from dosewright.formats.dicom.blocks import read_blocks
from dosewright.formats.dicom.compensators import read_compensators
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.control_points import Delivery, read_control_points
from dosewright.formats.dicom.meterset import final_weight
from dosewright.formats.dicom.range_modulators import range_modulators
from dosewright.formats.dicom.range_shifters import range_shifters
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN

TREATED: Final = ("", "TREATMENT", "CONTINUATION")  # the others image, verify or set up (DICOM PS3.3 C.8.8.25)
SCAN_MODES: Final = {
    "LINE": "line scanning delivers while the beam moves along lines; only spot scanning (MODULATED) can be "
    "calculated. Export the plan as spot scanning if the planning system can",
    "UNIFORM": "uniform scanning spreads the beam over an aperture; only spot scanning (MODULATED) can be calculated",
    "NONE": "the beam is passively scattered; only spot scanning (MODULATED) can be calculated",
}

BOLUS: Final = "a bolus is said; it counts where the CT or a BOLUS structure has it"
MOST_REFUSED: Final = "test_ion_plan.py::test_what_would_make_a_wrong_dose_is_refused"
IONS: Final = "test_ion_plan.py::test_heavier_ions_are_named"
READS: Final = declared(
    (RT_ION_PLAN,),
    "IonBeamSequence",
    [
        Read("BeamName", "names must differ", MOST_REFUSED, assumes="'Beam' and its number"),
        Read(
            "TreatmentMachineName",
            "finds the beam model",
            "test_ion_plan.py::test_empty_values_that_are_legal",
            assumes="a beam model must be chosen, said",
        ),
        Read("RadiationType", "needed: PROTON is calculated, others are refused", MOST_REFUSED),
        Read("RadiationAtomicNumber", "needed for ions, which are named and refused", IONS),
        Read("RadiationMassNumber", "needed for ions, which are named and refused", IONS),
        Read("RadiationChargeState", "needed for ions, which are named and refused", IONS),
        Read(
            "ScanMode",
            "MODULATED, MODULATED_SPEC; LINE, UNIFORM, NONE and others are refused",
            MOST_REFUSED,
            assumes="MODULATED, said",
        ),
        Read("ModulatedScanModeType", "LINEAR is refused", MOST_REFUSED),
        Read("PrimaryDosimeterUnit", "needed: MU, NP; others are refused", MOST_REFUSED),
        Read(
            "VirtualSourceAxisDistances",
            "where the beam model leaves the scanning distances open, mm",
            "test_ion_plan_attributes.py::test_virtual_source_axis_distances",
        ),
        Read(
            "ReferencedPatientSetupNumber",
            "finds the patient position; needed where setups differ",
            "test_ion_plan_attributes.py::test_setups_are_tied_by_number",
        ),
        Read("SnoutSequence/SnoutID", "the first, repeated", "test_ion_plan_attributes.py::test_the_snout_of_a_beam"),
        Read("NumberOfBoli", BOLUS, "test_ion_plan_attributes.py::test_boli_and_accessories_are_said"),
        Read("ReferencedBolusSequence", BOLUS, "test_ion_plan_attributes.py::test_boli_and_accessories_are_said"),
        Read(
            "GeneralAccessorySequence",
            "left out, said",
            "test_ion_plan_attributes.py::test_boli_and_accessories_are_said",
        ),
    ],
)


@dataclass(frozen=True)
class PlanContext:
    """What the plan says outside its beams: patient positions by setup number, metersets by beam number.

    `metersets` is None where the fraction group is not known; that is told once, not for every beam.
    """

    positions: dict[int, str]
    metersets: dict[int, float | None] | None
    ignore_devices: bool
    warnings: list[str]


def read_beam(beam: Attributes, number: int, context: PlanContext) -> IonBeam:
    """Read one treatment beam; the result is good only if no problem was added."""
    name = beam.text("BeamName") or f"Beam {number}"
    said = context.warnings
    scanned = _check_scan_mode(beam, said, name)
    impossible = (*devices(beam, NOT_CALCULATED), *scatterers(beam))
    _check_devices(beam, impossible, context, name)
    left_out = _left_out(beam, impossible, context, name)
    before = len(beam.problems)
    delivery = read_control_points(beam)
    complete = len(beam.problems) == before
    if scanned and complete and not delivery.layers:
        beam.problem("The beam has no spot with a positive weight (ScanSpotPositionMap, ScanSpotMetersetWeights)")
    shifters = range_shifters(beam, delivery.shifters)
    blocks = () if context.ignore_devices else read_blocks(beam)
    compensators = () if context.ignore_devices else read_compensators(beam)
    modulators = () if context.ignore_devices else range_modulators(beam, delivery.modulators)
    riding = [word for word, there in (("range shifter", shifters), ("block", blocks), ("compensator", compensators))
              if there]  # fmt: skip
    if delivery.snout_moves and riding:
        beam.problem(f"The snout moves inside the beam while a {riding[0]} is in; split the beam, one place per beam")
    machine = beam.text("TreatmentMachineName")
    if not machine:
        said.append(f"Beam {name} names no treatment machine; choose the beam model by name.")
    sources = beam.numbers("VirtualSourceAxisDistances", 2)
    snouts = beam.items("SnoutSequence")
    return IonBeam(
        number=number,
        name=name,
        machine=machine,
        radiation=_radiation(beam),
        meterset_unit=_unit(beam, said, name),
        meterset=_meterset(beam, number, context),
        final_cumulative_weight=final_weight(beam, delivery, said, name) if complete else 0.0,
        gantry_deg=_needed(beam, delivery, "GantryAngle"),
        couch_deg=_needed(beam, delivery, "PatientSupportAngle"),
        pitch_deg=_or_level(delivery, "TableTopPitchAngle", said, name),
        roll_deg=_or_level(delivery, "TableTopRollAngle", said, name),
        patient_position=_position(beam, context, name),
        isocenter_mm=_isocenter(beam, delivery),
        layers=delivery.layers,
        range_shifters=shifters,
        snout_position_mm=delivery.fixed.get("SnoutPosition"),
        virtual_source_mm=None if sources is None or sources.min() <= 0 else (float(sources[0]), float(sources[1])),
        snout_id=snouts[0].text("SnoutID") if snouts else "",
        devices_left_out=left_out,
        blocks=blocks,
        compensators=compensators,
        range_modulators=modulators,
        limiting_device_deg=delivery.fixed.get("BeamLimitingDeviceAngle", 0.0),
        snout_moves=delivery.snout_moves,
    )


def _check_scan_mode(beam: Attributes, warnings: list[str], name: str) -> bool:
    """Say whether the beam is spot scanning; add a problem if it is not."""
    before = len(beam.problems)
    mode, detail = beam.text("ScanMode").upper(), beam.text("ModulatedScanModeType").upper()
    if mode in SCAN_MODES:
        beam.problem(f"Scan mode {mode}: {SCAN_MODES[mode]}")
    elif mode not in ("", "MODULATED", "MODULATED_SPEC"):
        beam.problem("Unknown scan mode", given=mode, allowed="MODULATED")
    if detail == "LINEAR":
        beam.problem(f"Scan mode {mode} LINEAR: {SCAN_MODES['LINE']}")
    if not mode:
        warnings.append(f"Beam {name} states no scan mode; its spots are read as modulated (spot) scanning.")
    return len(beam.problems) == before


def _left_out(beam: Attributes, impossible: tuple[str, ...], context: PlanContext, name: str) -> tuple[str, ...]:
    """Return what is left out on request, and say so: all but range shifters, calculated otherwise or not."""
    if not context.ignore_devices:
        return ()
    found = (*devices(beam, CALCULATED), *impossible)
    for device in found:
        context.warnings.append(f"Beam {name}: {device} LEFT OUT on request; the dose is not that of the plan.")
    return found


def _check_devices(beam: Attributes, impossible: tuple[str, ...], context: PlanContext, name: str) -> None:
    for device in () if context.ignore_devices else impossible:
        beam.problem(
            f"The beam has {device}, which cannot be calculated; the dose would be wrong. "
            "Remove it from the plan, leave the beam out (-b), or calculate without the device (--ignore-devices)"
        )
    if beam.integer("NumberOfBoli") or beam.items("ReferencedBolusSequence"):
        context.warnings.append(f"Beam {name} uses a bolus; it counts only where the CT or a BOLUS structure has it.")
    if beam.items("GeneralAccessorySequence"):
        context.warnings.append(f"Beam {name} lists general accessories; they are left out.")


def _needed(beam: Attributes, delivery: Delivery, keyword: str) -> float:
    value = delivery.fixed.get(keyword)
    if value is None:
        beam.problem(f"The first control point states no {keyword}")
    if keyword == "GantryAngle" and abs(delivery.fixed.get("GantryPitchAngle", 0.0)) > 0:
        beam.problem(
            "The gantry is pitched, which is not supported", given=delivery.fixed["GantryPitchAngle"], allowed=0
        )
    return value or 0.0


def _or_level(delivery: Delivery, keyword: str, warnings: list[str], name: str) -> float:
    value = delivery.fixed.get(keyword)
    if value is None:
        warnings.append(f"Beam {name} states no {keyword}; 0 is taken.")
    if keyword == "TableTopRollAngle" and delivery.fixed.get("BeamLimitingDeviceAngle"):
        warnings.append(
            f"Beam {name} turns its beam limiting device; blocks and compensators turn with it, scanned spots do not."
        )
    return value or 0.0


def _isocenter(beam: Attributes, delivery: Delivery) -> tuple[float, float, float]:
    if delivery.isocenter_mm is None:
        beam.problem("The first control point states no IsocenterPosition")
    return delivery.isocenter_mm or (0.0, 0.0, 0.0)


def _position(beam: Attributes, context: PlanContext, name: str) -> str:
    """Return the patient position of the beam's setup, empty where the plan leaves it empty."""
    number = beam.integer("ReferencedPatientSetupNumber")
    if number in context.positions:
        position = context.positions[number]
    elif len(set(context.positions.values())) == 1:
        position = next(iter(context.positions.values()))
    elif context.positions:
        beam.problem("The beam names no patient setup of the plan, whose setups differ (ReferencedPatientSetupNumber)")
        return ""
    else:
        position = ""
    if position and position not in PATIENT_AXES:
        beam.problem("Unknown patient position", given=position, allowed=", ".join(PATIENT_AXES))
    if not position:
        context.warnings.append(f"The plan states no patient position for beam {name}.")
    return position


def _unit(beam: Attributes, warnings: list[str], name: str) -> str:
    unit = beam.text("PrimaryDosimeterUnit").upper()
    if unit not in ("", "MU", "NP"):
        beam.problem("Unknown meterset unit (PrimaryDosimeterUnit)", given=unit, allowed="MU, NP")
    if not unit:
        warnings.append(f"Beam {name} states no unit of its meterset (PrimaryDosimeterUnit).")
    return unit


def _meterset(beam: Attributes, number: int, context: PlanContext) -> float | None:
    if context.metersets is None:
        return None
    meterset = context.metersets.get(number)
    if meterset is None or meterset <= 0:
        beam.problem(
            "The beam has no meterset (BeamMeterset in the fraction group), so its absolute dose is not known; "
            "calculate the dose in the planning system and export the plan again, or leave the beam out (-b)",
            given=meterset,
        )
    return meterset


def _radiation(beam: Attributes) -> str:
    kind = beam.text("RadiationType").upper()
    if not kind:
        beam.problem("The beam states no RadiationType")
    if kind != "ION":
        return kind
    parts = [beam.integer(k) for k in ("RadiationAtomicNumber", "RadiationMassNumber", "RadiationChargeState")]
    if None in parts:
        beam.problem("An ion beam needs RadiationAtomicNumber, RadiationMassNumber and RadiationChargeState")
    return "ION_" + "_".join(str(p) for p in parts)
