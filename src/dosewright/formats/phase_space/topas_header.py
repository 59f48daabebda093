"""Headers of TOPAS phase spaces: three formats, told by the first line.

Source: TOPAS user documentation, "Phase Space Output"; the names of columns are those of its files.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dosewright.core.errors import refuse
from dosewright.core.particles import ELECTRON, NEUTRON, PHOTON, POSITRON, PROTON
from dosewright.formats.phase_space.totals import Totals

BINARY, LIMITED, ASCII = "topas_binary", "topas_limited", "topas_ascii"
FIRST_LINES = {"TOPAS Binary Phase Space": BINARY, "TOPAS ASCII Phase Space": ASCII}
LONGEST_HEADER: Final = 1 << 20  # bytes; real ones have one or two thousand
MOST_COLUMNS: Final = 1000

# By species code: name of the particle in Geant4 and code of the Particle Data Group.
NAMES = {PHOTON: "gamma", ELECTRON: "e-", POSITRON: "e+", NEUTRON: "neutron", PROTON: "proton"}
PDG = {PHOTON: 22, ELECTRON: 11, POSITRON: -11, NEUTRON: 2112, PROTON: 2212}

# What each record holds at least: field, type, name.
STANDARD = (
    ("x_cm", "f4", "Position X [cm]"),
    ("y_cm", "f4", "Position Y [cm]"),
    ("z_cm", "f4", "Position Z [cm]"),
    ("u", "f4", "Direction Cosine X"),
    ("v", "f4", "Direction Cosine Y"),
    ("energy_MeV", "f4", "Energy [MeV]"),
    ("weight", "f4", "Weight"),
    ("pdg", "i4", "Particle Type (in PDG Format)"),
    ("w_negative", "u1", "Flag to tell if Third Direction Cosine is Negative (1 means true)"),
    ("first", "u1", "Flag to tell if this is the First Scored Particle from this History (1 means true)"),
)
INTEGERS = ("Run ID", "Event ID", "Track ID", "Parent ID",
            "Seed Part 1", "Seed Part 2", "Seed Part 3", "Seed Part 4")  # fmt: skip
TEXT = "Creator Process Name"
# Types of columns as they are kept; what is not float32, int32 or int64 becomes one of them.
KEPT_AS = {"f4": "f4", "f8": "f4", "i1": "i4", "i2": "i4", "i4": "i4", "b1": "i4", "i8": "i8"}
LIMITED_RECORD = (("type", "i1"), ("energy", "f4"), ("x_cm", "f4"), ("y_cm", "f4"), ("z_cm", "f4"),
                  ("u", "f4"), ("v", "f4"), ("weight", "f4"))  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column: the name of its field, its type in the file, and for extra ones the name it is known by.

    Text is kept out: its type is ``S``.
    """

    field: str
    type: str
    name: str = ""

    @property
    def kept_as(self) -> str | None:
        """Type of an extra column in memory; None for the columns that every record has, and for text."""
        return KEPT_AS.get(self.type) if self.name else None


@dataclass(frozen=True)
class TopasHeader:
    """What a header says.

    Parameters
    ----------
    format
        ``topas_binary``, ``topas_limited`` or ``topas_ascii``.
    columns
        In the order of a record.
    record_bytes
        Length of a record; 0 for ASCII.
    reached
        Histories that reached the surface; None in the limited format.
    named
        Records by name of particle, where the header lists them.
    """

    format: str
    original_histories: int
    particles: int
    columns: tuple[Column, ...]
    record_bytes: int = 0
    reached: int | None = None
    named: dict[str, int] = field(default_factory=dict)
    energy_max_MeV: float | None = None


def read_topas_header(path: Path) -> TopasHeader:
    """Read a header; what is missing or cannot be true is refused."""
    return parse_topas_header(header_lines(path), path)


def parse_topas_header(lines: list[str], path: Path) -> TopasHeader:
    """Return what the lines of a header say."""
    form = topas_format(lines)
    if form is None:
        given = repr(lines[0][:60]) if lines else "an empty file"
        allowed = ", ".join(FIRST_LINES)
        raise refuse("This is no header of a TOPAS phase space", given=given, allowed=allowed, where=path)
    return _limited(lines, path) if form == LIMITED else _full(lines, form, path)


def header_lines(path: Path) -> list[str]:
    """Return the lines of a header; a file too long for one is refused."""
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST_HEADER + 1)
    except (OSError, ValueError) as error:
        raise refuse("The header cannot be read", given=type(error).__name__, where=path) from error
    if len(text) > LONGEST_HEADER:
        raise refuse("The header is too long to be one", allowed=f"{LONGEST_HEADER} bytes", where=path)
    return [line.strip() for line in text.decode("latin-1").splitlines()]


