"""What modules of a beam line check alike: finite numbers, the direction of the beam; and how problems are raised."""

from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

from dosewright.core.errors import InputError, refuse


def raise_all(problems: Iterable[str], what: str, where: str) -> None:
    """Raise all problems of a thing together, if there are any."""
    found = [str(refuse(f"{what}: {problem}", where=where or None)) for problem in problems]
    if found:
        raise InputError(*found)


def number_problems(value: object) -> Iterator[str]:
    """Yield the fields of a dataclass whose numbers are not finite."""
    for name, content in vars(value).items():
        if not all(isfinite(number) for number in _numbers(content)):
            yield f"{name} must be finite, and is {content}"


def beam_problems(beam: int) -> Iterator[str]:
    """Yield what is wrong with a direction of flight along z."""
    if beam not in (-1, 1):
        yield f"the beam flies along z with -1 or +1, and {beam!r} is given"


def _numbers(content: Any) -> Iterator[float]:
    if isinstance(content, tuple | list):
        for one in content:
            yield from _numbers(one)
    elif isinstance(content, float | int):
        yield content
