"""A file is whole or as it was, whatever happens while it is written."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dosewright.core.whole_file import write_whole, write_whole_text


def test_a_text_is_written_as_it_is(tmp_path: Path) -> None:
    write_whole_text(tmp_path / "x.txt", "Molière\n")
    assert (tmp_path / "x.txt").read_bytes() == "Molière\n".encode()


def test_the_temporary_name_is_hidden_and_keeps_the_suffix_for_writers_that_append_one(tmp_path: Path) -> None:
    seen: list[Path] = []

    def write(temporary: Path) -> None:
        seen.append(temporary)
        np.savez(temporary, a=np.arange(3))

    write_whole(tmp_path / "part.npz", write)
    assert seen[0].parent == tmp_path
    assert seen[0].name.startswith(".part.")
    with np.load(tmp_path / "part.npz", allow_pickle=False) as stored:
        assert stored["a"].tolist() == [0, 1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["part.npz"]


def test_a_writer_that_fails_leaves_the_former_file_and_no_litter(tmp_path: Path) -> None:
    write_whole_text(tmp_path / "x.txt", "old")

    def broken(temporary: Path) -> None:
        temporary.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "x.txt", broken)
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]
    assert (tmp_path / "x.txt").read_text() == "old"


def test_only_the_owner_may_read_even_what_a_writer_made_anew(tmp_path: Path) -> None:
    def anew(temporary: Path) -> None:
        temporary.unlink()
        temporary.write_text("open to all")

    previous = os.umask(0)
    try:
        write_whole(tmp_path / "x", anew)
    finally:
        os.umask(previous)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


KILLED = """
import os, signal, sys
from pathlib import Path
from dosewright.core.whole_file import write_whole
def die(temporary):
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
write_whole(Path(sys.argv[1]), die)
"""


def test_a_process_killed_while_it_writes_leaves_the_former_file(tmp_path: Path) -> None:
    write_whole_text(tmp_path / "x.txt", "old")
    died = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "x.txt")], check=False)
    assert died.returncode == -signal.SIGKILL
    assert (tmp_path / "x.txt").read_text() == "old"
    assert all(p.name.startswith(".x.") for p in tmp_path.iterdir() if p.name != "x.txt")
