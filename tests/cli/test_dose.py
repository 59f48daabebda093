"""dosewright dose: exit codes, what is said, GAMOS's names and switches."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from dosewright.cli.main import app
from dosewright.core.dose_file import DoseFile
from dosewright.core.voxel_phantom import VoxelPhantom
from dosewright.formats.dose.egsphant import write_egsphant
from dosewright.formats.dose.open import open_dose, write_dose

EDGES = (np.arange(4.0) * 10, np.arange(3.0) * 10, np.arange(5.0) * 5)


def made(seed: int, histories: float | None = 1000.0) -> DoseFile:
    numbers = np.random.default_rng(seed)
    dose = numbers.random((4, 2, 3)) * 1e-12
    return DoseFile(EDGES, dose, numbers.random(dose.shape) / 5, histories)


def run(*arguments: object) -> tuple[int, str, str]:
    shown = CliRunner().invoke(app, ["dose", *(str(a) for a in arguments)])
    return shown.exit_code, shown.stdout, shown.stderr


@pytest.fixture
def parts(tmp_path: Path) -> list[Path]:
    files = [tmp_path / f"sqdose.{i}.out" for i in range(3)]
    for seed, path in enumerate(files):
        write_dose(path, made(seed))
    return files


def test_convert_says_what_is_lost(tmp_path: Path, parts: list[Path]) -> None:
    code, out, _ = run("convert", parts[0], tmp_path / "a.3ddose")
    assert code == 0
    assert "Lost: A file of the kind 3ddose of DOSXYZnrc holds no number of histories: 1000 is lost." in out
    np.testing.assert_allclose(open_dose(tmp_path / "a.3ddose").dose, made(0).dose, rtol=1e-6)
    code, out, _ = run("convert", tmp_path / "a.3ddose", tmp_path / "b.sqdose", "--histories", 1000, "--json")
    assert code == 0
    assert json.loads(out)["histories"] == 1000
    np.testing.assert_allclose(open_dose(tmp_path / "b.sqdose").uncertainty, made(0).uncertainty, rtol=1e-5)


def test_convert_to_gy_and_back(tmp_path: Path, parts: list[Path]) -> None:
    code, _, err = run("convert", parts[0], tmp_path / "a.dcm")
    assert (code, "--particles" in err) == (2, True)
    assert run("convert", parts[0], tmp_path / "a.dcm", "--particles", 1e12)[0] == 0
    np.testing.assert_allclose(open_dose(tmp_path / "a.dcm").dose, made(0).dose * 1e12, rtol=1e-6)
    assert run("convert", tmp_path / "a.dcm", tmp_path / "b.mhd", "--primaries", 1e12)[0] == 0
    np.testing.assert_allclose(open_dose(tmp_path / "b.mhd").dose, made(0).dose, rtol=1e-6)
    assert open_dose(tmp_path / "b.mhd").histories == 1e12


def test_nothing_is_written_over(tmp_path: Path, parts: list[Path]) -> None:
    code, _, err = run("convert", parts[0], parts[1])
    assert (code, "exists already" in err) == (2, True)
    code, _, err = run("convert", parts[0], parts[0], "--force")
    assert (code, "files that are read" in err) == (2, True)
    code, _, err = run("merge", parts[0], *parts, "--force")
    assert (code, "files that are read" in err) == (2, True)
    assert run("convert", parts[0], parts[1], "--force")[0] == 0
    np.testing.assert_array_equal(open_dose(parts[1]).dose, open_dose(parts[0]).dose)


def test_an_old_uncertainty_is_not_that_of_a_new_dose(tmp_path: Path) -> None:
    for name in ("a.mhd", "a.nii.gz"):
        write_dose(tmp_path / name, made(0))
        bare = DoseFile(EDGES, made(1).dose)
        write_dose(tmp_path / name, bare)
        assert open_dose(tmp_path / name).uncertainty is None


def test_merge(tmp_path: Path, parts: list[Path]) -> None:
    code, out, _ = run("merge", tmp_path / "3ddose.out", *parts)
    assert (code, "histories 3000" in out) == (0, True)
    mean = np.mean([made(i).dose for i in range(3)], axis=0)
    np.testing.assert_allclose(open_dose(tmp_path / "3ddose.out").dose, mean, rtol=1e-6)
    code, _, err = run("merge", tmp_path / "b.mhd", parts[0], parts[0])
    assert (code, "there twice" in err) == (2, True)


def test_histories_of_files_without_them(tmp_path: Path, parts: list[Path]) -> None:
    files = [tmp_path / f"{i}.3ddose" for i in range(2)]
    for i, file in enumerate(files):
        write_dose(file, made(i))
    code, _, err = run("merge", tmp_path / "a.mhd", *files)
    assert (code, "without number of histories" in err) == (2, True)
    assert run("merge", tmp_path / "a.mhd", *files, parts[2], "--histories", 500)[0] == 0
    assert open_dose(tmp_path / "a.mhd").histories == 2000
    each = ("--histories", 400, "--histories", 700)
    assert run("merge", tmp_path / "b.mhd", *files, *each)[0] == 0
    expected = (400 * made(0).dose + 700 * made(1).dose) / 1100
    np.testing.assert_allclose(open_dose(tmp_path / "b.mhd").dose, expected, rtol=1e-6)
    assert "once for each file" in run("merge", tmp_path / "c.mhd", *files, parts[2], *each)[2]
    assert "another number of histories" in run("merge", tmp_path / "c.mhd", *files[:1], parts[2], *each)[2]


def test_parts_of_a_parallel_run(tmp_path: Path) -> None:
    phantom = VoxelPhantom(EDGES, ("H2O",), np.ones((4, 2, 3), np.int16), np.ones((4, 2, 3)))
    write_egsphant(tmp_path / "p.egsphant", phantom)
    for i in range(2):
        write_dose(tmp_path / f"w{i}.pardose", made(i), phantom=phantom)
    code, _, err = run("merge", tmp_path / "a.sqdose", tmp_path / "w0.pardose", tmp_path / "w1.pardose")
    assert (code, "phantom of the run is needed" in err) == (2, True)
    assert run("merge", tmp_path / "a.sqdose", tmp_path / "w0.pardose", tmp_path / "w1.pardose", "--phantom",
               tmp_path / "p.egsphant")[0] == 0  # fmt: skip
    np.testing.assert_allclose(open_dose(tmp_path / "a.sqdose").dose, (made(0).dose + made(1).dose) / 2, rtol=1e-5)


def test_analyse(tmp_path: Path, parts: list[Path]) -> None:
    code, out, _ = run("analyse", parts[0], "-o", tmp_path / "x", "--write", "csv", "--planes", "XY", "--json")
    figures = json.loads(out)
    assert code == 0
    assert figures["maximum"] == pytest.approx(made(0).dose.max(), rel=1e-6)
    assert [e["above_percent_of_maximum"] for e in figures["errors"]] == [20, 50, 90]
    assert figures["files"] == [str(tmp_path / "x.csv")]
    assert "Dose XY Z 3" in (tmp_path / "x.csv").read_text()
    assert "exists already" in run("analyse", parts[0], "-o", tmp_path / "x", "--write", "csv")[2]
    code, out, _ = run("analyse", parts[0])
    assert "Above 50 % of the highest" in out


def test_names_and_switches_of_gamos(tmp_path: Path, parts: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dosewright.workflow.dose_files.analyse.draw_histograms", lambda path, _: (path,))
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{path.name}\n" for path in parts))
    for name in ("sumSqdose", "mergeSqdose"):
        code, out, _ = run(name, listed, tmp_path / f"{name}.out", "FILLED")
        assert (code, "NEVENTS= 3000" in out) == (0, True)
        assert open_dose(tmp_path / f"{name}.out").format == "sqdose_filled"
    (tmp_path / "h.txt").write_text('1X "mine" 0 NVoxelX-1 0 0 0 0\n')
    switches = ("-NRead", 24, "-fOut", "o", "-fHistos", "h.txt", "-DoseMin", -15, "-DoseMax", -11)
    code, out, _ = run("analyseSqdose", "-f", parts[0], *switches, "-cont", "VECTOR", "-NVoxels", 24, "-verb", "debug")
    assert code == 0
    assert "MAXIMUM DOSE" in out and "AVERAGE ERROR 20% =" in out and "TOTAL DOSE" in out
    assert "=== saving histograms in file === o.root" in out
    assert '"mine"' not in out and "mine," in (tmp_path / "o.csv").read_text()
    code, out, _ = run("analyseSqdose", parts[0], "-verb", "silent")
    assert (code, out, (tmp_path / "dose_analyseSqdose.root").is_file()) == (0, "", True)
    assert "Did you mean 'vector'" in run("analyseSqdose", parts[0], "-cont", "vectr")[2]
    assert "another number of voxels" in run("analyseSqdose", parts[0], "-NVoxels", 25, "-fOut", "p")[2]
    assert "One dose file is needed" in run("analyseSqdose")[2]


def test_3ddose_as_gamos_does(tmp_path: Path) -> None:
    for i in range(2):
        write_dose(tmp_path / f"3ddose.{i}.out", made(i))
    (tmp_path / "list.txt").write_text("3ddose.0.out\n3ddose.1.out\n")
    assert run("sum3ddose", tmp_path / "list.txt", tmp_path / "sum.out")[0] == 0
    merged = open_dose(tmp_path / "sum.out")
    assert (merged.format, merged.histories) == ("3ddose_gamos", 2000)
    (tmp_path / "list.txt").write_text("// nothing\n")
    assert "names no file" in run("sum3ddose", tmp_path / "list.txt", tmp_path / "other.out")[2]
