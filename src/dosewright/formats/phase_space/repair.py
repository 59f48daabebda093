"""A phase space whose header is missing, wrong or of another length than its records, written anew: IAEA."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from dosewright.core.errors import InputError, refuse
from dosewright.core.particles import SPECIES, Layout, Particles
from dosewright.formats.phase_space.iaea import create_iaea, pair
from dosewright.formats.phase_space.iaea_guess import (
    FEW,
    guessed_record,
    implausible,
    implausible_share,
    sample,
    turned,
)
from dosewright.formats.phase_space.iaea_header import (
    BIG,
    REPAIRED,
    IaeaHeader,
    blocks_of,
    histories_of,
    kept_words,
    parse_header,
    read_text,
    record_of,
    whole_number,
)
from dosewright.formats.phase_space.iaea_record import IaeaRecord
from dosewright.formats.phase_space.intake import chosen
from dosewright.formats.phase_space.raw import BATCH, runs, size_of
from dosewright.formats.phase_space.repair_egs import is_egs, repaired_egs
from dosewright.formats.phase_space.statistics import RecordStatistics
from dosewright.formats.phase_space.topas_header import topas_format

TOPAS_SUFFIX = ".header"  # of an IAEA header too, as some call it
HISTORIES = "original histories"  # in every sentence about their number
MOST_LEFT_OUT = 0.01  # share of damaged records


@dataclass
class _Found:
    """What is known so far: from the header, as far as it can be believed, and from the records.

    Parameters
    ----------
    header
        None where it cannot be read whole.
    wrong
        What was wrong, a sentence each.
    unsure
        What the new header cannot know; it will say so wherever it is read.
    """

    text: str = ""
    header: IaeaHeader | None = None
    record: IaeaRecord | None = None
    original_histories: float | None = None
    kept: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


def repaired(
    path: Path,
    out: Path,
    *,
    original_histories: float | None = None,
    z_cm: float | None = None,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Write a phase space of IAEA or EGSnrc anew from its records and what is true in its header; say what was wrong.

    Records of an IAEA file that no particle can have are left out, up to one in a hundred. The original stays as it is.

    Parameters
    ----------
    path, out
        Header or records, or both without their suffix; a file of EGSnrc.
    original_histories, z_cm
        What no header says, or says wrong: histories of the source, and the plane where z is not stored.
    overwrite
        Put the new files into the place of the original.
    """
    if is_egs(path):
        if z_cm is not None:
            raise refuse("A file of EGSnrc has no place for z", given=f"z_cm {z_cm:g}", allowed="z where it is read")
        return repaired_egs(path, out, original_histories=original_histories, overwrite=overwrite)
    header_path, records = pair(path)
    if not overwrite and {file.resolve() for file in pair(out)} & {header_path.resolve(), records.resolve()}:
        raise refuse("A repair would replace the original", given=out, allowed="another name")
    found = _said(header_path)
    if header_path.suffix.lower() == TOPAS_SUFFIX and topas_format(found.text.splitlines()):
        raise refuse("Phase spaces of TOPAS are not repaired", given=header_path, allowed="IAEA, EGSnrc")
    record = _with_z(found, _layout(found, records), z_cm)
    number = _number(found, record, size_of(records))
    if original_histories is not None:
        found.original_histories = original_histories
        found.unsure = [sentence for sentence in found.unsure if HISTORIES not in sentence]
    layout = Layout(record.constants, record.extra, header=found.kept, big_endian=record.big_endian)
    statistics = RecordStatistics()
    left_out = 0
    with create_iaea(out, layout) as writer:
        for particles, dropped in _sound(record, records, number):
            writer.write(particles)
            statistics.add(particles)
            left_out += dropped
        _compare(found, statistics, left_out)
        # The header is made of these words when it is written, here.
        found.kept[REPAIRED] = "\n".join(dict.fromkeys(found.unsure))
        writer.finish(found.original_histories or 0.0)
    return tuple(dict.fromkeys(found.wrong))


def _with_z(found: _Found, record: IaeaRecord, z_cm: float | None) -> IaeaRecord:
    """Return the record with the plane that was given, and forget that nobody knew it."""
    if z_cm is None:
        return record
    if "z_cm" not in record.constants:
        raise refuse("The records hold z themselves", given=f"z_cm {z_cm:g}")
    for sentences in (found.unsure, found.wrong):
        sentences[:] = [sentence for sentence in sentences if not sentence.startswith("z_cm is not in the records")]
    return replace(record, constants={**record.constants, "z_cm": z_cm})


def _said(header_path: Path) -> _Found:
    """Return what the header says, as much of it as can be read."""
    found = _Found()
    if not header_path.is_file():
        found.wrong.append("There is no header.")
        return found
    try:
        found.text = text = read_text(header_path)
        blocks, _ = blocks_of(text)
        found.kept = kept_words(blocks)
        found.unsure = found.kept.pop(REPAIRED, "").splitlines()
    except InputError as error:
        found.wrong += error.problems
        return found
    try:
        found.header = parse_header(text, header_path)
        found.record, found.original_histories = found.header.record, found.header.original_histories
        found.wrong += found.header.problems
    except InputError as error:
        found.wrong += error.problems
        found.record, found.original_histories = _parts(blocks, header_path)
    return found


def _parts(blocks: dict[str, str], header_path: Path) -> tuple[IaeaRecord | None, float | None]:
    """Return the layout and the histories of a header that cannot be read whole."""
    first = {name: whole_number(text.splitlines()[0]) for name, text in blocks.items() if text}
    histories = histories_of(first.get("ORIG_HISTORIES"), [])
    try:
        return record_of(blocks, big_endian=first.get("BYTE_ORDER") == BIG, where=header_path)[0], histories
    except InputError:
        return None, histories


