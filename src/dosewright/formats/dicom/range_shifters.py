"""Which range shifters stand in a beam, from the beam's list and the settings of its control points."""

from dataclasses import dataclass
from typing import Final

from dosewright.core.plan import RangeShifterSetting
from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN

DISTANCE_TOLERANCE_MM: Final = 0.01  # far below the effect of a range shifter's place on a spot

MOST_REFUSED: Final = "test_ion_plan.py::test_what_would_make_a_wrong_dose_is_refused"
READS: Final = (
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence",
        [
            Read("NumberOfRangeShifters", "fits those described", MOST_REFUSED, assumes="0"),
            Read(
                "RangeShifterSequence/RangeShifterNumber",
                "ties the description to its settings",
                "test_ion_plan_attributes.py::test_what_a_range_shifter_says",
            ),
            Read(
                "RangeShifterSequence/RangeShifterID",
                "finds it in the beam model and the library",
                "test_ion_plan_attributes.py::test_what_a_range_shifter_says",
            ),
            Read(
                "RangeShifterSequence/RangeShifterType",
                "BINARY is in or out; others need a water-equivalent thickness",
                "test_ion_plan_attributes.py::test_what_a_range_shifter_says",
                assumes="BINARY",
            ),
        ],
    ),
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence/IonControlPointSequence",
        [
            Read(
                "RangeShifterSettingsSequence/ReferencedRangeShifterNumber",
                "needed: which range shifter",
                "test_ion_plan_attributes.py::test_what_a_range_shifter_says",
            ),
            Read(
                "RangeShifterSettingsSequence/RangeShifterSetting",
                "IN, OUT; must not change inside a beam",
                MOST_REFUSED,
            ),
            Read(
                "RangeShifterSettingsSequence/IsocenterToRangeShifterDistance",
                "its place, mm; must not change inside a beam",
                "test_ion_plan.py::test_range_shifter_without_thickness_and_distance",
                assumes="the place that the beam model or the snout position gives",
            ),
            Read(
                "RangeShifterSettingsSequence/RangeShifterWaterEquivalentThickness",
                "its thickness where beam model and library do not know it, mm of water",
                "test_ion_plan.py::test_range_shifter_without_thickness_and_distance",
            ),
        ],
    ),
)


@dataclass(frozen=True)
class ShifterState:
    """What one control point says, or inherits, about one range shifter."""

    setting: str = ""
    isocenter_distance_mm: float | None = None
    water_equivalent_thickness_mm: float | None = None

    def changed_by(self, item: Attributes) -> "ShifterState":
        """Return the state after a settings item; what the item leaves out is kept."""
        distance = item.number("IsocenterToRangeShifterDistance")
        thickness = item.number("RangeShifterWaterEquivalentThickness")
        return ShifterState(
            item.text("RangeShifterSetting").upper() or self.setting,
            self.isocenter_distance_mm if distance is None else distance,
            self.water_equivalent_thickness_mm if thickness is None else thickness,
        )

    def differs(self, other: "ShifterState") -> bool:
        """Say whether the beam would meet something else; numbers do not count while the shifter is out."""
        if self.setting != other.setting:
            return True
        pairs = (
            (self.isocenter_distance_mm, other.isocenter_distance_mm),
            (self.water_equivalent_thickness_mm, other.water_equivalent_thickness_mm),
        )
        return self.setting != "OUT" and any(
            (a is None) != (b is None) or (a is not None and b is not None and abs(a - b) > DISTANCE_TOLERANCE_MM)
            for a, b in pairs
        )


ShifterStates = dict[int, ShifterState]


def states_at(control_point: Attributes, inherited: ShifterStates) -> ShifterStates:
    """Return the state of every range shifter at a control point."""
    states = dict(inherited)
    for item in control_point.items("RangeShifterSettingsSequence"):
        number = item.integer("ReferencedRangeShifterNumber")
        if number is None:
            item.problem("A range shifter setting names no range shifter (ReferencedRangeShifterNumber)")
            continue
        states[number] = states.get(number, ShifterState()).changed_by(item)
    return states


def range_shifters(beam: Attributes, layers: list[ShifterStates]) -> tuple[RangeShifterSetting, ...]:
    """Return the range shifters in the beam, given the states at each control point that has spots."""
    declared = {
        n: item for item in beam.items("RangeShifterSequence") if (n := item.integer("RangeShifterNumber")) is not None
    }
    if (beam.integer("NumberOfRangeShifters") or 0) != len(declared):
        beam.problem(
            "NumberOfRangeShifters does not fit the range shifters described",
            given=beam.integer("NumberOfRangeShifters"),
            allowed=len(declared),
        )
    numbers = sorted(set(declared).union(*layers))
    found = [_one(beam, n, declared.get(n), [states.get(n, ShifterState()) for states in layers]) for n in numbers]
    return tuple(setting for setting in found if setting is not None)


def _one(
    beam: Attributes, number: int, item: Attributes | None, states: list[ShifterState]
) -> RangeShifterSetting | None:
    identifier = item.text("RangeShifterID") if item else ""
    name = f"Range shifter {identifier or number!r}"
    if not states or all(s.setting == "OUT" for s in states):
        return None
    if any(s.differs(states[0]) for s in states):
        beam.problem(
            f"{name} changes inside the beam; split the beam in the planning system, one setting per beam",
            given=", ".join(sorted({s.setting or "(none)" for s in states})),
        )
        return None
    if item is None:
        beam.problem(f"Range shifter number {number} is set but not described in the beam (RangeShifterSequence)")
        return None
    kind, state = item.text("RangeShifterType").upper() or "BINARY", states[0]
    if not state.setting:
        beam.problem(
            f"{name} is described but no control point says whether it is in the beam (RangeShifterSettingsSequence); "
            "export the plan with its settings, or remove the range shifter from the plan"
        )
        return None
    if kind == "BINARY" and state.setting != "IN":
        beam.problem(f"{name} has an unknown setting", given=state.setting, allowed="IN, OUT")
        return None
    if kind != "BINARY" and state.water_equivalent_thickness_mm is None:
        beam.problem(
            f"{name} is of type {kind} and its setting needs RangeShifterWaterEquivalentThickness to be understood",
            given=state.setting,
        )
        return None
    return RangeShifterSetting(
        identifier, number, kind, state.isocenter_distance_mm, state.water_equivalent_thickness_mm
    )
