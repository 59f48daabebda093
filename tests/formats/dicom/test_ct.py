"""CT series: order, orientation, spacing, Hounsfield numbers, and every reason to refuse."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.formats.dicom.ct import read_ct, write_ct
from dosewright.formats.dicom.identity import Identity


def files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def change(path: Path, edit: Callable[[Dataset], None]) -> None:
    dataset = pydicom.dcmread(path)
    edit(dataset)
    dataset.save_as(path)


@pytest.fixture
def folder(tmp_path: Path, ct_image: Image, identity: Identity) -> Path:
    write_ct(tmp_path / "ct", ct_image, identity, keywords={"SeriesDescription": "Head 3 mm", "KVP": "120"})
    return tmp_path / "ct"


def test_what_is_written_is_read_back_in_any_order(folder: Path, ct_image: Image) -> None:
    one, two, three, four = files(folder)
    ct = read_ct([three, one, four, two])
    assert ct.image.grid.matches(ct_image.grid, tolerance_mm=1e-9)
    assert ct.image.values.dtype == np.int16
    np.testing.assert_array_equal(ct.image.values, ct_image.values)
    assert ct.keywords["SeriesDescription"] == "Head 3 mm"
    assert ct.keywords["KVP"] == "120"
    assert ct.keywords["Manufacturer"] == "Dosewright"
    assert ct.patient_position == "HFS"


def test_sop_uids_follow_the_slices_not_the_names(folder: Path) -> None:
    written = files(folder)
    by_height = sorted(written, key=lambda p: float(pydicom.dcmread(p).ImagePositionPatient[2]))
    assert read_ct(reversed(written)).sop_uids == tuple(pydicom.dcmread(p).SOPInstanceUID for p in by_height)


def test_simpleitk_sees_the_same_geometry_and_values(folder: Path, ct_image: Image) -> None:
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.ReadImage([str(p) for p in files(folder)])
    np.testing.assert_allclose(image.GetSpacing(), ct_image.grid.spacing_mm)
    np.testing.assert_allclose(image.GetOrigin(), ct_image.grid.origin_mm)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), ct_image.values)


def test_pixel_spacing_is_rows_first(folder: Path) -> None:
    dataset = pydicom.dcmread(files(folder)[0])
    assert list(dataset.PixelSpacing) == [2.5, 1.25]  # y, then x: 7 rows of 2.5 mm, 5 columns of 1.25 mm
    assert (dataset.Rows, dataset.Columns) == (7, 5)


def test_a_tilted_series_keeps_every_voxel_at_its_place(tmp_path: Path, tilted_grid: Grid, identity: Identity) -> None:
    values = np.arange(tilted_grid.size, dtype=np.int16).reshape(tilted_grid.array_shape)
    write_ct(tmp_path, Image(tilted_grid, values), identity)
    ct = read_ct(files(tmp_path))
    assert ct.image.grid.matches(tilted_grid, tolerance_mm=1e-6)
    np.testing.assert_array_equal(ct.image.values, values)


ORIENTATIONS = [
    (1, 0, 0, 0, 1, 0),
    (-1, 0, 0, 0, -1, 0),
    (0, 1, 0, -1, 0, 0),
    (0, -1, 0, 1, 0, 0),
    (-1, 0, 0, 0, 1, 0),
    (1, 0, 0, 0, -1, 0),
    (1, 0, 0, 0, 0, -1),
    (0, 1, 0, 0, 0, -1),
]


@pytest.mark.parametrize("cosines", ORIENTATIONS)
def test_any_orientation_gives_a_right_handed_grid(
    tmp_path: Path, identity: Identity, cosines: tuple[int, ...]
) -> None:
    """The first pixel of the file of each slice lies where its own ImagePositionPatient says."""
    row, column = np.array(cosines[:3], float), np.array(cosines[3:], float)
    grid = Grid((3, 4, 3), (1.0, 2.0, 3.0), (5.0, 6.0, 7.0), np.column_stack([row, column, np.cross(row, column)]))
    values = np.arange(36, dtype=np.int16).reshape(3, 4, 3)
    write_ct(tmp_path, Image(grid, values), identity)
    ct = read_ct(files(tmp_path))
    assert np.linalg.det(ct.image.grid.direction) == pytest.approx(1.0)
    for path in files(tmp_path):
        dataset = pydicom.dcmread(path)
        place = ct.image.grid.to_index(np.array([float(v) for v in dataset.ImagePositionPatient]))
        np.testing.assert_allclose(place[:2], 0, atol=1e-9)
        below = np.array([float(v) for v in dataset.ImagePositionPatient]) + 2.0 * column + 1.0 * row
        i, j, k = np.rint(ct.image.grid.to_index(below)).astype(int)
        assert ct.image.values[k, j, i] == dataset.pixel_array[1, 1]


def test_rescale_is_taken_from_each_slice(folder: Path, ct_image: Image) -> None:
    def shift(dataset: Dataset) -> None:
        dataset.RescaleIntercept = "-1024"
        dataset.RescaleSlope = "2"

    change(files(folder)[1], shift)
    read = read_ct(files(folder)).image.values
    np.testing.assert_array_equal(read[1], 2 * ct_image.values[1].astype(int) - 1024)
    np.testing.assert_array_equal(read[0], ct_image.values[0])


def test_fractional_slopes_give_floats(folder: Path, ct_image: Image) -> None:
    change(files(folder)[0], lambda d: setattr(d, "RescaleSlope", "0.5"))
    values = read_ct(files(folder)).image.values
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[0], 0.5 * ct_image.values[0])


def test_values_beyond_16_bits_give_floats_not_overflow(folder: Path, ct_image: Image) -> None:
    change(files(folder)[0], lambda d: setattr(d, "RescaleSlope", "100"))
    np.testing.assert_allclose(read_ct(files(folder)).image.values[0], 100.0 * ct_image.values[0])


def test_twelve_stored_bits_without_sign_extension(folder: Path) -> None:
    def pack(dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.PixelData = (np.full((7, 5), -5, np.int16).view(np.uint16) & 0x0FFF).tobytes()

    change(files(folder)[0], pack)
    assert np.all(read_ct(files(folder)).image.values[0] == -5)


def test_values_that_overflow_their_bits_are_refused(folder: Path) -> None:
    def pack(dataset: Dataset) -> None:
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.PixelData = np.full((7, 5), 0x1234, np.int16).tobytes()

    change(files(folder)[0], pack)
    with pytest.raises(InputError, match="more bits than BitsStored"):
        read_ct(files(folder))


def test_without_part_10_preamble(folder: Path, ct_image: Image) -> None:
    for path in files(folder):
        dataset = pydicom.dcmread(path)
        del dataset.file_meta
        dataset.preamble = None
        pydicom.dcmwrite(path, dataset, implicit_vr=True, little_endian=True)
        assert path.read_bytes()[128:132] != b"DICM"
    np.testing.assert_array_equal(read_ct(files(folder)).image.values, ct_image.values)


def test_big_endian_and_run_length_coded_slices(folder: Path, ct_image: Image) -> None:
    one, two = files(folder)[:2]
    dataset = pydicom.dcmread(one)
    dataset.PixelData = dataset.pixel_array.astype(">i2").tobytes()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
    pydicom.dcmwrite(one, dataset, implicit_vr=False, little_endian=False)
    coded = pydicom.dcmread(two)
    coded.compress(RLELossless)
    coded.save_as(two)
    np.testing.assert_array_equal(read_ct(files(folder)).image.values, ct_image.values)


def test_files_that_are_no_ct_are_counted(folder: Path) -> None:
    (folder / "notes.txt").write_text("not DICOM")
    (folder / "._junk.dcm").write_bytes(b"\0\5\x16\7" + bytes(80))
    (folder / "empty.dcm").write_bytes(b"")
    assert read_ct(files(folder)).warnings == ("3 of the files given for the CT are no CT Images and were left out.",)


def test_objects_of_other_kinds_are_left_out(folder: Path) -> None:
    """The SOPClassUID decides; what Enhanced CT is, is said where nothing else is there."""
    change(files(folder)[0], lambda d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.481.2"))
    ct = read_ct(files(folder))
    assert ct.image.grid.shape[2] == 3
    assert ct.warnings == ("1 of the files given for the CT are no CT Images and were left out.",)
    for path in files(folder):
        change(path, lambda d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.2.1"))
    with pytest.raises(InputError, match=r"Enhanced \(multi-frame\) CT is not read"):
        read_ct(files(folder))


def test_localizers_are_left_out(folder: Path) -> None:
    def scout(dataset: Dataset) -> None:
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]

    shutil.copy(files(folder)[0], folder / "scout.dcm")
    change(folder / "scout.dcm", scout)
    ct = read_ct(files(folder))
    assert ct.image.grid.shape[2] == 4
    assert "1 localizer" in ct.warnings[0]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: setattr(d, "SeriesInstanceUID", "1.2.9"), "several series"),
        (lambda d: setattr(d, "PixelSpacing", [2.5, 1.3]), "pixel sizes"),
        (lambda d: setattr(d, "ImageOrientationPatient", [-1, 0, 0, 0, -1, 0]), "orientations"),
        (lambda d: setattr(d, "ImageOrientationPatient", [1, 0, 0, 1, 0, 0]), "perpendicular"),
        (lambda d: setattr(d, "ImagePositionPatient", [-12.5, 35.0, -137.5]), "tilted gantry"),
        (lambda d: setattr(d, "ImagePositionPatient", [-12.5, 33.0, -138.5]), "not equally spaced"),
        (lambda d: setattr(d, "ImagePositionPatient", [-12.5, 33.0, -140.5]), "same place"),
        (lambda d: setattr(d, "FrameOfReferenceUID", "1.2.9"), "disagree about FrameOfReferenceUID"),
        (lambda d: setattr(d, "StudyInstanceUID", "1.2.9"), "disagree about StudyInstanceUID"),
        (lambda d: setattr(d, "PatientPosition", "FFS"), "disagree about PatientPosition"),
        (lambda d: setattr(d, "NumberOfFrames", 2), "must have one frame"),
        (lambda d: delattr(d, "RescaleIntercept"), "RescaleIntercept"),
        (lambda d: delattr(d, "RescaleSlope"), "RescaleSlope"),
        (lambda d: setattr(d, "RescaleType", "Z_EFF"), "no Hounsfield numbers"),
        (lambda d: delattr(d, "ImagePositionPatient"), "ImagePositionPatient is missing"),
        (lambda d: setattr(d, "PhotometricInterpretation", "RGB"), "grey values"),
        (lambda d: setattr(d, "SamplesPerPixel", 3), "grey values"),
        (lambda d: setattr(d, "PixelData", b"\0\0"), "cut short"),
        (lambda d: setattr(d, "Rows", 9), "cut short"),
        (lambda d: setattr(d, "BitsAllocated", 64), "8, 16 or 32"),
    ],
)  # fmt: skip
def test_what_cannot_be_one_ct_is_refused(folder: Path, edit: Callable[[Dataset], None], message: str) -> None:
    change(files(folder)[1], edit)
    with pytest.raises(InputError, match=message):
        read_ct(files(folder))


def test_compression_that_cannot_be_decoded_is_refused(folder: Path) -> None:
    def pretend(dataset: Dataset) -> None:
        dataset.PixelData = encapsulate([b"no JPEG-LS at all"])
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEGLSLossless

    change(files(folder)[1], pretend)
    with pytest.raises(InputError, match=r"cannot be decoded here; export the images uncompressed.*JPEG-LS"):
        read_ct(files(folder))


def test_a_missing_slice_is_found(folder: Path) -> None:
    files(folder)[2].unlink()
    with pytest.raises(InputError, match=r"usual distance.*6\.000 mm after -137\.500"):
        read_ct(files(folder))


def test_a_series_can_be_chosen(folder: Path, ct_image: Image, identity: Identity) -> None:
    uid = read_ct(files(folder)).series_uid
    write_ct(folder / "second", ct_image, identity)
    with pytest.raises(InputError, match=r"choose one.*with 4 slices; .* with 4 slices"):
        read_ct(files(folder))
    assert read_ct(files(folder), series_uid=uid).series_uid == uid


def test_one_slice_or_none_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="at least two slices"):
        read_ct(files(folder)[:1])
    with pytest.raises(InputError, match="No CT Image"):
        read_ct([])


def test_only_impersonal_attributes_choose_a_protocol(folder: Path) -> None:
    """Text and numbers that all slices share; never the patient's, never what differs, never binary data."""

    def label(dataset: Dataset) -> None:
        dataset.BodyPartExamined, dataset.KVP, dataset.ConvolutionKernel = "HEAD", "120", ["Br38", "3"]
        dataset.PatientComments, dataset.OperatorsName, dataset.AccessionNumber = "secret", "Secret^One", "SECRET"
        dataset.StudyID, dataset.SliceLocation = "SECRET", str(dataset.InstanceNumber)

    for path in files(folder):
        change(path, label)
    keywords = read_ct(files(folder)).keywords
    assert {k: keywords[k] for k in ("BodyPartExamined", "KVP", "ConvolutionKernel", "Rows")} == {
        "BodyPartExamined": "HEAD",
        "KVP": "120",
        "ConvolutionKernel": "Br38\\3",
        "Rows": "7",
    }
    never = {"PatientComments", "PatientID", "OperatorsName", "AccessionNumber", "StudyID", "PixelData"}
    assert not {*never, "SliceLocation", "InstanceNumber"} & set(keywords)


