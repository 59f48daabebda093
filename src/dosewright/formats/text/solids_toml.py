"""Devices of a beam model as TOML: a nozzle, and range shifters and modulators made of solids."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dosewright.core.errors import refuse
from dosewright.core.frame import rotation_about
from dosewright.core.matter import Material
from dosewright.core.solids import Box, Device, Frustum, Prism, Relief, Shape, Solid, Tube
from dosewright.formats.text.checked_toml import Checked

Named = Callable[[str], Material]
Array = NDArray[np.float64]
Pair = tuple[float, float]
Triple = tuple[float, float, float]

PLAN_KINDS = ("range_shifter", "range_modulator")
SHAPES = ("box_mm", "tube", "prism", "frustum", "relief")


class TubeTable(Checked):
    """A cylinder along z, or a part of a hollow one."""

    radius_mm: float = Field(gt=0)
    length_mm: float = Field(gt=0)
    inner_radius_mm: float = Field(default=0.0, ge=0)
    start_deg: float = 0.0
    sweep_deg: float = Field(default=360.0, gt=0, le=360)


class PrismTable(Checked):
    """A polygon extruded along z."""

    outline_mm: list[list[float]] = Field(min_length=3)
    length_mm: float = Field(gt=0)


class FrustumTable(Checked):
    """A trapezoid: full lengths along x and y at its lower and upper face."""

    lower_mm: list[float] = Field(min_length=2, max_length=2)
    upper_mm: list[float] = Field(min_length=2, max_length=2)
    length_mm: float = Field(gt=0)


class ReliefTable(Checked):
    """Columns from a lower to an upper height in the cells of a grid; one row of numbers per y cell, upwards."""

    x_edges_mm: list[float] = Field(min_length=2)
    y_edges_mm: list[float] = Field(min_length=2)
    lower_mm: list[list[float]]
    upper_mm: list[list[float]]


class SolidTable(Checked):
    """A placed shape; without a material it is a hole."""

    name: str = ""
    box_mm: list[float] | None = Field(default=None, min_length=3, max_length=3)
    tube: TubeTable | None = None
    prism: PrismTable | None = None
    frustum: FrustumTable | None = None
    relief: ReliefTable | None = None
    material: str | None = None
    density_g_cm3: float | None = Field(default=None, gt=0)
    centre_mm: list[float] = Field(default=[0.0, 0.0, 0.0], min_length=3, max_length=3)
    turns: list[list[Any]] = Field(default_factory=list)


class NozzleTable(Checked):
    """What always stands in the beam."""

    id: str = ""
    on_snout: bool = False
    axes: Literal["gantry", "room"] = "gantry"
    solid: list[SolidTable] = Field(min_length=1)


class DeviceTable(NozzleTable):
    """What a plan may put into the beam."""

    id: str
    kind: str


def read_nozzle(table: NozzleTable | None, fallback_id: str, named: Named, path: Path) -> Device | None:
    """Return the nozzle of a beam model file."""
    if table is None:
        return None
    return _device(table, table.id or fallback_id, "nozzle", named, path)


def read_devices(tables: list[DeviceTable], named: Named, path: Path) -> dict[str, Device]:
    """Return the devices of a beam model file by ID."""
    found: dict[str, Device] = {}
    for table in tables:
        if table.kind not in PLAN_KINDS:
            raise refuse(f"Unknown kind of device {table.id!r}", given=table.kind, allowed=", ".join(PLAN_KINDS),
                         where=path.name)  # fmt: skip
        if table.id.casefold() in (one.casefold() for one in found):
            raise refuse("Two devices have the same ID", given=table.id, where=path.name)
        found[table.id] = _device(table, table.id, table.kind, named, path)
    return found


def _device(table: NozzleTable, identifier: str, kind: str, named: Named, path: Path) -> Device:
    solids = tuple(_solid(one, k, identifier, named, path) for k, one in enumerate(table.solid, 1))
    return Device(identifier, kind, solids, table.on_snout, table.axes, source=path.name)


def _solid(table: SolidTable, number: int, device: str, named: Named, path: Path) -> Solid:
    name = table.name or f"solid {number}"
    where = f"{path.name}, {device!r}, {name}"
    shapes = [key for key in SHAPES if getattr(table, key) is not None]
    if len(shapes) != 1:
        raise refuse("A solid has exactly one shape", given=", ".join(shapes) or "none", allowed=", ".join(SHAPES),
                     where=where)  # fmt: skip
    if table.material is None and table.density_g_cm3 is not None:
        raise refuse("A hole has no density; a solid needs a material", given=table.density_g_cm3, where=where)
    if not all(np.isfinite(value) for value in _numbers(table.model_dump())):
        raise refuse("A solid needs finite numbers", where=where)
    material = None if table.material is None else named(table.material)
    density = table.density_g_cm3 or (material.density_g_cm3 if material else 0.0)
    rotation = np.eye(3)
    for turn in table.turns:
        rotation = _turn(turn, where) @ rotation
    x, y, z = table.centre_mm
    return Solid(name, _shape(table, where), material, density, (x, y, z), rotation)


def _numbers(value: Any) -> Iterator[float]:
    """Yield all numbers inside lists and tables."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)
    elif isinstance(value, int | float):
        yield value


