"""The doses of the treatment as files: RT Dose and MetaImage, for each beam and the plan, as the settings ask."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import dosewright
from dosewright.core.grid import Image
from dosewright.core.mask import mask
from dosewright.execution.artifact import private_folder
from dosewright.formats.dicom.dose import DoseLabel, write_dose
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.saving import new_uid
from dosewright.formats.dose.mhd import write_mhd
from dosewright.formats.text.site_settings import Output
from dosewright.workflow.folder import JobFolder
from dosewright.workflow.postprocess.final_doses import FinalDose, singles
from dosewright.workflow.postprocess.treatment import Treatment
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.settled import outputs
from dosewright.workflow.preprocess.target import Target
from dosewright.workflow.report.data import GammaResult
from dosewright.workflow.simulate import SimulatedBeam

DICOM_COMMENT = "Dosewright {version}; all {fractions} fractions; not for clinical use"  # LO: 64 characters


@dataclass(frozen=True)
class Kind:
    """One kind of dose file: its image, its DICOM dose type (empty: MetaImage only), and words for it."""

    image: Image
    dose_type: str
    words: str


def write_outputs(
    case: Case, target: Target, beams: Sequence[SimulatedBeam], treatment: Treatment, folder: JobFolder
) -> list[Path]:
    """Write what the settings and the request ask for; former doses that are not asked for any more go."""
    for former in (folder.dicom("x").parent, folder.mhd("x").parent):
        private_folder(former)
        for path in former.iterdir():
            path.unlink()
    wanted = outputs(case.request, case.settings)
    files = write_doses(case, treatment, wanted, folder)
    for equipped, beam in zip(case.beams, beams, strict=True):
        files += write_raw_doses(case, equipped.beam.number, beam, treatment, wanted, folder)
    return files + write_patient(case, target, treatment, wanted, folder)


def write_doses(case: Case, treatment: Treatment, wanted: Output, folder: JobFolder) -> list[Path]:
    """Write the doses of the beams and their sum; each RT Dose gets a new UID, all of them one new series.

    DICOM holds the uncertainty as one standard deviation in Gy (DoseType ERROR), since an RT Dose in Gy cannot hold a
    relative one; the MetaImage holds it relative.
    """
    identity, series = output_identity(case), new_uid()
    files: list[Path] = []
    number = 0
    for name, beam, dose in named_doses(treatment):
        for kind, one in kinds_of(dose, case.rbe_factor).items():
            if one.dose_type and getattr(wanted, switch("dicom", kind, beam)):
                number += 1
                path = folder.dicom(f"{name}_{kind}")
                label = DoseLabel(
                    dose_type=one.dose_type,
                    summation_type="PLAN" if beam is None else "BEAM",
                    plan_uid=case.study.plan.uid,
                    fraction_group=case.study.plan.fraction_group,
                    beam_number=beam,
                    description=f"Dosewright {name} {kind}, to {dose.dose_to}",
                    comment=DICOM_COMMENT.format(version=dosewright.__version__, fractions=case.fractions),
                    series_uid=series,
                    number=number,
                    operator=case.user.label,
                )
                write_dose(path, one.image, label, identity)
                files.append(path)
            if getattr(wanted, switch("mhd", kind, beam)):
                files += write_image(folder.mhd(f"{name}_{kind}"), one.image, case, comment(case, one.words))
    return files


def switch(container: str, kind: str, beam: int | None) -> str:
    """Return the name of the switch of `Output` that a dose file hangs on; uncertainties go with the physical dose."""
    if beam is None:
        return f"{container}_plan"
    return f"{container}_rbe" if kind == "effective" else f"{container}_physical"


def named_doses(treatment: Treatment) -> list[tuple[str, int | None, FinalDose]]:
    """Return the plan's dose and the beams', with the names of their files."""
    return [("plan", None, treatment.plan), *((f"beam{n}", n, dose) for n, dose in treatment.beams.items())]


def kinds_of(dose: FinalDose, rbe_factor: float) -> dict[str, Kind]:
    """Return what is written of a dose, by the end of its file's name."""
    physical, grid = singles(dose.physical), dose.physical.grid
    relative = np.nan_to_num(singles(dose.uncertainty))
    to, other = dose.dose_to, "medium" if dose.dose_to == "water" else "water"
    effective = Image(grid, physical * np.float32(rbe_factor))
    return {
        "physical": Kind(dose.physical, "PHYSICAL", f"Physical dose to {to} in Gy"),
        "effective": Kind(effective, "EFFECTIVE", f"{rbe_factor:g} x physical dose to {to} in Gy"),
        f"to_{other}": Kind(dose.other, "", f"Physical dose to {other} in Gy"),
        "standard_deviation": Kind(
            Image(grid, relative * physical), "ERROR", "Statistical uncertainty (1 sigma) in Gy"
        ),
        "uncertainty": Kind(Image(grid, relative), "", "Relative, 1 sigma"),
    }


