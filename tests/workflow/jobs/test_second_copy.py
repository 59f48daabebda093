"""The second copy: verified, complete or not there; a share that is gone or hangs delays it and nothing else."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dosewright.core.errors import DosewrightError
from dosewright.execution.artifact import file_sha256
from dosewright.workflow.jobs import second_copy
from dosewright.workflow.jobs.registry import Job, Registry
from dosewright.workflow.jobs.second_copy import DONE, copy_now, copy_pending, copy_result

FILES = {"dicom/plan.dcm", "summary.json", "request.json"}


def files_in(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def share(tmp_path: Path) -> Path:
    (tmp_path / "share").mkdir()
    return tmp_path / "share"


def test_the_outputs_are_copied_and_no_more(make_job: Callable[..., Job], share: Path) -> None:
    folder = Path(make_job().folder)
    assert copy_now(folder, share) == DONE
    assert files_in(share / folder.name) == FILES
    assert {file_sha256(share / folder.name / f) == file_sha256(folder / f) for f in FILES} == {True}
    assert [p.name for p in share.iterdir()] == [folder.name]


def test_a_share_that_is_gone_is_said_and_tried_again(
    make_job: Callable[..., Job], registry: Registry, tmp_path: Path, said: list[str]
) -> None:
    gone = tmp_path / "gone"
    job = make_job()
    ended = copy_now(Path(job.folder), gone)
    assert ended == f"the second folder is not there ({gone})"
    registry.change(job.id, second_folder=str(gone), second_copy=ended)
    assert copy_pending(registry, said.append) == []
    assert "still to be made: the second folder is not there" in said[-1]
    gone.mkdir()
    assert [one.id for one in copy_pending(registry, said.append)] == [job.id]
    assert registry.job(job.id).second_copy == DONE
    assert files_in(gone / Path(job.folder).name) == FILES
    assert copy_pending(registry, said.append) == []


def test_a_share_that_hangs_is_left_in_time(make_job: Callable[..., Job], share: Path) -> None:
    """A pipe that nobody reads stands for it: opening it for writing waits for ever."""
    folder = Path(make_job().folder)
    (share / f".{folder.name}.partial" / "dicom").mkdir(parents=True)
    os.mkfifo(share / f".{folder.name}.partial" / "dicom" / "plan.dcm")
    began = time.monotonic()
    assert copy_now(folder, share, 1.5) == "the second folder did not answer in time"
    assert time.monotonic() - began < 4.0
    assert (folder / "summary.json").exists()


def test_what_was_copied_before_the_time_was_up_is_taken_up(
    make_job: Callable[..., Job], share: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(make_job().folder)
    copies = []
    copy = second_copy.shutil.copyfileobj

    def fails_at_the_second(*arguments: object) -> None:
        copies.append(1)
        if len(copies) == 2:
            raise OSError("the line was cut")
        copy(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(second_copy.shutil, "copyfileobj", fails_at_the_second)
    with pytest.raises(OSError, match="cut"):
        copy_result(folder, share)
    assert not (share / folder.name).exists()
    copy_result(folder, share)
    assert len(copies) == len(FILES) + 1, "the first file was not copied again"
    assert files_in(share / folder.name) == FILES


def test_a_former_copy_is_replaced_and_nothing_else(make_job: Callable[..., Job], share: Path) -> None:
    folder = Path(make_job().folder)
    copy_result(folder, share)
    (share / folder.name / "stray.txt").write_text("x")
    copy_result(folder, share)
    assert files_in(share / folder.name) == FILES
    (share / folder.name / "summary.json").write_text('{"plan_uid": "9.9"}')
    with pytest.raises(DosewrightError, match="belongs to another plan"):
        copy_result(folder, share)
    (share / folder.name / "summary.json").unlink()
    with pytest.raises(DosewrightError, match="no result of Dosewright"):
        copy_result(folder, share)
    assert (share / folder.name / "dicom" / "plan.dcm").exists()


def test_a_result_that_does_not_fit_its_summary_is_not_passed_on(make_job: Callable[..., Job], share: Path) -> None:
    folder = Path(make_job().folder)
    (folder / "dicom" / "plan.dcm").write_bytes(b"other")
    assert copy_now(folder, share) == "the result changed while it was copied"
    assert not (share / folder.name).exists()
