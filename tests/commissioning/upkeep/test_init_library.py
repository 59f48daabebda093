"""A library made by init: it works, only its owner may write it, and nothing is overwritten."""

import stat
from pathlib import Path

import pytest

from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.upkeep.check import check_library
from dosewright.commissioning.upkeep.init_library import init_library
from dosewright.commissioning.upkeep.machine_check import check_machine, memory_bytes
from dosewright.core.errors import InputError


def test_the_library_works(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "site"
    files = init_library(folder, name='The "Clinic"', account="jane doe")
    assert all((folder / file).is_file() for file in files)
    library = Library.open(folder)
    assert library.content.name == 'The "Clinic"'
    assert library.settings_file == folder / "settings.toml"
    (user,) = library.settings.user
    assert (user.acronym, user.name, user.role, user.system_user) == ("JAN", "jane_doe", "commissioning", "jane doe")
    assert library.settings.model_copy(update={"user": []}) == type(library.settings)()
    assert library.beam_model_for("GENERIC", "PROTON").name == "generic"
    assert library.ct_protocol_names() == ("artificial", "generic")
    assert library.ct_protocol_for({"SeriesDescription": "QA"}).name == "artificial"
    assert library.phantom("water_box").material.name == "G4_WATER"
    with pytest.raises(InputError, match="No CT protocol claims"):
        library.ct_protocol_for({"SeriesDescription": "Thorax"})
    assert check_library(folder).problems == []


def test_only_the_owner_may_write(tmp_path: Path) -> None:
    init_library(tmp_path / "site")
    for path in [tmp_path / "site", *(tmp_path / "site").rglob("*")]:
        mode = path.stat().st_mode
        assert not mode & (stat.S_IWGRP | stat.S_IWOTH), path
        assert mode & stat.S_IROTH


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    init_library(tmp_path / "empty")
    before = {path: path.read_bytes() for path in (tmp_path / "empty").rglob("*") if path.is_file()}
    for place in (tmp_path / "empty", tmp_path / "file"):
        (tmp_path / "file").write_text("x")
        with pytest.raises(InputError, match="new or empty folder; nothing was changed"):
            init_library(place)
    assert before == {path: path.read_bytes() for path in (tmp_path / "empty").rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="The library cannot be made"):
        init_library(tmp_path / "file" / "below")


def test_the_machine_is_looked_at(tmp_path: Path) -> None:
    findings = check_machine(tmp_path / "not" / "yet", {"Elsewhere": Path("/proc/nowhere")})
    by_name = {one.what: one for one in findings}
    names = ["Versions", "Cores", "Memory", "Disk space", "Disk speed", "Folder", "Temporary folder", "Elsewhere"]
    assert list(by_name) == [*names, "Compiled code"]
    assert "Python 3." in by_name["Versions"].found
    assert by_name["Disk speed"].found.endswith("MB/s written")
    assert by_name["Folder"].line == f"ok     Folder: {tmp_path / 'not' / 'yet'} can be written to"
    assert by_name["Elsewhere"].wrong
    total, free = memory_bytes()
    assert total is not None
    assert total > 1e8
    assert free is None or 0 < free <= total
    assert list(tmp_path.iterdir()) == []  # nothing is left behind
