"""TOPAS phase spaces: real files, an independent reader, empty histories, other particles, damage."""

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
from dosewright.core.particles import COLUMNS, ELECTRON, PROTON, Layout, Particles
from dosewright.formats.phase_space.topas import open_topas
from dosewright.formats.phase_space.topas_records import MOST_EMPTY
from dosewright.formats.phase_space.topas_write import TOPAS_FORMATS, create_topas

PDG = {22: 1, 11: 2, -11: 3, 2112: 4, 2212: 5}
EXTRA = {"Event ID": "i4", "latch": "i4", "TOPAS Time [s]": "f4", "counter": "i8"}
KINDS = {"ascii": ("topas_ascii", 0), "ascii_add": ("topas_ascii", 18), "binary": ("topas_binary", 0),
         "binary_add": ("topas_binary", 18), "limited": ("topas_limited", 0)}  # fmt: skip


def beam(n: int, seed: int = 1) -> Particles:
    rng = np.random.default_rng(seed)
    extra = {"Event ID": np.arange(n, dtype=np.int32), "latch": rng.integers(-(2**31), 2**31, n).astype(np.int32),
             "TOPAS Time [s]": rng.random(n).astype(np.float32), "counter": rng.integers(0, 2**50, n)}  # fmt: skip
    particles = made(n, seed, **extra)
    return replace(particles, z_cm=rng.normal(0, 9, n).astype(np.float32))


def written(path: Path, particles: Particles, form: str, original: float = 1000, extra: dict[str, str] = EXTRA) -> Path:
    with create_topas(path, Layout(extra=extra), form=form) as writer:
        for start in range(0, len(particles), 61):
            writer.write(particles[start : start + 61])
        writer.finish(original)
    return path


def by_description(path: Path, form: str) -> tuple[dict[str, int], list[dict[str, float]]]:
    """Read by the description of the formats alone: the ten first columns of each record, empty histories too."""
    lines = path.with_suffix(".header").read_text().splitlines()
    data = path.with_suffix(".phsp").read_bytes()
    if form == "topas_limited":
        words = {word: int(lines[lines.index(word) + 1]) for word in ("$ORIG_HISTORIES:", "$PARTICLES:")}
        assert int(lines[lines.index("$RECORD_LENGTH:") + 1]) == 29
        records = []
        for kind, energy, *rest in struct.iter_unpack("<b7f", data):
            names = dict(zip(("x_cm", "y_cm", "z_cm", "u", "v", "weight"), rest, strict=True))
            records.append(names | {"energy_MeV": abs(energy), "first": energy < 0, "down": kind < 0,
                                    "species": abs(kind)})  # fmt: skip
        return {"original": words["$ORIG_HISTORIES:"], "particles": words["$PARTICLES:"]}, records
    assert lines[1] == ""
    said = [int(line.split(":")[1]) for line in lines[2:5]]
    names = ("x_cm", "y_cm", "z_cm", "u", "v", "energy_MeV", "weight", "pdg", "down", "first")
    if form == "topas_binary":
        assert lines[0] == "TOPAS Binary Phase Space"
        length = int(lines[5].split(":")[1])
        starts = range(0, len(data), length)
        rows = [struct.unpack_from("<7fi2?", data, start) for start in starts]
    else:
        assert lines[0] == "TOPAS ASCII Phase Space"
        rows = [[float(word) for word in line.split()[:10]] for line in data.decode().splitlines()]
    records = [dict(zip(names, row, strict=True)) for row in rows]
    for record in records:
        record["species"] = PDG.get(int(record["pdg"]), 0)
    return dict(zip(("original", "reached", "particles"), said, strict=True)), records


@pytest.mark.parametrize("name", KINDS)
def test_real_files(shared_data: Path, tmp_path: Path, name: str) -> None:
    form, extra = KINDS[name]
    folder = shared_data / "phsp-small-misc" / "topas"
    reader = open_topas(folder / f"iso_{name}.phsp")
    whole = joined(list(reader.batches(size=40)))
    assert (reader.info.format, reader.info.particles, reader.info.original_histories) == (form, 106, 100)
    assert len(reader.info.extra) == extra
    assert ((whole.species == ELECTRON).sum(), (whole.species == PROTON).sum()) == (7, 99)
    assert (whole.histories.sum(), (whole.w < 0).sum()) == (99, 105)
    # The first record, as printed in the ASCII file.
    first = [getattr(whole, key)[0] for key in ("x_cm", "y_cm", "u", "v", "energy_MeV", "weight")]
    np.testing.assert_allclose(first, [1.40387, 0.604486, 0.00291758, -0.00329421, 148.242, 1], rtol=5e-6)
    if extra:
        assert whole.extra["Seed Part 3"][0] == 41950578
        assert whole.extra["Time of Flight [ns]"][0] == pytest.approx(19.8061, rel=5e-6)
    copy = written(tmp_path / "copy.phsp", whole, form, 100, reader.info.extra)
    if form != "topas_ascii":
        assert copy.read_bytes() == (folder / f"iso_{name}.phsp").read_bytes()
    same(joined(list(open_topas(copy).batches())), whole)


