"""An artifact is whole or absent, whatever happens while it is written."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.execution.artifact import file_sha256, private_folder, publish, sidecar_of, verified


def _text(content: str):
    return lambda path: path.write_text(content)


def test_a_published_file_is_verified_and_gives_its_meta_back(tmp_path: Path) -> None:
    publish(tmp_path / "part.npz", _text("dose"), {"first": 0, "last": 99})
    assert verified(tmp_path / "part.npz") == {"first": 0, "last": 99}
    assert json.loads(sidecar_of(tmp_path / "part.npz").read_text())["size"] == 4


def test_no_sidecar_no_artifact(tmp_path: Path) -> None:
    (tmp_path / "part.npz").write_text("dose")
    assert verified(tmp_path / "part.npz") is None
    assert verified(tmp_path / "absent.npz") is None


@pytest.mark.parametrize("tamper", ["same size", "shorter", "removed"])
def test_changed_data_are_not_an_artifact(tmp_path: Path, tamper: str) -> None:
    path = tmp_path / "part.npz"
    publish(path, _text("dose"), {})
    if tamper == "removed":
        path.unlink()
    else:
        path.write_text("DOSE" if tamper == "same size" else "dos")
    assert verified(path) is None


@given(st.binary(max_size=200))
def test_any_sidecar_is_read_without_an_exception(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "part"
    path.write_text("dose")
    sidecar_of(path).write_bytes(content)
    assert verified(path) is None


@pytest.mark.parametrize("sidecar", ['{"sha256": 1, "size": 4, "meta": {}}', "[1, 2]", '{"size": 4}', "null"])
def test_a_foreign_sidecar_is_no_proof(tmp_path: Path, sidecar: str) -> None:
    (tmp_path / "part").write_text("dose")
    sidecar_of(tmp_path / "part").write_text(sidecar)
    assert verified(tmp_path / "part") is None


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        publish(tmp_path / "a" / "b" / "part", _text("dose"), {})
    finally:
        os.umask(previous)
    for name in ("a", "a/b"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o700
    for name in ("a/b/part", "a/b/part.json"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    private_folder(tmp_path / "new")
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_publishing_again_never_leaves_an_old_sidecar_beside_new_data(tmp_path: Path) -> None:
    publish(tmp_path / "part", _text("old"), {"n": 1})

    def broken(path: Path) -> None:
        raise OSError

    with pytest.raises(OSError):
        publish(tmp_path / "part", broken, {"n": 2})
    assert verified(tmp_path / "part") is None
    publish(tmp_path / "part", _text("new"), {"n": 3})
    assert verified(tmp_path / "part") == {"n": 3}


KILLED = """
import os, signal, sys
from pathlib import Path
import dosewright.execution.artifact as artifact
from dosewright.core.whole_file import write_whole
moment, path = sys.argv[1], Path(sys.argv[2])
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
def write(temporary):
    temporary.write_text("do")
    if moment == "while writing": die()
    temporary.write_text("dose")
if moment == "before the sidecar": artifact.write_json = die
if moment == "while writing the sidecar": artifact.write_whole_text = lambda path, _: write_whole(path, die)
artifact.publish(path, write, {"n": 2})
"""


@pytest.mark.parametrize("moment", ["while writing", "before the sidecar", "while writing the sidecar"])
def test_a_process_killed_at_any_moment_leaves_no_artifact_and_a_new_one_can_be_made(
    tmp_path: Path, moment: str
) -> None:
    path = tmp_path / "part.npz"
    publish(path, _text("former"), {"n": 1})
    died = subprocess.run([sys.executable, "-c", KILLED, moment, str(path)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert verified(path) is None
    publish(path, _text("again"), {"n": 3})
    assert verified(path) == {"n": 3}


def test_hash_of_known_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")  # NIST FIPS 180-4 example
    assert file_sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
