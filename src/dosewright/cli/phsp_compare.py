"""dosewright phsp compare: do two phase spaces differ by more than their statistics allow."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dosewright.cli import options
from dosewright.cli.faults import DIFFERENT, DONE, faults_reported
from dosewright.cli.phsp_files import LongBits, Z, bar, open_found, reading, say_aside, say_problems

if TYPE_CHECKING:
    from dosewright.phase_space.compare import Verdict


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A phase space.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The other one.")],
    significance: Annotated[
        float,
        typer.Option("--significance", metavar="P", min=1e-12, max=0.5, help="How often alike ones may be told apart."),
    ] = 0.01,
    long_bits: LongBits = None,
    z_mm: Z = None,
    as_json: options.Json = False,
) -> None:
    """Compare two phase spaces, quantity by quantity. Exit code 0: alike; 4: they differ."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.phase_space.compare import Side, common_edges, compared
        from dosewright.phase_space.look import Look

        readers = [open_found(path, long_bits, z_mm) for path in (first, second)]
        looks = (Look.at(readers[0]), Look.at(readers[1]))
        edges = common_edges(looks)
        sides = (Side(edges), Side(edges))
        for reader, side in zip(readers, sides, strict=True):
            say_problems(reader.info)
            with bar(reader.path.name, reader.info.particles) as tell:
                side.read(reading(reader, tell), reader.info.original_histories)
        verdicts = compared(*sides)
        differing = [verdict for verdict in verdicts if verdict.word(significance) == "differ"]
        if (planes := [look.plane_mm() for look in looks])[0] != planes[1]:
            say_aside(f"Note: They do not lie in one plane: z is {' and '.join(map(plane_text, planes))}.")
        if as_json:
            rows = [{**asdict(verdict), "verdict": verdict.word(significance)} for verdict in verdicts]
            typer.echo(json.dumps({"differ": bool(differing), "significance": significance, "tests": rows}, indent=2))
        else:
            typer.echo(table(verdicts, significance))
            typer.echo(conclusion(verdicts, differing, significance))
    raise typer.Exit(DIFFERENT if differing else DONE)


def table(verdicts: "list[Verdict]", significance: float) -> str:
    """Return the verdicts as a table."""
    lines = [f"{'particles':<10}{'quantity':<12}{'A':>12}{'B':>12}{'B - A':>12}{'+-':>10}"
             f"{'chi2/n':>14}{'p':>10}{'p of all':>10}  verdict"]  # fmt: skip
    for verdict in verdicts:
        if verdict.p is None:
            continue
        tested = f"{verdict.chi_square:.1f}/{verdict.freedom}" if verdict.freedom else "-"
        error = "-" if verdict.error is None else f"{verdict.error:.2g}"
        p, together = ("-" if value is None else f"{value:.3g}" for value in (verdict.p, verdict.p_together))
        lines.append(
            f"{verdict.particles:<10}{verdict.quantity:<12}{verdict.first:>12.5g}{verdict.second:>12.5g}"
            f"{verdict.second - verdict.first:>12.3g}{error:>10}{tested:>14}{p:>10}{together:>10}"
            f"  {verdict.word(significance)}"
        )
    return "\n".join(lines)


def plane_text(z_mm: float | None) -> str:
    """Return where a plane lies."""
    return "not constant" if z_mm is None else f"{z_mm:g} mm"


def conclusion(verdicts: "list[Verdict]", differing: "list[Verdict]", significance: float) -> str:
    """Return the verdict on all together in a sentence."""
    tested = sum(verdict.p is not None for verdict in verdicts)
    untold = sorted({f"{verdict.quantity} of {verdict.particles}" for verdict in verdicts if verdict.p is None})
    few = f"Too few to tell: {', '.join(untold)}.\n" if untold else ""
    if not tested:
        return few + "Too few particles to tell anything."
    if not differing:
        return few + f"Alike: none of {tested} tests tells them apart (together at {significance:g})."
    names = ", ".join(f"{verdict.quantity} of {verdict.particles}" for verdict in differing)
    return few + f"They differ in {names} ({len(differing)} of {tested} tests, together at {significance:g})."
