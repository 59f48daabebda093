"""The end of a calculation on the terminal: what was reached, how it compares, where the report is."""

import json
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dosewright.workflow.goals import duration_text
from dosewright.workflow.pipeline import Outcome


def show_outcome(outcome: Outcome, *, as_json: bool) -> None:
    """Print the summary as JSON, or its main figures for people."""
    summary = outcome.summary
    if as_json:
        typer.echo(json.dumps({"folder": str(outcome.folder.path), **summary}, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(beam_table(summary))
    largest, failing = error_cells(summary["plan_dose_Gy"].get("dose_errors") or {})
    of = (summary["plan_dose_Gy"].get("dose_errors") or {}).get("of", "")
    console.print(escape(f"Plan: largest error {largest}{f', failing {failing}' if failing else ''}; {of}, 1 sigma."))
    if summary["gamma"]:
        console.print(gamma_table(summary))
    for ratio in summary["high_dose_ratios"]:
        spread = f" +- {ratio['uncertainty']:.4f}" if ratio["uncertainty"] is not None else ""
        console.print(
            escape(f"{ratio['dose']}: mean calculated over mean planned high dose {ratio['ratio']:.4f}{spread}")
        )
    if summary["warnings"]:
        warnings, assumptions = (counted(len(summary[kind]), kind) for kind in ("warnings", "assumptions"))
        console.print(f"{warnings} and {assumptions}: see the report.")
    if not summary["goal_reached"]:
        by = "on request" if any(beam["ended"] == "request" for beam in summary["beams"]) else "by the time limit"
        console.print(f"Stopped {by} before the goal; the result is valid with its stated uncertainty.")
    console.print(f"Role: {escape(summary['role'])}. {escape(summary['note'])}")
    typer.echo(f"Report: {outcome.folder.report}")


def counted(number: int, plural: str) -> str:
    """Return ``1 warning``, ``2 warnings``."""
    return f"{number} {plural.removesuffix('s') if number == 1 else plural}"


def beam_table(summary: dict[str, Any]) -> Table:
    """Return the beams with primaries, uncertainty and time."""
    names = ("Beam", "Primaries", "Uncertainty", "Largest error", "Failing", "Goal", "Time")
    table = Table(*names, box=None, header_style="bold")
    for beam in summary["beams"]:
        percent = beam["mean_uncertainty_percent"]
        table.add_row(
            escape(f"{beam['number']} {beam['name']}"),
            f"{beam['histories']:,}",
            "unknown" if percent is None else f"{percent:.2f} %",
            *error_cells(beam.get("dose_errors") or {}),
            "reached" if beam["goal_reached"] else "not reached",
            duration_text(beam["wall_seconds"]),
        )
    return table


def error_cells(errors: dict[str, Any]) -> tuple[str, str]:
    """Return the largest error of the dose, and how many of the voxels that count fail."""
    if not errors.get("voxels"):
        return "unknown", ""
    failing = errors["failing"]
    return (
        f"{errors['largest_percent']:.2f} %",
        "no goal" if failing is None else f"{failing:,} of {errors['voxels']:,}",
    )


def gamma_table(summary: dict[str, Any]) -> Table:
    """Return the pass rates of whole doses, both ways."""
    names = ("Gamma", "Criterion", "Region", "Passing", "The other way")
    table = Table(*names, box=None, header_style="bold")
    for gamma in summary["gamma"]:
        rates = list(gamma["pass_percent"].items())[:2]
        shown = ("nothing compared" if percent is None else f"{percent:.1f} %" for _, percent in rates)
        table.add_row(escape(gamma["dose"]), gamma["criterion"], escape(rates[0][0]), *shown)
    return table