@pytest.mark.parametrize("form", TOPAS_FORMATS)
def test_an_independent_reader_agrees(tmp_path: Path, form: str) -> None:
    particles = beam(300)
    header, records = by_description(written(tmp_path / "a.phsp", particles, form), form)
    assert (header["particles"], header["original"], len(records)) == (300, 1000, 300)
    assert header.get("reached", particles.histories.sum()) == particles.histories.sum()
    for name in ("species", "energy_MeV", "x_cm", "y_cm", "z_cm", "u", "v", "weight"):
        column = np.array([record[name] for record in records], getattr(particles, name).dtype)
        np.testing.assert_array_equal(column, getattr(particles, name), err_msg=name)
    np.testing.assert_array_equal([record["first"] for record in records], particles.histories > 0)
    np.testing.assert_array_equal([record["down"] for record in records], particles.w < 0)
    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.header", "a.phsp"]


@pytest.mark.parametrize("form", TOPAS_FORMATS)
def test_read_again_it_is_the_same(tmp_path: Path, form: str) -> None:
    particles = beam(3000)
    reader = open_topas(written(tmp_path / "a.header", particles, form))
    if form == "topas_limited":
        particles = replace(particles, extra={})
    assert reader.info.extra == {} if form == "topas_limited" else EXTRA
    same(joined(list(reader.batches(size=700))), particles)
    same(joined(list(reader.batches(1234, 800, 77))), particles[1234 : 1234 + 800])
    assert list(reader.batches(3000)) == []


@pytest.mark.parametrize("form", ["topas_binary", "topas_ascii"])
def test_empty_histories_become_records_and_histories_again(tmp_path: Path, form: str) -> None:
    particles = replace(beam(6), histories=np.array([3, 0, 1, 2, MOST_EMPTY + 8, 0]))
    reader = open_topas(written(tmp_path / "a.phsp", particles, form, MOST_EMPTY + 100))
    header, records = by_description(tmp_path / "a.phsp", form)
    assert header == {"original": MOST_EMPTY + 100, "reached": 4, "particles": 6}
    empty = [record for record in records if record["weight"] < 0]
    assert [record["weight"] for record in empty] == [-2, -1, -MOST_EMPTY, -7, -86]
    assert all(record["pdg"] == 0 and record["first"] for record in empty)
    assert (reader.info.particles, reader.info.problems) == (6, ())
    same(joined(list(reader.batches())), particles)
    for first in range(6):
        same(joined(list(reader.batches(first, 2, 1))), particles[first : first + 2])


def test_limited_forgets_empty_histories_but_not_their_number(tmp_path: Path) -> None:
    particles = replace(beam(3), histories=np.array([3, 0, 2]))
    reader = open_topas(written(tmp_path / "a.phsp", particles, "topas_limited", 50))
    assert next(reader.batches()).histories.tolist() == [1, 0, 1]
    assert reader.info.original_histories == 50


def test_seeking_among_empty_histories_over_many_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dosewright.formats.phase_space.topas.BATCH", 64)
    rng = np.random.default_rng(2)
    particles = replace(beam(1000), histories=np.where(rng.random(1000) < 0.3, rng.integers(1, 5, 1000), 0))
    for form in ("topas_binary", "topas_ascii"):
        reader = open_topas(written(tmp_path / f"{form}.phsp", particles, form, 10000))
        for first in (0, 1, 63, 64, 500, 999):
            same(joined(list(reader.batches(first, size=50))), particles[first:])


