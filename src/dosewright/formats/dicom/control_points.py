"""The control points of one scanned beam: one geometry, and the energy layers.

What a control point leaves out holds from the one before (DICOM PS3.3 C.8.8.25.7). Any control point with a positive
spot weight is a layer: planning systems disagree about whether even, odd or all control points carry the spots.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dosewright.core.plan import EnergyLayer
from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.range_modulators import ModulatorPlaces, places_at
from dosewright.formats.dicom.range_shifters import ShifterStates, states_at
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN

Values = NDArray[np.float64]

ANGLES: Final = {
    "GantryAngle": "gantry angle",
    "PatientSupportAngle": "couch angle",
    "TableTopPitchAngle": "table top pitch",
    "TableTopRollAngle": "table top roll",
    "GantryPitchAngle": "gantry pitch",
    "BeamLimitingDeviceAngle": "beam limiting device angle",
}
ANGLE_TOLERANCE_DEG: Final = 0.01  # 0.01 degree moves a spot 100 mm off axis by 0.02 mm
LENGTH_TOLERANCE_MM: Final = 0.01

MOST_REFUSED: Final = "test_ion_plan.py::test_what_would_make_a_wrong_dose_is_refused"
HELD: Final = "test_ion_plan.py::test_attributes_hold_until_changed"
BEFORE: Final = "that of the control point before"
READS: Final = (
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence",
        [Read("NumberOfControlPoints", "fits those there are, else the file is cut short", MOST_REFUSED)],
    ),
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence",
        [
            Read(f"IonControlPointSequence/{path}", use, test, assumes=assumes)
            for path, use, test, assumes in (
                ("GantryAngle", "needed; must not change inside a beam", MOST_REFUSED, BEFORE),
                ("PatientSupportAngle", "needed; must not change inside a beam", MOST_REFUSED, BEFORE),
                (
                    "TableTopPitchAngle",
                    "must not change inside a beam",
                    "test_ion_plan_attributes.py::test_the_geometry_of_a_beam",
                    "0, said",
                ),
                (
                    "TableTopRollAngle",
                    "must not change inside a beam",
                    "test_ion_plan_attributes.py::test_the_geometry_of_a_beam",
                    "0, said",
                ),
                ("GantryPitchAngle", "other than 0 is refused", MOST_REFUSED, "0"),
                (
                    "BeamLimitingDeviceAngle",
                    "blocks and compensators turn with it, scanned spots do not; said where it is not 0",
                    "test_ion_plan_attributes.py::test_a_beam_limiting_device_that_turns_is_said",
                    "0",
                ),
                (
                    "SnoutPosition",
                    "mm; must not change while a range shifter, block or compensator is in",
                    "test_ion_plan_attributes.py::test_the_geometry_of_a_beam",
                    BEFORE,
                ),
                ("IsocenterPosition", "needed; must not move inside a beam", MOST_REFUSED, BEFORE),
                ("NominalBeamEnergy", "needed for each layer, MeV (per nucleon for ions)", HELD, BEFORE),
                ("NominalBeamEnergyUnit", "MEV; others are refused", MOST_REFUSED, "MEV"),
                ("ScanSpotTuneID", "chooses the beam model of that tune", HELD, BEFORE),
                ("ScanningSpotSize", "repeated", HELD, BEFORE),
                ("ScanSpotPositionMap", "needed for each layer: x and y of each spot, mm", MOST_REFUSED, BEFORE),
                ("NumberOfScanSpotPositions", "fits the weights", MOST_REFUSED, ""),
                (
                    "ScanSpotMetersetWeights",
                    "any control point with a positive weight is a layer; spots without weight are dropped",
                    "test_ion_plan.py::test_spots_on_odd_control_points",
                    "no spots",
                ),
                (
                    "CumulativeMetersetWeight",
                    "checks the weights of each layer; what differs is said",
                    "test_ion_plan.py::test_a_cumulative_weight_that_disagrees_is_said",
                    "",
                ),
            )
        ],
    ),
)


@dataclass(frozen=True)
class Delivery:
    """What all control points of a beam agree on, and their layers.

    `fixed` holds the angles (degrees) and ``SnoutPosition`` (mm) that the plan states. `cumulative` is the cumulative
    weight of every control point, nan where empty; `sums` the sum of its spot weights.
    """

    fixed: dict[str, float]
    isocenter_mm: tuple[float, float, float] | None
    layers: tuple[EnergyLayer, ...]
    shifters: list[ShifterStates]
    cumulative: Values
    sums: Values
    snout_moves: bool
    modulators: list[ModulatorPlaces]


@dataclass
class _Held:
    """The attributes that hold until a control point changes them."""

    fixed: dict[str, float] = field(default_factory=dict)
    isocenter: Values | None = None
    energy: float | None = None
    tune: str = ""
    size: Values | None = None
    spots: Values | None = None
    shifters: ShifterStates = field(default_factory=dict)
    modulators: ModulatorPlaces = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)


def read_control_points(beam: Attributes) -> Delivery:
    """Read all control points of a beam, adding every problem to the beam's."""
    points = beam.items("IonControlPointSequence")
    if not points:
        beam.problem("The beam has no control points")
    if beam.integer("NumberOfControlPoints") not in (None, len(points)):
        beam.problem(
            "NumberOfControlPoints does not fit the control points there are; the file is cut short",
            given=beam.integer("NumberOfControlPoints"),
            allowed=len(points),
        )
    held = _Held()
    layers, shifters, modulators = [], [], []
    cumulative, sums = np.full(len(points), np.nan), np.zeros(len(points))
    for k, item in enumerate(points):
        point = item.at(f"control point {k}")
        _hold(point, held)
        weight = point.number("CumulativeMetersetWeight")
        cumulative[k] = np.nan if weight is None else weight
        layer = _layer(point, k, held)
        if layer is not None:
            layers.append(layer)
            shifters.append(held.shifters)
            modulators.append(held.modulators)
            sums[k] = layer.weights.sum()
    for name in sorted(held.moved & set(ANGLES)):
        beam.problem(f"The {ANGLES[name]} changes inside the beam; arcs cannot be calculated yet, only fixed fields")
    if "IsocenterPosition" in held.moved:
        beam.problem("The isocentre moves inside the beam; split the beam in the planning system")
    place = held.isocenter
    isocenter = None if place is None else (float(place[0]), float(place[1]), float(place[2]))
    moves = "SnoutPosition" in held.moved
    return Delivery(held.fixed, isocenter, tuple(layers), shifters, cumulative, sums, moves, modulators)


