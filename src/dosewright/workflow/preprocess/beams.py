"""Which beams of a plan a request means."""

from collections.abc import Sequence

from dosewright.core.beam_choice import choose_beams
from dosewright.core.plan import IonBeam, IonPlan

CALCULATED = ("PROTON",)


def select_beams(plan: IonPlan, wanted: Sequence[str]) -> tuple[tuple[IonBeam, ...], tuple[str, ...]]:
    """Return the wanted beams in the order of the plan, all if none is named, and what is wrong with the other wishes.

    Names and numbers are understood as by `choose_beams`.
    """
    chosen, problems = choose_beams(plan.all_beams, wanted)
    return tuple(beam for beam in plan.beams if beam.number in chosen), problems


def refused_radiation(beam: IonBeam) -> str | None:
    """Return why a beam is refused whose radiation is not calculated yet."""
    if beam.radiation in CALCULATED:
        return None
    return (
        f"Beam {beam.number} {beam.name!r} is of radiation type {beam.radiation}; "
        f"only {', '.join(CALCULATED)} is calculated. Choose other beams with -b."
    )
