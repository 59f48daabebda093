"""The demonstration: a head, a plan and doses "of the planning system" as DICOM files that nobody has to download."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.commissioning.demonstration.demo_plan import (
    FRACTION_DOSE_GY,
    FRACTIONS,
    RBE,
    DemoField,
    FieldSetup,
    Target,
    effective_dose,
    plan_field,
)
from dosewright.commissioning.demonstration.head_phantom import GRID, HeadPhantom, head_phantom
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import refuse
from dosewright.core.grid import Grid, Image
from dosewright.core.mask import mask
from dosewright.core.matter import HounsfieldTable
from dosewright.core.plan import IonPlan
from dosewright.core.structures import StructureSet
from dosewright.formats.dicom.ct import write_ct
from dosewright.formats.dicom.dose import DoseLabel, write_dose
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import write_ion_plan
from dosewright.formats.dicom.saving import new_uid
from dosewright.formats.dicom.structures import write_structures
from dosewright.geometry.patient import patient_voxels

Floats = NDArray[np.float64]

FIELDS = (FieldSetup("Left", 85.0, 350.0, "RS_3CM"), FieldSetup("Front", 345.0, 15.0, ""))
ISOCENTER_MM = (14.0, 6.0, 12.0)  # beside the middle of the target, so that a wrong sign shows
PLAN = "RN.dcm"
DOSE_VOXEL_MM = 3.0
DOSE_MARGIN_MM = 4.0
COMMENT = "Analytical pencil-beam formula; not for clinical use"
MANUFACTURER = "Demonstration planning system"  # not ours: the doses stand for those of a planning system


def write_demo_case(folder: Path, model: BeamModel, table: HounsfieldTable) -> Path:
    """Write CT, RT Structure Set, RT Ion Plan and RT Doses (each beam and the plan) and return the plan's path.

    Parameters
    ----------
    folder
        Where the files go, for its owner only; it appears when it is complete and must not exist before.
    model
        A machine with particles per MU, a range shifter RS_3CM and energies of about 90 to 140 MeV.
    table
        CT protocol with which the formula reads the CT.
    """
    if folder.exists():
        raise refuse("The folder of the demonstration case is there already", given=folder.name)
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    _write(unfinished, model, table)
    unfinished.rename(folder)
    return folder / PLAN


def _write(folder: Path, model: BeamModel, table: HounsfieldTable) -> None:
    head = head_phantom()
    identity = Identity.new("Demonstration^Head", "DEMO")
    structures = head.structure_set(new_uid(), identity.frame_of_reference_uid)
    fields = _plan(head, structures, model, table)
    ct = write_ct(folder, head.ct, identity, keywords={"SeriesDescription": "Demonstration head"})
    write_structures(folder / "RS.dcm", structures, ct, identity)
    plan = IonPlan(
        label="DEMO",
        uid=new_uid(),
        frame_of_reference_uid=identity.frame_of_reference_uid,
        structure_set_uid=structures.uid,
        fractions=FRACTIONS,
        beams=tuple(f.beam for f in fields),
        prescription_Gy=FRACTION_DOSE_GY * FRACTIONS,
        intent="RESEARCH",
    )
    _write_doses(folder, fields, structures, plan, identity)
    write_ion_plan(folder / PLAN, plan, identity)


def _plan(
    head: HeadPhantom, structures: StructureSet, model: BeamModel, table: HounsfieldTable
) -> tuple[DemoField, ...]:
    target = Target(patient_voxels(head.ct, table, structures), structures.named("PTV"), ISOCENTER_MM)
    share = FRACTION_DOSE_GY / RBE / len(FIELDS)
    return tuple(plan_field(number, setup, target, model, share) for number, setup in enumerate(FIELDS, start=1))


def _write_doses(
    folder: Path, fields: tuple[DemoField, ...], structures: StructureSet, plan: IonPlan, identity: Identity
) -> None:
    """Write the effective dose of every beam and of the plan, all fractions, as planning systems do."""
    external = structures.named("EXTERNAL")
    corners = np.concatenate(external.contours)
    grid = _dose_grid(corners.min(axis=0), corners.max(axis=0), GRID.corners_mm())
    inside = mask(external, grid)
    doses = [effective_dose(field, grid, inside) for field in fields]
    series = new_uid()
    common = DoseLabel("EFFECTIVE", "PLAN", plan.uid, comment=COMMENT, series_uid=series, manufacturer=MANUFACTURER)
    for field, dose in zip(fields, doses, strict=True):
        number = field.beam.number
        label = replace(
            common,
            summation_type="BEAM",
            fraction_group=plan.fraction_group,
            beam_number=number,
            description=f"Beam {field.beam.name}",
            number=number,
        )
        write_dose(folder / f"RD_beam_{number}.dcm", dose, label, identity)
    total = Image(grid, np.sum([d.values for d in doses], axis=0))
    label = replace(common, description="Plan", number=len(fields) + 1)
    write_dose(folder / "RD_plan.dcm", total, label, identity)


def _dose_grid(low_mm: Floats, high_mm: Floats, ct_corners_mm: Floats) -> Grid:
    """Return a grid around a box, as far as the CT reaches; its first centre on whole millimetres."""
    half = 0.5 * DOSE_VOXEL_MM
    first = np.ceil(np.maximum(low_mm - DOSE_MARGIN_MM, ct_corners_mm.min(axis=0) + half))
    last = np.minimum(high_mm + DOSE_MARGIN_MM, ct_corners_mm.max(axis=0) - half)
    shape = np.floor((last - first) / DOSE_VOXEL_MM).astype(int) + 1
    voxel = (DOSE_VOXEL_MM, DOSE_VOXEL_MM, DOSE_VOXEL_MM)
    return Grid((shape[0], shape[1], shape[2]), voxel, (float(first[0]), float(first[1]), float(first[2])))
