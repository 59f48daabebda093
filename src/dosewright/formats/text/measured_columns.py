"""Tables of measurements: CSV whose titles carry the unit, such as ``depth_mm``, as columns in our units."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.lines import Line, content_lines, number

Array = NDArray[np.float64]
Units = Mapping[str, float]

# What a unit at the end of a title is worth in ours; "" for quantities without unit.
MEV: Units = {"MeV": 1.0}
MM: Units = {"mm": 1.0, "cm": 10.0}
GY: Units = {"Gy": 1.0, "cGy": 0.01}
DENSITY: Units = {"g_cm3": 1.0, "kg_m3": 1e-3}
PLAIN: Units = {"": 1.0}


def read_columns(
    path: Path, needed: Mapping[str, Units], optional: Mapping[str, Units] | None = None
) -> dict[str, Array]:
    """Return the columns of a table by quantity, in our units; every problem is listed.

    Parameters
    ----------
    path
        A table with one line of titles, each a quantity and its unit, then rows of numbers; commas between.
    needed, optional
        Quantities with the units they may have; a column that is neither is refused.
    """
    lines = content_lines(path)
    if len(lines) < 2:
        raise refuse("The table needs a line of titles and a row of numbers at least", where=path.name)
    quantities, factors = _titles(lines[0], needed, dict(optional or {}))
    rows: list[list[float]] = []
    problems: list[str] = []
    for line in lines[1:]:
        try:
            rows.append(_row(line, len(quantities)))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    values = np.array(rows, float) * factors
    return {name: values[:, i] for i, name in enumerate(quantities)}


def _titles(line: Line, needed: Mapping[str, Units], optional: Mapping[str, Units]) -> tuple[list[str], Array]:
    known = {_title(name, unit): (name, worth) for name, units in {**needed, **optional}.items()
             for unit, worth in units.items()}  # fmt: skip
    titles = [word.strip() for word in line.text.split(",")]
    problems = [str(refuse(f"Unknown column {title!r}.{nearest(title, known)}", allowed=", ".join(known),
                           where=line.where)) for title in titles if title not in known]  # fmt: skip
    found = [known[title] for title in titles if title in known]
    names = [name for name, _ in found]
    problems += [str(refuse(f"The column {name!r} occurs twice", where=line.where))
                 for name in sorted({name for name in names if names.count(name) > 1})]  # fmt: skip
    problems += [str(refuse("A column is missing", allowed=" or ".join(_title(name, unit) for unit in units),
                            where=line.where)) for name, units in needed.items() if name not in names]  # fmt: skip
    if problems:
        raise InputError(*problems)
    return names, np.array([worth for _, worth in found])


def _title(name: str, unit: str) -> str:
    return f"{name}_{unit}" if unit else name


def _row(line: Line, columns: int) -> list[float]:
    cells = line.text.split(",")
    if len(cells) != columns:
        raise refuse(f"Expected {columns} columns", given=repr(line.text), where=line.where)
    return [number(cell, line.where) for cell in cells]
