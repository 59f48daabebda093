"""The demo: made whole, calculated with the packaged library whatever the user's, found again."""

from pathlib import Path
from typing import Any

import pytest

from dosewright.cli.demo import made_case
from dosewright.commissioning.site.library_folder import PACKAGED


def test_few_primaries_raise_no_false_alarm(tiny: Any, tmp_path: Path) -> None:
    case = made_case(tmp_path)
    overrides = ("-m", "BrainStem:G4_WATER", "-m", "PTV:G4_BONE_COMPACT_ICRU")
    finished = tiny.run("calc", str(case), "-o", str(tmp_path / "out"), "-n", "8000", "-s", str(PACKAGED), *overrides)
    assert finished.returncode == 0, finished.stderr
    assert "PTV is filled with G4_BONE_COMPACT_ICRU, 1.85 g/cm3, in " in finished.stderr
    summary = tiny.summary(tmp_path / "out")
    assert not any("apart" in said for said in summary["warnings"])
    assert summary["plan_dose_Gy"]["maximum_covers"] == "voxels of at least 0.1 g/cm3 inside EXTERNAL (EXTERNAL)"
    assert 25 < summary["plan_dose_Gy"]["highest_100_voxels_mean_Gy"] < summary["plan_dose_Gy"]["maximum_Gy"] < 60
    used = {use["structure"]: use for use in summary["patient"]["overrides"]}
    assert used["PTV"]["voxels"] > 1000
    assert any(said.startswith("PTV is filled with") for said in summary["assumptions"])
    assert summary["patient"]["hounsfield_range"][1] > 1000
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Patient as calculated" in page
    assert f"<td>{used['PTV']['voxels']:,}</td>" in page


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
