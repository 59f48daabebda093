"""Dose files told by their content, written by their suffix; what is not known is said with the nearest word."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dosewright.core.dose_file import ABSOLUTE, PER_HISTORY, DoseFile
from dosewright.core.errors import InputError
from dosewright.formats.dose.open import FORMATS, WRITTEN, format_to_write, losses, open_dose, write_dose

EDGES = (np.array([-10.0, 0.0, 10.0, 20.0]), np.array([0.0, 10.0, 20.0]), np.array([5.0, 10.0, 15.0]))


def made(unit: str = PER_HISTORY) -> DoseFile:
    dose = np.linspace(1e-3, 1.0, 12).reshape(2, 2, 3)
    return DoseFile(EDGES, dose, dose / 5 + 0.1, 1000.0, unit=unit)


@pytest.mark.parametrize("word", [w for w in WRITTEN if w not in ("pardose", "rt_dose")])
def test_the_content_tells_the_format(tmp_path: Path, word: str) -> None:
    suffix = {"mhd": ".mhd", "nifti": ".nii.gz"}.get(word, "")
    path = tmp_path / f"a{suffix}"
    write_dose(path, made(), format=word)
    other = path if word in ("mhd", "nifti") else path.rename(tmp_path / "a.dcm")
    read = open_dose(other)
    assert read.format == word
    np.testing.assert_allclose(read.dose, made().dose, rtol=1e-6)
    np.testing.assert_allclose(read.uncertainty, made().uncertainty, rtol=1e-5)
    for ours, edges in zip(read.edges_mm, EDGES, strict=True):
        np.testing.assert_allclose(ours, edges, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "word"),
    [("a.3ddose", "3ddose"), ("3ddose.out", "3ddose_gamos"), ("sqdose.out", "sqdose"), ("a.nii.gz", "nifti"),
     ("b.sqdose", "sqdose"), ("A.DCM", "rt_dose")],
)  # fmt: skip
def test_the_suffix_tells_what_is_written(name: str, word: str) -> None:
    assert format_to_write(Path(name)) == word


def test_nearest_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Did you mean '\.3ddose'"):
        write_dose(tmp_path / "a.3dose", made())
    with pytest.raises(InputError, match="Did you mean 'sqdose_filled'"):
        write_dose(tmp_path / "a", made(), format="sqdose_filed")
    with pytest.raises(InputError, match="written in that format"):
        write_dose(tmp_path / "a", made(), format="run")
    (tmp_path / "dose.mhd").touch()
    with pytest.raises(InputError, match=r"Did you mean 'dose\.mhd'"):
        open_dose(tmp_path / "dsoe.mhd")
    with pytest.raises(InputError, match="empty"):
        open_dose(tmp_path / "dose.mhd")
    with pytest.raises(InputError, match="folder of the file"):
        write_dose(tmp_path / "missing" / "a.3ddose", made())


def test_what_is_lost() -> None:
    assert any("1000 is lost" in said for said in losses(made(), "3ddose"))
    assert losses(made(), "3ddose_gamos") == ()
    assert any("read as Gy per history" in said for said in losses(made(ABSOLUTE), "3ddose_gamos"))
    odd = DoseFile(EDGES, made().dose, made().uncertainty, 2.0**24 + 1)
    assert any("16777216" in said for said in losses(odd, "sqdose"))
    assert set(WRITTEN) < set(FORMATS)


def run_folder(folder: Path, **changes: Any) -> Path:
    """A folder as `dosewright simulate` leaves it."""
    write_dose(folder / "dose.mhd", DoseFile(EDGES, made().dose, made().uncertainty))
    for path in folder.glob("*.mhd"):
        path.write_text("".join(line for line in path.open() if not line.startswith("Histories")))
    names = ["dose.mhd", "dose.raw", "dose_uncertainty.mhd", "dose_uncertainty.raw"]
    summary = {
        "histories": 4000,
        "scores": [{"file": "dose.mhd", "quantity": "dose", "unit": "Gy per primary"}],
        "files_sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names},
    }
    (folder / "summary.json").write_text(json.dumps(summary | changes))
    return folder


def test_a_run(tmp_path: Path) -> None:
    dose = open_dose(run_folder(tmp_path))
    assert (dose.format, dose.histories, dose.unit) == ("run", 4000.0, PER_HISTORY)
    np.testing.assert_allclose(dose.dose, made().dose, rtol=1e-6)


def test_a_run_that_cannot_be_read(tmp_path: Path) -> None:
    for changes, said in (
        ({"scores": []}, "holds no dose"),
        ({"scores": [{"file": "../dose.mhd", "quantity": "dose"}]}, "names no dose"),
        ({"histories": None}, "number of histories"),
        ({"scores": [{"file": "dose.mhd", "quantity": "dose", "unit": "Gy"}]}, "different units"),
    ):
        with pytest.raises(InputError, match=said):
            open_dose(run_folder(tmp_path, **changes))
    run_folder(tmp_path)
    raw = bytearray((tmp_path / "dose.raw").read_bytes())
    raw[5] ^= 1
    (tmp_path / "dose.raw").write_bytes(bytes(raw))
    with pytest.raises(InputError, match="SHA-256 differs"):
        open_dose(tmp_path)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(InputError, match="no finished run"):
        open_dose(tmp_path)


STARTS = (b"", b"\x1f\x8b", b"DimSize = 1 1 1\n", b"1 1 1\n", b"2\nM\n", bytes(128) + b"DICM", b"\\\x01\0\0")
NAMES = ("x", "x.dcm", "x.3ddose", "sqdose.out", "x.bindos", "x.pardose", "x.mha", "x.nii")


@given(start=st.sampled_from(STARTS), body=st.binary(max_size=400), name=st.sampled_from(NAMES))
@example(start=b"", body=bytes(10) + b"\x81\x7f" + bytes(4), name="x")  # a number that signals
@settings(max_examples=200, deadline=None)
def test_garbage(tmp_path_factory: pytest.TempPathFactory, start: bytes, body: bytes, name: str) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(start + body)
    try:
        dose = open_dose(path)
    except InputError:
        return
    assert np.isfinite(dose.dose).all()


def test_a_file_far_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.sqdose"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match="too large for a dose"):
        open_dose(path)
