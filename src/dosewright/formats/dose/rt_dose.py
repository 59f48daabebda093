"""A dose as DICOM RT Dose: in Gy, on even voxels, without uncertainty and histories."""

from pathlib import Path
from typing import Final

from dosewright.core.dose_file import ABSOLUTE, DoseFile, dose_image, edges_of
from dosewright.core.errors import InputError, refuse
from dosewright.formats.dicom.attributes import open_dataset
from dosewright.formats.dicom.dose import DoseLabel, read_dose
from dosewright.formats.dicom.dose import write_dose as write_rt_dose_object
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dose.numbers import named

RT_DOSE: Final = "rt_dose"
DICM_AT = 128


def looks_like_dicom(start: bytes) -> bool:
    """Say whether a file that begins so is a DICOM file."""
    return start[DICM_AT : DICM_AT + 4] == b"DICM"


def read_rt_dose(path: Path) -> DoseFile:
    """Read an RT Dose; errors (``DoseType`` ERROR) are no dose and are refused."""
    dose = read_dose(path)
    if dose.dose_type == "ERROR":
        raise refuse("The RT Dose holds errors, no dose", given=dose.dose_type, where=path.name)
    assumed = ("The dose is effective (multiplied by an RBE).",) if dose.dose_type == "EFFECTIVE" else ()
    try:
        return DoseFile(
            edges_mm=edges_of(dose.image.grid),
            dose=dose.image.values.astype(float),
            unit=ABSOLUTE,
            direction=dose.image.grid.direction,
            format=RT_DOSE,
            assumed=assumed,
            problems=dose.warnings,
        )
    except InputError as error:
        raise named(error, path.name) from error


def write_rt_dose(path: Path, dose: DoseFile, *, like: Path | None = None) -> None:
    """Write an RT Dose of the patient and study of another DICOM object, or of a made-up patient.

    Raises `InputError` for a dose per history, which no RT Dose can say, and for uneven voxels.
    """
    if dose.unit != ABSOLUTE:
        raise refuse("An RT Dose is in Gy, and the dose is per history: say for how many particles it stands",
                     given=dose.unit, allowed=ABSOLUTE, where=path.name)  # fmt: skip
    identity = Identity.new("Converted^Dose", "converted") if like is None else Identity.of(open_dataset(like))
    label = DoseLabel(description="Converted by Dosewright", comment="Not for clinical use.")
    write_rt_dose_object(path, dose_image(dose), label, identity)
