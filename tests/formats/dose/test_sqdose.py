"""Squared doses: both layouts, three kinds, both ways of counting them."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.dose_file import DoseFile, uncertainty_of
from dosewright.core.errors import InputError
from dosewright.core.frame import rotation_about
from dosewright.formats.dose.open import losses, open_dose, write_dose
from dosewright.formats.dose.sqdose import ALL, CROSS, FILLED, read_sqdose

EDGES = (np.array([-10.0, 0.0, 15.0, 20.0]), np.array([0.0, 10.0, 20.0, 25.0]), np.array([5.0, 6.0, 8.0]))
EVENTS = 500.0


def scored(rate: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Dose and squares as their definition gives them, from what every event left in every voxel."""
    numbers = np.random.default_rng(2)
    x = numbers.random((int(EVENTS), 2, 3, 3)) * 1e-9 * (numbers.random((int(EVENTS), 2, 3, 3)) < rate)
    x[:, 0, 0, 1] = 0.0
    return x.sum(0) / EVENTS, (x**2).sum(0) / EVENTS**2


def made() -> DoseFile:
    dose, squares = scored()
    return DoseFile(EDGES, dose, uncertainty_of(dose, squares, EVENTS), EVENTS, squares)


def header(word: int, events: float = EVENTS, rotation: np.ndarray | None = None) -> bytes:
    """A header as GAMOS's code writes it, from its description."""
    turn = np.eye(3) if rotation is None else rotation
    counts = [len(e) - 1 for e in EDGES]
    floats = [*np.concatenate(EDGES), *turn.ravel()]
    return struct.pack("<f3Q", events, *counts) + struct.pack(f"<{len(floats)}f", *floats) + struct.pack("<Q", word)


def floats(*arrays: np.ndarray) -> bytes:
    return b"".join(a.astype("<f4").tobytes() for a in arrays)


def records(dose: np.ndarray, squares: np.ndarray) -> bytes:
    flat, of = dose.ravel(), squares.ravel()
    return b"".join(struct.pack("<Qff", i, flat[i], of[i]) for i in np.flatnonzero(flat))


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def check(dose: DoseFile, kind: str) -> None:
    means, squares = scored()
    assert (dose.format, dose.histories, dose.shape) == (kind, EVENTS, (3, 3, 2))
    np.testing.assert_allclose(dose.dose, means, rtol=1e-6)
    np.testing.assert_allclose(dose.squares, squares, rtol=1e-6)
    for ours, edges in zip(dose.edges_mm, EDGES, strict=True):
        np.testing.assert_allclose(ours, edges, atol=1e-5)


@pytest.mark.parametrize(
    ("word", "kind"),
    # The upper half of the word is what was in memory; older versions count from 1.
    [(0, ALL), (0x2065730100000000, ALL), (1, ALL), (1, FILLED), (0x6C6C415400000001, FILLED), (2, FILLED)],
)
def test_as_written(tmp_path: Path, word: int, kind: str) -> None:  # trap 21
    dose, squares = scored()
    body = floats(dose, squares) if kind == ALL else records(dose, squares)
    read = open_dose(written(tmp_path / "sqdose.out", header(word) + body))
    check(read, kind)
    older = (word & 0xFFFFFFFF) == (1 if kind == ALL else 2)
    assert any("older version" in said for said in read.problems) == older


def test_as_documented(tmp_path: Path) -> None:  # trap 21
    dose, squares = scored()
    head = [EVENTS, *(len(e) - 1 for e in EDGES), *(np.concatenate(EDGES) / 10.0)]
    read = open_dose(written(tmp_path / "x", floats(np.array(head), dose, squares)))
    check(read, ALL)
    assert any("as its manual says" in said for said in read.assumed)


def test_the_cross_phantom(tmp_path: Path) -> None:
    dose, squares = scored()
    inside = np.zeros(dose.shape, bool)
    inside[:, 1, :] = inside[:, :, 1] = True
    read = open_dose(written(tmp_path / "x", header(2) + floats(dose[inside], squares[inside])))
    assert read.format == CROSS
    np.testing.assert_allclose(read.dose, np.where(inside, dose, 0.0), rtol=1e-6)
    assert any("middle row" in said for said in read.problems)


def test_sums_of_older_versions(tmp_path: Path) -> None:
    dose, squares = scored()
    path = written(tmp_path / "x", header(1) + floats(dose * EVENTS, squares * EVENTS**2))
    check(open_dose(path, sums=True), ALL)
    np.testing.assert_allclose(open_dose(path).dose, dose * EVENTS, rtol=1e-6)