def _hold(point: Attributes, held: _Held) -> None:
    """Take over what this control point states."""
    for name in (*ANGLES, "SnoutPosition"):
        value = point.number(name)
        if value is None:
            continue
        before = held.fixed.setdefault(name, value)
        apart = abs(value - before) if name == "SnoutPosition" else abs((value - before + 180.0) % 360.0 - 180.0)
        if apart > (LENGTH_TOLERANCE_MM if name == "SnoutPosition" else ANGLE_TOLERANCE_DEG):
            held.moved.add(name)
    place = point.numbers("IsocenterPosition", 3)
    if place is not None:
        if held.isocenter is not None and np.abs(place - held.isocenter).max() > LENGTH_TOLERANCE_MM:
            held.moved.add("IsocenterPosition")
        held.isocenter = place if held.isocenter is None else held.isocenter
    if point.text("NominalBeamEnergyUnit") not in ("", "MEV"):
        point.problem("The beam energy must be in MeV", given=point.text("NominalBeamEnergyUnit"), allowed="MEV")
    energy = point.number("NominalBeamEnergy")
    held.energy = held.energy if energy is None else energy
    held.tune = point.text("ScanSpotTuneID") or held.tune
    size = point.numbers("ScanningSpotSize", 2)
    held.size = held.size if size is None else size
    spots = point.numbers("ScanSpotPositionMap")
    held.spots = held.spots if spots is None else spots
    held.shifters = states_at(point, held.shifters)
    held.modulators = places_at(point, held.modulators)


def _layer(point: Attributes, number: int, held: _Held) -> EnergyLayer | None:
    """Return the layer of a control point; None where nothing is delivered or a problem was added."""
    weights = point.numbers("ScanSpotMetersetWeights")
    if weights is None or not np.any(weights != 0):
        return None
    before = len(point.problems)
    if weights.min() < 0:
        point.problem("Spot weights must not be negative", given=f"{weights.min():g}")
    count = point.integer("NumberOfScanSpotPositions")
    if count not in (None, len(weights)):
        point.problem("NumberOfScanSpotPositions does not fit the spot weights", given=count, allowed=len(weights))
    if held.spots is None:
        point.problem("Spots have weights but no positions (ScanSpotPositionMap)")
    elif len(held.spots) != 2 * len(weights):
        point.problem(
            "ScanSpotPositionMap must hold x and y of every spot", given=len(held.spots), allowed=2 * len(weights)
        )
    if held.energy is None or held.energy <= 0:
        point.problem("The layer has no beam energy (NominalBeamEnergy); export the plan again", given=held.energy)
    if len(point.problems) > before or held.spots is None or held.energy is None:
        return None
    used = weights > 0
    size = held.size if held.size is not None and held.size.min() > 0 else None
    return EnergyLayer(
        control_point=number,
        nominal_energy_MeV=held.energy,
        x_mm=held.spots[0::2][used],
        y_mm=held.spots[1::2][used],
        weights=weights[used],
        spot_tune_id=held.tune,
        spot_size_fwhm_mm=None if size is None else (float(size[0]), float(size[1])),
    )
