"""The command line: quick, thin, and never a traceback."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from dosewright.cli.faults import BROKEN, REFUSED, STOPPED, faults_reported
from dosewright.cli.main import app, spread_overrides
from dosewright.core.errors import InputError

COMMAND = Path(sys.executable).with_name("dosewright")


def dosewright(*arguments: str, **keywords: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False, **keywords)  # type: ignore[call-overload, no-any-return]


def processor_seconds() -> float:
    """Return the processor time of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_help_is_quick() -> None:
    def seconds() -> float:
        started = processor_seconds()
        shown = dosewright("--help")
        assert shown.returncode == 0
        for command in ("calc", "query", "lint", "demo", "version"):
            assert command in shown.stdout
        return processor_seconds() - started

    assert min(seconds() for _ in range(5)) < 0.3


@pytest.mark.parametrize("heavy", ["numpy", "numba", "pydicom", "matplotlib", "scipy", "rich.console"])
def test_the_command_line_loads_nothing_heavy(heavy: str) -> None:
    code = f"import sys, dosewright.cli.main; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_option_has_its_letter_long_form_and_one_line_of_help() -> None:
    shown = dosewright("calc", "--help", env={**os.environ, "COLUMNS": "200"}).stdout
    for letter in "nutbcmpxfzjslvdo":
        line = next(line for line in shown.splitlines() if line.startswith(f"  -{letter}, --"))
        assert line.rstrip().endswith(".") or "[default" in line


def test_version() -> None:
    assert dosewright("version").stdout.startswith("dosewright 0")
    assert '"dosewright"' in dosewright("version", "--json").stdout


def test_one_m_takes_several_overrides() -> None:
    spread = spread_overrides(["calc", "-m", "A:G4_AIR", "B x:G4_Ti", "plan.dcm", "-n", "5"])
    assert spread == ["calc", "-m", "A:G4_AIR", "-m", "B x:G4_Ti", "plan.dcm", "-n", "5"]
    assert spread_overrides(["-m", "A:B", "-m", "C:D", "-o", "x:y"]) == ["-m", "A:B", "-m", "C:D", "-o", "x:y"]


def test_unknown_options_and_commands_are_refused() -> None:
    for arguments in (("calc", "--nonsense"), ("calx",), ("calc",)):
        refused = dosewright(*arguments)
        assert refused.returncode == REFUSED
        assert "Traceback" not in refused.stderr


def test_a_refusal_lists_every_problem(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left, faults_reported():
        raise InputError("first", "second")
    assert left.value.exit_code == REFUSED
    assert "2 reasons" in (shown := capsys.readouterr().err)
    assert "- first" in shown
    assert "- second" in shown


def test_a_refusal_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), faults_reported(as_json=True):
        raise InputError("first")
    assert '"first"' in capsys.readouterr().out


def test_our_own_fault_goes_to_the_log_whose_place_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log.txt").write_text("")
    with pytest.raises(typer.Exit) as left, faults_reported(tmp_path):
        raise ZeroDivisionError("secret detail")
    assert left.value.exit_code == BROKEN
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    assert str(tmp_path / "log.txt") in shown
    assert "Traceback" in (tmp_path / "log.txt").read_text()


def test_without_a_folder_the_log_is_private(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), faults_reported():
        raise ZeroDivisionError
    log = Path(capsys.readouterr().err.split("What happened is in ")[1].strip().rstrip("."))
    assert log.stat().st_mode & 0o777 == 0o600
    log.unlink()


@pytest.mark.parametrize(("resumes", "said"), [(True, "continues where it was"), (False, "begins anew")])
def test_an_interruption_says_how_to_go_on(capsys: pytest.CaptureFixture[str], resumes: bool, said: str) -> None:
    with pytest.raises(typer.Exit) as left, faults_reported(resumes=resumes):
        raise KeyboardInterrupt
    assert left.value.exit_code == STOPPED
    assert said in capsys.readouterr().err


def test_five_commands_are_there() -> None:
    assert {c.callback.__name__ for c in app.registered_commands if c.callback} >= {
        "calc",
        "query",
        "lint",
        "demo",
        "version",
    }
