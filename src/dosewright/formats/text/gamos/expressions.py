"""Arithmetic of geometry text: numbers, units, parameters and functions, by a parser of its own; never as code.

A bare number is taken in the default unit of its place (mm, degrees, g/cm3, g/mole), as in Geant4; a number times a
unit in that unit. What GAMOS would take in a way its author hardly meant is refused: a length where an angle belongs,
or an angle given with a unit in a parameter and used without one, whose radians GAMOS takes for degrees.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.gamos.lexer import Word
from dosewright.formats.text.gamos.units import (
    ANGLE,
    DENSITY,
    ENERGY,
    LENGTH,
    MOLAR_MASS,
    PLAIN,
    UNITS,
    Measure,
)

TOKEN = re.compile(r"\s*((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|\$[\w.]+|[A-Za-z_]\w*|\*\*|[-+*/^(),])")
LONGEST, DEEPEST = 5000, 40
TRIGONOMETRIC = {"sin": math.sin, "cos": math.cos, "tan": math.tan}
OF_NUMBERS: dict[str, Callable[[float], float]] = {
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "asinh": math.asinh,
    "acosh": math.acosh,
    "atanh": math.atanh,
    "exp": math.exp,
    "log": math.log,
    "log10": math.log10,
}
OF_TWO = ("atan2", "pow")
FUNCTIONS = (*TRIGONOMETRIC, *OF_NUMBERS, *OF_TWO, "sqrt")


class Quantity(NamedTuple):
    """A value in mm, rad, g, mole, MeV, and what it measures; a bare number measures nothing yet."""

    value: float
    measure: Measure = PLAIN


@dataclass
class Parameters:
    """What ``:P`` (numbers) and ``:PS`` (texts) define."""

    numbers: dict[str, Quantity] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # those of them that could not be read

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
        quantity, _ = self.evaluated(word)
        if quantity.measure not in (PLAIN, LENGTH) and quantity.measure._replace(angle=0.0) != LENGTH:
            raise _unfit(word, quantity, "a length", "mm")
        return quantity.value

    def angle_deg(self, word: Word) -> float:
        """Return an angle."""
        quantity, units = self.evaluated(word)
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
        quantity, _ = self.evaluated(word)
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
        quantity, units = self.evaluated(word)
        if quantity.measure == measure and units:
            return quantity.value * factor
        if quantity.measure == PLAIN and not units:
            return quantity.value * default
        if quantity.measure == measure:
            what = f"A parameter with a unit is used without one: GAMOS multiplies it by {unit} once more"
            raise refuse(what, given=word.text, allowed=f"the parameter without its unit, {unit}", where=word.where)
        raise _unfit(word, quantity, what, unit)

    def evaluated(self, word: Word) -> tuple[Quantity, list[str]]:
        """Return a word as a quantity, and the units that stand in it."""
        if word.quoted or len(word.text) > LONGEST:
            raise refuse("Expected a number", given=repr(word.text[:60]), where=word.where)
        expression = _Expression(word, self)
        quantity = expression.all()
        if not math.isfinite(quantity.value):
            raise refuse("A number is not finite", given=word.text, where=word.where)
        return quantity, expression.units


def is_number(word: Word) -> bool:
    """Return whether a word looks like arithmetic rather than like a name."""
    return not word.quoted and bool(re.match(r"[-+(.]*[\d$]|[-+(]", word.text))


def _unfit(word: Word, quantity: Quantity, what: str, unit: str) -> Exception:
    bare = f"a bare number ({unit}) or one with such a unit" if unit else "a bare number"
    return refuse(f"Expected {what}", given=f"{word.text}, which measures {quantity.measure}", allowed=bare,
                  where=word.where)  # fmt: skip


class _Expression:
    """One word, read from left to right; sums of products of powers."""

    def __init__(self, word: Word, parameters: Parameters) -> None:
        self.word, self.parameters = word, parameters
        self.tokens = list(self._tokens())
        self.at = 0
        self.depth = 0
        self.units: list[str] = []

    def _tokens(self) -> Iterator[str]:
        text, at = self.word.text, 0
        while at < len(text):
            match = TOKEN.match(text, at)
            if not match:
                raise self._refused("A character does not belong into a number", given=repr(text[at]))
            yield match.group(1)
            at = match.end()

    def _refused(self, what: str, given: str = "", allowed: str | None = None) -> Exception:
        shown = f"{given} in {self.word.text!r}" if given else repr(self.word.text)
        return refuse(what, given=shown[:200], allowed=allowed, where=self.word.where)

    def _peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self.at += 1
        return token

    def all(self) -> Quantity:
        """Return the value of the whole word."""
        quantity = self._sum()
        if self._peek():
            raise self._refused("An expression goes on where it should end", given=repr(self._peek()))
        return quantity

    def _sum(self) -> Quantity:
        left = self._product()
        while self._peek() in ("+", "-"):
            sign = 1.0 if self._next() == "+" else -1.0
            right = self._product()
            left = Quantity(left.value + sign * right.value, self._of_sum(left, right))
        return left

    def _of_sum(self, left: Quantity, right: Quantity) -> Measure:
        """Return what a sum measures; bare numbers beside lengths are mm, beside anything else ambiguous."""
        a, b = left.measure, right.measure
        if a == b:
            return a
        if PLAIN in (a, b) and (LENGTH in (a, b) or 0.0 in (left.value if a == PLAIN else right.value,)):
            return a if b == PLAIN else b
        raise self._refused(f"{a} and {b} cannot be added")

    def _product(self) -> Quantity:
        left = self._signed()
        while self._peek() in ("*", "/"):
            operator = self._next()
            right = self._signed()
            if operator == "*":
                left = Quantity(left.value * right.value, left.measure.and_of(right.measure))
            elif right.value == 0:
                raise self._refused("Division by zero")
            else:
                left = Quantity(left.value / right.value, left.measure.and_of(right.measure, -1.0))
        return left

    def _signed(self) -> Quantity:
        sign = 1.0
        while self._peek() in ("+", "-"):
            sign = -sign if self._next() == "-" else sign
        quantity = self._power()
        return Quantity(sign * quantity.value, quantity.measure)

    def _power(self) -> Quantity:
        base = self._atom()
        if self._peek() not in ("**", "^"):
            return base
        self._next()
        self._deeper()
        exponent = self._signed()
        self.depth -= 1
        return self._raised(base, exponent)

    def _raised(self, base: Quantity, exponent: Quantity) -> Quantity:
        if exponent.measure != PLAIN:
            raise self._refused("An exponent must be a bare number")
        value = self._calculated(math.pow, base.value, exponent.value)
        return Quantity(value, base.measure.times(exponent.value) if base.measure != PLAIN else PLAIN)

    def _calculated(self, function: Callable[..., float], *values: float) -> float:
        try:
            return function(*values)
        except (ValueError, OverflowError) as error:
            raise self._refused("A function has no value here", given=", ".join(f"{v:g}" for v in values)) from error

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._refused(f"Parentheses are nested more than {DEEPEST} deep")

    def _atom(self) -> Quantity:
        symbol = self._next()
        if symbol == "(":
            (quantity,) = self._arguments(1, "a parenthesis")
            return quantity
        if symbol[:1].isdigit() or symbol[:1] == ".":
            return Quantity(float(symbol))
        if symbol.startswith("$"):
            return self._parameter(symbol[1:])
        if symbol in FUNCTIONS:
            if self._next() != "(":
                raise self._refused("A function needs a parenthesis", given=symbol)
            return self._function(symbol)
        if symbol in UNITS:
            self.units.append(symbol)
            return Quantity(*UNITS[symbol])
        if symbol[:1].isalpha() or symbol[:1] == "_":
            hint = nearest(symbol, [*UNITS, *FUNCTIONS, *(f"${name}" for name in self.parameters.numbers)])
            raise self._refused(f"Neither a unit nor a function.{hint}", given=repr(symbol),
                                allowed="number*unit, $PARAMETER, function(...)")  # fmt: skip
        raise self._refused("A number is missing", given=repr(symbol) if symbol else "the end")

    def _arguments(self, count: int, what: str) -> list[Quantity]:
        """Return what stands in parentheses, of which the first is read already."""
        self._deeper()
        found = [self._sum()]
        while self._peek() == ",":
            self._next()
            found.append(self._sum())
        if self._next() != ")":
            raise self._refused("A parenthesis is not closed")
        self.depth -= 1
        if len(found) != count:
            raise self._refused(f"{what} has another number of values", given=str(len(found)), allowed=str(count))
        return found

    def _parameter(self, name: str) -> Quantity:
        numbers = self.parameters.numbers
        if name in numbers:
            return numbers[name]
        if name in self.parameters.refused:
            raise InputError
        if name in self.parameters.texts:
            raise self._refused("The parameter is a text (:PS)", given=f"${name}", allowed="a number (:P)")
        raise self._refused(f"Unknown parameter.{nearest(name, numbers)}", given=f"${name}",
                            allowed=":P NAME VALUE before it")  # fmt: skip

    def _function(self, name: str) -> Quantity:
        if name in OF_TWO:
            first, second = self._arguments(2, name)
            if name == "pow":
                return self._raised(first, second)
            if first.measure != second.measure:
                raise self._refused("atan2 needs two numbers of one kind")
            return Quantity(math.atan2(first.value, second.value))
        (one,) = self._arguments(1, name)
        if name == "sqrt":
            return Quantity(self._calculated(math.sqrt, one.value), one.measure.times(0.5))
        if name in TRIGONOMETRIC and one.measure in (PLAIN, ANGLE):
            return Quantity(self._calculated(TRIGONOMETRIC[name], one.value))
        if name in TRIGONOMETRIC or one.measure != PLAIN:
            raise self._refused(f"{name} takes no {one.measure}")
        return Quantity(self._calculated(OF_NUMBERS[name], one.value))