def write_raw_doses(
    case: Case, number: int, beam: SimulatedBeam, treatment: Treatment, wanted: Output, folder: JobFolder
) -> list[Path]:
    """Write the dose of one beam as simulated, and as scaled to the plan, before anything is removed from it.

    The unscaled dose is the plain sum over the simulated primaries, without the site's dose factor.
    """
    files: list[Path] = []
    per_primary = beam.to_medium if case.request.dose_to == "medium" else beam.to_water
    scale = treatment.scales[number]
    for asked, name, factor, words in (
        (wanted.mhd_unscaled, "unscaled", float(beam.histories), f"sum over {beam.histories} simulated primaries"),
        (wanted.mhd_scaled, "scaled", scale.total, "scaled to the plan"),
    ):
        if asked:
            values = (np.asarray(per_primary.values, float) * factor).astype(np.float32)
            said = f"Physical dose to {case.request.dose_to} in Gy, {words}"
            said = comment(case, said) if name == "scaled" else made_by(case, said)
            files += write_image(folder.mhd(f"beam{number}_{name}"), Image(per_primary.grid, values), case, said)
    return files


def write_patient(case: Case, target: Target, treatment: Treatment, wanted: Output, folder: JobFolder) -> list[Path]:
    """Write the mass density of the voxels that were calculated, and the dose voxels that lie in the patient."""
    files: list[Path] = []
    if wanted.mass:
        density = Image(target.patient.report.grid, target.patient.voxels.density_g_cm3)
        files += write_image(folder.mhd("mass_density"), density, case, made_by(case, "Mass density in g/cm3"))
    if wanted.dose_mask:
        external = case.external
        grid = target.score.grid
        where = treatment.body.density_g_cm3 > 0 if external is None else mask(external, grid)
        of = "the calculated voxels (there is no EXTERNAL)" if external is None else f"{external.name} (EXTERNAL)"
        image, said = Image(grid, where.astype(np.float32)), made_by(case, f"1 inside {of}, else 0")
        files += write_image(folder.mhd("dose_mask"), image, case, said)
    return files


def output_identity(case: Case) -> Identity:
    """Return whom and which frame of reference the outputs belong to; a phantom has a frame of its own."""
    identity = case.study.identity
    return identity.within(new_uid()) if case.request.phantom is not None else identity


def comment(case: Case, kind: str) -> str:
    """Return the sentence that every dose of the treatment carries."""
    return made_by(case, f"{kind}. All {case.fractions} fractions")


def made_by(case: Case, what: str) -> str:
    """Return the sentence that every image carries: by whom, from which program and seed, and what it is."""
    return (
        f"Independent Monte Carlo dose by Dosewright {dosewright.__version__}, seed {case.request.seed}, calculated by "
        f"{case.user.label}. {what}. Not for clinical use."
    )


def write_gamma(gammas: Iterable[GammaResult], case: Case, folder: JobFolder) -> list[Path]:
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
        files.extend(write_image(folder.mhd(name), image, case, words))
    return files


def write_image(path: Path, image: Image, case: Case, words: str) -> tuple[Path, Path]:
    """Write one MetaImage; return its two files."""
    write_mhd(path, image, extra={"Comment": words, "Operator": case.user.acronym, "OperatorRole": case.user.role})
    return path, path.with_suffix(".raw")
