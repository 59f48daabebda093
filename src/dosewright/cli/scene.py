"""dosewright scene: a scene file looked at, and drawn."""

from pathlib import Path
from typing import Annotated

import typer

from dosewright.cli import options
from dosewright.cli.faults import DONE, REFUSED, faults_reported

scene = typer.Typer(
    help="Look at the parts of a scene file, or draw them.", no_args_is_help=True, rich_markup_mode=None
)

File = Annotated[Path, typer.Argument(metavar="FILE", help="The scene file: TOML, or GAMOS geometry text.")]
Corner = tuple[float, float, float]


@scene.command()
def check(
    file: File,
    rays: Annotated[int, typer.Option("--rays", "-n", metavar="N", min=1, help="Rays followed through it.")] = 1000,
    slit: Annotated[
        float, typer.Option("--slit", metavar="MM", min=0.0, help="Gaps between parts that are thinner are told.")
    ] = 0.5,
    library: options.Library = None,
    as_json: options.Json = False,
) -> None:
    """Find overlaps, parts that reach out of their parents, slits and lost rays; weigh every part."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.commissioning.scenes.check import check_scene
        from dosewright.commissioning.scenes.opened import open_scene
        from dosewright.commissioning.site.catalog import Library

        of = Library.open(library)
        found = check_scene(open_scene(file, of.material, of.mlc_design), rays, slit)
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False) if as_json else found.text())
    raise typer.Exit(REFUSED if found.problems else DONE)


@scene.command()
def draw(
    file: File,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PNG", help="The picture.")],
    planes: Annotated[
        list[str] | None,
        typer.Option(
            "--plane",
            "-p",
            metavar="AXIS=MM",
            help="A cut, such as x=0 or z=-12.5; repeat for more. Default: x=0, y=0, and z through every collimator.",
        ),
    ] = None,
    low: Annotated[
        Corner | None, typer.Option("--from", metavar="X Y Z", help="Lower corner of what is shown.")
    ] = None,
    high: Annotated[
        Corner | None, typer.Option("--to", metavar="X Y Z", help="Higher corner of what is shown.")
    ] = None,
    zoom: Annotated[
        str | None, typer.Option("--zoom", metavar="PART", help="Show this part, or all whose names begin so.")
    ] = None,
    rays: Annotated[
        bool, typer.Option("--rays/--no-rays", help="Rays of the field edges, from the focus to the isocentre plane.")
    ] = False,
    phase: Annotated[float, typer.Option("--phase", metavar="DEG", help="Angle of what turns.")] = 0.0,
    library: options.Library = None,
    as_json: options.Json = False,
) -> None:
    """Draw cuts through a scene: materials in colour, names, axes in mm."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.commissioning.scenes.draw import draw_scene
        from dosewright.commissioning.scenes.opened import open_scene
        from dosewright.commissioning.site.catalog import Library

        of = Library.open(library)
        opened = open_scene(file, of.material, of.mlc_design)
        drawn = draw_scene(
            opened, output, planes=planes or (), low_mm=low, high_mm=high, zoom=zoom, rays=rays, phase_deg=phase
        )
        if as_json:
            typer.echo(json.dumps({"picture": str(output), "sha256": opened.sha256, "planes": drawn}, indent=2))
            return
        typer.echo(f"Picture: {output} ({', '.join(drawn)})")
