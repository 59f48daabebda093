"""MCsquare beam data library: distances, range shifters, and rows of energy, spread, protons per MU and optics."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.beam_model import BeamModel, RangeShifter
from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.matter import Material
from dosewright.formats.text.lines import Line, content_lines, number, sha256
from dosewright.formats.text.tabulated_beam import SpotAxis, SpotTable, TabulatedBeam

Materials = Callable[[int], Material]

DISTANCES = (
    "Nozzle exit to Isocenter distance",
    "SMX to Isocenter distance",
    "SMY to Isocenter distance",
)
ENERGY_COLUMNS = ("NominalEnergy", "MeanEnergy", "EnergySpread", "ProtonsMU")
SHIFTER_KEYS = ("RS_ID", "RS_type", "RS_material", "RS_density", "RS_WET")
SHIFTER_TYPES = ("binary", "analog", "empty", "none")

ASSUMPTIONS = (
    "MCsquare transports particles from the nozzle exit to the CT without air; the way is taken as vacuum.",
    "The energy spread of an MCsquare library is a percentage of the nominal energy (1 sigma), as MCsquare takes it.",
    "A positive correlation in an MCsquare library means a beam that diverges downstream, as MCsquare samples it.",
)


@dataclass
class _Found:
    """What the sections of a library said."""

    distances: dict[str, float] = field(default_factory=dict)
    shifters: list[dict[str, Line]] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    rows: NDArray[np.float64] | None = None
    notes: list[str] = field(default_factory=list)


def read_mcsquare_bdl(path: Path, materials: Materials, *, machine: str = "") -> BeamModel:
    """Read a beam data library; `materials` gives the medium of an MCsquare material code."""
    found = _sections(path)
    missing = [d for d in DISTANCES if d not in found.distances]
    if missing or found.rows is None:
        raise InputError(
            *(f"The MCsquare library lacks {part!r}. Where: {path.name}." for part in missing),
            *([f"The MCsquare library lacks its 'Beam parameters'. Where: {path.name}."] if found.rows is None else []),
        )
    beam = _beam(path, found.header, found.rows)
    plane, smx, smy = (found.distances[d] for d in DISTANCES)
    shifters = [_shifter(path, one, materials) for one in found.shifters]
    return BeamModel(
        name=path.stem,
        machine=machine,
        radiation="PROTON",
        plane_mm=plane,
        scanning_mm=(smx, smy),
        energy_range_MeV=beam.range_MeV,
        at=beam,
        medium="vacuum",
        range_shifters={one.id: one for one in shifters if one is not None},
        source=f"MCsquare beam data library {path.name}",
        assumptions=(*ASSUMPTIONS, *found.notes),
        sha256=sha256(path),
    )


def _sections(path: Path) -> _Found:
    found = _Found()
    lines = [line for line in content_lines(path) if not line.text.startswith("--")]
    i = 0
    while i < len(lines):
        line = lines[i]
        following = lines[i + 1] if i + 1 < len(lines) else None
        if line.text in DISTANCES:
            if following is None:
                raise refuse(f"{line.text!r} has no value", where=line.where)
            value = number(following.text, following.where, "a distance in mm")
            if value <= 0:
                raise refuse(f"{line.text!r} must be positive", given=value, where=following.where)
            found.distances[line.text] = value
            i += 2
        elif line.text == "Range Shifter parameters":
            found.shifters.append({})
            i += 1
        elif "=" in line.text and found.shifters:
            key, value_text = (part.strip() for part in line.text.split("=", 1))
            if key not in SHIFTER_KEYS:
                raise refuse(f"Unknown range shifter key.{nearest(key, SHIFTER_KEYS)}", given=key, where=line.where)
            found.shifters[-1][key] = Line(path, line.number, value_text)
            i += 1
        elif line.text == "Beam parameters":
            _rows(lines[i + 1 :], line, found)
            break
        else:
            raise refuse(
                f"Unknown line in an MCsquare library.{nearest(line.text, DISTANCES)}",
                given=repr(line.text[:80]),
                allowed="; ".join((*DISTANCES, "Range Shifter parameters", "Beam parameters")),
                where=line.where,
            )
    return found


def _rows(lines: list[Line], start: Line, found: _Found) -> None:
    if len(lines) < 3:
        raise refuse("'Beam parameters' needs the number of energies, column names and rows", where=start.where)
    count = number(lines[0].text.split()[0], lines[0].where, "the number of energies")
    header = lines[1].text.split()
    problems: list[str] = []
    values = []
    for line in lines[2:]:
        words = line.text.split()
        try:
            if len(words) != len(header):
                raise refuse(f"Expected {len(header)} columns", given=len(words), where=line.where)
            values.append([number(w, line.where, name) for w, name in zip(words, header, strict=True)])
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    if len(values) < count:
        raise refuse(
            "The library has fewer rows than energies", given=len(values), allowed=f"{count:g}", where=start.where
        )
    if len(values) > count:
        found.notes.append(f"The library says {count:g} energies but holds {len(values)} rows; all rows are used.")
    found.header, found.rows = header, np.array(values, float)


def _beam(path: Path, header: list[str], rows: NDArray[np.float64]) -> TabulatedBeam:
    gaussians = (1, 2) if "Weight2" in header else (1,)
    parts = ("SpotSize", "Divergence", "Correlation")
    needed = list(ENERGY_COLUMNS)
    for k in gaussians:
        needed += [f"Weight{k}", *(f"{part}{k}{axis}" for axis in "xy" for part in parts)]
    missing = [name for name in needed if name not in header]
    unknown = [name for name in header if name not in needed]
    if missing or unknown or len(set(header)) != len(header):
        raise refuse(
            "The columns of the MCsquare library are not those of a beam table",
            given=f"missing {missing}, unknown {unknown}",
            allowed=", ".join(needed),
            where=path.name,
        )
    column = {name: rows[:, header.index(name)] for name in needed}

    def axis(k: int, name: str) -> SpotAxis:
        return SpotAxis(*(column[f"{part}{k}{name}"] for part in parts))

    total = np.sum([column[f"Weight{k}"] for k in gaussians], axis=0)
    if np.any(np.abs(total - 1.0) > 0.01):
        raise refuse("The weights of the Gaussians must add up to one", given=total.tolist(), where=path.name)
    return TabulatedBeam(
        path.stem,
        column["NominalEnergy"],
        column["MeanEnergy"],
        column["EnergySpread"] / 100.0 * column["NominalEnergy"],
        column["ProtonsMU"],
        tuple(SpotTable(column[f"Weight{k}"] / total, axis(k, "x"), axis(k, "y")) for k in gaussians),
    )


def _shifter(path: Path, said: dict[str, Line], materials: Materials) -> RangeShifter | None:
    """Return a range shifter of the library, or None for one of type ``none`` or ``empty``."""
    kind = said["RS_type"].text if "RS_type" in said else ""
    if kind not in SHIFTER_TYPES:
        raise refuse("Unknown range shifter type", given=repr(kind), allowed=", ".join(SHIFTER_TYPES), where=path.name)
    if kind in ("none", "empty"):
        return None
    needed = SHIFTER_KEYS if kind == "binary" else SHIFTER_KEYS[:4]
    missing = [key for key in needed if key not in said]
    if missing:
        raise refuse(
            "A range shifter of the MCsquare library is incomplete", given=f"missing {missing}", where=path.name
        )
    code, density = said["RS_material"], said["RS_density"]
    medium = materials(int(number(code.text, code.where, "a material code")))
    own = Material(
        f"{medium.name} ({said['RS_ID'].text})",
        number(density.text, density.where, "a density in g/cm3"),
        medium.mass_fractions,
        medium.mean_excitation_eV,
    )
    wet = number(said["RS_WET"].text, said["RS_WET"].where, "a thickness in mm") if kind == "binary" else None
    return RangeShifter(said["RS_ID"].text, own, None, wet)
