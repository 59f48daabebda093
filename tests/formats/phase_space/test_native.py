"""Our own phase spaces: any HDF5 tool reads them, and what is damaged, missing or elsewhere is refused."""

import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.phase_space.made_particles import joined, made, same

from dosewright.core.errors import InputError
from dosewright.core.particles import COLUMNS, Layout, Particles
from dosewright.formats.phase_space.native import open_native
from dosewright.formats.phase_space.native_write import create_native

EXTRA = {"latch": "i4", "counter": "i8", "dE/dx [MeV/cm]": "f4"}
LAYOUT = Layout(constants={"z_cm": 100.0}, extra=EXTRA, title="exit of the head", header={"AUTHORS": "nobody"})


def beam(n: int, seed: int = 1) -> Particles:
    rng = np.random.default_rng(seed)
    extra = {"latch": rng.integers(-(2**31), 2**31, n).astype(np.int32),
             "counter": rng.integers(-(2**63), 2**63 - 1, n),
             "dE/dx [MeV/cm]": rng.random(n).astype(np.float32)}  # fmt: skip
    particles = made(n, seed, **extra)
    return replace(particles, histories=rng.integers(0, 2**40, n))


def written(
    path: Path, particles: Particles, layout: Layout = LAYOUT, original: float = 2.0**60, size: int = 777
) -> Path:
    with create_native(path, layout) as writer:
        for start in range(0, len(particles), size):
            writer.write(particles[start : start + size])
        writer.finish(original)
    return path


def test_any_hdf5_tool_reads_it(tmp_path: Path) -> None:
    particles = beam(2000)
    path = written(tmp_path / "a.h5", particles)
    assert path.stat().st_mode & 0o777 == 0o600
    with h5py.File(path) as file:
        assert file.attrs["format"] == b"dosewright phase space"
        said = json.loads(file.attrs["info"])
        for name in COLUMNS:
            if name != "z_cm":
                np.testing.assert_array_equal(file["particles"][name][:], getattr(particles, name))
        assert "z_cm" not in file["particles"]
        assert file["particles"]["energy_MeV"].attrs["unit"] == "MeV"
        for data in file["extra"].values():
            np.testing.assert_array_equal(data[:], particles.extra[data.attrs["name"]])
    assert said["particles"] == 2000
    assert said["original_histories"] == 2.0**60
    assert said["constants"] == {"z_cm": 100}
    assert said["counts"]["neutron"] == (particles.species == 4).sum()


def test_read_again_it_is_the_same(tmp_path: Path) -> None:
    particles = beam(5000)
    reader = open_native(written(tmp_path / "a.h5", particles))
    info = reader.info
    assert (info.format, info.particles, info.original_histories) == ("native", 5000, 2.0**60)
    assert (info.constants, info.extra) == ({"z_cm": 100.0}, EXTRA)
    assert info.header == {"AUTHORS": "nobody", "title": "exit of the head"}
    assert info.energy_max_MeV == particles.energy_MeV.max()
    same(joined(list(reader.batches(size=999))), particles)
    same(joined(list(reader.batches(1234, 700, 100))), particles[1234:1934])
    assert list(reader.batches(5000)) == []


def test_chunks_that_fill_in_many_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dosewright.formats.phase_space.native_write.CHUNK", 64)
    particles = beam(1000)
    same(joined(list(open_native(written(tmp_path / "a.h5", particles, size=37)).batches(size=100))), particles)


def test_columns_that_do_not_read_back_are_refused(tmp_path: Path) -> None:
    with create_native(tmp_path / "a.h5", LAYOUT) as writer:
        writer.write(beam(10))
        writer.checksums["/particles/x_cm"] ^= 1  # as if other bytes had come back
        with pytest.raises(InputError, match="x_cm"):
            writer.finish(20)
    assert list(tmp_path.iterdir()) == []


def test_without_particles(tmp_path: Path) -> None:
    reader = open_native(written(tmp_path / "a.h5", beam(0)))
    assert (reader.info.particles, list(reader.batches())) == (0, [])


