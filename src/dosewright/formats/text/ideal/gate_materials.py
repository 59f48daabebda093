"""GATE's material database: elements with their molar masses, and materials made of them.

Fields are separated by semicolons (a comma, which occurs in real files, is taken for one); a component by number of
atoms weighs its molar mass of the file, as in Geant4; mass fractions must add up to one within 0.001, as in GATE.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import xraylib

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.formats.text.lines import Line, content_lines, number

Named = Callable[[str], Material]
Fields = dict[str, str]

WORDS = {
    "symbol": ("s", "symbol"),
    "Z": ("z", "zeff"),
    "A": ("a", "aeff"),
    "density": ("d", "density"),
    "n": ("n", "ncomponents", "natoms"),
    "state": ("state",),
    "temperature": ("t", "temp", "temperature"),
    "pressure": ("p", "press", "pressure"),
    "name": ("name",),
    "fraction": ("f", "fraction"),
}
PROPER = {word: proper for proper, words in WORDS.items() for word in words}
DENSITY_G_CM3 = {
    f"{mass}/{volume}": grams / cubic_cm
    for mass, grams in (("mg", 1e-3), ("g", 1.0), ("kg", 1e3))
    for volume, cubic_cm in (("mm3", 1e-3), ("cm3", 1.0), ("m3", 1e6))
}
SHARES = {"": 1.0, "%": 1e-2, "percent": 1e-2, "perthousand": 1e-3, "permillion": 1e-6}
STATES = ("solid", "liquid", "gas", "undefined")
VALUE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\*?\s*(.*)")
SUM_TOLERANCE = 1e-3  # GATE refuses mass fractions that miss one by more
ISOTOPE_TOLERANCE = 0.01  # rounded molar masses of real files differ by 0.3 % at most; one isotope alone by more
HEAVIEST_Z = 92


@dataclass(frozen=True)
class Element:
    """An element of the file; `refusal` says why it cannot be used here."""

    Z: int
    molar_mass: float
    refusal: str = ""


@dataclass
class Entry:
    """A material of the file as it stands."""

    name: str
    line: Line
    fields: Fields
    components: list[tuple[str, Fields, Line]] = field(default_factory=list)


def read_gate_materials(path: Path, named: Named | None = None) -> dict[str, Material]:
    """Read a GATE material database (``.db``): every material by its name, with its density in g/cm3.

    `named` knows the materials outside the file (those of NIST) that ``+mat:`` may name. Where it knows a name
    ``G4_...`` the file's own entry is left out: GATE, too, takes the material of NIST. All problems are listed.
    """
    problems: list[str] = []
    elements, entries = _parsed(path, problems)
    held = bool(entries)
    entries = {name: one for name, one in entries.items() if not _of_nist(name, named)}
    ready: dict[str, Material] = {}
    refused: set[str] = set()
    pending = list(entries.values())
    while pending:
        waiting = [one for one in pending if _waits(one, entries, ready, refused)]
        if len(waiting) == len(pending):
            problems.extend(_circle(one) for one in pending)
            break
        for one in pending:
            if one in waiting:
                continue
            material = tried(partial(_material, one, elements, entries, ready, named), problems)
            if material is None:
                refused.add(one.name)
            else:
                ready[one.name] = material
        pending = waiting
    if problems:
        raise InputError(*problems)
    if not held:
        raise refuse("The database holds no material", allowed="a section [Materials]", where=path.name)
    return {name: ready[name] for name in entries}


def _of_nist(name: str, named: Named | None) -> bool:
    return named is not None and name.startswith("G4_") and tried(lambda: named(name), []) is not None


def _parsed(path: Path, problems: list[str]) -> tuple[dict[str, Element], dict[str, Entry]]:
    elements: dict[str, Element] = {}
    entries: dict[str, Entry] = {}
    current: Entry | None = None
    section = ""
    for line in content_lines(path):
        if line.text.startswith("["):
            section, current = line.text.strip("[] \t").casefold(), None
            if section not in ("elements", "materials", "isotopes"):
                known = ("Elements", "Materials", "Isotopes")
                hint = nearest(line.text.strip("[] "), known)
                problems.append(str(refuse(f"Unknown section.{hint}", given=line.text,
                                           allowed="[Elements], [Materials]", where=line.where)))  # fmt: skip
            continue
        if section not in ("elements", "materials"):
            if not section:
                problems.append(str(refuse("A line stands before the first section", given=repr(line.text[:60]),
                                           allowed="[Elements] first", where=line.where)))  # fmt: skip
            continue
        if section == "elements":
            tried(partial(_add_element, line, elements), problems)
        elif line.text.startswith("+"):
            if current is not None:
                tried(partial(_add_component, line, current), problems)
        else:
            current = tried(partial(_add_entry, line, entries), problems)
    return elements, entries


def _split(line: Line) -> tuple[str, str]:
    name, colon, rest = line.text.partition(":")
    if not colon or not name.strip():
        raise refuse("Expected NAME: and its fields", given=repr(line.text[:60]), where=line.where)
    return name.strip(), rest


def _fields(text: str, line: Line, allowed: tuple[str, ...]) -> Fields:
    """Return the fields of a line by their proper names."""
    found: Fields = {}
    for part in filter(None, (one.strip() for one in re.split("[;,]", text))):
        word, sign, value = part.partition("=")
        proper = PROPER.get(word.strip().casefold(), "") if sign else ""
        if proper not in allowed:
            words = [one for name in allowed for one in WORDS[name]]
            raise refuse(f"Unknown field.{nearest(word.strip(), words)}", given=repr(part),
                         allowed="; ".join(f"{one}=" for one in words), where=line.where)  # fmt: skip
        if proper in found:
            raise refuse(f"The field {proper} is given twice", given=repr(part), where=line.where)
        found[proper] = value.strip()
    return found


def _add_element(line: Line, elements: dict[str, Element]) -> None:
    if line.text.startswith("+"):
        return
    name, rest = _split(line)
    fields = _fields(rest, line, ("symbol", "Z", "A", "n"))
    if name in elements:
        raise refuse(f"The element {name!r} is given twice", where=line.where)
    if "n" in fields:
        elements[name] = Element(0, 0.0, "it is made of isotopes, which are not known here")
        return
    if "Z" not in fields or "A" not in fields:
        raise refuse(f"The element {name!r} needs Z= and A=", given=sorted(fields), where=line.where)
    elements[name] = _element(fields, line)


def _element(fields: Fields, line: Line) -> Element:
    Z = number(fields["Z"], line.where, "an atomic number")
    mass = _quantity(fields["A"], line, {"g/mole": 1.0, "g/mol": 1.0, "": 1.0}, "a molar mass in g/mole")
    if int(Z) != Z or Z < 1 or mass <= 0:
        raise refuse("An element needs a whole Z and a positive A", given=f"Z={Z:g}, A={mass:g}", where=line.where)
    if Z > HEAVIEST_Z:
        return Element(int(Z), mass, f"its atomic number is {Z:g}; elements to uranium are known here")
    natural = float(xraylib.AtomicWeight(int(Z)))
    if abs(mass / natural - 1.0) > ISOTOPE_TOLERANCE:
        return Element(int(Z), mass, f"its molar mass is {mass:g}, that of the natural element {natural:g} g/mole; "
                                     "single isotopes are not known here")  # fmt: skip
    return Element(int(Z), mass)


def _add_entry(line: Line, entries: dict[str, Entry]) -> Entry:
    name, rest = _split(line)
    fields = _fields(rest, line, ("density", "n", "state", "temperature", "pressure", "Z", "A"))
    if name in entries:
        raise refuse(f"The material {name!r} is given twice", given=f"first in line {entries[name].line.number}",
                     where=line.where)  # fmt: skip
    entries[name] = Entry(name, line, fields)
    return entries[name]


def _add_component(line: Line, current: Entry) -> None:
    kind, rest = _split(line)
    if kind.casefold() not in ("+el", "+elem", "+mat"):
        raise refuse("Unknown kind of component", given=repr(kind), allowed="+el:, +mat:", where=line.where)
    kind = "material" if kind.casefold() == "+mat" else "element"
    current.components.append((kind, _fields(rest, line, ("name", "n", "fraction")), line))


def _quantity(text: str, line: Line, units: dict[str, float], what: str) -> float:
    match = VALUE.fullmatch(text)
    unit = match.group(2).strip() if match else ""
    if not match or unit not in units:
        allowed = ", ".join(one for one in units if one) or "a number"
        raise refuse(f"Expected {what}", given=repr(text), allowed=allowed, where=line.where)
    return number(match.group(1), line.where, what) * units[unit]


def _waits(one: Entry, entries: dict[str, Entry], ready: dict[str, Material], refused: set[str]) -> bool:
    """Return whether a material is made of one of the file that is not ready yet."""
    parts = (fields.get("name") for kind, fields, _ in one.components if kind == "material")
    return any(part in entries and part not in ready and part not in refused for part in parts)


def _circle(one: Entry) -> str:
    return str(refuse(f"The material {one.name!r} is made of itself, by way of others", where=one.line.where))


def _material(
    one: Entry,
    elements: dict[str, Element],
    entries: dict[str, Entry],
    ready: dict[str, Material],
    named: Named | None,
) -> Material | None:
    """Return a material, or None where a part of it was refused already."""
    line = one.line
    if "density" not in one.fields:
        raise refuse(f"The material {one.name!r} has no density", allowed="d=1.0 g/cm3", where=line.where)
    density = _quantity(one.fields["density"], line, DENSITY_G_CM3, f"the density of {one.name!r} with its unit")
    if density <= 0:
        raise refuse(f"The density of {one.name!r} must be positive", given=one.fields["density"], where=line.where)
    state = one.fields.get("state", "solid").casefold().removeprefix("kstate")
    if state not in STATES:
        raise refuse(f"Unknown state of {one.name!r}.{nearest(state, STATES)}", given=repr(one.fields["state"]),
                     allowed=", ".join(STATES), where=line.where)  # fmt: skip
    if "Z" in one.fields and "A" in one.fields:
        return Material(one.name, density, {_usable(one.name, _element(one.fields, line), line).Z: 1.0})
    _check_count(one)
    by_mass: list[tuple[dict[int, float], float]] = []
    by_atoms: list[tuple[int, float]] = []
    for kind, fields, place in one.components:
        part = fields.get("name", "")
        part = one.name if part == "auto" else part
        if kind == "material":
            if part in entries and part not in ready:
                return None
            by_mass.append((_inner(part, ready, named, place).mass_fractions, _share(fields, place)))
            continue
        element = _usable(part, _known(part, elements, place), place)
        if "n" in fields:
            by_atoms.append((element.Z, _atoms(fields, place) * element.molar_mass))
        else:
            by_mass.append(({element.Z: 1.0}, _share(fields, place)))
    return Material(one.name, density, _mass_fractions(one, by_mass, by_atoms))


def _check_count(one: Entry) -> None:
    count = number(one.fields.get("n", ""), one.line.where, f"n=, the number of components of {one.name!r}")
    if count != len(one.components) or not one.components:
        raise refuse(f"The material {one.name!r} has another number of components than it says",
                     given=f"n={count:g}, then {len(one.components)} lines", where=one.line.where)  # fmt: skip


def _known(name: str, elements: dict[str, Element], line: Line) -> Element:
    if name not in elements:
        raise refuse(f"Unknown element.{nearest(name, elements)}", given=repr(name),
                     allowed="an element of the section [Elements]", where=line.where)  # fmt: skip
    return elements[name]


def _usable(name: str, element: Element, line: Line) -> Element:
    if element.refusal:
        raise refuse(f"{name!r} cannot be used: {element.refusal}", where=line.where)
    return element


def _inner(name: str, ready: dict[str, Material], named: Named | None, line: Line) -> Material:
    if name in ready:
        return ready[name]
    if named is None:
        raise refuse(f"Unknown material.{nearest(name, ready)}", given=repr(name),
                     allowed="a material of this file", where=line.where)  # fmt: skip
    try:
        return named(name)
    except InputError as error:
        raise InputError(*(f"{problem} Where: {line.where}." for problem in error.problems)) from error


def _share(fields: Fields, line: Line) -> float:
    if "fraction" not in fields or "n" in fields:
        raise refuse("A component needs its mass fraction f=, or as an element its number of atoms n=",
                     given="; ".join(f"{one}={value}" for one, value in fields.items()), where=line.where)  # fmt: skip
    share = _quantity(fields["fraction"], line, SHARES, "a mass fraction")
    if not 0.0 <= share <= 1.0:
        raise refuse("A mass fraction lies between 0 and 1", given=fields["fraction"], where=line.where)
    return share


def _atoms(fields: Fields, line: Line) -> float:
    count = number(fields["n"], line.where, "a number of atoms")
    if "fraction" in fields or count != int(count) or not 1 <= count <= 1e6:
        raise refuse("Expected a whole number of atoms, and no fraction", given=fields["n"], where=line.where)
    return count


def _mass_fractions(
    one: Entry, by_mass: list[tuple[dict[int, float], float]], by_atoms: list[tuple[int, float]]
) -> dict[int, float]:
    if by_mass and by_atoms:
        raise refuse(f"The material {one.name!r} mixes numbers of atoms and mass fractions",
                     allowed="one of them", where=one.line.where)  # fmt: skip
    total = sum(share for _, share in by_mass)
    if by_mass and abs(total - 1.0) > SUM_TOLERANCE:
        raise refuse(f"The mass fractions of {one.name!r} do not add up to one", given=f"{total:g}",
                     allowed=f"1 within {SUM_TOLERANCE:g}", where=one.line.where)  # fmt: skip
    fractions: dict[int, float] = {}
    parts = by_mass or [({Z: 1.0}, mass) for Z, mass in by_atoms]
    for inner, share in parts:
        for Z, within in inner.items():
            fractions[Z] = fractions.get(Z, 0.0) + share * within
    return fractions
