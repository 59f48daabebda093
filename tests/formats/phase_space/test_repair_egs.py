"""Phase spaces of EGSnrc written anew from their records."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.phase_space.made_particles import joined, made

from dosewright.core.errors import InputError
from dosewright.core.particles import Layout, Particles
from dosewright.formats.phase_space.egs import create_egs, open_egs
from dosewright.formats.phase_space.repair import repaired

COUNT, PHOTONS, HISTORIES = slice(5, 9), slice(9, 13), slice(21, 25)


def ours() -> Particles:
    latch = np.arange(200, dtype=np.int32)
    particles = made(200, latch=latch, zlast_cm=np.float32(latch))
    return replace(particles, species=(latch % 3 + 1).astype(np.int8))


def written(folder: Path, mode: int, *, big: bool = False) -> Path:
    with create_egs(
        folder / "a.egsphsp1", Layout(extra={"latch": "i4", "zlast_cm": "f4"}, big_endian=big), mode=mode
    ) as w:
        w.write(ours())
        w.finish(1000)
    return folder / "a.egsphsp1"


def put(path: Path, where: slice, value: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[where] = value
    path.write_bytes(data)


@pytest.mark.parametrize("mode", [0, 2])
@pytest.mark.parametrize("big", [False, True])
def test_what_is_wrong_is_said_and_mended(tmp_path: Path, mode: int, big: bool) -> None:
    path, out = written(tmp_path, mode, big=big), tmp_path / "b.egsphsp1"
    good = path.read_bytes()
    length = 28 if mode == 0 else 32
    assert repaired(path, out) == ()
    assert out.read_bytes() == good
    for where, value, says in (
        (COUNT, np.array(1, ">u4" if big else "<u4").tobytes(), "counts"),
        (PHOTONS, b"\xff\xff\xff\xff", "photons"),
        (slice(13, 17), b"\xff\xff\xff\xff", "highest energy"),
        (slice(0, 5), b"MODE7", "first word"),
    ):
        path.write_bytes(good)
        put(path, where, value)
        assert says in " ".join(repaired(path, out))
        assert out.read_bytes() == good
    path.write_bytes(good[: length * 151 + 3])
    wrong = " ".join(repaired(path, out))
    assert "last 3 bytes" in wrong and "50 records are missing" in wrong
    info = open_egs(out).info
    assert (info.particles, info.original_histories) == (150, 750)
    path.write_bytes(good + good[length : 31 * length])
    assert "30 records more" in " ".join(repaired(path, out))
    assert out.read_bytes() == good


def test_histories_that_cannot_be_true_are_unknown(tmp_path: Path) -> None:
    path, out = written(tmp_path, 0), tmp_path / "b.egsphsp1"
    for value in (np.float32(3), np.float32(np.nan), np.float32(0)):
        put(path, HISTORIES, value.tobytes())
        assert "unknown" in " ".join(repaired(path, out))
        info = open_egs(out).info
        assert info.original_histories is None
        assert any("histories" in problem for problem in info.problems)
    repaired(path, out, original_histories=1000)
    assert open_egs(out).info.original_histories == 1000


def test_real_files_keep_their_records(shared_data: Path, tmp_path: Path) -> None:
    for name in (
        "phsp-egsnrc/EX16MVp.egsphsp1",
        "phsp-egsnrc/EXslabs.egsphsp1",
        "phsp-small-misc/beamdpr_first.egsphsp1",
    ):
        source = (shared_data / name).read_bytes()
        path = tmp_path / "a.egsphsp1"
        path.write_bytes(source)
        assert repaired(path, tmp_path / "b.egsphsp1") == ()
        put(path, COUNT, b"\0\0\0\0")
        assert repaired(path, tmp_path / "b.egsphsp1") != ()
        assert (tmp_path / "b.egsphsp1").read_bytes()[:25] == source[:25]
        assert (tmp_path / "b.egsphsp1").read_bytes()[28:] == source[28:]


def test_the_original_is_not_replaced(tmp_path: Path) -> None:
    path = written(tmp_path, 0)
    with pytest.raises(InputError, match="replace the original"):
        repaired(path, path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_garbage_is_refused_or_mended(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(written(tmp_path, data.draw(st.sampled_from([0, 2]))).read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.one_of(st.integers(0, 31), st.integers(0, len(content) - 1)))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    path = tmp_path / "a.egsphsp1"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        repaired(path, tmp_path / "b.egsphsp1")
    except InputError:
        return
    reader = open_egs(tmp_path / "b.egsphsp1")
    assert len(joined(list(reader.batches()))) == reader.info.particles
