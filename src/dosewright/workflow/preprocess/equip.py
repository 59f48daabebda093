"""Each beam with its machine: beam model, what stands in the beam, spots, meterset audit."""

from dataclasses import dataclass, replace

from dosewright.commissioning.site.catalog import Library
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError
from dosewright.core.looks import tried
from dosewright.core.plan import IonBeam
from dosewright.core.solids import Device
from dosewright.formats.text.site_settings import MachineCorrection, SiteSettings
from dosewright.geometry.beam.beam_devices import devices_in_beam
from dosewright.geometry.beam.beamline import start_above_mm
from dosewright.sources.meterset import MetersetAudit, meterset_audit
from dosewright.sources.pencil_beams import PencilBeams, pencil_beams
from dosewright.workflow.request import Wishes


@dataclass(frozen=True)
class EquippedBeam:
    """A beam that could be delivered: its model, what stands in it, spots, assumptions, the site's correction."""

    beam: IonBeam
    model: BeamModel
    devices: tuple[Device, ...]
    pencils: PencilBeams
    audit: MetersetAudit
    assumptions: tuple[str, ...]
    correction: MachineCorrection


def equip_one(beam: IonBeam, wishes: Wishes, library: Library) -> EquippedBeam:
    """Find the model of one beam and place what the plan puts into it; all problems are refused together."""
    if wishes.beam_model is None:
        model = library.beam_model_for(beam.machine, beam.radiation)
    else:
        model = library.beam_model(wishes.beam_model, beam.radiation)
    if wishes.phantom is not None:
        beam = on_phantom(beam)
    problems: list[str] = []
    correction = library.settings.correction_for(model.machine, model.radiation or beam.radiation)
    polynomial = correction.weight_polynomial
    devices, assumed = tried(lambda: devices_in_beam(beam, model, library.material), problems) or ((), ())
    start_mm = tried(lambda: start_above_mm(devices, model.plane_mm, model.scanning_mm), problems)
    pencils = tried(lambda: pencil_beams(beam, model, start_mm=start_mm, weight_polynomial=polynomial), problems)
    audit = tried(lambda: meterset_audit(beam, model, polynomial), problems)
    if problems or pencils is None or audit is None:
        raise InputError(*problems)
    assumptions = [*model.assumptions, *assumed, *audit.assumptions, *pencils.assumptions]
    if wishes.beam_model is not None and model.machine != beam.machine:
        assumptions.append(
            f"Beam {beam.number} {beam.name!r} was planned for machine {beam.machine!r} and is calculated with the "
            f"beam model {model.name!r} (-z)."
        )
    assumptions += correction_sentences(beam, model, correction, library.settings)
    return EquippedBeam(beam, model, devices, pencils, audit, tuple(assumptions), correction)


def correction_sentences(
    beam: IonBeam, model: BeamModel, correction: MachineCorrection, settings: SiteSettings
) -> list[str]:
    """Say which of the site's corrections holds for a beam, and which does not because of a chosen beam model."""
    said = []
    if correction.dose_factor != 1.0:
        said.append(
            f"Beam {beam.number}: the dose is multiplied by the site's factor {correction.dose_factor:g} for machine "
            f"{correction.machine!r} with {correction.radiation}."
        )
    planned = settings.correction_for(beam.machine, beam.radiation)
    if model.machine != beam.machine and (planned.dose_factor, planned.weight_polynomial) != (
        correction.dose_factor,
        correction.weight_polynomial,
    ):
        said.append(
            f"Beam {beam.number}: the site's correction for machine {beam.machine!r} belongs to its own beam model and "
            f"was not applied to {model.name!r} (-z)."
        )
    return said


def correction_words(equipped: EquippedBeam) -> str:
    """Return the site's corrections as the end of a sentence; empty where there are none."""
    low, high = equipped.audit.weight_factors
    words = "" if low == high == 1.0 else f", weights times {low:.6g} to {high:.6g} included"
    factor = equipped.correction.dose_factor
    return words if factor == 1.0 else f"{words}, times the dose factor {factor:g}"


def on_phantom(beam: IonBeam) -> IonBeam:
    """Return the beam as it meets a phantom: axes as head first supine, couch straight, isocentre kept."""
    return replace(beam, couch_deg=0.0, pitch_deg=0.0, roll_deg=0.0, patient_position="HFS")
