"""IAEA phase spaces: real files, every layout, and files that are damaged or say what is not so."""

import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.phase_space.made_particles import joined, made, read_by_description, same

from dosewright.core.errors import InputError
from dosewright.core.particles import ELECTRON, PHOTON, POSITRON, Layout, Particles, PhaseSpaceInfo
from dosewright.formats.phase_space.iaea import create_iaea, iaea_losses, open_iaea
from dosewright.formats.phase_space.iaea_record import QUANTITIES
from dosewright.formats.phase_space.open import open_phase_space


def written(folder: Path, particles: Particles, layout: Layout, histories: float = 1000, name: str = "a") -> Path:
    with create_iaea(folder / f"{name}.IAEAphsp", layout) as writer:
        for start in range(0, len(particles), 7):
            writer.write(particles[start : start + 7])
        writer.finish(histories)
    return folder / f"{name}.IAEAheader"


def read(path: Path, **options: int) -> Particles:
    return joined(list(open_iaea(path, **options).batches(size=5)))


def changed(header: Path, old: str, new: str) -> None:
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new))


REAL = {
    "phsp-egsnrc/iaea": (831, 3774, (578, 241, 12), 388),
    "phsp-gamos/linac_6MV_10k/test_-6": (5076, 10_000, (5020, 55, 1), 4221),
    "phsp-gamos/linac_6MV_10k/test_-899": (114, 10_000, (114, 0, 0), 114),
    "phsp-gamos/linac_6MV_biasing/testDBS": (11_955, 1_000_000, (11_780, 170, 5), 11_580),
    "phsp-gamos/xray_140kV/xray": (2166, 1_000_000_000, (2166, 0, 0), 2166),
    "phsp-small-misc/some_file": (1, None, (1, 0, 0), 1),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(shared_data: Path, name: str) -> None:
    particles, histories, counts, begun = REAL[name]
    reader = open_iaea(shared_data / f"{name}.IAEAphsp")
    assert (reader.info.particles, reader.info.original_histories) == (particles, histories)
    found = joined(list(reader.batches(size=1000)))
    for code, number in zip((PHOTON, ELECTRON, POSITRON), counts, strict=True):
        assert (found.species == code).sum() == number == (reader.info.counts or {})[code]
    assert found.histories.sum() == begun
    _, records = read_by_description(shared_data / f"{name}.IAEAheader")
    for mine, theirs in {
        "energy_MeV": "energy",
        "x_cm": "x",
        "y_cm": "y",
        "u": "u",
        "v": "v",
        "weight": "weight",
    }.items():
        assert getattr(found, mine).tolist() == [record[theirs] for record in records]
    np.testing.assert_allclose(found.w, [record["w"] for record in records], atol=1e-7)


def test_what_egsnrc_writes_is_kinetic_energy(shared_data: Path) -> None:
    found = read(shared_data / "phsp-egsnrc/iaea.IAEAheader")
    # Total energies of electrons would begin at 0.511 MeV; the header's smallest is 0.09278.
    assert found.energy_MeV[found.species == ELECTRON].min() == pytest.approx(0.09278, abs=1e-5)
    assert found.energy_MeV[found.species == POSITRON].min() == pytest.approx(0.4177, abs=1e-4)


def test_a_counter_that_ran_over_is_told_and_not_used(shared_data: Path) -> None:
    info = open_iaea(shared_data / "phsp-small-misc/some_file.IAEAheader").info
    assert info.original_histories is None
    assert any("18446744073709551615" in problem for problem in info.problems)


def test_a_real_file_written_again_is_the_same_to_the_last_bit(shared_data: Path, tmp_path: Path) -> None:
    for name in REAL:
        source = shared_data / f"{name}.IAEAphsp"
        reader = open_iaea(source)
        info = reader.info
        layout = Layout(constants=info.constants, extra=info.extra, header=info.header)
        with create_iaea(tmp_path / source.name, layout) as writer:
            for batch in reader.batches():
                writer.write(batch)
            made_info = writer.finish(info.original_histories or 0)
        assert (tmp_path / source.name).read_bytes() == source.read_bytes()
        assert (made_info.counts, made_info.header["TITLE"]) == (info.counts, info.header["TITLE"])
        assert made_info.energy_max_MeV == pytest.approx(info.energy_max_MeV, rel=0.01)


@pytest.mark.parametrize(
    ("stored", "big", "bits"),
    [(flags, big, bits) for flags in product((True, False), repeat=7) for big, bits in ((False, 32), (True, 64))],
)
def test_every_layout(tmp_path: Path, stored: tuple[bool, ...], big: bool, bits: int) -> None:
    rng = np.random.default_rng(5)
    kind = np.int64 if bits == 64 else np.int32
    limit = 2**40 if bits == 64 else 2**31 - 1
    extra = {
        "zlast_cm": rng.normal(0, 30, 20).astype(np.float32),
        "mine": rng.normal(0, 1, 20).astype(np.float32),
        "latch": rng.integers(-limit, limit, 20).astype(kind),
    }
    particles = made(20, **extra)
    constants = {}
    for name, flag in zip(QUANTITIES, stored, strict=True):
        if not flag:
            constants[name] = {"u": 0.6, "v": 0.0, "w": -0.8}.get(name, 2.1)
    if "w" in constants:
        # A constant w goes with directions on a cone about z.
        u = particles.u / np.hypot(particles.u, particles.v) * np.float32(0.6)
        v = particles.v / np.hypot(particles.u, particles.v) * np.float32(0.6)
        particles = replace(particles, u=u, v=v, w=np.full(20, -0.8, np.float32))
        if ("u" in constants) != ("v" in constants):
            lone = "v" if "u" in constants else "u"
            other = np.full(20, 0.0 if lone == "v" else 0.6, np.float32)
            particles = replace(particles, **{lone: other})
    particles = replace(particles, **{name: np.full(20, value, np.float32) for name, value in constants.items()})
    if "w" not in constants:
        limited = {n: np.clip(getattr(particles, n), -0.7, 0.7) for n in ("u", "v") if n not in constants}
        particles = replace(particles, **limited)
        w = np.sqrt(1 - particles.u.astype(float) ** 2 - particles.v.astype(float) ** 2)
        particles = replace(particles, w=np.copysign(w, particles.w).astype(np.float32))
    layout = Layout(constants, {n: c.dtype.str[1:] for n, c in extra.items()}, big_endian=big)
    header = written(tmp_path, particles, layout)
    same(read(header), particles)
    blocks, records = read_by_description(header)
    assert blocks["BYTE_ORDER"] == ["4321" if big else "1234"]
    assert [r["type"] for r in records] == particles.species.tolist()
    assert [r["new"] for r in records] == (particles.histories > 0).tolist()
    for mine, theirs in zip(("x_cm", "u", "weight"), ("x", "u", "weight"), strict=True):
        np.testing.assert_array_equal(np.float32([r[theirs] for r in records]), getattr(particles, mine))
    np.testing.assert_allclose([r["w"] for r in records], particles.w, atol=1e-6)
    assert [r["l0"] for r in records] == extra["latch"].tolist()
    assert np.float32([r["f1"] for r in records]).tolist() == extra["mine"].tolist()
    assert open_iaea(header).info.extra == {"zlast_cm": "f4", "mine": "f4", "latch": f"i{bits // 8}"}


def test_the_header_says_what_the_records_are(tmp_path: Path) -> None:
    particles = made(500)
    kept = {"TITLE": "my beam", "MACHINE_TYPE": "linac", "OUR_OWN": "kept\nin two lines", "CHECKSUM": "not kept"}
    header = written(tmp_path, particles, Layout({"z_cm": 100}, header=kept), 12_345_678_901)
    blocks, _ = read_by_description(header)
    assert blocks["TITLE"] == ["my beam"]
    assert blocks["OUR_OWN"] == ["kept", "in two lines"]
    assert blocks["ORIG_HISTORIES"] == ["12345678901"]
    assert int(blocks["NEUTRONS"][0]) == (particles.species == 4).sum()
    photons = particles.species == PHOTON
    numbers = [float(word) for word in blocks["STATISTICAL_INFORMATION_PARTICLES"][0].split()[:6]]
    weight, energy = particles.weight[photons].astype(float), particles.energy_MeV[photons].astype(float)
    expected = [
        weight.sum(),
        weight.min(),
        weight.max(),
        (weight * energy).sum() / weight.sum(),
        energy.min(),
        energy.max(),
    ]
    assert numbers == pytest.approx(expected, rel=1e-7)
    assert [float(x) for x in blocks["STATISTICAL_INFORMATION_GEOMETRY"][1].split()] == pytest.approx(
        [particles.y_cm.min(), particles.y_cm.max()], rel=1e-7
    )
    info = open_iaea(header).info
    assert info.energy_max_MeV == pytest.approx(particles.energy_MeV.max(), rel=1e-7)
    assert (info.problems, info.header["OUR_OWN"]) == ((), "kept\nin two lines")


def test_an_incremental_history_number_counts_empty_histories(tmp_path: Path) -> None:
    histories = np.array([3, 0, 1, 0, 7], np.int64)
    particles = replace(made(5), histories=histories)
    header = written(tmp_path, particles, Layout(extra={"incremental_history": "i4"}), 11)
    _, records = read_by_description(header)
    assert [r["l0"] for r in records] == [3, 0, 1, 0, 7]
    assert [r["new"] for r in records] == [True, False, True, False, True]
    assert read(header).histories.tolist() == [3, 0, 1, 0, 7]
    without = written(tmp_path, particles, Layout(), 11, name="b")
    assert read(without).histories.tolist() == [1, 0, 1, 0, 1]


def test_fewer_original_histories_than_begin_are_told(tmp_path: Path) -> None:
    with create_iaea(tmp_path / "a", Layout()) as writer:
        writer.write(replace(made(5), histories=np.ones(5, np.int64)))
        assert "begin 5 histories" in writer.finish(3).problems[0]


def test_a_history_that_begins_with_no_energy_is_not_lost(tmp_path: Path) -> None:
    particles = replace(made(2), energy_MeV=np.zeros(2, np.float32), histories=np.array([1, 0], np.int64))
    assert read(written(tmp_path, particles, Layout())).histories.tolist() == [1, 0]


def test_upstream_in_the_plane_stays_upstream(tmp_path: Path) -> None:
    particles = replace(
        made(2), u=np.ones(2, np.float32), v=np.zeros(2, np.float32), w=np.array([-0.0, 0.0], np.float32)
    )
    header = written(tmp_path, particles, Layout())
    assert np.signbit(read(header).w).tolist() == [True, False]


def test_long_bits_are_told_by_the_size_or_by_hand(tmp_path: Path) -> None:
    column = np.arange(50, dtype=np.int64) * 3
    header = written(tmp_path, made(50, latch=column), Layout(extra={"latch": "i8"}))
    changed(header, "$RECORD_LENGTH:\n37", "$RECORD_LENGTH:\n33")  # as a header of another machine says
    reader = open_iaea(header)
    assert reader.info.extra == {"latch": "i8"}
    assert any("RECORD_LENGTH" in problem for problem in reader.info.problems)
    assert read(header, long_bits=64).extra["latch"].tolist() == column.tolist()
    with pytest.raises(InputError, match="repair"):
        open_iaea(header, long_bits=32)


def test_headers_in_any_order_with_comments_and_unknown_blocks(tmp_path: Path) -> None:
    particles = made(30)
    header = written(tmp_path, particles, Layout({"z_cm": 100}))
    blocks = header.read_text().split("\n\n$")
    text = "\r\n\r\n\r\n  $".join(reversed([block.lstrip("$") for block in blocks]))
    header.write_text("// made elsewhere\r\n  $" + text + "\r\n// the end\r\n$SITE_NOTE: here\r\n")
    info = open_iaea(header).info
    assert (info.problems, info.header["SITE_NOTE"]) == ((), "here")
    same(read(header), particles)


def test_either_file_and_other_capitals(tmp_path: Path) -> None:
    header = written(tmp_path, made(3), Layout())
    header.rename(tmp_path / "a.iaeaheader")
    assert open_iaea(tmp_path / "a.IAEAphsp").info.particles == 3
    assert open_iaea(tmp_path / "a").info.particles == 3
    with pytest.raises(InputError, match="no header"):
        open_iaea(tmp_path / "b.IAEAphsp")


def test_names_that_others_give_to_the_files(tmp_path: Path) -> None:
    header = written(tmp_path, made(3), Layout())
    header.rename(tmp_path / "b.header")
    header.with_suffix(".IAEAphsp").rename(tmp_path / "b.phsp")
    for name in ("b.header", "b.phsp"):
        assert open_phase_space(tmp_path / name).info.format == "iaea"
    with create_iaea(tmp_path / "c.phsp", Layout()) as writer:
        writer.write(made(3))
        writer.finish(10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.header", "b.phsp", "c.header", "c.phsp"]


def test_batches_start_anywhere(tmp_path: Path) -> None:
    particles = made(100)
    reader = open_iaea(written(tmp_path, particles, Layout()))
    same(joined(list(reader.batches(first=13, count=40, size=7))), particles[13:53])
    assert list(reader.batches(first=100)) == []


def test_more_records_than_32_bits_count(tmp_path: Path) -> None:
    particles = made(3)
    header = written(tmp_path, particles, Layout({"z_cm": 100}), 2**40)
    number = 2**32 + 3
    records = header.with_suffix(".IAEAphsp")
    end = records.read_bytes()
    with records.open("r+b") as file:  # a hole of 100 GB, then the same three records again
        file.seek((number - 3) * 25)
        file.write(end)
    changed(header, "$PARTICLES:\n3", f"$PARTICLES:\n{number}")
    changed(header, "$CHECKSUM:\n75", f"$CHECKSUM:\n{number * 25}")
    reader = open_iaea(header)
    assert (reader.info.particles, reader.info.original_histories) == (number, 2**40)
    same(joined(list(reader.batches(first=number - 3))), particles)


def test_an_empty_phase_space(tmp_path: Path) -> None:
    with create_iaea(tmp_path / "a.IAEAphsp", Layout()) as writer:
        info = writer.finish(1e6)
    assert (info.particles, info.original_histories, info.energy_max_MeV) == (0, 1e6, None)
    assert list(open_iaea(tmp_path / "a").batches()) == []


DAMAGE = {
    "truncated": (lambda h, p: p.write_bytes(p.read_bytes()[:-1]), "size of the file"),
    "too few records": (lambda h, p: changed(h, "$PARTICLES:\n40", "$PARTICLES:\n39"), "size of the file"),
    "a length that is not that of the contents": (
        lambda h, p: changed(h, "    1     // Z is", "    0     // Z is"), "RECORD_CONSTANT lacks z_cm|z_cm"),
    "wrong byte order": (lambda h, p: changed(h, "1234", "4321"), "byte order"),
    "unknown byte order": (lambda h, p: changed(h, "1234", "3412"), "byte order"),
    "records gone": (lambda h, p: p.unlink(), "no such file"),
    "not a header": (lambda h, p: h.write_text("hello"), "no IAEA header"),
    "binary": (lambda h, p: h.write_bytes(b"$PARTICLES:\n\0"), "no IAEA header"),
    "an event generator": (lambda h, p: changed(h, "$FILE_TYPE:\n0", "$FILE_TYPE:\n1"), "not that of a phase space"),
    "a million extras": (lambda h, p: changed(h, "0     // Extra fl", "999999     // Extra fl"), "what it cannot"),
    "a number of words": (lambda h, p: changed(h, "$PARTICLES:\n40", "$PARTICLES:\nmany"), "whole number"),
    "negative": (lambda h, p: changed(h, "$PARTICLES:\n40", "$PARTICLES:\n-40"), "negative"),
    "more than any disk": (lambda h, p: changed(h, "$PARTICLES:\n40", f"$PARTICLES:\n{2**62}"), "size of the file"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_refused(tmp_path: Path, damage: str) -> None:
    header = written(tmp_path, made(40), Layout())
    do, says = DAMAGE[damage]
    do(header, header.with_suffix(".IAEAphsp"))
    with pytest.raises(InputError, match=says):
        open_iaea(header)


def test_wrong_sums_are_told(tmp_path: Path) -> None:
    header = written(tmp_path, made(40), Layout())
    changed(header, "$CHECKSUM:\n1160", "$CHECKSUM:\n1161")
    changed(header, "$PHOTONS:\n", "$PHOTONS:\n1")
    info = open_iaea(header).info
    assert info.counts is None
    assert [problem.split()[0] for problem in info.problems] == ["The", "CHECKSUM"]


@pytest.mark.parametrize("value", [np.nan, np.inf, 5.0])
def test_records_that_no_particle_has_are_refused_when_read(tmp_path: Path, value: float) -> None:
    header = written(tmp_path, made(40), Layout())
    records = header.with_suffix(".IAEAphsp")
    data = bytearray(records.read_bytes())
    data[29 * 33 + 17 : 29 * 33 + 21] = np.float32(value).tobytes()  # u of record 33
    records.write_bytes(data)
    with pytest.raises(InputError, match="Record 33"):
        read(header)


@pytest.mark.parametrize(
    ("layout", "says"),
    [(Layout({"z_cm": 99}), "z_cm is not the same"), (Layout(extra={"latch": "i4"}), "latch"),
     (Layout({"time": 1}), "once for all"), (Layout(extra={"t": "f8"}), "of this type"),
     (Layout(header={"X": "$Y:"}), "cannot hold this block")],
)  # fmt: skip
def test_what_a_file_cannot_hold_is_refused(tmp_path: Path, layout: Layout, says: str) -> None:
    with pytest.raises(InputError, match=says):
        written(tmp_path, made(4), layout)
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    big = np.array([1 << 40, 0], np.int64)
    for column in (big, big.astype(np.float32)):
        with pytest.raises(InputError, match="does not fit"):
            written(tmp_path, made(2, many=column), Layout(extra={"many": "i4"}))
    with pytest.raises(InputError, match="original histories"):
        written(tmp_path, made(2), Layout(), float("nan"))


def test_losses_are_said() -> None:
    assert iaea_losses(PhaseSpaceInfo("egs_mode0", 1, 10.0)) == ()
    said = iaea_losses(PhaseSpaceInfo("native", 1, 10.5, extra={"n": "i8"}))
    assert len(said) == 3


def test_a_writer_that_fails_keeps_nothing_and_the_former_file(tmp_path: Path) -> None:
    header = written(tmp_path, made(10), Layout())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(RuntimeError), create_iaea(header, Layout()) as writer:
        writer.write(made(5))
        writer.save_header(100)
        raise RuntimeError
    with create_iaea(header, Layout()) as writer:
        writer.write(made(5))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


KILLED = """
import os, sys
from pathlib import Path
from dosewright.core.particles import Layout
from dosewright.formats.phase_space.iaea import create_iaea
from tests.formats.phase_space.made_particles import made
writer = create_iaea(Path(sys.argv[1]), Layout())
writer.write(made(100))
writer.save_header(1000)
writer.write(made(30))
os.kill(os.getpid(), 9)
"""


def test_a_killed_run_leaves_what_its_header_counts(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "a.IAEAphsp")], check=False, cwd=root)
    (left,) = tmp_path.glob(".*.IAEAheader")
    reader = open_iaea(left)
    assert (reader.info.particles, reader.info.original_histories) == (100, 1000)
    assert any("killed" in problem for problem in reader.info.problems)
    same(joined(list(reader.batches())), made(100))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_garbage_is_refused_or_read_within_bounds(tmp_path: Path, data: st.DataObject) -> None:
    header = written(tmp_path, made(20, latch=np.arange(20, dtype=np.int32)), Layout({"z_cm": 100}, {"latch": "i4"}))
    records = header.with_suffix(".IAEAphsp")
    for path in (header, records):
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(0, 4))):
            at = data.draw(st.integers(0, len(content) - 1))
            content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        reader = open_iaea(header, long_bits=data.draw(st.sampled_from([None, 32, 64])))
        found = list(reader.batches())
    except InputError:
        return
    assert sum(map(len, found)) == reader.info.particles
    for part in found:
        assert np.isfinite(part.energy_MeV).all() and (part.energy_MeV >= 0).all()
        assert (part.u.astype(float) ** 2 + part.v.astype(float) ** 2 <= 1.001).all()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=300), content=st.binary(max_size=200))
def test_arbitrary_headers_and_records(tmp_path: Path, text: str, content: bytes) -> None:
    (tmp_path / "a.IAEAheader").write_text("$RECORD_CONTENTS:\n" + text, encoding="utf-8", newline="")
    (tmp_path / "a.IAEAphsp").write_bytes(content)
    with pytest.raises(InputError):
        open_iaea(tmp_path / "a.IAEAheader")
