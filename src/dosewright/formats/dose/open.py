"""Dose files of every kind: told by their content when read, by their suffix when written.

Readers give a `DoseFile` or raise `InputError`; what a format cannot hold is told by `losses` before it is written.
"""

import re
from pathlib import Path
from typing import Final

import numpy as np

from dosewright.core.dose_file import ABSOLUTE, DoseFile, regular_grid
from dosewright.core.errors import nearest, refuse
from dosewright.core.voxel_phantom import VoxelPhantom
from dosewright.formats.dose import bindos, pardose, sqdose
from dosewright.formats.dose.bindos import BINDOS, read_bindos, write_bindos
from dosewright.formats.dose.egs_3ddose import EGS, GAMOS, read_3ddose, write_3ddose
from dosewright.formats.dose.egsphant import looks_like_egsphant
from dosewright.formats.dose.meta_image import MHD, read_meta_image, write_meta_image
from dosewright.formats.dose.nifti import NIFTI, looks_like_nifti, read_nifti, write_nifti
from dosewright.formats.dose.numbers import start_of, whole_file
from dosewright.formats.dose.pardose import PARDOSE, read_pardose, write_pardose
from dosewright.formats.dose.rt_dose import RT_DOSE, looks_like_dicom, read_rt_dose, write_rt_dose
from dosewright.formats.dose.run_folder import RUN, read_run_folder
from dosewright.formats.dose.sqdose import ALL, CROSS, FILLED, lost_squares, read_sqdose, write_sqdose

# Words of formats, and what each is.
FORMATS: Final = {
    EGS: "3ddose of DOSXYZnrc",
    GAMOS: "3ddose of GAMOS, the number of events first",
    ALL: "squared dose of GAMOS, all voxels",
    FILLED: "squared dose of GAMOS, filled voxels",
    CROSS: "squared dose of GAMOS, middle row and column of each slice (read only)",
    BINDOS: "sparse binary dose of DOSXYZnrc",
    PARDOSE: "energies of a part of a DOSXYZnrc run",
    MHD: "MetaImage (.mha is read only)",
    RT_DOSE: "DICOM RT Dose",
    NIFTI: "NIfTI",
    RUN: "the folder of one of our runs (read only)",
}
WRITTEN: Final = tuple(word for word in FORMATS if word not in (CROSS, RUN))
SUFFIXES: Final = {
    ".3ddose": EGS,
    ".sqdose": ALL,
    ".bindos": BINDOS,
    ".pardose": PARDOSE,
    ".mhd": MHD,
    ".dcm": RT_DOSE,
    ".nii": NIFTI,
    ".nii.gz": NIFTI,
}
GAMOS_NAMES: Final = {"3ddose": GAMOS, "sqdose": ALL}  # how GAMOS's file names begin: 3ddose.out, sqdose.out
HOLD_HISTORIES: Final = (GAMOS, ALL, FILLED, PARDOSE, MHD, NIFTI)
HOLD_DIRECTION: Final = (ALL, FILLED, MHD, NIFTI, RT_DOSE)
META_IMAGE = re.compile(
    rb"\s*(ObjectType|ObjectSubType|NDims|BinaryData\w*|Comment|DimSize|Name|TransformMatrix)\s*=[^\0]*\n"
)


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
    if path.is_dir():
        return read_run_folder(path)
    word = dose_format(path)
    if word in (ALL, FILLED, CROSS):
        return read_sqdose(path, sums=sums)
    if word == PARDOSE:
        return read_pardose(path, phantom)
    readers = {EGS: read_3ddose, GAMOS: read_3ddose, BINDOS: read_bindos, MHD: read_meta_image, NIFTI: read_nifti,
               RT_DOSE: read_rt_dose}  # fmt: skip
    return readers[word](path)


