"""Modules of a scene file: `kind` names a dataclass of `core.modules`, whose fields are the keys."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, cast

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.modules import MODULES, ORIENTATIONS, TIPS, LeafProfile, Tip
from dosewright.core.scene import Module
from dosewright.formats.text.scene.tables import TableFile, read_table
from dosewright.formats.text.scene.toml_lines import Place

BEAMS = (-1, 1)
LEAVES = ("LEAF", "BLOCK")
WORDS = {(Tip, "kind"): TIPS, (LeafProfile, "kind"): LEAVES}  # and `orientation` of whatever has one
EXTENTS = ("thickness", "size", "length")  # must be positive; radii may be zero as well


def read_module(table: object, place: Place, file: TableFile, beam: int) -> Module:
    """Return a module; its beam is that of the scene unless it has a key of its own."""
    if not isinstance(table, Mapping):
        raise refuse("Modules are repeated tables", allowed="[[module]]", where=file.where(place))
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in MODULES:
        hint = nearest(kind, MODULES) if isinstance(kind, str) else ""
        raise refuse(f"A module needs a kind that is known.{hint}", given=repr(kind), allowed=", ".join(MODULES),
                     where=file.where((*place, "kind")))  # fmt: skip
    numbers = {key: value for key, value in table.items() if key != "kind"}
    known = {one.name for one in fields(MODULES[kind])}
    if "beam" in known:
        numbers.setdefault("beam", beam)
    module: Any = read_table(MODULES[kind], numbers, place, file, given={"where": file.where(place)})
    problems = [str(refuse(f"{module.name}: {rule}", given=given, where=file.where((*place, *where))))
                for rule, given, where in _broken(module, ())]  # fmt: skip
    if problems:
        raise InputError(*problems)
    return cast(Module, module)


def _broken(values: Any, place: Place) -> list[tuple[str, object, Place]]:
    """Return unknown words and wrong signs in a module and what it holds; its builder knows what its geometry needs."""
    found: list[tuple[str, object, Place]] = []
    for one in fields(values):
        value, here = getattr(values, one.name), (*place, one.name)
        numbers = value if isinstance(value, tuple) else (value,)
        for i, inner in enumerate(numbers):
            if isinstance(inner, Tip | LeafProfile):
                found += _broken(inner, (*here, i) if numbers is value else here)
        words = ORIENTATIONS if one.name == "orientation" else WORDS.get((type(values), one.name), ())
        if words and value not in words:
            rule = f"{one.name} must be one of {', '.join(words)}.{nearest(str(value), words)}"
            found.append((rule, repr(value), here))
        if not all(isinstance(number, int | float) for number in numbers):
            continue
        needed = one.default is MISSING and any(word in one.name for word in EXTENTS)
        if one.name == "beam" and value not in BEAMS:
            found.append(("the beam runs along -z or +z", value, here))
        elif needed and not all(number > 0 for number in numbers):
            found.append((f"{one.name} must be positive", value, here))
        elif any(word in one.name for word in (*EXTENTS, "radius")) and any(number < 0 for number in numbers):
            found.append((f"{one.name} must not be negative", value, here))
    return found
