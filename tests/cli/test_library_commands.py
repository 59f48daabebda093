"""dosewright init and dosewright check: exit codes, text, JSON."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dosewright.cli.main import app


def run(*arguments: str) -> tuple[int, str, str]:
    shown = CliRunner().invoke(app, arguments)
    return shown.exit_code, shown.stdout, shown.stderr


@pytest.fixture(autouse=True)
def nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOSEWRIGHT_LIBRARY", raising=False)
    for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "user"))


def test_init_makes_a_library_that_check_and_query_accept(tmp_path: Path) -> None:
    code, said, _ = run("init", str(tmp_path / "site"), "--name", "clinic")
    assert code == 0, said
    for part in ("settings.toml", "beam_models/generic.toml", "ok     Versions: Python 3", "MB/s written", "Next: "):
        assert part in said
    code, said, _ = run("check", str(tmp_path / "site"))
    assert code == 0, said
    assert "1 beam models: generic" in said
    assert said.endswith("No problem was found.\n")
    code, said, _ = run("query", "-C", "-Z", "-s", str(tmp_path / "site"))
    assert code == 0
    assert "artificial" in said
    code, _, refused = run("init", str(tmp_path / "site"))
    assert code == 2
    assert "new or empty folder; nothing was changed" in refused


def test_init_as_json(tmp_path: Path) -> None:
    code, said, _ = run("init", str(tmp_path / "site"), "--json")
    told = json.loads(said)
    assert code == 0
    assert "settings.toml" in told["files"]
    assert {"what", "found", "caution", "wrong"} == set(told["machine"][0])


def test_check_lists_problems_and_exits_with_2(tmp_path: Path) -> None:
    run("init", str(tmp_path / "site"))
    (tmp_path / "site" / "settings.toml").write_text("[goals]\ntop_voxel = 3\n")
    (tmp_path / "site" / "materials.toml").write_text("[[material]]\n")
    code, said, _ = run("check", str(tmp_path / "site"))
    assert code == 2
    assert "Did you mean 'top_voxels'?" in said
    assert "The key 'material.0.name' is missing" in said
    code, said, _ = run("check", str(tmp_path / "site"), "--json")
    assert code == 2
    assert len(json.loads(said)["problems"]) == 4
    code, said, refused = run("check", str(tmp_path / "none"))
    assert code == 2
    assert "The library does not exist" in refused
