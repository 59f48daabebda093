"""dosewright simulate: exit codes, messages, JSON, and the examples."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dosewright.core.grid import Grid, Image
from dosewright.formats.dose.mhd import read_mhd, write_mhd

COMMAND = Path(sys.executable).with_name("dosewright")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "run_files"


def simulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "simulate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def few(name: str, folder: Path) -> Path:
    """Return a copy of an example without its uncertainty goal."""
    for path in EXAMPLES.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    text = (folder / name).read_text().replace("uncertainty_percent = 2\n", "")
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize("name", ["water_pencil.toml", "slabs.toml", "spots.toml"])
def test_the_examples_run(tmp_path: Path, name: str) -> None:
    done = simulate(few(name, tmp_path), "-o", tmp_path / "out", "--histories", "2e3", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["histories"] == 2000
    energy = summary["energy_MeV_per_primary"]
    assert abs(energy["residual"]) <= 1e-4 * energy["started"]
    assert energy["deposited"] > 0.94 * energy["started"]
    assert summary["folder"] == str(tmp_path / "out")
    again = simulate(tmp_path / "out" / "run.toml", "-o", tmp_path / "again", "-j", "1")
    assert again.returncode == 0, again.stderr
    for raw in (tmp_path / "out").glob("*.raw"):
        assert raw.read_bytes() == (tmp_path / "again" / raw.name).read_bytes()


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("photons.toml", {"dose.mhd"}),
        ("electrons.toml", {"dose.mhd", "dose_to_water.mhd"}),
        ("target.toml", {"spectrum_photon.csv", "spectrum_electron.csv"}),
    ],
)
def test_the_examples_of_photons_and_electrons_run(tmp_path: Path, name: str, files: set[str]) -> None:
    done = simulate(few(name, tmp_path), "-o", tmp_path / "out", "--histories", "2e3", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    energy = summary["energy_MeV_per_primary"]
    assert abs(energy["residual"]) <= 1e-4 * energy["started"]
    assert {score["file"] for score in summary["scores"]} == files
    assert all((tmp_path / "out" / file).is_file() for file in files)


@pytest.mark.parametrize(
    ("name", "histories", "modules", "file"),
    [
        ("jaws.toml", 2000, ["jaws", "jaws"], "dose.mhd"),
        ("linac_6MV.toml", 100, ["jaws", "jaws", "mlc"], "dose.mhd"),
        ("xray_tube.toml", 1000, ["converging_collimator"], "spectrum_photon.csv"),
    ],
)
def test_the_examples_of_scenes_run(tmp_path: Path, name: str, histories: int, modules: list[str], file: str) -> None:
    """Roulette leaves the energy account open in a single run; what it took and gave is in the books."""
    shutil.copytree(EXAMPLES.parent / "scenes", tmp_path / "scenes")
    (tmp_path / "run_files").mkdir()
    path = few(name, tmp_path / "run_files")
    done = simulate(path, "-o", tmp_path / "out", "--histories", histories, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    energy = summary["energy_MeV_per_primary"]
    assert abs(energy["residual"]) <= 1e-4 * energy["started"]
    assert [module["kind"] for module in summary["scene"]["modules"]] == modules
    assert [score["file"] for score in summary["scores"]] == [file]
    lines = (tmp_path / "out" / "parts.csv").read_text().splitlines()
    assert len(lines) == 2 + summary["scene"]["parts"]
    again = simulate(tmp_path / "out" / "run.toml", "-o", tmp_path / "again", "-j", "1")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again" / "parts.csv").read_bytes() == (tmp_path / "out" / "parts.csv").read_bytes()


def test_the_end_is_told_in_sentences(tmp_path: Path) -> None:
    done = simulate(few("spots.toml", tmp_path), "-o", tmp_path / "out", "-n", 2000, "--seed", 3)
    assert "2,000 histories" in done.stdout
    assert "Energy per primary in MeV: started 99.4" in done.stdout
    assert f"dose (Gy): {tmp_path / 'out' / 'dose.mhd'}" in done.stdout
    assert "seed = 3" in (tmp_path / "out" / "run.toml").read_text()


def test_stopped_by_time_is_code_3(tmp_path: Path) -> None:
    path = few("spots.toml", tmp_path)
    path.write_text(
        path.read_text().replace("histories = 1e5", "uncertainty_percent = 0.01").replace("= 10\n", "= 1e-4\n")
    )
    done = simulate(path, "-o", tmp_path / "out")
    assert done.returncode == 3, done.stderr
    assert "time limit" in done.stdout
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["goals"]["reached"] is False


def test_refusals_are_code_2_and_leave_nothing_behind(tmp_path: Path) -> None:
    path = few("spots.toml", tmp_path)
    path.write_text(path.read_text().replace("G4_WATER", "G4_WATR").replace('"spots.csv"', '"spot.csv"'))
    refused = simulate(path, "-o", tmp_path / "out", "--device", "cuda", "-n", "lots", "--json")
    assert refused.returncode == 2
    assert "refused for 4 reasons" in refused.stderr
    assert "Traceback" not in refused.stderr
    found = json.loads(refused.stdout)["refused"]
    for said in ("Did you mean 'G4_WATER'?", "source.file does not exist", "'cuda' is not available", "--histories"):
        assert any(said in one for one in found), found
    assert not (tmp_path / "out").exists()


def test_it_never_overwrites_the_run_file_itself(tmp_path: Path) -> None:
    path = few("spots.toml", tmp_path).rename(tmp_path / "run.toml")
    text = path.read_text()
    refused = simulate(path, "-o", tmp_path, "-n", 2000)
    assert refused.returncode == 2
    assert path.read_text() == text


def test_a_ct_takes_its_protocol_from_the_library(tmp_path: Path) -> None:
    values = np.zeros((30, 10, 10))
    values[10:20] = -1000
    write_mhd(tmp_path / "ct.mhd", Image(Grid((10, 10, 30), (4, 4, 2), (-18, -18, 1)), values), dtype="i2")
    text = (
        '[phantom]\nimage = "ct.mhd"\nhlut = "generic"\n[goal]\nhistories = 2000\n[source]\nkind = "pencil"\n'
        'particle = "proton"\nenergy_MeV = 70\nposition_mm = [0, 0, -5]\n[[score]]\nquantity = "energy"\n'
    )
    (tmp_path / "run.toml").write_text(text)
    done = simulate(tmp_path / "run.toml", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    along = read_mhd(tmp_path / "out" / "energy.mhd").values.sum(axis=(1, 2))
    last = 2 * (np.flatnonzero(along > 0.3 * along.max())[-1] + 1)
    assert last == pytest.approx(41 + 20, abs=2.5)  # the range in water, and 20 mm of air
    (tmp_path / "run.toml").write_text(text.replace("generic", "genric"))
    refused = simulate(tmp_path / "run.toml", "-o", tmp_path / "other")
    assert "Did you mean 'generic'?" in refused.stderr
    assert "run.toml, line 3" in refused.stderr


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = simulate(few("spots.toml", tmp_path), "-o", tmp_path / "file" / "out", "-n", 200)
    assert refused.returncode == 2
    assert "cannot be made" in refused.stderr
