"""Which beams of a plan a request means."""

from collections.abc import Sequence

from dosewright.core.beam_choice import choose_beams
from dosewright.core.errors import InputError
from dosewright.core.plan import IonBeam, IonPlan

CALCULATED = ("PROTON",)


def select_beams(plan: IonPlan, wanted: Sequence[str]) -> tuple[IonBeam, ...]:
    """Return the wanted beams in the order of the plan, all if none is named, as `choose_beams` understands them."""
    chosen, problems = choose_beams(plan.all_beams, wanted)
    if problems:
        raise InputError(*problems)
    return tuple(beam for beam in plan.beams if beam.number in chosen)


def refused_radiation(beams: Sequence[IonBeam]) -> list[str]:
    """Return a problem for each beam whose radiation is not calculated yet."""
    return [
        f"Beam {beam.number} {beam.name!r} is of radiation type {beam.radiation}; "
        f"only {', '.join(CALCULATED)} is calculated. Choose other beams with -b."
        for beam in beams
        if beam.radiation not in CALCULATED
    ]
