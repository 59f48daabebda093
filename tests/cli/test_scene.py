"""dosewright scene: exit codes, text, JSON, and a picture."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dosewright.cli.main import app

HEAD = """
[scene]
fill = "vacuum"

[[part]]
name = "plate"
material = "G4_W"
box = { size_mm = [40.0, 40.0, 10.0] }
centre_mm = [0.0, 0.0, 100.0]

[[part]]
name = "foil"
material = "G4_KAPTON"
box = { size_mm = [40.0, 40.0, 0.1] }
centre_mm = [0.0, 0.0, FOIL]
"""


def run(*arguments: str) -> tuple[int, str, str]:
    shown = CliRunner().invoke(app, ["scene", *arguments])
    return shown.exit_code, shown.stdout, shown.stderr


@pytest.fixture(autouse=True)
def nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOSEWRIGHT_LIBRARY", raising=False)
    for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "user"))


def written(folder: Path, foil_mm: float) -> str:
    path = folder / "head.toml"
    path.write_text(HEAD.replace("FOIL", str(foil_mm)))
    return str(path)


def test_a_scene_that_is_right(tmp_path: Path) -> None:
    code, said, _ = run("check", written(tmp_path, 94.9), "-n", "50")
    assert code == 0, said
    assert "head.toml: 2 parts" in said
    assert "G4_KAPTON" in said
    assert "note: There is a gap of 0.05" in said
    assert said.endswith("50 rays followed, none lost. No problem was found.\n")


def test_a_scene_that_is_wrong_ends_with_2(tmp_path: Path) -> None:
    code, said, _ = run("check", written(tmp_path, 95.04))
    assert code == 2
    assert "The parts 'plate' and 'foil' overlap: both hold the point (" in said
    code, said, _ = run("check", written(tmp_path, 95.04), "--json")
    told = json.loads(said)
    assert code == 2
    assert told["overlaps"][0]["first"] == "plate"
    assert 95.0 < told["overlaps"][0]["at_mm"][2] < 95.09
    assert told["overlaps"][0]["where"]
    assert len(told["problems"]) == 1


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    assert run("check", str(tmp_path / "none.toml"))[0] == 2
    code, _, refused = run("draw", written(tmp_path, 94.0), "-o", str(tmp_path / "it.png"), "--plane", "q=1")
    assert code == 2
    assert "Allowed: such as x=0 or z=-12.5" in refused


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    output = tmp_path / "it.png"
    code, said, _ = run(
        "draw", written(tmp_path, 94.0), "-o", str(output), "--plane", "y=0", "--zoom", "foil", "--json"
    )
    assert code == 0, said
    assert json.loads(said)["planes"] == ["y=0"]
    assert output.read_bytes().startswith(b"\x89PNG")
    code, said, _ = run(
        "draw", written(tmp_path, 94.0), "-o", str(output), "--from", "-5", "-5", "90", "--to", "5", "5", "99"
    )
    assert code == 0, said
