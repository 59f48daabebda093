"""Runs of records, files that grow, values that no particle has."""

import os
from pathlib import Path

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.particles import Particles
from dosewright.formats.phase_space.raw import GrowingFile, bounded, check_values, runs, w_of
from dosewright.formats.phase_space.statistics import RecordStatistics

PAIR = np.dtype([("a", "u1"), ("b", "<f4")])


def three(**changes: object) -> Particles:
    columns = {
        name: np.array(values, np.float32)
        for name, values in {
            "energy_MeV": [1, 2, 3], "x_cm": [-1, 0, 1], "y_cm": [5, 6, 7], "z_cm": [9, 9, 9], "u": [0, 0.6, 0],
            "v": [0, 0, 0.8], "w": [1, 0.8, -0.6], "weight": [1, 0.5, 1],
        }.items()
    }  # fmt: skip
    fixed = {"species": np.array([1, 2, 1], np.int8), "histories": np.array([1, 0, 3], np.int64)}
    return Particles(**{**columns, **fixed, **changes})  # type: ignore[arg-type]


def test_runs_start_anywhere_and_end_where_told(tmp_path: Path) -> None:
    records = np.array([(i, i / 2) for i in range(10)], PAIR)
    (tmp_path / "r").write_bytes(b"head" + records.tobytes())
    found = [run.copy() for run in runs(tmp_path / "r", PAIR, 3, 6, 4, offset=4)]
    assert [len(run) for run in found] == [4, 2]
    assert np.concatenate(found).tolist() == records[3:9].tolist()
    with pytest.raises(InputError, match="shorter"):
        list(runs(tmp_path / "r", PAIR, 3, 8, 4, offset=4))


def test_a_size_of_terabytes_that_is_not_there_allocates_nothing(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b"12345")
    with pytest.raises(InputError, match="shorter"):
        list(runs(tmp_path / "r", PAIR, 0, 1 << 50, 1 << 50))


def test_bounds_stop_at_the_end() -> None:
    assert bounded(3, None, 10) == (3, 7)
    assert bounded(3, 100, 10) == (3, 7)
    assert bounded(12, None, 10) == (12, 0)
    with pytest.raises(InputError):
        bounded(-1, None, 10)


def test_w_has_the_sign_it_is_told() -> None:
    u, v = np.array([0.6, 0.6, 1.00001], np.float32), np.array([0, 0, 0], np.float32)
    w = w_of(u, v, np.array([False, True, True]))
    assert w == pytest.approx([0.8, -0.8, 0], abs=1e-7)
    assert np.signbit(w).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [("x_cm", np.nan, "x_cm"), ("energy_MeV", -1, "negative energy"), ("u", 1.01, "above 1"), ("v", np.inf, "v is not"),
     ("species", 0, "unknown particle"), ("species", 6, "unknown particle"), ("histories", -1, "histories")],
)  # fmt: skip
def test_damaged_records_are_named(column: str, value: float, says: str) -> None:
    good = three()
    check_values(good, first=100, where=Path("f"))
    values = getattr(good, column).copy()
    values[1] = value
    with pytest.raises(InputError, match=f"Record 101.*{says}"):
        check_values(three(**{column: values}), first=100, where=Path("f"))


def test_large_finite_values_that_sum_to_infinity_are_not_refused() -> None:
    check_values(three(x_cm=np.full(3, 3e38, np.float32)), first=0, where=Path("f"))


def test_a_growing_file_is_there_only_when_finished(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with GrowingFile(path, b"00") as file:
        file.write(b"00")
        file.write(np.array([1.5], "<f4"))
        file.replace_head(b"12")
        file.sync()
        assert not path.exists()
        assert file.temporary.read_bytes() == b"1200\x00\x00\xc0?"
        file.verify()
        file.finish()
    assert path.read_bytes() == b"1200\x00\x00\xc0?"
    with pytest.raises(RuntimeError), GrowingFile(path) as file:
        file.write(b"x")
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize(("place", "put"), [(0, b"x"), (3, b"x"), (9, b"x"), (10, b"x")])
def test_every_byte_is_read_back(tmp_path: Path, place: int, put: bytes) -> None:
    with GrowingFile(tmp_path / "a.bin", b"head") as file:
        file.write(b"123456")
        file.verify()
        file.write(b"")  # it goes on growing
        with file.temporary.open("r+b") as other:
            other.seek(place)
            other.write(put)
        with pytest.raises(InputError, match="not what was written"):
            file.verify()


def test_what_cannot_be_read_from_the_disk_itself_is_read_back_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.O_DIRECT", os.O_DIRECTORY)  # no file can be opened so
    with GrowingFile(tmp_path / "a.bin", b"head") as file:
        file.write(b"123456")
        file.verify()


def test_a_file_that_lost_its_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dosewright.formats.phase_space.raw.WRITTEN_BEHIND", 100)
    with GrowingFile(tmp_path / "a.bin") as file:
        for number in range(30):
            file.write(bytes([number]) * 33)
        file.verify()
        with file.temporary.open("r+b") as other:
            other.truncate(30 * 33 - 1)
        with pytest.raises(InputError, match="not what was written"):
            file.verify()


def test_statistics_by_species() -> None:
    statistics = RecordStatistics()
    statistics.add(three())
    statistics.add(three()[:0])
    statistics.add(three()[1:])
    assert statistics.counts == {1: 3, 2: 2, 3: 0, 4: 0, 5: 0}
    assert (statistics.particles, statistics.histories) == (5, 7)
    assert statistics.energy_max_MeV == 3
    assert statistics.extent_cm["x_cm"] == (-1, 1)
    assert statistics.species[1].mean_energy_MeV == pytest.approx((1 + 3 + 3) / 3)
    assert statistics.species[2].weights == (0.5, 0.5)
