"""The demo: made whole, calculated with the packaged library whatever the user's, found again."""

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.slow
def test_the_demo_reaches_its_report_and_is_found_again(
    tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOSEWRIGHT_LIBRARY", str(tmp_path / "not a library"))
    folder = tmp_path / "demo"
    ended = tiny.run("demo", str(folder), "-u", "20")
    assert ended.returncode == 0, ended.stderr
    assert f"Report: {folder / 'result' / 'report.html'}" in ended.stdout
    summary = tiny.summary(folder / "result")
    assert [beam["name"] for beam in summary["beams"]] == ["Left", "Front"]
    for ratio in summary["high_dose_ratios"]:
        assert 0.93 < ratio["ratio"] < 1.07
    again = tiny.run("demo", str(folder), "-u", "20")
    assert "finished already" in again.stderr
