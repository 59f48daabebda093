"""An RT Structure Set: named regions with their interpreted types and closed contours."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from dosewright.core.errors import InputError, refuse
from dosewright.core.structures import Structure, StructureSet
from dosewright.formats.dicom.attributes import Attributes, open_dataset, quietly
from dosewright.formats.dicom.conformance import Read, Write, declared
from dosewright.formats.dicom.ct import CtSeries
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.saving import decimal, new_object, save
from dosewright.formats.dicom.sop_classes import CT_IMAGE, RT_STRUCTURE_SET, name_of

CLOSED: Final = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")  # several in one plane combine by exclusive or
Contour = NDArray[np.float64]

READS: Final = declared(
    (RT_STRUCTURE_SET,),
    "",
    [
        Read("SOPClassUID", "RT Structure Set, whatever its Modality", "test_structures.py::test_what_is_refused"),
        Read("SOPInstanceUID", "what the plan refers to", "test_study.py::test_dangling_structure_reference"),
        Read(
            "ReferencedFrameOfReferenceSequence/FrameOfReferenceUID",
            "frame of reference of the contours",
            "test_structures.py::test_where_the_frame_of_reference_may_stand",
        ),
        Read(
            "FrameOfReferenceUID",
            "the same, where that sequence is missing",
            "test_structures.py::test_where_the_frame_of_reference_may_stand",
        ),
        Read(
            "StructureSetROISequence/ReferencedFrameOfReferenceUID",
            "the same, where both are missing; a structure of another one is left out, said",
            "test_structures.py::test_structures_of_another_frame_of_reference_are_left_out",
        ),
        Read(
            "StructureSetROISequence/ROINumber",
            "needed; numbers must differ",
            "test_structures.py::test_what_is_refused",
        ),
        Read(
            "StructureSetROISequence/ROIName",
            "name",
            "test_structures.py::test_missing_pieces",
            assumes="'ROI' and its number",
        ),
        Read(
            "RTROIObservationsSequence/ReferencedROINumber",
            "to which structure the type belongs",
            "test_structures.py::test_observations_go_by_number",
        ),
        Read(
            "RTROIObservationsSequence/RTROIInterpretedType",
            "EXTERNAL, SUPPORT and BOLUS change what is calculated; others are shown",
            "test_structures.py::test_two_externals_are_said",
        ),
        Read(
            "ROIContourSequence/ReferencedROINumber",
            "needed: to which structure the contours belong",
            "test_structures.py::test_contours_of_unknown_structures_are_said",
        ),
        Read(
            "ROIContourSequence/ContourSequence/ContourGeometricType",
            "CLOSED_PLANAR, CLOSEDPLANAR_XOR; others are left out and said, points silently",
            "test_structures.py::test_other_contours_are_left_out_aloud",
        ),
        Read(
            "ROIContourSequence/ContourSequence/ContourData",
            "triples, mm; fewer than three points are left out and said",
            "test_structures.py::test_other_contours_are_left_out_aloud",
        ),
    ],
)
WRITES: Final = declared(
    (RT_STRUCTURE_SET,),
    "",
    [
        Write("SOPInstanceUID", "as given, else new"),
        Write("StructureSetLabel", "Dosewright"),
        Write("StructureSetDate", "today"),
        Write("StructureSetTime", "now"),
        Write("ReferencedFrameOfReferenceSequence/FrameOfReferenceUID", "frame of reference of the contours"),
        *(
            Write(f"ReferencedFrameOfReferenceSequence/RTReferencedStudySequence/{path}", value)
            for path, value in (
                ("ReferencedSOPClassUID", "Detached Study Management"),
                ("ReferencedSOPInstanceUID", "study of the CT"),
                ("RTReferencedSeriesSequence/SeriesInstanceUID", "series of the CT"),
                ("RTReferencedSeriesSequence/ContourImageSequence/ReferencedSOPClassUID", "CT Image"),
                ("RTReferencedSeriesSequence/ContourImageSequence/ReferencedSOPInstanceUID", "every slice"),
            )
        ),
        Write("StructureSetROISequence/ROINumber", "number"),
        Write("StructureSetROISequence/ROIName", "name"),
        Write("StructureSetROISequence/ReferencedFrameOfReferenceUID", "frame of reference of the contours"),
        Write("StructureSetROISequence/ROIGenerationAlgorithm", "empty"),
        Write("ROIContourSequence/ReferencedROINumber", "number"),
        Write("ROIContourSequence/ContourSequence/ContourImageSequence/ReferencedSOPClassUID", "CT Image"),
        Write("ROIContourSequence/ContourSequence/ContourImageSequence/ReferencedSOPInstanceUID", "nearest slice"),
        Write("ROIContourSequence/ContourSequence/ContourGeometricType", "CLOSED_PLANAR"),
        Write("ROIContourSequence/ContourSequence/NumberOfContourPoints", "number of points"),
        Write("ROIContourSequence/ContourSequence/ContourData", "x, y, z of every point, mm"),
        Write("RTROIObservationsSequence/ObservationNumber", "number"),
        Write("RTROIObservationsSequence/ReferencedROINumber", "number"),
        Write("RTROIObservationsSequence/RTROIInterpretedType", "type"),
        Write("RTROIObservationsSequence/ROIInterpreter", "empty"),
        Write("ApprovalStatus", "UNAPPROVED"),
    ],
)


@quietly()
def read_structures(path: Path) -> StructureSet:
    """Read all structures of an RT Structure Set file; what has no closed planar contour has no contours.

    The SOP class decides what the file is, not its Modality. Raises `InputError` with all problems of the file.
    """
    whole = Attributes(open_dataset(path), path.name, [])
    kind = whole.text("SOPClassUID")
    if kind != RT_STRUCTURE_SET:
        raise refuse("The file is no RT Structure Set", given=name_of(kind), where=path.name)
    warnings: list[str] = []
    frame = _frame_of_reference(whole)
    kinds = _interpreted_types(whole)
    contours = _contours(whole, warnings)
    structures, elsewhere = [], []
    for item in whole.items("StructureSetROISequence"):
        number = item.integer("ROINumber")
        if number is None:
            item.problem("A structure has no number (ROINumber)")
            continue
        name = item.text("ROIName") or f"ROI {number}"
        own_frame = item.text("ReferencedFrameOfReferenceUID")
        if own_frame and frame and own_frame != frame:
            elsewhere.append(name)
            continue
        structures.append(Structure(number, name, kinds.get(number, ""), contours.get(number, ())))
    if elsewhere:
        warnings.append(f"Structures of another frame of reference were left out: {', '.join(elsewhere)}.")
    _check(whole, structures, contours, warnings)
    if whole.problems:
        raise InputError(*whole.problems)
    return StructureSet(whole.text("SOPInstanceUID"), frame, tuple(structures), tuple(warnings))


def _frame_of_reference(whole: Attributes) -> str:
    """Return the frame of reference of the contours, empty where the file states none."""
    for item in (*whole.items("ReferencedFrameOfReferenceSequence"), whole):
        if item.text("FrameOfReferenceUID"):
            return item.text("FrameOfReferenceUID")
    rois = whole.items("StructureSetROISequence")
    return next((uid for roi in rois if (uid := roi.text("ReferencedFrameOfReferenceUID"))), "")


def _interpreted_types(whole: Attributes) -> dict[int, str]:
    found: dict[int, str] = {}
    for item in whole.items("RTROIObservationsSequence"):
        number = item.integer("ReferencedROINumber")
        kind = item.text("RTROIInterpretedType").upper()
        if number is not None and kind:
            found.setdefault(number, kind)
    return found


def _contours(whole: Attributes, warnings: list[str]) -> dict[int, tuple[Contour, ...]]:
    """Return the closed planar contours by structure number."""
    found: dict[int, tuple[Contour, ...]] = {}
    for item in whole.items("ROIContourSequence"):
        number = item.integer("ReferencedROINumber")
        if number is None:
            item.problem("Contours belong to no structure (ReferencedROINumber)")
            continue
        here = item.at(f"structure number {number}")
        closed: list[Contour] = []
        left_out: dict[str, int] = {}
        for contour in here.items("ContourSequence"):
            kind = contour.text("ContourGeometricType").upper()
            points = contour.numbers("ContourData")
            if points is not None and len(points) % 3:
                contour.problem("ContourData must hold x, y, z triples", given=f"{len(points)} numbers")
            elif kind in CLOSED and points is not None and len(points) >= 9:
                closed.append(points.reshape(-1, 3))
            elif kind != "POINT":
                reason = "with fewer than three points" if kind in CLOSED else f"of type {kind or '(none)'}"
                left_out[reason] = left_out.get(reason, 0) + 1
        found[number] = found.get(number, ()) + tuple(closed)
        warnings += [f"Structure number {number}: {n} contours {why} were left out." for why, n in left_out.items()]
    return found


def _check(
    whole: Attributes, structures: list[Structure], contours: dict[int, tuple[Contour, ...]], warnings: list[str]
) -> None:
    numbers = [s.number for s in structures]
    if len(set(numbers)) < len(numbers):
        whole.problem("Several structures have the same number (ROINumber)", given=sorted(numbers))
    listed = {item.integer("ROINumber") for item in whole.items("StructureSetROISequence")}
    orphans = sorted(set(contours) - listed)
    if orphans:
        warnings.append(f"Contours of {len(orphans)} unknown structures were left out (numbers {orphans}).")
    external = [s.name for s in structures if s.kind == "EXTERNAL"]
    if len(external) != 1:
        names = f": {', '.join(external)}" if external else ""
        warnings.append(f"The structure set has {len(external)} structures of type EXTERNAL, not one{names}.")


def write_structures(path: Path, structures: StructureSet, ct: CtSeries, identity: Identity) -> str:
    """Write an RT Structure Set drawn on a CT and return its SOP Instance UID.

    The UID of `structures` is kept unless it is empty; the contours belong to the frame of reference of `identity`.
    """
    whole = new_object(RT_STRUCTURE_SET, "RTSTRUCT")
    identity.stamp(whole)
    whole.SOPInstanceUID = structures.uid or whole.SOPInstanceUID
    whole.StructureSetLabel = "Dosewright"
    whole.StructureSetDate, whole.StructureSetTime = whole.InstanceCreationDate, whole.InstanceCreationTime
    frame = str(whole.FrameOfReferenceUID)
    whole.ReferencedFrameOfReferenceSequence = [_referenced_frame(frame, ct)]
    whole.StructureSetROISequence = [_roi(s, frame) for s in structures.structures]
    whole.ROIContourSequence = [_drawn(s, ct) for s in structures.structures]
    whole.RTROIObservationsSequence = [_observed(s) for s in structures.structures]
    whole.ApprovalStatus = "UNAPPROVED"
    save(path, whole, ImplicitVRLittleEndian)
    return str(whole.SOPInstanceUID)


def _image_reference(sop_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT_IMAGE, sop_uid
    return item


def _referenced_frame(frame: str, ct: CtSeries) -> Dataset:
    item, study, series = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = ct.series_uid
    series.ContourImageSequence = [_image_reference(uid) for uid in ct.sop_uids]
    study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"  # Detached Study Management, as PS3.3 C.8.8.5 asks
    study.ReferencedSOPInstanceUID = ct.study_uid
    study.RTReferencedSeriesSequence = [series]
    item.FrameOfReferenceUID = frame
    item.RTReferencedStudySequence = [study]
    return item


def _roi(structure: Structure, frame: str) -> Dataset:
    item = Dataset()
    item.ROINumber, item.ROIName = structure.number, structure.name
    item.ReferencedFrameOfReferenceUID, item.ROIGenerationAlgorithm = frame, ""
    return item


def _drawn(structure: Structure, ct: CtSeries) -> Dataset:
    item = Dataset()
    item.ReferencedROINumber = structure.number
    item.ContourSequence = [_contour(points, ct) for points in structure.contours]
    return item


def _contour(points: Contour, ct: CtSeries) -> Dataset:
    item = Dataset()
    slice_number = round(float(ct.image.grid.to_index(points.mean(axis=0))[2]))
    if 0 <= slice_number < len(ct.sop_uids):
        item.ContourImageSequence = [_image_reference(ct.sop_uids[slice_number])]
    item.ContourGeometricType, item.NumberOfContourPoints = CLOSED[0], len(points)
    item.ContourData = [decimal(v) for v in points.ravel()]
    return item


def _observed(structure: Structure) -> Dataset:
    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = structure.number
    item.RTROIInterpretedType, item.ROIInterpreter = structure.kind, ""
    return item