def topas_format(lines: list[str]) -> str | None:
    """Return the format that a header announces, None if it is none of TOPAS."""
    first = next((line for line in lines if line), "")
    if first in FIRST_LINES:
        return FIRST_LINES[first]
    words = {line.split(":")[0] for line in lines if line.startswith("$")}
    iaea_only = {"$IAEA_INDEX", "$CHECKSUM", "$BYTE_ORDER"}
    limited = {"$RECORD_LENGTH", "$ORIG_HISTORIES", "$PARTICLES"}
    return LIMITED if limited <= words and not iaea_only & words else None


def _whole(text: str, what: str, path: Path) -> int:
    word = text.strip()
    if not re.fullmatch(r"\d{1,19}", word) or int(word) >= 2**63:
        raise refuse(f"{what} is no whole number", given=repr(word[:40]), where=path)
    return int(word)


def _full(lines: list[str], form: str, path: Path) -> TopasHeader:
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    numbers = ["Number of Original Histories", "Number of Original Histories that Reached Phase Space",
               "Number of Scored Particles"] + (["Number of Bytes per Particle"] if form == BINARY else [])  # fmt: skip
    missing = [word for word in numbers if word not in said]
    if missing:
        raise refuse("The header lacks numbers", given=", ".join(missing), where=path)
    original, reached, particles, *length = (_whole(said[word], word, path) for word in numbers)
    named = {
        word.removeprefix("Number of "): _whole(value, word, path)
        for word, value in said.items()
        if word.startswith("Number of ") and word not in numbers
    }
    columns = _columns(lines, form, path)
    return TopasHeader(form, original, particles, columns, length[0] if length else 0, reached, named,
                       _energy_max(said, path))  # fmt: skip


def _energy_max(said: dict[str, str], path: Path) -> float | None:
    highest = []
    for word, value in said.items():
        known = word.removeprefix("Maximum Kinetic Energy of ") in NAMES.values()
        if word.startswith("Maximum Kinetic Energy of ") and known:
            number, unit = (*value.split(), "", "")[:2]
            if unit != "MeV" or not re.fullmatch(r"[\d.]+(e[+-]?\d{1,3})?", number) or number.count(".") > 1:
                raise refuse(f"{word} cannot be read", given=repr(value[:40]), allowed="a number and MeV", where=path)
            highest.append(float(number))
    return max(highest, default=None)


def _columns(lines: list[str], form: str, path: Path) -> tuple[Column, ...]:
    """Read the list of columns: ``1: Name`` in ASCII, ``f4: Name`` or in old files ``0- 3: Name`` in binary."""
    title = "Columns of data are as follows:" if form == ASCII else "Byte order of each record is as follows:"
    if title not in lines:
        raise refuse("The header lists no columns", allowed=title, where=path)
    columns: list[Column] = []
    for line in lines[lines.index(title) + 1 :]:
        found = re.fullmatch(r"(\d{1,4}|[a-z]\d{1,2}|\d{1,5}\s*-\s*\d{1,5})\s*:\s*(.*)", line)
        if not found or len(columns) == MOST_COLUMNS:
            break
        columns.append(_column(found[1], found[2].strip(), len(columns), path))
    fields = [column.field for column in columns]
    absent = [name for key, _, name in STANDARD if key not in fields]
    if absent or len({*fields}) < len(fields) or len({c.name for c in columns if c.name}) + len(STANDARD) < len(fields):
        raise refuse("The header's columns are not those of a phase space", given="; ".join(c.name for c in columns),
                     allowed=f"each once; missing: {'; '.join(absent) or 'none'}", where=path)  # fmt: skip
    return tuple(columns)


def _column(place: str, name: str, number: int, path: Path) -> Column:
    for key, kind, theirs in STANDARD:
        words = theirs.split(" [")[0].split(" (")[0]
        if name == words or name.startswith((words + " [", words + " (")):
            unit = re.search(r"\[(.*)\]|\((cm|mm|m|keV|MeV|GeV)\)$", name)
            if key.endswith(("_cm", "_MeV")) and (unit is None or key.split("_")[-1] not in unit.groups()):
                raise refuse(f"{words} is in another unit", given=name, allowed=theirs, where=path)
            return Column(key, kind)
    if number and place.isdigit() and (said := re.fullmatch(r"(.*) \[(i4|i8)\]", name)):
        return Column(f"extra{number}", said[2], said[1])
    if name.startswith(TEXT):
        return Column(f"extra{number}", "S", name)
    kind = "i4" if name in INTEGERS else "f4"
    if re.fullmatch(r"[a-z]\d{1,2}", place):
        kind = place
    elif "-" in place:
        begin, end = (int(word) for word in place.split("-"))
        kind = f"{'i' if name in INTEGERS else 'f'}{end - begin + 1}"
    if kind not in KEPT_AS:
        raise refuse(f"The column {name} has an unknown type", given=kind, allowed=", ".join(KEPT_AS), where=path)
    return Column(f"extra{number}", kind, name)