def test_a_killed_run_can_be_recovered(tmp_path: Path) -> None:
    with create_native(tmp_path / "a.h5", LAYOUT) as writer:
        writer.write(beam(10))
        writer.save_header(20)
        (hidden,) = tmp_path.iterdir()
        copy = tmp_path / "copy.h5"
        copy.write_bytes(hidden.read_bytes())
        assert open_native(copy).info.particles == 10
        copy.unlink()
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_as_announced_is_refused(tmp_path: Path) -> None:
    wrong = (
        (Layout(constants={"z_cm": 99.0}), "same for all"),
        (Layout(constants={"species": 1.0}), "No column can be constant"),
        (Layout(extra={"latch": "f8"}), "unknown type"),
        (Layout(extra={"latch": "i4", "missing": "i4"}), "missing"),
        (Layout(extra={"latch": "f4"}), "another type"),
        (Layout(extra={"a.b": "i4", "a/b": "i4"}), "names that differ"),
        (Layout(extra={"": "i4"}), "needs a name"),
        (Layout(header={"long": "x" * 70000}), "too long"),
    )
    for layout, words in wrong:
        with pytest.raises(InputError, match=words):
            written(tmp_path / "a.h5", beam(5), layout)
    for original in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="0 or more"):
            written(tmp_path / "a.h5", beam(5), original=original)
    assert list(tmp_path.iterdir()) == []


def shortened(file: h5py.File) -> None:
    file["particles"]["u"].resize((7,))


def lengthened(file: h5py.File) -> None:
    for data in [*file["particles"].values(), *file["extra"].values()]:
        data.resize((10**12,))
    said = json.loads(file.attrs["info"])
    said["particles"] = said["counts"]["photon"] = 10**12
    said["counts"] = {"photon": 10**12}
    file.attrs["info"] = np.bytes_(json.dumps(said).encode())


def elsewhere(file: h5py.File) -> None:
    del file["particles"]["u"]
    file["particles"]["u"] = h5py.ExternalLink("other.h5", "/u")


def changed(**values: object) -> object:
    def change(file: h5py.File) -> None:
        said = json.loads(file.attrs["info"]) | values
        file.attrs["info"] = np.bytes_(json.dumps(said).encode())

    return change


def retyped(file: h5py.File) -> None:
    values = file["particles"]["u"][:]
    del file["particles"]["u"]
    file["particles"].create_dataset("u", data=values.astype("f8"), chunks=(10,))


def spoiled(file: h5py.File) -> None:
    file["particles"]["weight"][3] = np.nan


def missing(file: h5py.File) -> None:
    del file["particles"]["weight"]


def unversioned(file: h5py.File) -> None:
    file.attrs["version"] = np.bytes_(b"2")


def variable(file: h5py.File) -> None:
    file.attrs["info"] = "text of variable length"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (shortened, "type and length"),
        (lengthened, "not whole"),
        (elsewhere, "missing"),
        (retyped, "type and length"),
        (spoiled, "finite"),
        (missing, "missing"),
        (unversioned, "another version"),
        (variable, "fixed length"),
        (changed(particles=11), "cannot be true"),
        (changed(particles=-1), "cannot be true"),
        (changed(original_histories="many"), "cannot be true"),
        (changed(original_histories=float("nan")), "cannot be true"),
        (changed(counts=[1]), "damaged"),
        (changed(constants={"z_cm": float("inf")}), "constant"),
        (changed(extra={"latch": "O"}), "unknown type"),
        (changed(extra={"latch": "i8"}), "type and length"),
    ],
)
def test_damage_is_refused(tmp_path: Path, change: object, words: str) -> None:
    path = written(tmp_path / "a.h5", beam(10))
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError, match=words):
        list(open_native(path).batches())


def test_bits_that_flip_are_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.h5", particles := beam(500))
    content = bytearray(path.read_bytes())
    at = bytes(content).index(particles.x_cm.tobytes())
    content[at + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        list(open_native(path).batches())


def test_other_hdf5_files_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = [1, 2]
    with pytest.raises(InputError, match="no attribute format"):
        open_native(tmp_path / "a.h5")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of few bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dosewright.formats.phase_space.native_write.CHUNK", 8)
        return written(tmp_path_factory.mktemp("fuzz") / "sound.h5", beam(6), Layout())


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_bytes_give_particles_or_a_refusal(sound: Path, data: st.DataObject) -> None:
    path = sound.with_name("a.h5")
    content = bytearray(sound.read_bytes())
    places = st.integers(0, min(len(content) - 1, 4000)) | st.integers(0, len(content) - 1)
    for at, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        content[at] = value
    path.write_bytes(bytes(content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))]))
    try:
        reader = open_native(path)
        found = list(reader.batches())
    except InputError:
        return
    assert sum(map(len, found)) == reader.info.particles
    for part in found:
        for name in COLUMNS:
            assert np.isfinite(getattr(part, name)).all()
