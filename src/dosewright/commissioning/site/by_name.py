"""Things found by name: exact, whatever the case, by a part; what is unknown is answered with the nearest."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from dosewright.commissioning.site.library_files import on_disk
from dosewright.core.errors import InputError, nearest, refuse


def choose(name: str, known: Iterable[str], *, parts: bool = False) -> str | None:
    """Return the known name that is meant: exact, else whatever the case, else the only one that holds it."""
    names = list(known)
    if name in names:
        return name
    folded = [one for one in names if one.casefold() == name.casefold()]
    if not folded and parts and name.strip():
        folded = [one for one in names if name.casefold() in one.casefold()]
        if len(folded) > 1 and on_disk(name) is None:
            raise refuse("The name is a part of several", given=repr(name), allowed=", ".join(folded))
    return folded[0] if len(folded) == 1 else None


def unknown(kind: str, name: str, known: Iterable[str], habit: str) -> InputError:
    """Return the refusal of an unknown name, with the nearest known one."""
    names = list(known)
    return refuse(f"Unknown {kind}.{nearest(name, names)}", given=repr(name), allowed=", ".join(names) or "none",
                  where=habit)  # fmt: skip


@contextmanager
def named_in_refusals(what: str) -> Iterator[None]:
    """Put before each problem of a file what the file was to be."""
    try:
        yield
    except InputError as refused:
        raise InputError(*(f"{what}: {problem}" for problem in refused.problems)) from None
