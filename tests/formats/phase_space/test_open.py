"""What a file is, is told by what is in it; what to write, by its suffix or a word."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.formats.phase_space.made_particles import made
from tests.formats.phase_space.test_convert import SUFFIX

from dosewright.core.errors import InputError
from dosewright.core.particles import Layout
from dosewright.formats.phase_space.open import FORMATS, create_phase_space, format_of, open_phase_space

OTHER = {".IAEAheader": ".IAEAphsp", ".phsp": ".header"}


def written(path: Path, form: str) -> Path:
    with create_phase_space(path, Layout(extra={"zlast_cm": "f4"}), format=form) as writer:
        writer.write(made(12, zlast_cm=np.zeros(12, np.float32)))
        writer.finish(100)
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_either_file_in_any_case(tmp_path: Path, form: str) -> None:
    path = written(tmp_path / f"a{SUFFIX[form]}", form)
    files = [path, *([path.with_suffix(OTHER[path.suffix])] if path.suffix in OTHER else [])]
    for change in (str, str.upper, str.lower):
        renamed = [file.rename(file.with_suffix(change(file.suffix))) for file in files]
        for file in renamed:
            assert open_phase_space(file).info.format == form
        files = renamed


@pytest.mark.parametrize("form", ["egs_mode0", "egs_mode2", "gamos_text", "native"])
def test_the_suffix_of_a_single_file_does_not_matter(tmp_path: Path, form: str) -> None:
    path = written(tmp_path / f"a{SUFFIX[form]}", form)
    for suffix in (".dat", "", ".h5", ".txt", ".header"):
        assert open_phase_space(Path(shutil.copy(path, tmp_path / f"b{suffix}"))).info.format == form


def test_real_files(shared_data: Path) -> None:
    found = {}
    for folder in ("phsp-egsnrc", "phsp-gamos", "phsp-small-misc"):
        for path in sorted((shared_data / folder).rglob("*")):
            if path.suffix in (".IAEAheader", ".IAEAphsp", ".phsp", ".header") or path.suffix.startswith(".egsphsp"):
                reader = open_phase_space(path)
                assert sum(map(len, reader.batches())) == reader.info.particles
                found.setdefault(reader.info.format, []).append(path.name)
    numbers = {"egs_mode0": 3, "egs_mode2": 2, "iaea": 22, "topas_ascii": 4, "topas_binary": 4, "topas_limited": 2}
    assert {form: len(paths) for form, paths in found.items()} == numbers


def test_a_missing_partner_is_named(tmp_path: Path) -> None:
    for form, kept, missing in (
        ("topas_binary", ".phsp", "a.header"),
        ("topas_binary", ".header", "a.phsp"),
        ("iaea", ".IAEAphsp", "a.IAEAheader"),
        ("iaea", ".IAEAheader", "a.IAEAphsp"),
    ):
        for path in tmp_path.iterdir():
            path.unlink()
        written(tmp_path / f"a{SUFFIX[form]}", form)
        for path in tmp_path.iterdir():
            if path.suffix != kept:
                path.unlink()
        with pytest.raises(InputError, match=missing):
            open_phase_space(tmp_path / f"a{kept}")


def test_pairs_of_the_same_name_are_not_mixed(tmp_path: Path) -> None:
    for form in ("iaea", "topas_limited"):
        written(tmp_path / f"a{SUFFIX[form]}", form)
    for suffix, form in ((".IAEAphsp", "iaea"), (".phsp", "topas_limited"), (".header", "topas_limited")):
        assert open_phase_space(tmp_path / f"a{suffix}").info.format == form
    (tmp_path / "a.IAEAheader").rename(tmp_path / "a.header")
    with pytest.raises(InputError, match=r"a\.IAEAheader"):
        open_phase_space(tmp_path / "a.phsp")


def test_an_iaea_header_without_its_words_is_none_of_topas(tmp_path: Path) -> None:
    path = written(tmp_path / "a.IAEAheader", "iaea")
    kept = [block for block in path.read_text().split("$") if not block.startswith(("IAEA_INDEX", "CHECKSUM", "BYTE_"))]
    path.write_text("$".join(kept))
    for name in ("a.IAEAheader", "a.IAEAphsp"):
        assert open_phase_space(tmp_path / name).info.format == "iaea"


def test_what_is_no_phase_space_is_refused(tmp_path: Path) -> None:
    for name, content in (("a.txt", b"hello\n"), ("b", b""), ("c.h5", b"\x89HDF\r\n\x1a\n"), ("d.egsphsp", b"MODE0"),
                          ("e", b"\0" * 1000), ("f.phsp", b"1 2 3\n")):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError):
            open_phase_space(tmp_path / name)
    for path in (tmp_path, tmp_path / "none.egsphsp1"):
        with pytest.raises(InputError, match="no such file"):
            open_phase_space(path)


def test_what_a_suffix_stands_for(tmp_path: Path) -> None:
    said = {"a.IAEAheader": "iaea", "a.iaeaPHSP": "iaea", "a.egsphsp1": "egs", "a.EGSPHSP12": "egs", "a.egsphsp": "egs",
            "a.phsp": "topas_binary", "a.header": "topas_binary", "a.txt": "gamos_text", "a.H5": "native"}  # fmt: skip
    assert {name: format_of(Path(name)) for name in said} == said
    with pytest.raises(InputError, match=r"Did you mean '.IAEAheader'"):
        create_phase_space(tmp_path / "a.IAEAheadr", Layout())
    with pytest.raises(InputError, match="Did you mean 'native'"):
        create_phase_space(tmp_path / "a.h5", Layout(), format="natve")
    for name, form in (("a.egsphsp1", "egs_mode2"), ("b.phsp", "topas_binary")):
        with create_phase_space(tmp_path / name, Layout(extra={"zlast_cm": "f4"})) as writer:
            writer.write(made(3, zlast_cm=np.zeros(3, np.float32)))
            assert writer.finish(5).format == form


STARTS = (b"", b"MODE0", b"$TITLE:\n", b"TOPAS ASCII Phase Space\n", b"\x89HDF\r\n\x1a\n", b"22 1 0 0 0 0 0 1 1\n")


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=200), start=st.sampled_from(STARTS))
def test_any_bytes_are_opened_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "a"
    path.write_bytes(start + content)
    try:
        reader = open_phase_space(path)
        assert sum(map(len, reader.batches())) == reader.info.particles
    except InputError:
        pass
