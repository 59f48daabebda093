"""Arithmetic of geometry text, word by word: numbers, units, parameters and functions; never as code.

Values come out in mm, rad, g, mole and MeV with what they measure. A bare number beside a length is taken in mm, as in
Geant4; beside anything else it is ambiguous and refused.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.gamos.lexer import Word
from dosewright.formats.text.gamos.units import ANGLE, LENGTH, PLAIN, UNITS, Measure

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
class Definitions:
    """What ``:P`` (numbers) and ``:PS`` (texts) define."""

    numbers: dict[str, Quantity] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # those of them that could not be read


class Stream:
    """The symbols of one word, read from left to right; and the units met on the way."""

    def __init__(self, word: Word, parameters: Definitions) -> None:
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
                raise self.refused("A character does not belong into a number", given=repr(text[at]))
            yield match.group(1)
            at = match.end()

    def refused(self, what: str, given: str = "", allowed: str | None = None) -> Exception:
        """Return an error about the word."""
        shown = f"{given} in {self.word.text!r}" if given else repr(self.word.text)
        return refuse(what, given=shown[:200], allowed=allowed, where=self.word.where)

    def peek(self) -> str:
        """Return the next symbol; nothing at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        """Return the next symbol and go on."""
        token = self.peek()
        self.at += 1
        return token

    def deeper(self) -> None:
        """Count one parenthesis or power more inside another."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.refused(f"Parentheses are nested more than {DEEPEST} deep")


def value_of(stream: Stream) -> Quantity:
    """Return the value of the whole word."""
    quantity = _sum(stream)
    if stream.peek():
        raise stream.refused("An expression goes on where it should end", given=repr(stream.peek()))
    return quantity


def _sum(stream: Stream) -> Quantity:
    left = _product(stream)
    while stream.peek() in ("+", "-"):
        sign = 1.0 if stream.next() == "+" else -1.0
        right = _product(stream)
        left = Quantity(left.value + sign * right.value, _of_sum(stream, left, right))
    return left


def _of_sum(stream: Stream, left: Quantity, right: Quantity) -> Measure:
    """Return what a sum measures; bare numbers beside lengths are mm, beside anything else ambiguous."""
    a, b = left.measure, right.measure
    if a == b:
        return a
    bare = left if a == PLAIN else right
    if PLAIN in (a, b) and (LENGTH in (a, b) or bare.value == 0):
        return a if b == PLAIN else b
    raise stream.refused(f"{a} and {b} cannot be added")


def _product(stream: Stream) -> Quantity:
    left = _signed(stream)
    while stream.peek() in ("*", "/"):
        operator = stream.next()
        right = _signed(stream)
        if operator == "*":
            left = Quantity(left.value * right.value, left.measure.and_of(right.measure))
        elif right.value == 0:
            raise stream.refused("Division by zero")
        else:
            left = Quantity(left.value / right.value, left.measure.and_of(right.measure, -1.0))
    return left


def _signed(stream: Stream) -> Quantity:
    sign = 1.0
    while stream.peek() in ("+", "-"):
        sign = -sign if stream.next() == "-" else sign
    quantity = _power(stream)
    return Quantity(sign * quantity.value, quantity.measure)


def _power(stream: Stream) -> Quantity:
    base = _atom(stream)
    if stream.peek() not in ("**", "^"):
        return base
    stream.next()
    stream.deeper()
    exponent = _signed(stream)
    stream.depth -= 1
    return _raised(stream, base, exponent)


def _raised(stream: Stream, base: Quantity, exponent: Quantity) -> Quantity:
    if exponent.measure != PLAIN:
        raise stream.refused("An exponent must be a bare number")
    value = _calculated(stream, math.pow, base.value, exponent.value)
    return Quantity(value, base.measure.times(exponent.value) if base.measure != PLAIN else PLAIN)


def _calculated(stream: Stream, function: Callable[..., float], *values: float) -> float:
    try:
        return function(*values)
    except (ValueError, OverflowError) as error:
        raise stream.refused("A function has no value here", given=", ".join(f"{v:g}" for v in values)) from error


def _atom(stream: Stream) -> Quantity:
    symbol = stream.next()
    if symbol == "(":
        (quantity,) = _arguments(stream, 1, "a parenthesis")
        return quantity
    if symbol[:1].isdigit() or symbol[:1] == ".":
        return Quantity(float(symbol))
    if symbol.startswith("$"):
        return _parameter(stream, symbol[1:])
    if symbol in FUNCTIONS:
        if stream.next() != "(":
            raise stream.refused("A function needs a parenthesis", given=symbol)
        return _function(stream, symbol)
    if symbol in UNITS:
        stream.units.append(symbol)
        return Quantity(*UNITS[symbol])
    if symbol[:1].isalpha() or symbol[:1] == "_":
        hint = nearest(symbol, [*UNITS, *FUNCTIONS, *(f"${name}" for name in stream.parameters.numbers)])
        raise stream.refused(f"Neither a unit nor a function.{hint}", given=repr(symbol),
                            allowed="number*unit, $PARAMETER, function(...)")  # fmt: skip
    raise stream.refused("A number is missing", given=repr(symbol) if symbol else "the end")


def _arguments(stream: Stream, count: int, what: str) -> list[Quantity]:
    """Return what stands in parentheses, of which the first is read already."""
    stream.deeper()
    found = [_sum(stream)]
    while stream.peek() == ",":
        stream.next()
        found.append(_sum(stream))
    if stream.next() != ")":
        raise stream.refused("A parenthesis is not closed")
    stream.depth -= 1
    if len(found) != count:
        raise stream.refused(f"{what} has another number of values", given=str(len(found)), allowed=str(count))
    return found


def _parameter(stream: Stream, name: str) -> Quantity:
    numbers = stream.parameters.numbers
    if name in numbers:
        return numbers[name]
    if name in stream.parameters.refused:
        raise InputError
    if name in stream.parameters.texts:
        raise stream.refused("The parameter is a text (:PS)", given=f"${name}", allowed="a number (:P)")
    raise stream.refused(f"Unknown parameter.{nearest(name, numbers)}", given=f"${name}",
                        allowed=":P NAME VALUE before it")  # fmt: skip


def _function(stream: Stream, name: str) -> Quantity:
    if name in OF_TWO:
        first, second = _arguments(stream, 2, name)
        if name == "pow":
            return _raised(stream, first, second)
        if first.measure != second.measure:
            raise stream.refused("atan2 needs two numbers of one kind")
        return Quantity(math.atan2(first.value, second.value))
    (one,) = _arguments(stream, 1, name)
    if name == "sqrt":
        return Quantity(_calculated(stream, math.sqrt, one.value), one.measure.times(0.5))
    if name in TRIGONOMETRIC and one.measure in (PLAIN, ANGLE):
        return Quantity(_calculated(stream, TRIGONOMETRIC[name], one.value))
    if name in TRIGONOMETRIC or one.measure != PLAIN:
        raise stream.refused(f"{name} takes no {one.measure}")
    return Quantity(_calculated(stream, OF_NUMBERS[name], one.value))
