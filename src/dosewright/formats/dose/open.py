"""Dose files of every kind: told by their content when read, by their suffix when written.

Readers give a `DoseFile` or raise `InputError`; what a format cannot hold is told by `losses` before it is written.
"""

from pathlib import Path

from dosewright.core.dose_file import DoseFile
from dosewright.core.voxel_phantom import VoxelPhantom


def open_dose(path: Path, *, phantom: VoxelPhantom | None = None, sums: bool = False) -> DoseFile:
    """Read a dose of any known format, told by its content; a folder is one of our runs.

    Parameters
    ----------
    path
        The file, or the folder of a run.
    phantom
        Where the energy was deposited, for files that hold neither edges nor masses (pardose).
    sums
        The file is a squared-dose file of an older GAMOS, which wrote sums over all events.
    """
    raise NotImplementedError


def write_dose(path: Path, dose: DoseFile, *, format: str | None = None) -> None:
    """Write a dose in the format that the suffix means, or in the one given by its word."""
    raise NotImplementedError


def losses(dose: DoseFile, format: str) -> tuple[str, ...]:
    """Return what a format cannot hold of a dose, a sentence each."""
    raise NotImplementedError
