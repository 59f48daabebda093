"""How far from the axis of the beam particles of a head are worth following: limits of |x| and |y| by z."""

from dataclasses import dataclass

import numpy as np

from dosewright.core.errors import InputError, refuse


@dataclass(frozen=True)
class XyLimits:
    """Limits of |x| and |y| in the axes of the scene, mm.

    Each row (z, x, y) holds from the z of the row before up to its own; the first holds from below, and beyond the
    last nothing is limited. An infinite x or y is no limit. `where` names their source.
    """

    rows_mm: tuple[tuple[float, float, float], ...]
    where: str = ""

    def __post_init__(self) -> None:
        problems: list[str] = []
        place = self.where or None
        if not self.rows_mm:
            problems += refuse("Limits of x and y need a row at least", where=place).problems
        for z, x, y in self.rows_mm:
            if not (np.isfinite(z) and x > 0.0 and y > 0.0):
                allowed = "a finite z, and positive limits"
                problems += refuse(
                    "Limits of x and y by z", given=f"{z:g} {x:g} {y:g}", allowed=allowed, where=place
                ).problems
        for (z, _, _), (after, _, _) in zip(self.rows_mm[:-1], self.rows_mm[1:], strict=True):
            if not after > z:
                given = f"z = {after:g} mm after z = {z:g} mm"
                problems += refuse("The z of limits must ascend", given=given, where=place).problems
        if problems:
            raise InputError(*problems)
