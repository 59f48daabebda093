"""The doses of the treatment, and the planning system's beside them, like with like."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.grid import Grid
from dosewright.core.mask import mask
from dosewright.workflow.postprocess.body import Body
from dosewright.workflow.postprocess.final_doses import FinalDose, Scale, plan_dose, scaled
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.tps_doses import TpsDose, with_fractions_matched
from dosewright.workflow.simulate import SimulatedBeam


@dataclass(frozen=True)
class Treatment:
    """Doses of all fractions, by beam number and in sum; the planning system's where it gave them."""

    beams: dict[int, FinalDose]
    scales: dict[int, Scale]
    plan: FinalDose
    tps_beams: dict[int, TpsDose]
    tps_plan: TpsDose | None
    notes: tuple[str, ...]
    body: Body


def kept_voxels(case: Case, grid: Grid) -> NDArray[np.bool_] | None:
    """Return the dose voxels inside the EXTERNAL where doses outside are to be removed, else None."""
    external = case.external
    return mask(external, grid) if case.request.remove_outside and external is not None else None


def treatment_doses(
    case: Case, simulated: Sequence[SimulatedBeam], body: Body, keep: NDArray[np.bool_] | None = None
) -> Treatment:
    """Scale the beams (Gy per primary x particles per fraction x fractions x correction) and add them.

    Doses outside `keep`, on the dose grid, are set to zero; None keeps all.
    """
    doses, scales = {}, {}
    for equipped, result in zip(case.beams, simulated, strict=True):
        number = equipped.beam.number
        scales[number] = Scale(equipped.audit.particles, case.fractions, equipped.correction.dose_factor)
        dose_to = case.request.dose_to
        dose = scaled(result.to_water, result.to_medium, result.uncertainty, scales[number], dose_to)
        doses[number] = dose if keep is None else dose.within(keep)
    whole = plan_dose(list(doses.values()))
    tps_beams = {
        number: with_fractions_matched(tps, body.of(doses[number].physical), case.fractions)
        for number, tps in case.tps.beams.items()
        if number in doses
    }
    tps_plan, notes = case.tps.plan, []
    if tps_plan is not None and not case.whole_plan:
        tps_plan = None
        notes.append("Not all beams of the plan were calculated, so the planning system's plan dose is not compared.")
    if tps_plan is not None:
        tps_plan = with_fractions_matched(tps_plan, body.of(whole.physical), case.fractions)
    for tps in (*tps_beams.values(), tps_plan):
        notes.extend(tps.notes if tps else ())
    return Treatment(doses, scales, whole, tps_beams, tps_plan, tuple(dict.fromkeys(notes)), body)
