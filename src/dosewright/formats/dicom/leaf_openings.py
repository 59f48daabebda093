"""Jaws and leaves of an RT Plan (photons, electrons): where they stand at each control point (PS3.3 C.8.8.14).

What a control point leaves out holds from the one before. Leaf positions are all of the negative side first, then all
of the positive one, each from the first boundary on.
"""

from pathlib import Path
from typing import Final

import numpy as np

from dosewright.core.errors import InputError, refuse
from dosewright.core.openings import KIND, KINDS, BeamOpenings, ControlPoint, DeviceOpening
from dosewright.formats.dicom.attributes import Attributes, open_dataset, quietly
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.sop_classes import RT_PLAN, name_of

Devices = dict[str, tuple[int, tuple[float, ...]] | None]  # None: its description is wrong

ANGLES: Final = ("GantryAngle", "BeamLimitingDeviceAngle", "PatientSupportAngle")  # in the order of ControlPoint
COUNTED: Final = {
    "NumberOfWedges": "wedges",
    "NumberOfBlocks": "blocks",
    "NumberOfCompensators": "compensators",
    "NumberOfBoli": "boli",
}

READ: Final = "test_leaf_openings.py::test_jaws_and_leaves_are_read"
REFUSED: Final = "test_leaf_openings.py::test_what_would_open_a_wrong_field_is_refused"
HELD: Final = "test_leaf_openings.py::test_positions_hold_until_changed"
BEFORE: Final = "that of the control point before"
READS: Final = (
    *declared((RT_PLAN,), "", [Read("SOPClassUID", "an RT Plan; others are refused", REFUSED)]),
    *declared(
        (RT_PLAN,),
        "BeamSequence",
        [
            Read(path, use, test, assumes=assumes)
            for path, use, test, assumes in (
                ("BeamNumber", "tells beams apart", READ, "its place in the list"),
                ("BeamName", "names it", READ, "empty"),
                ("TreatmentMachineName", "said", READ, "empty"),
                ("NumberOfControlPoints", "fits those there are, else the file is cut short", REFUSED, ""),
                (
                    "BeamLimitingDeviceSequence/RTBeamLimitingDeviceType",
                    f"needed: {KINDS}",
                    REFUSED,
                    "",
                ),
                (
                    "BeamLimitingDeviceSequence/NumberOfLeafJawPairs",
                    "needed: how many positions there are",
                    REFUSED,
                    "",
                ),
                (
                    "BeamLimitingDeviceSequence/LeafPositionBoundaries",
                    "needed for leaves: compared with those of the model, mm",
                    REFUSED,
                    "",
                ),
                *((keyword, "said where it is not zero", READ, "none") for keyword in COUNTED),
                ("ApplicatorSequence", "said", READ, "none"),
                ("ControlPointSequence/CumulativeMetersetWeight", "repeated", READ, "none"),
                *(
                    (f"ControlPointSequence/{keyword}", "repeated; holds until changed", READ, BEFORE)
                    for keyword in ANGLES
                ),
                (
                    "ControlPointSequence/BeamLimitingDevicePositionSequence/RTBeamLimitingDeviceType",
                    "needed: a device of the beam",
                    REFUSED,
                    "",
                ),
                (
                    "ControlPointSequence/BeamLimitingDevicePositionSequence/LeafJawPositions",
                    "needed at the first control point: negative side, then positive side, mm at the isocentre plane",
                    HELD,
                    BEFORE,
                ),
            )
        ],
    ),
)


@quietly()
def read_openings(path: Path) -> tuple[BeamOpenings, ...]:
    """Read where jaws and leaves stand in all beams of an RT Plan; `InputError` with all problems."""
    plan = Attributes(open_dataset(path, pixels=False), path.name, [])
    kind = plan.text("SOPClassUID")
    if kind != RT_PLAN:
        raise refuse("The file is no RT Plan", given=name_of(kind), allowed=name_of(RT_PLAN), where=path.name)
    beams = plan.items("BeamSequence")
    if not beams:
        plan.problem("The plan has no beams (BeamSequence)")
    found = tuple(_beam(item, place) for place, item in enumerate(beams, 1))
    if plan.problems:
        raise InputError(*plan.problems)
    return found


