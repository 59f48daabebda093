"""A job put away and brought back whole; nothing is removed that was not read back, or that runs, or is not ours."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.execution.artifact import sidecar_of
from dosewright.workflow.folder import held
from dosewright.workflow.jobs import archive as archiving
from dosewright.workflow.jobs.archive import archive, hashes, purge, restore
from dosewright.workflow.jobs.registry import FILE, Job, Registry, State


def test_there_and_back_again(make_job: Callable[..., Job], registry: Registry, tmp_path: Path) -> None:
    job = make_job(state=State.STOPPED)
    before = hashes(Path(job.folder))
    put = archive(job, registry, "")
    assert put.state is State.HISTORIC
    assert put.archive == f"{job.folder}.tar.xz"
    assert not Path(job.folder).exists()
    assert Path(put.archive).stat().st_mode & 0o777 == 0o600
    assert Path(put.archive).stat().st_size < 5000
    back = restore(put, registry)
    assert (back.state, back.archive) == (State.STOPPED, "")
    assert {k: v for k, v in hashes(Path(job.folder)).items() if k != "job.json"} == {
        k: v for k, v in before.items() if k != "job.json"
    }
    assert all(p.stat().st_mode & 0o077 == 0 for p in (Path(job.folder), *Path(job.folder).rglob("*")))
    assert not Path(put.archive).exists()
    assert not sidecar_of(Path(put.archive)).exists()


def test_the_site_may_say_where(make_job: Callable[..., Job], registry: Registry, tmp_path: Path) -> None:
    put = archive(make_job(), registry, str(tmp_path / "old"))
    assert Path(put.archive).parent == tmp_path / "old"


def test_a_lost_registry_finds_archives_too(make_job: Callable[..., Job], registry: Registry, said: list[str]) -> None:
    put = archive(make_job(), registry, "")
    (registry.place / FILE).unlink()
    found = registry.jobs()
    assert [(job.id, job.state, job.archive) for job in found] == [(put.id, State.HISTORIC, put.archive)]
    assert restore(found[0], registry).state is State.DONE


def test_a_damaged_archive_is_not_restored(make_job: Callable[..., Job], registry: Registry) -> None:
    put = archive(make_job(), registry, "")
    data = bytearray(Path(put.archive).read_bytes())
    data[len(data) // 2] ^= 1
    Path(put.archive).write_bytes(data)
    with pytest.raises(InputError, match="gone or damaged; nothing was restored"):
        restore(put, registry)
    assert Path(put.archive).exists()
    assert not Path(put.folder).exists()


def test_what_cannot_be_read_back_is_not_removed(
    make_job: Callable[..., Job], registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()

    def pack_less(folder: Path, to: Path) -> None:
        with tarfile.open(to, "w:xz") as packed:
            packed.add(folder / "log.txt", arcname="log.txt")

    monkeypatch.setattr(archiving, "_pack", pack_less)
    with pytest.raises(InputError, match="left as it is"):
        archive(job, registry, "")
    assert Path(job.folder, "summary.json").exists()
    assert not Path(f"{job.folder}.tar.xz").exists()


def test_what_must_not_be_put_away(make_job: Callable[..., Job], registry: Registry) -> None:
    job = make_job()
    with pytest.raises(InputError, match="second copy still to be made"):
        archive(registry.change(job.id, second_copy="no share"), registry, "")
    job = registry.change(job.id, second_copy="done")
    with held(Path(job.folder)), pytest.raises(InputError, match="Another calculation is running"):
        archive(job, registry, "")
    running = registry.enter(Path(job.folder), "ASM", "clinical", "abcd")
    for refused in (lambda: archive(running, registry, ""), lambda: purge(running, registry)):
        with pytest.raises(InputError, match="is running and cannot be"):
            refused()
    Path(job.folder, "request.json").write_text("{}")
    for refused in (lambda: archive(job, registry, ""), lambda: purge(job, registry)):
        with pytest.raises(InputError, match=r"not a calculation|no longer one of a calculation"):
            refused()
    assert Path(job.folder, "dicom", "plan.dcm").exists()


def test_purging_removes_folder_archive_and_entry(make_job: Callable[..., Job], registry: Registry) -> None:
    first, second = make_job("first"), make_job("second")
    purge(first, registry)
    put = archive(second, registry, "")
    purge(put, registry)
    assert registry.jobs() == []
    assert list(Path(first.folder).parent.iterdir()) == []


def test_a_new_job_in_the_folder_of_an_archived_one_harms_neither(
    make_job: Callable[..., Job], registry: Registry, said: list[str]
) -> None:
    put = archive(make_job(), registry, "")
    new = make_job()
    assert new.id != put.id
    for _ in range(2):
        folders = {job.id: job.folder for job in registry.jobs()}
        assert folders == {put.id: f"{put.folder}.job{put.id}", new.id: new.folder}
        (registry.place / FILE).unlink()
    back = restore(registry.job(put.id), registry)
    assert Path(back.folder, "summary.json").exists()
    assert Path(new.folder, "summary.json").exists()
