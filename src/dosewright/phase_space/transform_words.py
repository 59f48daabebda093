"""Transformations as words and numbers: GAMOS's D, RXYZ and RTPS, and those known from EGS files."""

import re
from collections.abc import Callable, Sequence
from math import isfinite

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.phase_space.transform import (
    Reweight,
    Step,
    ToPlane,
    displacement,
    reflection,
    rotation_tps,
    rotation_xyz,
)

CM_PER_MM = 0.1
# Units that a number may carry, as in GAMOS ("10.*cm"); in mm and degrees.
LENGTHS = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3}
ANGLES = {"deg": 1.0, "rad": 57.29577951308232}
NUMBER = re.compile(r"(?P<value>[^*]+)(?:\*(?P<unit>\w+))?")

MM, DEG, PLAIN = LENGTHS, ANGLES, dict[str, float]()
WORDS: dict[str, tuple[tuple[dict[str, float], ...], Callable[..., Step]]] = {
    "D": ((MM, MM, MM), lambda x, y, z: displacement(x * CM_PER_MM, y * CM_PER_MM, z * CM_PER_MM)),
    "RXYZ": ((DEG, DEG, DEG), rotation_xyz),
    "RTPS": ((DEG, DEG, DEG), rotation_tps),
    "rotate": ((DEG,), lambda angle: rotation_xyz(0.0, 0.0, angle)),
    "reflect": ((PLAIN, PLAIN), reflection),
    "reweight": ((PLAIN,), Reweight),
    "plane": ((MM,), lambda z: ToPlane(z * CM_PER_MM)),
}


def read_transformations(texts: Sequence[str]) -> list[Step]:
    """Return the steps that words and numbers say, in their order, such as ``D 0 0 -10 RTPS 30 0 0 plane 0``.

    Lengths are in mm and angles in degrees, where no unit follows (``1*cm``, ``0.5*rad``).

    Raises
    ------
    InputError
        For unknown words, missing numbers, and numbers that make no transformation.
    """
    words = " ".join(texts).replace(",", " ").split()
    problems: list[str] = []
    steps: list[Step] = []
    at = 0
    while at < len(words):
        word = words[at]
        known = next((name for name in WORDS if name.casefold() == word.casefold()), None)
        if known is None:
            listed = ", ".join(WORDS)
            message = f"There is no transformation of this name.{nearest(word, WORDS)}"
            raise InputError(*problems, *refuse(message, given=word, allowed=listed).problems)
        units, make = WORDS[known]
        given = words[at + 1 : at + 1 + len(units)]
        at += 1 + len(given)
        if len(given) < len(units):
            problems += refuse(f"{known} needs more numbers", given=len(given), allowed=len(units)).problems
            break
        numbers = [_number(text, unit, known, problems) for text, unit in zip(given, units, strict=True)]
        if known == "reflect" and not any(numbers):
            problems.append("reflect needs the normal of its mirror. Given: 0 0. Allowed: such as 1 0 or 0 1.")
        elif known == "reweight" and not numbers[0] > 0:
            problems += refuse("A factor on weights is positive", given=given[0]).problems
        else:
            steps.append(make(*numbers))
    if problems:
        raise InputError(*problems)
    return steps


def _number(text: str, units: dict[str, float], word: str, problems: list[str]) -> float:
    found = NUMBER.fullmatch(text)
    try:
        value = float(found["value"]) if found else float("nan")
    except ValueError:
        value = float("nan")
    unit = found["unit"] if found else None
    if isfinite(value) and (unit is None or unit in units):
        return value * (1.0 if unit is None else units[unit])
    allowed = f"a number, with a unit of {', '.join(units)}, if any" if units else "a number"
    problems += refuse(f"{word} needs a number here", given=text, allowed=allowed).problems
    return 1.0
