"""What DICOM objects lie in a folder: their headers only, read with care."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pydicom

from dosewright.core.errors import refuse
from dosewright.formats.dicom.attributes import Attributes, looks_like_dicom, quietly
from dosewright.formats.dicom.conformance import EVERY_OBJECT, Read, declared
from dosewright.formats.dicom.identity import REPEATED, Identity
from dosewright.formats.dicom.sop_classes import RT_DOSE, RT_ION_PLAN, RT_STRUCTURE_SET

SHOWN: Final = "shown where several objects would fit"
MAX_FILES: Final = 20_000  # a treatment study has hundreds; more means the wrong folder
READS: Final = (
    *declared(
        EVERY_OBJECT,
        "",
        [
            Read("SOPClassUID", "kind of the object", "test_folder.py::test_what_a_header_says"),
            Read("SOPInstanceUID", "what references mean", "test_study.py::test_dangling_structure_reference"),
            Read("SeriesInstanceUID", "slices that belong together", "test_study.py::test_rewritten_ct_series"),
            Read(
                "Manufacturer",
                "our own doses are never taken for planned ones",
                "test_study.py::test_our_own_earlier_results_are_no_planned_doses",
            ),
        ],
    ),
    *declared((RT_ION_PLAN,), "", [Read("RTPlanLabel", SHOWN, "test_folder.py::test_what_a_header_says")]),
    *declared(
        (RT_DOSE,),
        "",
        [
            Read("DoseSummationType", SHOWN, "test_folder.py::test_what_a_header_says"),
            Read(
                "ReferencedRTPlanSequence/ReferencedSOPInstanceUID",
                "finds the doses of a plan",
                "test_study.py::test_dangling_doses",
                assumes="those of the same study and frame of reference, then of weaker ties",
            ),
        ],
    ),
    *declared((RT_STRUCTURE_SET,), "", [Read("StructureSetLabel", SHOWN, "test_folder.py::test_what_a_header_says")]),
    *declared(
        (RT_STRUCTURE_SET,),
        "ReferencedFrameOfReferenceSequence/RTReferencedStudySequence/RTReferencedSeriesSequence",
        [
            Read(
                "SeriesInstanceUID",
                "finds the CT series",
                "test_study.py::test_rewritten_ct_series",
                assumes="the series of the same study and frame of reference, then of weaker ties",
            ),
            Read(
                "ContourImageSequence/ReferencedSOPInstanceUID",
                "slices that are missing are said",
                "test_study.py::test_a_missing_end_slice_is_said",
            ),
        ],
    ),
)
HEADER_KEYWORDS: Final = (*REPEATED, *dict.fromkeys(read.whole_path.split("/")[0] for read in READS))


@dataclass(frozen=True)
class Header:
    """The head of one DICOM file: what it is, what it belongs to, what it refers to."""

    path: Path
    sop_class_uid: str
    uid: str
    series_uid: str
    identity: Identity
    label: str
    manufacturer: str
    plan_uids: tuple[str, ...] = ()
    ct_series_uids: frozenset[str] = frozenset()
    ct_uids: frozenset[str] = field(default=frozenset(), repr=False)


def scan(root: Path) -> list[Header]:
    """Return the headers of all DICOM files below a folder, in the order of their names.

    Links are not followed; hidden files, files that are no DICOM and absurdly large ones are passed over.
    """
    found = []
    for count, path in enumerate(_files(root), 1):
        if count > MAX_FILES:
            raise refuse(
                "The folder holds too many files to be one study; put the study into a folder of its own",
                given=f"more than {MAX_FILES} files",
            )
        header = read_header(path)
        if header is not None:
            found.append(header)
    return found


def _files(root: Path) -> list[Path]:
    """List at most one file more than allowed."""
    found: list[Path] = []
    for folder, subfolders, names in os.walk(root, followlinks=False):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        paths = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
        found.extend(path for path in paths if not path.is_symlink() and path.is_file())
        if len(found) > MAX_FILES:
            return found[: MAX_FILES + 1]
    return found


@quietly()
def read_header(path: Path) -> Header | None:
    """Return the header of a file; None if it is no DICOM object."""
    try:
        if not looks_like_dicom(path):
            return None
        dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=list(HEADER_KEYWORDS))
    except Exception:  # pydicom raises almost any class on damaged files
        return None
    head = Attributes(dataset, path.name, [])
    kind = head.text("SOPClassUID")
    if not kind:
        return None
    series = [
        series
        for frame in head.items("ReferencedFrameOfReferenceSequence")
        for study in frame.items("RTReferencedStudySequence")
        for series in study.items("RTReferencedSeriesSequence")
    ]
    plans = (*head.items("ReferencedRTPlanSequence"),)
    return Header(
        path=path,
        sop_class_uid=kind,
        uid=head.text("SOPInstanceUID"),
        series_uid=head.text("SeriesInstanceUID"),
        identity=Identity.of(dataset),
        label=head.text("RTPlanLabel") or head.text("StructureSetLabel") or head.text("DoseSummationType"),
        manufacturer=head.text("Manufacturer"),
        plan_uids=tuple(uid for item in plans if (uid := item.text("ReferencedSOPInstanceUID"))),
        ct_series_uids=frozenset(uid for s in series if (uid := s.text("SeriesInstanceUID"))),
        ct_uids=frozenset(
            uid for s in series for i in s.items("ContourImageSequence") if (uid := i.text("ReferencedSOPInstanceUID"))
        ),
    )
