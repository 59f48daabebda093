"""IAEA phase spaces, a text header ``.IAEAheader`` and the records ``.IAEAphsp``, read and written in runs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dosewright.core.errors import refuse
from dosewright.core.particles import Layout, Particles, PhaseSpaceInfo
from dosewright.core.whole_file import write_whole_text
from dosewright.formats.phase_space.iaea_guess import FEW, implausible_share, sample, turned
from dosewright.formats.phase_space.iaea_header import IaeaHeader, header_text, parse_header, read_text
from dosewright.formats.phase_space.iaea_record import INCREMENT, IaeaRecord, record_for
from dosewright.formats.phase_space.kept import plain, taken_up
from dosewright.formats.phase_space.raw import BATCH, GrowingFile, bounded, check_values, runs, size_of
from dosewright.formats.phase_space.statistics import RecordStatistics

# The second pair is what some who hand on such files call them.
SUFFIXES = ((".IAEAheader", ".IAEAphsp"), (".header", ".phsp"))
REPAIR = "'dosewright phsp repair' makes a new header from the records"


@dataclass
class IaeaReader:
    """An open IAEA phase space; see `PhaseSpaceReader`. `path` is that of the records."""

    path: Path
    info: PhaseSpaceInfo
    record: IaeaRecord

    def batches(self, first: int = 0, count: int | None = None, size: int = BATCH) -> Iterator[Particles]:
        """Read records; those that no particle can have are refused."""
        first, count = bounded(first, count, self.info.particles)
        for run in runs(self.path, self.record.dtype, first, count, size):
            particles = self.record.decode(run)
            check_values(particles, first=first, where=self.path)
            first += len(run)
            yield particles


def pair(path: Path) -> tuple[Path, Path]:
    """Return header and records of a phase space, of which `path` is either, or both without their suffix."""
    suffix = path.suffix.lower()
    ours = next((names for names in SUFFIXES if suffix in (name.lower() for name in names)), None)
    stem = path.with_suffix("") if ours else path
    files = (stem.with_name(stem.name + name) for name in ours or SUFFIXES[0])
    header, records = (path if file.name.lower() == path.name.lower() else _as_spelt(file) for file in files)
    return header, records


def _as_spelt(path: Path) -> Path:
    """Return the file of that name, whatever its capitals, if it is there."""
    try:
        if path.exists() or not path.parent.is_dir():
            return path
        return next((other for other in path.parent.iterdir() if other.name.lower() == path.name.lower()), path)
    except (OSError, ValueError) as error:
        raise refuse("The file cannot be read", given=type(error).__name__, where=path) from error


def open_iaea(path: Path, *, long_bits: int | None = None) -> IaeaReader:
    """Open an IAEA phase space by its header or its records.

    Parameters
    ----------
    long_bits
        32 or 64: the size of extra longs; None takes the one that explains the size of the file. GAMOS wrote 64 bits on
        64-bit machines.

    Raises
    ------
    InputError
        Where header and records contradict each other so that a number read could be wrong.
    """
    if long_bits not in (None, 32, 64):
        raise refuse("Extra longs have 32 or 64 bits", given=long_bits)
    header_path, records = pair(path)
    if not header_path.is_file():
        raise refuse(f"The IAEA phase space has no header; {REPAIR}", given=header_path)
    header = parse_header(read_text(header_path), header_path)
    record, problems = _fitting(header, size_of(records), long_bits, records)
    _check_byte_order(record, records, header.particles)
    info = PhaseSpaceInfo(
        format="iaea", particles=header.particles, original_histories=header.original_histories, counts=header.counts,
        energy_max_MeV=header.energy_max_MeV, constants=dict(record.constants), extra=record.extra, header=header.kept,
        problems=(*header.problems, *problems),
    )  # fmt: skip
    return IaeaReader(records, info, record)


def _fitting(header: IaeaHeader, size: int, long_bits: int | None, where: Path) -> tuple[IaeaRecord, list[str]]:
    """Return the record whose length explains the size of the file, and what in the header does not."""
    bits = (long_bits,) if long_bits else (32, 64) if header.record.longs else (32,)
    records = [replace(header.record, long_bits=b) for b in bits]
    # The declared length first: an empty file fits any.
    records.sort(key=lambda record: record.dtype.itemsize != header.record_length)
    problems = []
    for record in records:
        length = record.dtype.itemsize
        if length * header.particles == size:
            if header.record_length not in (None, length):
                problems.append(f"RECORD_LENGTH {header.record_length} is not that of the records, {length} bytes.")
            if header.checksum not in (None, size):
                problems.append(f"CHECKSUM {header.checksum} is not the size of the file, {size} bytes.")
            return record, problems
    for record in records:
        length = record.dtype.itemsize
        more = size - length * header.particles
        if (header.record_length, header.checksum) == (length, length * header.particles) and more > 0:
            return record, [
                f"The file holds {more} bytes more than its header says, as a run leaves it that was killed; only the "
                f"{header.particles} records of the header are read."
            ]
    raise refuse(
        f"The size of the file is not that of its records; {REPAIR}", given=f"{size} bytes",
        allowed=" or ".join(f"{header.particles} x {record.dtype.itemsize} bytes" for record in records), where=where,
    )  # fmt: skip


def _check_byte_order(record: IaeaRecord, path: Path, particles: int) -> None:
    """Refuse records that make sense only with their bytes in the other order."""
    taken = sample(path, record.dtype, particles)
    other = turned(record)
    if implausible_share(taken) > 0.5 and implausible_share(taken.view(other.dtype)) <= FEW:
        raise refuse(f"The byte order of the header is not that of the records; {REPAIR}",
                     given="big endian" if record.big_endian else "little endian", where=path)  # fmt: skip


def iaea_losses(info: PhaseSpaceInfo) -> tuple[str, ...]:
    """Return what an IAEA file made of this phase space would not hold, a sentence each."""
    losses = []
    if any(kind == "i8" for kind in info.extra.values()):
        losses.append("Extra columns of 64 bits make records as GAMOS wrote them; most other readers expect 32 bits.")
    if info.format not in ("iaea", "egs_mode0", "egs_mode2", "gamos_text") and INCREMENT not in info.extra:
        losses.append(f"How many histories before a record sent nothing is held only with an extra column {INCREMENT}.")
    if info.original_histories is not None and info.original_histories != round(info.original_histories):
        losses.append("The number of original histories is rounded to a whole one.")
    return tuple(losses)


class IaeaWriter:
    """An IAEA phase space being written; see `PhaseSpaceWriter`.

    Both files grow under hidden names beside their place. A process that is killed after `save_header` leaves them
    there, readable up to the records that the header counts.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.header_path, records = pair(path)
        self.record = record_for(layout)
        self.layout = layout
        self.statistics = RecordStatistics()
        self._text(0)  # words that a header cannot hold are refused before anything is written
        self._file = GrowingFile(records)

    @property
    def unfinished(self) -> Path:
        """Where the header is while the file grows."""
        return self._file.temporary.with_suffix(self.header_path.suffix)

    def write(self, particles: Particles) -> None:
        """Add records; what no particle can have, and what the layout cannot hold, is refused."""
        check_values(particles, first=self.statistics.particles, where=self._file.path)
        self._file.write(self.record.encode(particles))
        self.statistics.add(particles)

    def save_header(self, original_histories: float) -> None:
        """Bring the records to disk and write their header as of now."""
        self._file.sync()
        write_whole_text(self.unfinished, self._text(original_histories))

    def kept(self) -> dict[str, Any]:
        """Bring the records to disk and return what another process needs to go on."""
        return {"file": self._file.kept(), "statistics": plain(self.statistics)}

    def take_up(self, kept: dict[str, Any]) -> bool:
        """Go on with what another process has kept; say whether it is still there."""
        self.statistics = taken_up(RecordStatistics, kept["statistics"])
        return self._file.take_up(kept["file"])

    def finish(self, original_histories: float) -> PhaseSpaceInfo:
        """Read the files back, compare with what was written, and put them in their place, the header last."""
        self.save_header(original_histories)
        self._file.verify()
        open_iaea(self.unfinished)  # what the header says is what the file is
        self.header_path.unlink(missing_ok=True)  # a former header never stands beside new records
        self._file.finish()
        self.unfinished.replace(self.header_path)
        info = open_iaea(self.header_path).info
        begun = self.statistics.histories
        if not 0 < original_histories < begun:
            return info
        told = f"The records begin {begun} histories, more than the {original_histories:.17g} original histories given."
        return replace(info, problems=(*info.problems, told))

    def _text(self, original_histories: float) -> str:
        if not 0 <= original_histories < float(1 << 63):
            raise refuse("This is no number of original histories", given=original_histories)
        return header_text(self.record, self.statistics, original_histories, self.layout.title, self.layout.header)

    def __enter__(self) -> "IaeaWriter":
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.discard()
        if not self._file.temporary.exists():
            self.unfinished.unlink(missing_ok=True)


def create_iaea(path: Path, layout: Layout) -> IaeaWriter:
    """Begin an IAEA phase space at ``NAME.IAEAheader`` and ``NAME.IAEAphsp``."""
    return IaeaWriter(path, layout)
