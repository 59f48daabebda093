"""dosewright dose sumSqdose, sum3ddose, analyseSqdose: GAMOS's names and switches for merging and analysing doses."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dosewright.cli.dose_options import Force, Sums, check_free, free_outputs, opened, say
from dosewright.cli.faults import faults_reported

if TYPE_CHECKING:
    from dosewright.workflow.dose_files.analyse import Analysis

Listed = Annotated[Path, typer.Argument(metavar="LIST", help="A text file: one dose file per line.")]
Output = Annotated[Path, typer.Argument(metavar="OUT", help="The new file.")]
CONTAINERS = ("map", "vector")
VERBOSITIES = ("silent", "error", "warning", "info", "debug", "test")


def merge_sqdose(
    listed: Listed,
    output: Output,
    kind: Annotated[str, typer.Argument(metavar="[ALL|FILLED]", help="All voxels, or those with dose.")] = "ALL",
    sums: Sums = False,
    force: Force = False,
) -> None:
    """Merge squared-dose files as GAMOS's mergeSqdose (or sumSqdose) does: a list of files, and the new one."""
    with faults_reported():
        from dosewright.core.errors import nearest, refuse

        words = {"ALL": "sqdose", "FILLED": "sqdose_filled"}
        if kind.upper() not in words:
            raise refuse(f"Unknown type of squared-dose file.{nearest(kind, words)}", given=kind, allowed="ALL, FILLED")
        _merge(listed, output, words[kind.upper()], sums=sums, force=force)


def merge_3ddose(listed: Listed, output: Output, force: Force = False) -> None:
    """Merge 3ddose files as GAMOS's merge3ddose (or sum3ddose) does: a list of files, and the new one."""
    with faults_reported():
        _merge(listed, output, "3ddose_gamos", sums=False, force=force)


def _merge(listed: Path, output: Path, word: str, *, sums: bool, force: bool) -> None:
    from dosewright.analysis.merge_doses import merge_doses
    from dosewright.formats.dose.open import losses, write_dose

    files = _listed(listed)
    check_free([output], force=force, inputs=[*files, listed])
    dose = merge_doses((str(file), opened(file, sums=sums)[1]) for file in files)
    write_dose(output, dose, format=word)
    for number, file in enumerate(files, start=1):
        typer.echo(f"### reading dose file {file} ({number} of {len(files)})")
    say(dose, f"MERGED {len(files)} files into {output} NEVENTS= {dose.histories:.12g}", lost=losses(dose, word),
        as_json=False)  # fmt: skip


def _listed(path: Path) -> list[Path]:
    """Return the files that a list names, beside it or in the current folder."""
    from dosewright.core.errors import refuse
    from dosewright.formats.text.lines import content_lines

    names = [Path(line.text.split()[0]) for line in content_lines(path, comment="//")]
    files = [name if name.exists() and not (path.parent / name).exists() else path.parent / name for name in names]
    if not files:
        raise refuse("The list names no file", where=path)
    return files


def analyse_sqdose(
    first: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="The dose file; or -f FILE.")] = None,
    file: Annotated[Path | None, typer.Option("-f", metavar="FILE", help="The dose file.")] = None,
    voxels: Annotated[int, typer.Option("-NRead", metavar="N", help="Voxels to read; -1: all.")] = -1,
    output: Annotated[
        Path, typer.Option("-fOut", metavar="NAME", help="Files are NAME.root, NAME.csv and NAME.png.")
    ] = Path("dose_analyseSqdose"),
    histograms: Annotated[Path | None, typer.Option("-fHistos", metavar="TXT", help="List of histograms.")] = None,
    planes: Annotated[
        list[str] | None, typer.Option("-AllHistos2D", metavar="XY", help="All planes along XY, XZ or YZ.")
    ] = None,
    dose_min: Annotated[
        float | None, typer.Option("-DoseMin", metavar="LOG10", help="Lower end of dose histograms, log10.")
    ] = None,
    dose_max: Annotated[
        float | None, typer.Option("-DoseMax", metavar="LOG10", help="Upper end of dose histograms, log10.")
    ] = None,
    container: Annotated[
        str, typer.Option("-cont", metavar="map|vector", help="Accepted; doses are held in arrays whatever it is.")
    ] = "map",
    total: Annotated[
        int, typer.Option("-NVoxels", metavar="N", help="Voxels of the phantom; compared with the file's.")
    ] = -1,
    verbosity: Annotated[str, typer.Option("-verb", metavar="LEVEL", help="silent to debug.")] = "warning",
    sums: Sums = False,
    force: Force = False,
) -> None:
    """Analyse a squared-dose file (or any other dose) as GAMOS's analyseSqdose does, with its switches."""
    with faults_reported():
        from dosewright.core.errors import refuse
        from dosewright.workflow.dose_files.analyse import Asked, analyse_dose

        path = file or first
        if path is None or (file is not None and first is not None):
            raise refuse("One dose file is needed", given="two" if path else "none", allowed="FILE, or -f FILE")
        _known("container", container, CONTAINERS)
        _known("verbosity", verbosity, VERBOSITIES)
        wanted = tuple(word for words in planes or () for word in words.split())
        asked = Asked(histograms, wanted, dose_min, dose_max, None if voxels == -1 else voxels)
        free_outputs(output, asked.kinds, force=force)
        _, dose = opened(path, sums=sums)
        if total not in (-1, dose.dose.size):
            raise refuse("The file has another number of voxels", given=total, allowed=dose.dose.size, where=path)
        analysis = analyse_dose(dose, output, asked)
        if VERBOSITIES.index(verbosity.lower()) >= VERBOSITIES.index("warning"):
            _report(analysis, path)
        for sentence in analysis.said:
            typer.echo(f"Note: {sentence}", err=True)


def _known(what: str, word: str, known: tuple[str, ...]) -> None:
    from dosewright.core.errors import nearest, refuse

    if word.lower() not in known:
        raise refuse(f"Unknown {what}.{nearest(word, known)}", given=word, allowed=", ".join(known))


def _report(analysis: "Analysis", path: Path) -> None:
    """Say what GAMOS says."""
    of, dose = analysis.summary, analysis.dose
    nx, ny, nz = dose.shape
    typer.echo(f"READING FILE {path}")
    typer.echo(f"NEvent {dose.histories or 0:g}")
    typer.echo(f"NVoxels {nx} {ny} {nz}")
    typer.echo(f"Number of voxels= {of.scored_voxels}")
    typer.echo(f"MINIMUM DOSE {of.minimum:.6g} Gy")
    typer.echo(f"MAXIMUM DOSE {of.maximum:.6g} Gy")
    for e in of.errors:
        typer.echo(f"RTPSPDoseHistos AVERAGE ERROR {e.percent}% = {e.mean:.6g}")
    typer.echo(f"RTPSPDoseHistos TOTAL DOSE = {of.total:.6g} +-(REL) {of.total_relative_error or 0:.6g}")
    for file in analysis.files:
        typer.echo(f"=== saving histograms in file === {file}")
    typer.echo(f"N EVENTS IN SOURCE {dose.histories or 0:g}")
