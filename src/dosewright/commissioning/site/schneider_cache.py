"""Interpolated CT tables on disk, found by the hash of what they were made from.

A file is written whole or not at all, and holds a hash of itself: two runs may make the same one at once, and one that
was damaged is made anew. What is read is held against the curve, so that a file somebody changed does no harm.
"""

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import numpy as np

from dosewright.core.errors import InputError
from dosewright.core.matter import HounsfieldTable
from dosewright.core.whole_file import write_whole_text
from dosewright.materials.schneider import Intervals, fits, split, with_intervals

READABLE = 0o644
METHOD = "2"  # goes up with every change of how a table is split
HEADER = "# Densities of a CT protocol, interpolated by Dosewright; made anew when missing."


def interpolated(table: HounsfieldTable, tolerance_g_cm3: float, places: Iterable[Path]) -> HounsfieldTable:
    """Return a CT protocol with densities that differ by a tolerance, from the first place that has it.

    Where none has it, it is made and kept in the first place that can be written to; a cache keeps nobody from working.
    """
    key = key_of(table, tolerance_g_cm3)
    files = [place / f"{key[:32]}.txt" for place in places]
    for file in files:
        found = _read(file, key)
        if found is not None and fits(found, table, tolerance_g_cm3):
            return with_intervals(table, found, tolerance_g_cm3)
    made = split(table, tolerance_g_cm3)
    for file in files:
        if _written(file, _text(made, table, tolerance_g_cm3, key)):
            break
    return with_intervals(table, made, tolerance_g_cm3)


def users_cache() -> Path:
    """Return the user's own folder for interpolated tables."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "dosewright" / "ct"


def key_of(table: HounsfieldTable, tolerance_g_cm3: float) -> str:
    """Return the hash of density curve, compositions and tolerance."""
    digest = sha256(f"{METHOD} {tolerance_g_cm3!r} {table.upper_hu!r}\n".encode())
    for values in (table.density_hu, table.density_g_cm3, table.lower_hu):
        digest.update(f"{np.asarray(values, float).tolist()!r}\n".encode())
    for one in table.materials:
        digest.update(f"{one.name} {one.density_g_cm3!r} {one.mass_fractions!r} {one.mean_excitation_eV!r}\n".encode())
    return digest.hexdigest()


def _text(made: Intervals, table: HounsfieldTable, tolerance_g_cm3: float, key: str) -> str:
    index = np.clip(np.searchsorted(table.lower_hu, made.lower_hu[:-1], side="right") - 1, 0, None)
    rows = [
        f"{low} {high} {density!r} {table.materials[i].name}"
        for low, high, density, i in zip(
            made.lower_hu[:-1].tolist(), made.lower_hu[1:].tolist(), made.density_g_cm3.tolist(), index, strict=True
        )
    ]
    head = [HEADER, f"# tolerance {tolerance_g_cm3:g} g/cm3; from: {key}", "# lower HU (included), upper HU "
            "(excluded), density g/cm3, composition"]  # fmt: skip
    body = "\n".join([*head, *rows]) + "\n"
    return f"{body}# sha256 {sha256(body.encode()).hexdigest()}\n"


def _read(file: Path, key: str) -> Intervals | None:
    """Return what a file holds, or None where it is missing, damaged or about something else."""
    try:
        text = file.read_text(encoding="utf-8")
        body, mark, told = text.rpartition("# sha256 ")
        if not mark or told.strip() != sha256(body.encode()).hexdigest() or f"from: {key}\n" not in body:
            return None
        rows = [line.split() for line in body.splitlines() if not line.startswith("#")]
        lower = [int(row[0]) for row in rows] + [int(rows[-1][1])]
        return Intervals(np.array(lower), np.array([float(row[2]) for row in rows]))
    except (OSError, ValueError, IndexError, InputError):
        return None


def _written(file: Path, text: str) -> bool:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole_text(file, text)
        file.chmod(READABLE)  # for the other users of the library
    except OSError:
        return False
    return True
