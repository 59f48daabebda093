"""dosewright dose compare, profile, plot: dose files of any kind looked at."""

from pathlib import Path
from typing import Annotated

import typer

from dosewright.cli import options
from dosewright.cli.dose_options import Alphabet, Force, Phantom, Sums, check_free, opened
from dosewright.cli.faults import DIFFERENT, DONE, faults_reported

File = Annotated[Path, typer.Argument(metavar="FILE", help="A dose file of any known format, or a run's folder.")]
Through = Annotated[
    str | None, typer.Option("--through", metavar="X,Y,Z", help="A point in mm; default: the maximum of the dose.")
]


def compare(
    reference: Annotated[Path, typer.Argument(metavar="A", help="The reference: sets maximum, threshold and voxels.")],
    evaluated: Annotated[Path, typer.Argument(metavar="B", help="The dose that is judged; gamma searches it.")],
    gamma: Annotated[
        list[str] | None,
        typer.Option("--gamma", "-g", metavar="PERCENT/MM", help="A criterion; repeat. Default: 3/3 and 2/2."),
    ] = None,
    no_gamma: Annotated[bool, typer.Option("--no-gamma", help="No gamma.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Gamma's percentage is of the local dose.")] = False,
    threshold: Annotated[
        float, typer.Option("--threshold", metavar="PERCENT", min=0.0, max=100.0, help="Doses below are left out.")
    ] = 10.0,
    cap: Annotated[float, typer.Option("--cap", metavar="GAMMA", min=1.0, help="The largest gamma looked for.")] = 2.0,
    scale: Annotated[
        str | None,
        typer.Option("--scale", metavar="N|match", help="Multiply B; match: make the mean high doses equal."),
    ] = None,
    judge: Annotated[
        str, typer.Option("--judge", metavar="WHO", help="Who says whether they agree: gamma, noise or both.")
    ] = "gamma",
    pass_rate: Annotated[
        float, typer.Option("--pass", metavar="PERCENT", min=0.0, max=100.0, help="Rate that the first gamma needs.")
    ] = 95.0,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out what noise does to gamma.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="PNG", help="A picture.")] = None,
    phantom: Phantom = None,
    alphabet: Alphabet = None,
    sums: Sums = False,
    threads: Annotated[int, typer.Option("--threads", "-j", metavar="N", min=0, help="Threads; 0 = all cores.")] = 0,
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Compare two doses: differences, statistics, gamma. Exit code 0 if they agree, 4 if not."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.workflow.dose_files.compare import compare_doses
        from dosewright.workflow.dose_files.comparison_asked import asked_for
        from dosewright.workflow.dose_files.say_comparison import as_numbers, as_text

        asked = asked_for(
            () if no_gamma else gamma or ("3/3", "2/2"), local=local, threshold=threshold, cap=cap, scale=scale,
            judge=judge, pass_rate=pass_rate, quick=quick, threads=threads or None,
        )  # fmt: skip
        check_free([] if output is None else [output], force=force, inputs=[reference, evaluated])
        (_, first), (_, second) = (opened(path, phantom, alphabet, sums=sums) for path in (reference, evaluated))
        found = compare_doses(first, second, asked)
        names = (reference.name or str(reference), evaluated.name or str(evaluated))
        if output is not None:
            from dosewright.workflow.dose_files.comparison_picture import draw_comparison

            draw_comparison(output, found, names)
        notes = [f"{name}: {one}" for name, dose in zip(names, (first, second), strict=True) for one in _told(dose)]
        if as_json:
            numbers = as_numbers(found)
            numbers["notes"] += notes
            said = {"reference": str(reference), "evaluated": str(evaluated), **numbers}
            typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
        else:
            typer.echo("\n".join([*(f"Note: {one}" for one in notes), as_text(found, names)]))
            typer.echo("The doses agree." if found.agrees else "The doses do not agree.")
            if output is not None:
                typer.echo(f"Picture: {output}")
    raise typer.Exit(DONE if found.agrees else DIFFERENT)


