"""The doses of the treatment as files: RT Dose and MetaImage, for each beam and the plan."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

import dosewright
from dosewright.core.grid import Image
from dosewright.execution.artifact import private_folder
from dosewright.formats.dicom.dose import DoseLabel, write_dose
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.saving import new_uid
from dosewright.formats.dose.mhd import write_mhd
from dosewright.workflow.folder import JobFolder
from dosewright.workflow.postprocess.final_doses import FinalDose, singles
from dosewright.workflow.postprocess.treatment import Treatment
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.tps_doses import PROTON_RBE
from dosewright.workflow.report.data import GammaResult

DICOM_COMMENT = "Dosewright {version}; all {fractions} fractions; not for clinical use"  # LO: 64 characters


def write_doses(case: Case, treatment: Treatment, folder: JobFolder) -> list[Path]:
    """Write every dose, replacing former ones; each RT Dose gets a new UID, all of them one new series.

    Effective dose is 1.1 times the physical. DICOM holds the uncertainty as one standard deviation in Gy (DoseType
    ERROR), since an RT Dose in Gy cannot hold a relative one; the MetaImage holds it relative.
    """
    private_folder(folder.dicom("x").parent)
    private_folder(folder.mhd("x").parent)
    identity, series = output_identity(case), new_uid()
    files: list[Path] = []
    number = 0
    for name, beam, dose in named_doses(treatment):
        for kind, (image, dose_type, words) in images_of(dose).items():
            if dose_type:
                number += 1
                path = folder.dicom(f"{name}_{kind}")
                label = DoseLabel(
                    dose_type=dose_type,
                    summation_type="PLAN" if beam is None else "BEAM",
                    plan_uid=case.study.plan.uid,
                    fraction_group=case.study.plan.fraction_group,
                    beam_number=beam,
                    description=f"Dosewright {name} {kind}",
                    comment=DICOM_COMMENT.format(version=dosewright.__version__, fractions=case.fractions),
                    series_uid=series,
                    number=number,
                )
                write_dose(path, image, label, identity)
                files.append(path)
            files.extend(write_image(folder.mhd(f"{name}_{kind}"), image, comment(case, words)))
        relative = Image(dose.uncertainty.grid, np.nan_to_num(singles(dose.uncertainty)))
        files.extend(write_image(folder.mhd(f"{name}_uncertainty"), relative, comment(case, "Relative, 1 sigma")))
    return files


def named_doses(treatment: Treatment) -> list[tuple[str, int | None, FinalDose]]:
    """Return the plan's dose and the beams', with the names of their files."""
    return [("plan", None, treatment.plan), *((f"beam{n}", n, dose) for n, dose in treatment.beams.items())]


def images_of(dose: FinalDose) -> dict[str, tuple[Image, str, str]]:
    """Return what is written of a dose: name to image, DICOM dose type (empty: MetaImage only) and words for it."""
    water = singles(dose.to_water)
    grid = dose.to_water.grid
    error = np.nan_to_num(singles(dose.uncertainty)) * water
    return {
        "physical": (dose.to_water, "PHYSICAL", "Physical dose to water in Gy"),
        "effective": (Image(grid, water * np.float32(PROTON_RBE)), "EFFECTIVE", "1.1 x physical dose to water in Gy"),
        "to_medium": (dose.to_medium, "", "Physical dose to medium in Gy"),
        "standard_deviation": (Image(grid, error), "ERROR", "Statistical uncertainty (1 sigma) in Gy"),
    }


def output_identity(case: Case) -> Identity:
    """Return whom and which frame of reference the outputs belong to; a phantom has a frame of its own."""
    identity = case.study.identity
    return identity.within(new_uid()) if case.request.phantom is not None else identity


def comment(case: Case, kind: str) -> str:
    """Return the sentence that every image carries."""
    return (
        f"Independent Monte Carlo dose by Dosewright {dosewright.__version__}, seed {case.request.seed}. {kind}. "
        f"All {case.fractions} fractions. Not for clinical use."
    )


def write_gamma(gammas: Iterable[GammaResult], folder: JobFolder) -> list[Path]:
    """Write the gamma images as MetaImage; where nothing was compared they hold the value that the settings name."""
    files: list[Path] = []
    written: set[str] = set()
    for result in gammas:
        if result.image is None:
            continue
        name = f"{result.comparison.lower().replace(' ', '')}_gamma_{result.dose_percent:g}pc_{result.distance_mm:g}mm"
        name += "_local" if result.local else ""
        if name in written:
            name += f"_above_{result.threshold.replace(' ', '').replace('%', 'pc')}"
        written.add(name)
        image = Image(result.image.grid, np.nan_to_num(singles(result.image), nan=result.outside_value))
        words = f"Gamma {result.criterion}, above {result.threshold}; {result.outside_value:g} where not compared"
        files.extend(write_image(folder.mhd(name), image, words))
    return files


def write_image(path: Path, image: Image, words: str) -> tuple[Path, Path]:
    """Write one MetaImage; return its two files."""
    write_mhd(path, image, extra={"Comment": words})
    return path, path.with_suffix(".raw")
