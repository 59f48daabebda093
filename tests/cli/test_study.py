"""dosewright study: what is refused, and how."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dosewright.cli.faults import REFUSED
from dosewright.cli.main import app

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "run_files"


def refused(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["study", "cuts", *map(str, arguments), "--json"])
    assert done.exit_code == REFUSED, done.output
    return "\n".join(json.loads(done.stdout)["refused"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lose", "0"], "So many particles may not be lost. Given: 0 %. Allowed: more than 0, up to 50 %"),
        (["--half-width", "0", "10"], "no such half width"),
        (["--histories", "many"], "goal.histories"),
        (["--region", "tarjet"], "Did you mean 'target'?"),
        (["--plane", "100"], "inside the box of voxels"),
        (["--dose"], "No cut is asked for"),
        (["--dose", "--photon-cut", "much"], "This is no cut. Given: 'much'."),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path: Path, arguments: list[str], said: str) -> None:
    assert said in refused(EXAMPLE / "linac_6MV.toml", "-o", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()


def test_runs_without_a_scene_have_nothing_to_study(tmp_path: Path) -> None:
    assert "studied in a scene" in refused(EXAMPLE / "photons.toml", "-o", tmp_path / "out", "--plane", "-10")


def test_a_study_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "cuts.json").write_text("{}", encoding="utf-8")
    assert "holds a study already" in refused(EXAMPLE / "linac_6MV.toml", "-o", tmp_path)