def raw(path: Path, *records: tuple[float, int, int, int], original: int = 10, particles: int | None = None,
        named: str = "") -> Path:  # fmt: skip
    """Write a binary phase space by hand: weight, code, w negative, first."""
    path.write_bytes(b"".join(struct.pack("<7fi2B", 1, 2, 3, 0.1, 0.2, 5, w, pdg, down, first)
                              for w, pdg, down, first in records))  # fmt: skip
    columns = ("f4: Position X [cm]", "f4: Position Y [cm]", "f4: Position Z [cm]", "f4: Direction Cosine X",
               "f4: Direction Cosine Y", "f4: Energy [MeV]", "f4: Weight", "i4: Particle Type (in PDG Format)",
               "b1: Flag to tell if Third Direction Cosine is Negative (1 means true)",
               "b1: Flag to tell if this is the First Scored Particle from this History (1 means true)")  # fmt: skip
    path.with_suffix(".header").write_text(
        f"TOPAS Binary Phase Space\n\nNumber of Original Histories: {original}\n"
        "Number of Original Histories that Reached Phase Space: 2\n"
        f"Number of Scored Particles: {len(records) if particles is None else particles}\n"
        "Number of Bytes per Particle: 34\n\nByte order of each record is as follows:\n"
        + "\n".join(columns) + f"\n\n{named}"
    )  # fmt: skip
    return path


def test_particles_of_other_kinds_are_left_out_and_told(tmp_path: Path) -> None:
    deuteron = 1000010020
    path = raw(tmp_path / "a.phsp", (1, deuteron, 0, 1), (1, 22, 0, 0), (1, 11, 1, 1), (1, deuteron, 0, 1),
               (1, 2212, 0, 1), named="Number of gamma: 1\nNumber of e-: 1\nNumber of proton: 1\n"
               "Number of deuteron: 2\n")  # fmt: skip
    reader = open_topas(path)
    whole = joined(list(reader.batches()))
    assert whole.species.tolist() == [1, 2, 5]
    # The photon becomes the first of the deuteron's history; the second deuteron's sent nothing else.
    assert whole.histories.tolist() == [1, 1, 2]
    assert reader.info.particles == 3
    assert any("2 records are left out" in told and "2 deuteron" in told for told in reader.info.problems)


def test_empty_histories_at_the_end(tmp_path: Path) -> None:
    reader = open_topas(raw(tmp_path / "a.phsp", (1, 22, 0, 1), (1, 22, 0, 0), (-9, 0, 0, 1), particles=2))
    assert (reader.info.particles, reader.info.original_histories, reader.info.problems) == (2, 10, ())
    assert joined(list(reader.batches())).histories.tolist() == [1, 0]


def test_histories_that_do_not_add_up_are_told(tmp_path: Path) -> None:
    reader = open_topas(raw(tmp_path / "a.phsp", (1, 22, 0, 1), (-5, 0, 0, 1), particles=1))
    assert any("tell of 6 histories" in told for told in reader.info.problems)


def test_a_first_record_without_history_is_told(tmp_path: Path) -> None:
    assert open_topas(raw(tmp_path / "a.phsp", (1, 22, 0, 0))).info.problems == (
        "The first record does not begin a history.",)  # fmt: skip


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([(1, 22, 0, 1), (1, 13, 0, 1)], "none of a particle known here"),
        ([(1, 22, 2, 1)], "flag"),
        ([(math.nan, 22, 0, 1)], "finite"),
        ([(1, 22 << 24, 0, 1)], "none of a particle"),
        ([(-2, 22, 0, 1), (-2.5, 0, 0, 1)], "empty histories cannot be one"),
        ([(-2, 0, 0, 0), (1, 22, 0, 1)], "empty histories cannot be one"),
        ([(-2, 0, 0, 1), (1, 22, 0, 0)], "does not begin one"),
    ],
)
def test_damaged_records_are_refused(tmp_path: Path, records: list[tuple[float, int, int, int]], words: str) -> None:
    particles = sum(not (weight < 0 and code == 0) for weight, code, _, _ in records)
    with pytest.raises(InputError, match=words):
        list(open_topas(raw(tmp_path / "a.phsp", *records, particles=particles)).batches())


