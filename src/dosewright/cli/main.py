"""The command `dosewright`; each command lives in its own file."""

import sys

import typer

from dosewright.cli.approve import approve
from dosewright.cli.calc import calc
from dosewright.cli.check import check
from dosewright.cli.conformance import conformance
from dosewright.cli.demo import demo
from dosewright.cli.dose import app as dose
from dosewright.cli.faults import BROKEN, report_fault
from dosewright.cli.fit import fit
from dosewright.cli.fred import fred
from dosewright.cli.init import init
from dosewright.cli.jobs import app as jobs
from dosewright.cli.lint import lint
from dosewright.cli.phantom import phantom
from dosewright.cli.phsp import phsp
from dosewright.cli.plan import plan
from dosewright.cli.query import query
from dosewright.cli.scene import scene
from dosewright.cli.simulate import simulate
from dosewright.cli.study import study
from dosewright.cli.version import version

app = typer.Typer(
    name="dosewright",
    help="Independent Monte Carlo dose for radiotherapy: a DICOM plan in, a dose with its uncertainty out. "
    "A quality-assurance and research tool; no medical device.",
    epilog="Exit codes: 0 done; 2 the input was refused; 3 stopped by its time limit or on request, with a valid "
    "result; 4 compared, and not alike; 130 stopped without one; 1 our own fault.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
for command in (calc, simulate, fred, query, lint, demo, init, check, approve, conformance, version):
    app.command()(command)
app.add_typer(fit, name="fit")
app.add_typer(scene, name="scene")
app.add_typer(jobs, name="jobs")
app.add_typer(study, name="study")
app.add_typer(phsp, name="phsp")
app.add_typer(phantom, name="phantom")
app.add_typer(dose, name="dose")
app.add_typer(plan, name="plan")


def main() -> None:
    """Run the command line; nobody sees a traceback."""
    try:
        app(args=spread_overrides(sys.argv[1:]), prog_name="dosewright")
    except Exception as fault:
        report_fault(fault, None)
        sys.exit(BROKEN)


def spread_overrides(arguments: list[str]) -> list[str]:
    """Let one ``-m`` take several ROI:MATERIAL, as in IDEAL: repeat the option before each of them."""
    spread: list[str] = []
    listing = False
    for argument in arguments:
        if argument in ("-m", "--override"):
            listing = False
        elif listing and ":" in argument and not argument.startswith("-"):
            spread.append("-m")
        else:
            listing = False
        spread.append(argument)
        listing = listing or (len(spread) > 1 and spread[-2] in ("-m", "--override"))
    return spread