def _limited(lines: list[str], path: Path) -> TopasHeader:
    """Read the header of the limited format; of the flags only those of z and weight may be 0."""
    values = {}
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line in ("$RECORD_LENGTH:", "$ORIG_HISTORIES:", "$PARTICLES:"):
            values[line] = _whole(following.split("//")[0], line, path)
    said = [re.fullmatch(r"([01])\s*//\s*(\w+)( \w+)? (is )?stored ?\??", line) for line in lines]
    flags = {found[2]: found[1] for found in said if found}
    if not flags.keys() >= {"X", "Y", "Z", "U", "V", "W", "Weight"}:
        raise refuse("The header does not say what is stored", given=", ".join(flags), where=path)
    unstored = {word for word, flag in flags.items() if flag == "0"} - {"Extra"}
    if unstored - {"Z", "Weight"} or len(values) < 3:
        raise refuse("The header of a limited phase space cannot be read",
                     given=f"not stored: {sorted(unstored)}; numbers: {sorted(values)}", where=path)  # fmt: skip
    absent = {"Z": "z_cm", "Weight": "weight"}
    left_out = {absent[word] for word in unstored}
    columns = tuple(Column(key, kind) for key, kind in LIMITED_RECORD if key not in left_out)
    return TopasHeader(LIMITED, values["$ORIG_HISTORIES:"], values["$PARTICLES:"], columns, values["$RECORD_LENGTH:"])


def full_header(
    form: str,
    columns: tuple[Column, ...],
    totals: Totals,
    original_histories: int,
) -> str:
    """Return the text of a header of the binary or the ASCII format, as TOPAS wants it to the letter."""
    first = next(line for line, theirs in FIRST_LINES.items() if theirs == form)
    lines = [
        first,
        "",
        f"Number of Original Histories: {original_histories}",
        f"Number of Original Histories that Reached Phase Space: {totals.begun}",
        f"Number of Scored Particles: {totals.particles}",
    ]
    names = [_name(column, form) for column in columns]
    if form == BINARY:
        length = sum(int(column.type[1:]) for column in columns)
        kinds = ["b1" if column.type == "u1" else column.type for column in columns]
        lines += [f"Number of Bytes per Particle: {length}", "", "Byte order of each record is as follows:"]
        lines += [f"{kind}: {name}" for kind, name in zip(kinds, names, strict=True)]
    else:
        lines += ["", "Columns of data are as follows:", *(f"{n:2d}: {name}" for n, name in enumerate(names, start=1))]
    seen = sorted((code for code in totals.counts if totals.counts[code]), key=PDG.__getitem__)
    lines += ["", *(f"Number of {NAMES[code]}: {totals.counts[code]}" for code in seen)]
    for which, at in (("Minimum", 0), ("Maximum", 1)):
        energies = ((NAMES[code], totals.energies_MeV[code][at]) for code in seen)
        lines += ["", *(f"{which} Kinetic Energy of {name}: {energy:.9g} MeV" for name, energy in energies)]
    return "\n".join(lines) + "\n"


def _name(column: Column, form: str) -> str:
    if not column.name:
        return next(name for key, _, name in STANDARD if key == column.field)
    whole = form == ASCII and column.type in ("i4", "i8") and column.name not in INTEGERS
    return f"{column.name} [{column.type}]" if whole else column.name


def limited_header(particles: int, original_histories: int) -> str:
    """Return the text of a header of the limited format."""
    stored = (*((f"{name} is", 1) for name in ("X", "Y", "Z", "U", "V", "W", "Weight")),
              ("Extra floats", 0), ("Extra longs", 0))  # fmt: skip
    return "\n".join(
        [
            "$TITLE:",
            'Phase space in the "limited" format of TOPAS',
            "$RECORD_CONTENTS:",
            *(f"    {flag}     // {what} stored ?" for what, flag in stored),
            "$RECORD_LENGTH:",
            str(sum(int(kind[1:]) for _, kind in LIMITED_RECORD)),
            "$ORIG_HISTORIES:",
            str(original_histories),
            "$PARTICLES:",
            str(particles),
            "$EXTRA_FLOATS:\n0\n$EXTRA_INTS:\n0\n",
        ]
    )
