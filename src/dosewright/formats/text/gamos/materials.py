"""Materials of geometry text: elements, simple materials and mixtures, in any order; others by their name.

Names are looked for among the materials of the text first, then in the library (``G4_...``); components of a mixture
by weight may be elements as well. Mass fractions must add up to one, as Geant4 wants it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import xraylib

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.formats.text.gamos.cursor import Cursor
from dosewright.formats.text.scene.material_tables import HEAVIEST_Z, SUM_TOLERANCE, atomic_numbers

Named = Callable[[str], Material]
Fractions = dict[int, float]

ISOTOPE_TOLERANCE = 0.01  # rounded molar masses differ from the natural one by 0.3 % at most; single isotopes by more
MOST_COMPONENTS = 500
LIGHT_G = {1: 1.008, 6: 12.011, 7: 14.007, 8: 15.999}  # IUPAC, standard atomic weights 2021 (xraylib rounds them)
MIXTURES = (":MIXT", ":MIXT_BY_WEIGHT", ":MIXT_BY_NATOMS", ":MIXT_BY_VOLUME")
TAGS = (":ISOT", ":ELEM", ":ELEM_FROM_ISOT", ":MATE", ":MATE_MEE", *MIXTURES)


def natural_mass_g(Z: int) -> float:
    """Return the molar mass of an element as it is found."""
    return LIGHT_G.get(Z) or float(xraylib.AtomicWeight(Z))


@dataclass(frozen=True)
class Component:
    """One part of a mixture."""

    name: str
    share: float
    where: str


@dataclass(frozen=True)
class Mixture:
    """A mixture as it stands in the text."""

    name: str
    kind: str
    density_g_cm3: float
    components: tuple[Component, ...]
    where: str


class Materials:
    """The materials of a text while it is read, and all of them by name once it is finished."""

    def __init__(self, named: Named) -> None:
        self._named = named
        self._isotopes: dict[str, tuple[int, float]] = {}
        self._elements: dict[str, tuple[int, float]] = {}  # atomic number, molar mass
        self._mixtures: dict[str, Mixture] = {}
        self._ready: dict[str, Material] = {}
        self._refused: set[str] = set()
        self._excitation_eV: dict[str, tuple[float, str]] = {}

    def read(self, cursor: Cursor) -> None:
        """Carry out the statement of a material; what it names is known as refused where that fails."""
        tag = cursor.statement.tag
        name = cursor.name()
        try:
            if tag != ":MATE_MEE" and (name in self._mixtures or name in self._ready) and tag.startswith(":M"):
                raise refuse("A material is defined twice", given=repr(name), where=cursor.where)
            if tag in MIXTURES:
                self._mixtures[name] = self._mixture(name, cursor)
            else:
                {":ISOT": self._isotope, ":ELEM": self._element, ":ELEM_FROM_ISOT": self._from_isotopes,
                 ":MATE": self._simple, ":MATE_MEE": self._excitation}[tag](name, cursor)  # fmt: skip
            cursor.end()
        except InputError:
            self._refused.add(name)
            raise

    def _isotope(self, name: str, cursor: Cursor) -> None:
        Z = cursor.whole("an atomic number", HEAVIEST_Z)
        cursor.whole("a mass number", 300)
        self._isotopes[name] = (Z, self._mass(cursor))

    def _mass(self, cursor: Cursor) -> float:
        word = cursor.word("a molar mass")
        mass = cursor.parameters.molar_mass_g(word)
        if not mass > 0:
            raise refuse("A molar mass must be positive", given=word.text, where=word.where)
        return mass

    def _natural(self, name: str, Z: int, mass: float, where: str) -> None:
        natural = natural_mass_g(Z)
        if abs(mass / natural - 1.0) > ISOTOPE_TOLERANCE:
            raise refuse(f"The molar mass of {name!r} is not that of the natural element; single isotopes are not known"
                         " here", given=f"{mass:g}", allowed=f"{natural:g} g/mole within 1 %", where=where)  # fmt: skip

    def _element(self, name: str, cursor: Cursor) -> None:
        cursor.name("a symbol")
        Z = cursor.whole("an atomic number", HEAVIEST_Z)
        mass = self._mass(cursor)
        self._natural(name, Z, mass, cursor.where)
        self._elements[name] = (Z, mass)

    def _from_isotopes(self, name: str, cursor: Cursor) -> None:
        cursor.name("a symbol")
        count = cursor.whole("the number of isotopes", MOST_COMPONENTS)
        parts = [(cursor.name("an isotope"), cursor.number("its share")) for _ in range(count)]
        unknown = [isotope for isotope, _ in parts if isotope not in self._isotopes]
        if unknown:
            raise refuse(f"Unknown isotope.{nearest(unknown[0], self._isotopes)}", given=repr(unknown[0]),
                         allowed=":ISOT before it", where=cursor.where)  # fmt: skip
        total = sum(share for _, share in parts)
        if min(share for _, share in parts) < 0 or abs(total - 1) > SUM_TOLERANCE:
            raise refuse(f"The shares of isotopes of {name!r} do not add up to one", given=f"{total:g}",
                         where=cursor.where)  # fmt: skip
        numbers = {self._isotopes[isotope][0] for isotope, _ in parts}
        if len(numbers) != 1:
            raise refuse(f"The element {name!r} has isotopes of several elements", given=sorted(numbers),
                         where=cursor.where)  # fmt: skip
        Z, mass = numbers.pop(), sum(share * self._isotopes[isotope][1] for isotope, share in parts)
        self._natural(name, Z, mass, cursor.where)
        self._elements[name] = (Z, mass)

    def _density(self, name: str, cursor: Cursor) -> float:
        word = cursor.word("a density")
        density = cursor.parameters.density_g_cm3(word)
        if not density > 0:
            raise refuse(f"The density of {name!r} must be positive", given=f"{word.text} = {density:g} g/cm3",
                         where=word.where)  # fmt: skip
        return density

    def _simple(self, name: str, cursor: Cursor) -> None:
        Z = cursor.whole("an atomic number", HEAVIEST_Z)
        mass = self._mass(cursor)
        self._natural(name, Z, mass, cursor.where)
        self._ready[name] = Material(name, self._density(name, cursor), {Z: 1.0})

    def _excitation(self, name: str, cursor: Cursor) -> None:
        word = cursor.word("a mean excitation energy")
        energy = cursor.parameters.energy_eV(word)
        if not energy > 0:
            raise refuse("A mean excitation energy must be positive", given=word.text, where=word.where)
        self._excitation_eV[name] = (energy, cursor.where)

    def _mixture(self, name: str, cursor: Cursor) -> Mixture:
        density = self._density(name, cursor)
        count = cursor.whole("the number of components", MOST_COMPONENTS)
        components = []
        for _ in range(count):
            word = cursor.word(f"the name of a component of {name!r}, of {count}")
            share = cursor.number(f"the share of {word.text!r}")
            if share < 0:
                raise refuse(f"The share of a component of {name!r} is negative", given=f"{word.text} {share:g}",
                             where=word.where)  # fmt: skip
            components.append(Component(cursor.parameters.text(word), share, word.where))
        kind = cursor.statement.tag
        total = sum(component.share for component in components)
        if kind != ":MIXT_BY_NATOMS" and abs(total - 1) > SUM_TOLERANCE:
            raise refuse(f"The fractions of {name!r} do not add up to one", given=f"{total:g}",
                         allowed=f"1 within {SUM_TOLERANCE:g}", where=cursor.where)  # fmt: skip
        return Mixture(name, kind, density, tuple(components), cursor.where)

    def finish(self, problems: list[str]) -> None:
        """Make the mixtures, those first that others are made of."""
        waiting = dict(self._mixtures)
        while waiting:
            able = [one for one in waiting.values() if not {c.name for c in one.components} & set(waiting)]
            if not able:
                wheres = "; ".join(one.where for one in waiting.values())
                problems.append(str(refuse("These materials are made of each other", given=", ".join(waiting),
                                           where=wheres)))  # fmt: skip
                self._refused |= set(waiting)
                break
            for one in able:
                del waiting[one.name]
                material = tried(partial(self._mixed, one), problems)
                if material is None:
                    self._refused.add(one.name)
                else:
                    self._ready[one.name] = material
        for name, (energy, where) in self._excitation_eV.items():
            material = tried(partial(self._own, name, where), problems)
            if material is not None:
                self._ready[name] = replace(material, mean_excitation_eV=energy)

    def _own(self, name: str, where: str) -> Material:
        if name in self._refused:
            raise InputError
        if name not in self._ready:
            raise refuse(f"The text defines no material of this name.{nearest(name, self._ready)}", given=repr(name),
                         allowed=", ".join(self._ready), where=where)  # fmt: skip
        return self._ready[name]

    def _mixed(self, one: Mixture) -> Material:
        fractions: Fractions = {}
        problems: list[str] = []
        refused = False
        for component in one.components:
            found = tried(partial(self._part, component, one.kind), problems)
            refused = refused or found is None
            for Z, mass in (found or {}).items():
                fractions[Z] = fractions.get(Z, 0.0) + mass
        if refused:
            raise InputError(*problems)
        if not sum(fractions.values()) > 0:
            raise refuse(f"The mixture {one.name!r} is made of nothing", where=one.where)
        return Material(one.name, one.density_g_cm3, fractions)

    def _part(self, component: Component, kind: str) -> Fractions:
        """Return the masses by element that a component brings into a mixture."""
        name, share = component.name, component.share
        if kind == ":MIXT_BY_NATOMS":
            Z, mass = self._atom(component)
            if share != round(share):
                raise refuse("Expected a whole number of atoms", given=f"{name} {share:g}", where=component.where)
            return {Z: share * mass}
        if kind != ":MIXT_BY_VOLUME" and name in self._elements:
            return {self._elements[name][0]: share}
        if kind != ":MIXT_BY_VOLUME" and name in atomic_numbers() and name not in self._ready:
            return {atomic_numbers()[name]: share}
        material = self.find(name, component.where)
        weight = share * material.density_g_cm3 if kind == ":MIXT_BY_VOLUME" else share
        return {Z: weight * within for Z, within in material.mass_fractions.items()}

    def _atom(self, component: Component) -> tuple[int, float]:
        name = component.name
        if name in self._elements:
            return self._elements[name]
        if name in self._refused:
            raise InputError
        if name in atomic_numbers():
            Z = atomic_numbers()[name]
            return Z, natural_mass_g(Z)
        hint = nearest(name, [*self._elements, *atomic_numbers()])
        raise refuse(f"A mixture by numbers of atoms is made of elements.{hint}", given=repr(name),
                     allowed="an element of :ELEM, or a symbol such as O", where=component.where)  # fmt: skip

    def find(self, name: str, where: str) -> Material:
        """Return a material by its name, once `finish` is done; a name that was refused before is not told again."""
        if name in self._ready:
            return self._ready[name]
        if name in self._refused:
            raise InputError
        try:
            return self._named(name)
        except InputError as error:
            hint = nearest(name, self._ready)
            raise InputError(*(f"{problem}{hint} Where: {where}." for problem in error.problems)) from error
