"""Compiled code is kept under a name that changes with every compiled source."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dosewright
from dosewright.core.jit import COMPILED_ROOMS, cache_folder, source_hash

PACKAGE = Path(dosewright.__file__).parent

EDIT_AND_ASK = """
import sys
from pathlib import Path
import numba
from dosewright.core import jit
assert Path(jit.__file__).is_relative_to(sys.argv[1]), jit.__file__
package = Path(jit.__file__).parents[1]
print(numba.config.CACHE_DIR == str(jit.cache_folder()))
print(jit.source_hash())
for name in sys.argv[2:]:
    with (package / name).open("a") as file:
        file.write("# one more line\\n")
    print(jit.source_hash())
"""

SAMPLE = """
from dosewright.transport.ion import largest_transfer
from dosewright.core.jit import cache_folder
print(largest_transfer(1.0, 938.0), cache_folder())
"""


@pytest.fixture
def package_copy(tmp_path: Path) -> Path:
    """A folder with a copy of the package that may be edited."""
    shutil.copytree(PACKAGE, tmp_path / "dosewright", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _python(copy: Path, *arguments: str) -> list[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    environment |= {"PYTHONPATH": str(copy), "DOSEWRIGHT_CACHE": str(copy / "cache")}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_hash_changes_with_every_room_of_compiled_sources(package_copy: Path) -> None:
    rooms = ("core", "materials", "geometry", "sources", "scoring", "transport")
    assert set(rooms) <= set(COMPILED_ROOMS)
    edited = [str(next(iter(sorted((package_copy / "dosewright" / room).glob("[a-z]*.py"))))) for room in rooms]
    numba_told, *hashes = _python(package_copy, "-c", EDIT_AND_ASK, str(package_copy), *edited)
    assert numba_told == "True"
    assert len(set(hashes)) == len(rooms) + 1
    assert hashes[0] == source_hash(), "the hash must depend on nothing but the sources and the compiler"


def test_the_hash_does_not_change_with_sources_that_are_not_compiled(package_copy: Path) -> None:
    edited = str(package_copy / "dosewright" / "cli" / "main.py")
    _, before, after = _python(package_copy, "-c", EDIT_AND_ASK, str(package_copy), edited)
    assert before == after


def test_no_stale_code_runs_after_a_constant_of_another_module_changed(package_copy: Path) -> None:
    constants = package_copy / "dosewright" / "core" / "units.py"
    first, folder = _python(package_copy, "-c", SAMPLE)[0].split(maxsplit=1)
    assert any(Path(folder).rglob("*.nbc")), "nothing was kept"
    text = constants.read_text()
    assert "ELECTRON_MASS_MEV: Final = 0.51" in text
    constants.write_text(text.replace("ELECTRON_MASS_MEV: Final = 0.51", "ELECTRON_MASS_MEV: Final = 1.02"))
    second, other_folder = _python(package_copy, "-c", SAMPLE)[0].split(maxsplit=1)
    assert other_folder != folder
    assert float(second) / float(first) == pytest.approx(1.02099895069 / 0.51099895069, rel=2e-3)


def test_the_cache_goes_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = f"kernels-{source_hash()}"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("DOSEWRIGHT_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own" / "dosewright" / name
    monkeypatch.delenv("DOSEWRIGHT_CACHE")
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    assert cache_folder() == tmp_path / "xdg" / "dosewright" / name
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "dosewright" / name


def test_the_choice_survives_when_numba_reads_its_environment_again(tmp_path: Path) -> None:
    """As it does while compiling, once anything called NUMBA_... has changed: same folder, same CPU features."""
    program = """
import os, numba
import dosewright.core.jit
before = (numba.config.CACHE_DIR, numba.config.CPU_NAME, numba.config.CPU_FEATURES)
os.environ["NUMBA_SOMETHING"] = "1"
numba.config.reload_config()
assert (numba.config.CACHE_DIR, numba.config.CPU_NAME, numba.config.CPU_FEATURES) == before
print(numba.config.CACHE_DIR, dosewright.core.jit.cache_folder())
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    environment["DOSEWRIGHT_CACHE"] = str(tmp_path)
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment
    ).stdout.split()
    assert said[0] == said[1] == str(tmp_path / "dosewright" / f"kernels-{source_hash()}")
