"""Beam table of the Danish Centre for Particle Therapy: one CSV row per nominal energy.

Published with the plans of "2022_DCPT_LET" (APTG, CC BY 4.0). Quoted ``#`` lines carry the title, ``BMODPOS`` (the
distance of the model plane upstream of the isocentre) and the column names.
"""

import csv
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError, refuse
from dosewright.formats.text.lines import number, read_text, sha256
from dosewright.formats.text.tabulated_beam import SpotAxis, SpotTable, TabulatedBeam

COLUMNS = (
    "Energy nominal [MeV]",
    "E real [MeV]",
    "E real sigma [MeV]",
    "protons/MU",
    "sigma x [mm]",
    "sigma y [mm]",
    "sigma x' [rad]",
    "sigma y' [rad]",
    "cor(x x')",
    "cor(y y')",
)


def read_dcpt_table(path: Path, *, machine: str = "") -> BeamModel:
    """Read a DCPT beam table; the scanning distances are not in it and are left to the plan."""
    notes, rows = _split(path)
    table = _numbers(path, notes, rows)
    beam = TabulatedBeam(
        path.stem,
        table[:, 0],
        table[:, 1],
        table[:, 2],
        table[:, 3],
        (
            SpotTable(
                np.ones(len(table)),
                SpotAxis(table[:, 4], table[:, 6], table[:, 8]),
                SpotAxis(table[:, 5], table[:, 7], table[:, 9]),
            ),
        ),
    )
    return BeamModel(
        name=path.stem,
        machine=machine,
        radiation="PROTON",
        plane_mm=_plane_mm(path, notes),
        scanning_mm=(np.nan, np.nan),
        energy_range_MeV=beam.range_MeV,
        at=beam,
        medium="air",
        source=f"DCPT beam table {path.name}: {notes[0][1] if notes else ''}".strip(": "),
        assumptions=_assumptions(notes),
        sha256=sha256(path),
    )


def _split(path: Path) -> tuple[list[tuple[int, str]], list[tuple[int, list[str]]]]:
    """Return the notes (line, text without quotes and marks) and the rows of values."""
    notes, rows = [], []
    try:
        for n, row in enumerate(csv.reader(read_text(path).splitlines()), start=1):
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if cells[0].startswith("#"):
                notes.append((n, ",".join(c.strip('# "') for c in cells).strip(",")))
            else:
                rows.append((n, cells))
    except csv.Error as error:
        raise refuse("The file is not a CSV table", given=str(error), where=path) from error
    return notes, rows


def _numbers(path: Path, notes: list[tuple[int, str]], rows: list[tuple[int, list[str]]]) -> NDArray[np.float64]:
    if ",".join(COLUMNS) not in [text for _, text in notes]:
        raise refuse("The DCPT table lacks its line of column names", allowed=", ".join(COLUMNS), where=path.name)
    problems: list[str] = []
    values = []
    for n, cells in rows:
        where = f"{path.name}, line {n}"
        try:
            if len(cells) != len(COLUMNS):
                raise refuse(f"Expected {len(COLUMNS)} columns", given=len(cells), where=where)
            values.append([number(cell, where, what) for cell, what in zip(cells, COLUMNS, strict=True)])
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    if not values:
        raise refuse("The DCPT table has no rows", where=path.name)
    return np.array(values, float)


def _plane_mm(path: Path, notes: list[tuple[int, str]]) -> float:
    found = [re.fullmatch(r"BMODPOS\s+(\S+)\s+mm", text) for _, text in notes]
    planes = [match.group(1) for match in found if match]
    if len(planes) != 1:
        raise refuse(
            "The DCPT table must say once where its plane lies", allowed="BMODPOS <distance> mm", where=path.name
        )
    return number(planes[0], path.name, "the distance of the model plane")


def _assumptions(notes: list[tuple[int, str]]) -> tuple[str, ...]:
    said = [
        "The beam table names no scanning distances; those of the plan (virtual source-axis distances) are used.",
        "A positive correlation in the beam table means a beam that diverges downstream.",
    ]
    if any("reversed in Exp. Room" in text for _, text in notes):
        said.append("The beam table notes that x and y are reversed in the experimental room; the plan's room is taken"
                    " to be a gantry room, x and y as written.")  # fmt: skip
    return tuple(said)