def profile(
    file: File,
    along: Annotated[str, typer.Option("--along", metavar="x|y|z", help="The axis.")] = "z",
    through: Through = None,
    surface: Annotated[
        float | None, typer.Option("--surface", metavar="MM", help="Give depths below this coordinate.")
    ] = None,
    backwards: Annotated[bool, typer.Option("--backwards", help="Depth grows towards lower coordinates.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="NAME", help="Write NAME.csv and NAME.png.")
    ] = None,
    phantom: Phantom = None,
    alphabet: Alphabet = None,
    sums: Sums = False,
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Show the voxels along a line, with ranges, widths and penumbras where they exist."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.workflow.dose_files.comparison_asked import axis_of, point_of
        from dosewright.workflow.dose_files.profiles import draw_line, line_through, write_line

        axis, point = axis_of(along), point_of(through)
        files = [] if output is None else [output.with_name(output.name + end) for end in (".csv", ".png")]
        check_free(files, force=force, inputs=[file])
        _, dose = opened(file, phantom, alphabet, sums=sums)
        line = line_through(dose, axis, point, surface, backwards=backwards)
        if files:
            write_line(files[0], line)
            draw_line(files[1], line, file.name)
        if as_json:
            said = {
                "file": str(file), "unit": line.unit, "along": "xyz"[axis], "through_mm": list(line.through_mm),
                "depth": line.depth, "position_mm": line.position_mm.tolist(), "dose": line.dose.tolist(),
                "standard_error": None if line.sigma is None else line.sigma.tolist(),
                "figures": {name: {"value": one.value_mm, "sigma": one.sigma_mm} for name, one in line.figures.items()},
                "files": [str(one) for one in files], "notes": _told(dose),
            }  # fmt: skip
            typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
            return
        x, y, z = line.through_mm
        typer.echo(f"{file}: along {'xyz'[axis]} through x, y, z = {x:g}, {y:g}, {z:g} mm, {len(line.dose)} voxels, "
                   f"highest {line.dose.max():.6g} {line.unit}")  # fmt: skip
        for name, one in line.figures.items():
            spread = "" if one.sigma_mm is None else f" +- {one.sigma_mm:.2f}"
            typer.echo(f"  {name.removesuffix('_mm').replace('_', ' '):26} {one.value_mm:9.2f}{spread} mm")
        for sentence in _told(dose):
            typer.echo(f"Note: {sentence}")
        for one_file in files:
            typer.echo(f"Written: {one_file}")


def plot(
    file: File,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PNG", help="The picture.")],
    through: Through = None,
    isodoses: Annotated[
        str | None, typer.Option("--isodoses", metavar="P,P,...", help="Lines, in percent of the maximum.")
    ] = None,
    ct: Annotated[Path | None, typer.Option("--ct", metavar="PATH", help="A CT behind: folder, or MetaImage.")] = None,
    phantom: Phantom = None,
    alphabet: Alphabet = None,
    sums: Sums = False,
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Draw three planes through the maximum or a point: dose with isodoses, uncertainty."""
    with faults_reported(as_json=as_json):
        import json

        from dosewright.workflow.dose_files.comparison_asked import isodoses_of, point_of
        from dosewright.workflow.dose_files.plot import draw_dose
        from dosewright.workflow.phantom_files import read_hounsfield

        point, levels = point_of(through), isodoses_of(isodoses)
        check_free([output], force=force, inputs=[file])
        _, dose = opened(file, phantom, alphabet, sums=sums)
        image = None if ct is None else read_hounsfield(ct, None)[0]
        place = draw_dose(output, dose, file.name, point, levels, image)
        if as_json:
            said = {"picture": str(output), "through_mm": list(place), "notes": _told(dose)}
            typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
            return
        typer.echo(f"Picture: {output}, through x, y, z = {place[0]:g}, {place[1]:g}, {place[2]:g} mm")
        for sentence in _told(dose):
            typer.echo(f"Note: {sentence}")


def _told(dose: object) -> list[str]:
    """Return what is wrong with a dose file, and what was assumed of it."""
    return [*getattr(dose, "problems", ()), *getattr(dose, "assumed", ())]
