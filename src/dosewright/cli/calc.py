"""dosewright calc: a plan in, an independent dose with its report out."""

from typing import TYPE_CHECKING

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, OUT_OF_TIME, faults_reported

if TYPE_CHECKING:
    from dosewright.workflow.request import DoseRequest


def calc(
    plan: options.Plan,
    histories: options.Histories = None,
    uncertainty: options.Uncertainty = None,
    time: options.Time = None,
    beams: options.Beams = None,
    ct_protocol: options.Protocol = None,
    overrides: options.Overrides = None,
    phantom: options.Phantom = None,
    voxel_counts: options.VoxelCounts = None,
    full_ct_grid: options.FullCtGrid = False,
    beam_model: options.BeamModel = None,
    ignore_devices: options.IgnoreDevices = False,
    ct: options.CT = None,
    structures: options.Structures = None,
    doses: options.Doses = None,
    fraction_group: options.FractionGroup = None,
    seed: options.Seed = 1,
    output: options.Output = None,
    threads: options.Threads = 0,
    library: options.Library = None,
    login: options.Login = None,
    keep: options.Keep = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> None:
    """Calculate an independent dose of a plan, compare it and report."""
    with faults_reported(output, as_json=as_json):
        from dosewright.workflow.request import checked_request, read_goals, read_overrides

        problems: list[str] = []
        goals, assumed = read_goals(histories, uncertainty, time, problems)
        request = checked_request(
            problems,
            plan=plan,
            goals=goals,
            goals_assumed=assumed,
            output=output,
            beams=tuple(beams or ()),
            ct_protocol=ct_protocol,
            overrides=read_overrides(overrides or (), problems),
            phantom=phantom,
            voxel_counts=voxel_counts,
            full_ct_grid=full_ct_grid,
            beam_model=beam_model,
            ignore_devices=ignore_devices,
            ct=ct,
            structures=structures,
            doses=tuple(doses or ()),
            fraction_group=fraction_group,
            seed=seed,
            threads=threads,
            library=library,
            login=login,
            keep_parts=keep,
        )
    raise typer.Exit(run(request, verbose=verbose, as_json=as_json))


def run(request: "DoseRequest", *, verbose: bool = False, as_json: bool = False) -> int:
    """Calculate, show progress and result; return the exit code."""
    with faults_reported(as_json=as_json):
        from dosewright.cli.outcome import show_outcome
        from dosewright.cli.progress import watching
        from dosewright.workflow.pipeline import calculate
        from dosewright.workflow.preprocess.case import open_case

        case = open_case(request)
    with faults_reported(case.output, as_json=as_json):
        with watching(verbose=verbose) as watch:
            outcome = calculate(case, watch)
        show_outcome(outcome, as_json=as_json)
        return DONE if outcome.goal_reached else OUT_OF_TIME