def _turn(turn: list[Any], where: str) -> Array:
    axis, degrees = turn if len(turn) == 2 else (None, None)
    if axis not in ("x", "y", "z") or not isinstance(degrees, int | float) or isinstance(degrees, bool):
        raise refuse(
            "A turn is an axis and an angle in degrees", given=turn, allowed='such as ["x", 90.0]', where=where
        )
    return rotation_about(axis, float(degrees))


def _shape(table: SolidTable, where: str) -> Shape:
    if table.tube is not None:
        if table.tube.inner_radius_mm >= table.tube.radius_mm:
            raise refuse(
                "The inner radius must be smaller than the outer", given=table.tube.inner_radius_mm, where=where
            )
        return Tube(**table.tube.model_dump())
    if table.prism is not None:
        return Prism(_grid(table.prism.outline_mm, 2, where), table.prism.length_mm)
    if table.frustum is not None:
        one = table.frustum
        lengths = (*one.lower_mm, *one.upper_mm)
        if min(lengths) < 0 or not max(lengths) > 0:
            raise refuse("The faces of a trapezoid must have positive lengths", given=lengths, where=where)
        return Frustum((one.lower_mm[0], one.lower_mm[1]), (one.upper_mm[0], one.upper_mm[1]), one.length_mm)
    if table.relief is not None:
        return _relief(table.relief, where)
    sides = table.box_mm or []
    if len(sides) != 3 or not min(sides) > 0:
        raise refuse("A box needs three positive lengths", given=sides, where=where)
    return Box((sides[0], sides[1], sides[2]))


def _relief(table: ReliefTable, where: str) -> Relief:
    x, y = np.array(table.x_edges_mm), np.array(table.y_edges_mm)
    if np.any(np.diff(x) <= 0) or np.any(np.diff(y) <= 0):
        raise refuse("The edges of a relief must ascend", where=where)
    lower, upper = (_grid(rows, x.size - 1, where) for rows in (table.lower_mm, table.upper_mm))
    if lower.shape != upper.shape or len(lower) != y.size - 1:
        raise refuse(
            "A relief needs one row per y cell", given=(len(lower), len(upper)), allowed=y.size - 1, where=where
        )
    return Relief(x, y, lower, upper)


def _grid(rows: Sequence[Sequence[float]], columns: int, where: str) -> Array:
    if any(len(row) != columns for row in rows):
        raise refuse("Rows have the wrong number of values", given=sorted({len(row) for row in rows}), allowed=columns,
                     where=where)  # fmt: skip
    return np.array(rows, float)


def nozzle_lines(nozzle: Device) -> list[str]:
    """Return a nozzle as lines of a beam model file."""
    return ["", "[nozzle]", *_head(nozzle), *_solid_lines(nozzle, "nozzle.solid")]


def device_lines(device: Device) -> list[str]:
    """Return a device as lines of a beam model file."""
    head = ["", "[[device]]", *_head(device)]
    return [*head, f"kind = {text(device.kind)}", *_solid_lines(device, "device.solid")]


def _head(device: Device) -> list[str]:
    return [
        f"id = {text(device.id)}",
        f"on_snout = {'true' if device.on_snout else 'false'}",
        f"axes = {text(device.axes)}",
    ]


def _solid_lines(device: Device, table: str) -> list[str]:
    lines = []
    for solid in device.solids:
        lines += ["", f"[[{table}]]", f"name = {text(solid.name)}", _shape_line(solid.shape)]
        if solid.material is not None:
            lines += [f"material = {text(solid.material.name)}", f"density_g_cm3 = {number(solid.density_g_cm3)}"]
        lines.append(f"centre_mm = {row(solid.centre_mm)}")
        turns = [f"[{text(axis)}, {number(degrees)}]" for axis, degrees in _turns(solid.rotation)]
        if turns:
            lines.append(f"turns = [{', '.join(turns)}]")
    return lines


def _shape_line(shape: Shape) -> str:
    if isinstance(shape, Box):
        return f"box_mm = {row(shape.size_mm)}"
    parts = []
    for key, value in vars(shape).items():
        if isinstance(value, np.ndarray) and value.ndim == 2:
            parts.append(f"{key} = [{', '.join(row(one) for one in value)}]")
        else:
            parts.append(f"{key} = {number(value) if isinstance(value, float | int) else row(value)}")
    return f"{type(shape).__name__.lower()} = {{ {', '.join(parts)} }}"


def _turns(rotation: Array) -> list[tuple[str, float]]:
    """Return turns about x, then y, then z that make a rotation; none that are zero."""
    y = float(np.arcsin(np.clip(-rotation[2, 0], -1.0, 1.0)))
    if abs(rotation[2, 0]) < 1.0 - 1e-12:
        x, z = np.arctan2(rotation[2, 1], rotation[2, 2]), np.arctan2(rotation[1, 0], rotation[0, 0])
    else:
        x, z = np.arctan2(-rotation[1, 2], rotation[1, 1]), 0.0
    angles = zip("xyz", np.degrees([x, y, z]), strict=True)
    return [(axis, float(degrees)) for axis, degrees in angles if abs(degrees) > 1e-12]


def number(value: float) -> str:
    """Return a number as TOML reads it again exactly."""
    written = repr(float(value))
    return written if any(c in written for c in ".einf") else f"{written}.0"


def row(values: Sequence[float] | Array) -> str:
    """Return numbers as a TOML array."""
    return "[" + ", ".join(number(v) for v in values) + "]"


def text(words: str) -> str:
    """Return words as a TOML string on one line."""
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " and c != "\x7f" else " " for c in escaped) + '"'
