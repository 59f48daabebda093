"""MetaImage against SimpleITK, with a turned grid that differs along all axes."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name its users give it
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid, Image
from dosewright.formats.dose.mhd import read_mhd, read_mhd_header, write_mhd

DIRECTION = rotation_about("z", 20.0) @ rotation_about("x", -35.0) @ rotation_about("y", 50.0)
GRID = Grid((3, 4, 5), (1.5, 2.0, 3.25), (-10.0, 22.5, 7.125), DIRECTION)
VALUES = np.random.default_rng(3).normal(size=GRID.array_shape)


def same_geometry(image: sitk.Image, grid: Grid) -> None:
    for index in ((0, 0, 0), (2, 0, 0), (0, 3, 0), (0, 0, 4), (2, 3, 4)):
        theirs = image.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose(theirs, grid.to_patient(np.array(index, float)), atol=1e-6)


def test_simpleitk_reads_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "dose.mhd"
    write_mhd(path, Image(GRID, VALUES))
    theirs = sitk.ReadImage(str(path))
    same_geometry(theirs, GRID)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(theirs), VALUES.astype(np.float32))
    assert theirs.GetPixel(2, 1, 4) == pytest.approx(VALUES[4, 1, 2], rel=1e-6)
    for file in (path, tmp_path / "dose.raw"):
        assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dose.mhd", "dose.raw"]


@pytest.mark.parametrize("suffix", ["mhd", "mha"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("code", ["i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"])
def test_we_read_what_simpleitk_writes(tmp_path: Path, suffix: str, compressed: bool, code: str) -> None:
    values = (VALUES * 30 + 60).astype(code)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(GRID.spacing_mm)
    image.SetOrigin(GRID.origin_mm)
    image.SetDirection(GRID.direction.ravel().tolist())
    path = tmp_path / f"image.{suffix}"
    sitk.WriteImage(image, str(path), compressed)
    ours = read_mhd(path)
    same_geometry(image, ours.grid)
    assert ours.values.dtype == np.dtype(code)
    np.testing.assert_array_equal(ours.values, values)


def test_round_trip_keeps_private_keys(tmp_path: Path) -> None:
    path = tmp_path / "spectrum.mhd"
    write_mhd(path, Image(GRID, VALUES), extra={"spectrumBins": "1 2 3", "spectrumUnit": "MeV"}, dtype="f8")
    header = read_mhd_header(path)
    assert (header["spectrumBins"], header["spectrumUnit"]) == ("1 2 3", "MeV")
    assert list(header)[-1] == "ElementDataFile"
    back = read_mhd(path)
    np.testing.assert_array_equal(back.values, VALUES)
    assert back.grid.matches(GRID, tolerance_mm=1e-6)
    sitk.ReadImage(str(path))


def test_big_endian_and_other_names_of_the_origin(tmp_path: Path) -> None:
    (tmp_path / "v.bin").write_bytes(b"skip" + np.arange(6, dtype=">i2").tobytes())
    (tmp_path / "a.mhd").write_text(
        "NDims = 3\nDimSize = 1 2 3\nElementSize = 1 1 2\nPosition = 4 5 6\nHeaderSize = 4\n"
        "ElementByteOrderMSB = True\nElementType = MET_SHORT\nElementDataFile = v.bin\n"
    )
    image = read_mhd(tmp_path / "a.mhd")
    assert image.values.ravel().tolist() == [0, 1, 2, 3, 4, 5]
    assert image.grid.origin_mm == (4, 5, 6)
    assert image.grid.spacing_mm == (1, 1, 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("MET_FLOAT", "MET_FLAOT", "Did you mean 'MET_FLOAT'"),
        ("DimSize = 3 4 5", "DimSize = 3 4 6", "do not fill"),
        ("DimSize = 3 4 5", "DimSize = 3 4", "needs 3 numbers"),
        ("DimSize = 3 4 5", "DimSize = 0 4 5", "positive whole"),
        ("NDims = 3", "NDims = 2", "three dimensions"),
        ("ElementDataFile = dose.raw", "ElementDataFile = ../dose.raw", "beside"),
        ("ElementDataFile = dose.raw", "ElementDataFile = gone.raw", "cannot be read"),
        ("ElementDataFile = dose.raw", "", "lacks 'ElementDataFile'"),
        ("ElementSpacing", "ElementSpacin", "lacks 'ElementSpacing'"),
        ("CompressedData = False", "CompressedData = True", "damaged"),
        ("BinaryData = True", "BinaryData = False", "as text"),
        ("Offset = -10", "Offset = nan", "needs 3 numbers"),
        ("TransformMatrix = ", "TransformMatrix = 9", "orthonormal"),
    ],
)
def test_damaged_headers_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "dose.mhd"
    write_mhd(path, Image(GRID, VALUES))
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_mhd(path)


def test_a_private_key_must_not_break_the_header(tmp_path: Path) -> None:
    for extra in ({"DimSize": "1 1 1"}, {"note": "a\nDimSize = 1 1 1"}, {"two words": "x"}):
        with pytest.raises(InputError, match="private header keys"):
            write_mhd(tmp_path / "a.mhd", Image(GRID, VALUES), extra=extra)
    assert not list(tmp_path.iterdir())


def test_whole_number_files_hold_whole_numbers_of_their_range_only(tmp_path: Path) -> None:
    path = tmp_path / "m.mhd"
    write_mhd(path, Image(GRID, np.full(GRID.array_shape, 200.0)), dtype="u1")
    assert read_mhd(path).values.max() == 200
    for value in (256.0, -1.0, 0.5, np.nan):
        with pytest.raises(InputError, match=r"fit|fractions"):
            write_mhd(path, Image(GRID, np.full(GRID.array_shape, value)), dtype="u1")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 420), st.integers(0, 40))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / "dose.mhd"
    write_mhd(path, Image(GRID, VALUES))
    good = path.read_bytes()
    for data in (noise, good[:start] + noise[:12] + good[start + cut :], good[:-9] + b"LOCAL\n" + noise):
        path.write_bytes(data)
        try:
            read_mhd(path)
        except InputError:
            continue
