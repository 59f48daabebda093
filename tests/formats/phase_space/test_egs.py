"""EGSnrc phase spaces: real files, an independent reader, both byte orders, and files that are damaged."""

import math
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.phase_space.made_particles import joined, made, same

from dosewright.core.errors import InputError
from dosewright.core.particles import ELECTRON, PHOTON, POSITRON, Layout, Particles
from dosewright.formats.phase_space import egs
from dosewright.formats.phase_space.egs import create_egs, open_egs

REST = 0.51099895
# Particles, photons, electrons, positrons, records that begin a history: counted apart from this package.
REAL = {
    "phsp-egsnrc/EX10MeVe.egsphsp1": (8085, 5854, 2227, 4, 6827, 50000.0),
    "phsp-egsnrc/EX16MVp.egsphsp1": (3882, 2542, 1239, 101, 1480, 15000.0),
    "phsp-egsnrc/EXslabs.egsphsp1": (1030, 31, 999, 0, 996, 1000.0),
    "phsp-small-misc/beamdpr_first.egsphsp1": (9345, 8190, 1155, 0, 1875, 10000.0),
    "phsp-small-misc/photon_electron_positron.egsphsp": (3, 1, 1, 1, 1, 1.0),
}


def beam(n: int, seed: int = 1) -> Particles:
    """Photons, electrons and positrons with LATCH and z of the last interaction."""
    rng = np.random.default_rng(seed)
    particles = made(n, seed, latch=rng.integers(-(2**31), 2**31, n).astype(np.int32),
                     zlast_cm=rng.normal(0, 5, n).astype(np.float32))  # fmt: skip
    return replace(particles, species=rng.integers(1, 4, n).astype(np.int8), z_cm=np.zeros(n, np.float32))


def by_description(path: Path, order: str = "<") -> tuple[dict[str, float], list[dict[str, float]]]:
    """Read a file by section 7 of PIRS-0509A alone, record by record."""
    data = path.read_bytes()
    last_z = data[:5] == b"MODE2"
    length = 32 if last_z else 28
    particles, photons, highest, lowest, histories = struct.unpack_from(f"{order}iifff", data, 5)
    assert len(data) == (particles + 1) * length
    records = []
    for start in range(length, len(data), length):
        latch, energy, x, y, u, v, weight = struct.unpack_from(f"{order}I6f", data, start)
        charge = 1 if latch & 1 << 29 else -1 if latch & 1 << 30 else 0
        records.append({
            "latch": latch, "charge": charge, "kinetic": abs(energy) - (REST if charge else 0), "new": energy < 0,
            "x": x, "y": y, "u": u, "v": v, "weight": abs(weight),
            "w": math.copysign(math.sqrt(max(0.0, 1 - u * u - v * v)), weight),
            "zlast": struct.unpack_from(f"{order}f", data, start + 28)[0] if last_z else None,
        })  # fmt: skip
    header = {"particles": particles, "photons": photons, "highest": highest, "lowest": lowest, "histories": histories}
    return header, records


def written(path: Path, particles: Particles, original: float = 1000, **layout: object) -> Path:
    with create_egs(path, Layout(**({"extra": {"latch": "i4", "zlast_cm": "f4"}} | layout))) as writer:
        writer.write(particles)
        writer.finish(original)
    return path


@pytest.mark.parametrize("name", REAL)
def test_real_files(shared_data: Path, tmp_path: Path, name: str) -> None:
    particles, photons, electrons, positrons, begun, original = REAL[name]
    reader = open_egs(shared_data / name)
    assert (reader.info.particles, reader.info.original_histories) == (particles, original)
    assert reader.info.header["photons"] == str(photons)
    whole = joined(list(reader.batches(size=1000)))
    assert [(whole.species == code).sum() for code in (PHOTON, ELECTRON, POSITRON)] == [photons, electrons, positrons]
    assert whole.histories.sum() == begun
    # The header tells kinetic energy, records total; 2e-6 MeV: EGSnrc took 0.511 MeV for the rest mass.
    assert whole.energy_MeV.max() == pytest.approx(reader.info.energy_max_MeV, abs=2e-6)
    electron = whole.energy_MeV[whole.species == ELECTRON]
    assert electron.min() == pytest.approx(float(reader.info.header["electron_min_MeV"]), abs=2e-6)
    copy = written(tmp_path / "copy.egsphsp1", whole, original, extra=reader.info.extra)
    length = 32 if "zlast_cm" in reader.info.extra else 28
    assert copy.read_bytes()[length:] == (shared_data / name).read_bytes()[length:]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("mode", [0, 2])
