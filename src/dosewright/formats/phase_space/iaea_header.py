"""The text header of an IAEA phase space: blocks of lines, each begun by ``$NAME:``, in any order.

Source: R. Capote et al., IAEA INDC(NDS)-0484, 2006. Blocks that are not understood are kept and written again.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from dosewright.core.errors import InputError, refuse
from dosewright.core.particles import ELECTRON, NEUTRON, PHOTON, POSITRON, PROTON
from dosewright.formats.phase_space.iaea_record import FLOAT_TYPES, LONG_TYPES, QUANTITIES, IaeaRecord
from dosewright.formats.phase_space.statistics import RecordStatistics

LARGEST_HEADER_BYTES = 1 << 20
MOST_EXTRAS = 1000
COUNTS = {"PHOTONS": PHOTON, "ELECTRONS": ELECTRON, "POSITRONS": POSITRON, "NEUTRONS": NEUTRON, "PROTONS": PROTON}
# What the records and the writer decide; all other blocks are words that are kept.
DECIDED = ("FILE_TYPE", "CHECKSUM", "RECORD_CONTENTS", "RECORD_CONSTANT", "RECORD_LENGTH", "BYTE_ORDER",
           "ORIG_HISTORIES", "PARTICLES", *COUNTS, "STATISTICAL_INFORMATION_PARTICLES",
           "STATISTICAL_INFORMATION_GEOMETRY")  # fmt: skip
# Blocks that the IAEA's own reader asks for, and those it looks for, in its order.
ASKED_FOR = ("TRANSPORT_PARAMETERS", "MACHINE_TYPE", "MONTE_CARLO_CODE_VERSION", "GLOBAL_PHOTON_ENERGY_CUTOFF",
             "GLOBAL_PARTICLE_ENERGY_CUTOFF", "COORDINATE_SYSTEM_DESCRIPTION")  # fmt: skip
LOOKED_FOR = ("BEAM_NAME", "FIELD_SIZE", "NOMINAL_SSD", "MC_INPUT_FILENAME", "VARIANCE_REDUCTION_TECHNIQUES",
              "INITIAL_SOURCE_DESCRIPTION", "PUBLISHED_REFERENCE", "AUTHORS", "INSTITUTION", "LINK_VALIDATION",
              "ADDITIONAL_NOTES")  # fmt: skip
DEFAULTS = {"IAEA_INDEX": "0", "GLOBAL_PHOTON_ENERGY_CUTOFF": "0", "GLOBAL_PARTICLE_ENERGY_CUTOFF": "0",
            "ADDITIONAL_NOTES": "IAEA phase space as described in IAEA INDC(NDS)-0484, Vienna, 2006"}  # fmt: skip
# Other programs look for these words in the comments of rows.
WORDS = dict(zip(QUANTITIES, ("X", "Y", "Z", "U", "V", "W", "Weight"), strict=True))
LITTLE, BIG = 1234, 4321
REPAIRED = "REPAIRED"  # our own block: what a rebuilt header could not know
UNSET = 32000.0  # what the IAEA's library writes for a constant that nobody set
LARGEST_CONSTANT = 1e30
# Counters that ran over or stand for "unknown": 2^31 - 1, and anything from 2^63 - 1 on.
FULL_31, FULL_63 = (1 << 31) - 1, (1 << 63) - 1


@dataclass(frozen=True)
class IaeaHeader:
    """What a header says.

    Parameters
    ----------
    record
        With 32-bit extra longs; the record length and the size of the file tell which there are.
    record_length, checksum
        Bytes; None where the header does not say.
    original_histories
        None where the header does not say, or nothing that can be true.
    counts
        Records by species; None unless they add up.
    kept
        All blocks that the records do not decide, by name.
    """

    record: IaeaRecord
    particles: int
    record_length: int | None
    checksum: int | None
    original_histories: float | None
    counts: dict[int, int] | None
    energy_max_MeV: float | None
    kept: dict[str, str]
    problems: tuple[str, ...]


def read_text(path: Path) -> str:
    """Return the text of a header; what is no text is refused."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_HEADER_BYTES + 1)
    except (OSError, ValueError) as error:
        raise refuse("The IAEA header cannot be read", given=type(error).__name__, where=path) from error
    if len(data) > LARGEST_HEADER_BYTES or b"\0" in data:
        raise refuse("The file is no IAEA header: a text of up to a megabyte", where=path)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def blocks_of(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the blocks by name, comment lines dropped, and what is wrong with them; the first of two alike counts."""
    lines: dict[str, list[str]] = {}
    problems = []
    current: list[str] = []
    for line in text.splitlines():
        if found := re.match(r"\s*\$\s*([A-Za-z0-9_ /-]+?)\s*:(.*)", line):
            current = [found[2]]
            if found[1].upper() in lines:
                problems.append(f"The header has the block {found[1]} twice; the first one counts.")
            lines.setdefault(found[1].upper(), current)
        elif not line.lstrip().startswith("//"):
            current.append(line.rstrip())
    return {name: "\n".join(rows).strip() for name, rows in lines.items()}, tuple(problems)


def parse_header(text: str, where: Path) -> IaeaHeader:
    """Read a header; what makes the records unreadable is refused, all of it together, the rest is told."""
    blocks, doubled = blocks_of(text)
    problems, refusals = list(doubled), list[str]()

    def number(name: str, *, needed: bool = False) -> int | None:
        if not blocks.get(name):
            (refusals if needed else problems).append(f"The header does not say {name}. Where: {where.name}.")
            return None
        found = whole_number(blocks[name].splitlines()[0])
        if found is None:
            refusals.append(f"{name} is no whole number. Given: {blocks[name][:60]!r}. Where: {where.name}.")
        return found

    if not ({"RECORD_CONTENTS", "PARTICLES"} & set(blocks)):
        raise refuse("The file is no IAEA header: neither $RECORD_CONTENTS nor $PARTICLES", where=where)
    if number("FILE_TYPE") not in (0, None):
        refusals.append(f"The header is not that of a phase space. Given: FILE_TYPE {blocks['FILE_TYPE']}.")
    particles = number("PARTICLES", needed=True) or 0
    if particles < 0:
        refusals.append(f"The number of particles is negative. Given: {particles}. Where: {where.name}.")
    length, checksum, order = number("RECORD_LENGTH"), number("CHECKSUM"), number("BYTE_ORDER")
    if order is None:
        problems.append("Little endian is taken, since the header does not say.")
    if order not in (LITTLE, BIG, None):
        refusals.append(f"Unknown byte order. Given: {order}. Allowed: {LITTLE}, {BIG}. Where: {where.name}.")
    record = None
    try:
        record, told = record_of(blocks, big_endian=order == BIG, where=where)
        problems += told
    except InputError as error:
        refusals += error.problems
    histories = histories_of(number("ORIG_HISTORIES"), problems)
    counts = {code: number(name) for name, code in COUNTS.items() if name in blocks}
    problems += blocks.get(REPAIRED, "").splitlines()
    if refusals or record is None:
        raise InputError(*refusals)
    return IaeaHeader(
        record, particles, length, checksum, histories, _counts(counts, particles, problems), _energy_max(blocks),
        kept_words(blocks), tuple(dict.fromkeys(problems)),
    )  # fmt: skip


def kept_words(blocks: dict[str, str]) -> dict[str, str]:
    """Return the blocks that the records do not decide."""
    return {name: words for name, words in blocks.items() if name not in DECIDED}


def whole_number(line: str) -> int | None:
    """Return the whole number that a line begins with, ``1e9`` is one too; None if there is none."""
    word = (line.split("//")[0].split() or [""])[0]
    if re.fullmatch(r"[+-]?\d{1,40}", word):
        return int(word)
    try:
        value = float(word)
    except ValueError:
        return None
    return int(value) if abs(value) < 1e30 and value == int(value) else None


def record_of(blocks: dict[str, str], *, big_endian: bool, where: Path) -> tuple[IaeaRecord, list[str]]:
    """Return the record that RECORD_CONTENTS and RECORD_CONSTANT describe, and what they do not say."""
    rows = [row for row in blocks.get("RECORD_CONTENTS", "").splitlines() if row.strip()]
    values = [whole_number(row) for row in rows]
    if len(values) < 9 or None in values:
        raise refuse("RECORD_CONTENTS needs nine whole numbers", given=f"{len(values)} rows", where=where.name)
    numbers = [value or 0 for value in values]
    if any(flag not in (0, 1) for flag in numbers[:7]) or not all(0 <= n <= MOST_EXTRAS for n in numbers[7:9]):
        raise refuse("RECORD_CONTENTS holds what it cannot", given=numbers[:9],
                     allowed="seven flags of 0 or 1, then two numbers of extra values", where=where.name)  # fmt: skip
    told: list[str] = []
    n_floats, n_longs = numbers[7:9]
    types = list(zip(numbers[9:], rows[9:], strict=True))
    if len(types) < n_floats + n_longs:
        told.append("RECORD_CONTENTS does not say what all extra values are; the others are taken as the user's own.")
        types += [(0, "")] * (n_floats + n_longs - len(types))
    floats = _named(types[:n_floats], FLOAT_TYPES, "extra_float", told)
    longs = _named(types[n_floats : n_floats + n_longs], LONG_TYPES, "extra_long", told)
    clash = set(floats) & set(longs)
    if clash:
        raise refuse("Two extra values have the same name", given=clash, where=where.name)
    absent = [name for name, flag in zip(QUANTITIES, numbers, strict=False) if flag == 0]
    return IaeaRecord(_constants(blocks, absent, where, told), floats, longs, big_endian=big_endian), told


def _named(types: list[tuple[int, str]], known: dict[int, str], own: str, told: list[str]) -> dict[str, int]:
    """Return the names of extra values with their types; our own files say a name after the index."""
    names: dict[str, int] = {}
    for at, (code, row) in enumerate(types, start=1):
        said = re.search(r"\[\s*\d+\s*\]\s*:\s*(\w+)\s*$", row)
        name = known.get(code) or (said[1] if said else f"{own}_{at}")
        if code and code not in known:
            told.append(f"Type {code} of {own}_{at} is unknown; it is taken as the user's own.")
            code = 0
        names[name if name not in names else f"{name}_{at}"] = code
    return names


def _constants(blocks: dict[str, str], absent: list[str], where: Path, told: list[str]) -> dict[str, float]:
    rows = [row for row in blocks.get("RECORD_CONSTANT", "").splitlines() if row.split("//")[0].strip()]
    try:
        values = [float(row.split("//")[0].split()[0]) for row in rows]
    except ValueError:
        raise refuse("RECORD_CONSTANT holds what is no number", given=rows[:7], where=where.name) from None
    if len(values) == len(absent) - 1 and "w" in absent:
        absent = [name for name in absent if name != "w"]
        told.append("The header says w is not stored and gives no constant; it follows from u and v.")
    if len(values) < len(absent):
        raise refuse("RECORD_CONSTANT lacks what the records do not hold", given=f"{len(values)} numbers",
                     allowed=f"one each for {', '.join(absent)}", where=where.name)  # fmt: skip
    constants = dict(zip(absent, values, strict=False))
    if constants.get("w") == UNSET:
        told.append("The header has no true value for the constant w; it follows from u and v.")
        del constants["w"]
    wrong = {name: value for name, value in constants.items() if value == UNSET or not abs(value) < LARGEST_CONSTANT}
    if wrong:
        raise refuse("A constant of RECORD_CONSTANT was never set", given=wrong, where=where.name)
    return constants


def histories_of(given: int | None, problems: list[str]) -> float | None:
    """Return a number of original histories that can be true, or None, and say so."""
    if given is None:
        return None
    if given <= 0 or given == FULL_31 or given >= FULL_63:
        problems.append(
            f"ORIG_HISTORIES {given} is no number of histories but a counter that ran over or was never set."
        )
        return None
    return float(given)


def _counts(counts: dict[int, int | None], particles: int, problems: list[str]) -> dict[int, int] | None:
    found = {code: counts.get(code) or 0 for code in COUNTS.values()}
    if sum(found.values()) != particles or min(found.values()) < 0:
        problems.append(f"The numbers of the species add up to {sum(found.values())}, not to PARTICLES {particles}.")
        return None
    return found


def _energy_max(blocks: dict[str, str]) -> float | None:
    """Return the highest energy of the table of particles: its sixth column, before the name of the species."""
    highest = None
    for row in blocks.get("STATISTICAL_INFORMATION_PARTICLES", "").splitlines():
        words = row.split()
        try:
            value = float(words[5])
        except (IndexError, ValueError):
            continue
        if 0 < value < UNSET:
            highest = max(value, highest or 0.0)
    return highest


def header_text(
    record: IaeaRecord, statistics: RecordStatistics, original_histories: float, title: str, kept: dict[str, str]
) -> str:
    """Return the header of what was written so far.

    Parameters
    ----------
    kept
        Blocks of a header that was read, written again; those that the records decide are left out.
    """
    words = {**DEFAULTS, "TITLE": title, **{name: text for name, text in kept.items() if name not in DECIDED}}
    for name, text in words.items():
        if not re.fullmatch(r"[A-Z0-9_ /-]+", name) or any(line.lstrip().startswith("$") for line in text.splitlines()):
            raise refuse("An IAEA header cannot hold this block", given=f"{name}: {text[:60]!r}",
                         allowed="names in capitals, no line that begins with $")  # fmt: skip
    words = {name: text for name, text in words.items() if text or name != REPAIRED}
    others = [name for name in words if name not in (*ASKED_FOR, *LOOKED_FOR, "IAEA_INDEX", "TITLE")]
    blocks = {
        "IAEA_INDEX": words["IAEA_INDEX"],
        "TITLE": words["TITLE"],
        "FILE_TYPE": "0",
        "CHECKSUM": str(record.dtype.itemsize * statistics.particles),
        "RECORD_CONTENTS": "\n".join(_contents_rows(record)),
        "RECORD_CONSTANT": "\n".join(
            f"   {record.constants[name]:.9g}     // Constant {word}"
            for name, word in WORDS.items()
            if name in record.constants
        ),
        "RECORD_LENGTH": str(record.dtype.itemsize),
        "BYTE_ORDER": str(BIG if record.big_endian else LITTLE),
        "ORIG_HISTORIES": str(round(original_histories)),
        "PARTICLES": str(statistics.particles),
        **{name: str(statistics.counts[code]) for name, code in COUNTS.items() if statistics.counts[code]},
        **{name: words.get(name, "") for name in (*ASKED_FOR, *LOOKED_FOR, *others)},
        "STATISTICAL_INFORMATION_PARTICLES": "\n".join(_particle_rows(statistics)),
        "STATISTICAL_INFORMATION_GEOMETRY": "\n".join(_geometry_rows(record, statistics)),
    }
    return "".join(f"${name}:\n{text}\n\n" for name, text in blocks.items())


def _contents_rows(record: IaeaRecord) -> list[str]:
    rows = [f"    {int(name not in record.constants)}     // {word} is stored ?" for name, word in WORDS.items()]
    rows.append(f"    {len(record.floats)}     // Extra floats stored ?")
    rows.append(f"    {len(record.longs)}     // Extra longs stored ?")
    for kind, extras in (("float", record.floats), ("long", record.longs)):
        rows += [
            f"    {code}     // stored in the extra{kind} array [{at:2d}]: {name}"
            for at, (name, code) in enumerate(extras.items())
        ]
    return rows


def _particle_rows(statistics: RecordStatistics) -> list[str]:
    rows = ["//        Weight        Wmin       Wmax       <E>         Emin         Emax    Particle"]
    for name, code in COUNTS.items():
        if (one := statistics.species.get(code)) is not None:
            values = (one.weight, *one.weights, one.mean_energy_MeV, *one.energies_MeV)
            rows.append("  " + " ".join(f"{value:15.9G}" for value in values) + f"   {name}")
    return rows


def _geometry_rows(record: IaeaRecord, statistics: RecordStatistics) -> list[str]:
    stored = [name for name in statistics.extent_cm if name not in record.constants]
    extents = [statistics.extent_cm[name] for name in stored] if statistics.particles else []
    return [f" {low:.9G}  {high:.9G}" for low, high in extents]
