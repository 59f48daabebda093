"""A CT series: slices in any order and orientation become one image of Hounsfield numbers."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Grid, Image
from dosewright.formats.dicom.attributes import Attributes, open_dataset, quietly
from dosewright.formats.dicom.conformance import ANY_OTHER, Read, Write, declared
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.orientation import Plane, plane_of
from dosewright.formats.dicom.pixels import Stored, stored_values
from dosewright.formats.dicom.saving import decimal, new_object, new_uid, save
from dosewright.formats.dicom.sop_classes import CT_IMAGE, ENHANCED_CT_IMAGE

IN_PLANE_TOLERANCE_MM: Final = 0.1  # a tenth of the smallest clinical voxel; exporters round positions
SLICE_TOLERANCE: Final = 0.05  # of the slice distance, at most IN_PLANE_TOLERANCE_MM
PERSONAL_GROUP: Final = 0x0010  # DICOM PS3.6: the patient's group
KEYWORD_KINDS: Final = frozenset({"AE", "CS", "DS", "IS", "LO", "LT", "SH", "ST", "UC", "US", "SS", "FD", "FL"})
PERSONAL_KEYWORDS: Final = frozenset({"AccessionNumber", "StudyID", "OperatorsName", "RequestAttributesSequence"})

READS: Final = declared(
    (CT_IMAGE,),
    "",
    [
        Read(
            "SOPClassUID",
            "CT Image; others are left out, Enhanced CT is refused by name",
            "test_ct.py::test_objects_of_other_kinds_are_left_out",
        ),
        Read("ImageType", "images with LOCALIZER are left out", "test_ct.py::test_localizers_are_left_out"),
        Read("SeriesInstanceUID", "one for all slices", "test_ct.py::test_what_cannot_be_one_ct_is_refused"),
        Read("StudyInstanceUID", "one for all slices", "test_ct.py::test_what_cannot_be_one_ct_is_refused"),
        Read("FrameOfReferenceUID", "one for all slices", "test_ct.py::test_what_cannot_be_one_ct_is_refused"),
        Read("SOPInstanceUID", "names the slice", "test_ct.py::test_sop_uids_follow_the_slices_not_the_names"),
        Read(
            "PatientPosition",
            "one for all slices; used where the plan states none",
            "test_study.py::test_patient_position_falls_back_on_the_ct",
            assumes="HFS, where neither CT nor plan states one",
        ),
        Read("RescaleSlope", "needed, not 0: of each slice", "test_ct.py::test_rescale_is_taken_from_each_slice"),
        Read("RescaleIntercept", "needed: of each slice", "test_ct.py::test_rescale_is_taken_from_each_slice"),
        Read(
            "RescaleType",
            "HU or US; others are refused",
            "test_ct.py::test_what_cannot_be_one_ct_is_refused",
            assumes="HU",
        ),
        Read(
            "NumberOfFrames", "1; others are refused", "test_ct.py::test_what_cannot_be_one_ct_is_refused", assumes="1"
        ),
        Read(
            ANY_OTHER,
            "text and numbers that all slices share, without the patient's: recognise the CT protocol",
            "test_ct.py::test_only_impersonal_attributes_choose_a_protocol",
        ),
    ],
)
WRITES: Final = declared(
    (CT_IMAGE,),
    "",
    [
        Write("SeriesInstanceUID", "a new one for all slices"),
        Write("InstanceNumber", "1 to the number of slices"),
        Write("PatientPosition", "as given, else HFS"),
        Write("ImageType", "DERIVED, SECONDARY, AXIAL"),
        Write("KVP", "empty unless given"),
        Write("AcquisitionNumber", "empty"),
        Write("RescaleSlope", "1"),
        Write("RescaleIntercept", "0"),
        Write("RescaleType", "HU"),
        Write("PixelData", "Hounsfield numbers, 16 bits signed"),
        Write("ImagePositionPatient", "centre of the first pixel, mm"),
        Write("ImageOrientationPatient", "axes of the grid"),
        Write("PixelSpacing", "between rows, between columns, mm"),
        Write("SliceThickness", "distance of the slices, mm"),
        Write("Columns", "pixels along a row"),
        Write("Rows", "pixels down a column"),
        Write("SamplesPerPixel", "1"),
        Write("PhotometricInterpretation", "MONOCHROME2"),
        Write("BitsAllocated", "16"),
        Write("BitsStored", "16"),
        Write("HighBit", "15"),
        Write("PixelRepresentation", "1"),
    ],
)


@dataclass(frozen=True)
class CtSeries:
    """One CT series.

    `image` holds Hounsfield numbers, int16 where that is exact, else float32. `sop_uids` follow the slices of the
    image. `keywords` are the text attributes that all slices share, for the recognition of a CT protocol; nothing of
    the patient is among them.
    """

    image: Image
    series_uid: str
    study_uid: str
    frame_of_reference_uid: str
    sop_uids: tuple[str, ...]
    patient_position: str
    keywords: dict[str, str] = field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Slice:
    plane: Plane
    stored: Stored
    slope: float
    intercept: float
    uids: dict[str, str]
    patient_position: str
    keywords: dict[str, str]


@quietly()
def read_ct(files: Iterable[Path], *, series_uid: str | None = None) -> CtSeries:
    """Read the CT Image files among `files` as one series.

    `series_uid` chooses one where there are several. Raises `InputError` for mixed series, orientations or pixel
    sizes, unequal slice distances, tilted stacks, slices given twice, and pixels that cannot be decoded.
    """
    warnings: list[str] = []
    problems: list[str] = []
    images = _ct_images(files, series_uid, warnings)
    slices = []
    while images:  # each data set is let go once its pixels are read, for the sake of memory
        one = _slice(*images.pop(), problems)
        slices += [one] if one else []
    if problems:
        raise InputError(*problems)
    return _stack(slices, warnings)


def _ct_images(files: Iterable[Path], series_uid: str | None, warnings: list[str]) -> list[tuple[Path, Dataset]]:
    """Return the CT images of one series; what else there is, is counted and said."""
    found: list[tuple[Path, Dataset]] = []
    other, scouts, enhanced = 0, 0, 0
    for path in files:
        try:
            dataset = open_dataset(path)
        except InputError:
            other += 1
            continue
        attributes = Attributes(dataset, path.name, [])
        kind = attributes.text("SOPClassUID")
        enhanced += kind == ENHANCED_CT_IMAGE
        if kind != CT_IMAGE:
            other += 1
        elif "LOCALIZER" in attributes.text("ImageType").split("\\"):
            scouts += 1
        elif series_uid is None or attributes.text("SeriesInstanceUID") == series_uid:
            found.append((path, dataset))
    if not found:
        hint = " Enhanced (multi-frame) CT is not read; export single-frame CT Images." if enhanced else ""
        raise InputError(f"No CT Image was found among the files given.{hint}")
    series = Counter(Attributes(d, p.name, []).text("SeriesInstanceUID") for p, d in found)
    if len(series) > 1:
        listed = "; ".join(f"{uid or '(no UID)'} with {n} slices" for uid, n in sorted(series.items()))
        raise refuse("The CT files belong to several series; choose one", given=listed)
    if other:
        warnings.append(f"{other} of the files given for the CT are no CT Images and were left out.")
    if scouts:
        warnings.append(f"{scouts} localizer images were left out of the CT.")
    return found


def _slice(path: Path, dataset: Dataset, problems: list[str]) -> _Slice | None:
    image = Attributes(dataset, path.name, [])
    plane = plane_of(image)
    slope, intercept = image.number("RescaleSlope"), image.number("RescaleIntercept")
    if slope is None or intercept is None or slope == 0:
        image.problem("RescaleSlope and RescaleIntercept are needed to know Hounsfield numbers")
    if image.text("RescaleType") not in ("", "HU", "US"):
        image.problem("The pixel values are no Hounsfield numbers", given=image.text("RescaleType"), allowed="HU")
    if image.integer("NumberOfFrames") not in (None, 1):
        image.problem("A CT Image must have one frame", given=image.integer("NumberOfFrames"))
    stored = None
    if not image.problems:
        try:
            stored = stored_values(image, 1)[0]
        except InputError as refused:
            image.problems.extend(refused.problems)
    uids = {
        k: image.text(k) for k in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
    }
    problems.extend(image.problems)
    if image.problems or plane is None or stored is None or slope is None or intercept is None:
        return None
    return _Slice(plane, stored, slope, intercept, uids, image.text("PatientPosition"), protocol_keywords(dataset))


def protocol_keywords(dataset: Dataset) -> dict[str, str]:
    """Return the top-level text and number attributes that say how, not who, was scanned."""
    attributes = Attributes(dataset, "", [])
    found = {}
    for tag in dataset.keys():  # noqa: SIM118 - iterating over the data set itself converts, and may fail
        keyword = keyword_for_tag(tag)
        if not keyword or tag.group == PERSONAL_GROUP or keyword in PERSONAL_KEYWORDS:
            continue
        if dictionary_VR(tag).split()[0] in KEYWORD_KINDS:
            found[keyword] = attributes.text(keyword)
    return found


def _stack(slices: list[_Slice], warnings: list[str]) -> CtSeries:
    slices = sorted(slices, key=lambda s: s.plane.along_normal_mm)
    first = slices[0]
    _refuse_mixed([s.plane for s in slices])
    spacing_z = _slice_distance([s.plane for s in slices])
    position = _one([s.patient_position for s in slices], "PatientPosition")
    grid = Grid(
        (first.plane.columns, first.plane.rows, len(slices)),
        (*first.plane.spacing_mm, spacing_z),
        (float(first.plane.origin_mm[0]), float(first.plane.origin_mm[1]), float(first.plane.origin_mm[2])),
        first.plane.direction,
    )
    shared = {k: v for k, v in first.keywords.items() if all(s.keywords.get(k) == v for s in slices)}
    return CtSeries(
        image=Image(grid, _hounsfield(slices)),
        series_uid=first.uids["SeriesInstanceUID"],
        study_uid=_one([s.uids["StudyInstanceUID"] for s in slices], "StudyInstanceUID"),
        frame_of_reference_uid=_one([s.uids["FrameOfReferenceUID"] for s in slices], "FrameOfReferenceUID"),
        sop_uids=tuple(s.uids["SOPInstanceUID"] for s in slices),
        patient_position=position,
        keywords=shared,
        warnings=tuple(warnings),
    )


def _one(values: list[str], name: str) -> str:
    if len(set(values)) > 1:
        raise refuse(f"The slices of the CT disagree about {name}", given=", ".join(sorted(set(values))))
    return values[0]


def _refuse_mixed(planes: list[Plane]) -> None:
    first = planes[0]
    problems = []
    if len({(p.rows, p.columns) for p in planes}) > 1:
        problems.append("The slices of the CT have different numbers of rows or columns.")
    if any(not np.allclose(p.spacing_mm, first.spacing_mm, rtol=0, atol=1e-3) for p in planes):
        problems.append("The slices of the CT have different pixel sizes (PixelSpacing).")
    if any(not np.allclose(p.direction, first.direction, rtol=0, atol=1e-3) for p in planes):
        problems.append("The slices of the CT have different orientations (ImageOrientationPatient).")
    if problems:
        raise InputError(*problems)


def _slice_distance(planes: list[Plane]) -> float:
    """Return the one distance between neighbouring slices, mm; refuse gaps, doubles and tilted stacks."""
    if len(planes) < 2:
        raise InputError("A CT needs at least two slices: with one, the slice distance cannot be known.")
    direction = planes[0].direction
    places = np.array([p.origin_mm for p in planes]) @ direction
    gaps = np.diff(places[:, 2])
    doubles = int(np.count_nonzero(gaps < 1e-3))
    if doubles:
        raise refuse("Several CT slices lie at the same place", given=f"{doubles} too many of {len(planes)} slices")
    distance = float((places[-1, 2] - places[0, 2]) / (len(planes) - 1))
    tolerance = min(IN_PLANE_TOLERANCE_MM, SLICE_TOLERANCE * distance)
    off_line = np.abs(places[:, 2] - places[0, 2] - distance * np.arange(len(planes)))
    if off_line.max() > tolerance:
        usual = float(np.median(gaps))
        wrong = [
            f"{g:.3f} mm after {z:.3f} mm"
            for g, z in zip(gaps, places[:-1, 2], strict=True)
            if abs(g - usual) > tolerance
        ]
        raise refuse(
            f"The CT slices are not equally spaced (a slice may be missing); the usual distance is {usual:.3f} mm",
            given="; ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""),
        )
    shift = float(np.abs(places[:, :2] - places[0, :2]).max())
    if shift > IN_PLANE_TOLERANCE_MM:
        raise refuse(
            "The CT slices are shifted against each other (tilted gantry); resample the CT to a straight stack",
            given=f"{shift:.2f} mm over the stack",
        )
    return distance


def _hounsfield(slices: list[_Slice]) -> NDArray[np.generic]:
    whole = all(s.slope == round(s.slope) and s.intercept == round(s.intercept) for s in slices)
    limits = np.iinfo(np.int16)
    if whole:
        ends = [s.slope * float(e) + s.intercept for s in slices for e in (s.stored.min(), s.stored.max())]
        whole = limits.min <= min(ends) and max(ends) <= limits.max
    values: NDArray[np.generic] = np.empty((len(slices), *slices[0].stored.shape), np.int16 if whole else np.float32)
    for k, s in enumerate(slices):
        values[k] = s.slope * s.stored.astype(np.float64) + s.intercept
    return values


def write_ct(
    folder: Path,
    image: Image,
    identity: Identity,
    *,
    patient_position: str = "HFS",
    keywords: dict[str, str] | None = None,
) -> CtSeries:
    """Write an image of Hounsfield numbers as a CT series into a folder and return it with its new UIDs.

    Values are rounded to whole numbers. `keywords` are further attributes of every slice, by DICOM keyword.
    """
    values = np.rint(np.asarray(image.values, np.float64))
    if not np.all(np.isfinite(values)) or np.abs(values).max() > np.iinfo(np.int16).max:
        raise refuse("Hounsfield numbers to be written must fit 16 bits", given=f"up to {np.abs(values).max():g}")
    series_uid, sop_uids = new_uid(), []
    for k in range(image.grid.shape[2]):
        one = new_object(CT_IMAGE, "CT")
        identity.stamp(one)
        one.SeriesInstanceUID, one.InstanceNumber = series_uid, k + 1
        one.PatientPosition, one.ImageType = patient_position, ["DERIVED", "SECONDARY", "AXIAL"]
        one.KVP, one.AcquisitionNumber = "", ""
        for keyword, value in (keywords or {}).items():
            setattr(one, keyword, value)
        _put_plane(one, image.grid, k)
        one.RescaleSlope, one.RescaleIntercept, one.RescaleType = "1", "0", "HU"
        one.PixelData = values[k].astype("<i2").tobytes()
        save(folder / f"CT_{k + 1:04d}.dcm", one)
        sop_uids.append(str(one.SOPInstanceUID))
    written = Image(image.grid, values.astype(np.int16))
    study, frame = str(one.StudyInstanceUID), str(one.FrameOfReferenceUID)
    return CtSeries(written, series_uid, study, frame, tuple(sop_uids), patient_position, dict(keywords or {}))


def _put_plane(one: Dataset, grid: Grid, k: int) -> None:
    """Write geometry and pixel description of one slice."""
    nx, ny, _ = grid.shape
    sx, sy, sz = grid.spacing_mm
    origin = grid.to_patient(np.array([0.0, 0.0, k]))
    one.ImagePositionPatient = [decimal(v) for v in origin]
    one.ImageOrientationPatient = [decimal(v) for v in (*grid.direction[:, 0], *grid.direction[:, 1])]
    one.PixelSpacing, one.SliceThickness = [decimal(sy), decimal(sx)], decimal(sz)  # between rows first
    one.Columns, one.Rows = nx, ny
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 1
