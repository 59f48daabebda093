"""Which beams of a plan a request means."""

from collections.abc import Sequence

from dosewright.core.errors import InputError, nearest
from dosewright.core.plan import IonBeam, IonPlan

CALCULATED = ("PROTON",)


def select_beams(plan: IonPlan, wanted: Sequence[str]) -> tuple[IonBeam, ...]:
    """Return the wanted beams in the order of the plan, all if none is named; a name beats a number.

    Names count exactly, else ignoring case where that is unique. A text with commas may list several.
    """
    if not wanted:
        return plan.beams
    chosen: set[int] = set()
    problems = []
    for text in wanted:
        whole = _find(plan, text)
        parts = [text] if whole or "," not in text else [part.strip() for part in text.split(",")]
        for part in parts:
            found = _find(plan, part)
            if len(found) == 1:
                chosen.add(found[0].number)
            else:
                problems.append(_not_one(plan, part, len(found)))
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


def _find(plan: IonPlan, text: str) -> list[IonBeam]:
    exact = [beam for beam in plan.beams if beam.name == text]
    numbered = [beam for beam in plan.beams if str(beam.number) == text.strip()]
    folded = [beam for beam in plan.beams if beam.name.casefold() == text.strip().casefold()]
    return exact or numbered or folded


def _not_one(plan: IonPlan, text: str, count: int) -> str:
    known = ", ".join(f"{beam.number} {beam.name!r}" for beam in plan.beams)
    hint = nearest(text, [beam.name for beam in plan.beams]) if not count else " Use the number."
    return f"The plan has {count or 'no'} beam{'s' if count else ''} {text!r} (-b).{hint} Known: {known}."
