"""An RT Dose: absorbed dose in Gy on a grid, with what it says about its plan."""

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Grid, Image
from dosewright.formats.dicom.attributes import Attributes, open_dataset, quietly
from dosewright.formats.dicom.conformance import Read, Write, declared
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.orientation import Plane, plane_of
from dosewright.formats.dicom.pixels import stored_values
from dosewright.formats.dicom.saving import MANUFACTURER, decimal, new_object, save
from dosewright.formats.dicom.sop_classes import RT_DOSE, RT_ION_PLAN, name_of

DOSE_TYPES: Final = ("PHYSICAL", "EFFECTIVE", "ERROR")
FRAME_TOLERANCE_MM: Final = 0.01  # exporters round offsets to at least this

READS: Final = declared(
    (RT_DOSE,),
    "",
    [
        Read("SOPClassUID", "RT Dose; others are refused", "test_dose.py::test_what_is_refused"),
        Read("SOPInstanceUID", "names the dose", "test_dose.py::test_what_a_dose_says_of_itself"),
        Read("FrameOfReferenceUID", "place of the dose", "test_dose.py::test_what_a_dose_says_of_itself"),
        Read("DoseUnits", "needed: GY; relative doses are refused", "test_dose.py::test_what_is_refused"),
        Read("DoseType", "needed: PHYSICAL, EFFECTIVE, ERROR", "test_dose.py::test_what_is_refused"),
        Read(
            "DoseSummationType",
            "PLAN, MULTI_PLAN of one plan, PLAN_OVERVIEW, FRACTION for the plan; BEAM; others are left out aloud",
            "test_dose.py::test_what_a_dose_says_of_itself",
        ),
        Read("DoseGridScaling", "needed, positive: Gy per stored value", "test_dose.py::test_what_is_refused"),
        Read("NumberOfFrames", "fits the offsets", "test_dose.py::test_what_is_refused", assumes="1"),
        Read(
            "GridFrameOffsetVector",
            "needed for several frames: relative or absolute, ascending or descending, equally spaced, mm",
            "test_dose.py::test_decreasing_offsets",
        ),
        Read(
            "SliceThickness",
            "thickness of a dose of one frame, else not used",
            "test_dose.py::test_the_thickness_of_one_frame",
            assumes="1 mm",
        ),
        Read(
            "ReferencedRTPlanSequence/ReferencedSOPInstanceUID",
            "the plan, if exactly one",
            "test_dose.py::test_a_dose_that_refers_to_no_plan",
        ),
        Read(
            "ReferencedRTPlanSequence/ReferencedFractionGroupSequence/ReferencedFractionGroupNumber",
            "the fraction group, if exactly one",
            "test_dose.py::test_what_a_dose_says_of_itself",
        ),
        Read(
            "ReferencedRTPlanSequence/ReferencedFractionGroupSequence/ReferencedBeamSequence/ReferencedBeamNumber",
            "the beam, if exactly one",
            "test_dose.py::test_a_dose_of_several_beams_has_no_beam_number",
        ),
        Read("Manufacturer", "whose dose it is", "test_dose.py::test_what_a_dose_says_of_itself"),
        Read("DoseComment", "repeated", "test_dose.py::test_what_a_dose_says_of_itself"),
    ],
)
WRITES: Final = declared(
    (RT_DOSE,),
    "",
    [
        Write("SeriesInstanceUID", "one for the doses of a calculation"),
        Write("InstanceNumber", "tells the doses of a series apart"),
        Write("SeriesDescription", "what the dose is, 64 characters"),
        Write("DoseComment", "user, role, uncertainty"),
        Write("OperatorsName", "acronym and role of the user, where the site lists users"),
        Write("DoseUnits", "GY"),
        Write("DoseType", "PHYSICAL, EFFECTIVE; ERROR for differences"),
        Write("DoseSummationType", "PLAN or BEAM"),
        Write("ImagePositionPatient", "centre of the first voxel, mm"),
        Write("ImageOrientationPatient", "axes of the grid"),
        Write("PixelSpacing", "between rows, between columns, mm"),
        Write("SliceThickness", "distance of the frames, mm"),
        Write("Columns", "voxels along a row"),
        Write("Rows", "voxels down a column"),
        Write("NumberOfFrames", "voxels along the normal"),
        Write("GridFrameOffsetVector", "relative, ascending, mm"),
        Write("FrameIncrementPointer", "Grid Frame Offset Vector"),
        Write("SamplesPerPixel", "1"),
        Write("PhotometricInterpretation", "MONOCHROME2"),
        Write("BitsAllocated", "32"),
        Write("BitsStored", "32"),
        Write("HighBit", "31"),
        Write("PixelRepresentation", "0; 1 where a value is negative"),
        Write("DoseGridScaling", "so that the peak takes all bits"),
        Write("PixelData", "dose over DoseGridScaling, rounded"),
        Write("ReferencedRTPlanSequence/ReferencedSOPClassUID", "RT Ion Plan"),
        Write("ReferencedRTPlanSequence/ReferencedSOPInstanceUID", "the plan"),
        Write(
            "ReferencedRTPlanSequence/ReferencedFractionGroupSequence/ReferencedFractionGroupNumber",
            "the fraction group; only where the dose is of one",
        ),
        Write(
            "ReferencedRTPlanSequence/ReferencedFractionGroupSequence/ReferencedBeamSequence/ReferencedBeamNumber",
            "the beam; only for the dose of one",
        ),
    ],
)


