"""RT Doses: units, offsets, orientation, exact peak, references; writing and reading back by three readers."""

import lzma
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.formats.dicom.dose import DoseLabel, read_dose, write_dose
from dosewright.formats.dicom.identity import Identity

GRID = Grid((5, 7, 4), (1.25, 2.5, 3.0), (-12.5, 33.0, -140.5))
PEAK = (2, 6, 1)  # k, j, i


def dose_image(grid: Grid = GRID, peak: float = 73.123456789) -> Image:
    values = np.random.default_rng(5).random(grid.array_shape) * 0.9 * peak
    values[PEAK] = peak
    return Image(grid, values)


@pytest.fixture
def path(tmp_path: Path, identity: Identity) -> Path:
    label = DoseLabel("PHYSICAL", "BEAM", "1.2.3", 1, 7, "beam Left", "12 % noise")
    write_dose(tmp_path / "dose.dcm", dose_image(), label, identity)
    return tmp_path / "dose.dcm"


def edited(path: Path, edit: Callable[[Dataset], None]) -> Path:
    dataset = pydicom.dcmread(path)
    edit(dataset)
    dataset.save_as(path)
    return path


def test_what_is_written_is_read_back(path: Path, identity: Identity) -> None:
    dose = read_dose(path)
    assert dose.image.grid.matches(GRID, tolerance_mm=1e-9)
    np.testing.assert_allclose(dose.image.values, dose_image().values, rtol=1e-6, atol=1e-7)
    assert (dose.dose_type, dose.summation_type, dose.plan_uid) == ("PHYSICAL", "BEAM", "1.2.3")
    assert (dose.fraction_group, dose.beam_number, dose.warnings) == (1, 7, ())
    assert (dose.manufacturer, dose.comment) == ("Dosewright", "12 % noise")
    assert dose.frame_of_reference_uid == identity.frame_of_reference_uid


def test_pydicom_sees_peak_geometry_and_identity(path: Path, identity: Identity) -> None:
    dataset = pydicom.dcmread(path)
    values = dataset.pixel_array * np.float64(dataset.DoseGridScaling)
    assert np.unravel_index(values.argmax(), values.shape) == PEAK
    assert values.max() == pytest.approx(73.123456789, rel=1e-9)
    assert dataset.pixel_array.max() > 2**32 * (1 - 1e-8)
    assert list(dataset.PixelSpacing) == [2.5, 1.25]
    assert list(dataset.GridFrameOffsetVector) == [0, 3, 6, 9]
    assert dataset.FrameIncrementPointer == 0x3004000C
    assert (dataset.NumberOfFrames, dataset.Rows, dataset.Columns) == (4, 7, 5)
    assert str(dataset.PatientName) == "Secretname^Jürgen"
    assert dataset.StudyInstanceUID == identity.study_uid
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


