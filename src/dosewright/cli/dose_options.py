"""Options that the commands of dose files share, and what they say on the terminal."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dosewright.core.errors import refuse

if TYPE_CHECKING:
    from dosewright.core.dose_file import DoseFile
    from dosewright.core.voxel_phantom import VoxelPhantom
    from dosewright.workflow.dose_files.analyse import Analysis

Format = Annotated[
    str | None,
    typer.Option("--format", "-F", metavar="WORD", help="Format to write, where the suffix does not say it."),
]
Phantom = Annotated[
    Path | None,
    typer.Option("--phantom", metavar="EGSPHANT", help="Phantom of the run: edges and masses, for pardose."),
]
Alphabet = Annotated[
    str | None,
    typer.Option("--alphabet", metavar="CODE", help="How the phantom counts media above 9: egsnrc, egs_brachy."),
]
Sums = Annotated[bool, typer.Option("--sums", help="Squared doses are sums over all events (older GAMOS), not means.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


def opened(
    path: Path, phantom: Path | None = None, alphabet: str | None = None, *, sums: bool = False
) -> "tuple[VoxelPhantom | None, DoseFile]":
    """Return the phantom, if one is named, and the dose."""
    from dosewright.formats.dose.egsphant import read_egsphant
    from dosewright.formats.dose.open import open_dose

    of = None if phantom is None else read_egsphant(phantom, alphabet=alphabet)
    return of, open_dose(path, phantom=of, sums=sums)


def with_histories(dose: "DoseFile", histories: float | None, path: Path) -> "DoseFile":
    """Return a dose with the histories that somebody knows, where its file does not say them."""
    if histories is None:
        return dose
    if dose.histories is not None and dose.histories != histories:
        raise refuse("The file says another number of histories", given=f"{histories:.12g}",
                     allowed=f"{dose.histories:.12g}", where=path)  # fmt: skip
    return replace(dose, histories=histories)


def check_free(outputs: Iterable[Path], *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Refuse to write over what is there, and over what is read even when forced."""
    there = [path for path in inputs if path.exists()]
    for output in outputs:
        if output.is_dir():
            raise refuse("The output is a folder", given=output)
        if not output.exists():
            continue
        if any(output.samefile(path) for path in there):
            raise refuse("The output is one of the files that are read", given=output)
        if not force:
            raise refuse("The output exists already", given=output, allowed="another name, or --force")


def free_outputs(output: Path | None, kinds: Sequence[str], *, force: bool) -> None:
    """Refuse to write an analysis over what is there."""
    if output is not None:
        check_free([output.with_name(f"{output.name}.{kind}") for kind in kinds], force=force)


def say(dose: "DoseFile", done: str, *, lost: Sequence[str], as_json: bool) -> None:
    """Say what was written, what was assumed, what is wrong and what is lost."""
    if as_json:
        said = {
            "done": done,
            "voxels": dose.shape,
            "unit": dose.unit,
            "histories": dose.histories,
            "lost": lost,
            "assumed": dose.assumed,
            "problems": dose.problems,
        }
        typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    nx, ny, nz = dose.shape
    histories = "unknown" if dose.histories is None else f"{dose.histories:.12g}"
    typer.echo(f"{done}: {nx} x {ny} x {nz} voxels, {dose.unit}, histories {histories}")
    for label, sentences in (("Lost", lost), ("Assumed", dose.assumed), ("Note", dose.problems)):
        for sentence in sentences:
            typer.echo(f"{label}: {sentence}")


def say_analysis(analysis: "Analysis", path: Path, *, as_json: bool) -> None:
    """Say the figures of a dose."""
    of, dose = analysis.summary, analysis.dose
    if as_json:
        said = {
            "file": str(path),
            "format": dose.format,
            "unit": dose.unit,
            "voxels": dose.shape,
            "scored_voxels": of.scored_voxels,
            "histories": dose.histories,
            "minimum": of.minimum,
            "maximum": of.maximum,
            "errors": [
                {"above_percent_of_maximum": e.percent, "voxels": e.voxels, "mean_relative": e.mean,
                 "root_mean_square_relative": e.root_mean_square}
                for e in of.errors
            ],
            "total": of.total,
            "total_relative_error": of.total_relative_error,
            "files": [str(file) for file in analysis.files],
            "notes": analysis.said,
        }  # fmt: skip
        typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    nx, ny, nz = dose.shape
    histories = "unknown" if dose.histories is None else f"{dose.histories:.12g}"
    typer.echo(f"{path}: {dose.format}, {nx} x {ny} x {nz} voxels, {of.scored_voxels} with dose, histories {histories}")
    typer.echo(f"Lowest dose above 0   {of.minimum:.6g} {dose.unit}")
    typer.echo(f"Highest dose          {of.maximum:.6g} {dose.unit}")
    for e in of.errors:
        mean = f"mean relative error {e.mean:.6g} (root mean square {e.root_mean_square:.6g})"
        typer.echo(f"Above {e.percent} % of the highest: {e.voxels} voxels, {mean}")
    error = (
        "" if of.total_relative_error is None else f" +- {100 * of.total_relative_error:.3g} % (voxels as independent)"
    )
    typer.echo(f"Sum over all voxels   {of.total:.6g} {dose.unit}{error}")
    for file in analysis.files:
        typer.echo(f"Written: {file}")
    for sentence in analysis.said:
        typer.echo(f"Note: {sentence}")