def dose_format(path: Path) -> str:
    """Return the word of a file's format, by its content; where that tells nothing, by its suffix."""
    start = start_of(path)
    if not start:
        raise refuse("The file is empty", where=path)
    if looks_like_dicom(start):
        return RT_DOSE
    if looks_like_nifti(start):
        return NIFTI
    if looks_like_egsphant(start):
        raise refuse("The file is a phantom (egsphant), no dose", where=path)
    text = b"\0" not in start
    if META_IMAGE.match(start):
        return MHD
    if text and start.strip()[:1].isdigit() and b"=" not in start:
        return EGS
    data = whole_file(path)
    for word, module in ((ALL, sqdose), (BINDOS, bindos), (PARDOSE, pardose)):
        if module.fits(data):
            return word
    by_name = _by_name(path)
    if by_name is not None:
        return by_name
    raise refuse("The format of the file is not known: neither its content nor its name tells it", where=path,
                 allowed=", ".join(FORMATS))  # fmt: skip


def _by_name(path: Path) -> str | None:
    suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if path.name.lower().endswith(s)), None)
    if suffix is not None:
        return SUFFIXES[suffix]
    return next((word for begins, word in GAMOS_NAMES.items() if path.name.lower().startswith(begins)), None)


def format_to_write(path: Path, format: str | None = None) -> str:
    """Return the word of the format in which a file of that name is written."""
    if format is not None:
        if format not in WRITTEN:
            raise refuse(f"No dose is written in that format.{nearest(format, WRITTEN)}", given=format,
                         allowed=", ".join(WRITTEN))  # fmt: skip
        return format
    by_name = _by_name(path)
    if by_name is None:
        raise refuse(f"The suffix tells no format to write.{nearest(path.suffix, SUFFIXES)}", given=path.name,
                     allowed=f"{', '.join(SUFFIXES)}, a name that begins with {' or '.join(GAMOS_NAMES)}, or the "
                     "format's word")  # fmt: skip
    return by_name


def write_dose(
    path: Path,
    dose: DoseFile,
    *,
    format: str | None = None,
    phantom: VoxelPhantom | None = None,
    like: Path | None = None,
) -> None:
    """Write a dose in the format that the suffix means, or in the one given by its word.

    Parameters
    ----------
    phantom
        Masses of the voxels, for a pardose file.
    like
        A DICOM object of the patient and study, for an RT Dose.
    """
    word = format_to_write(path, format)
    if not path.parent.is_dir():
        raise refuse("The folder of the file is missing", given=path.parent)
    if word in (EGS, GAMOS):
        write_3ddose(path, dose, events=word == GAMOS)
    elif word in (ALL, FILLED):
        write_sqdose(path, dose, kind=word)
    elif word == BINDOS:
        write_bindos(path, dose)
    elif word == PARDOSE:
        write_pardose(path, dose, phantom)
    elif word == MHD:
        write_meta_image(path, dose)
    elif word == NIFTI:
        write_nifti(path, dose)
    else:
        write_rt_dose(path, dose, like=like)


def losses(dose: DoseFile, format: str) -> tuple[str, ...]:
    """Return what a format cannot hold of a dose, a sentence each."""
    return tuple(said for said, lost in _lost(dose, format).items() if lost)


def _lost(dose: DoseFile, word: str) -> dict[str, bool]:
    what = FORMATS[word].split(",")[0]
    turned = not np.allclose(dose.direction, np.eye(3), atol=1e-6)
    squared = word in (ALL, FILLED, PARDOSE)
    too_small = lost_squares(dose) if word in (ALL, FILLED) else 0
    histories = dose.histories
    return {
        f"A file of the kind {what} holds no number of histories: {histories or 0:.12g} is lost.":
            histories is not None and word not in HOLD_HISTORIES,
        f"A file of the kind {what} holds no uncertainty.": dose.uncertainty is not None and word == RT_DOSE,
        f"A file of the kind {what} does not say its unit; it will be read as Gy per history.":
            dose.unit == ABSOLUTE and word in (EGS, GAMOS, ALL, FILLED, BINDOS, PARDOSE),
        f"A file of the kind {what} holds no turned axes; edges along the dose's own axes are written.":
            turned and word not in HOLD_DIRECTION,
        "The voxels are uneven: viewers that know no keys EdgesMm show mean sizes.":
            word == MHD and regular_grid(dose) is None,
        f"The number of histories is rounded to single precision ({np.float32(histories or 0):.12g}).":
            word in (ALL, FILLED) and histories is not None and float(np.float32(histories)) != histories,
        f"In {too_small} voxels the squares are too small for single precision; their uncertainty is lost.":
            too_small > 0,
        "Dose and squares are rounded to single precision.": squared,
    }  # fmt: skip