@pytest.mark.parametrize(
    ("given", "instead", "words"),
    [
        ("Number of Scored Particles: 2", "Number of Scored Particles: 3", "shorter than its header"),
        ("Number of Scored Particles: 2", "Number of Scored Particles: 1", "do not agree"),
        ("Number of Scored Particles: 2", "Number of Scored Particles: 2.5", "no whole number"),
        ("Number of Scored Particles: 2\n", "", "lacks numbers"),
        ("Bytes per Particle: 34", "Bytes per Particle: 33", "length of a record"),
        ("Bytes per Particle: 34", "Bytes per Particle: 0", "length of a record"),
        ("TOPAS Binary", "TOPAS  Binary", "no header of a TOPAS"),
        ("Position X [cm]", "Position X [mm]", "another unit"),
        ("Energy [MeV]", "Energy [keV]", "another unit"),
        ("f4: Weight\n", "", "missing: Weight"),
        ("f4: Weight\n", "f4: Weight\nf4: Weight\n", "each once"),
        ("f4: Weight\n", "f4: Weight\nq7: Odd\n", "unknown type"),
        ("Byte order of", "Byte  order of", "lists no columns"),
    ],
)
def test_headers_that_cannot_be_true_are_refused(tmp_path: Path, given: str, instead: str, words: str) -> None:
    path = raw(tmp_path / "a.phsp", (1, 22, 0, 1), (1, 22, 0, 1))
    header = path.with_suffix(".header")
    header.write_text(header.read_text().replace(given, instead))
    with pytest.raises(InputError, match=words):
        open_topas(path)


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    for form in TOPAS_FORMATS:
        path = written(tmp_path / f"{form}.phsp", beam(6), form)
        for file in (path, path.with_suffix(".header")):
            data = file.read_bytes()
            end = len(data) - 1 if file == path else data.index(b"Weight")
            for length in range(0, end, 11):
                file.write_bytes(data[:length])
                with pytest.raises(InputError):
                    list(open_topas(path).batches())
            file.write_bytes(data)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1 2 3 .1 .2 5 1 22 0", "cannot be read|as many columns"),
        ("1 2 3 .1 .2 5 1 22 0 1 7", "cannot be read|as many columns"),
        ("1 2 3 .1 .2 5 1 22.5 0 1", "whole numbers"),
        ("1 2 3 .1 .2 5 1 nan 0 1", "whole numbers"),
        ("1 2 3 .1 .2 nan 1 22 0 1", "finite"),
        ("1 2 3 .1 .2 1e99 1 22 0 1", "finite"),
        ("1 2 3 .1 .2 five 1 22 0 1", "cannot be read"),
        ("", "blank"),
        ("1 2 3 .9 .9 5 1 22 0 1", "above 1"),
    ],
)
def test_damaged_lines_are_refused(tmp_path: Path, line: str, words: str) -> None:
    path = written(tmp_path / "a.phsp", beam(4), "topas_ascii", extra={})
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], line, *lines[3:], ""]))
    with pytest.raises(InputError, match=words):
        list(open_topas(path).batches())


def test_text_columns_and_double_precision_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.phsp", beam(4), "topas_ascii", extra={})
    header = path.with_suffix(".header")
    last = "from this History (1 means true)\n"
    header.write_text(header.read_text().replace(last, last + "11: Creator Process Name\n12: Edep [MeV]\n"))
    path.write_text("".join(f"{line} compt 0.5\n" for line in path.read_text().splitlines()))
    reader = open_topas(path)
    assert "The column Creator Process Name holds text and is left out." in reader.info.problems
    assert joined(list(reader.batches())).extra["Edep [MeV]"].tolist() == [0.5] * 4


def test_limited_files_without_z_and_weight(tmp_path: Path) -> None:
    header = written(tmp_path / "a.phsp", beam(3), "topas_limited").with_suffix(".header")
    text = header.read_text().replace("1     // Z is", "0     // Z is").replace("1     // Weight", "0     // Weight")
    header.write_text(text.replace("\n29\n", "\n23\n"))
    # 21 bytes of a record, and two at its end that are passed over.
    (tmp_path / "a.phsp").write_bytes(b"".join(struct.pack("<b5f2x", -2, -6, 1, 2, 0.1, 0.2) for _ in range(3)))
    reader = open_topas(header)
    particles = next(reader.batches())
    assert reader.info.constants == {"z_cm": 0.0, "weight": 1.0}
    assert len(reader.info.problems) == 2
    for name, value in {"species": 2, "energy_MeV": 6, "x_cm": 1, "y_cm": 2, "z_cm": 0, "weight": 1}.items():
        assert getattr(particles, name).tolist() == [value] * 3
    assert (particles.w < 0).all()
    assert (particles.histories == 1).all()