def test_nothing_personal_comes_out(folder: Path) -> None:
    ct = read_ct(files(folder))
    assert not any("secret" in text.casefold() for text in (repr(ct), str(ct.keywords), str(ct.warnings)))


def test_head_phantom(headphantom: Path) -> None:
    ct = read_ct(files(headphantom))
    assert ct.image.grid.shape == (512, 512, 177)
    assert ct.image.grid.spacing_mm == pytest.approx((0.5859375, 0.5859375, 1.5))
    assert ct.patient_position == "HFS"
    assert ct.image.values.dtype == np.int16
    assert (ct.image.values.min(), ct.image.values.max()) == (-1000, 2165)
    assert ct.keywords["Manufacturer"].startswith("SIEMENS") or "Siemens" in ct.keywords["Manufacturer"]


@pytest.mark.parametrize(
    ("name", "shape", "spacing", "hu"),
    [
        ("barex_cylinder_GE", (512, 512, 10), (0.69, 0.69, 5.0), (-1500, 1439)),
        ("DICOM_Box", (38, 38, 38), (13.158, 13.158, 13.158), (-1000, 0)),
        ("SimpleFantomWithStruct", (200, 200, 200), (1.0, 1.0, 1.0), (50, 300)),
    ],
)
def test_the_ct_collection(
    ct_series: dict[str, Path], name: str, shape: tuple[int, ...], spacing: tuple[float, ...], hu: tuple[int, int]
) -> None:
    ct = read_ct(files(ct_series[name]))
    assert ct.image.grid.shape == shape
    assert ct.image.grid.spacing_mm == pytest.approx(spacing, rel=1e-4)
    assert (ct.image.values.min(), ct.image.values.max()) == hu


def test_breathing_phases_are_three_series(ct_series: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="several series"):
        read_ct(files(ct_series["synthetic_lung"]))
    for phase in ("lung-1", "lung-2", "lung-3"):
        ct = read_ct(files(ct_series["synthetic_lung"] / "synthetic_lung" / phase))
        assert ct.image.grid.shape == (100, 100, 100)
        assert ct.image.grid.spacing_mm == pytest.approx((5.0, 5.0, 5.0))


def test_other_sets(shared_data: Path) -> None:
    assert read_ct(files(shared_data / "photon-monaco-elekta-plans" / "TinyVMAT")).image.grid.shape == (5, 5, 5)
    assert read_ct(files(shared_data / "ion-opentps-waterphantom")).image.grid.shape == (20, 20, 20)