def test_variance_of_the_mean() -> None:
    """The uncertainty is that of the mean of all events."""
    numbers = np.random.default_rng(5)
    x = numbers.random(400)
    got = uncertainty_of(np.array([x.mean()]), np.array([(x**2).sum() / 400**2]), 400.0)
    assert got[0] == pytest.approx(x.std(ddof=1) / np.sqrt(400) / x.mean(), rel=1e-12)


def test_a_file_of_gamos(shared_data: Path) -> None:
    dose = open_dose(shared_data / "phsp-gamos" / "dose" / "sqdose.direct.out.exercise3d")
    assert (dose.format, dose.histories, dose.shape) == (ALL, 100000.0, (10, 10, 100))
    assert [(e[0], e[-1]) for e in dose.edges_mm] == [(-500.0, 500.0)] * 3
    assert dose.dose.max() == pytest.approx(1.87521e-16, rel=1e-5)
    assert np.count_nonzero(dose.dose) == 1438
    # Gy per event, not per cm3 (trap 45): an event of the same head gives the same dose in the sibling's 3ddose.
    sibling = open_dose(shared_data / "phsp-gamos" / "dose" / "3ddose.out.exercise3b")
    assert dose.dose.sum() / sibling.dose.sum() == pytest.approx(1.0, abs=0.35)
    assert any("single precision" in said for said in dose.problems)


@pytest.mark.parametrize("format", [ALL, FILLED])
def test_an_independent_reader_reads_what_we_write(tmp_path: Path, format: str) -> None:
    path, dose = tmp_path / "sqdose.out", made()
    write_dose(path, dose, format=format)
    data = path.read_bytes()
    body = floats(dose.dose, dose.squares) if format == ALL else records(dose.dose, dose.squares)
    assert data == header(0 if format == ALL else 1) + body
    check(open_dose(path), format)


def test_the_rotation_is_kept(tmp_path: Path) -> None:
    turn = rotation_about("z", 30.0) @ rotation_about("x", 10.0)
    dose, squares = scored()
    path = written(tmp_path / "x", header(0, rotation=turn) + floats(dose, squares))
    read = open_dose(path)
    np.testing.assert_allclose(read.direction, turn, atol=1e-6)
    assert any("turned" in said for said in read.assumed)
    write_dose(tmp_path / "y.sqdose", read)
    np.testing.assert_allclose(open_dose(tmp_path / "y.sqdose").direction, turn, atol=1e-6)


def test_squares_below_single_precision_say_nothing(tmp_path: Path) -> None:
    dose, _ = scored()
    small = np.where(dose > 0, 1e-25, 0.0)
    read = open_dose(written(tmp_path / "x", header(0) + floats(small, small * 1e-20)))
    assert read.uncertainty is not None
    np.testing.assert_array_equal(read.uncertainty, 1.0)
    assert any("too small" in said for said in read.problems)
    faint = DoseFile(EDGES, small, np.full(small.shape, 0.1), EVENTS)
    assert any("too small" in said for said in losses(faint, ALL))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (header(0) + floats(*scored())[:-1], "do not fill"),
        (header(0) + floats(*scored())[:-4], "do not fill"),
        (header(0), "cut off"),
        (header(0)[:-60], "cut off"),
        (header(7) + floats(*scored()), "do not fill"),
        (header(0, events=0) + floats(*scored()), "at least one history"),
        (header(0, events=float("nan")) + floats(*scored()), "at least one history"),
        (header(0, rotation=np.zeros((3, 3))) + floats(*scored()), "rotation"),
        (header(0) + floats(np.full((2, 3, 3), np.nan), scored()[1]), "not finite"),
        (header(1) + struct.pack("<Qff", 18, 1.0, 1.0), "do not fill"),
        (header(1) + struct.pack("<QffQff", 4, 1.0, 1.0, 3, 1.0, 1.0), "do not fill"),
        (struct.pack("<f3Q", 5.0, 1 << 40, 2, 2) + bytes(400), "no squared-dose"),
        (struct.pack(">f3Q", 5.0, 3, 3, 2) + bytes(400), "no squared-dose"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_dose(written(tmp_path / "sqdose.out", content))


@given(body=st.binary(max_size=200), cut=st.integers(0, 350), word=st.integers(0, 3), flip=st.integers(0, 140))
@settings(max_examples=200, deadline=None)
def test_garbage(tmp_path_factory: pytest.TempPathFactory, body: bytes, cut: int, word: int, flip: int) -> None:
    whole = bytearray(header(word) + floats(*scored()))
    whole[flip] ^= 0x5A
    path = written(tmp_path_factory.getbasetemp() / "fuzz.sqdose", bytes(whole)[:cut] + body)
    try:
        dose = read_sqdose(path)
    except InputError:
        return
    assert np.isfinite(dose.dose).all()
