"""Each beam with its machine: beam model, what stands in the beam, spots, meterset audit."""

from dataclasses import dataclass, replace

from dosewright.commissioning.catalog import Library
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError
from dosewright.core.looks import tried
from dosewright.core.plan import IonBeam
from dosewright.core.solids import Device
from dosewright.geometry.beam_devices import devices_in_beam
from dosewright.geometry.beamline import start_above_mm
from dosewright.sources.meterset import MetersetAudit, meterset_audit
from dosewright.sources.pencil_beams import PencilBeams, pencil_beams
from dosewright.workflow.request import Wishes
from dosewright.workflow.users import MAY_CHOOSE_BEAM_MODEL, User


@dataclass(frozen=True)
class EquippedBeam:
    """A beam that could be delivered: its model, what stands in it, its spots, and what was assumed."""

    beam: IonBeam
    model: BeamModel
    devices: tuple[Device, ...]
    pencils: PencilBeams
    audit: MetersetAudit
    assumptions: tuple[str, ...]


def may_choose_model(wishes: Wishes, user: User) -> None:
    """Refuse a chosen beam model (-z) to roles that must take the machine's own."""
    if wishes.beam_model is not None and user.role not in MAY_CHOOSE_BEAM_MODEL:
        raise InputError(
            f"Choosing a beam model (-z) needs the role {' or '.join(MAY_CHOOSE_BEAM_MODEL)}; "
            f"{user.name!r} has the role {user.role}."
        )


def equip_one(beam: IonBeam, wishes: Wishes, library: Library) -> EquippedBeam:
    """Find the model of one beam and place what the plan puts into it; all problems are refused together."""
    if wishes.beam_model is None:
        model = library.beam_model_for(beam.machine, beam.radiation)
    else:
        model = library.beam_model(wishes.beam_model)
    if wishes.phantom is not None:
        beam = on_phantom(beam)
    problems: list[str] = []
    devices, assumed = tried(lambda: devices_in_beam(beam, model, library.material), problems) or ((), ())
    start_mm = tried(lambda: start_above_mm(devices, model.plane_mm, model.scanning_mm), problems)
    pencils = tried(lambda: pencil_beams(beam, model, start_mm=start_mm), problems)
    audit = tried(lambda: meterset_audit(beam, model), problems)
    if problems or pencils is None or audit is None:
        raise InputError(*problems)
    assumptions = [*model.assumptions, *assumed, *audit.assumptions, *pencils.assumptions]
    if wishes.beam_model is not None and model.machine != beam.machine:
        assumptions.append(
            f"Beam {beam.number} {beam.name!r} was planned for machine {beam.machine!r} and is calculated with the "
            f"beam model {model.name!r} (-z)."
        )
    return EquippedBeam(beam, model, devices, pencils, audit, tuple(assumptions))


def on_phantom(beam: IonBeam) -> IonBeam:
    """Return the beam as it meets a phantom: axes as head first supine, couch straight, isocentre kept."""
    return replace(beam, couch_deg=0.0, pitch_deg=0.0, roll_deg=0.0, patient_position="HFS")
