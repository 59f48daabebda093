"""Limits of x and y by height, as GAMOS writes them (``xylimits.dat``): lines of z, x and y in mm."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.formats.text.lines import numeric_rows


def read_xy_limits(path: Path) -> NDArray[np.float64]:
    """Read limits: (n, 3) of z, |x|, |y|, mm.

    Those of a line hold below its z, down to the z of the line before it; those of the first line below everything.
    Above the last z there are none. Source: GAMOS user's guide, killing particles at big X/Y.
    """
    rows = numeric_rows(path, 3)
    problems = []
    for (before, after), (line, _) in zip(zip(rows, rows[1:], strict=False), rows[1:], strict=True):
        if not before[1][0] < after[1][0]:
            given = f"{after[1][0]:g} after {before[1][0]:g}"
            problems += refuse("The z of limits must ascend", given=given, where=line.where).problems
    for line, (_, x, y) in rows:
        if not (x > 0 and y > 0):
            problems += refuse("Limits of x and y must be positive", given=f"{x:g}, {y:g}", where=line.where).problems
    if problems:
        raise InputError(*problems)
    return np.array([values for _, values in rows])
