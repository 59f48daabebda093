"""Progress on a terminal and without one."""

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from dosewright.cli.progress import Bars, PlainLines, figures
from dosewright.workflow.watch import BeamProgress

HALF = BeamProgress(1, "Left [b]", 500_000, 21_000.0, 2.345, 24.0, 90.0, 0.5)
START = BeamProgress(1, "Left", 0, 0.0, None, 0.0, None, 0.0)


def test_figures_are_primaries_rate_uncertainty_and_time_left() -> None:
    assert figures(HALF) == "500,000 primaries  21,000/s  2.35 %  90 s left"
    assert figures(START) == "0 primaries  0/s"


def test_plain_lines_are_few_but_the_last_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines()
    for _ in range(5):
        lines.progress(HALF)
    lines.progress(BeamProgress(1, "Left", 10, 1.0, 2.0, 1.0, 0.0, 1.0))
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_bar_per_beam_with_names_taken_literally() -> None:
    shown = io.StringIO()
    with Progress(console=Console(file=shown, force_terminal=True, width=120)) as bars:
        watch = Bars(bars)
        watch.say("Note: [red]not a colour[/red]")
        watch.progress(START)
        watch.progress(HALF)
        assert len(bars.tasks) == 1
        assert bars.tasks[0].completed == pytest.approx(0.5)
    assert "[red]not a colour[/red]" in shown.getvalue()