@dataclass(frozen=True)
class DicomDose:
    """One RT Dose; `image` is in Gy, float32.

    `dose_type` is ``"PHYSICAL"``, ``"EFFECTIVE"`` or ``"ERROR"``; `beam_number` is set where the object refers to
    exactly one beam, `fraction_group` where it names one. `manufacturer` and `comment` are the writer's words.
    """

    image: Image
    dose_type: str
    summation_type: str
    plan_uid: str
    beam_number: int | None
    frame_of_reference_uid: str
    uid: str
    warnings: tuple[str, ...] = ()
    fraction_group: int | None = None
    manufacturer: str = ""
    comment: str = ""


@dataclass(frozen=True)
class DoseLabel:
    """What a dose to be written says about itself; the beam number only for a dose of one beam.

    `operator` is who made it. `series_uid` puts several doses into one series; empty makes a new one. `number` tells
    them apart there.
    """

    dose_type: str = "PHYSICAL"
    summation_type: str = "PLAN"
    plan_uid: str = ""
    fraction_group: int | None = None
    beam_number: int | None = None
    description: str = ""
    comment: str = ""
    series_uid: str = ""
    number: int = 1
    manufacturer: str = MANUFACTURER
    operator: str = ""


@quietly()
def read_dose(path: Path) -> DicomDose:
    """Read an RT Dose file with 8, 16 or 32 bit values.

    Frame offsets may be relative or absolute, increasing or decreasing; the grid comes out right-handed. Raises
    `InputError` with all problems of the file; relative doses are refused.
    """
    dose = Attributes(open_dataset(path), path.name, [])
    kind = dose.text("SOPClassUID")
    if kind != RT_DOSE:
        raise refuse("The file is no RT Dose", given=name_of(kind), where=path.name)
    warnings: list[str] = []
    scaling = _scaling(dose)
    dose_type = dose.text("DoseType").upper()
    if dose_type not in DOSE_TYPES:
        dose.problem("The dose states no known DoseType", given=dose_type or "nothing", allowed=", ".join(DOSE_TYPES))
    plane, offsets = plane_of(dose), _offsets(dose)
    if dose.problems or plane is None or offsets is None or scaling is None:
        raise InputError(*dose.problems)
    grid, backwards = _grid(dose, plane, offsets, warnings)
    stored = stored_values(dose, len(offsets))
    values: NDArray[np.generic] = (stored * np.float64(scaling)).astype(np.float32)
    plan_uid, group, beam = _references(dose, warnings)
    result = DicomDose(
        image=Image(grid, np.ascontiguousarray(values[::-1]) if backwards else values),
        dose_type=dose_type,
        summation_type=dose.text("DoseSummationType").upper(),
        plan_uid=plan_uid,
        beam_number=beam,
        frame_of_reference_uid=dose.text("FrameOfReferenceUID"),
        uid=dose.text("SOPInstanceUID"),
        warnings=tuple(warnings),
        fraction_group=group,
        manufacturer=dose.text("Manufacturer"),
        comment=dose.text("DoseComment"),
    )
    if dose.problems:
        raise InputError(*dose.problems)
    return result


