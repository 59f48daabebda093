"""Materials of a scene file: mass fractions by element, or of other materials; in any order."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import xraylib

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.formats.text.scene.tables import Named, Table, TableFile, called, placed, read_table, read_value
from dosewright.formats.text.scene.toml_lines import Place

SUM_TOLERANCE = 1e-3  # rounded fractions of data sheets; more is a mistake
HEAVIEST_Z = 92
FILL = "fill"  # the word of a part that is made of what fills the scene


@dataclass(frozen=True)
class MaterialTable:
    """A material: its density, and one of the two tables of mass fractions."""

    name: str
    density_g_cm3: float
    mean_excitation_eV: float | None = None


@cache
def atomic_numbers() -> dict[str, int]:
    """Return the atomic number of each element by its symbol."""
    return {xraylib.AtomicNumberToSymbol(z): z for z in range(1, HEAVIEST_Z + 1)}


def read_materials(tables: object, file: TableFile) -> tuple[dict[str, Material], list[str]]:
    """Return the materials of a file by name, and what is wrong with the others."""
    problems: list[str] = []
    if not isinstance(tables, list):
        return {}, [str(refuse("Materials are repeated tables", allowed="[[material]]", where=file.path.name))]
    waiting: dict[str, tuple[Table, Place]] = {}
    for i, table in enumerate(tables):
        place: Place = ("material", i)
        named = tried(partial(_name, table, place, file, waiting), problems)
        if named is not None:
            waiting[named] = (table, place)
    ready: dict[str, Material] = {}
    names = set(waiting)
    while waiting:
        able = [name for name, (table, _) in waiting.items() if not _needs(table) & set(waiting)]
        if not able:
            circle = ", ".join(waiting)
            wheres = "; ".join(file.where(place) for _, place in waiting.values())
            problems.append(str(refuse("These materials are made of each other", given=circle, where=wheres)))
            break
        for name in able:
            table, place = waiting.pop(name)
            find = partial(_part, ready=ready, names=names, named=file.named)
            material = tried(partial(_material, table, place, file, find), problems)
            if material is not None:
                ready[name] = material
    return ready, problems


def _name(table: object, place: Place, file: TableFile, taken: Mapping[str, object]) -> str:
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str) or not table["name"].strip():
        raise refuse("A material needs a name", where=file.where(place))
    name = str(table["name"])
    if name in taken:
        raise refuse("Two materials have the same name", given=repr(name), where=file.where((*place, "name")))
    if name == FILL:
        raise refuse(f"The name {FILL!r} stands for what fills the scene", where=file.where((*place, "name")))
    if tried(partial(file.named, name), []) is not None:
        raise refuse("The library has a material of this name already; another name keeps them apart", given=repr(name),
                     where=file.where((*place, "name")))  # fmt: skip
    return name


def _needs(table: Table) -> set[str]:
    mixture = table.get("mixture")
    return {str(name) for name in mixture} if isinstance(mixture, Mapping) else set()


Find = Callable[[str, str], Material | None]


def hinted(named: Named, name: str, others: Iterable[str]) -> Material:
    """Return a material of the library; else say which of the others may be meant."""
    try:
        return named(name)
    except InputError as error:
        raise InputError(*(f"{problem}{nearest(name, others)}" for problem in error.problems)) from error


def _part(name: str, where: str, ready: Mapping[str, Material], names: set[str], named: Named) -> Material | None:
    """Return a material that another is made of; None where it was refused itself."""
    if name in names:
        return ready.get(name)
    return placed(lambda: hinted(named, name, names), where)


def _material(table: Table, place: Place, file: TableFile, find: Find) -> Material | None:
    kinds = [key for key in ("elements", "mixture") if key in table]
    if len(kinds) != 1:
        raise refuse(f"The material {table['name']!r} needs exactly one table of mass fractions",
                     given=" and ".join(kinds) or "none", allowed="elements = { ... } or mixture = { ... }",
                     where=file.where(place))  # fmt: skip
    problems: list[str] = []
    plain = {key: value for key, value in table.items() if key not in kinds}
    head = tried(partial(read_table, MaterialTable, plain, place, file), problems)
    inside = (*place, kinds[0])
    shares = tried(partial(_shares, table[kinds[0]], inside, file), problems)
    parts: list[tuple[dict[int, float], float]] = []
    for word, share in (shares or {}).items():
        found = tried(partial(_composition, kinds[0], word, (*inside, word), file, find), problems)
        if found is not None:
            parts.append((found, share))
    if head is None or shares is None or problems:
        raise InputError(*problems)
    if len(parts) < len(shares):
        return None  # of a material that was refused already
    fractions: dict[int, float] = {}
    for composition, share in parts:
        for Z, within in composition.items():
            fractions[Z] = fractions.get(Z, 0.0) + share * within
    if head.mean_excitation_eV is not None and not head.mean_excitation_eV > 0:
        raise refuse("A mean excitation energy is positive", given=f"{head.mean_excitation_eV:g} eV",
                     where=file.where(place))  # fmt: skip
    made = partial(Material, head.name, head.density_g_cm3, fractions, head.mean_excitation_eV)
    return placed(made, file.where(place))


def _shares(table: Any, place: Place, file: TableFile) -> dict[str, float]:
    if not isinstance(table, Mapping) or not table:
        raise refuse(f"{called(place)} is a table of mass fractions", where=file.where(place))
    problems: list[str] = []
    shares: dict[str, float] = {}
    for word, value in table.items():
        share = tried(partial(read_value, float, value, (*place, word), file), problems)
        if share is not None and not 0 <= share <= 1:
            problems.append(str(refuse("A mass fraction lies between 0 and 1", given=f"{word} = {share:g}",
                                       where=file.where((*place, word)))))  # fmt: skip
        shares[word] = share or 0.0
    total = sum(shares.values())
    if not problems and abs(total - 1) > SUM_TOLERANCE:
        problems.append(str(refuse(f"The mass fractions of {called(place)} do not add up to one", given=f"{total:g}",
                                   allowed=f"1 within {SUM_TOLERANCE:g}", where=file.where(place))))  # fmt: skip
    if problems:
        raise InputError(*problems)
    return shares


def _composition(kind: str, word: str, place: Place, file: TableFile, find: Find) -> dict[int, float] | None:
    if kind == "mixture":
        material = find(word, file.where(place))
        return None if material is None else material.mass_fractions
    if word not in atomic_numbers():
        raise refuse(f"Unknown element.{nearest(word, atomic_numbers())}", given=repr(word),
                     allowed="the symbol of an element, such as W; materials belong into mixture = { ... }",
                     where=file.where(place))  # fmt: skip
    return {atomic_numbers()[word]: 1.0}
