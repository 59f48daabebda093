"""Each beam with its machine: beam model, range shifters, spots, meterset audit."""

from dataclasses import dataclass, replace

from dosewright.commissioning.catalog import Library
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError
from dosewright.core.looks import tried
from dosewright.core.plan import IonBeam
from dosewright.geometry.range_shifter import range_shifter_slabs
from dosewright.geometry.slab import Slab
from dosewright.sources.meterset import MetersetAudit, meterset_audit
from dosewright.sources.pencil_beams import PencilBeams, pencil_beams
from dosewright.workflow.request import Wishes
from dosewright.workflow.users import MAY_CHOOSE_BEAM_MODEL, User

ABOVE_SLABS_MM = 1.0  # a range shifter upstream of the model plane: the beam starts this far above it


@dataclass(frozen=True)
class EquippedBeam:
    """A beam that could be delivered: its model, the slabs in it, its spots, and what was assumed."""

    beam: IonBeam
    model: BeamModel
    slabs: tuple[Slab, ...]
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
    slabs, assumed = tried(lambda: range_shifter_slabs(beam, model), problems) or ((), ())
    top = max((slab.upstream_mm for slab in slabs), default=0.0)
    start_mm = top + ABOVE_SLABS_MM if top >= model.plane_mm else None
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
    return EquippedBeam(beam, model, slabs, pencils, audit, tuple(assumptions))


def on_phantom(beam: IonBeam) -> IonBeam:
    """Return the beam as it meets a phantom: axes as head first supine, couch straight, isocentre kept."""
    return replace(beam, couch_deg=0.0, pitch_deg=0.0, roll_deg=0.0, patient_position="HFS")
