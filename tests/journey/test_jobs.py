"""Jobs as a user meets them: listed, followed, stopped, put away and brought back; copied to a second folder."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dosewright.commissioning.site.library_folder import PACKAGED
from dosewright.workflow.jobs.registry import FILE

COMMAND = Path(sys.executable).with_name("dosewright")
ENDLESS = ("-n", "1e9", "-b", "1", "-j", "1")


@pytest.fixture(autouse=True)
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No endless run outlives its test."""
    started = []
    begin = subprocess.Popen

    def noted(*arguments: Any, **keywords: Any) -> Any:
        started.append(begin(*arguments, **keywords))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    yield
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DOSEWRIGHT_STATE", str(tmp_path / "state"))
    yield tmp_path / "state"


def until(true: Any, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def listed(tiny: Any) -> list[dict[str, Any]]:
    shown = tiny.run("jobs", "--json")
    assert shown.returncode == 0, shown.stderr
    return list(json.loads(shown.stdout))


def running_job(tiny: Any, output: Path, *more: str) -> Any:
    """Start a job and wait until its second batch."""
    running = tiny.start(output, *ENDLESS, *more)
    until(lambda: (output / "progress.json").exists() and "beams" in (output / "progress.json").read_text())
    until(lambda: json.loads((output / "progress.json").read_text())["beams"][0]["histories"] >= 50_000)
    return running


def test_a_job_is_listed_while_it_runs_and_stopped_softly_with_a_valid_result(tiny: Any, tmp_path: Path) -> None:
    assert "no jobs yet" in tiny.run("jobs").stdout
    output = tmp_path / "out"
    running = running_job(tiny, output)
    (job,) = listed(tiny)
    assert (job["id"], job["state"], job["running"], job["beam"]) == (1, "simulating", True, 1)
    assert job["histories_per_second"] > 0
    table = tiny.run("jobs").stdout
    assert "simulating" in table
    assert "beam 1" in table
    following = subprocess.Popen(
        [COMMAND, "jobs", "follow", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    refused = tiny.run("jobs", "purge", "1", "--yes")
    assert refused.returncode == 2
    assert "is running and cannot be purged" in refused.stderr
    assert tiny.run("jobs", "stop", "out").returncode == 0
    stdout, stderr = running.communicate(timeout=120)
    assert running.returncode == 3, stderr
    assert "Stopped on request before the goal" in stdout
    assert "Asked to stop" in stderr
    seen, progress = following.communicate(timeout=60)
    assert following.returncode == 3
    assert "Job 1: stopped." in seen
    assert "primaries" in progress
    assert not (output / "STOP").exists()
    summary = tiny.summary(output)
    assert summary["goal_reached"] is False
    assert summary["beams"][0]["ended"] == "request"
    assert "Beam 1 was stopped on request before its goal." in summary["warnings"]
    assert "stopped on request before its goal" in (output / "report.html").read_text()
    assert (output / "parts" / "beam1").exists(), "kept, so that it can go on"
    (job,) = listed(tiny)
    assert (job["state"], job["exit_code"], job["running"]) == ("stopped", 3, False)
    assert job["uncertainty_percent"] == pytest.approx(summary["plan_dose_Gy"]["mean_uncertainty_percent"])


def test_ctrl_c_once_keeps_the_result(tiny: Any, tmp_path: Path) -> None:
    running = running_job(tiny, tmp_path / "out")
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=120)
    assert running.returncode == 3, stderr
    assert "Stopped on request" in stdout
    assert "Traceback" not in stderr


def test_a_hard_stop_ends_the_process_and_the_folder_goes_on(tiny: Any, tmp_path: Path) -> None:
    output = tmp_path / "out"
    running = running_job(tiny, output)
    ended = tiny.run("jobs", "stop", "--hard", "1")
    assert ended.returncode == 0, ended.stderr
    running.communicate(timeout=60)
    assert running.returncode == -signal.SIGTERM
    (job,) = listed(tiny)
    assert (job["state"], job["exit_code"]) == ("stopped", 130)
    assert not (output / "summary.json").exists()
    assert tiny.calc(output, "-n", "2000", "-b", "1", "-j", "1").returncode == 0
    (job,) = listed(tiny)
    assert (job["id"], job["state"], job["exit_code"]) == (1, "done", 0)


def test_a_stop_before_every_beam_has_primaries_makes_no_dose(tiny: Any, tmp_path: Path) -> None:
    output = tmp_path / "both"
    running = tiny.start(output, "-n", "1e9", "-j", "1")
    until((output / "progress.json").exists)
    (output / "STOP").touch()
    _, stderr = running.communicate(timeout=120)
    assert running.returncode == 130
    assert "too few primaries for a dose, so no dose of the plan was made" in stderr
    assert not list(output.glob("*/plan_*"))
    assert [(job["state"], job["running"]) for job in listed(tiny)] == [("stopped", False)]
    (output / "progress.json").unlink()
    running = tiny.start(output, "-n", "1e9", "-j", "1")
    until((output / "progress.json").exists)
    running.kill()
    running.communicate()
    (job,) = listed(tiny)
    assert (job["state"], job["running"]) == ("simulating", False)
    assert "its process is gone" in job["note"]


def test_a_finished_job_is_followed_archived_restored_and_purged(tiny: Any, tmp_path: Path, state: Path) -> None:
    output = tmp_path / "out"
    assert tiny.calc(output, "-n", "2000", "-j", "1").returncode == 0
    assert not (output / "progress.json").exists()
    for path in state.iterdir():
        assert b"secret" not in path.read_bytes().lower(), "a word of the patient"
    followed = tiny.run("jobs", "follow", "1")
    assert followed.returncode == 0
    assert "Job 1: done." in followed.stdout
    assert str(output / "log.txt") in tiny.run("jobs", "show", "1").stdout
    put = tiny.run("jobs", "archive", "1")
    assert put.returncode == 0, put.stderr
    assert not output.exists()
    assert listed(tiny)[0]["state"] == "historic"
    assert tiny.run("jobs", "restore", "1").returncode == 0
    again = tiny.calc(output, "-n", "2000", "-j", "1")
    assert "Everything is finished already" in again.stderr
    assert tiny.run("jobs", "purge", "1", "--yes").returncode == 0
    assert not output.exists()
    unknown = tiny.run("jobs", "show", "1")
    assert unknown.returncode == 2
    assert "There is no job '1'. Known: none yet." in unknown.stderr


def test_a_registry_that_cannot_be_written_harms_no_calculation(tiny: Any, tmp_path: Path, state: Path) -> None:
    state.write_text("a file where the folder should be")
    ended = tiny.calc(tmp_path / "out", "-n", "2000", "-b", "1", "-j", "1")
    assert ended.returncode == 0
    assert ended.stderr.count("The registry of jobs cannot be written") == 1


def test_a_damaged_registry_is_said_and_made_again(tiny: Any, tmp_path: Path, state: Path) -> None:
    assert tiny.calc(tmp_path / "one", "-n", "2000", "-b", "1", "-j", "1").returncode == 0
    (state / FILE).write_bytes(os.urandom(4096))
    ended = tiny.calc(tmp_path / "two", "-n", "2000", "-b", "1", "-j", "1")
    assert ended.returncode == 0
    assert "The registry of jobs was damaged; it was made again from 1 job folders." in ended.stderr
    assert [(job["id"], job["state"]) for job in listed(tiny)] == [(1, "done"), (2, "done")]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A library with a second folder that is not there yet."""
    shutil.copytree(PACKAGED, tmp_path / "site")
    (tmp_path / "site" / "settings.toml").write_text(f'[folders]\nsecond_output = "{tmp_path / "share"}"\n')
    return tmp_path / "site"


def test_a_share_that_is_gone_delays_the_copy_and_not_the_result(tiny: Any, tmp_path: Path, site: Path) -> None:
    asked = ("-n", "2000", "-b", "1", "-j", "1", "-s", str(site))
    for name in ("one", "two"):
        ended = tiny.calc(tmp_path / name, *asked)
        assert ended.returncode == 0, ended.stderr
        assert "The second copy is still to be made: the second folder is not there" in ended.stderr
    assert "not there" in tiny.run("jobs", "show", "1").stdout
    (tmp_path / "share").mkdir()
    ended = tiny.calc(tmp_path / "three", *asked)
    assert [ended.stderr.count(f"The second copy of job {n} is made now") for n in (1, 2)] == [1, 1]
    assert sorted(p.name for p in (tmp_path / "share").iterdir()) == ["one", "three", "two"]
    for name in ("one", "two", "three"):
        summary = tiny.summary(tmp_path / "share" / name)
        assert summary == tiny.summary(tmp_path / name)
        for file in summary["files_sha256"]:
            assert (tmp_path / "share" / name / file).read_bytes() == (tmp_path / name / file).read_bytes()
    assert [job["second_copy"] for job in listed(tiny)] == ["done"] * 3
