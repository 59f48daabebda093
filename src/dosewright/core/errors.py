"""One family of errors; a message says what was given, what is allowed, and where."""

from collections.abc import Iterable
from difflib import get_close_matches


class DosewrightError(Exception):
    """Base of every error this package raises on purpose."""


class StoppedEarlyError(DosewrightError):
    """Stopped on request before there was anything to make a dose from; what is done is kept."""


class InputError(DosewrightError):
    """The input was refused; every problem found is listed.

    Parameters
    ----------
    problems
        One message per problem; none is shown to the user twice.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(self.problems))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'X'?"`` for the closest known word, or an empty string."""
    by_folded = {k.casefold(): k for k in known}
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return f" Did you mean {by_folded[found[0]]!r}?" if found else ""


def refuse(what: str, *, given: object = None, allowed: object = None, where: object = None) -> InputError:
    """Build an `InputError` from the four parts of a useful message."""
    parts = [what if what.endswith(("?", ".")) else what + "."]
    if given is not None:
        parts.append(f"Given: {given}.")
    if allowed is not None:
        parts.append(f"Allowed: {allowed}.")
    if where is not None:
        parts.append(f"Where: {where}.")
    return InputError(" ".join(parts))
