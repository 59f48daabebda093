"""CT tables: density curves, Schneider compositions, IDEAL's hlut.conf, MCsquare scanner folders."""

import configparser
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.formats.text.lines import Line, content_lines, number, numeric_rows, read_text, sha256

Array = NDArray[np.float64]
Named = Callable[[str], Material]
AtomicNumber = Callable[[str], int]
NO_CURVE = np.array([], float)
INTERVAL = re.compile(r"\s*([+-]?\d+)\s*,\s*([+-]?\d+)\s*")
LARGEST_HU = 65536.0
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
    it), or gives intervals ``lo,hi = MATERIAL``. Every other label is a DICOM keyword with the value that marks a CT.
    """
    parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",), inline_comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(read_text(path), source=path.name)
    except configparser.Error as error:
        raise refuse("The file is not a configuration file", given=str(error), where=path.name) from error
    protocols: dict[str, CtProtocol] = {}
    problems: list[str] = []
    for section in parser.sections():
        try:
            protocols[section] = _protocol(path, section, dict(parser.items(section)), named, atomic_number)
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    if not protocols:
        raise refuse("The file holds no CT protocol", where=path.name)
    return protocols


def _protocol(
    path: Path, section: str, labels: dict[str, str], named: Named, atomic_number: AtomicNumber
) -> CtProtocol:
    folded = {label.casefold(): value.strip() for label, value in labels.items()}
    intervals = {label: value for label, value in labels.items() if INTERVAL.fullmatch(label)}
    curves = [name for name in ("density", "composition") if name in folded]
    where = f"{path.name}, section [{section}]"
    if bool(intervals) == bool(curves) or (curves and len(curves) != 2):
        allowed = "density = FILE and composition = FILE, or lines lo,hi = MATERIAL"
        raise refuse("A CT protocol needs two files or intervals", given=sorted(labels), allowed=allowed, where=where)
    if intervals:
        table = _direct_table(path, section, intervals, named)
    else:
        files = [_beside(path, kind, folded[kind], where) for kind in ("density", "composition")]
        table = schneider_table(section, files[0], files[1], atomic_number)
    known = {*intervals, *(label for label in labels if label.casefold() in ("density", "composition"))}
    keywords = {label: value.strip().strip("\"'") for label, value in labels.items() if label not in known}
    return CtProtocol(table, keywords)


def _beside(path: Path, kind: str, name: str, where: str) -> Path:
    candidates = (path.parent / kind / name, path.parent / name)
    for candidate in candidates:
        inside = path.parent.resolve() in candidate.resolve().parents
        if inside and candidate.is_file():
            return candidate
    raise refuse(
        f"The {kind} table is missing", given=name, allowed=f"a file in {kind}/ or beside {path.name}", where=where
    )


def _direct_table(path: Path, section: str, intervals: dict[str, str], named: Named) -> HounsfieldTable:
    where = f"{path.name}, section [{section}]"
    rows = []
    for label, value in intervals.items():
        match = INTERVAL.fullmatch(label)
        low, high = (float(edge) for edge in match.groups()) if match else (0.0, 0.0)
        if not -LARGEST_HU <= low < high <= LARGEST_HU:
            raise refuse("An interval must ascend", given=label, where=where)
        rows.append((low, high, named(value.strip())))
    rows.sort(key=lambda row: row[0])
    gaps = [f"{a[1]:g} to {b[0]:g}" for a, b in pairwise(rows) if a[1] != b[0]]
    if gaps or len(rows) < 2:
        raise refuse(
            "The intervals must be at least two and contiguous", given=f"gaps or overlaps at {gaps}", where=where
        )
    lower = np.array([row[0] for row in rows])
    return HounsfieldTable(
        section, NO_CURVE, NO_CURVE, lower, rows[-1][1], tuple(row[2] for row in rows), where, sha256(path)
    )
