"""IAEA phase spaces written anew from their records."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.phase_space.made_particles import joined, made, read_by_description, same

from dosewright.core.errors import InputError
from dosewright.core.particles import Layout, Particles
from dosewright.formats.phase_space.iaea import create_iaea, open_iaea
from dosewright.formats.phase_space.repair import repaired

LATCH = Layout({"z_cm": 100}, {"latch": "i4"}, header={"TITLE": "kept", "SITE": "kept too"})


def written(folder: Path, layout: Layout = LATCH, particles: Particles | None = None) -> Path:
    with create_iaea(folder / "a.IAEAphsp", layout) as writer:
        writer.write(ours() if particles is None else particles)
        writer.finish(1000)
    return folder / "a.IAEAheader"


def ours() -> Particles:
    return made(200, latch=np.arange(200, dtype=np.int32) % 7)


def changed(header: Path, old: str, new: str) -> None:
    text = header.read_text()
    assert old in text
    header.write_text(text.replace(old, new))


def read(path: Path) -> Particles:
    return joined(list(open_iaea(path).batches()))


BYTES = 200 * 29
DAMAGE = {
    "checksum": (lambda h, p: changed(h, f"$CHECKSUM:\n{BYTES}", "$CHECKSUM:\n77"), "CHECKSUM", 200, 1000),
    "counts": (lambda h, p: changed(h, "$PARTICLES:\n200", "$PARTICLES:\n100"), "PARTICLES was 100", 200, 1000),
    "negative": (lambda h, p: changed(h, "$PARTICLES:\n200", "$PARTICLES:\n-5"), "negative", 200, 1000),
    "species": (lambda h, p: changed(h, "$PHOTONS:\n", "$PHOTONS:\n1"), "add up", 200, 1000),
    "byte order": (lambda h, p: changed(h, "1234", "4321"), "BYTE_ORDER was wrong", 200, 1000),
    "length": (lambda h, p: changed(h, "$RECORD_LENGTH:\n29", "$RECORD_LENGTH:\n25"), "RECORD_LENGTH", 200, 1000),
    "cut": (lambda h, p: p.write_bytes(p.read_bytes()[: 150 * 29 + 3]), "last 3 bytes", 150, 750),
    "longer": (lambda h, p: p.write_bytes(p.read_bytes() * 2), "200 records more", 200, 1000),
    "run over": (
        lambda h, p: changed(h, "$ORIG_HISTORIES:\n1000", f"$ORIG_HISTORIES:\n{2**64 - 1}"), "unknown", 200, None),
    "too few": (lambda h, p: changed(h, "$ORIG_HISTORIES:\n1000", "$ORIG_HISTORIES:\n3"), "was 3", 200, None),
    "contents gone": (lambda h, p: changed(h, "// Z is stored", ""), "", 200, 1000),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_wrong_is_said_and_mended(tmp_path: Path, damage: str) -> None:
    header = written(tmp_path)
    do, says, number, histories = DAMAGE[damage]
    do(header, header.with_suffix(".IAEAphsp"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    wrong = repaired(header, tmp_path / "b.IAEAphsp")
    assert says in " ".join(wrong)
    info = open_iaea(tmp_path / "b.IAEAheader").info
    assert (info.particles, info.original_histories) == (number, histories)
    assert (info.header["TITLE"], info.header["SITE"], info.extra) == ("kept", "kept too", {"latch": "i4"})
    same(read(tmp_path / "b"), ours()[:number])
    assert sum((info.counts or {}).values()) == number
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    read_by_description(tmp_path / "b.IAEAheader")


def test_nothing_wrong_says_nothing(tmp_path: Path) -> None:
    assert repaired(written(tmp_path), tmp_path / "b") == ()
    assert (tmp_path / "b.IAEAphsp").read_bytes() == (tmp_path / "a.IAEAphsp").read_bytes()
    assert open_iaea(tmp_path / "b").info.problems == ()


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    ("constants", "extra"),
    [
        ({"z_cm": 100}, {}), ({}, {}), ({"z_cm": 100, "weight": 1}, {}), ({"z_cm": 100}, {"latch": "i4"}),
        ({}, {"zlast_cm": "f4", "latch": "i4"}), ({"z_cm": 100}, {"latch": "i8"}), ({"z_cm": 100}, {"zlast_cm": "f4"}),
    ],
)  # fmt: skip
def test_the_layout_is_guessed_without_a_header(
    tmp_path: Path, constants: dict[str, float], extra: dict[str, str], big: bool
) -> None:
    rng = np.random.default_rng(4)
    columns = {"zlast_cm": rng.normal(20, 30, 300).astype(np.float32), "latch": rng.integers(0, 1 << 20, 300)}
    particles = made(300, **{name: columns[name].astype(kind) for name, kind in extra.items()})
    if "weight" in constants:
        particles = replace(particles, weight=np.ones(300, np.float32))
    header = written(tmp_path, Layout(constants, extra, big_endian=big), particles)
    header.unlink()
    wrong = repaired(tmp_path / "a.IAEAphsp", tmp_path / "b", z_cm=100 if "z_cm" in constants else None)
    assert wrong[0] == "There is no header."
    found = read(tmp_path / "b")
    np.testing.assert_array_equal(found.energy_MeV, particles.energy_MeV)
    np.testing.assert_array_equal(found.weight, particles.weight)
    np.testing.assert_array_equal(found.w, particles.w)
    np.testing.assert_array_equal(found.z_cm, particles.z_cm)
    np.testing.assert_array_equal(found.histories, particles.histories)
    for mine, theirs in zip(found.extra.values(), particles.extra.values(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_what_nobody_knows_is_told_wherever_the_file_is_read(tmp_path: Path) -> None:
    written(tmp_path).unlink()
    repaired(tmp_path / "a", tmp_path / "b")
    info = open_iaea(tmp_path / "b").info
    assert info.original_histories is None
    assert any("z_cm" in problem and "not known" in problem for problem in info.problems)
    with create_iaea(tmp_path / "c", Layout(info.constants, header=info.header)) as writer:
        assert any("z_cm" in problem for problem in writer.finish(0).problems)
    repaired(tmp_path / "a", tmp_path / "d", z_cm=100, original_histories=1000)
    found = open_iaea(tmp_path / "d").info
    assert (found.original_histories, found.constants, found.problems) == (1000, {"z_cm": 100}, ())
    # Repaired again, it does not forget; told the plane later, it does.
    repaired(tmp_path / "b", tmp_path / "e", original_histories=1000)
    assert [problem.split()[0] for problem in open_iaea(tmp_path / "e").info.problems] == ["z_cm"]
    repaired(tmp_path / "e", tmp_path / "f", z_cm=100)
    assert open_iaea(tmp_path / "f").info.problems == ()


def test_a_plane_is_not_given_to_records_that_hold_z(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hold z themselves"):
        repaired(written(tmp_path, Layout(), made(20)), tmp_path / "b", z_cm=1)


def test_real_files_without_their_header(shared_data: Path, tmp_path: Path) -> None:
    for name in ("phsp-egsnrc/iaea", "phsp-gamos/linac_6MV_biasing/testDBS", "phsp-gamos/linac_6MV_10k/test_-899",
                 "phsp-small-misc/some_file"):  # fmt: skip
        source = shared_data / f"{name}.IAEAphsp"
        (tmp_path / "a.IAEAphsp").write_bytes(source.read_bytes())
        repaired(tmp_path / "a", tmp_path / "b")
        assert (tmp_path / "b.IAEAphsp").read_bytes() == source.read_bytes()
        assert open_iaea(tmp_path / "b").info.counts == open_iaea(source).info.counts


def test_damaged_records_are_left_out_and_their_histories_are_not(tmp_path: Path) -> None:
    particles = replace(ours(), histories=np.ones(200, np.int64))
    particles.histories[[52, 53]] = 0
    records = written(tmp_path, LATCH, particles).with_suffix(".IAEAphsp")
    data = bytearray(records.read_bytes())
    data[51 * 29 + 5 : 51 * 29 + 9] = np.float32(np.nan).tobytes()  # x of the record that begins the history of 52, 53
    records.write_bytes(data)
    wrong = repaired(records, tmp_path / "b")
    assert any("1 damaged" in sentence for sentence in wrong)
    found = read(tmp_path / "b")
    assert (len(found), found.histories.sum()) == (199, 198)
    assert found.histories[50:53].tolist() == [1, 1, 0]


def test_files_damaged_all_over_are_refused(tmp_path: Path) -> None:
    header = written(tmp_path)
    header.with_suffix(".IAEAphsp").write_bytes(np.random.default_rng(1).bytes(BYTES))
    with pytest.raises(InputError, match="No layout"):
        repaired(header, tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.IAEAheader", "a.IAEAphsp"]


def test_the_original_is_replaced_only_if_asked(tmp_path: Path) -> None:
    header = written(tmp_path)
    changed(header, "1234", "4321")
    with pytest.raises(InputError, match="replace the original"):
        repaired(header, tmp_path / "a.IAEAphsp")
    repaired(header, header, overwrite=True)
    same(read(header), ours())


def test_files_of_topas_are_not_taken_for_those_of_the_iaea(shared_data: Path, tmp_path: Path) -> None:
    for name in ("iso_limited", "iso_binary"):
        for suffix in (".header", ".phsp"):
            source = shared_data / "phsp-small-misc" / "topas" / f"{name}{suffix}"
            with pytest.raises(InputError, match="TOPAS are not repaired"):
                repaired(source, tmp_path / "b")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_garbage_is_refused_or_mended(tmp_path: Path, data: st.DataObject) -> None:
    header = written(tmp_path)
    for path in (header, header.with_suffix(".IAEAphsp")):
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(content) - 1))
            content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        repaired(header, tmp_path / "b")
    except InputError:
        return
    reader = open_iaea(tmp_path / "b")
    assert sum(map(len, reader.batches())) == reader.info.particles
