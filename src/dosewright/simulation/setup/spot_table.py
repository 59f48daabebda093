"""Tables of spots: one line per spot, columns by name."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.lines import number, read_text
from dosewright.materials.ion_tables import HIGHEST_MEV

Array = NDArray[np.float64]
NEEDED = ("x_mm", "y_mm", "energy_MeV", "particles")
OPTIONAL = (
    "sigma_x_mm", "sigma_y_mm", "divergence_x_mrad", "divergence_y_mrad", "correlation_x", "correlation_y",
    "energy_spread_percent",
)  # fmt: skip
FROM_ZERO = ("energy_MeV", "particles", "energy_spread_percent", *OPTIONAL[:4])
SIGMAS = 5.0


@dataclass(frozen=True)
class Spots:
    """Spots ready to start: one array per column of the table (mm, mrad, MeV, percent)."""

    columns: dict[str, Array]

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]


def read_columns(path: Path, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Array]:
    """Read a comma-separated table whose first line names its columns; all problems are listed.

    Lines that start with ``#`` are left out. Optional columns that are missing become zeros.
    """
    lines = [(n, t) for n, t in enumerate(read_text(path).splitlines(), 1) if t.strip() and not t.startswith("#")]
    try:
        rows = list(csv.reader(text for _, text in lines))
    except csv.Error as error:
        raise refuse("The table cannot be read", given=error, where=path.name) from error
    if len(rows) < 2 or len(rows) != len(lines):
        raise refuse("A table needs a line of column names and a line of numbers", where=path.name)
    names = [name.strip() for name in rows[0]]
    known = (*needed, *optional)
    problems = [
        refuse(f"Unknown column.{nearest(name, known)}", given=name, allowed=", ".join(known), where=path.name)
        for name in names
        if name not in known
    ]
    problems += [refuse(f"The column {name!r} is missing", where=path.name) for name in needed if name not in names]
    problems += [refuse("A column is there twice", given=n, where=path.name) for n in set(names) if names.count(n) > 1]
    values: list[list[float]] = []
    for (line, _), row in zip(lines[1:], rows[1:], strict=True):
        try:
            if len(row) != len(names):
                raise refuse(f"Expected {len(names)} values", given=len(row), where=f"{path.name}, line {line}")
            values.append([number(cell, f"{path.name}, line {line}") for cell in row])
        except InputError as error:
            problems.append(error)
    if problems:
        raise InputError(*(text for problem in problems for text in problem.problems))
    table = np.array(values).T
    zeros = np.zeros(table.shape[1])
    return {name: table[names.index(name)] if name in names else zeros for name in known}


def read_spots(path: Path) -> Spots:
    """Read spots: x_mm, y_mm, energy_MeV, particles, and optional sizes, divergences, correlations, spread."""
    columns = read_columns(path, NEEDED, OPTIONAL)
    problems = [f"{n} must not be negative. Where: {path.name}." for n in FROM_ZERO if np.any(columns[n] < 0)]
    highest = columns["energy_MeV"] * (1 + SIGMAS * columns["energy_spread_percent"] / 100)
    if np.any(columns["energy_MeV"] <= 0) or np.any(highest > HIGHEST_MEV):
        problems.append(f"energy_MeV with 5 sigmas must be from 0 to {HIGHEST_MEV:g} MeV. Where: {path.name}.")
    if not columns["particles"].sum() > 0:
        problems.append(f"The spots have no particles. Where: {path.name}.")
    for axis in "xy":
        r, width = columns[f"correlation_{axis}"], columns[f"sigma_{axis}_mm"] * columns[f"divergence_{axis}_mrad"]
        if np.any(np.abs(r) > 1) or np.any((r != 0) & (width == 0)):
            problems.append(
                f"correlation_{axis} must be from -1 to 1 and needs a sigma and a divergence. Where: {path.name}."
            )
    if problems:
        raise InputError(*problems)
    return Spots(columns)