def test_an_independent_reader_agrees(tmp_path: Path, order: str, mode: int) -> None:
    particles = beam(300)
    path = tmp_path / "beam.egsphsp1"
    layout = Layout(extra={"latch": "i4", "zlast_cm": "f4"}, big_endian=order == ">")
    with create_egs(path, layout, mode=mode) as writer:
        for start in range(0, 300, 70):
            writer.write(particles[start : start + 70])
        info = writer.finish(12345)
    header, records = by_description(path, order)
    assert header["particles"] == info.particles == len(records) == 300
    assert header["photons"] == (particles.species == PHOTON).sum() == info.counts[PHOTON]
    assert header["histories"] == 12345
    assert header["highest"] == particles.energy_MeV.max()
    assert header["lowest"] == particles.energy_MeV[particles.species == ELECTRON].min()
    assert path.stat().st_mode & 0o777 == 0o600
    charge = {PHOTON: 0, ELECTRON: -1, POSITRON: 1}
    for record, at in zip(records, range(300), strict=True):
        assert record["charge"] == charge[int(particles.species[at])]
        assert record["kinetic"] == pytest.approx(particles.energy_MeV[at], abs=2e-6)
        assert record["new"] == bool(particles.histories[at])
        assert record["w"] == pytest.approx(particles.w[at], abs=1e-6)
        assert record["latch"] & 0x9FFFFFFF == int(particles.extra["latch"][at]) & 0x9FFFFFFF
        for key, column in (("x", "x_cm"), ("y", "y_cm"), ("u", "u"), ("v", "v"), ("weight", "weight")):
            assert record[key] == getattr(particles, column)[at]
        assert record["zlast"] == (particles.extra["zlast_cm"][at] if mode else None)


@pytest.mark.parametrize("big_endian", [False, True])
def test_read_and_written_again_its_records_are_the_same(tmp_path: Path, big_endian: bool) -> None:
    first = written(tmp_path / "a.egsphsp1", beam(5000), big_endian=big_endian)
    reader = open_egs(first, z_cm=70.0)
    assert reader.info.header["byte_order"] == ("big-endian" if big_endian else "little-endian")
    whole = joined(list(reader.batches(size=999)))
    assert (whole.z_cm == 70).all()
    again = written(tmp_path / "b.egsphsp1", whole, big_endian=big_endian)
    assert again.read_bytes()[32:] == first.read_bytes()[32:]
    same(joined(list(reader.batches(1234, 777, 100))), whole[1234 : 1234 + 777])
    assert list(reader.batches(5000)) == []


def test_z_is_told_to_be_missing(tmp_path: Path) -> None:
    path = written(tmp_path / "a.egsphsp1", beam(10))
    assert any("does not store z" in told for told in open_egs(path).info.problems)
    assert not any("does not store z" in told for told in open_egs(path, z_cm=0.0).info.problems)


def test_neutrons_and_protons_are_left_out_loudly_and_histories_kept(tmp_path: Path) -> None:
    particles = replace(made(6), species=np.array([4, 1, 5, 5, 2, 4], np.int8),
                        histories=np.array([1, 0, 1, 1, 0, 1]))  # fmt: skip
    with create_egs(tmp_path / "a.egsphsp1", Layout()) as writer:
        writer.write(particles[:3])
        writer.write(particles[3:])
        info = writer.finish(4)
    assert info.particles == 2
    assert "2 neutrons were left out: the format cannot hold them." in info.problems
    assert "2 protons were left out: the format cannot hold them." in info.problems
    # The photon now begins the history of the neutron before it, the electron that of the second proton.
    assert [record["new"] for record in by_description(tmp_path / "a.egsphsp1")[1]] == [True, True]


