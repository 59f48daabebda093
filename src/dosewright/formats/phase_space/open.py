"""Phase spaces of every format: opened by what is in them, created by what they are to be called."""

import re
from dataclasses import replace
from pathlib import Path

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.particles import Layout, PhaseSpaceReader, PhaseSpaceWriter
from dosewright.formats.phase_space.egs import MODES, create_egs, open_egs
from dosewright.formats.phase_space.gamos_text import create_gamos_text, open_gamos_text
from dosewright.formats.phase_space.iaea import create_iaea, open_iaea
from dosewright.formats.phase_space.losses import EGS as EGS
from dosewright.formats.phase_space.losses import FORMATS as FORMATS
from dosewright.formats.phase_space.losses import known_format
from dosewright.formats.phase_space.losses import losses as losses
from dosewright.formats.phase_space.native import open_native
from dosewright.formats.phase_space.native_write import create_native
from dosewright.formats.phase_space.pair import partners
from dosewright.formats.phase_space.raw import size_of
from dosewright.formats.phase_space.topas import open_topas_pair
from dosewright.formats.phase_space.topas_header import FIRST_LINES, topas_format
from dosewright.formats.phase_space.topas_write import TOPAS_FORMATS, create_topas

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
HEADERS, RECORDS = (".IAEAheader", ".header"), (".IAEAphsp", ".phsp")
HEADER_OF = {records.casefold(): header for header, records in zip(HEADERS, RECORDS, strict=True)}
START_BYTES = 1 << 16
SUFFIXES = {".iaeaheader": "iaea", ".iaeaphsp": "iaea", ".phsp": "topas_binary", ".header": "topas_binary",
            ".txt": "gamos_text", ".h5": "native", ".hdf5": "native"}  # fmt: skip
EGS_SUFFIX = re.compile(r"\.egsphsp\d*")
IAEA_WORD = re.compile(r"[A-Z0-9_ /-]+")


def open_phase_space(path: Path, *, long_bits: int | None = None, z_cm: float | None = None) -> PhaseSpaceReader:
    """Open a phase space of any format, told by its content; of two files either may be given.

    Parameters
    ----------
    long_bits
        Size of extra longs of an IAEA file, if it is not told.
    z_cm
        Where the plane of an EGSnrc file lies, which does not say so.

    Raises
    ------
    InputError
        The file is no phase space, is damaged, or its other file is missing.
    """
    start = _start(path)
    if start.startswith(HDF5_SIGNATURE):
        return open_native(path)
    if start[:5] in MODES:
        return open_egs(path, z_cm=z_cm)
    form = _header_format(start, path)
    if form == "iaea":
        return open_iaea(_named(path), long_bits=long_bits)
    if form in TOPAS_FORMATS:
        return open_topas_pair(path, _records_of(path))
    if path.suffix.casefold() in HEADER_OF:
        header = _header_of(path)
        form = _header_format(_start(header), header)
        if form in TOPAS_FORMATS:
            return open_topas_pair(header, path)
        return open_iaea(_named(header), long_bits=long_bits)
    if not start:
        raise refuse("The file is empty", where=path)
    try:
        return open_gamos_text(path)
    except InputError as error:
        unknown = refuse("This is no phase space of a known format", given=path, allowed=", ".join(FORMATS))
        raise InputError(*unknown.problems, *error.problems) from error


def _start(path: Path) -> bytes:
    size_of(path)  # refuses what is no file
    try:
        with path.open("rb") as file:
            return file.read(START_BYTES)
    except OSError as error:
        raise refuse("The file cannot be read", given=error.strerror, where=path) from error


def _header_format(start: bytes, path: Path) -> str | None:
    """Return the format whose header begins like this, None if none does; that of TOPAS looks like IAEA's maimed."""
    lines = [line.strip() for line in start.decode("latin-1").splitlines()]
    form = topas_format(lines)
    if form is not None and (form in FIRST_LINES.values() or path.suffix.casefold() != HEADERS[0].casefold()):
        return form
    return "iaea" if any(re.match(r"\$(IAEA_INDEX|RECORD_CONTENTS|CHECKSUM)\s*:", line) for line in lines) else None


def _named(header: Path) -> Path:
    """Return an IAEA header, whose records are found by its name; ``.header`` is one if there are no other records."""
    known = header.suffix.casefold() in (suffix.casefold() for suffix in HEADERS)
    if not known or (header.suffix.casefold() == HEADERS[1] and partners(header, RECORDS[:1])):
        raise refuse("This is the header of an IAEA phase space, and its files are not named so", given=header.name,
                     allowed=f"{header.stem}{HEADERS[0]} and {header.stem}{RECORDS[0]}")  # fmt: skip
    return header


def _header_of(records: Path) -> Path:
    suffix = HEADER_OF[records.suffix.casefold()]
    found = partners(records, (suffix,))
    if len(found) != 1:
        raise refuse("The records of this phase space need a header, and it is missing or there are several",
                     given=", ".join(path.name for path in found) or "none", allowed=f"{records.stem}{suffix}",
                     where=records.parent)  # fmt: skip
    return found[0]


def _records_of(header: Path) -> Path:
    found = [path for path in partners(header, (".phsp",)) if path != header]
    if len(found) != 1:
        raise refuse("The records of this phase space are missing, or there are several",
                     given=", ".join(path.name for path in found) or "none", allowed=f"{header.stem}.phsp",
                     where=header.parent)  # fmt: skip
    return found[0]


def format_of(path: Path) -> str:
    """Return the format that a suffix stands for, ``egs`` for both of EGSnrc; an unknown one is refused."""
    suffix = path.suffix.casefold()
    if EGS_SUFFIX.fullmatch(suffix):
        return EGS
    if suffix not in SUFFIXES:
        known = [*HEADERS, *RECORDS, ".egsphsp1", ".txt", ".h5"]
        raise refuse(f"The suffix does not say which format to write.{nearest(suffix, known)}", given=path.name,
                     allowed=f"{', '.join(known)}, or the word of a format")  # fmt: skip
    return SUFFIXES[suffix]


def create_phase_space(path: Path, layout: Layout, *, format: str | None = None) -> PhaseSpaceWriter:
    """Begin a phase space.

    Parameters
    ----------
    layout
        What it is asked to hold; `losses` says what of it the format cannot.
    format
        One of `FORMATS`; None: by the suffix.
    """
    word = known_format(format) if format is not None else format_of(path)
    if word.startswith(EGS):
        return create_egs(path, layout, mode=None if word == EGS else int(word[-1]))
    if word in TOPAS_FORMATS:
        return create_topas(path, layout, form=word)
    if word == "iaea":
        # Words of headers of other formats are none of blocks.
        words = {name: text for name, text in layout.header.items() if IAEA_WORD.fullmatch(name)}
        return create_iaea(path, replace(layout, header=words))
    return create_gamos_text(path, layout) if word == "gamos_text" else create_native(path, layout)
