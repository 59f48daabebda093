"""dosewright demo: a made-up head, two proton fields, and the whole way to the report."""

from pathlib import Path
from typing import Annotated

import typer

from dosewright.cli.faults import faults_reported

DEMO_UNCERTAINTY_PERCENT = 3.0


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the case and its result go.")] = Path("demo"),
    uncertainty: Annotated[
        float, typer.Option("--uncertainty", "-u", metavar="PERCENT", help="Mean uncertainty per beam in percent.")
    ] = DEMO_UNCERTAINTY_PERCENT,
    threads: Annotated[int, typer.Option("--threads", "-j", metavar="N", help="Threads; 0 = all cores.")] = 0,
) -> None:
    """Make a small case and take it all the way to the report."""
    with faults_reported():
        from dosewright.cli.calc import run
        from dosewright.commissioning.site.library_folder import PACKAGED
        from dosewright.workflow.goals import Goals
        from dosewright.workflow.request import DoseRequest

        case = made_case(folder)
        request = DoseRequest(
            plan=case,
            goals=Goals(uncertainty_percent=uncertainty),
            output=folder / "result",
            threads=threads,
            library=PACKAGED,
        )
    raise typer.Exit(run(request))


def made_case(folder: Path) -> Path:
    """Return the demo case below a folder, made if it is not there."""
    from dosewright.commissioning.demonstration.demo_case import write_demo_case
    from dosewright.commissioning.site.catalog import Library
    from dosewright.commissioning.site.library_folder import PACKAGED

    case = folder / "case"
    if not case.exists():
        typer.echo(f"Making a demo case in {case}: CT, structures, plan and an analytical dose to compare with.")
        library = Library.open(PACKAGED)
        write_demo_case(case, library.beam_model("generic"), library.ct_protocol("generic"))
    return case
