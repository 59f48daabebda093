"""CT tables: density curves, Schneider compositions, IDEAL's hlut.conf, MCsquare scanner folders."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import keyword_dict

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.formats.text.ideal.labels import Section, Setting, read_sections
from dosewright.formats.text.lines import Line, content_lines, number, numeric_rows, read_text, sha256

Array = NDArray[np.float64]
Named = Callable[[str], Material]
AtomicNumber = Callable[[str], int]
NO_CURVE = np.array([], float)
INTERVAL = re.compile(r"\s*([+-]?\d+)\s*,\s*([+-]?\d+)\s*")
LARGEST_HU = 65536.0
CURVES = ("density", "composition")
SCANNER_DENSITY, SCANNER_MATERIAL = "HU_Density_Conversion.txt", "HU_Material_Conversion.txt"


@dataclass(frozen=True)
class CtProtocol:
    """A CT table and the DICOM keywords by which a CT is known to belong to it."""

    table: HounsfieldTable
    keywords: dict[str, str]


def read_density_curve(path: Path) -> tuple[Array, Array]:
    """Read rows of Hounsfield number and density (g/cm3): Schneider and MCsquare text, or CSV with a title line."""
    text = read_text(path)
    if "," not in text:
        rows = numeric_rows(path, 2)
    else:
        lines = content_lines(path)
        first = lines[0].text.split(",")[0].strip() if lines else ""
        titled = bool(first) and not re.fullmatch(r"[+-]?[\d.]+(?:[eE][+-]?\d+)?", first)
        rows = _comma_rows(lines[1:] if titled else lines, path)
    hu, density = np.array([values for _, values in rows]).T
    if np.any(np.diff(hu) <= 0):
        raise refuse("The Hounsfield numbers of a density curve must ascend", where=path.name)
    if np.any(density <= 0):
        raise refuse("The densities of a density curve must be positive", given=float(density.min()), where=path.name)
    return hu, density


def _comma_rows(lines: list[Line], path: Path) -> list[tuple[Line, list[float]]]:
    rows = []
    for line in lines:
        cells = [cell.strip() for cell in line.text.split(",")]
        if len(cells) != 2:
            raise refuse("Expected two columns: HU, density in g/cm3", given=repr(line.text), where=line.where)
        rows.append((line, [number(cell, line.where) for cell in cells]))
    if not rows:
        raise refuse("The density curve is empty", where=path.name)
    return rows


def read_compositions(
    path: Path, atomic_number: AtomicNumber, density_at: Callable[[float], float]
) -> tuple[Array, tuple[Material, ...]]:
    """Read Schneider compositions: an ``[Elements]`` block, then rows of lower HU, mass percents and a name.

    `density_at` gives the nominal density (g/cm3) of the medium from the Hounsfield number at its lower edge.
    """
    lines = content_lines(path)
    words = [line.text.casefold() for line in lines]
    if "[elements]" not in words or "[/elements]" not in words[words.index("[elements]") :]:
        raise refuse("The composition table needs its elements between [Elements] and [/Elements]", where=path.name)
    start = words.index("[elements]")
    end = words.index("[/elements]", start)
    numbers = [atomic_number(word) for line in lines[start + 1 : end] for word in line.text.split()]
    if len(set(numbers)) != len(numbers) or not numbers:
        raise refuse("The composition table must name each of its elements once", where=path.name)
    lower: list[float] = []
    materials: list[Material] = []
    problems: list[str] = []
    for line in [*lines[:start], *lines[end + 1 :]]:
        try:
            hu, material = _composition_row(line, numbers, density_at)
            lower.append(hu)
            materials.append(material)
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    if not materials:
        raise refuse("The composition table has no rows", where=path.name)
    return np.array(lower, float), tuple(materials)


def _composition_row(line: Line, numbers: list[int], density_at: Callable[[float], float]) -> tuple[float, Material]:
    words = line.text.split()
    if len(words) != len(numbers) + 2:
        raise refuse(f"Expected HU, {len(numbers)} mass percents and a name", given=repr(line.text), where=line.where)
    hu, *percents = (number(word, line.where) for word in words[:-1])
    if min(percents) < 0 or not 90 < sum(percents) < 110:
        raise refuse("Mass percents must add up to about 100", given=round(sum(percents), 3), where=line.where)
    return hu, Material(words[-1], density_at(hu), dict(zip(numbers, percents, strict=True)))


def schneider_table(name: str, density: Path, composition: Path, atomic_number: AtomicNumber) -> HounsfieldTable:
    """Build a protocol from a density curve file and a composition file."""
    hu, rho = read_density_curve(density)
    lower, materials = read_compositions(composition, atomic_number, lambda x: float(np.interp(x, hu, rho)))
    return HounsfieldTable(
        name, hu, rho, lower, None, materials, f"{density.name} and {composition.name}", sha256(density, composition)
    )


def with_density_curve(table: HounsfieldTable, path: Path) -> HounsfieldTable:
    """Return a protocol with the density curve of a file and the compositions of another protocol."""
    hu, rho = read_density_curve(path)
    source = f"density curve {path.name}, compositions of CT protocol {table.name!r}"
    return replace(table, name=path.stem, density_hu=hu, density_g_cm3=rho, source=source, sha256=sha256(path))


def read_mcsquare_scanner(folder: Path, materials: Callable[[int], Material]) -> HounsfieldTable:
    """Read the two conversion tables of an MCsquare scanner folder; `materials` knows MCsquare's codes."""
    files = (folder / SCANNER_DENSITY, folder / SCANNER_MATERIAL)
    hu, rho = read_density_curve(files[0])
    rows = numeric_rows(files[1], 2)
    lower = np.array([values[0] for _, values in rows])
    media = []
    for line, (_, code) in rows:
        if code != int(code):
            raise refuse("A material code must be a whole number", given=code, where=line.where)
        media.append(materials(int(code)))
    return HounsfieldTable(
        folder.name, hu, rho, lower, None, tuple(media), f"MCsquare scanner {folder.name}", sha256(*files)
    )