def test_what_it_cannot_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout()
    with pytest.raises(InputError, match="negative weights"), create_egs(tmp_path / "a.egsphsp1", layout) as writer:
        writer.write(replace(beam(3), weight=np.array([1, -1, 1], np.float32)))
    with pytest.raises(InputError, match="MODE2"):
        create_egs(tmp_path / "a.egsphsp1", layout, mode=2)
    monkeypatch.setattr(egs, "MAX_PARTICLES", 5)
    with pytest.raises(InputError, match="several files"), create_egs(tmp_path / "a.egsphsp1", layout) as writer:
        writer.write(beam(6))
    with pytest.raises(InputError, match="does not fit"):
        written(tmp_path / "a.egsphsp1", made(1, latch=np.array([2**31])), extra={"latch": "i8"})
    constant = Layout(constants={"z_cm": 5.0})
    with pytest.raises(InputError, match="same for all"), create_egs(tmp_path / "a.egsphsp1", constant) as writer:
        writer.write(beam(3))
    assert list(tmp_path.iterdir()) == []


def test_a_killed_run_can_be_recovered(tmp_path: Path) -> None:
    with create_egs(tmp_path / "a.egsphsp1", Layout()) as writer:
        writer.write(beam(10))
        writer.save_header(20)
        writer.write(beam(5))
        (left,) = tmp_path.iterdir()
        assert left.name.startswith(".")
        info = open_egs(left).info
        assert (info.particles, info.original_histories) == (10, 20)
        assert any("longer than its header says" in told for told in info.problems)
    assert list(tmp_path.iterdir()) == []


def patched(path: Path, at: int, data: bytes) -> Path:
    content = bytearray(path.read_bytes())
    content[at : at + len(data)] = data
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("at", "data", "words"),
    [
        (0, b"MODE1", "no phase space of EGSnrc"),
        (5, struct.pack("<i", 101), "shorter than its header"),
        (9, struct.pack("<i", 101), "either byte order"),
        (13, struct.pack("<f", math.nan), "shorter than its header"),
        (32 + 4, struct.pack("<f", math.nan), "not a finite number"),
        (32 + 4, struct.pack("<f", -math.inf), "not a finite number"),
        (32 + 24, struct.pack("<f", math.inf), "weight"),
        (32 + 16, struct.pack("<f", 1.01), "above 1"),
        (32, struct.pack("<I", 3 << 29), "unknown particle"),
        (32, struct.pack("<If", 1 << 30, 0.4), "negative energy"),
    ],
)
def test_damage_is_refused(tmp_path: Path, at: int, data: bytes, words: str) -> None:
    path = patched(written(tmp_path / "a.egsphsp1", beam(100)), at, data)
    with pytest.raises(InputError, match=words):
        list(open_egs(path).batches())


def test_directions_along_the_plane_are_written(tmp_path: Path) -> None:
    # 1 - u^2 - v^2 of single precision is nothing like 1e-4 squared.
    angle = np.linspace(0, 6, 50)
    u, v = (f(angle).astype(np.float32) for f in (np.cos, np.sin))
    w = np.full(50, -1e-4, np.float32)
    path = written(tmp_path / "a.egsphsp1", replace(beam(50), u=u, v=v, w=w))
    assert np.signbit(next(open_egs(path).batches()).w).all()


def test_truncated_and_empty_files_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.egsphsp1", beam(5))
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(InputError):
            open_egs(path)


def test_an_overrun_counter_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert egs._particles(tmp_path, 7, 2**32 + 7, 0, 28) == (
        2**32 + 7, ["The header's number of particles ran over at 2^32: 7 stands for 4294967303."])  # fmt: skip
    particles, told = egs._particles(tmp_path, 7, 9, 3, 28)
    assert particles == 7
    assert "longer" in told[0]


def test_a_phase_space_without_particles(tmp_path: Path) -> None:
    path = written(tmp_path / "a.egsphsp1", beam(0), 500)
    reader = open_egs(path)
    assert (reader.info.particles, reader.info.original_histories, list(reader.batches())) == (0, 500, [])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of few bytes."""
    return written(tmp_path_factory.mktemp("fuzz") / "sound.egsphsp1", beam(4))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_bytes_give_particles_or_a_refusal(sound: Path, data: st.DataObject) -> None:
    path = sound.with_name("a.egsphsp1")
    content = bytearray(sound.read_bytes())
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=12)):
        content[at] = value
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]) + data.draw(st.binary(max_size=40)))
    try:
        reader = open_egs(path)
        whole = list(reader.batches())
    except InputError:
        return
    assert sum(map(len, whole)) == reader.info.particles
    for particles in whole:
        assert np.isfinite(particles.energy_MeV).all()
        assert (particles.energy_MeV >= 0).all()
        assert np.isfinite(particles.w).all()
