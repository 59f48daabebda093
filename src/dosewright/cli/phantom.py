"""dosewright phantom: phantoms of voxels made of a CT, and looked at."""

from pathlib import Path
from typing import Annotated

import typer

from dosewright.cli import options
from dosewright.cli.faults import faults_reported

phantom = typer.Typer(
    help="Make an egsphant file of a CT, or look at a text phantom.", no_args_is_help=True, rich_markup_mode=None
)

Triple = tuple[float, float, float]


@phantom.command(name="from-dicom")
def from_dicom(
    ct: Annotated[Path, typer.Argument(metavar="CT", help="The folder that holds the CT, or a MetaImage in HU.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="X.egsphant", help="The phantom.")],
    protocol: Annotated[
        str | None,
        typer.Option("--ct-protocol", "-c", metavar="NAME|FILE", help="CT protocol; default: that of the library."),
    ] = None,
    ramp: Annotated[
        str | None,
        typer.Option("--ramp", metavar="FILE|default", help="Ramps of ctcreate or egs++; default: ctcreate's own."),
    ] = None,
    offset: Annotated[
        float, typer.Option("--ct-offset", metavar="N", help="Added to HU to give the CT numbers of the ramps.")
    ] = 0.0,
    voxel: Annotated[
        Triple | None, typer.Option("--voxel", metavar="X Y Z", help="Size of the voxels in mm; default: the CT's.")
    ] = None,
    low: Annotated[Triple | None, typer.Option("--from", metavar="X Y Z", help="Lower corner in mm.")] = None,
    high: Annotated[Triple | None, typer.Option("--to", metavar="X Y Z", help="Higher corner in mm.")] = None,
    body: Annotated[
        float | None,
        typer.Option("--body-margin", metavar="MM", min=0.0, help="Crop to what is denser than lung and so much more."),
    ] = None,
    series: Annotated[
        str | None, typer.Option("--series", metavar="UID", help="The series to take, where there are several.")
    ] = None,
    library: options.Library = None,
    as_json: options.Json = False,
) -> None:
    """Make an egsphant file of a CT: mean CT numbers of its voxels, looked up in a CT protocol or ramps."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.commissioning.ct_phantom import Region
        from dosewright.workflow.phantom_files import FromCt, phantom_from_ct, text_of

        region = Region(voxel, low, high, body)
        made = phantom_from_ct(FromCt(ct, output, region, protocol, ramp, offset, series, library))
        typer.echo(json.dumps(made, indent=2, ensure_ascii=False) if as_json else text_of(made))


@phantom.command()
def info(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An egsphant or g4dcm file.")],
    as_json: options.Json = False,
) -> None:
    """Show voxels, media and masses of a text phantom, and what a run takes its media for."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.workflow.phantom_files import phantom_info, text_of

        found = phantom_info(file)
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else text_of(found))
