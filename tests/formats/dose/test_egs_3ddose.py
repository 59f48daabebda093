"""3ddose of both codes, read by a reader of a few lines and by ours."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.dose_file import DoseFile
from dosewright.core.errors import InputError
from dosewright.formats.dose.egs_3ddose import EGS, GAMOS, read_3ddose, write_3ddose
from dosewright.formats.dose.open import open_dose, write_dose

EDGES = (np.array([-10.0, 0.0, 15.0, 20.0]), np.array([0.0, 10.0, 20.0]), np.array([5.0, 6.0, 8.0, 8.5, 9.0]))
EGS_TEXT = "2 1 2\n0 1 3\n-1 1\n0 .5 1\n1 2\n3 0\n.1 .2\n.3 .9999999\n"


def made(histories: float | None = 1000.0) -> DoseFile:
    numbers = np.random.default_rng(1)
    dose = numbers.random((4, 2, 3)) * 1e-16
    dose[0, 0, 0] = 0.0
    return DoseFile(EDGES, dose, np.where(dose == 0, 1.0, numbers.random(dose.shape)), histories)


def minimal(path: Path, events: bool) -> tuple[float | None, list[np.ndarray], np.ndarray, np.ndarray]:
    """Read a 3ddose file from its description alone."""
    words = iter(path.read_text().split())
    histories = float(next(words)) if events else None
    nx, ny, nz = (int(next(words)) for _ in range(3))
    edges = [np.array([float(next(words)) for _ in range(n + 1)]) for n in (nx, ny, nz)]
    dose, error = (np.empty((nx, ny, nz)) for _ in range(2))
    for values in (dose, error):
        for k in range(nz):
            for j in range(ny):
                for i in range(nx):
                    values[i, j, k] = float(next(words))
    assert next(words, None) is None
    return histories, edges, dose, error


@pytest.mark.parametrize("events", [False, True])
def test_an_independent_reader_reads_what_we_write(tmp_path: Path, events: bool) -> None:
    path, dose = tmp_path / "a.3ddose", made()
    write_3ddose(path, dose, events=events)
    histories, edges, values, error = minimal(path, events)
    assert histories == (1000.0 if events else None)
    for cm, mm in zip(edges, dose.edges_mm, strict=True):
        np.testing.assert_allclose(cm * 10, mm, atol=1e-9)
    np.testing.assert_allclose(values.T, dose.dose, rtol=1e-8)
    assert error[0, 0, 0] == (0.0 if events else 0.9999999)
    np.testing.assert_allclose(error.T[dose.dose > 0], dose.uncertainty[dose.dose > 0], rtol=1e-8)
    again = open_dose(path)
    assert (again.format, again.histories) == (GAMOS if events else EGS, histories)
    np.testing.assert_allclose(again.uncertainty, dose.uncertainty, rtol=1e-8)


def test_the_first_line_tells_the_code(tmp_path: Path) -> None:  # trap 20
    path = tmp_path / "dose.txt"
    path.write_text(EGS_TEXT)
    assert read_3ddose(path).histories is None
    path.write_text("5e6\n" + EGS_TEXT)
    dose = read_3ddose(path)
    assert (dose.histories, dose.format) == (5e6, GAMOS)
    np.testing.assert_array_equal(dose.dose, [[[1.0, 2.0]], [[3.0, 0.0]]])
    np.testing.assert_array_equal(dose.uncertainty, [[[0.1, 0.2]], [[0.3, 1.0]]])
    np.testing.assert_array_equal(dose.edges_mm[0], [0.0, 10.0, 30.0])


def test_lines_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "dose.txt"
    for text, events in ((EGS_TEXT, None), ("7 " + EGS_TEXT, 7.0)):
        for form in (" ".join(text.split()), "\n".join(text.split()), "\r\n".join(text.split())):
            path.write_text(form)
            assert read_3ddose(path).histories == events


def test_numbers_of_fortran(tmp_path: Path) -> None:
    path = tmp_path / "a.3ddose"
    path.write_text("1 1 2\n0 1\n0 1\n0 1 2\n1.5D-16 2.5-101\n.1 .2\n")
    np.testing.assert_array_equal(read_3ddose(path).dose.ravel(), [1.5e-16, 2.5e-101])


def test_a_file_of_gamos(shared_data: Path) -> None:
    dose = open_dose(shared_data / "phsp-gamos" / "dose" / "3ddose.out.exercise3b")
    assert (dose.format, dose.histories, dose.shape) == (GAMOS, 680504.0, (10, 10, 100))
    # 1 m of water in all directions, as its sibling of squared doses says in mm.
    assert [(e[0], e[-1]) for e in dose.edges_mm] == [(-500.0, 500.0)] * 3
    assert dose.dose.max() == 1.45826e-16
    assert dose.dose[97, 4, 5] == dose.dose.max()
    assert dose.uncertainty is not None and dose.uncertainty[97, 4, 5] == 0.104503


def test_without_uncertainties(tmp_path: Path) -> None:
    path = tmp_path / "a.3ddose"
    path.write_text("1 1 2\n0 1\n0 1\n0 1 2\n1 2\n")
    dose = read_3ddose(path)
    assert dose.uncertainty is None
    assert dose.problems


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("2 1 2\n0 1 3\n-1 1\n0 .5 1\n1 2\n3 0\n.1 .2\n.3\n", "do not fill"),
        (EGS_TEXT + "1\n", "do not fill"),
        ("100000 100000 100000\n0 1\n", "counts of voxels"),
        ("5 20000 20000\n0 1\n", "do not fill"),
        (EGS_TEXT.replace("3 0", "nan 0"), "not finite"),
        (EGS_TEXT.replace("3 0", "inf 0"), "not finite"),
        (EGS_TEXT.replace("3 0", "*** 0"), "'\\*\\*\\*'"),
        (EGS_TEXT.replace("0 1 3", "0 3 1"), "ascend"),
        (EGS_TEXT.replace(".1 .2", "-.1 .2"), "negative"),
        ("0\n" + EGS_TEXT, "at least one history"),
        ("-5\n" + EGS_TEXT, "at least one history"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.3ddose"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        open_dose(path)


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="number of histories"):
        write_dose(tmp_path / "3ddose.out", made(None))
    with pytest.raises(InputError, match="needs uncertainties"):
        write_dose(tmp_path / "a.3ddose", DoseFile(EDGES, made().dose))
    assert not list(tmp_path.iterdir())


@given(text=st.text("0123456789.eE+-D \nna", max_size=80), before=st.sampled_from(["", EGS_TEXT, "3\n" + EGS_TEXT]),
       cut=st.integers(0, 80))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_garbage(tmp_path_factory: pytest.TempPathFactory, text: str, before: str, cut: int) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.3ddose"
    path.write_text(before[:cut] + text)
    try:
        dose = read_3ddose(path)
    except InputError:
        return
    assert np.isfinite(dose.dose).all()
