"""What people write on the command line, read: criteria of gamma, scales, points, axes, isodoses; mistakes together."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from dosewright.analysis.gamma import GammaCriteria
from dosewright.core.errors import InputError, nearest, refuse
from dosewright.workflow.dose_files.compare import Asked, Judged
from dosewright.workflow.dose_files.pair import MATCH
from dosewright.workflow.dose_files.planes import ISODOSES_PERCENT

JUDGES = ("gamma", "noise", "both")


def asked_for(
    gamma: Sequence[str],
    *,
    local: bool,
    threshold: float,
    cap: float,
    scale: str | None,
    judge: str,
    pass_rate: float,
    quick: bool,
    threads: int | None,
) -> Asked:
    """Return what a comparison is asked for; every mistake is told."""
    problems: list[str] = []
    criteria = []
    for text in gamma:
        try:
            percent, mm = _numbers(text, 2, "/", "--gamma", "PERCENT/MM, such as 3/3")
            criteria.append(GammaCriteria(percent, mm, threshold_percent=threshold, local=local, cap=cap))
        except InputError as refused:
            problems += refused.problems
    factor: float | str | None = scale
    if scale is not None and scale != MATCH:
        try:
            (factor,) = _numbers(scale, 1, None, "--scale", f"a number, or {MATCH}")
        except InputError as refused:
            problems += refused.problems
    if judge not in JUDGES:
        problems.append(str(refuse(f"Unknown word for --judge.{nearest(judge, JUDGES)}", given=judge,
                                   allowed=", ".join(JUDGES))))  # fmt: skip
    if problems:
        raise InputError(*problems)
    return Asked(tuple(criteria), threshold, factor, cast(Judged, judge), pass_rate, not quick, threads)


def point_of(text: str | None) -> tuple[float, float, float] | None:
    """Return a point in mm."""
    if text is None:
        return None
    x, y, z = _numbers(text, 3, ",", "--through", "X,Y,Z in mm, such as 0,0,50")
    return x, y, z


def axis_of(text: str) -> int:
    """Return 0, 1, 2 for x, y, z."""
    if text.lower() not in ("x", "y", "z"):
        raise refuse("Unknown axis for --along", given=text, allowed="x, y, z")
    return "xyz".index(text.lower())


def isodoses_of(text: str | None) -> tuple[float, ...]:
    """Return levels in percent, ascending."""
    if text is None:
        return ISODOSES_PERCENT
    levels = sorted(set(_numbers(text, None, ",", "--isodoses", "percentages, such as 10,50,95")))
    if levels[0] <= 0:
        raise refuse("Isodoses are above 0 %", given=text)
    return tuple(levels)


def _numbers(text: str, count: int | None, separator: str | None, option: str, allowed: str) -> list[float]:
    words = [text] if separator is None else text.split(separator)
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if not values or not np.isfinite(values).all() or (count is not None and len(values) != count):
        raise refuse(f"{option} cannot be read", given=repr(text), allowed=allowed)
    return values
