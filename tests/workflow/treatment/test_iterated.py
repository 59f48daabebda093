"""Deliveries in iterations: all three ways, the files they leave, what is refused, and what goes on."""

from pathlib import Path

import numpy as np
import pytest
from tests.workflow.treatment.inputs import treatment

from dosewright.core.errors import InputError, StoppedEarlyError
from dosewright.execution.artifact import file_sha256
from dosewright.formats.dose.mhd import read_mhd
from dosewright.simulation.run import Progress
from dosewright.workflow.treatment.carry_out import Asked, carry_out

BOX = """region: water ; O = [0,0,5] ; L = [4,4,10] ; voxels = [1,1,10] ; material = water ; score = [Dose, LETd]
region: plate ; O = [0,0,-1] ; L = [4,4,1] ; material = water
field: 1 ; O = [0,0,-5]
pb: 1 1 ; T = 80 ; Xsec = gauss ; FWHM = 0.5 ; N = 3e6
pb: 2 1 ; T = 70 ; Xsec = gauss ; FWHM = 0.5 ; N = 1e6
nprim = 500
"""
TWICE = "deliver: all\ndeactivate: plate\ndeliver: all\n"


def asked(folder: Path, **more: object) -> Asked:
    return Asked(folder / "out", seed=1, threads=1, working=folder, **more)  # type: ignore[arg-type]


def rows(out: Path) -> list[list[str]]:
    """Return the lines of the log of iterations, without its head."""
    return [line.split() for line in (out / "log" / "iterations.txt").read_text().splitlines() if line[0] != "#"]


def test_fixed_iterations_give_the_dose_of_one_delivery(tmp_path: Path) -> None:
    """Steps with different parts are iterated together; the bound is four standard errors of both."""
    once, again = tmp_path / "once", tmp_path / "again"
    for folder in (once, again):
        folder.mkdir()
    carry_out(treatment(once, BOX.replace("nprim = 500", "nprim = 10000") + TWICE), asked(once))
    text = BOX + "varianceReduction: maxNumIterations=20 ; lWriteDoseMeanError=t ; lWriteDoseStdev=t\n" + TWICE
    summary = carry_out(treatment(again, text), asked(again))
    dose, other = (read_mhd(folder / "out" / "score" / "water.Dose.mhd").values for folder in (again, once))
    errors = [read_mhd(f / "out" / "score" / "water.Dose_uncertainty.mhd").values for f in (again, once)]
    high = dose > 0.2 * dose.max()
    apart = (dose - other)[high] / np.hypot(dose * errors[0], other * errors[1])[high]
    assert np.abs(apart).max() < 4
    assert errors[0][dose > 0.5 * dose.max()].max() < 0.02
    lets = [read_mhd(folder / "out" / "score" / "water.LETd.mhd").values.ravel()[:3] for folder in (again, once)]
    np.testing.assert_allclose(lets[0], lets[1], rtol=0.1)
    out = again / "out"
    assert summary["iterations"]["number"] == 20 and summary["iterations"]["primaries"] == 20 * 2000
    assert [row[0] for row in rows(out)] == [str(n + 1) for n in range(20)]
    mean_error, stdev = read_mhd(out / "DoseMeanError.mhd").values, read_mhd(out / "DoseStdev.mhd").values
    np.testing.assert_allclose(stdev, mean_error * np.sqrt(20), rtol=1e-5)
    np.testing.assert_allclose(mean_error, dose * errors[0], rtol=1e-4, atol=1e-12 * dose.max())
    assert all(file_sha256(out / name) == digest for name, digest in summary["files_sha256"].items())
    assert "DoseMeanError.raw" in summary["files_sha256"] and "log/iterations.txt" in summary["files_sha256"]


def test_the_error_of_every_voxel_ends_it_at_two_iterations_in_a_row(tmp_path: Path) -> None:
    of = treatment(tmp_path, BOX + "varianceReduction: DD = 1.5 ; DCO = 50\n")
    summary = carry_out(of, asked(tmp_path))
    of_errors = summary["iterations"]["dose_error"]
    assert summary["iterations"]["goal_reached"] and of_errors["failing"] == 0 and of_errors["largest_percent"] < 1.5
    assert [row[5] for row in rows(tmp_path / "out")[-2:]] == ["0", "0"] and len(rows(tmp_path / "out")) >= 21
    assert not any("not reached" in text for text in summary["warnings"])


def test_a_goal_that_is_not_reached_is_said(tmp_path: Path) -> None:
    of = treatment(tmp_path, BOX + "varianceReduction: DD = 0.01 ; DCO = 50 ; maxNumIterations = 22\n")
    summary = carry_out(of, asked(tmp_path))
    assert not summary["iterations"]["goal_reached"] and summary["iterations"]["number"] == 22
    assert any("The goal was not reached in 22 iterations" in text for text in summary["warnings"])


def test_a_percentage_of_the_particles_is_followed_in_ten_iterations(tmp_path: Path) -> None:
    of = treatment(tmp_path, BOX + "varianceReduction: recalculationPrimaryPercentage = 0.5\n")
    summary = carry_out(of, asked(tmp_path))
    assert summary["iterations"]["number"] == 10 and summary["iterations"]["primaries"] == 0.005 * 4e6


def test_what_was_stopped_goes_on_to_the_same_dose(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    of = treatment(tmp_path, BOX + "varianceReduction: maxNumIterations = 12\n")
    for folder in (whole, cut):
        folder.mkdir()
    carry_out(of, asked(whole))
    seen: list[Progress] = []
    with pytest.raises(StoppedEarlyError, match="continues where it was"):
        carry_out(of, asked(cut, tell=seen.append, stop=lambda: len(seen) > 5))
    carry_out(of, asked(cut))
    for name in ("water.Dose.raw", "water.LETd.raw", "water.Dose_uncertainty.raw"):
        assert (whole / "out" / "score" / name).read_bytes() == (cut / "out" / "score" / name).read_bytes()


def test_what_iterations_cannot_do_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "look.sh").write_text("true")
    more = "region: other ; O = [9,9,5] ; L = [1,1,1] ; voxels = [1,1,1] ; material = water ; score = [Dose]\n"
    text = BOX + more + "varianceReduction: maxNumIterations = 3\ndeliver: all\nrun_script: look.sh\ndeliver: all\n"
    with pytest.raises(InputError) as refused:
        carry_out(treatment(tmp_path, text), asked(tmp_path, allow_scripts=True))
    assert "water, other" in str(refused.value) and "look.sh" in str(refused.value)
    assert not (tmp_path / "out").exists()