def read_hlut_conf(path: Path, named: Named, atomic_number: AtomicNumber) -> dict[str, CtProtocol]:
    """Read IDEAL's hlut.conf: one CT protocol per section.

    A section names a density and a composition file (in ``density/`` and ``composition/`` beside the file, or beside
    it), or gives intervals ``lo,hi = MATERIAL`` (lo included, hi excluded). Every other label is a DICOM keyword with
    the value that marks a CT. All problems are listed, each with its line.
    """
    protocols: dict[str, CtProtocol] = {}
    problems: list[str] = []
    for section in read_sections(path).values():
        protocol = tried(partial(_protocol, path, section, named, atomic_number), problems)
        if protocol is not None:
            protocols[section.name] = protocol
    if problems:
        raise InputError(*problems)
    if not protocols:
        raise refuse("The file holds no CT protocol", where=path.name)
    return protocols


def _protocol(path: Path, section: Section, named: Named, atomic_number: AtomicNumber) -> CtProtocol:
    intervals = {label: one for label, one in section.settings.items() if INTERVAL.fullmatch(label)}
    curves = {name: section.settings[name] for name in CURVES if name in section.settings}
    problems: list[str] = []
    keywords: dict[str, str] = {}
    for label, one in section.settings.items():
        if label not in intervals and label not in curves:
            keyword = tried(partial(_keyword, one), problems)
            keywords[keyword or one.label] = one.value.strip().strip("\"'")
    table: HounsfieldTable | None = None
    if bool(intervals) == bool(curves) or (curves and len(curves) != len(CURVES)):
        allowed = "density = FILE and composition = FILE, or lines lo,hi = MATERIAL"
        given = ", ".join(one.label for one in section.settings.values()) or "nothing"
        what = f"The CT protocol {section.name!r} needs two files or intervals"
        problems.append(str(refuse(what, given=given, allowed=allowed, where=section.where)))
    elif intervals:
        table = tried(lambda: _direct_table(path, section, list(intervals.values()), named), problems)
    else:
        files = [tried(partial(_beside, path, kind, one), problems) for kind, one in curves.items()]
        if files[0] is not None and files[1] is not None:
            density, composition = files[0], files[1]
            table = tried(lambda: schneider_table(section.name, density, composition, atomic_number), problems)
    if problems or table is None:
        raise InputError(*problems)
    return CtProtocol(table, keywords)


