"""dosewright fred: names of the input, exit codes, text, JSON, pictures, and nothing written over."""

import json
from pathlib import Path

import pytest
from tests.delivery.deliveries import HEAD
from tests.formats.text.fred.fred_texts import DECKS, deck, written
from typer.testing import CliRunner

from dosewright.cli.main import app


def run(*arguments: str) -> tuple[int, str, str]:
    shown = CliRunner().invoke(app, ["fred", *arguments])
    return shown.exit_code, shown.stdout, shown.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, HEAD + "deliver: field_1\ndeliver: field_2\nrun_script: a.py")
    return tmp_path


def test_a_dry_run_prints_and_draws_every_step(folder: Path) -> None:
    code, out, _ = run("fred.inp", "-n")
    assert code == 0
    assert "Step 1" in out and "Step 2" in out and "Script: a.py" in out
    assert "2 steps, drawn in out/setup. Nothing was transported." in out
    assert sorted(path.name for path in (folder / "out" / "setup").iterdir()) == ["step_0001.png", "step_0002.png"]


def test_nothing_is_erased_or_written_over_unless_it_is_asked_for(folder: Path) -> None:
    kept = written(folder, "kept", "out/score/dose.mhd")
    picture = written(folder, "mine", "out/setup/step_0002.png")
    code, _, err = run("-n")
    assert code == 2 and "exists already" in err
    assert not (folder / "out" / "setup" / "step_0001.png").exists()
    assert run("-n", "--force")[0] == 0
    assert kept.read_text() == "kept" and picture.stat().st_size > 1000
    code, out, _ = run("-n", "-o", "other", "--pictures", "1")
    assert code == 0 and "2 steps, 1 drawn" in out


BOX = """region: water ; O = [0,0,5] ; L = [4,4,10] ; voxels = [2,2,20] ; material = water ; score = [Dose, LETd]
field: 1 ; O = [0,0,-5]
pb: 1 1 ; T = 80 ; Xsec = gauss ; FWHM = 0.5 ; N = 1e6
nprim = 400
"""


def test_an_input_is_carried_out(folder: Path) -> None:
    written(folder, BOX)
    code, out, err = run("fred.inp", "-nprim", "1000", "-rseed", "3", "-numThreads", "1", "-V1")
    assert (code, err) == (0, "")
    assert "Step 1" in out and "water: 1e+06 particles by 1,000 histories" in out and "no medical device" in out
    score = {path.name for path in (folder / "out" / "score").iterdir()}
    assert {"water.Dose.mhd", "water.LETd.mhd", "water.Dose_uncertainty.mhd", "water.Dose.png"} <= score
    summary = json.loads((folder / "out" / "summary.json").read_text())
    assert summary["seed"] == 3 and summary["histories"] == 1000
    assert "Finished." in (folder / "out" / "log" / "run.out").read_text()
    code, _, err = run("fred.inp")
    assert code == 2 and "exists already" in err and "--force" in err
    code, out, _ = run("fred.inp", "--force", "--json")
    assert code == 0 and json.loads(out)["histories"] == 400


def test_scripts_that_are_not_allowed_and_what_is_not_done_are_refused_before_anything_runs(folder: Path) -> None:
    written(folder, BOX + "deliver: all\nrun_script: a.py")
    code, _, err = run("fred.inp")
    assert code == 2 and "not allowed" in err and "--allow-scripts" in err
    written(folder, BOX + "lTracking_nuc_el = f")
    code, _, err = run("fred.inp")
    assert code == 2 and "lTracking_nuc_el" in err
    assert not (folder / "out").exists()


def test_switches_of_fred(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "fred.inp").rename(folder / "sub" / "plan.inp")
    switches = ("-i", "sub", "-nprim", "1.5e3", "-rseed", "7", "-numThreads", "2", "-n", "-o", "new")
    code, out, _ = run("-f", "plan.inp", *switches, "-V4")
    assert code == 0 and " 1500" in out
    code, out, _ = run("plan.inp", *switches, "-V0", "--force")
    assert code == 0 and "origin" not in out
    code, out, _ = run("sub/plan.inp", *switches, "--json", "--pictures", "0")
    values = json.loads(out)
    assert code == 0
    assert (values["seed"], values["threads"], values["pictures"], values["output"]) == (7, 2, [], "new")
    assert [step["fields"][0]["particles"] for step in values["steps"]] == [7e6, 24e6]
    assert run("a.inp", "-f", "b.inp", "-n")[0] == 2
    assert run("sub/plan.inp", "-nprim", "x", "-n")[0] == 2
    assert run("sub/plan.inp", "-V6", "-n")[0] == 2


def test_all_mistakes_are_listed(folder: Path) -> None:
    written(folder, HEAD + "transform: phanton shift_by 1 0 0\nrestore: 4\nfoo = 1")
    code, _, err = run("-n")
    assert code == 2
    assert "3 reasons" in err and "Did you mean 'phantom'" in err and "Nothing was saved" in err
    code, out, _ = run("-n", "--json")
    assert code == 2 and len(json.loads(out)["refused"]) == 3
    assert run("nowhere.inp", "-n")[0] == 2


def test_scripts_are_looked_for_where_they_are_allowed_and_never_run(folder: Path) -> None:
    code, _, err = run("-n", "--allow-scripts")
    assert code == 2 and "A script is not there" in err
    written(folder, "open('ran', 'w')", "a.py")
    assert run("-n", "--allow-scripts")[0] == 0
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("name", DECKS)
def test_the_real_decks(shared_data: Path, tmp_path: Path, name: str) -> None:
    path = deck(shared_data, tmp_path, name)
    code, out, _ = run(str(path), "-n", "-o", str(tmp_path / "out"))
    assert code == 0
    assert "1 region, 2 fields" in out and "2 steps, drawn in" in out
