"""One look after another, so that a user hears of every problem at once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from dosewright.core.errors import InputError

Seen = TypeVar("Seen")


def tried(look: Callable[[], Seen], problems: list[str]) -> Seen | None:
    """Return what a look finds, or None where it is refused; what was refused is added to `problems`."""
    try:
        return look()
    except InputError as refused:
        problems.extend(refused.problems)
        return None


@dataclass
class Looks:
    """What looks at the parts of one thing have said; a part that was refused is `unknown`, which is not absent."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)

    def at(self, part: str, look: Callable[[], Seen], *, needs: str = "") -> Seen | None:
        """Return what a look at a part finds, or None; no look where the part, or one it `needs`, is unknown."""
        if part in self.unknown or needs in self.unknown:
            self.unknown.add(part)
            return None
        before = len(self.problems)
        found = tried(look, self.problems)
        if len(self.problems) > before:
            self.unknown.add(part)
        return found
