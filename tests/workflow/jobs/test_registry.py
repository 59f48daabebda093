"""The registry of jobs: several processes at once, damage and loss survived, nobody else's process mistaken."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.execution.artifact import private_folder
from dosewright.execution.process import Process
from dosewright.workflow.jobs.registry import FILE, Job, Registry, State, usual_place


def enter(registry: Registry, folder: Path) -> Job:
    private_folder(folder)
    return registry.enter(folder, "ASM", "clinical", "abcd")


def test_a_job_is_entered_changed_and_forgotten(registry: Registry, tmp_path: Path, said: list[str]) -> None:
    job = enter(registry, tmp_path / "one")
    assert (job.id, job.user, job.role, job.state) == (1, "ASM", "clinical", State.PREPARING)
    assert job.running
    changed = registry.change(1, state=State.DONE, exit_code=0, uncertainty_percent=1.5, share_done=1.0)
    assert registry.jobs() == [changed]
    assert not changed.running
    assert json.loads(changed.place.entry.read_text())["state"] == "done"
    registry.remove(1)
    assert registry.jobs() == []
    assert said == []
    with pytest.raises(InputError, match="There is no job 1"):
        registry.job(1)


def test_a_folder_keeps_its_number_and_numbers_are_never_given_again(registry: Registry, tmp_path: Path) -> None:
    first = enter(registry, tmp_path / "one")
    registry.change(first.id, state=State.FAILED, exit_code=1)
    again = enter(registry, tmp_path / "one")
    assert (again.id, again.state, again.exit_code) == (1, State.PREPARING, None)
    assert again.submitted == first.submitted
    second = enter(registry, tmp_path / "two")
    registry.remove(second.id)
    assert enter(registry, tmp_path / "three").id == 3


def test_it_is_its_owner_s_alone(registry: Registry, tmp_path: Path) -> None:
    enter(registry, tmp_path / "one")
    for path in registry.place.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert registry.place.stat().st_mode & 0o777 == 0o700


def test_jobs_are_found_by_number_and_by_the_beginning_of_their_folder(registry: Registry, tmp_path: Path) -> None:
    for name in ("dosewright-12ab", "dosewright-12cd", "head"):
        enter(registry, tmp_path / name)
    assert registry.find("2").folder.endswith("12cd")
    assert registry.find("he").id == 3
    assert registry.find("dosewright-12a").id == 1
    with pytest.raises(InputError, match=r"Several jobs .* 1 \(dosewright-12ab\), 2 \(dosewright-12cd\)"):
        registry.find("dosewright")
    with pytest.raises(InputError, match=r"no job 'haed'. Did you mean 'head'\? Known: 1, 2, 3"):
        registry.find("haed")
    with pytest.raises(InputError, match=r"no job '77'.* Known: 1, 2, 3"):
        registry.find("77")


WRITER = """
import sys
from pathlib import Path
from dosewright.workflow.jobs.registry import Registry, State
registry = Registry(Path(sys.argv[1]), lambda said: sys.exit(said))
for number in range(int(sys.argv[3])):
    folder = Path(sys.argv[2]) / f"{sys.argv[4]}-{number}"
    folder.mkdir()
    job = registry.enter(folder, "A", "research", "p")
    registry.change(job.id, state=State.DONE, share_done=number / 10)
"""


def test_several_processes_write_at_once(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(registry.place), str(tmp_path / "jobs"), "10", str(name)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in range(4)
    ]
    for writer in writers:
        _, complaint = writer.communicate(timeout=60)
        assert writer.returncode == 0, complaint
    jobs = registry.jobs()
    assert sorted(job.id for job in jobs) == list(range(1, 41))
    assert {Path(job.folder).name for job in jobs} == {f"{w}-{n}" for w in range(4) for n in range(10)}
    assert {job.state for job in jobs} == {State.DONE}


@pytest.mark.parametrize("damage", [b"", b"this is no database" * 100, None])
def test_a_damaged_or_lost_registry_is_made_again_and_it_is_said(
    registry: Registry, tmp_path: Path, said: list[str], damage: bytes | None
) -> None:
    for name in ("one", "two", "gone"):
        enter(registry, tmp_path / name)
    registry.change(2, state=State.DONE, exit_code=0)
    before = registry.jobs()[:2]
    (tmp_path / "gone" / "job.json").unlink()
    file = registry.place / FILE
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage)
    assert registry.jobs() == before
    assert len(said) == 1
    assert "made again from 2 job folders" in said[0]
    assert enter(registry, tmp_path / "new").id > 2


def test_damage_within_is_noticed_too(registry: Registry, tmp_path: Path, said: list[str]) -> None:
    for number in range(60):
        enter(registry, tmp_path / f"job{number}")
    file = registry.place / FILE
    data = bytearray(file.read_bytes())
    data[4096:8192] = b"\xff" * 4096
    file.write_bytes(data)
    assert len(registry.jobs()) == 60
    assert len(said) == 1
    assert (registry.place / f"{FILE}.damaged").exists()


def test_a_table_of_another_version_is_made_again(registry: Registry, tmp_path: Path, said: list[str]) -> None:
    enter(registry, tmp_path / "one")
    with sqlite3.connect(registry.place / FILE) as file:
        file.execute("DROP TABLE jobs")
        file.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, folder TEXT)")
    assert [job.id for job in registry.jobs()] == [1]
    assert "was damaged" in said[0]


def test_the_place_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOSEWRIGHT_STATE", str(tmp_path))
    assert usual_place() == tmp_path
    monkeypatch.delenv("DOSEWRIGHT_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert usual_place() == tmp_path / "dosewright"


def test_a_process_with_the_number_of_another_is_not_taken_for_it(registry: Registry, tmp_path: Path) -> None:
    job = enter(registry, tmp_path / "one")
    assert registry.change(job.id, began="123 another-boot").running is False
    assert Process.this().alive()
    assert not Process(Process.this().pid, "123 another-boot").alive()
