"""dosewright phsp: phase spaces looked at, changed, joined, compared."""

import typer

from dosewright.cli.phsp_analyse import analyse, analyse_ps, plot
from dosewright.cli.phsp_compare import compare
from dosewright.cli.phsp_info import info
from dosewright.cli.phsp_sum import combine, sum_files, sum_ps
from dosewright.cli.phsp_write import convert, repair, sample, shuffle, transform

phsp = typer.Typer(
    help="Phase spaces of IAEA, EGSnrc, TOPAS, GAMOS and our own: look, change, join, compare.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help", "-help"], "max_content_width": 120},
)
for command in (info, analyse, plot, compare, convert, transform, sample, shuffle, repair, combine):
    phsp.command()(command)
phsp.command("sum")(sum_files)
phsp.command("sumPS")(sum_ps)
phsp.command("analysePS")(analyse_ps)
