"""A dose analysed: summed up, and its histograms written as CSV, ROOT and PNG."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dosewright.analysis.dose_histograms import PLANES, cut_histogram, distributions, merged_cuts, plane_cuts
from dosewright.analysis.dose_summary import DoseSummary, dose_summary
from dosewright.core.dose_file import DoseFile, regular_grid
from dosewright.core.errors import nearest, refuse
from dosewright.core.histogram import DoseCut
from dosewright.formats.histogram_files import write_histograms_csv, write_histograms_root
from dosewright.formats.text.gamos.dose_cuts import read_dose_cuts
from dosewright.workflow.dose_files.pictures import draw_histograms

KINDS = ("csv", "root", "png")
UNEVEN = "The voxels are uneven: profiles and planes add up doses of voxels of different sizes."


@dataclass(frozen=True)
class Asked:
    """Which histograms are wanted.

    Parameters
    ----------
    cuts
        A file of definitions, instead of the profiles and planes over the whole dose.
    planes
        ``XY``, ``XZ``, ``YZ``: every plane of voxels along these axes as well.
    log_low, log_high
        Limits of the dose axes, decimal logarithm of the dose.
    voxels
        Only so many voxels in the order of the file; None for all.
    kinds
        Files written: of ``csv``, ``root``, ``png``.
    """

    cuts: Path | None = None
    planes: tuple[str, ...] = ()
    log_low: float | None = None
    log_high: float | None = None
    voxels: int | None = None
    kinds: tuple[str, ...] = KINDS

    def __post_init__(self) -> None:
        for what, given, known in (("plane", self.planes, PLANES), ("kind of file", self.kinds, KINDS)):
            wrong = [word for word in given if word not in known]
            if wrong:
                raise refuse(f"Unknown {what}.{nearest(wrong[0], known)}", given=wrong[0], allowed=", ".join(known))
        if self.log_low is not None and self.log_high is not None and not self.log_low < self.log_high:
            raise refuse("The limits of the dose axes do not ascend", given=f"{self.log_low:g} to {self.log_high:g}")


@dataclass(frozen=True)
class Analysis:
    """The dose (as far as it was read), its figures, the files written, and what should be kept in mind."""

    dose: DoseFile
    summary: DoseSummary
    files: tuple[Path, ...]
    said: tuple[str, ...]


def analyse_dose(dose: DoseFile, output: Path | None, asked: Asked) -> Analysis:
    """Sum up a dose and write its histograms as OUTPUT.csv, OUTPUT.root, OUTPUT.png; None writes nothing."""
    if asked.voxels is not None:
        dose = _first_voxels(dose, asked.voxels)
    said = [*dose.assumed, *dose.problems]
    cuts, of_cuts = _cuts(dose, asked)
    said += of_cuts
    if cuts and regular_grid(dose) is None:
        said.append(UNEVEN)
    files: tuple[Path, ...] = ()
    if output is not None:
        if not output.parent.is_dir():
            raise refuse("The folder of the output is missing", given=output.parent)
        histograms = [cut_histogram(dose, cut) for cut in cuts]
        histograms += distributions(dose, log_low=asked.log_low, log_high=asked.log_high)
        for kind in asked.kinds:
            path = output.with_name(f"{output.name}.{kind}")
            if kind == "csv":
                write_histograms_csv(path, histograms, f"histories: {dose.histories or 'unknown'}; unit: {dose.unit}")
            elif kind == "root":
                write_histograms_root(path, histograms)
            files += draw_histograms(path, histograms) if kind == "png" else (path,)
    return Analysis(dose, dose_summary(dose), files, tuple(dict.fromkeys(said)))


def _cuts(dose: DoseFile, asked: Asked) -> tuple[list[DoseCut], Sequence[str]]:
    cuts, said = (merged_cuts(dose), ()) if asked.cuts is None else read_dose_cuts(asked.cuts, dose.shape)
    planes = [cut for plane in asked.planes for cut in plane_cuts(dose, plane)]
    return [*cuts, *planes], said


def _first_voxels(dose: DoseFile, count: int) -> DoseFile:
    """Return a dose with nothing beyond the first voxels, x fastest."""
    if count < 1:
        raise refuse("At least one voxel must be read", given=count)
    beyond = np.arange(dose.dose.size).reshape(dose.array_shape) >= count
    uncertainty = None if dose.uncertainty is None else np.where(beyond, 1.0, dose.uncertainty)
    return replace(
        dose, dose=np.where(beyond, 0.0, dose.dose), uncertainty=uncertainty, squares=None,
        assumed=(*dose.assumed, f"Only the first {count} voxels were read, as asked."),
    )  # fmt: skip
