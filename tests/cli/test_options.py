"""Options that `calc` and `lint` share are listed once and reach both."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dosewright.cli import options
from dosewright.cli.main import app
from dosewright.workflow.request import Wishes


def test_calc_and_lint_have_the_same_options_for_what_is_calculated() -> None:
    commands = vars(typer.main.get_command(app))["commands"]
    shared = list(options.WhatToCalculate.__dataclass_fields__)
    calc, lint = ([option.name for option in commands[name].params] for name in ("calc", "lint"))
    assert [name for name in lint if name not in ("as_json", "help")] == shared
    assert [name for name in calc if name in shared] == shared
    assert len(set(calc)) == len(calc)


def test_the_options_reach_the_command_as_one_value() -> None:
    seen: list[tuple[options.WhatToCalculate, str]] = []
    small = typer.Typer()

    @small.command()
    @options.asking_what
    def command(*, seed: options.Seed = "1", what: options.WhatToCalculate) -> None:
        seen.append((what, seed))

    typed = ["plan", "-b", "1", "-b", "2", "-x", "1", "2", "z", "-f", "--dose", "d", "--seed", "7"]
    ended = CliRunner().invoke(small, typed)
    assert ended.exit_code == 0, ended.output
    ((what, seed),) = seen
    assert seed == "7"
    assert what == options.WhatToCalculate(
        Path("plan"), beams=["1", "2"], voxel_counts=("1", "2", "z"), full_ct_grid=True, doses=[Path("d")]
    )
    assert what.said()["beams"] == ("1", "2")
    assert what.said()["doses"] == (Path("d"),)


@pytest.mark.parametrize("field", options.WhatToCalculate.__dataclass_fields__)
def test_the_names_are_those_of_the_wishes(field: str) -> None:
    assert field in Wishes.__dataclass_fields__
