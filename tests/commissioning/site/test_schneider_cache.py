"""Interpolated tables on disk: found again, made anew when damaged, safe when several make one."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from dosewright.commissioning.site import schneider_cache
from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.commissioning.site.schneider_cache import interpolated, key_of
from dosewright.core.matter import HounsfieldTable

TOLERANCE = 0.01
PROCESS = """
import sys, time
from pathlib import Path
from dosewright.commissioning.site.catalog import Library
from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.commissioning.site.schneider_cache import interpolated
table = Library.open(PACKAGED).ct_protocol("generic")
place, start = Path(sys.argv[1]), float(sys.argv[2])
while time.time() < start:
    pass
for _ in range(40):
    made = interpolated(table, 0.01, [place])
    for file in place.glob("*.txt"):
        if _ % 2:
            file.unlink(missing_ok=True)
print(len(made.density_hu), float(made.density_g_cm3.sum()))
"""


@pytest.fixture(scope="module")
def table() -> HounsfieldTable:
    return Library.open(PACKAGED).ct_protocol("generic")


def same(one: HounsfieldTable, other: HounsfieldTable) -> bool:
    return bool(
        np.array_equal(one.density_hu, other.density_hu) and np.array_equal(one.density_g_cm3, other.density_g_cm3)
    )


def test_a_table_is_made_once(table: HounsfieldTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = interpolated(table, TOLERANCE, [tmp_path / "cache"])
    (file,) = (tmp_path / "cache").iterdir()
    assert file.stem == key_of(table, TOLERANCE)[:32]
    monkeypatch.setattr(schneider_cache, "split", None)  # would fail if it were called
    assert same(interpolated(table, TOLERANCE, [tmp_path / "cache"]), made)


def test_the_key_depends_on_curve_compositions_and_tolerance(table: HounsfieldTable) -> None:
    keys = {key_of(table, TOLERANCE), key_of(table, 0.02)}
    density = table.density_g_cm3.copy()
    density[3] += 1e-9
    first, second, *rest = table.materials
    for changed in ({"density_g_cm3": density}, {"materials": (second, first, *rest)}, {"upper_hu": 3000.0}):
        keys.add(key_of(HounsfieldTable(**{**vars(table), **changed}), TOLERANCE))
    assert len(keys) == 5


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "binary", "another"])
def test_a_damaged_file_is_made_anew(table: HounsfieldTable, tmp_path: Path, damage: str) -> None:
    made = interpolated(table, TOLERANCE, [tmp_path])
    (file,) = tmp_path.iterdir()
    text = file.read_text()
    if damage == "another":
        interpolated(table, 0.05, [tmp_path])
        other = next(one for one in tmp_path.iterdir() if one != file)
        file.write_text(other.read_text())
    else:
        broken = {"cut": text[: len(text) // 2], "changed": text.replace("0.9", "0.8", 1), "empty": ""}
        file.write_bytes(b"\0\xff\xfe" if damage == "binary" else broken[damage].encode())
    assert same(interpolated(table, TOLERANCE, [tmp_path]), made)
    assert file.read_text() == text


def test_a_changed_file_with_a_hash_of_its_own_does_no_harm(table: HounsfieldTable, tmp_path: Path) -> None:
    made = interpolated(table, TOLERANCE, [tmp_path])
    (file,) = tmp_path.iterdir()
    body, mark, _ = file.read_text().rpartition("# sha256 ")
    first, second, *rest = [line for line in body.splitlines() if not line.startswith("#")]
    for rows in ([first.replace(first.split()[2], "0.02"), second, *rest], [second, *rest], [first, second]):
        text = "\n".join([*(one for one in body.splitlines() if one.startswith("#")), *rows]) + "\n"
        file.write_text(f"{text}{mark}{sha256(text.encode()).hexdigest()}\n")
        assert same(interpolated(table, TOLERANCE, [tmp_path]), made)


def test_the_first_place_that_can_be_written_to_is_taken(table: HounsfieldTable, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    made = interpolated(table, TOLERANCE, [tmp_path / "file" / "cache", tmp_path / "own"])
    assert len(list((tmp_path / "own").iterdir())) == 1
    assert same(interpolated(table, TOLERANCE, [tmp_path / "file" / "cache"]), made)  # no place at all


def test_threads_agree(table: HounsfieldTable, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: interpolated(table, TOLERANCE, [tmp_path]), range(24)))
    assert all(same(one, found[0]) for one in found)
    assert len(list(tmp_path.iterdir())) == 1  # no temporary file is left


def test_processes_may_make_one_at_once(tmp_path: Path) -> None:
    import time

    start = str(time.time() + 1.5)
    running = [
        subprocess.Popen([sys.executable, "-c", PROCESS, str(tmp_path), start], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = {process.communicate(timeout=60)[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(said) == 1
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


def test_a_library_interpolates_where_its_settings_say_so(site: Path) -> None:
    plain = Library.open(site).ct_protocol("generic")
    assert "tolerance" not in plain.source
    (site / "settings.toml").write_text("[calculation]\nhu_density_tolerance_g_cm3 = 0.02\n")
    table = Library.open(site).ct_protocol("generic")
    assert "tolerance 0.02 g/cm3" in table.source
    assert len(list((site / "ct" / "cache").glob("*.txt"))) == 1
    assert Library.open(site).ct_protocol_names() == ("generic",)  # the cache is no protocol
    assert table.sha256 == plain.sha256
