"""Modules of a scene file: `kind` names a dataclass of `core.modules`, whose fields are the keys.

Leaves may have the name of a design instead of most of their fields.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import cast

from dosewright.core.errors import nearest, refuse
from dosewright.core.modules import MODULES, Mlc
from dosewright.core.scene import Module
from dosewright.formats.text.scene.designed_mlc import DesignedMlc
from dosewright.formats.text.scene.tables import TableFile, placed, read_table
from dosewright.formats.text.scene.toml_lines import Place


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
    if MODULES[kind] is Mlc and "design" in numbers:
        numbers.setdefault("beam", beam)
        designed = read_table(DesignedMlc, numbers, place, file)
        design = placed(lambda: file.designed(designed.design), file.where((*place, "design")))
        return placed(lambda: designed.of(design), designed.where)
    if "beam" in (one.name for one in fields(MODULES[kind])):
        numbers.setdefault("beam", beam)
    return cast(Module, read_table(MODULES[kind], numbers, place, file))
