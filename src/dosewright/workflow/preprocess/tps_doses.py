"""The planning system's doses made comparable: which beam, RBE divided out, the same number of fractions.

A dose of the whole plan is taken for all fractions. Planning systems differ over beam doses: DICOM (PS3.3 C.8.8.3)
does not say whether a BEAM dose is for one fraction or for all, so it is taken for all fractions too, unless its size
says clearly that it is for one; then it is multiplied, and that is said.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dosewright.analysis.compare import robust_maximum
from dosewright.core.grid import Grid, Image
from dosewright.core.interpolate import resample
from dosewright.core.plan import IonPlan
from dosewright.formats.dicom.dose import DicomDose
from dosewright.workflow.postprocess.final_doses import singles

SUMMED_OVER_BEAMS = ("PLAN", "MULTI_PLAN", "PLAN_OVERVIEW", "FRACTION")
CLEARLY = 0.25  # natural logarithm: a ratio within 28 % of another number of fractions
HIGH_DOSE_SHARE, LOW_DOSE_SHARE = 0.5, 0.1  # of the maximum


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


def comparable_doses(doses: Sequence[DicomDose], plan: IonPlan, rbe_factor: float) -> TpsDoses:
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
    made = {beam: _physical(dose, beam, rbe_factor) for beam, dose in chosen.items()}
    whole = made.pop(None, None)
    return TpsDoses(whole, {beam: dose for beam, dose in made.items() if beam is not None}, tuple(warnings))


def with_fractions_matched(tps: TpsDose, ours: Image, fractions: int) -> TpsDose:
    """Multiply a dose of one fraction up (or one of all fractions too many down) where its size says so clearly.

    `ours` is nan where it does not count.
    """
    if fractions < 2:
        return tps
    ratios = _size_ratios(tps.image, ours)
    for factor, found in ((float(fractions), "one fraction"), (1.0 / fractions, f"{fractions} times all fractions")):
        if ratios and all(_means(ratio, factor) for ratio in ratios):
            image = Image(tps.image.grid, singles(tps.image) * np.float32(factor))
            note = (
                f"The planning system's dose of {_label(tps.beam)} has the size of {found} (ratio {ratios[0]:.4g} to "
                f"the calculated dose of {fractions} fractions); it was multiplied by {factor:.6g} before comparing."
            )
            return replace(tps, image=image, notes=(*tps.notes, note))
    return tps


def _means(ratio: float, factor: float) -> bool:
    """Say whether a ratio clearly asks for a factor, and more so than for none."""
    off = abs(math.log(ratio * factor))
    return off < CLEARLY and off < abs(math.log(ratio))


def _size_ratios(tps: Image, ours: Image) -> tuple[float, ...]:
    """Return planned over calculated dose, as the mean where the calculated dose is high and as the integral.

    The integral does not care where a dose lies: doses of different places are not made to agree by a factor.
    """
    counts = np.isfinite(singles(ours))
    calculated = np.where(counts, singles(ours), np.float32(0))
    theirs = np.where(counts, singles(resample(tps, ours.grid)), np.float32(0))
    tops = [robust_maximum(Image(ours.grid, values)) for values in (calculated, theirs)]
    if min(tops) <= 0:
        return ()
    high = calculated >= HIGH_DOSE_SHARE * tops[0]
    local = float(np.mean(theirs[high], dtype=np.float64) / np.mean(calculated[high], dtype=np.float64))
    sums = [
        float(np.sum(values[values > LOW_DOSE_SHARE * top], dtype=np.float64))
        for values, top in zip((calculated, theirs), tops, strict=True)
    ]
    return (local, sums[1] / sums[0]) if local > 0 else ()


def _belongs_to(dose: DicomDose, plan: IonPlan) -> tuple[int | None, str]:
    """Return the beam of a dose (None: the plan's), and why it cannot be used, if so."""
    if dose.dose_type not in ("PHYSICAL", "EFFECTIVE"):
        return None, f"An RT Dose of type {dose.dose_type} was left aside."
    if dose.summation_type == "MULTI_PLAN" and not dose.plan_uid:
        return None, "An RT Dose that sums several plans (MULTI_PLAN) was left aside."
    if dose.summation_type in SUMMED_OVER_BEAMS:
        return None, ""
    numbers = [number for number, _ in plan.all_beams]
    if dose.summation_type == "BEAM" and dose.beam_number in numbers:
        return dose.beam_number, ""
    if dose.summation_type == "BEAM" and dose.beam_number is None and len(numbers) == 1:
        return numbers[0], ""
    of = "no beam" if dose.beam_number is None else f"beam {dose.beam_number}"
    return None, f"An RT Dose ({dose.summation_type}) that refers to {of} of this plan was left aside."


def _physical(dose: DicomDose, beam: int | None, rbe_factor: float) -> TpsDose:
    values = singles(dose.image)
    if dose.dose_type == "PHYSICAL":
        return TpsDose(Image(dose.image.grid, values), beam, ())
    note = f"The planning system's dose of {_label(beam)} is EFFECTIVE; it was divided by the RBE of {rbe_factor:g}."
    return TpsDose(Image(dose.image.grid, values / np.float32(rbe_factor)), beam, (note,))


def _label(beam: int | None) -> str:
    return "the plan" if beam is None else f"beam {beam}"
