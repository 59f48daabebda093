"""Shapes as tables: exactly one of the words below, with the fields of the shape of that name."""

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any

from dosewright.core.errors import InputError, refuse
from dosewright.core.looks import tried
from dosewright.core.shapes import Cone, Difference, Intersection, Polycone, Shape, Sphere, Union
from dosewright.core.solids import Box, Frustum, Prism, Tube
from dosewright.formats.text.scene.shape_rules import check_shape
from dosewright.formats.text.scene.tables import PlacementTable, Table, TableFile, called, read_table, unknown_keys
from dosewright.formats.text.scene.toml_lines import Place

PLAIN: dict[str, type[Box | Tube | Cone | Sphere | Polycone | Prism | Frustum]] = {
    "box": Box,
    "tube": Tube,
    "cone": Cone,
    "sphere": Sphere,
    "polycone": Polycone,
    "prism": Prism,
    "frustum": Frustum,
}
BOOLEAN: dict[str, type[Union | Intersection | Difference]] = {
    "union": Union,
    "intersection": Intersection,
    "difference": Difference,
}
SHAPE_WORDS = (*PLAIN, *BOOLEAN)
DEEPEST = 20  # booleans inside booleans
PLACES = tuple(one.name for one in fields(PlacementTable))


def read_shape(table: Table, place: Place, file: TableFile, name: str, depth: int = 0) -> Shape:
    """Return the one shape among the keys of a table; what else the table holds is not looked at."""
    words = [word for word in SHAPE_WORDS if word in table]
    if len(words) != 1:
        raise refuse(f"{name} needs exactly one shape", given=" and ".join(words) or "none",
                     allowed=", ".join(SHAPE_WORDS), where=file.where((*place, *words[-1:])))  # fmt: skip
    word = words[0]
    inside = (*place, word)
    if word in BOOLEAN:
        return _boolean(BOOLEAN[word], table[word], inside, file, name, depth)
    shape = read_table(PLAIN[word], _with_solid_inside(word, table[word]), inside, file)
    check_shape(shape, name, file.where(inside))
    return shape


def _with_solid_inside(word: str, table: object) -> object:
    """Return the table of a polycone with inner radii; those of a solid one need not be written."""
    if word == "polycone" and isinstance(table, Mapping) and isinstance(table.get("z_mm"), list):
        return {"inner_mm": [0.0] * len(table["z_mm"]), **table}
    return table


def _boolean(
    kind: type[Union | Intersection | Difference], tables: object, place: Place, file: TableFile, name: str, depth: int
) -> Shape:
    """Return several shapes as one; each but the first is placed in the axes of the first."""
    if depth >= DEEPEST:
        raise refuse(f"{name}: shapes are put together more than {DEEPEST} deep", where=file.where(place))
    if not isinstance(tables, list) or len(tables) < 2:
        raise refuse(f"{called(place)} is a list of two shapes or more", where=file.where(place),
                     given="one" if isinstance(tables, list) and tables else "none")  # fmt: skip
    problems: list[str] = []
    read = [tried(partial(_member, table, (*place, i), file, name, depth), problems) for i, table in enumerate(tables)]
    found = [one for one in read if one is not None]
    if problems:
        raise InputError(*problems)
    shape, first = found[0]
    if first is not None:
        raise refuse(f"{name}: the first shape of {called(place)} lies at the origin", given=" and ".join(first),
                     allowed="a place for the others only", where=file.where(place))  # fmt: skip
    for (second, _), table in zip(found[1:], tables[1:], strict=True):
        placed = {key: table[key] for key in PLACES if key in table}
        shape = kind(shape, second, read_table(PlacementTable, placed, place, file).placement())
    return shape


def _member(table: Any, place: Place, file: TableFile, name: str, depth: int) -> tuple[Shape, list[str] | None]:
    """Return a shape of a boolean, and which keys of a place it has."""
    if not isinstance(table, Mapping):
        raise refuse(f"{called(place)} is a table with a shape", given=repr(table)[:80], allowed=", ".join(SHAPE_WORDS),
                     where=file.where(place))  # fmt: skip
    known = dict.fromkeys((*SHAPE_WORDS, *PLACES))
    problems = unknown_keys(table, known, place, file)
    shape = tried(partial(read_shape, table, place, file, name, depth + 1), problems)
    if shape is None or problems:
        raise InputError(*problems)
    return shape, [key for key in PLACES if key in table] or None


def word_of(shape: Shape) -> str:
    """Return the word of a shape."""
    for word, kind in {**PLAIN, **BOOLEAN}.items():
        if isinstance(shape, kind):
            return word
    raise AssertionError(shape)