def test_unknown_codes_of_a_limited_file_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.phsp", beam(3), "topas_limited")
    content = bytearray(path.read_bytes())
    header = path.with_suffix(".header")
    for code in (0, 6, 32, 0x80):
        content[29] = code
        path.write_bytes(content)
        with pytest.raises(InputError, match="unknown particle"):
            list(open_topas(path).batches())
    header.write_text(header.read_text().replace("\n3\n", "\n2\n"))
    with pytest.raises(InputError, match="unknown particle"):
        open_topas(path)


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="negative weights"), create_topas(tmp_path / "a.phsp", Layout()) as writer:
        writer.write(replace(beam(2), weight=np.array([1, -1], np.float32)))
    with pytest.raises(InputError, match="Unknown format"):
        create_topas(tmp_path / "a.phsp", Layout(), form="topas")
    with pytest.raises(InputError, match="little-endian"):
        create_topas(tmp_path / "a.phsp", Layout(big_endian=True))
    with pytest.raises(InputError, match="announced"), create_topas(tmp_path / "a.phsp", Layout(extra=EXTRA)) as writer:
        writer.write(made(2))
    wrong = ({"Weight": "f4"}, {"a\nb": "f4"}, {"": "f4"}, {"Position X [mm]": "f4"}, {" a": "i4"})
    for form in ("topas_binary", "topas_ascii"):
        for extra in wrong:
            with pytest.raises(InputError, match=r"Names of extra columns|needs a name"):
                create_topas(tmp_path / "a.phsp", Layout(extra=extra), form=form)
    with pytest.raises(InputError, match="Names of extra columns"):
        create_topas(tmp_path / "a.phsp", Layout(extra={"Run ID": "f4"}), form="topas_ascii")
    narrow = Layout(extra={"counter": "i4"})
    with pytest.raises(InputError, match="does not fit"), create_topas(tmp_path / "a.phsp", narrow) as writer:
        writer.write(made(2, counter=np.array([0, 2**31])))
    assert list(tmp_path.iterdir()) == []


def test_more_arrived_than_began_is_told(tmp_path: Path) -> None:
    told = open_topas(raw(tmp_path / "a.phsp", (1, 22, 0, 1), original=1)).info.problems
    assert told == ("The header says that 2 of 1 histories arrived.",)


def test_a_killed_run_can_be_recovered(tmp_path: Path) -> None:
    with create_topas(tmp_path / "a.phsp", Layout()) as writer:
        writer.write(beam(10))
        writer.save_header(20)
        hidden = [path for path in tmp_path.iterdir() if path.suffix == ".header"]
        assert open_topas(hidden[0]).info.particles == 10
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of few bytes in a folder, by format."""
    folder = tmp_path_factory.mktemp("fuzz")
    for form in TOPAS_FORMATS:
        written(folder / f"{form}.phsp", replace(beam(4), histories=np.array([1, 0, 3, 1])), form)
    return folder


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_bytes_give_particles_or_a_refusal(sound: Path, data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(TOPAS_FORMATS))
    path = sound / "a.phsp"
    for file in (path, path.with_suffix(".header")):
        content = bytearray((sound / form).with_suffix(file.suffix).read_bytes())
        places = st.integers(0, len(content) - 1)
        for at, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
            content[at] = value
        file.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)) | st.just(len(content)))]))
    try:
        reader = open_topas(path)
        found = list(reader.batches())
    except InputError:
        return
    assert sum(map(len, found)) == reader.info.particles
    for part in found:
        for name in COLUMNS:
            assert np.isfinite(getattr(part, name)).all()
        assert (part.energy_MeV >= 0).all()


def test_more_records_than_32_bits_count(tmp_path: Path) -> None:
    number = 2**32 + 3
    path = raw(tmp_path / "a.phsp", (1, 22, 0, 1), particles=number, original=2**40)
    record = path.read_bytes()
    try:
        with path.open("r+b") as file:
            file.truncate(34 * number)  # a hole, no bytes on disk
            file.seek(-34, 2)
            file.write(record)
    except OSError:
        pytest.skip("the disk takes no files with holes of this size")
    reader = open_topas(path)
    assert (reader.info.particles, reader.info.original_histories) == (number, 2**40)
    assert [len(part) for part in reader.batches(number - 1)] == [1]
    with pytest.raises(InputError, match=f"record {number - 2}"):
        list(reader.batches(number - 2))
