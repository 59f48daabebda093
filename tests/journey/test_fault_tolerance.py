"""Killed, interrupted and out of time: what is done is kept, and the dose is that of an undisturbed run."""

import json
import signal
import time
from pathlib import Path
from typing import Any

GOAL = ("-n", "30000", "-j", "2")
SAME = ("plan_physical.raw", "plan_uncertainty.raw", "beam1_to_medium.raw", "beam2_to_medium.raw")


def wait_for(path: Path, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} did not appear"
        time.sleep(0.005)


def test_killed_between_and_within_beams_it_continues_to_the_same_dose(tiny: Any, tmp_path: Path) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert tiny.calc(undisturbed, *GOAL).returncode == 0
    for moment in ("request.json", "stages/simulate-1.json", "dicom/plan_physical.dcm"):
        running = tiny.start(killed, *GOAL)
        wait_for(killed / moment)
        running.send_signal(signal.SIGKILL)
        running.communicate()
        assert running.returncode == -signal.SIGKILL
        assert not (killed / "summary.json").exists()
    resumed = tiny.calc(killed, *GOAL)
    assert resumed.returncode == 0, resumed.stderr
    assert "Beam 1: finished before" in resumed.stderr
    for name in SAME:
        assert (killed / "mhd" / name).read_bytes() == (undisturbed / "mhd" / name).read_bytes()
    assert not [p for p in killed.rglob(".*") if p.name != ".lock"]


def test_an_interruption_is_clean_and_can_be_continued(tiny: Any, tmp_path: Path) -> None:
    running = tiny.start(tmp_path / "out", "-n", "1e9")
    wait_for(tmp_path / "out" / "stages" / "prepare.json")
    time.sleep(2.0)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "continues where it was" in said
    assert "Traceback" not in said


def test_out_of_time_is_a_valid_result_that_says_so_and_can_be_continued(tiny: Any, tmp_path: Path) -> None:
    output = tmp_path / "out"
    asked = ("-n", "1e9", "-t", "2s", "-b", "1")
    ended = tiny.calc(output, *asked)
    assert ended.returncode == 3
    assert "Stopped by the time limit" in ended.stdout
    first = tiny.summary(output)
    assert first["goal_reached"] is False
    assert any("stopped by the time limit" in said for said in first["warnings"])
    assert (output / "report.html").exists()
    assert tiny.calc(output, *asked).returncode == 3
    assert tiny.summary(output)["beams"][0]["histories"] > first["beams"][0]["histories"]


def test_a_time_alone_is_a_goal_that_is_reached(tiny: Any, tmp_path: Path) -> None:
    assert tiny.calc(tmp_path / "out", "-t", "1s", "-b", "1").returncode == 0
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["goal_reached"] is True