def _layout(found: _Found, records: Path) -> IaeaRecord:
    """Return the layout that makes sense of the records: that of the header, its near relations, or a guess."""
    size = size_of(records)
    said = found.record
    for record in _relations(said) if said else ():
        length = record.dtype.itemsize
        if implausible_share(sample(records, record.dtype, size // length)) <= FEW:
            _tell_relation(found, record)
            return _with_true_w(found, record, records, size // length)
    guess = guessed_record(records)
    if guess is None:
        raise refuse("No layout makes sense of the records", given=f"{size} bytes", where=records)
    known = said.constants if said else {}
    constants = {name: known.get(name, value) for name, value in guess.constants.items()}
    found.wrong.append(f"No header describes the records; they look like {_described(guess)}.")
    for name, value in constants.items():
        if name not in known:
            found.unsure.append(f"{name} is not in the records and was not known; {value:g} stands in the header.")
    found.wrong += found.unsure
    return replace(guess, constants=constants)


def _relations(said: IaeaRecord) -> Iterator[IaeaRecord]:
    for bits in (32, 64) if said.longs else (32,):
        yield replace(said, long_bits=bits)
        yield turned(replace(said, long_bits=bits))


def _tell_relation(found: _Found, record: IaeaRecord) -> None:
    said = found.record
    if said and record.big_endian != said.big_endian:
        found.wrong.append(f"BYTE_ORDER was wrong: the records are {'big' if record.big_endian else 'little'} endian.")
    declared = found.header.record_length if found.header else None
    if declared not in (None, record.dtype.itemsize):
        found.wrong.append(f"RECORD_LENGTH was {declared}; the records have {record.dtype.itemsize} bytes.")


def _with_true_w(found: _Found, record: IaeaRecord, records: Path, number: int) -> IaeaRecord:
    try:
        record.decode(sample(records, record.dtype, number))
    except InputError as error:
        found.wrong += error.problems
        return replace(record, constants={name: value for name, value in record.constants.items() if name != "w"})
    return record


def _described(record: IaeaRecord) -> str:
    constant = f", {' and '.join(record.constants)} not stored" if record.constants else ""
    longs = f" and {len(record.longs)} longs of {record.long_bits} bits" if record.longs else ""
    return (f"{record.dtype.itemsize} bytes, {'big' if record.big_endian else 'little'} endian{constant}, with "
            f"{len(record.floats)} extra floats{longs}")  # fmt: skip


def _number(found: _Found, record: IaeaRecord, size: int) -> int:
    """Return how many records are taken."""
    length = record.dtype.itemsize
    held, left = divmod(size, length)
    if left:
        found.wrong.append(f"The file ends inside a record; its last {left} bytes are left out.")
    header = found.header
    if header is None:
        return held
    if header.checksum not in (None, size):
        found.wrong.append(f"CHECKSUM was {header.checksum}; the file has {size} bytes.")
    if header.particles == held:
        return held
    consistent = header.checksum == length * header.particles
    if not consistent:
        found.wrong.append(f"PARTICLES was {header.particles}; the file holds {held}.")
        return held
    if header.particles < held:
        found.wrong.append(
            f"The file holds {held - header.particles} records more than the header counts. They are left out: its "
            "original histories are not theirs."
        )
        return header.particles
    found.wrong.append(
        f"Of the {header.particles} records that the header counts {header.particles - held} are missing."
    )
    if found.original_histories:
        found.original_histories = float(round(found.original_histories * held / header.particles))
        found.unsure.append(
            f"The file was cut: {found.original_histories:.0f} original histories are its share by numbers of records, "
            f"{held} of {header.particles}."
        )
        found.wrong.append(found.unsure[-1])
    return held


def _sound(record: IaeaRecord, path: Path, number: int) -> Iterator[tuple[Particles, int]]:
    """Yield the records that a particle can have, and how many were left out; histories begun by those begin later."""
    carried = dropped = 0
    for run in runs(path, record.dtype, 0, number, BATCH):
        keep = ~implausible(run, tiny=True)
        dropped += len(run) - int(keep.sum())
        if dropped > max(MOST_LEFT_OUT * number, 1):
            raise refuse("Too many records are damaged to trust the others", given=dropped,
                         allowed=f"{MOST_LEFT_OUT:.0%} of {number}", where=path)  # fmt: skip
        particles, carried = chosen(record.decode(run), keep, carried)
        yield particles, len(run) - len(particles)


def _compare(found: _Found, statistics: RecordStatistics, left_out: int) -> None:
    """Tell what the header said of the records and is not so."""
    if left_out:
        found.unsure.append(f"{left_out} damaged records are left out.")
        found.wrong.append(found.unsure[-1])
    said = found.header.counts if found.header else None
    if said and found.header and found.header.particles == statistics.particles:
        found.wrong += [
            f"The header counts {said[code]} {name}s; there are {statistics.counts[code]}."
            for code, name in SPECIES.items()
            if said[code] != statistics.counts[code]
        ]
    histories = found.original_histories
    if histories is not None and histories < statistics.histories:
        found.wrong.append(f"ORIG_HISTORIES was {histories:.0f}, but the records begin {statistics.histories}.")
        histories = found.original_histories = None
    if histories is None:
        found.unsure.append(f"The number of original histories is unknown; the records begin {statistics.histories}.")
        found.wrong.append(found.unsure[-1])
