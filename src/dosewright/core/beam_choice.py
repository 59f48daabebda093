"""Which beams of a plan a user means, by name or number."""

from collections.abc import Sequence

from dosewright.core.errors import nearest

NumberedName = tuple[int, str]


def choose_beams(known: Sequence[NumberedName], wanted: Sequence[str]) -> tuple[frozenset[int], tuple[str, ...]]:
    """Return the numbers of the wanted beams, all if none is named, and what is wrong with the other wishes.

    A name beats a number. Names count exactly, else ignoring case where that is unique. A text with commas may list
    several.
    """
    if not wanted:
        return frozenset(number for number, _ in known), ()
    chosen: set[int] = set()
    problems = []
    for text in wanted:
        parts = [text] if _find(known, text) or "," not in text else [part.strip() for part in text.split(",")]
        for part in parts:
            found = _find(known, part)
            if len(found) == 1:
                chosen.add(found[0])
            else:
                problems.append(_not_one(known, part, len(found)))
    return frozenset(chosen), tuple(problems)


def _find(known: Sequence[NumberedName], text: str) -> list[int]:
    exact = [number for number, name in known if name == text]
    numbered = [number for number, _ in known if str(number) == text.strip()]
    folded = [number for number, name in known if name.casefold() == text.strip().casefold()]
    return exact or numbered or folded


def _not_one(known: Sequence[NumberedName], text: str, count: int) -> str:
    listed = ", ".join(f"{number} {name!r}" for number, name in known)
    hint = nearest(text, [name for _, name in known]) if not count else " Use the number."
    return f"The plan has {count or 'no'} beam{'s' if count else ''} {text!r} (-b).{hint} Known: {listed}."
