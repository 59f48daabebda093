"""What expressions of FRED input know: names, functions, and how much work is left to them."""

import ast
from dataclasses import dataclass, field
from typing import Any

from dosewright.core.errors import InputError, refuse

# bool, int, float, str, Vector, and lists, tuples, dictionaries and ranges of them
Value = Any

MOST_STEPS = 10_000_000  # about a minute; a plan of 100 000 pencil beams takes half of it
MOST_LINES = 1_500_000
MOST_ITEMS = 1_000_000
LONGEST_TEXT = 10_000
LARGEST_EXACT = 1 << 53  # beyond, whole numbers go on in floating point


class Vector(tuple[float, ...]):
    """Numbers that are calculated with element by element, as NumPy's arrays."""

    __slots__ = ()


class ExhaustedError(InputError):
    """Nothing more is evaluated: the input as a whole takes too long."""


@dataclass
class Budget:
    """The steps and lines that all of one input may still take."""

    steps: int = MOST_STEPS
    lines: int = MOST_LINES

    def step(self, count: int, where: str) -> None:
        """Take steps of evaluation."""
        self.steps -= count
        if self.steps < 0:
            raise ExhaustedError(*refuse("Loops and expressions take too many steps", where=where).problems)

    def line(self, where: str) -> None:
        """Take one line of the finished text."""
        self.step(1, where)
        self.lines -= 1
        if self.lines < 0:
            raise ExhaustedError(*refuse("Loops and includes make too many lines", where=where).problems)


@dataclass(frozen=True)
class Function:
    """What ``func: name(parameters) = body`` defines."""

    name: str
    parameters: tuple[str, ...]
    body: ast.expr


@dataclass
class Scope:
    """Names and functions that the lines before have defined."""

    names: dict[str, Value] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # names and functions whose lines could not be read
    budget: Budget = field(default_factory=Budget)


def shown(value: Value) -> str:
    """Return a value for a message: whole where it is short, else its kind."""
    if isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, str):
        return repr(value[:60])
    return f"a {'dictionary' if isinstance(value, dict) else 'list'} of {len(value)}"


def as_text(value: Value, where: str) -> str:
    """Return a value as it stands in FRED input; numbers keep all their digits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | str):
        return str(value)
    if isinstance(value, list | tuple | range) and all(isinstance(one, int | float | str) for one in value):
        return "[" + ",".join(as_text(one, where) for one in value) + "]"
    raise refuse("A value cannot stand in the text", given=shown(value), allowed="numbers, words, and lists of them",
                 where=where)  # fmt: skip
