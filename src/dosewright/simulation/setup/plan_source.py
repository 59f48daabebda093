"""One beam of a DICOM ion plan as the source of a run, with its beam model, what stands in it, and geometry."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dosewright.core.errors import InputError, nearest
from dosewright.core.frame import Rigid, gantry_to_patient
from dosewright.core.plan import IonBeam, IonPlan
from dosewright.core.solids import Device
from dosewright.formats.dicom.ion_plan import read_ion_plan
from dosewright.geometry.beam.beam_devices import devices_in_beam
from dosewright.geometry.beam.beamline import start_above_mm
from dosewright.simulation.run_file.source_tables import SpotsSource
from dosewright.simulation.setup.resolvers import Resolvers
from dosewright.sources.pencil_beams import PencilBeams, pencil_beams


@dataclass(frozen=True)
class PlanSource:
    """Pencil beams and what stands in them, in gantry axes; and the way to the axes of the run, the patient's."""

    pencils: PencilBeams
    devices: tuple[Device, ...]
    to_patient: Rigid
    warnings: tuple[str, ...]


def plan_source(source: SpotsSource, resolvers: Resolvers) -> PlanSource:
    """Read the plan and equip its beam; the dose will be that of one fraction."""
    plan = read_ion_plan(Path(source.plan or ""))
    beam = _chosen(plan, source.beam)
    model = resolvers.beam_model(source.beam_model or "")
    if beam.radiation != "PROTON" or model.radiation != "PROTON":
        raise InputError(f"source.plan: beam {beam.number} is of radiation {beam.radiation}; only PROTON is available.")
    devices, assumed = devices_in_beam(beam, model, resolvers.material)
    pencils = pencil_beams(beam, model, start_mm=start_above_mm(devices, model.plane_mm, model.scanning_mm))
    audit = pencils.audit.assumptions if pencils.audit else ()
    to_patient = gantry_to_patient(
        gantry_deg=beam.gantry_deg,
        couch_deg=beam.couch_deg,
        patient_position=beam.patient_position,
        isocenter_mm=np.array(beam.isocenter_mm),
        pitch_deg=beam.pitch_deg,
        roll_deg=beam.roll_deg,
    )
    way = "air" if pencils.medium == "air" else "vacuum"
    said = (
        f"The source is beam {beam.number} of the plan, one fraction, with beam model {model.name!r}.",
        f"The axes of the phantom are taken as the patient's: the isocentre is at {list(beam.isocenter_mm)} mm.",
        f"Between the plane of the beam model and the phantom lies {way}, as the beam model says.",
    )
    return PlanSource(pencils, devices, to_patient, (*said, *plan.warnings, *model.assumptions, *assumed, *audit,
                                                   *pencils.assumptions))  # fmt: skip


def _chosen(plan: IonPlan, wanted: str | int | None) -> IonBeam:
    if wanted is None and len(plan.beams) == 1:
        return plan.beams[0]
    found = [beam for beam in plan.beams if wanted in (beam.number, beam.name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{beam.number} {beam.name!r}" for beam in plan.beams)
    hint = nearest(wanted, [beam.name for beam in plan.beams]) if isinstance(wanted, str) else ""
    what = "source.beam is missing and the plan has several beams." if wanted is None else "The plan has no such beam."
    raise InputError(f"{what}{hint} Given: {wanted!r}. Allowed: {known}. Where: source.beam.")
