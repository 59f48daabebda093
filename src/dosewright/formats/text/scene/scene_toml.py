"""Our own scene file: materials, parts and modules as TOML."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import turned_axes
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.part_tree import tree_problems
from dosewright.core.scene import Module, Part, Scene
from dosewright.core.shapes import Placement
from dosewright.core.solids import Triple
from dosewright.formats.text.checked_toml import read_toml
from dosewright.formats.text.lines import read_text
from dosewright.formats.text.scene.material_tables import FILL, hinted, read_materials
from dosewright.formats.text.scene.module_tables import read_module
from dosewright.formats.text.scene.shape_tables import SHAPE_WORDS, read_shape
from dosewright.formats.text.scene.tables import (
    Designed,
    Named,
    Table,
    TableFile,
    no_designs,
    placed,
    read_table,
    unknown_keys,
)
from dosewright.formats.text.scene.toml_lines import Place, TomlLines

TABLES = ("scene", "material", "part", "module")
VACUUM_G_CM3 = 1e-20  # what is thinner is filled with nothing


@dataclass(frozen=True)
class SceneTable:
    """What fills the scene (vacuum, air or a material), and the direction of the beam along z."""

    fill: str = "vacuum"
    beam: int = -1
    name: str = ""


@dataclass(frozen=True)
class PartTable:
    """A part without its shape."""

    name: str
    material: str
    density_g_cm3: float | None = None
    parent: str | None = None
    centre_mm: Triple = (0.0, 0.0, 0.0)
    rotation_deg: Triple = (0.0, 0.0, 0.0)
    turns: bool = False


def read_scene_toml(path: Path, named: Named, designed: Designed = no_designs) -> Scene:
    """Read a scene file; all problems are listed.

    `named` gives the materials that the file does not define, `designed` multi-leaf collimators by name.
    """
    content = read_toml(path)
    file = TableFile(path, TomlLines(read_text(path)), named, designed)
    problems = unknown_keys(content, dict.fromkeys(TABLES), (), file)
    materials, of_materials = read_materials(content.get("material", []), file)
    problems += of_materials
    defined = _names(content.get("material", []))
    file = TableFile(path, file.lines, _resolver(materials, defined, named), designed)
    table = content.get("scene", {})
    head = tried(partial(read_table, SceneTable, table, ("scene",), file), problems) or SceneTable()
    if head.beam not in (-1, 1):
        problems.append(str(refuse("The beam runs along -z (IEC 61217) or +z", given=head.beam, allowed="-1, 1",
                                   where=file.where(("scene", "beam")))))  # fmt: skip
    word = table.get("fill", head.fill) if isinstance(table, Mapping) else head.fill
    fill = tried(partial(_fill, word, file), problems) if isinstance(word, str) else None
    parts: list[Part] = []
    for i, table in enumerate(_repeated(content, "part", file, problems)):
        part = tried(partial(_part, table, ("part", i), file), problems)
        parts += [part] if part else []
    modules: list[Module] = []
    for i, table in enumerate(_repeated(content, "module", file, problems)):
        module = tried(partial(read_module, table, ("module", i), file, head.beam), problems)
        modules += [module] if module else []
    complete = len(parts) == len(content.get("part", []))  # else a parent may only be missing because it was refused
    if complete or not problems:
        problems += tree_problems(parts, modules)
    if problems:
        raise InputError(*problems)
    return Scene(tuple(parts), tuple(modules), fill, head.name or path.name)


def _repeated(content: Table, key: str, file: TableFile, problems: list[str]) -> list[Any]:
    tables = content.get(key, [])
    if isinstance(tables, list):
        return tables
    problems.append(str(refuse(f"[{key}] is a repeated table", allowed=f"[[{key}]]", where=file.where((key,)))))
    return []


def _names(tables: object) -> set[str]:
    entries = tables if isinstance(tables, list) else []
    return {str(one["name"]) for one in entries if isinstance(one, Mapping) and "name" in one}


def _resolver(materials: Mapping[str, Material], defined: set[str], named: Named) -> Named:
    """Return materials of the file first; of those it defines wrongly it was told already."""

    def find(name: str) -> Material:
        if name in materials:
            return materials[name]
        if name in defined:
            raise refuse(f"The material {name!r} of this file could not be read")
        return hinted(named, name, materials)

    return find


def filled_with(material: Material) -> Material | None:
    """Return what fills a scene; nothing for a material that stands for vacuum."""
    return material if material.density_g_cm3 > VACUUM_G_CM3 else None


def _fill(word: str, file: TableFile) -> Material | None:
    if word == "vacuum":
        return None
    return filled_with(placed(lambda: file.named(word), file.where(("scene", "fill"))))


def _part(table: object, place: Place, file: TableFile) -> Part:
    if not isinstance(table, Mapping):
        raise refuse("Parts are repeated tables", allowed="[[part]]", where=file.where(place))
    name = f"The part {table['name']!r}" if isinstance(table.get("name"), str) else "A part"
    known = (*PartTable.__dataclass_fields__, *SHAPE_WORDS)
    problems = unknown_keys(table, dict.fromkeys(known), place, file)
    plain = {key: value for key, value in table.items() if key in PartTable.__dataclass_fields__}
    head = tried(partial(read_table, PartTable, plain, place, file), problems)
    shape = tried(partial(read_shape, table, place, file, name), problems)
    material = tried(partial(_of_part, head, place, file), problems) if head else None
    if head is None or shape is None or problems:
        raise InputError(*problems)
    placement = Placement(head.centre_mm, turned_axes(head.rotation_deg))
    return Part(head.name, shape, material, placement, head.parent, head.density_g_cm3, head.turns, file.where(place))


def _of_part(head: PartTable, place: Place, file: TableFile) -> Material | None:
    """Return the material of a part; none where it is made of what fills the scene."""
    where = file.where((*place, "density_g_cm3"))
    if head.density_g_cm3 is not None and not head.density_g_cm3 > 0:
        raise refuse(f"The part {head.name!r} needs a positive density", given=f"{head.density_g_cm3:g} g/cm3",
                     where=where)  # fmt: skip
    if head.material == FILL:
        if head.density_g_cm3 is not None:
            raise refuse(f"What fills the scene has a density already; {head.name!r} needs a material of its own",
                         given=f"{head.density_g_cm3:g} g/cm3", where=where)  # fmt: skip
        return None
    return placed(lambda: file.named(head.material), file.where((*place, "material")))