def test_simpleitk_sees_peak_and_geometry(path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.ReadImage(str(path))
    np.testing.assert_allclose(image.GetSpacing(), GRID.spacing_mm)
    np.testing.assert_allclose(image.GetOrigin(), GRID.origin_mm)
    assert image.GetSize() == GRID.shape
    stored = sitk.GetArrayFromImage(image)  # this reader leaves the scaling to its user
    assert np.unravel_index(stored.argmax(), stored.shape) == PEAK
    scaling = float(pydicom.dcmread(path).DoseGridScaling)
    peak = stored.max() * (scaling if stored.max() > 1e6 else 1.0)
    assert peak == pytest.approx(73.123456789, rel=1e-6)


def test_files_are_for_their_owner_only(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_every_writing_makes_new_uids(path: Path, identity: Identity) -> None:
    first = pydicom.dcmread(path)
    uid = write_dose(path, dose_image(), DoseLabel(), identity)
    assert uid != first.SOPInstanceUID
    assert read_dose(path).uid == uid
    assert pydicom.dcmread(path).SeriesInstanceUID != first.SeriesInstanceUID


@given(st.floats(1e-12, 1e9))
def test_the_peak_never_overflows(tmp_path_factory: pytest.TempPathFactory, peak: float) -> None:
    path = tmp_path_factory.getbasetemp() / "peak.dcm"
    write_dose(path, dose_image(peak=peak), DoseLabel(), Identity.new("", ""))
    values = read_dose(path).image.values
    assert np.unravel_index(values.argmax(), values.shape) == PEAK
    assert values.max() == pytest.approx(peak, rel=1e-6)


def test_tilted_grid(tmp_path: Path, identity: Identity, tilted_grid: Grid) -> None:
    write_dose(tmp_path / "d.dcm", dose_image(tilted_grid), DoseLabel(), identity)
    assert read_dose(tmp_path / "d.dcm").image.grid.matches(tilted_grid, tolerance_mm=1e-6)


def test_no_dose_at_all(tmp_path: Path, identity: Identity) -> None:
    write_dose(tmp_path / "d.dcm", Image(GRID, np.zeros(GRID.array_shape, np.float32)), DoseLabel(), identity)
    assert not read_dose(tmp_path / "d.dcm").image.values.any()


def test_differences_may_be_negative(tmp_path: Path, identity: Identity) -> None:
    values = dose_image().values - 40.0
    write_dose(tmp_path / "d.dcm", Image(GRID, values), DoseLabel("ERROR"), identity)
    np.testing.assert_allclose(read_dose(tmp_path / "d.dcm").image.values, values, atol=1e-6)
    with pytest.raises(InputError, match="must not be negative"):
        write_dose(tmp_path / "d.dcm", Image(GRID, values), DoseLabel(), identity)


@pytest.mark.parametrize(
    ("label", "value", "message"),
    [
        (DoseLabel("BIOLOGICAL"), 1.0, "cannot have the type"),
        (DoseLabel(summation_type="BEAM"), 1.0, "beam number exactly"),
        (DoseLabel(), np.nan, "finite"),
    ],
)
def test_what_cannot_be_written(
    tmp_path: Path, identity: Identity, label: DoseLabel, value: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        write_dose(tmp_path / "d.dcm", Image(GRID, np.full(GRID.array_shape, value)), label, identity)
    assert not list(tmp_path.iterdir())


def test_absolute_offsets(path: Path) -> None:
    edited(path, lambda d: setattr(d, "GridFrameOffsetVector", [-140.5, -137.5, -134.5, -131.5]))
    assert read_dose(path).image.grid.matches(GRID)


def turn_frames(dataset: Dataset, offsets: list[float]) -> None:
    """Store the same dose from the last frame to the first."""
    dataset.PixelData = dataset.pixel_array[::-1].tobytes()
    dataset.ImagePositionPatient = [-12.5, 33.0, -131.5]
    dataset.GridFrameOffsetVector = offsets


@pytest.mark.parametrize("offsets", [[0, -3, -6, -9], [-131.5, -134.5, -137.5, -140.5]])
def test_decreasing_offsets(path: Path, offsets: list[float]) -> None:
    dose = read_dose(edited(path, lambda d: turn_frames(d, offsets)))
    assert dose.image.grid.matches(GRID)
    np.testing.assert_allclose(dose.image.values, dose_image().values, rtol=1e-6, atol=1e-7)


def test_sixteen_bits(path: Path) -> None:
    def narrow(dataset: Dataset) -> None:
        scaling = 73.123456789 / 65535
        values = dose_image().values
        dataset.PixelData = np.rint(values / scaling).astype("<u2").tobytes()
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
        dataset.DoseGridScaling = f"{scaling:.10g}"

    dose = read_dose(edited(path, narrow))
    np.testing.assert_allclose(dose.image.values, dose_image().values, atol=73.2 / 131070)


def test_slice_thickness_does_not_count(path: Path) -> None:
    edited(path, lambda d: setattr(d, "SliceThickness", "99"))
    assert read_dose(path).image.grid.spacing_mm[2] == 3.0


def test_a_dose_of_several_beams_has_no_beam_number(path: Path) -> None:
    def second(dataset: Dataset) -> None:
        other = Dataset()
        other.ReferencedBeamNumber = 8
        dataset.ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence[0].ReferencedBeamSequence.append(other)

    dose = read_dose(edited(path, second))
    assert dose.beam_number is None
    assert "refers to 2 beams" in dose.warnings[0]


def test_what_a_dose_says_of_itself(path: Path) -> None:
    def say(dataset: Dataset) -> None:
        dataset.SOPInstanceUID, dataset.FrameOfReferenceUID = "1.2.7", "1.2.8"
        dataset.DoseSummationType, dataset.Manufacturer, dataset.DoseComment = "Plan", "TPS", "two\r\nlines"
        group = dataset.ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence[0]
        group.ReferencedFractionGroupNumber, group.ReferencedBeamSequence[0].ReferencedBeamNumber = 3, 4

    dose = read_dose(edited(path, say))
    assert (dose.uid, dose.frame_of_reference_uid, dose.summation_type) == ("1.2.7", "1.2.8", "PLAN")
    assert (dose.manufacturer, dose.comment) == ("TPS", "two lines")
    assert (dose.fraction_group, dose.beam_number) == (3, 4)


def test_a_dose_that_refers_to_no_plan(path: Path) -> None:
    """ReferencedSOPInstanceUID stands in ReferencedRTPlanSequence; without it the dose belongs to no plan."""
    dose = read_dose(edited(path, lambda d: delattr(d, "ReferencedRTPlanSequence")))
    assert (dose.plan_uid, dose.fraction_group, dose.beam_number) == ("", None, None)
    assert "A dose refers to 0 plans, not one." in dose.warnings


@pytest.mark.parametrize(("stated", "thickness"), [("2.5", 2.5), (None, 1.0), ("0", 1.0)])
def test_the_thickness_of_one_frame(path: Path, stated: str | None, thickness: float) -> None:
    """A dose of one frame needs no GridFrameOffsetVector; its thickness is SliceThickness, else assumed aloud."""

    def flatten(dataset: Dataset) -> None:
        dataset.PixelData = dataset.pixel_array[:1].tobytes()
        dataset.NumberOfFrames, dataset.SliceThickness = 1, stated
        del dataset.GridFrameOffsetVector

    dose = read_dose(edited(path, flatten))
    assert dose.image.grid.shape == (5, 7, 1)
    assert dose.image.grid.spacing_mm[2] == thickness
    source = "its SliceThickness" if stated == "2.5" else "assumed"
    assert dose.warnings == (f"A dose has one frame only; its thickness is {thickness:g} mm ({source}).",)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: setattr(d, "DoseUnits", "RELATIVE"), "a relative dose cannot be compared"),
        (lambda d: delattr(d, "DoseUnits"), "not in Gy"),
        (lambda d: setattr(d, "DoseType", "FUNNY"), "no known DoseType"),
        (lambda d: setattr(d, "DoseGridScaling", "0"), "DoseGridScaling"),
        (lambda d: delattr(d, "DoseGridScaling"), "DoseGridScaling"),
        (lambda d: delattr(d, "GridFrameOffsetVector"), "frame positions are missing"),
        (lambda d: setattr(d, "GridFrameOffsetVector", [0, 3, 6]), "does not fit NumberOfFrames"),
        (lambda d: setattr(d, "GridFrameOffsetVector", [0, 3, 7, 9]), "not equally spaced"),
        (lambda d: setattr(d, "GridFrameOffsetVector", [0, 0, 0, 0]), "not equally spaced"),
        (lambda d: setattr(d, "GridFrameOffsetVector", [5, 8, 11, 14]), "neither at 0 nor at the z position"),
        (lambda d: setattr(d, "NumberOfFrames", 5), "does not fit NumberOfFrames"),
        (lambda d: setattr(d, "PixelData", b"\0\0\0\0"), "cut short"),
        (lambda d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"), "no RT Dose. Given: CT Image"),
    ],
)
def test_what_is_refused(path: Path, edit: Callable[[Dataset], None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_dose(edited(path, edit))


def test_doses_of_the_ramped_plan(shared_data: Path) -> None:
    files = sorted((shared_data / "ion-dcpt-let-plans" / "plan03_ramp_full").glob("RD*.dcm"))
    plan, one, two = (read_dose(file) for file in files)
    assert [d.summation_type for d in (plan, one, two)] == ["PLAN", "BEAM", "BEAM"]
    assert [d.beam_number for d in (plan, one, two)] == [None, 1, 2]
    assert {d.dose_type for d in (plan, one, two)} == {"EFFECTIVE"}
    assert plan.image.grid.shape == (107, 107, 110)
    assert plan.image.grid.spacing_mm == (2.0, 2.0, 2.0)
    assert plan.image.grid.origin_mm == (-104.5, -105.5, -108.5)
    np.testing.assert_allclose(one.image.values + two.image.values, plan.image.values, atol=1e-3)
    assert plan.image.values.max() == pytest.approx(2.21023, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "shape", "spacing", "peak"),
    [
        ("ion-opentps-waterphantom/Dose*.dcm", (20, 20, 20), (1, 1, 1), 25.0829),
        ("photon-tps-variety/monaco_vmat/*Dose.dcm", (139, 81, 177), (3, 3, 3), 10.2642),
        ("photon-tps-variety/raystation_imrt/RD*.dcm", (63, 78, 79), (3, 3, 3), 61.9708),
    ],
)
def test_other_real_doses(
    shared_data: Path, name: str, shape: tuple[int, ...], spacing: tuple[float, ...], peak: float
) -> None:
    (file,) = shared_data.glob(name)
    dose = read_dose(file)
    assert dose.image.grid.shape == shape
    assert dose.image.grid.spacing_mm == pytest.approx(spacing)
    assert dose.image.values.max() == pytest.approx(peak, rel=1e-5)


def test_simpleitk_agrees_about_a_real_dose(shared_data: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    (file,) = (shared_data / "photon-tps-variety" / "raystation_imrt").glob("RD*.dcm")
    image, dose = sitk.ReadImage(str(file)), read_dose(file)
    np.testing.assert_allclose(image.GetOrigin(), dose.image.grid.origin_mm)
    np.testing.assert_allclose(image.GetSpacing(), dose.image.grid.spacing_mm)
    stored = sitk.GetArrayFromImage(image)
    assert stored.argmax() == dose.image.values.argmax()


def test_breast_dose(shared_data: Path, tmp_path: Path) -> None:
    packed = shared_data / "photon-varian-imrt-dicompyler" / "rtdose.dcm.xz"
    (tmp_path / "dose.dcm").write_bytes(lzma.decompress(packed.read_bytes()))
    dose = read_dose(tmp_path / "dose.dcm")
    assert dose.image.grid.shape == (194, 129, 98)
    assert dose.image.grid.spacing_mm == (2.5, 2.5, 3.0)
    assert dose.dose_type == "PHYSICAL"


def test_a_dose_of_one_frame(shared_data: Path) -> None:
    folder = shared_data / "gamma-reference" / "agnew-mcgarry"
    dose = read_dose(folder / "GeometricSquare_Reference_1mmPx.dcm")
    assert dose.image.grid.shape == (250, 250, 1)
    assert "one frame only" in dose.warnings[-1]
