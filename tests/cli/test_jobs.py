"""dosewright jobs: quick, thin, and useful without a library."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dosewright.cli.main import app

RUN = CliRunner()


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOSEWRIGHT_STATE", str(tmp_path / "state"))


def test_help_names_every_command() -> None:
    shown = RUN.invoke(app, ["jobs", "--help"]).output
    for command in ("list", "show", "follow", "stop", "archive", "restore", "purge", "tidy"):
        assert f"  {command} " in shown


@pytest.mark.parametrize("command", ["show", "follow", "stop", "archive", "restore", "purge"])
def test_an_unknown_job_is_refused_with_what_is_known(command: str) -> None:
    ended = RUN.invoke(app, ["jobs", command, "7"])
    assert ended.exit_code == 2
    assert "There is no job '7'. Known: none yet." in ended.output


def test_nothing_to_list_and_nothing_to_do() -> None:
    assert "There are no jobs yet" in RUN.invoke(app, ["jobs"]).output
    assert RUN.invoke(app, ["jobs", "list", "--json"]).output.strip() == "[]"
    assert "nothing to do" in RUN.invoke(app, ["jobs", "tidy"]).output


def test_a_broken_library_keeps_nobody_from_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOSEWRIGHT_LIBRARY", str(tmp_path / "nowhere"))
    listed = RUN.invoke(app, ["jobs", "list"])
    assert listed.exit_code == 0
    assert "the usual times of jobs are taken" in listed.output
    assert RUN.invoke(app, ["jobs", "tidy"]).exit_code == 2


def test_looking_at_jobs_loads_no_compiler() -> None:
    code = "import sys, dosewright.workflow.jobs.job_care, dosewright.cli.jobs; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
