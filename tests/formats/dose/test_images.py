"""Doses as MetaImage, NIfTI and RT Dose: places in the patient, unit, uncertainty and histories."""

import gzip
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its users give it
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.dose_file import ABSOLUTE, PER_HISTORY, DoseFile, edges_of, regular_grid
from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid
from dosewright.formats.dose.nifti import read_nifti
from dosewright.formats.dose.open import losses, open_dose, write_dose

GRID = Grid((3, 4, 5), (1.5, 2.0, 3.25), (-10.0, 22.5, 7.125), rotation_about("z", 20.0) @ rotation_about("x", -35.0))
PLAIN = Grid((3, 4, 5), (1.5, 2.0, 3.25), (-10.0, 22.5, 7.125))
DOSE = np.random.default_rng(3).random(GRID.array_shape).astype(np.float32).astype(float)
UNEVEN = (np.array([0.0, 1.0, 3.0]), np.array([0.0, 1.0]), np.array([-4.0, 0.0, 1.0]))


def made(grid: Grid = GRID, unit: str = ABSOLUTE) -> DoseFile:
    return DoseFile(edges_of(grid), DOSE, DOSE / 10, 12345.0, unit=unit, direction=grid.direction)


def same(read: DoseFile, dose: DoseFile) -> None:
    grid, of = regular_grid(read), regular_grid(dose)
    assert grid is not None and of is not None and grid.matches(of)
    np.testing.assert_array_equal(read.dose, dose.dose)


@pytest.mark.parametrize("name", ["a.mhd", "a.nii", "a.nii.gz"])
@pytest.mark.parametrize("unit", [ABSOLUTE, PER_HISTORY])
def test_images_keep_everything(tmp_path: Path, name: str, unit: str) -> None:
    dose = made(unit=unit)
    assert losses(dose, "mhd") == losses(dose, "nifti") == ()
    write_dose(tmp_path / name, dose)
    read = open_dose(tmp_path / name)
    same(read, dose)
    assert (read.unit, read.histories) == (unit, 12345.0)
    np.testing.assert_allclose(read.uncertainty, dose.uncertainty, rtol=1e-6)


@pytest.mark.parametrize("name", ["a.mhd", "a.nii.gz"])
def test_others_find_the_voxels_where_we_say(tmp_path: Path, name: str) -> None:
    write_dose(tmp_path / name, made())
    theirs = sitk.ReadImage(str(tmp_path / name))
    for index in ((0, 0, 0), (2, 0, 0), (0, 3, 0), (0, 0, 4), (2, 3, 4)):
        np.testing.assert_allclose(theirs.TransformIndexToPhysicalPoint(index),
                                   GRID.to_patient(np.array(index, float)), atol=1e-4)  # fmt: skip
        assert theirs.GetPixel(index) == pytest.approx(DOSE[index[::-1]], rel=1e-6)


@pytest.mark.parametrize("suffix", ["nii", "nii.gz", "mha", "mhd"])
def test_what_others_write(tmp_path: Path, suffix: str) -> None:
    image = sitk.GetImageFromArray(DOSE)
    image.SetSpacing(GRID.spacing_mm)
    image.SetOrigin(GRID.origin_mm)
    image.SetDirection(GRID.direction.ravel().tolist())
    sitk.WriteImage(image, str(tmp_path / f"a.{suffix}"))
    read = open_dose(tmp_path / f"a.{suffix}")
    grid = regular_grid(read)
    assert grid is not None and grid.matches(GRID, tolerance_mm=1e-4)
    np.testing.assert_array_equal(read.dose, DOSE)
    assert (read.unit, read.uncertainty) == (ABSOLUTE, None)
    assert any("unit" in said for said in read.assumed)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1)])
def test_axes_of_nifti(tmp_path: Path, version: int, flips: tuple[int, int, int]) -> None:
    """Each voxel keeps its place and value, whatever way the axes run."""
    affine = np.diag([2.0 * flips[0], 3.0 * flips[1], 4.0 * flips[2], 1.0])
    affine[:3, 3] = 10.0, -20.0, 30.0
    values = DOSE.transpose(2, 1, 0)
    kind = nib.Nifti1Image if version == 1 else nib.Nifti2Image
    nib.save(kind(values, affine), tmp_path / "a.nii")
    read = open_dose(tmp_path / "a.nii")
    grid = regular_grid(read)
    assert grid is not None
    for i, j, k in ((0, 0, 0), (2, 1, 3), (1, 3, 4)):
        place = affine @ [i, j, k, 1]
        at = grid.to_index(np.array([-place[0], -place[1], place[2]]))
        x, y, z = np.rint(at).astype(int)
        np.testing.assert_allclose(at, [x, y, z], atol=1e-6)
        assert read.dose[z, y, x] == values[i, j, k]


