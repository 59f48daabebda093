"""dosewright dose convert, merge, analyse: dose files of every kind; looks at them are beside."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dosewright.cli import options
from dosewright.cli.dose_look import compare, plot, profile
from dosewright.cli.dose_options import (
    Alphabet,
    Force,
    Format,
    Phantom,
    Sums,
    check_free,
    opened,
    say,
    with_histories,
)
from dosewright.cli.faults import faults_reported
from dosewright.cli.gamos_dose import analyse_sqdose, merge_3ddose, merge_sqdose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dosewright.core.dose_file import DoseFile

app = typer.Typer(
    help="Dose files: convert between formats, merge parts of one simulation, analyse, compare, draw.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
File = Annotated[Path, typer.Argument(metavar="FILE", help="A dose file of any known format, or a run's folder.")]


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="A", help="A dose file, or the folder of a run.")],
    target: Annotated[Path, typer.Argument(metavar="B", help="The new file; its suffix says the format.")],
    format: Format = None,
    phantom: Phantom = None,
    alphabet: Alphabet = None,
    sums: Sums = False,
    histories: Annotated[
        float | None, typer.Option("--histories", metavar="N", help="Original histories, where A does not say them.")
    ] = None,
    particles: Annotated[
        float | None,
        typer.Option("--particles", metavar="N", help="Make Gy of Gy per history: the dose of so many particles."),
    ] = None,
    primaries: Annotated[
        float | None,
        typer.Option("--primaries", metavar="N", help="A is the plain sum over so many primaries: divide by them."),
    ] = None,
    like: Annotated[
        Path | None, typer.Option("--like", metavar="DCM", help="Whose patient and study an RT Dose repeats.")
    ] = None,
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Convert a dose file into another format; what the target cannot hold is said."""
    with faults_reported(as_json=as_json):
        from dosewright.analysis.scale_dose import absolute, per_history
        from dosewright.core.dose_file import ABSOLUTE
        from dosewright.core.errors import refuse
        from dosewright.formats.dose.open import format_to_write, losses, write_dose
        from dosewright.formats.dose.rt_dose import RT_DOSE

        word = format_to_write(target, format)
        check_free([target], force=force, inputs=[source])
        phantom_of, dose = opened(source, phantom, alphabet, sums=sums)
        dose = with_histories(dose, histories, source)
        dose = dose if primaries is None else per_history(dose, primaries)
        dose = dose if particles is None else absolute(dose, particles)
        if word == RT_DOSE and dose.unit != ABSOLUTE:
            raise refuse("An RT Dose is in Gy, and the dose is per history", given=source,
                         allowed="--particles N: the dose of so many particles")  # fmt: skip
        write_dose(target, dose, format=word, phantom=phantom_of, like=like)
        say(dose, f"{source} ({dose.format}) to {target} ({word})", lost=losses(dose, word), as_json=as_json)


@app.command()
def merge(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The new file; its suffix says the format.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Doses of independent parts.")],
    format: Format = None,
    phantom: Phantom = None,
    alphabet: Alphabet = None,
    sums: Sums = False,
    histories: Annotated[
        list[float] | None,
        typer.Option(
            "--histories", metavar="N", help="Original histories of files without them: one for all, or each."
        ),
    ] = None,
    tolerance_mm: Annotated[
        float, typer.Option("--tolerance", metavar="MM", min=0.0, help="How far voxel edges may differ.")
    ] = 0.001,
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Merge doses of independent parts of one simulation; histories and squares are added exactly."""
    with faults_reported(as_json=as_json):
        from dosewright.analysis.merge_doses import merge_doses
        from dosewright.core.errors import refuse
        from dosewright.formats.dose.open import format_to_write, losses, write_dose

        word = format_to_write(output, format)
        check_free([output], force=force, inputs=files)
        if histories and len(histories) not in (1, len(files)):
            raise refuse("Say the histories once, or once for each file", given=len(histories), allowed=len(files))
        of_all = histories[0] if histories and len(histories) == 1 else None
        each = histories if histories and len(histories) > 1 else [None] * len(files)
        phantom_of = None

        def parts() -> "Iterator[tuple[str, DoseFile]]":
            nonlocal phantom_of
            for file, known in zip(files, each, strict=True):
                phantom_of, dose = opened(file, phantom, alphabet, sums=sums)
                yield (
                    str(file),
                    with_histories(dose, of_all if dose.histories is None and known is None else known, file),
                )

        dose = merge_doses(parts(), tolerance_mm=tolerance_mm)
        write_dose(output, dose, format=word, phantom=phantom_of)
        say(dose, f"{len(files)} doses to {output} ({word})", lost=losses(dose, word), as_json=as_json)


@app.command()
def analyse(
    file: File,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="NAME", help="Write NAME.csv, NAME.root and NAME.png.")
    ] = None,
    histograms: Annotated[
        Path | None, typer.Option("--histograms", metavar="TXT", help="Histograms wanted, as in GAMOS's file of them.")
    ] = None,
    planes: Annotated[
        list[str] | None, typer.Option("--planes", metavar="XY", help="All planes along XY, XZ or YZ; may be repeated.")
    ] = None,
    dose_min: Annotated[
        float | None, typer.Option("--dose-min", metavar="LOG10", help="Lower end of dose axes, log10 of the dose.")
    ] = None,
    dose_max: Annotated[
        float | None, typer.Option("--dose-max", metavar="LOG10", help="Upper end of dose axes, log10 of the dose.")
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--write", metavar="KIND", help="csv, root or png only; may be repeated.")
    ] = None,
    phantom: Phantom = None,
    alphabet: Alphabet = None,
    sums: Sums = False,
    force: Force = False,
    as_json: options.Json = False,
) -> None:
    """Say lowest, highest and total dose and mean errors; write profiles, planes and dose-volume histograms."""
    with faults_reported(as_json=as_json):
        from dosewright.cli.dose_options import free_outputs, say_analysis
        from dosewright.workflow.dose_files.analyse import KINDS, Asked, analyse_dose

        asked = Asked(
            cuts=histograms,
            planes=tuple(planes or ()),
            log_low=dose_min,
            log_high=dose_max,
            kinds=tuple(kinds or KINDS),
        )
        free_outputs(output, asked.kinds, force=force)
        _, dose = opened(file, phantom, alphabet, sums=sums)
        say_analysis(analyse_dose(dose, output, asked), file, as_json=as_json)


for look in (compare, profile, plot):
    app.command()(look)
for name, command in (
    ("mergeSqdose", merge_sqdose),
    ("sumSqdose", merge_sqdose),
    ("merge3ddose", merge_3ddose),
    ("sum3ddose", merge_3ddose),
    ("analyseSqdose", analyse_sqdose),
):
    app.command(name, hidden=name.startswith("merge"))(command)
