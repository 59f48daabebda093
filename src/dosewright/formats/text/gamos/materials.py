"""Materials of geometry text: elements, simple materials and mixtures, in any order; others by their name.

Names are looked for among the materials of the text first, then in the library (``G4_...``); components of a mixture
by weight may be elements as well. Mass fractions must add up to one, as Geant4 wants it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.formats.text.gamos.cursor import Cursor
from dosewright.formats.text.gamos.elements import Elements, check_natural, read_mass_g
from dosewright.formats.text.scene.material_tables import HEAVIEST_Z, SUM_TOLERANCE, atomic_numbers, hinted
from dosewright.formats.text.scene.tables import placed

Named = Callable[[str], Material]
Fractions = dict[int, float]

MOST_COMPONENTS = 500
MIXTURES = (":MIXT", ":MIXT_BY_WEIGHT", ":MIXT_BY_NATOMS", ":MIXT_BY_VOLUME")
TAGS = (":ISOT", ":ELEM", ":ELEM_FROM_ISOT", ":MATE", ":MATE_MEE", *MIXTURES)


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
        self._elements = Elements()
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
                {":ISOT": self._elements.isotope, ":ELEM": self._elements.element,
                 ":ELEM_FROM_ISOT": self._elements.from_isotopes, ":MATE": self._simple,
                 ":MATE_MEE": self._excitation}[tag](name, cursor)  # fmt: skip
            cursor.end()
        except InputError:
            self._refused.add(name)
            raise

    def _simple(self, name: str, cursor: Cursor) -> None:
        Z = cursor.whole("an atomic number", HEAVIEST_Z)
        mass = read_mass_g(cursor)
        check_natural(name, Z, mass, cursor.where)
        self._ready[name] = Material(name, _density(name, cursor), {Z: 1.0})

    def _excitation(self, name: str, cursor: Cursor) -> None:
        word = cursor.word("a mean excitation energy")
        energy = cursor.parameters.energy_eV(word)
        if not energy > 0:
            raise refuse("A mean excitation energy must be positive", given=word.text, where=word.where)
        self._excitation_eV[name] = (energy, cursor.where)

    def _mixture(self, name: str, cursor: Cursor) -> Mixture:
        density = _density(name, cursor)
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
            if name in self._refused:
                raise InputError
            Z, mass = self._elements.atom(name, component.where)
            if share != round(share):
                raise refuse("Expected a whole number of atoms", given=f"{name} {share:g}", where=component.where)
            return {Z: share * mass}
        if kind != ":MIXT_BY_VOLUME" and name in self._elements.known:
            return {self._elements.known[name][0]: share}
        if kind != ":MIXT_BY_VOLUME" and name in atomic_numbers() and name not in self._ready:
            return {atomic_numbers()[name]: share}
        material = self.find(name, component.where)
        weight = share * material.density_g_cm3 if kind == ":MIXT_BY_VOLUME" else share
        return {Z: weight * within for Z, within in material.mass_fractions.items()}

    def find(self, name: str, where: str) -> Material:
        """Return a material by its name, once `finish` is done; a name that was refused before is not told again."""
        if name in self._ready:
            return self._ready[name]
        if name in self._refused:
            raise InputError
        return placed(lambda: hinted(self._named, name, self._ready), where)


def _density(name: str, cursor: Cursor) -> float:
    word = cursor.word("a density")
    density = cursor.parameters.density_g_cm3(word)
    if not density > 0:
        raise refuse(f"The density of {name!r} must be positive", given=f"{word.text} = {density:g} g/cm3",
                     where=word.where)  # fmt: skip
    return density
