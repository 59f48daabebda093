"""Compiled code that nobody uses any more goes, and nothing else."""

import os
import time
from pathlib import Path

import pytest

from dosewright.core.kernel_cache import use_kernel_folder

NEW = "kernels-0123456789abcdef"


def aged(folder: Path, days: float) -> Path:
    """Make a folder with a file, last used some days ago."""
    folder.mkdir(parents=True)
    (folder / "step.nbi").write_text("code")
    then = time.time() - days * 86400
    os.utime(folder, (then, then))
    return folder


def test_a_new_folder_removes_those_unused_for_thirty_days(tmp_path: Path) -> None:
    old, recent = aged(tmp_path / f"kernels-{'a' * 16}", 31), aged(tmp_path / f"kernels-{'b' * 16}", 29)
    assert use_kernel_folder(tmp_path / NEW).is_dir()
    assert not old.exists()
    assert (recent / "step.nbi").exists()


def test_nothing_else_is_removed(tmp_path: Path) -> None:
    elsewhere = aged(tmp_path / "elsewhere", 100)
    link = tmp_path / "cache" / f"kernels-{'c' * 16}"
    kept = [aged(tmp_path / "cache" / name, 100) for name in ("kernels", "kernels-mine", f"kernels-{'A' * 16}", "x")]
    link.symlink_to(elsewhere)
    file = tmp_path / "cache" / f"kernels-{'d' * 16}"
    file.write_text("a file of this name")
    os.utime(file, (0, 0))
    use_kernel_folder(tmp_path / "cache" / NEW)
    assert all((folder / "step.nbi").exists() for folder in (*kept, link))
    assert file.exists()


def test_a_folder_in_use_is_marked_and_removes_nothing(tmp_path: Path) -> None:
    old, ours = aged(tmp_path / f"kernels-{'a' * 16}", 31), aged(tmp_path / NEW, 31)
    use_kernel_folder(ours)
    assert time.time() - ours.stat().st_mtime < 60
    assert old.exists()
    use_kernel_folder(tmp_path / f"kernels-{'e' * 16}")
    assert ours.exists()
    assert not old.exists()


def test_what_cannot_be_made_marked_or_removed_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError

    (tmp_path / "file").write_text("")
    assert use_kernel_folder(tmp_path / "file" / NEW) == tmp_path / "file" / NEW
    ours = aged(tmp_path / NEW, 31)
    monkeypatch.setattr(os, "utime", refused)
    assert use_kernel_folder(ours) == ours
    monkeypatch.setattr(Path, "iterdir", refused)
    assert use_kernel_folder(tmp_path / f"kernels-{'f' * 16}").is_dir()
