"""Tables of a scene file as values of core: every field by its declared type, all problems together.

What a dataclass declares is what its table may hold, so that a module of core needs no reader of its own.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.frame import turned_axes
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.modules import Mlc
from dosewright.core.shapes import Placement
from dosewright.core.solids import Triple
from dosewright.formats.text.scene.toml_lines import Place, TomlLines

T = TypeVar("T")
Named = Callable[[str], Material]
Designed = Callable[[str], Mlc]
Table = Mapping[str, Any]


def no_designs(name: str) -> Mlc:
    """Refuse a design of leaves: whoever reads the file gave no place to look for it."""
    raise refuse("No designs of multi-leaf collimators are known here", given=repr(name))


LARGEST = 1e9  # of any number: a thousand kilometres in mm; squares and cubes stay far from the end of the numbers


@dataclass(frozen=True)
class TableFile:
    """The file that tables stand in, and what gives materials and designs of leaves by name."""

    path: Path
    lines: TomlLines
    named: Named
    designed: Designed = no_designs

    def where(self, place: Place) -> str:
        """Return file and line of a place."""
        line = self.lines.of(place)
        return f"{self.path.name}, line {line}" if line else self.path.name


@dataclass(frozen=True)
class PlacementTable:
    """Where something lies: its origin, and turns about x, y and z, in this order, about the axes of what holds it."""

    centre_mm: Triple = (0.0, 0.0, 0.0)
    rotation_deg: Triple = (0.0, 0.0, 0.0)

    def placement(self) -> Placement:
        """Return it as a placement."""
        return Placement(self.centre_mm, turned_axes(self.rotation_deg))


def read_table(kind: type[T], table: object, place: Place, file: TableFile) -> T:
    """Return a table as a dataclass; a field `where` is no key but the place of the table."""
    known = {one.name: one for one in fields(kind) if one.name != "where"}  # type: ignore[arg-type]
    if not isinstance(table, Mapping):
        raise refuse(f"{called(place)} is a table", given=repr(table)[:80], allowed=", ".join(known),
                     where=file.where(place))  # fmt: skip
    hints = get_type_hints(kind)
    problems = unknown_keys(table, known, place, file)
    values: dict[str, Any] = {"where": file.where(place)} if "where" in hints else {}
    for name, one in known.items():
        if name in table:
            values[name] = tried(partial(read_value, hints[name], table[name], (*place, name), file), problems)
        elif _required(one):
            problems.append(str(refuse(f"The key {called((*place, name))} is missing", where=file.where(place))))
    if problems:
        raise InputError(*problems)
    return placed(partial(kind, **values), file.where(place))


def placed(make: Callable[[], T], where: str) -> T:
    """Return what is made; where that is refused without a place, the place is added."""
    try:
        return make()
    except InputError as error:
        said = (problem if "Where: " in problem else f"{problem} Where: {where}." for problem in error.problems)
        raise InputError(*said) from error


def unknown_keys(table: Table, known: Mapping[str, object], place: Place, file: TableFile) -> list[str]:
    """Return a problem for each key that is not known."""
    return [
        str(refuse(f"Unknown key {called((*place, key))}.{nearest(key, known)}", allowed=", ".join(known),
                   where=file.where((*place, key))))
        for key in table if key not in known
    ]  # fmt: skip


def _required(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def called(place: Place) -> str:
    """Return what messages call a place."""
    return repr(".".join(str(part + 1) if isinstance(part, int) else part for part in place))


def read_value(kind: Any, value: object, place: Place, file: TableFile) -> Any:
    """Return a value of a file as what a field declares."""
    arms = [arm for arm in get_args(kind) if arm is not NoneType] if _is_union(kind) else []
    if len(arms) == 1:
        return read_value(arms[0], value, place, file)
    if kind in _SIMPLE:
        return _SIMPLE[kind](value, place, file)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), value, place, file)
    if get_origin(kind) is np.ndarray:
        return _array(value, place, file)
    if kind is Placement:
        return read_table(PlacementTable, value, place, file).placement()
    if is_dataclass(kind) and isinstance(kind, type):
        return read_table(kind, value, place, file)
    raise TypeError(f"no value of a scene file can be {kind}")


def _is_union(kind: Any) -> bool:
    return isinstance(kind, UnionType) or get_origin(kind) is Union


def _wrong(what: str, value: object, place: Place, file: TableFile) -> InputError:
    return refuse(f"{called(place)} must be {what}", given=repr(value)[:80], where=file.where(place))


def _number(value: object, place: Place, file: TableFile) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong("a number", value, place, file)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _wrong("a finite number", value, place, file)
    if abs(number) > LARGEST:
        raise _wrong(f"a number of at most {LARGEST:g}", value, place, file)
    return number


def _whole(value: object, place: Place, file: TableFile) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong("a whole number", value, place, file)
    return value


def _truth(value: object, place: Place, file: TableFile) -> bool:
    if not isinstance(value, bool):
        raise _wrong("true or false", value, place, file)
    return value


def _text(value: object, place: Place, file: TableFile) -> str:
    if not isinstance(value, str):
        raise _wrong("a text", value, place, file)
    return value


def _material(value: object, place: Place, file: TableFile) -> Material:
    name = _text(value, place, file)
    return placed(lambda: file.named(name), file.where(place))


_SIMPLE: dict[Any, Callable[[object, Place, TableFile], Any]] = {
    float: _number,
    int: _whole,
    bool: _truth,
    str: _text,
    Material: _material,
}


def _list(value: object, place: Place, file: TableFile) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong("a list", value, place, file)
    return value


def _tuple(kinds: tuple[Any, ...], value: object, place: Place, file: TableFile) -> tuple[Any, ...]:
    entries = _list(value, place, file)
    if kinds[-1] is Ellipsis:
        kinds = (kinds[0],) * len(entries)
    if len(entries) != len(kinds):
        raise _wrong(f"a list of {len(kinds)} values", value, place, file)
    problems: list[str] = []
    read = [
        tried(partial(read_value, kind, entry, (*place, i), file), problems)
        for i, (kind, entry) in enumerate(zip(kinds, entries, strict=True))
    ]
    if problems:
        raise InputError(*problems)
    return tuple(read)


def _array(value: object, place: Place, file: TableFile) -> Any:
    """Return rows of numbers, all of one length, as an array; or one row."""
    rows = _list(value, place, file)
    if not any(isinstance(row, list) for row in rows):
        return np.array(_tuple((float, ...), rows, place, file))
    numbers = [_tuple((float, ...), row, (*place, i), file) for i, row in enumerate(rows)]
    if len({len(row) for row in numbers}) != 1:
        raise refuse(f"The rows of {called(place)} have different lengths",
                     given=sorted({len(row) for row in numbers}), where=file.where(place))  # fmt: skip
    return np.array(numbers)
