"""TOPAS phase spaces being written: records first, the header that makes them a phase space last."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.particles import Layout, Particles, PhaseSpaceInfo
from dosewright.core.whole_file import write_whole_text
from dosewright.formats.phase_space.intake import Intake, check_original_histories, check_written
from dosewright.formats.phase_space.raw import GrowingFile
from dosewright.formats.phase_space.topas import Places, open_topas_pair
from dosewright.formats.phase_space.topas_header import (
    ASCII,
    BINARY,
    LIMITED,
    Column,
    full_header,
    limited_header,
    parse_topas_header,
)
from dosewright.formats.phase_space.topas_records import columns_with, empty_records, limited_records_of, records_of
from dosewright.formats.phase_space.topas_text import text_of
from dosewright.formats.phase_space.totals import Totals

TOPAS_FORMATS = (BINARY, LIMITED, ASCII)


@dataclass
class TopasWriter:
    """A phase space of TOPAS being written.

    Histories that sent nothing become records of their own in the binary and the ASCII format, as soon as the particles
    written count any; those after the last particle too.
    """

    path: Path
    layout: Layout
    format: str
    intake: Intake = field(init=False)
    header: Path = field(init=False)
    data: GrowingFile = field(init=False)
    columns: tuple[Column, ...] = field(init=False)
    empty_records: int = 0

    def __post_init__(self) -> None:
        stem = self.path.with_suffix("") if self.path.suffix.casefold() in (".phsp", ".header") else self.path
        self.columns = columns_with({} if self.format == LIMITED else self.layout.extra)
        self.intake = Intake(self.path, self.layout)
        if self.format != LIMITED:
            _check_names(self.format, self.columns, self.path)
        self.header = stem.with_name(stem.name + ".header")
        self.data = GrowingFile(stem.with_name(stem.name + ".phsp"))

    @property
    def _temporary_header(self) -> Path:
        return self.data.temporary.with_suffix(".header")

    def write(self, particles: Particles) -> None:
        """Add records."""
        kept = self.intake.take(particles)
        if len(kept) and kept.weight.min() < 0:
            raise refuse("TOPAS has no negative weights: to it they are histories that sent nothing",
                         given=kept.weight.min(), where=self.path)  # fmt: skip
        if self.format == LIMITED:
            self.data.write(limited_records_of(kept))
        else:
            self._add(records_of(kept, self.columns), len(kept))

    def _add(self, records: NDArray[np.void], particles: int) -> None:
        self.empty_records += len(records) - particles
        if self.format == BINARY:
            self.data.write(records)
            return
        for text in text_of(records, self.columns):
            self.data.write(text)

    def save_header(self, original_histories: float) -> None:
        """Write the header as of now, so that what is there can be recovered if the run is killed."""
        check_original_histories(original_histories)
        totals, histories = self.intake.totals, round(original_histories)
        if self.format == LIMITED:
            text = limited_header(totals.particles, histories)
        else:
            text = full_header(self.format, self.columns, totals, histories)
        self.data.sync()
        write_whole_text(self._temporary_header, text)

    def kept(self) -> dict[str, Any]:
        """Bring the records to disk and return what another process needs to go on."""
        return {"file": self.data.kept(), "intake": self.intake.kept(), "empty_records": self.empty_records}

    def take_up(self, kept: dict[str, Any]) -> bool:
        """Go on with what another process has kept; say whether it is still there."""
        self.intake.take_up(kept["intake"])
        self.empty_records = kept["empty_records"]
        return self.data.take_up(kept["file"])

    def finish(self, original_histories: float) -> PhaseSpaceInfo:
        """Write the header, read everything back, and rename, the header last."""
        check_original_histories(original_histories)
        totals = self.intake.totals
        after_last = round(original_histories) - totals.histories
        counts_empty = self.format != LIMITED and totals.histories > totals.begun
        if counts_empty and after_last > 0:
            self._add(empty_records(after_last, self.columns), 0)
        self.save_header(original_histories)
        self.data.verify()
        told = totals.histories + (max(after_last, 0) if counts_empty else 0)
        places = Places([0], [0], [0], totals.counts, self.empty_records, told)
        reader = open_topas_pair(self._temporary_header, self.data.temporary, places)
        unheld = ("empty histories",) if self.format == LIMITED else ()
        info = check_written(reader, self.intake, unheld=unheld)
        self.header.unlink(missing_ok=True)  # it would describe the former records
        self.data.finish()
        self._temporary_header.replace(self.header)
        return replace(info, counts=totals.counts, problems=info.problems + self.intake.problems(original_histories))

    def __enter__(self) -> "TopasWriter":
        return self

    def __exit__(self, *raised: object) -> None:
        self.data.discard()
        if not self.data.temporary.exists():
            self._temporary_header.unlink(missing_ok=True)


def _check_names(form: str, columns: tuple[Column, ...], path: Path) -> None:
    """Refuse extra columns whose names the header would not give back."""
    lines = [line.strip() for line in full_header(form, columns, Totals(), 0).splitlines()]
    try:
        found = parse_topas_header(lines, path).columns
    except InputError:
        found = ()
    if [(one.name, one.type) for one in found] != [(one.name, one.type) for one in columns]:
        raise refuse("Names of extra columns have another meaning to TOPAS, or are not single words in a line",
                     given=", ".join(repr(one.name) for one in columns if one.name), where=path)  # fmt: skip


def create_topas(path: Path, layout: Layout, *, form: str = BINARY) -> TopasWriter:
    """Begin a phase space of TOPAS: ``.header`` and ``.phsp``, whichever of them is given.

    Parameters
    ----------
    form
        ``topas_binary``, ``topas_limited`` or ``topas_ascii``.
    """
    if form not in TOPAS_FORMATS:
        raise refuse("Unknown format of a TOPAS phase space", given=form, allowed=", ".join(TOPAS_FORMATS))
    if layout.big_endian:
        raise refuse("A TOPAS phase space is little-endian", given="big_endian", where=path)
    return TopasWriter(path, layout, form)