def _scaling(dose: Attributes) -> float | None:
    units = dose.text("DoseUnits").upper()
    if units != "GY":
        why = " (a relative dose cannot be compared with an absolute one)" if units == "RELATIVE" else ""
        dose.problem(f"The dose is not in Gy{why}; export it as absolute dose", given=units or "nothing", allowed="GY")
    scaling = dose.number("DoseGridScaling")
    if scaling is None or scaling <= 0:
        dose.problem("DoseGridScaling must be a positive number", given=scaling)
    return scaling


def _offsets(dose: Attributes) -> NDArray[np.float64] | None:
    """Return the frame offsets along the normal, mm, relative to the first frame."""
    frames = dose.integer("NumberOfFrames")
    if frames in (None, 1) and not dose.problems:
        return np.zeros(1)
    offsets = dose.numbers("GridFrameOffsetVector")
    if offsets is None:
        if not dose.problems:
            dose.problem("The frame positions are missing (GridFrameOffsetVector)")
        return None
    if len(offsets) != (frames or 1):
        dose.problem("GridFrameOffsetVector does not fit NumberOfFrames", given=len(offsets), allowed=frames)
        return None
    steps = np.diff(offsets)
    uneven = float(np.abs(offsets - np.linspace(offsets[0], offsets[-1], len(offsets))).max())
    if uneven > FRAME_TOLERANCE_MM or np.abs(steps).min() < 1e-3:
        dose.problem("The dose frames are not equally spaced", given=f"steps of {steps.min():g} to {steps.max():g} mm")
        return None
    return offsets


def _grid(dose: Attributes, plane: Plane, offsets: NDArray[np.float64], warnings: list[str]) -> tuple[Grid, bool]:
    """Return the grid with ascending frames along the normal, and whether the frames must be turned round.

    The offsets are relative when the first is 0, else z positions (DICOM PS3.3 C.8.8.3.2), which is possible for
    axial planes only.
    """
    normal = plane.direction[:, 2]
    relative = offsets - offsets[0]
    if offsets[0] != 0:
        z = float(plane.origin_mm[2])
        if abs(abs(normal[2]) - 1) > 1e-4 or abs(offsets[0] - z) > FRAME_TOLERANCE_MM:
            raise refuse(
                "GridFrameOffsetVector starts neither at 0 nor at the z position of an axial first frame",
                given=f"{offsets[0]:g}",
                allowed=f"0 or {z:g}",
                where=dose.where,
            )
        relative = relative * np.sign(normal[2])
    step = float(relative[-1] / (len(offsets) - 1)) if len(offsets) > 1 else _thickness(dose, warnings)
    first = plane.origin_mm + normal * min(0.0, float(relative[-1]))
    grid = Grid(
        (plane.columns, plane.rows, len(offsets)),
        (*plane.spacing_mm, abs(step)),
        (float(first[0]), float(first[1]), float(first[2])),
        plane.direction,
    )
    return grid, step < 0


def _thickness(dose: Attributes, warnings: list[str]) -> float:
    """Return the thickness of a dose of one frame, mm."""
    stated = dose.number("SliceThickness")
    thickness = stated if stated and stated > 0 else 1.0
    source = "its SliceThickness" if thickness == stated else "assumed"
    warnings.append(f"A dose has one frame only; its thickness is {thickness:g} mm ({source}).")
    return thickness


def _references(dose: Attributes, warnings: list[str]) -> tuple[str, int | None, int | None]:
    """Return the plan UID, the fraction group and the beam number that the dose refers to."""
    plans = dose.items("ReferencedRTPlanSequence")
    if len(plans) != 1:
        warnings.append(f"A dose refers to {len(plans)} plans, not one.")
        return "", None, None
    groups = plans[0].items("ReferencedFractionGroupSequence")
    beams = [
        n
        for g in groups
        for b in g.items("ReferencedBeamSequence")
        if (n := b.integer("ReferencedBeamNumber")) is not None
    ]
    group = groups[0].integer("ReferencedFractionGroupNumber") if len(groups) == 1 else None
    if dose.text("DoseSummationType").upper() == "BEAM" and len(beams) != 1:
        warnings.append(f"A dose of summation type BEAM refers to {len(beams)} beams, not one.")
    return plans[0].text("ReferencedSOPInstanceUID"), group, beams[0] if len(beams) == 1 else None


