"""TOPAS phase spaces, binary, limited and ASCII: a ``.header`` describes the records, a ``.phsp`` holds them."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.particles import Particles, PhaseSpaceInfo
from dosewright.formats.phase_space.intake import chosen
from dosewright.formats.phase_space.pair import pair_of
from dosewright.formats.phase_space.raw import BATCH, bounded, check_values, runs, size_of
from dosewright.formats.phase_space.text_lines import TextLines, text_lines
from dosewright.formats.phase_space.topas_header import ASCII, LIMITED, NAMES, TopasHeader, read_topas_header
from dosewright.formats.phase_space.topas_records import particles_of, record_type
from dosewright.formats.phase_space.topas_text import text_runs

SHORTEST_COLUMN = 2  # a digit and what parts it from the next


@dataclass(frozen=True)
class Records:
    """The records of a data file, those of no particle among them."""

    path: Path
    header: TopasHeader
    number: int
    lines: TextLines | None

    def particles(self, first: int, count: int, size: int) -> Iterator[tuple[int, Particles, NDArray[np.bool_]]]:
        """Yield runs from record `first` on: its number, the particles, and which of them are some."""
        for run in self._runs(first, count, size):
            try:
                particles, is_one = particles_of(run, self.header.columns, self.header.format)
            except InputError as error:
                raise refuse(str(error), where=f"{self.path}, records {first} to {first + len(run) - 1}") from error
            yield first, particles, is_one
            first += len(run)

    def _runs(self, first: int, count: int, size: int) -> Iterator[NDArray[np.void]]:
        if self.lines is not None:
            return text_runs(self.lines, self.header.columns, first, count, size)
        kind = record_type(self.header.columns, self.header.record_bytes)
        return runs(self.path, kind, first, count, size)


@dataclass(frozen=True)
class Places:
    """Where particles stand among records some of which are none.

    Parameters
    ----------
    starts
        First record of each stretch.
    before
        Particles before each stretch.
    begun
        Histories begun since the last particle before each stretch.
    counts
        Particles by species code.
    empty_records
        Records of empty histories.
    histories
        All histories that the records tell of.
    """

    starts: list[int]
    before: list[int]
    begun: list[int]
    counts: dict[int, int]
    empty_records: int
    histories: int


@dataclass
class TopasReader:
    """An open phase space of TOPAS."""

    path: Path
    info: PhaseSpaceInfo
    records: Records
    places: Places | None

    def batches(self, first: int = 0, count: int | None = None, size: int = BATCH) -> Iterator[Particles]:
        """Read records from `first` on, `count` or all that follow, in runs of at most `size`."""
        first, count = bounded(first, count, self.info.particles)
        if self.places is None:
            for at, particles, is_one in self.records.particles(first, count, size):
                if not is_one.all():
                    raise refuse("A record is none of a particle known here, and the header tells of no such",
                                 given=f"record {at + int(np.argmin(is_one))}", where=self.records.path)  # fmt: skip
                check_values(particles, first=at, where=self.records.path)
                yield particles
            return
        stretch = max(bisect.bisect_right(self.places.before, first) - 1, 0)
        skipped, begun = first - self.places.before[stretch], self.places.begun[stretch]
        start = self.places.starts[stretch]
        for at, particles, is_one in self.records.particles(start, self.records.number - start, size):
            kept, begun = chosen(particles, is_one, begun)
            kept, skipped = kept[skipped:], max(skipped - len(kept), 0)
            kept = kept[:count]
            check_values(kept, first=at, where=self.records.path)
            count -= len(kept)
            if len(kept):
                yield kept
            if not count:
                return


def open_topas(path: Path) -> TopasReader:
    """Open a phase space of TOPAS by either of its files.

    Raises
    ------
    InputError
        Its other file is missing, or the two do not fit each other.
    """
    header, data = pair_of(path, (".header", ".phsp"))
    return open_topas_pair(header, data)


def open_topas_pair(header_path: Path, data_path: Path, places: Places | None = None) -> TopasReader:
    """Open a phase space of TOPAS whose files are named apart.

    Parameters
    ----------
    places
        Where particles stand among other records, where that is known; else all are read if there are others.
    """
    header = read_topas_header(header_path)
    records = _records(header, header_path, data_path)
    if records.number < header.particles:
        raise refuse("The file is shorter than its header says", given=f"{records.number} records",
                     allowed=header.particles, where=data_path)  # fmt: skip
    strange = {name: number for name, number in header.named.items() if name not in NAMES.values() and number}
    known = sum(header.named.values()) - sum(strange.values())
    if not strange and records.number == header.particles and (not header.named or known == header.particles):
        places = None
    else:
        places = places or _find(records)
        if records.number - places.empty_records != header.particles:
            raise refuse("Header and records do not agree on the number of particles",
                         given=header.particles, allowed=records.number - places.empty_records,
                         where=header_path)  # fmt: skip
    reader = TopasReader(header_path, _info(header, places), records, places)
    begins = next((bool(one.histories[0]) for one in islice(reader.batches(0, 1), 1)), True)
    if not begins:
        told = ("The first record does not begin a history.",)
        reader.info = replace(reader.info, problems=reader.info.problems + told)
    return reader


def _records(header: TopasHeader, header_path: Path, data_path: Path) -> Records:
    size = size_of(data_path)
    if header.format == ASCII:
        lines = text_lines(data_path)
        if lines.end < lines.number * (len(header.columns) * SHORTEST_COLUMN - 1):
            raise refuse("The lines of the phase space are too short for their columns", where=data_path)
        return Records(data_path, header, lines.number, lines)
    packed = record_type(header.columns).itemsize
    if header.record_bytes < packed or (header.format != LIMITED and header.record_bytes != packed):
        raise refuse("The length of a record is not that of its columns", given=header.record_bytes, allowed=packed,
                     where=header_path)  # fmt: skip
    number, left = divmod(size, header.record_bytes)
    if left:
        allowed = f"a multiple of {header.record_bytes}"
        raise refuse(
            "The file does not end with a whole record", given=f"{size} bytes", allowed=allowed, where=data_path
        )
    return Records(data_path, header, number, None)


def _find(records: Records) -> Places:
    """Read all records once to see which are particles."""
    starts, before, begun, counts = [0], [0], [0], np.zeros(len(NAMES) + 1, np.int64)
    histories, empty = 0, 0
    for at, particles, is_one in records.particles(0, records.number, BATCH):
        kept, carried = chosen(particles, is_one, begun[-1])
        check_values(kept, first=at, where=records.path)
        counts += np.bincount(kept.species, minlength=len(counts))
        histories += int(particles.histories.sum())
        empty += int((~is_one & (particles.weight < 0)).sum())
        starts.append(at + len(particles))
        before.append(before[-1] + len(kept))
        begun.append(carried)
    found = {code: int(counts[code]) for code in NAMES}
    return Places(starts, before, begun, found, empty, histories)


def _info(header: TopasHeader, places: Places | None) -> PhaseSpaceInfo:
    problems = []
    counts = {code: header.named.get(name, 0) for code, name in NAMES.items()} if header.named else None
    particles = header.particles
    if places is not None:
        counts, particles = places.counts, sum(places.counts.values())
        if particles < header.particles:
            listed = ", ".join(f"{n} {name}" for name, n in header.named.items() if name not in NAMES.values())
            problems.append(f"{header.particles - particles} records are left out, of particles other than "
                            f"{', '.join(NAMES.values())}: {listed or 'not named in the header'}.")  # fmt: skip
        if places.empty_records and places.histories != header.original_histories:
            problems.append(f"The records tell of {places.histories} histories with the empty ones, "
                            f"the header of {header.original_histories}.")  # fmt: skip
    if header.reached is not None and header.reached > header.original_histories:
        problems.append(f"The header says that {header.reached} of {header.original_histories} histories arrived.")
    constants = {}
    fields = {column.field for column in header.columns}
    for name, value, unit in (("z_cm", 0.0, " cm"), ("weight", 1.0, "")):
        if name not in fields:
            constants[name] = value
            problems.append(f"{name.removesuffix('_cm')} is not stored: {value:g}{unit} is taken for all records.")
    for column in header.columns:
        if column.name and column.kept_as is None:
            problems.append(f"The column {column.name} holds text and is left out.")
        elif column.type == "f8":
            problems.append(f"The column {column.name} is kept in single precision.")
    return PhaseSpaceInfo(
        format=header.format,
        particles=particles,
        original_histories=float(header.original_histories),
        counts=counts,
        energy_max_MeV=header.energy_max_MeV,
        constants=constants,
        extra={column.name: column.kept_as for column in header.columns if column.kept_as},
        header={} if header.reached is None else {"histories_reached": str(header.reached)},
        problems=tuple(problems),
    )
