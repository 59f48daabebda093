"""Range compensators of an ion beam (DICOM PS3.3 C.8.8.25, Ion Range Compensator Sequence)."""

from typing import Final

import numpy as np

from dosewright.core.plan import Compensator
from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.blocks import SIDES, divergence, material_word, mounting, needed, refuse_tray
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN

BOTH: Final = "DOUBLE_SIDED"
MOST_COLUMNS: Final = 1_000_000

UNCLEAR: Final = "test_ion_devices.py::test_what_is_unclear_is_refused"
SAID: Final = "test_ion_plan_attributes.py::test_what_a_compensator_says"
READS: Final = (
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence",
        [
            Read("NumberOfCompensators", "fits the compensators described", SAID, assumes="0"),
            Read("TotalCompensatorTrayWaterEquivalentThickness", "more than 0.1 mm is refused", SAID, assumes="0"),
        ],
    ),
    *declared(
        (RT_ION_PLAN,),
        "IonBeamSequence",
        [
            Read(f"IonRangeCompensatorSequence/{path}", use, test, assumes=assumes)
            for path, use, test, assumes in (
                ("CompensatorNumber", "tells compensators apart", SAID, "its place in the list"),
                ("CompensatorID", "names it", SAID, ""),
                ("MaterialID", "needed: a material that the library knows", SAID, ""),
                ("IsocenterToCompensatorTrayDistance", "needed: place of its face at the tray, mm", SAID, ""),
                ("CompensatorMountingPosition", "needed: PATIENT_SIDE, SOURCE_SIDE, DOUBLE_SIDED", UNCLEAR, ""),
                ("CompensatorDivergence", "needed: PRESENT, columns follow the rays; ABSENT", UNCLEAR, ""),
                ("CompensatorRows", "needed", UNCLEAR, ""),
                ("CompensatorColumns", "needed", SAID, ""),
                (
                    "CompensatorPixelSpacing",
                    "needed: between rows, between columns, at the isocentre plane, mm",
                    UNCLEAR,
                    "",
                ),
                ("CompensatorPosition", "needed: middle of the first column at the isocentre plane, mm", UNCLEAR, ""),
                ("CompensatorColumnOffset", "shift of every second row, mm", SAID, "0"),
                ("CompensatorThicknessData", "needed: a thickness for every column, mm", SAID, ""),
                (
                    "IsocenterToCompensatorDistances",
                    "needed if DOUBLE_SIDED: upper ends of the columns, mm",
                    UNCLEAR,
                    "",
                ),
                ("CompensatorRelativeStoppingPowerRatio", "compared with that of the material", SAID, ""),
                ("CompensatorMillingToolDiameter", "said: rounded corners are not calculated", SAID, ""),
            )
        ],
    ),
)


def read_compensators(beam: Attributes) -> tuple[Compensator, ...]:
    """Return the range compensators of a beam; what is missing becomes a problem of the beam."""
    items = beam.items("IonRangeCompensatorSequence")
    if (beam.integer("NumberOfCompensators") or 0) != len(items):
        beam.problem(
            "NumberOfCompensators does not fit the compensators described",
            given=beam.integer("NumberOfCompensators"),
            allowed=len(items),
        )
    refuse_tray(beam, "TotalCompensatorTrayWaterEquivalentThickness", "compensator tray")
    found = [_compensator(item, k) for k, item in enumerate(items, 1)]
    return tuple(one for one in found if one is not None)


def _compensator(item: Attributes, place: int) -> Compensator | None:
    number = item.integer("CompensatorNumber")
    number = place if number is None else number
    name = item.text("CompensatorID")
    at = item.at(f"compensator {name or number}")
    before = len(at.problems)
    side = mounting(at, "CompensatorMountingPosition", (*SIDES, BOTH))
    rows, columns = at.integer("CompensatorRows"), at.integer("CompensatorColumns")
    if rows is None or columns is None or min(rows, columns) < 1 or rows * columns > MOST_COLUMNS:
        at.problem("CompensatorRows and CompensatorColumns must be positive", given=f"{rows} and {columns}")
        rows = columns = 1
    spacing = at.numbers("CompensatorPixelSpacing", 2)
    if spacing is None or spacing.min() <= 0:
        at.problem("CompensatorPixelSpacing must be two positive distances", given=spacing)
        spacing = np.ones(2)
    first = at.numbers("CompensatorPosition", 2)
    if first is None:
        at.problem("CompensatorPosition must be x and y of the first column")
        first = np.zeros(2)
    thickness = _map(at, "CompensatorThicknessData", rows, columns)
    if thickness.min() < 0 or not thickness.max() > 0:
        at.problem("CompensatorThicknessData must be positive", given=f"{thickness.min():g} to {thickness.max():g} mm")
    one = Compensator(
        id=name,
        number=number,
        material=material_word(at),
        tray_mm=needed(at, "IsocenterToCompensatorTrayDistance"),
        mounting=side,
        divergent=divergence(at, "CompensatorDivergence"),
        thickness_mm=thickness,
        spacing_mm=(float(spacing[0]), float(spacing[1])),
        first_mm=(float(first[0]), float(first[1])),
        column_offset_mm=at.number("CompensatorColumnOffset") or 0.0,
        upper_mm=_map(at, "IsocenterToCompensatorDistances", rows, columns) if side == BOTH else None,
        stopping_power_ratio=at.number("CompensatorRelativeStoppingPowerRatio"),
        milling_tool_mm=at.number("CompensatorMillingToolDiameter"),
    )
    return one if len(at.problems) == before else None


def _map(at: Attributes, keyword: str, rows: int, columns: int) -> np.ndarray:
    """Return one value per column of the piece, (rows, columns); ones, and a problem, where they do not fit."""
    values = at.numbers(keyword)
    if values is None or values.size != rows * columns:
        at.problem(
            f"{keyword} must hold one value for every row and column",
            given=0 if values is None else values.size,
            allowed=rows * columns,
        )
        return np.ones((rows, columns))
    return values.reshape(rows, columns)
