"""Limits of x and y by z, as GAMOS keeps them in ``xylimits.dat``: rows of z, x and y in mm."""

from pathlib import Path

from dosewright.core.errors import InputError, refuse
from dosewright.core.xy_limits import XyLimits
from dosewright.formats.text.lines import numeric_rows


def read_xy_limits(path: Path) -> XyLimits:
    """Return the limits of a file; z must ascend, limits be positive, and every problem is named with its line."""
    rows = numeric_rows(path, 3)
    problems: list[str] = []
    before = None
    for line, (z, x, y) in rows:
        for axis, limit in (("x", x), ("y", y)):
            if not limit > 0.0:
                what = f"The limit of {axis} is half a width and must be positive"
                problems += refuse(what, given=f"{limit:g} mm", where=line.where).problems
        if before is not None and not z > before:
            given = f"z = {z:g} mm after z = {before:g} mm"
            problems += refuse("The planes of limits must ascend in z", given=given, where=line.where).problems
        before = z
    if problems:
        raise InputError(*problems)
    return XyLimits(tuple((z, x, y) for _, (z, x, y) in rows), path.name)
