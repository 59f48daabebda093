"""Range modulators of an ion beam: ripple and ridge filters that stand still. Wheels that turn are not calculated."""

from typing import Final

from dosewright.core.plan import RangeModulatorSetting
from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN

STILL: Final = "FIXED"
DISTANCE_TOLERANCE_MM: Final = 0.01
ModulatorPlaces = dict[int, float]  # distances of the downstream face, by number

UNCLEAR: Final = "test_ion_devices.py::test_what_is_unclear_is_refused"
SAID: Final = "test_ion_plan_attributes.py::test_what_a_range_modulator_says"
READS: Final = (
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence",
        [
            Read("NumberOfRangeModulators", "fits the range modulators described", SAID, assumes="0"),
            Read(
                "RangeModulatorSequence/RangeModulatorNumber",
                "ties the description to its settings",
                SAID,
                assumes="its place in the list",
            ),
            Read("RangeModulatorSequence/RangeModulatorID", "needed: finds it among the machine's devices", UNCLEAR),
            Read("RangeModulatorSequence/RangeModulatorType", "needed: FIXED; wheels that turn are refused", UNCLEAR),
        ],
    ),
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence/IonControlPointSequence",
        [
            Read("RangeModulatorSettingsSequence/ReferencedRangeModulatorNumber", "needed: which one", SAID),
            Read(
                "RangeModulatorSettingsSequence/IsocenterToRangeModulatorDistance",
                "place of its downstream face, mm; must not change inside a beam",
                SAID,
                assumes="the place that the machine's device has",
            ),
        ],
    ),
)


def places_at(control_point: Attributes, inherited: ModulatorPlaces) -> ModulatorPlaces:
    """Return where every range modulator stands at a control point, as far as the plan says."""
    places = dict(inherited)
    for item in control_point.items("RangeModulatorSettingsSequence"):
        number = item.integer("ReferencedRangeModulatorNumber")
        distance = item.number("IsocenterToRangeModulatorDistance")
        if number is None:
            item.problem("A range modulator setting names no range modulator (ReferencedRangeModulatorNumber)")
        elif distance is not None:
            places[number] = distance
    return places


def range_modulators(beam: Attributes, layers: list[ModulatorPlaces]) -> tuple[RangeModulatorSetting, ...]:
    """Return the range modulators in a beam, given their places at each control point that has spots."""
    items = beam.items("RangeModulatorSequence")
    if (beam.integer("NumberOfRangeModulators") or 0) != len(items):
        beam.problem(
            "NumberOfRangeModulators does not fit the range modulators described",
            given=beam.integer("NumberOfRangeModulators"),
            allowed=len(items),
        )
    found = []
    for place, item in enumerate(items, 1):
        number = item.integer("RangeModulatorNumber")
        number = place if number is None else number
        name = item.text("RangeModulatorID")
        kind = item.text("RangeModulatorType").upper()
        if not name:
            beam.problem(f"Range modulator {number} has no ID (RangeModulatorID), so it cannot be found")
        if not kind:
            beam.problem(f"Range modulator {name!r} has no type (RangeModulatorType)", allowed=STILL)
        elif kind != STILL:
            beam.problem(
                f"Range modulator {name!r} is a wheel that turns during the beam; only those that stand still can be "
                "calculated", given=kind, allowed=STILL,
            )  # fmt: skip
        distances = [places.get(number) for places in layers]
        known = [d for d in distances if d is not None]
        if known and (len(known) < len(distances) or max(known) - min(known) > DISTANCE_TOLERANCE_MM):
            beam.problem(f"Range modulator {name!r} moves inside the beam; split the beam in the planning system")
        found.append(RangeModulatorSetting(name, number, kind, known[0] if known else None))
    return tuple(found)