def _beam(item: Attributes, place: int) -> BeamOpenings:
    number = item.integer("BeamNumber")
    number = place if number is None else number
    name = item.text("BeamName")
    beam = item.at(f"beam {number}" + (f" ({name})" if name else ""))
    points = beam.items("ControlPointSequence")
    if beam.integer("NumberOfControlPoints") not in (None, len(points)) or not points:
        beam.problem(
            "NumberOfControlPoints does not fit the control points there are; the file is cut short",
            given=beam.integer("NumberOfControlPoints"),
            allowed=len(points),
        )
    devices = _devices(beam)
    held: dict[str, DeviceOpening] = {}
    angles: dict[str, float | None] = dict.fromkeys(ANGLES)
    found = []
    for k, point in enumerate(points):
        _hold(point.at(f"{beam.where.split(', ', 1)[-1]}, control point {k}"), devices, held)
        if k == 0:
            for missing in sorted(kind for kind, known in devices.items() if known is not None and kind not in held):
                beam.problem(f"The first control point says nothing of where {missing} stands (LeafJawPositions)")
        stated = {keyword: point.number(keyword) for keyword in ANGLES}
        angles |= {keyword: angle for keyword, angle in stated.items() if angle is not None}
        weight = point.number("CumulativeMetersetWeight")
        found.append(ControlPoint(weight, tuple(held.values()), *(angles[keyword] for keyword in ANGLES)))
    return BeamOpenings(number, name, beam.text("TreatmentMachineName"), _in_beam(beam), tuple(found))


def _in_beam(beam: Attributes) -> tuple[str, ...]:
    """Return what else the plan puts into the beam."""
    counted = [word for keyword, word in COUNTED.items() if (beam.integer(keyword) or 0) > 0]
    return (*counted, *(("applicator",) if beam.items("ApplicatorSequence") else ()))


def _devices(beam: Attributes) -> Devices:
    """Return the devices of a beam: how many pairs each has, and the boundaries of its leaves."""
    devices: Devices = {}
    for item in beam.items("BeamLimitingDeviceSequence"):
        kind, pairs = item.text("RTBeamLimitingDeviceType").upper(), item.integer("NumberOfLeafJawPairs")
        if kind in devices:
            beam.problem("A collimator is described twice (RTBeamLimitingDeviceType)", given=kind)
            continue
        devices[kind] = None
        if not KIND.fullmatch(kind):
            beam.problem("Unknown kind of collimator (RTBeamLimitingDeviceType)", given=kind or "empty", allowed=KINDS)
        elif pairs is None or pairs < 1:
            beam.problem(f"{kind} needs a number of pairs (NumberOfLeafJawPairs)", given=pairs)
        elif not kind.startswith("MLC"):
            devices[kind] = (pairs, ())
        else:
            edges = item.numbers("LeafPositionBoundaries")
            if edges is None or len(edges) != pairs + 1 or min(np.diff(edges)) <= 0:
                beam.problem(
                    f"{kind} needs ascending boundaries of its leaves (LeafPositionBoundaries)",
                    given="none" if edges is None else f"{len(edges)}, {', '.join(f'{edge:g}' for edge in edges[:8])}",
                    allowed=f"{pairs + 1}, one more than pairs",
                )
            else:
                devices[kind] = (pairs, tuple(float(edge) for edge in edges))
    return devices


def _hold(point: Attributes, devices: Devices, held: dict[str, DeviceOpening]) -> None:
    """Take over the positions that a control point states."""
    for item in point.items("BeamLimitingDevicePositionSequence"):
        kind = item.text("RTBeamLimitingDeviceType").upper()
        if kind not in devices:
            point.problem(
                "A position is of no collimator that the beam describes (RTBeamLimitingDeviceType)",
                given=kind or "empty",
                allowed=", ".join(devices) or "none",
            )
            continue
        device = devices[kind]
        if device is None:  # told already
            continue
        pairs, boundaries = device
        positions = item.numbers("LeafJawPositions")
        if positions is None or len(positions) != 2 * pairs:
            point.problem(
                f"{kind} has the wrong number of positions (LeafJawPositions)",
                given=0 if positions is None else len(positions),
                allowed=f"{2 * pairs}, two for each of {pairs} pairs",
            )
            continue
        sides = tuple(tuple(float(value) for value in side) for side in (positions[:pairs], positions[pairs:]))
        try:
            held[kind] = DeviceOpening(kind, sides[0], sides[1], boundaries, point.where)
        except InputError as error:
            point.problems.extend(error.problems)