def test_uneven_voxels(tmp_path: Path) -> None:
    dose = DoseFile(UNEVEN, np.arange(4.0).reshape(2, 1, 2), np.ones((2, 1, 2)), 10.0)
    assert any("uneven" in said for said in losses(dose, "mhd"))
    write_dose(tmp_path / "a.mhd", dose)
    for ours, edges in zip(open_dose(tmp_path / "a.mhd").edges_mm, UNEVEN, strict=True):
        np.testing.assert_array_equal(ours, edges)
    for name in ("a.nii", "a.dcm"):
        with pytest.raises(InputError, match="uneven"):
            write_dose(tmp_path / name, DoseFile(UNEVEN, dose.dose, unit=ABSOLUTE))


def test_rt_dose(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    write_dose(path, made(PLAIN))
    read = open_dose(path)
    np.testing.assert_allclose(read.dose, DOSE, atol=DOSE.max() / 2**31)
    assert (read.unit, read.uncertainty, read.histories) == (ABSOLUTE, None, None)
    assert [(e[0], e[-1]) for e in read.edges_mm] == [(e[0], e[-1]) for e in edges_of(PLAIN)]
    said = " ".join(losses(made(PLAIN), "rt_dose"))
    assert "no uncertainty" in said and "12345 is lost" in said
    write_dose(tmp_path / "b.dcm", made(PLAIN), like=path)
    assert pydicom.dcmread(tmp_path / "b.dcm").StudyInstanceUID == pydicom.dcmread(path).StudyInstanceUID


def test_rt_dose_needs_a_dose_in_gy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="per history"):
        write_dose(tmp_path / "a.dcm", made(unit=PER_HISTORY))


def test_errors_are_no_dose(tmp_path: Path) -> None:
    write_dose(tmp_path / "a.dcm", made(PLAIN))
    dataset = pydicom.dcmread(tmp_path / "a.dcm")
    dataset.DoseType = "ERROR"
    dataset.save_as(tmp_path / "a.dcm")
    with pytest.raises(InputError, match="holds errors"):
        open_dose(tmp_path / "a.dcm")


def test_what_is_no_dose(tmp_path: Path) -> None:
    write_dose(tmp_path / "a.mhd", made())
    text = (tmp_path / "a.mhd").read_text()
    (tmp_path / "a.mhd").write_text(text.replace("Unit = Gy", "Unit = keV/um"))
    with pytest.raises(InputError, match="no dose"):
        open_dose(tmp_path / "a.mhd")
    (tmp_path / "a.mhd").write_text(text)
    write_dose(tmp_path / "b.mhd", made(PLAIN))
    (tmp_path / "a_uncertainty.mhd").write_text((tmp_path / "b_uncertainty.mhd").read_text())
    with pytest.raises(InputError, match="other voxels"):
        open_dose(tmp_path / "a.mhd")


def nifti(shape: tuple[int, ...] = (3, 4, 5)) -> bytes:
    return bytes(nib.Nifti1Image(np.ones(shape, np.float32), np.eye(4)).to_bytes())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (nifti()[:-1], "do not fill"),
        (gzip.compress(nifti()[:-1], mtime=0), "do not fill"),
        (gzip.compress(nifti(), mtime=0)[:40], "NIfTI|do not fill"),
        (nifti()[:42] + struct.pack("<3h", 30000, 30000, 30000) + nifti()[48:], "counts of voxels|do not fill"),
        (nifti((3, 4, 5, 2)), "three dimensions"),
        (nifti()[:70] + struct.pack("<h", 9999) + nifti()[72:], "NIfTI"),
        (b"\x1f\x8b" + bytes(50), "NIfTI"),
        (nifti()[:80] + bytes(4) + nifti()[84:], "should be non-zero"),
        (nifti()[:123] + b"\x06" + nifti()[124:], "unit of the lengths"),
        (nifti() + bytes(4), "more than it holds"),
        (gzip.compress(nifti() + bytes(4), mtime=0), "more than it holds"),
        (gzip.compress(nifti(), mtime=0)[:-8] + bytes(8), "check"),
    ],
)
def test_what_is_refused_of_nifti(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(InputError, match=said):
        open_dose(tmp_path / "a.nii")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    content = nifti()[:42] + struct.pack("<3h", 1000, 1000, 1000) + nifti()[48:] + bytes(1 << 20)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(content))
    with pytest.raises(InputError, match="do not fill"):
        open_dose(tmp_path / "a.nii.gz")


@given(flip=st.integers(0, 351), change=st.integers(1, 255), cut=st.integers(300, 600))
@settings(max_examples=150, deadline=None)
def test_garbage(tmp_path_factory: pytest.TempPathFactory, flip: int, change: int, cut: int) -> None:
    damaged = bytearray(nifti())
    damaged[flip] ^= change
    path = tmp_path_factory.getbasetemp() / "fuzz.nii"
    path.write_bytes(bytes(damaged)[:cut])
    try:
        dose = read_nifti(path)
    except InputError:
        return
    assert np.isfinite(dose.dose).all()
