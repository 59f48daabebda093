"""GAMOS's phase space as text: one line per particle, read and written in runs.

A line is the particle's code, kinetic energy in MeV, x, y, z in cm, the three direction cosines, the weight, then extra
words, whole numbers before others. The code is that of the Particle Data Group; IAEA codes are read too. The text does
not say where an original history begins. Source: GAMOS user guide, "Phase space text file".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.particles import Layout, Particles, PhaseSpaceInfo
from dosewright.formats.phase_space.gamos_lines import GamosLines, blocks, scanned
from dosewright.formats.phase_space.kept import plain, taken_up
from dosewright.formats.phase_space.raw import BATCH, GrowingFile, bounded, check_values
from dosewright.formats.phase_space.statistics import RecordStatistics

# IAEA code by the numbering of the Particle Data Group, Review of Particle Physics.
PDG = {22: 1, 11: 2, -11: 3, 2112: 4, 2212: 5}
WRITTEN = np.array([0, *PDG])  # by IAEA code
CODES = {**PDG, **{code: code for code in PDG.values()}}
KNOWN = np.array(sorted(CODES))
SPECIES_OF = np.array([CODES[code] for code in KNOWN.tolist()], np.int8)
FLOATS = ("energy_MeV", "x_cm", "y_cm", "z_cm", "u", "v", "w", "weight")
UNIT_TOLERANCE = 1e-3  # directions are printed with six digits, by some with four
NO_HISTORIES = "The text does not say where original histories begin; every particle is taken for one of its own."
TWICE = "Code and energy stand twice in each line, as some versions of GAMOS wrote; the second pair is left out."


@dataclass
class GamosTextReader:
    """An open phase space of GAMOS text; see `PhaseSpaceReader`."""

    path: Path
    info: PhaseSpaceInfo
    lines: GamosLines
    doubled: bool

    def batches(self, first: int = 0, count: int | None = None, size: int = BATCH) -> Iterator[Particles]:
        """Read lines; those that no particle can have are refused."""
        first, count = bounded(first, count, self.info.particles)
        if size < 1:
            raise refuse("A run of records needs a size", given=size, allowed="1 and more")
        at, offset = self.lines.start_before(first)
        for block in blocks(self.path, offset) if count else ():
            if not block.strip():
                continue
            particles = self._particles(block, at)
            chosen = particles[max(first - at, 0) : first + count - at]
            for start in range(0, len(chosen), size):
                yield chosen[start : start + size]
            at += len(particles)
            if at >= first + count:
                return
        if count:
            raise refuse("The file ended while it was read", where=self.path)

    def _particles(self, block: bytes, first: int) -> Particles:
        table = _table(block, self.lines.columns, self.path)
        if self.doubled:
            if not _stands_twice(table):
                raise refuse("Some lines hold code and energy twice, others do not", where=self.path)
            table = np.delete(table, (5, 6), axis=1)
        with np.errstate(over="ignore", invalid="ignore"):  # what is no float32 is refused below
            columns = {name: table[:, at].astype(np.float32) for at, name in enumerate(FLOATS, start=1)}
            at = np.minimum(np.searchsorted(KNOWN, table[:, 0]), len(KNOWN) - 1)
            species = np.where(KNOWN[at] == table[:, 0], SPECIES_OF[at], np.int8(0))
            extra = {
                name: table[:, at].astype(kind) for at, (name, kind) in enumerate(self.info.extra.items(), start=9)
            }
        particles = Particles(species, histories=np.ones(len(table), np.int64), extra=extra, **columns)
        check_values(particles, first=first, where=self.path)
        length = sum(getattr(particles, name).astype(np.float64) ** 2 for name in "uvw")
        wrong = ~(np.abs(length - 1) < UNIT_TOLERANCE)
        if wrong.any():
            raise refuse(f"Line {first + int(np.argmax(wrong)) + 1} has a direction that is no unit vector",
                         given=table[np.argmax(wrong), 5:8].tolist(), where=self.path)  # fmt: skip
        return particles


def open_gamos_text(path: Path) -> GamosTextReader:
    """Open a GAMOS text; lines are counted, and which extra words are whole numbers, in one quick pass."""
    lines = scanned(path)
    if lines.columns < 9:
        raise refuse("A line of a GAMOS phase space has nine words or more", given=lines.columns, where=path)
    doubled = lines.columns >= 11 and _stands_twice(
        _table(next(b for b in blocks(path) if b.strip()), lines.columns, path)
    )
    kinds = lines.kinds[11 if doubled else 9 :]
    if "f8" in kinds:
        raise refuse("An extra word has more digits than are read exactly", allowed="15", where=path)
    info = PhaseSpaceInfo(
        format="gamos_text", particles=lines.number, original_histories=None, extra=_named(kinds),
        problems=(NO_HISTORIES, TWICE) if doubled else (NO_HISTORIES,),
    )  # fmt: skip
    return GamosTextReader(path, info, lines, doubled)


def _named(kinds: tuple[str, ...]) -> dict[str, str]:
    """Return names of extra words with their types, as the IAEA reader names those without one."""
    names = {}
    for at, kind in enumerate(kinds):
        alike = [k for k in kinds[: at + 1] if (k == "f4") == (kind == "f4")]
        names[f"extra_{'float' if kind == 'f4' else 'long'}_{len(alike)}"] = kind
    return names


def _table(block: bytes, columns: int, path: Path) -> NDArray[np.float64]:
    """Return the numbers of some lines."""
    try:
        table = np.loadtxt(BytesIO(block), np.float64, comments=None, ndmin=2)
    except ValueError as error:
        raise refuse("A line of the phase space cannot be read", given=str(error), where=path) from error
    if table.shape[1] != columns:
        raise refuse("The lines of the phase space are not of one length", where=path)
    return table


def _stands_twice(table: NDArray[np.float64]) -> bool:
    return len(table) > 0 and bool(
        np.array_equal(table[:, 0], table[:, 5]) and np.array_equal(table[:, 1], table[:, 6])
    )


class GamosTextWriter:
    """A GAMOS text being written; see `PhaseSpaceWriter`. Nine digits, so that numbers are read as they were."""

    def __init__(self, path: Path, layout: Layout) -> None:
        kinds = {name: np.dtype(kind).kind for name, kind in layout.extra.items()}
        wrong = [name for name, kind in kinds.items() if kind not in "if"]
        if wrong:
            raise refuse("GAMOS text cannot hold these extra columns", given=wrong, allowed="whole numbers and floats")
        self._longs, self._floats = ([name for name, kind in kinds.items() if kind == letter] for letter in "if")
        self._constants = layout.constants
        self._line = " ".join(["%d", *["%.9g"] * 8, *["%d"] * len(self._longs), *["%.9g"] * len(self._floats)]) + "\n"
        self._statistics = RecordStatistics()
        self._file = GrowingFile(path)

    def write(self, particles: Particles) -> None:
        """Add lines; what no particle can have is refused."""
        check_values(particles, first=self._statistics.particles, where=self._file.path)
        for name, value in self._constants.items():
            if name in FLOATS and not np.all(getattr(particles, name) == np.float32(value)):
                raise refuse(f"{name} is not the same for all, as the file was to say", allowed=value)
        missing = [name for name in (*self._longs, *self._floats) if name not in particles.extra]
        if missing:
            raise refuse("Extra columns of the phase space are missing", given=missing)
        columns = [WRITTEN[particles.species], *(getattr(particles, name) for name in FLOATS)]
        columns += [particles.extra[name] for name in (*self._longs, *self._floats)]
        rows = zip(*(column.tolist() for column in columns), strict=True)
        text = (self._line * len(particles)) % tuple(chain.from_iterable(rows))
        self._file.write(text.encode("ascii"))
        self._statistics.add(particles)

    def save_header(self, original_histories: float) -> None:  # noqa: ARG002
        """Bring the lines to disk; a text has no header."""
        self._file.sync()

    def kept(self) -> dict[str, Any]:
        """Bring the lines to disk and return what another process needs to go on."""
        return {"file": self._file.kept(), "statistics": plain(self._statistics)}

    def take_up(self, kept: dict[str, Any]) -> bool:
        """Go on with what another process has kept; say whether it is still there."""
        self._statistics = taken_up(RecordStatistics, kept["statistics"])
        return self._file.take_up(kept["file"])

    def finish(self, original_histories: float) -> PhaseSpaceInfo:  # noqa: ARG002
        """Read the file back, compare with what was written, and put it in its place."""
        self._file.verify()
        self._file.finish()
        return open_gamos_text(self._file.path).info

    def __enter__(self) -> "GamosTextWriter":
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.discard()


def create_gamos_text(path: Path, layout: Layout) -> GamosTextWriter:
    """Begin a GAMOS text."""
    return GamosTextWriter(path, layout)
