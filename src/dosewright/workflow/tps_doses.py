"""The planning system's doses made comparable: which beam, RBE divided out, the same number of fractions.

A dose of the whole plan is taken for all fractions. Planning systems differ over beam doses: DICOM (PS3.3 C.8.8.3)
does not say whether a BEAM dose is for one fraction or for all, so it is taken for all fractions too, unless its size
says clearly that it is for one; then it is multiplied, and that is said.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import resample
from dosewright.core.plan import IonPlan
from dosewright.formats.dicom.dose import DicomDose
from dosewright.workflow.final_doses import singles

PROTON_RBE = 1.1  # ICRU Report 78 (2007): generic RBE of protons
SUMMED_OVER_BEAMS = ("PLAN", "MULTI_PLAN", "PLAN_OVERVIEW", "FRACTION")
CLEARLY = 0.25  # natural logarithm: a ratio within 28 % of another number of fractions
HIGH_DOSE_SHARE = 0.5  # of the maximum


@dataclass(frozen=True)
class TpsDose:
    """A dose of the planning system in Gy, physical, for all fractions; `beam` is None for the plan's."""

    image: Image
    beam: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class TpsDoses:
    """The doses that can be compared, and what was said about finding them."""

    plan: TpsDose | None
    beams: dict[int, TpsDose]
    warnings: tuple[str, ...]

    @property
    def grid(self) -> Grid | None:
        """The grid of the plan's dose, else of the first beam's."""
        found = [self.plan, *self.beams.values()]
        return next((dose.image.grid for dose in found if dose is not None), None)


def comparable_doses(doses: Sequence[DicomDose], plan: IonPlan) -> TpsDoses:
    """Sort doses to plan and beams and divide the RBE out; a physical dose beats an effective one."""
    warnings: list[str] = []
    chosen: dict[int | None, DicomDose] = {}
    for dose in doses:
        beam, refusal = _belongs_to(dose, plan)
        if refusal:
            warnings.append(refusal)
            continue
        former = chosen.get(beam)
        if former is None or (former.dose_type != "PHYSICAL" and dose.dose_type == "PHYSICAL"):
            chosen[beam] = dose
        if former is not None and former.dose_type == dose.dose_type:
            warnings.append(
                f"The planning system gave {_label(beam)} more than one {dose.dose_type} dose; one is used."
            )
    made = {beam: _physical(dose, beam) for beam, dose in chosen.items()}
    whole = made.pop(None, None)
    return TpsDoses(whole, {beam: dose for beam, dose in made.items() if beam is not None}, tuple(warnings))


def with_fractions_matched(tps: TpsDose, ours: Image, fractions: int) -> TpsDose:
    """Multiply a dose of one fraction up (or one of all fractions too many down) where its size says so clearly."""
    ratio = _size_ratio(tps.image, ours)
    if fractions < 2 or ratio is None:
        return tps
    for factor, found in ((float(fractions), "one fraction"), (1.0 / fractions, f"{fractions} times all fractions")):
        off = abs(math.log(ratio * factor))
        if off < CLEARLY and off < abs(math.log(ratio)):
            image = Image(tps.image.grid, singles(tps.image) * np.float32(factor))
            note = (
                f"The planning system's dose of {_label(tps.beam)} has the size of {found} (ratio {ratio:.4g} to the "
                f"calculated dose of {fractions} fractions); it was multiplied by {factor:.6g} before comparing."
            )
            return replace(tps, image=image, notes=(*tps.notes, note))
    return tps


def _size_ratio(tps: Image, ours: Image) -> float | None:
    """Return mean planning-system dose over mean calculated dose, both where the calculated dose is high."""
    calculated = singles(ours)
    top = float(np.nanmax(calculated, initial=0.0))
    theirs = singles(resample(tps, ours.grid))
    high = (calculated >= HIGH_DOSE_SHARE * top) & (theirs > 0)
    if top <= 0 or not high.any():
        return None
    return float(np.mean(theirs[high], dtype=np.float64) / np.mean(calculated[high], dtype=np.float64))


def _belongs_to(dose: DicomDose, plan: IonPlan) -> tuple[int | None, str]:
    """Return the beam of a dose (None: the plan's), and why it cannot be used, if so."""
    if dose.dose_type not in ("PHYSICAL", "EFFECTIVE"):
        return None, f"An RT Dose of type {dose.dose_type} was left aside."
    if dose.summation_type in SUMMED_OVER_BEAMS:
        return None, ""
    numbers = [beam.number for beam in plan.beams]
    if dose.summation_type == "BEAM" and dose.beam_number in numbers:
        return dose.beam_number, ""
    if dose.summation_type == "BEAM" and dose.beam_number is None and len(numbers) == 1:
        return numbers[0], ""
    of = "no beam" if dose.beam_number is None else f"beam {dose.beam_number}"
    return None, f"An RT Dose ({dose.summation_type}) that refers to {of} of this plan was left aside."


def _physical(dose: DicomDose, beam: int | None) -> TpsDose:
    values = singles(dose.image)
    if dose.dose_type == "PHYSICAL":
        return TpsDose(Image(dose.image.grid, values), beam, ())
    note = f"The planning system's dose of {_label(beam)} is EFFECTIVE; it was divided by the RBE of {PROTON_RBE:g}."
    return TpsDose(Image(dose.image.grid, values / np.float32(PROTON_RBE)), beam, (note,))


def _label(beam: int | None) -> str:
    return "the plan" if beam is None else f"beam {beam}"
