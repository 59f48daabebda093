"""Elements of geometry text, and isotopes they are made of; only elements as they are found are known here."""

import xraylib

from dosewright.core.errors import nearest, refuse
from dosewright.formats.text.gamos.cursor import Cursor
from dosewright.formats.text.scene.material_tables import HEAVIEST_Z, SUM_TOLERANCE, atomic_numbers

ISOTOPE_TOLERANCE = 0.01  # rounded molar masses differ from the natural one by 0.3 % at most; single isotopes by more
MOST_ISOTOPES = 500
LIGHT_G = {1: 1.008, 6: 12.011, 7: 14.007, 8: 15.999}  # IUPAC, standard atomic weights 2021 (xraylib rounds them)


class Elements:
    """The elements of a text by their names: atomic number and molar mass, g/mole."""

    def __init__(self) -> None:
        self.isotopes: dict[str, tuple[int, float]] = {}
        self.known: dict[str, tuple[int, float]] = {}

    def isotope(self, name: str, cursor: Cursor) -> None:
        """Read an isotope."""
        Z = cursor.whole("an atomic number", HEAVIEST_Z)
        cursor.whole("a mass number", 300)
        self.isotopes[name] = (Z, read_mass_g(cursor))

    def element(self, name: str, cursor: Cursor) -> None:
        """Read an element."""
        cursor.name("a symbol")
        Z = cursor.whole("an atomic number", HEAVIEST_Z)
        mass = read_mass_g(cursor)
        check_natural(name, Z, mass, cursor.where)
        self.known[name] = (Z, mass)

    def from_isotopes(self, name: str, cursor: Cursor) -> None:
        """Read an element that is made of isotopes, as it is found."""
        cursor.name("a symbol")
        count = cursor.whole("the number of isotopes", MOST_ISOTOPES)
        parts = [(cursor.name("an isotope"), cursor.number("its share")) for _ in range(count)]
        unknown = [isotope for isotope, _ in parts if isotope not in self.isotopes]
        if unknown:
            raise refuse(f"Unknown isotope.{nearest(unknown[0], self.isotopes)}", given=repr(unknown[0]),
                         allowed=":ISOT before it", where=cursor.where)  # fmt: skip
        total = sum(share for _, share in parts)
        if min(share for _, share in parts) < 0 or abs(total - 1) > SUM_TOLERANCE:
            raise refuse(f"The shares of isotopes of {name!r} do not add up to one", given=f"{total:g}",
                         where=cursor.where)  # fmt: skip
        numbers = {self.isotopes[isotope][0] for isotope, _ in parts}
        if len(numbers) != 1:
            raise refuse(f"The element {name!r} has isotopes of several elements", given=sorted(numbers),
                         where=cursor.where)  # fmt: skip
        Z, mass = numbers.pop(), sum(share * self.isotopes[isotope][1] for isotope, share in parts)
        check_natural(name, Z, mass, cursor.where)
        self.known[name] = (Z, mass)

    def atom(self, name: str, where: str) -> tuple[int, float]:
        """Return atomic number and molar mass of an element by its name in the text, or by its symbol."""
        if name in self.known:
            return self.known[name]
        if name in atomic_numbers():
            Z = atomic_numbers()[name]
            return Z, natural_mass_g(Z)
        hint = nearest(name, [*self.known, *atomic_numbers()])
        raise refuse(f"A mixture by numbers of atoms is made of elements.{hint}", given=repr(name),
                     allowed="an element of :ELEM, or a symbol such as O", where=where)  # fmt: skip


def natural_mass_g(Z: int) -> float:
    """Return the molar mass of an element as it is found."""
    return LIGHT_G.get(Z) or float(xraylib.AtomicWeight(Z))


def read_mass_g(cursor: Cursor) -> float:
    """Return the next word as a molar mass."""
    word = cursor.word("a molar mass")
    mass = cursor.parameters.molar_mass_g(word)
    if not mass > 0:
        raise refuse("A molar mass must be positive", given=word.text, where=word.where)
    return mass


def check_natural(name: str, Z: int, mass: float, where: str) -> None:
    """Refuse a molar mass that is not the natural one."""
    natural = natural_mass_g(Z)
    if abs(mass / natural - 1.0) > ISOTOPE_TOLERANCE:
        raise refuse(f"The molar mass of {name!r} is not that of the natural element; single isotopes are not known"
                     " here", given=f"{mass:g}", allowed=f"{natural:g} g/mole within 1 %", where=where)  # fmt: skip
