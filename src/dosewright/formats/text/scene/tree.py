"""Names and parents of a scene: each name once, each parent there, none its own ancestor."""

from collections.abc import Iterable, Sequence

from dosewright.core.errors import nearest, refuse
from dosewright.core.scene import Module, Part


def tree_problems(parts: Sequence[Part], modules: Iterable[Module] = ()) -> list[str]:
    """Return what is wrong with names and parents, for parts and modules that know where they were read."""
    named: dict[str, str] = {}
    problems: list[str] = []
    things = [*parts, *modules]
    for one in things:
        if one.name in named:
            problems.append(str(refuse("Two parts or modules have the same name", given=repr(one.name),
                                       where=f"{named[one.name]} and {_where(one)}")))  # fmt: skip
        named.setdefault(one.name, _where(one))
    names = [part.name for part in parts]
    parents = {part.name: part.parent for part in parts}
    for one in things:
        parent = getattr(one, "parent", None)
        if parent is not None and parent not in parents:
            problems.append(str(refuse(f"{one.name!r} lies in a part that is not there.{nearest(parent, names)}",
                                       given=repr(parent), allowed=", ".join(names) or "no parent: there are no parts",
                                       where=_where(one))))  # fmt: skip
    return problems + _loops(parts, parents)


def _where(one: Part | Module) -> str:
    return str(getattr(one, "where", "")) or one.name


def _loops(parts: Sequence[Part], parents: dict[str, str | None]) -> list[str]:
    """Return one problem for each circle of parents."""
    problems: list[str] = []
    safe: set[str] = set()
    for part in parts:
        chain: list[str] = []
        at: str | None = part.name
        while at is not None and at in parents and at not in safe and at not in chain:
            chain.append(at)
            at = parents[at]
        if at in chain:
            circle = chain[chain.index(at) :]
            problems.append(str(refuse("Parts lie in each other in a circle", where=part.where or part.name,
                                       given=" in ".join([*circle, circle[0]]))))  # fmt: skip
        safe.update(chain)
    return problems
