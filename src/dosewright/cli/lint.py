"""dosewright lint: what a calculation of this plan would find, miss and assume; runs nothing."""

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, REFUSED, faults_reported


def lint(
    plan: options.Plan,
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
    library: options.Library = None,
    login: options.Login = None,
    as_json: options.Json = False,
) -> None:
    """Say what was found, is missing and will be assumed."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.workflow.lint import lint_plan
        from dosewright.workflow.request import checked_request, read_goals, read_overrides

        problems: list[str] = []
        goals, _ = read_goals(None, None, None, problems)
        request = checked_request(
            problems,
            plan=plan,
            goals=goals,
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
            library=library,
            login=login,
        )
        found = lint_plan(request)
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False) if as_json else found.text())
    raise typer.Exit(REFUSED if found.missing else DONE)
