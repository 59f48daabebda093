"""Words of geometry text as what their place needs: lengths, angles, densities, counts, names.

A bare number is taken in the default unit of its place (mm, degrees, g/cm3, g/mole), as in Geant4; a number times a
unit in that unit. What GAMOS would take in a way its author hardly meant is refused: a length where an angle belongs,
or an angle given with a unit in a parameter and used without one, whose radians GAMOS takes for degrees.
"""

import math

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.formats.text.gamos.arithmetic import LONGEST, Definitions, Quantity, Stream, value_of
from dosewright.formats.text.gamos.lexer import Word
from dosewright.formats.text.gamos.units import ANGLE, DENSITY, ENERGY, LENGTH, MOLAR_MASS, PLAIN, Measure
from dosewright.formats.text.scene.tables import LARGEST


class Parameters(Definitions):
    """Parameters, and words read with them."""

    def text(self, word: Word) -> str:
        """Return a word as a name; ``$NAME`` as the text it stands for."""
        if word.quoted or not word.text.startswith("$"):
            return word.text
        name = word.text[1:]
        if name in self.texts:
            return self.texts[name]
        if name in self.refused:
            raise InputError
        hint = nearest(name, self.texts)
        raise refuse(f"Unknown text parameter.{hint}", given=repr(word.text), allowed=":PS NAME TEXT before it",
                     where=word.where)  # fmt: skip

    def length_mm(self, word: Word) -> float:
        """Return a length; any product with angles, which have no dimension, is one."""
        quantity, _ = self._measured(word)
        if quantity.measure not in (PLAIN, LENGTH) and quantity.measure._replace(angle=0.0) != LENGTH:
            raise _unfit(word, quantity, "a length", "mm")
        return quantity.value

    def angle_deg(self, word: Word) -> float:
        """Return an angle."""
        quantity, units = self._measured(word)
        if units and quantity.measure == ANGLE:
            return math.degrees(quantity.value)
        if units in (["rad"], ["radian"]) and quantity.measure == ANGLE.times(2.0):  # an angle, times the unit 1
            return math.degrees(quantity.value)
        if not units and quantity.measure in (PLAIN, ANGLE.times(-1.0)):  # an angle divided by deg
            return quantity.value
        if not units and quantity.measure == ANGLE:
            raise refuse("A parameter with a unit of angle is used without one: GAMOS takes its radians for degrees",
                         given=word.text, allowed=f"{word.text}*rad, or the parameter in degrees and without a unit",
                         where=word.where)  # fmt: skip
        raise _unfit(word, quantity, "an angle", "degrees")

    def density_g_cm3(self, word: Word) -> float:
        """Return a density."""
        return self._scaled(word, DENSITY, 1e3, "a density", "g/cm3")

    def molar_mass_g(self, word: Word) -> float:
        """Return a molar mass."""
        return self._scaled(word, MOLAR_MASS, 1.0, "a molar mass", "g/mole")

    def energy_eV(self, word: Word) -> float:
        """Return an energy; GAMOS takes a bare number in MeV."""
        return self._scaled(word, ENERGY, 1e6, "an energy", "MeV", default=1e6)

    def number(self, word: Word) -> float:
        """Return a bare number."""
        quantity, _ = self._measured(word)
        if quantity.measure != PLAIN:
            raise _unfit(word, quantity, "a number", "")
        return quantity.value

    def whole(self, word: Word, what: str, most: int = 10000) -> int:
        """Return a count from 1."""
        number = self.number(word)
        if number != round(number) or not 1 <= number <= most:
            raise refuse(f"Expected {what}, a whole number from 1 to {most}", given=word.text, where=word.where)
        return int(number)

    def _scaled(self, word: Word, measure: Measure, factor: float, what: str, unit: str, default: float = 1.0) -> float:
        quantity, units = self._measured(word)
        if quantity.measure == measure and units:
            return quantity.value * factor
        if quantity.measure == PLAIN and not units:
            return quantity.value * default
        if quantity.measure == measure:
            what = f"A parameter with a unit is used without one: GAMOS multiplies it by {unit} once more"
            raise refuse(what, given=word.text, allowed=f"the parameter without its unit, {unit}", where=word.where)
        raise _unfit(word, quantity, what, unit)

    def _measured(self, word: Word) -> tuple[Quantity, list[str]]:
        """Return a word that is used for something; parameters alone may be larger."""
        quantity, units = self.evaluated(word)
        if abs(quantity.value) > LARGEST:
            raise refuse("A number is too large", given=f"{word.text} = {quantity.value:g}", where=word.where,
                         allowed=f"at most {LARGEST:g} (mm, rad, g, mole, MeV)")  # fmt: skip
        return quantity, units

    def evaluated(self, word: Word) -> tuple[Quantity, list[str]]:
        """Return a word as a quantity, and the units that stand in it."""
        if word.quoted or len(word.text) > LONGEST:
            raise refuse("Expected a number", given=repr(word.text[:60]), where=word.where)
        expression = Stream(word, self)
        quantity = value_of(expression)
        if not math.isfinite(quantity.value):
            raise refuse("A number is not finite", given=word.text, where=word.where)
        return quantity, expression.units


def is_number(word: Word, parameters: Parameters) -> bool:
    """Return whether a word is arithmetic, right or wrong, rather than a name."""
    if word.quoted or word.text.removeprefix("$") in parameters.texts:
        return False
    return word.text[:1] in "$-+(" or tried(lambda: parameters.evaluated(word), []) is not None


def _unfit(word: Word, quantity: Quantity, what: str, unit: str) -> Exception:
    bare = f"a bare number ({unit}) or one with such a unit" if unit else "a bare number"
    return refuse(f"Expected {what}", given=f"{word.text}, which measures {quantity.measure}", allowed=bare,
                  where=word.where)  # fmt: skip
