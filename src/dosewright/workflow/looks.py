"""One look after another, so that a user hears of every problem at once."""

from collections.abc import Callable
from typing import TypeVar

from dosewright.core.errors import InputError

Found = TypeVar("Found")


def tried(look: Callable[[], Found], problems: list[str]) -> Found | None:
    """Return what a look finds, or None where it is refused; what was refused is added to `problems`."""
    try:
        return look()
    except InputError as refused:
        problems.extend(refused.problems)
        return None
