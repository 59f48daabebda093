"""A treatment to its files: what is written, what is not written over, what goes on, and scripts in their order."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.workflow.treatment.inputs import treatment

from dosewright.core.errors import InputError, StoppedEarlyError
from dosewright.execution.artifact import file_sha256
from dosewright.formats.dose.mhd import read_mhd, read_mhd_header
from dosewright.simulation.run import Progress
from dosewright.workflow.treatment.carry_out import Asked, carry_out

BOX = """region: water ; O = [0,0,5] ; L = [4,4,10] ; voxels = [2,2,20] ; material = water ; score = [Dose, LETd, Edep]
field: 1 ; O = [0,0,-5]
pb: 1 1 ; T = 80 ; Xsec = gauss ; FWHM = 0.5 ; N = 1e6
nprim = 2000
"""
TWICE = "deliver: all\ntransform: water rotate z 90 self\ndeliver: all\n"


def asked(folder: Path, **more: object) -> Asked:
    return Asked(folder / "out", seed=1, threads=1, working=folder, **more)  # type: ignore[arg-type]


def test_files_and_summary_agree(tmp_path: Path) -> None:
    of = treatment(tmp_path, BOX + TWICE)
    summary = carry_out(of, asked(tmp_path))
    out = tmp_path / "out"
    assert json.loads((out / "summary.json").read_text()) == summary
    assert {"log", "score", "summary.json"} == {path.name for path in out.iterdir()}
    assert all(file_sha256(out / name) == digest for name, digest in summary["files_sha256"].items())
    dose, energy = (read_mhd(out / "score" / f"water.{word}.mhd") for word in ("Dose", "Edep"))
    assert dose.grid == of.grids["water"]
    np.testing.assert_allclose(dose.grid.origin_mm, [-10, -10, 2.5])
    assert energy.values.sum() == pytest.approx(summary["regions"]["water"]["deposited_MeV"], rel=1e-4)
    assert energy.values.sum() == pytest.approx(2e6 * 80, rel=0.05)
    mass_g = 2.0 * 2.0 * 0.5
    np.testing.assert_allclose(dose.values, energy.values * 1.602176634e-10 / mass_g, rtol=1e-5)
    let = read_mhd(out / "score" / "water.LETd.mhd").values
    assert 8 < let[0, 0, 0] < 20  # MeV cm2/g: protons of 80 MeV have 8.6 (PSTAR), secondary ones more
    assert read_mhd_header(out / "score" / "water.LETd.mhd")["Unit"] == "MeV cm2/g"
    assert summary["regions"]["water"]["particles"] == 2e6
    assert [one["number"] for one in summary["steps"]] == [1, 2]
    assert "no medical device" in summary["note"] and summary["assumptions"] and summary["transport"]["models"]


def test_nothing_is_written_over_unless_forced(tmp_path: Path) -> None:
    of = treatment(tmp_path, BOX)
    kept = tmp_path / "out" / "kept.txt"
    kept.parent.mkdir()
    kept.write_text("kept")
    first = carry_out(of, asked(tmp_path))
    with pytest.raises(InputError, match="exists already"):
        carry_out(of, asked(tmp_path))
    again = carry_out(of, asked(tmp_path, force=True))
    assert kept.read_text() == "kept"
    for name in ("score/water.Dose.raw", "score/water.LETd.raw"):
        assert first["files_sha256"][name] == again["files_sha256"][name]


def test_a_treatment_that_was_stopped_goes_on_to_the_same_dose(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    of = treatment(tmp_path, BOX + TWICE)
    carry_out(of, asked(whole))
    seen: list[Progress] = []
    with pytest.raises(StoppedEarlyError, match="continues where it was"):
        carry_out(of, asked(cut, tell=seen.append, stop=lambda: len(seen) > 25))
    assert seen[-1].histories_goal == 4000 and 2000 < seen[-1].histories < 4000
    assert not (cut / "out" / "summary.json").exists()
    carry_out(of, asked(cut))
    for name in ("water.Dose.raw", "water.LETd_uncertainty.raw"):
        assert (whole / "out" / "score" / name).read_bytes() == (cut / "out" / "score" / name).read_bytes()


def test_scripts_run_between_the_steps_and_find_the_dose_so_far(tmp_path: Path) -> None:
    (tmp_path / "look.py").write_text(
        "import os, sys\nname = 'out/score/water.Dose.raw'\n"
        "size = os.path.getsize(name) if os.path.exists(name) else 0\n"
        "print('step', sys.argv[1], size)\nopen('order.txt', 'a').write(sys.argv[1])\n"
    )
    text = "run_script: look.py\ndeliver: all\nrun_script: look.py\ndeliver: all\npostdelivery_script: look.py\n"
    of = treatment(tmp_path, BOX + text)
    with pytest.raises(InputError, match="not allowed"):
        carry_out(of, asked(tmp_path))
    assert not (tmp_path / "out").exists()
    summary = carry_out(of, asked(tmp_path, allow_scripts=True))
    assert (tmp_path / "order.txt").read_text() == "012"
    assert [one["output"] for one in summary["scripts"]] == ["step 0 0\n", "step 1 320\n", "step 2 320\n"]
    assert [one["exit_code"] for one in summary["scripts"]] == [0, 0, 0]
    assert "step 1 320" in (tmp_path / "out" / "log" / "run.out").read_text()


def test_a_script_that_fails_ends_the_run_and_what_is_done_is_kept(tmp_path: Path) -> None:
    (tmp_path / "good.sh").write_text("echo $1 >> order.txt")
    (tmp_path / "bad.sh").write_text("echo oh; test -e repaired || exit 3")
    of = treatment(tmp_path, BOX + "deliver: all\nrun_script: good.sh bad.sh good.sh\ndeliver: all\n")
    with pytest.raises(StoppedEarlyError, match=r"bad.sh ended with exit code 3, after step 1"):
        carry_out(of, asked(tmp_path, allow_scripts=True))
    out = tmp_path / "out"
    assert "exit code 3" in (out / "log" / "run.out").read_text() and "  oh" in (out / "log" / "run.out").read_text()
    assert not (out / "summary.json").exists() and (out / "score" / "water.Dose.mhd").exists()
    assert (tmp_path / "order.txt").read_text() == "1\n"
    (tmp_path / "repaired").touch()
    summary = carry_out(of, asked(tmp_path, allow_scripts=True))
    assert (tmp_path / "order.txt").read_text() == "1\n1\n"
    assert [one["exit_code"] for one in summary["scripts"]] == [0, 0, 0]


def test_what_another_treatment_has_begun_is_not_taken_up(tmp_path: Path) -> None:
    """Its scripts count as not run, and its sums are those of other problems."""
    (tmp_path / "good.sh").write_text("echo $1 >> order.txt")
    (tmp_path / "bad.sh").write_text("exit 3")
    first = treatment(tmp_path, BOX + "deliver: all\nrun_script: good.sh bad.sh\n")
    with pytest.raises(StoppedEarlyError):
        carry_out(first, asked(tmp_path, allow_scripts=True))
    other = treatment(tmp_path, BOX.replace("T = 80", "T = 70") + "deliver: all\nrun_script: good.sh\n")
    with pytest.raises(InputError, match="exists already"):
        carry_out(other, asked(tmp_path, allow_scripts=True))
    summary = carry_out(other, asked(tmp_path, allow_scripts=True, force=True))
    assert (tmp_path / "order.txt").read_text() == "1\n1\n" and len(summary["scripts"]) == 1
    assert summary["regions"]["water"]["deposited_MeV"] < 71e6
