"""Our own CT protocol file: a density curve and composition intervals, or intervals alone."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.formats.text.checked_toml import Checked, read_checked
from dosewright.formats.text.hounsfield import NO_CURVE, CtProtocol
from dosewright.formats.text.lines import sha256


class DensityColumns(Checked):
    """Nodes of the density curve."""

    hu: list[float] = Field(min_length=2)
    g_cm3: list[float] = Field(min_length=2)


class IntervalColumns(Checked):
    """Lower edge (included) and medium of each interval; `upper_hu` (excluded) closes the last one."""

    lower_hu: list[float] = Field(min_length=1)
    material: list[str] = Field(min_length=1)
    upper_hu: float | None = None


class CtFile(Checked):
    """The file as it stands; `match` holds the DICOM keywords that mark a CT, `provenance` what it was fitted to."""

    name: str
    source: str = ""
    match: dict[str, str] = Field(default_factory=dict)
    density: DensityColumns | None = None
    intervals: IntervalColumns
    provenance: dict[str, str] = Field(default_factory=dict)


def read_ct_toml(path: Path, named: Callable[[str], Material]) -> CtProtocol:
    """Read a CT protocol file; `named` gives the media of the intervals."""
    file = read_checked(path, CtFile)
    materials: list[Material] = []
    problems: list[str] = []
    for name in file.intervals.material:
        try:
            materials.append(named(name))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    hu = np.array(file.density.hu, float) if file.density else NO_CURVE
    rho = np.array(file.density.g_cm3, float) if file.density else NO_CURVE
    lower = np.array(file.intervals.lower_hu, float)
    upper = file.intervals.upper_hu
    if not all(np.all(np.isfinite(values)) for values in (hu, rho, lower, [0.0 if upper is None else upper])):
        raise refuse("A CT protocol needs finite numbers", where=path.name)
    if upper is not None and upper <= lower[-1]:
        raise refuse("upper_hu must lie above the last lower_hu", given=upper, where=path.name)
    source = file.source or path.name
    table = HounsfieldTable(file.name, hu, rho, lower, upper, tuple(materials), source, sha256(path))
    return CtProtocol(table, dict(file.match))


def ct_toml_text(table: HounsfieldTable, match: Mapping[str, str], source: str) -> str:
    """Return a protocol with a density curve as text of our own file; its media are named, not described."""
    lines = [f"name = {_text(table.name)}", f"source = {_text(source)}", "", "[match]"]
    lines += [f"{_text(key)} = {_text(value)}" for key, value in match.items()]
    lines += ["", "[density]", f"hu = {_row(table.density_hu)}", f"g_cm3 = {_row(table.density_g_cm3)}", ""]
    lines += ["[intervals]", f"lower_hu = {_row(table.lower_hu)}"]
    lines.append(f"material = [{', '.join(_text(one.name) for one in table.materials)}]")
    if table.upper_hu is not None:
        lines.append(f"upper_hu = {float(table.upper_hu)!r}")
    return "\n".join(lines) + "\n"


def _row(values: NDArray[np.float64]) -> str:
    return "[" + ", ".join(repr(round(float(one), 6)) for one in values) + "]"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else " " for c in escaped) + '"'
