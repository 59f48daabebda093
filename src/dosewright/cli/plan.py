"""dosewright plan: a plan written as something else."""

from pathlib import Path
from typing import Annotated

import typer

from dosewright.cli import options
from dosewright.cli.dose_options import Force, check_free
from dosewright.cli.faults import faults_reported

plan = typer.Typer(help="Write a plan as something else.", no_args_is_help=True, rich_markup_mode=None)


@plan.callback()
def _group() -> None:
    """Keep ``to-script`` a command of a group."""


@plan.command("to-script")
@options.asking_what
def to_script(
    *,
    what: options.WhatToCalculate,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the script goes.")] = Path(
        "script"
    ),
    histories: Annotated[
        str | None, typer.Option("--primaries", "-n", metavar="N", help="Histories per beam; default 1e6.")
    ] = None,
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Write what `calc` would deliver as a script in FRED's language; `dosewright fred` runs it."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.core.whole_file import write_whole_text
        from dosewright.execution.artifact import private_folder
        from dosewright.formats.dose.mhd import write_mhd
        from dosewright.formats.text.fred.taking import as_whole
        from dosewright.workflow.preprocess.case import open_case
        from dosewright.workflow.preprocess.target import build_target
        from dosewright.workflow.read_wishes import read_wishes
        from dosewright.workflow.treatment.plan_script import BEAMS, CT, HISTORIES, INPUT, TABLE, plan_script

        files = [output / name for name in (INPUT, TABLE, BEAMS, CT, Path(CT).with_suffix(".raw").name)]
        check_free(files, force=force)
        number = HISTORIES if histories is None else as_whole(histories, "--primaries", least=1)
        case = open_case(read_wishes(what.said()))
        target = build_target(case.study, case.request, case.library, case.tps, tuple(e.beam for e in case.beams))
        script = plan_script(case, target, number)
        private_folder(output)
        write_mhd(output / CT, script.ct, dtype="i2")
        for name, text in script.texts.items():
            write_whole_text(output / name, text)
        if as_json:
            said = {"files": [str(path) for path in files], "notes": script.said}
            typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
            return
        for sentence in script.said:
            typer.echo(f"Note: {sentence}")
        typer.echo(f"Written: {output / INPUT}. Run it with: dosewright fred {output / INPUT}")
