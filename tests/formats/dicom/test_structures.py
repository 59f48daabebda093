"""RT Structure Sets: types, contours, missing pieces, real ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError
from dosewright.core.grid import Image
from dosewright.core.structures import StructureSet
from dosewright.formats.dicom.ct import CtSeries, write_ct
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.structures import read_structures, write_structures


@pytest.fixture
def ct(tmp_path: Path, ct_image: Image, identity: Identity) -> CtSeries:
    return write_ct(tmp_path / "ct", ct_image, identity)


@pytest.fixture
def path(tmp_path: Path, structures: StructureSet, ct: CtSeries, identity: Identity) -> Path:
    assert write_structures(tmp_path / "rs.dcm", structures, ct, identity) == structures.uid
    return tmp_path / "rs.dcm"


def edited(path: Path, edit: Callable[[Dataset], None]) -> Path:
    dataset = pydicom.dcmread(path)
    edit(dataset)
    dataset.save_as(path)
    return path


def test_what_is_written_is_read_back(path: Path, structures: StructureSet, identity: Identity) -> None:
    read = read_structures(path)
    assert (read.uid, read.warnings) == (structures.uid, ())
    assert read.frame_of_reference_uid == identity.frame_of_reference_uid
    for ours, theirs in zip(structures.structures, read.structures, strict=True):
        assert (ours.number, ours.name, ours.kind) == (theirs.number, theirs.name, theirs.kind)
        for a, b in zip(ours.contours, theirs.contours, strict=True):
            np.testing.assert_array_equal(a, b)


def test_contours_refer_to_their_slices(path: Path, ct: CtSeries) -> None:
    dataset = pydicom.dcmread(path)
    contours = dataset.ROIContourSequence[0].ContourSequence
    uids = [c.ContourImageSequence[0].ReferencedSOPInstanceUID for c in contours]
    assert uids == [ct.sop_uids[0], ct.sop_uids[0], ct.sop_uids[1], ct.sop_uids[1]]
    series = dataset.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == ct.series_uid


def test_other_contours_are_left_out_aloud(path: Path) -> None:
    def open_one(dataset: Dataset) -> None:
        first, second, third, fourth = dataset.ROIContourSequence[0].ContourSequence
        first.ContourGeometricType = "OPEN_PLANAR"
        second.ContourData = second.ContourData[:6]
        third.ContourGeometricType = "POINT"
        fourth.ContourGeometricType = "CLOSEDPLANAR_XOR"

    read = read_structures(edited(path, open_one))
    assert len(read.structures[0].contours) == 1
    assert sorted(read.warnings) == [
        "Structure number 1: 1 contours of type OPEN_PLANAR were left out.",
        "Structure number 1: 1 contours with fewer than three points were left out.",
    ]


def test_missing_pieces(path: Path) -> None:
    def thin_out(dataset: Dataset) -> None:
        del dataset.RTROIObservationsSequence, dataset.ReferencedFrameOfReferenceSequence
        dataset.ROIContourSequence = dataset.ROIContourSequence[1:]
        dataset.StructureSetROISequence[0].ROIName = None

    read = read_structures(edited(path, thin_out))
    assert [(s.name, s.kind, len(s.contours)) for s in read.structures] == [("ROI 1", "", 0), ("PTV 2 Gy", "", 1)]
    assert "0 structures of type EXTERNAL" in read.warnings[0]


def test_two_externals_are_said(path: Path) -> None:
    edited(path, lambda d: setattr(d.RTROIObservationsSequence[1], "RTROIInterpretedType", "EXTERNAL"))
    assert read_structures(path).warnings == (
        "The structure set has 2 structures of type EXTERNAL, not one: BODY, PTV 2 Gy.",
    )


def test_structures_of_another_frame_of_reference_are_left_out(path: Path) -> None:
    edited(path, lambda d: setattr(d.StructureSetROISequence[1], "ReferencedFrameOfReferenceUID", "1.2.99"))
    read = read_structures(path)
    assert [s.name for s in read.structures] == ["BODY"]
    assert "another frame of reference were left out: PTV 2 Gy" in read.warnings[0]


def test_where_the_frame_of_reference_may_stand(path: Path, identity: Identity) -> None:
    """FrameOfReferenceUID: in ReferencedFrameOfReferenceSequence, else of the object, else of the structures."""

    def thin_out(dataset: Dataset) -> None:
        dataset.FrameOfReferenceUID = "1.2.50"
        del dataset.ReferencedFrameOfReferenceSequence
        for roi in dataset.StructureSetROISequence:
            roi.ReferencedFrameOfReferenceUID = "1.2.51"

    assert read_structures(path).frame_of_reference_uid == identity.frame_of_reference_uid
    elsewhere = read_structures(edited(path, thin_out))
    assert (elsewhere.frame_of_reference_uid, elsewhere.structures) == ("1.2.50", ())
    edited(path, lambda d: delattr(d, "FrameOfReferenceUID"))
    assert read_structures(path).frame_of_reference_uid == "1.2.51"


def test_observations_go_by_number(path: Path) -> None:
    """ReferencedROINumber of an observation counts, not its place in RTROIObservationsSequence."""
    edited(path, lambda d: d.RTROIObservationsSequence.reverse())
    assert [(s.name, s.kind) for s in read_structures(path).structures] == [("BODY", "EXTERNAL"), ("PTV 2 Gy", "PTV")]
    edited(path, lambda d: setattr(d.RTROIObservationsSequence[1], "ReferencedROINumber", 99))
    assert [s.kind for s in read_structures(path).structures] == ["", "PTV"]


def test_contours_of_unknown_structures_are_said(path: Path) -> None:
    edited(path, lambda d: setattr(d.ROIContourSequence[1], "ReferencedROINumber", 55))
    assert "unknown structures were left out (numbers [55])" in read_structures(path).warnings[0]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: setattr(d.ROIContourSequence[0].ContourSequence[0], "ContourData", [1.0] * 10), "x, y, z triples"),
        (lambda d: setattr(d.StructureSetROISequence[1], "ROINumber", 1), "same number"),
        (lambda d: delattr(d.StructureSetROISequence[1], "ROINumber"), "no number"),
        (lambda d: delattr(d.ROIContourSequence[1], "ReferencedROINumber"), "belong to no structure"),
        (lambda d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.481.2"), "Given: RT Dose"),
    ],
)
def test_what_is_refused(path: Path, edit: Callable[[Dataset], None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_structures(edited(path, edit))


@pytest.mark.parametrize("explicit", [False, True])
def test_a_contour_longer_than_64_kilobytes(
    path: Path, structures: StructureSet, ct: CtSeries, identity: Identity, explicit: bool
) -> None:
    points = np.random.default_rng(2).random((6000, 3)).round(9)
    one = structures.structures[0]
    long = StructureSet("1.2.3", "", (type(one)(1, "BODY", "EXTERNAL", (points,)),))
    write_structures(path, long, ct, identity)
    if explicit:
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        dataset.save_as(path)
    np.testing.assert_array_equal(read_structures(path).structures[0].contours[0], points)


def test_head_phantom(headphantom: Path) -> None:
    (file,) = headphantom.rglob("RS*.dcm")
    read = read_structures(file)
    assert len(read.structures) == 11
    assert (read.named("BODY").kind, len(read.named("BODY").contours)) == ("EXTERNAL", 177)
    assert (read.named("CTV").kind, read.named("BrainStem").kind) == ("CTV", "ORGAN")
    assert read.warnings == ()


def test_the_sop_class_counts_not_the_modality(ct_series: dict[str, Path]) -> None:
    files = [p for p in ct_series["SimpleFantomWithStruct"].rglob("*.dcm") if not p.name.startswith("CT_")]
    (file,) = files
    assert pydicom.dcmread(file).Modality == "RTDOSE"
    (target,) = read_structures(file).structures
    assert (target.name, len(target.contours)) == ("TargetVolume", 41)


def test_synthetic_lung(ct_series: dict[str, Path]) -> None:
    for phase in ("lung-1", "lung-2", "lung-3"):
        assert (
            len(read_structures(ct_series["synthetic_lung"] / "synthetic_lung" / phase / "rtss.dcm").structures) == 32
        )


@pytest.mark.parametrize(
    ("name", "count", "external"),
    [
        ("ion-dcpt-let-plans/plan03_ramp_full/RS*.dcm", 5, "External"),
        ("photon-varian-imrt-dicompyler/rtss.dcm", 10, "BODY"),
        ("photon-water-10x10-raystation/RS*.dcm", 8, "Water_External"),
        ("photon-monaco-elekta-plans/TinyVMAT/*StrctrSets.dcm", 2, "patient"),
    ],
)
def test_other_real_structure_sets(shared_data: Path, name: str, count: int, external: str) -> None:
    (file,) = shared_data.glob(name)
    read = read_structures(file)
    assert len(read.structures) == count
    assert [s.name for s in read.of_kind("EXTERNAL")] == [external]