def _keyword(one: Setting) -> str:
    """Return a DICOM keyword as DICOM spells it; one that does not exist would never match a CT."""
    if re.search(r"\d", one.label) and "," in one.label:
        raise refuse("The edges of an interval are two whole numbers", given=one.label, allowed="-1024,-500 = MATERIAL",
                     where=one.where)  # fmt: skip
    known = _keywords()
    if one.label.casefold() not in known:
        raise refuse(f"Unknown label of a CT protocol.{nearest(one.label, known.values())}", given=repr(one.label),
                     allowed="density, composition, intervals lo,hi, or a DICOM keyword such as SeriesDescription",
                     where=one.where)  # fmt: skip
    if not one.value.strip("\"' "):
        raise refuse(f"The DICOM keyword {one.label!r} needs the value that marks a CT", where=one.where)
    return known[one.label.casefold()]


@cache
def _keywords() -> dict[str, str]:
    return {word.casefold(): word for word in keyword_dict}


def _beside(path: Path, kind: str, one: Setting) -> Path:
    for candidate in (path.parent / kind / one.value, path.parent / one.value):
        try:
            inside = path.parent.resolve() in candidate.resolve().parents
            if inside and candidate.is_file():
                return candidate
        except (OSError, ValueError):  # words that cannot be a path
            break
    there = [file.name for folder in (path.parent / kind, path.parent) for file in folder.glob("*.txt")]
    raise refuse(f"The {kind} table is missing.{nearest(one.value, there)}", given=one.value,
                 allowed=f"a file in {kind}/ or beside {path.name}", where=one.where)  # fmt: skip


def _direct_table(path: Path, section: Section, intervals: list[Setting], named: Named) -> HounsfieldTable:
    rows: list[tuple[float, float, Material, Setting]] = []
    problems: list[str] = []
    for one in intervals:
        match = INTERVAL.fullmatch(one.label)
        low, high = (float(edge) for edge in match.groups()) if match else (0.0, 0.0)
        if not -LARGEST_HU <= low < high <= LARGEST_HU:
            problems.append(str(refuse("An interval must ascend", given=one.label, where=one.where)))
            continue
        try:
            rows.append((low, high, named(one.value), one))
        except InputError as error:
            problems.extend(f"{problem} Where: {one.where}." for problem in error.problems)
    if problems:
        raise InputError(*problems)
    rows.sort(key=lambda row: row[0])
    for before, behind in pairwise(rows):
        if before[1] != behind[0]:
            what = "The intervals must be contiguous"
            kind = "a gap" if before[1] < behind[0] else "an overlap"
            given = f"{kind} between {before[3].label} and {behind[3].label}"
            problems.append(str(refuse(what, given=given, where=behind[3].where)))
    if len(rows) < 2:
        given = f"one in [{section.name}]"
        problems.append(str(refuse("A CT protocol needs at least two intervals", given=given, where=section.where)))
    if problems:
        raise InputError(*problems)
    lower = np.array([row[0] for row in rows])
    source = f"{path.name}, section [{section.name}]"
    materials = tuple(row[2] for row in rows)
    return HounsfieldTable(section.name, NO_CURVE, NO_CURVE, lower, rows[-1][1], materials, source, sha256(path))
