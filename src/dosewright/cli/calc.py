"""dosewright calc: a plan in, an independent dose with its report out."""

from typing import TYPE_CHECKING

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, OUT_OF_TIME, faults_reported

if TYPE_CHECKING:
    from dosewright.workflow.request import Wishes


@options.asking_what
def calc(
    *,
    histories: options.Histories = None,
    uncertainty: options.Uncertainty = None,
    time: options.Time = None,
    dd: options.DoseError = None,
    dco: options.DoseCutOff = None,
    dd_type: options.DoseErrorType = None,
    dgref: options.DoseReference = None,
    per: options.Per = None,
    what: options.WhatToCalculate,
    seed: options.Seed = "1",
    output: options.Output = None,
    threads: options.Threads = "0",
    keep: options.Keep = False,
    write: options.Write = None,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> None:
    """Calculate an independent dose of a plan, compare it and report."""
    with faults_reported(output, as_json=as_json):
        from dosewright.workflow.read_wishes import read_wishes

        said = {**what.said(), "histories": histories, "uncertainty": uncertainty, "time": time, "seed": seed}
        said |= {"dd": dd, "dco": dco, "dd_type": dd_type, "dgref": dgref}
        said |= {"output": output, "threads": threads, "keep_parts": keep, "goal_scope": per}
        said["write"] = None if write is None else tuple(write)
        wishes = read_wishes(said)
    raise typer.Exit(run(wishes, verbose=verbose, as_json=as_json))


def run(wishes: "Wishes", *, verbose: bool = False, as_json: bool = False) -> int:
    """Calculate, show progress and result; return the exit code."""
    with faults_reported(as_json=as_json):
        from dosewright.cli.outcome import show_outcome
        from dosewright.cli.progress import watching
        from dosewright.workflow.pipeline import calculate
        from dosewright.workflow.preprocess.case import open_case

        case = open_case(wishes)
    with faults_reported(case.output, as_json=as_json, resumes=True):
        with watching(verbose=verbose) as watch:
            outcome = calculate(case, watch)
        show_outcome(outcome, as_json=as_json)
        return DONE if outcome.goal_reached else OUT_OF_TIME