def write_dose(path: Path, image: Image, label: DoseLabel, identity: Identity) -> str:
    """Write an RT Dose of 32 bit values and return its new SOP Instance UID.

    `image` is in Gy; negative values are for an ``"ERROR"`` dose only. Frames are written by relative offsets along the
    normal. Raises `InputError` for values that are not finite and for a label that no RT Dose can have.
    """
    _check_label(label, image)
    dose = new_object(RT_DOSE, "RTDOSE", label.manufacturer)
    identity.stamp(dose)
    dose.SeriesInstanceUID = label.series_uid or dose.SeriesInstanceUID
    dose.InstanceNumber = label.number
    dose.OperatorsName = re.sub(r"[\\^=]", "-", label.operator)[:64]  # one person name of one component (PS3.5, 6.2)
    dose.SeriesDescription, dose.DoseComment = label.description[:64], label.comment[:1024]
    dose.DoseUnits, dose.DoseType, dose.DoseSummationType = "GY", label.dose_type, label.summation_type
    _put_geometry(dose, image.grid)
    _put_values(dose, np.asarray(image.values, np.float64))
    if label.plan_uid:
        dose.ReferencedRTPlanSequence = [_reference(label)]
    save(path, dose)
    return str(dose.SOPInstanceUID)


def _check_label(label: DoseLabel, image: Image) -> None:
    problems = []
    if label.dose_type not in DOSE_TYPES:
        problems.append(f"A dose cannot have the type {label.dose_type!r}; allowed: {', '.join(DOSE_TYPES)}.")
    if (label.summation_type == "BEAM") != (label.beam_number is not None):
        problems.append("A dose has a beam number exactly if its summation type is BEAM.")
    if not np.all(np.isfinite(image.values)):
        problems.append("A dose to be written must be finite everywhere.")
    elif label.dose_type != "ERROR" and image.values.min() < 0:
        problems.append("A dose to be written must not be negative; only an ERROR dose may.")
    if problems:
        raise InputError(*problems)


def _put_geometry(dose: Dataset, grid: Grid) -> None:
    nx, ny, nz = grid.shape
    sx, sy, sz = grid.spacing_mm
    dose.ImagePositionPatient = [decimal(v) for v in grid.origin_mm]
    dose.ImageOrientationPatient = [decimal(v) for v in (*grid.direction[:, 0], *grid.direction[:, 1])]
    dose.PixelSpacing = [decimal(sy), decimal(sx)]  # between rows first
    dose.SliceThickness = decimal(sz)
    dose.Columns, dose.Rows, dose.NumberOfFrames = nx, ny, nz
    dose.GridFrameOffsetVector = [decimal(k * sz) for k in range(nz)]
    dose.FrameIncrementPointer = 0x3004000C  # Grid Frame Offset Vector


def _put_values(dose: Dataset, values: NDArray[np.float64]) -> None:
    """Scale in float64: in float32 the largest value would overflow 32 bits."""
    signed = bool(values.min() < 0)
    largest = 2**31 - 1 if signed else 2**32 - 1
    scaling = _rounded_up(float(np.abs(values).max()) / largest)
    dose.SamplesPerPixel, dose.PhotometricInterpretation = 1, "MONOCHROME2"
    dose.BitsAllocated, dose.BitsStored, dose.HighBit, dose.PixelRepresentation = 32, 32, 31, int(signed)
    dose.DoseGridScaling = str(scaling)
    stored = np.rint(values / float(scaling)).astype("<i4" if signed else "<u4")
    dose.PixelData = stored.tobytes()


def _rounded_up(scaling: float) -> Decimal:
    """Return the next decimal of at most 16 characters, so that the peak still fits."""
    if scaling < 1e-90:  # no dose at all, or one below what 16 characters can say
        return Decimal(1)
    return Context(prec=10, rounding=ROUND_CEILING).create_decimal_from_float(scaling)


def _reference(label: DoseLabel) -> Dataset:
    plan = Dataset()
    plan.ReferencedSOPClassUID, plan.ReferencedSOPInstanceUID = RT_ION_PLAN, label.plan_uid
    if label.fraction_group is not None or label.beam_number is not None:
        group = Dataset()
        group.ReferencedFractionGroupNumber = label.fraction_group or 1
        if label.beam_number is not None:
            beam = Dataset()
            beam.ReferencedBeamNumber = label.beam_number
            group.ReferencedBeamSequence = [beam]
        plan.ReferencedFractionGroupSequence = [group]
    return plan
