"""Names and parents of a scene: each name once, each parent there, none its own ancestor, none turning twice."""

from collections.abc import Iterable, Mapping, Sequence

from dosewright.core.errors import nearest, refuse
from dosewright.core.scene import Module, Part


def tree_problems(parts: Sequence[Part], modules: Iterable[Module] = ()) -> list[str]:
    """Return what is wrong with names and parents, for parts and modules that know where they were read."""
    named: dict[str, str] = {}
    problems: list[str] = []
    things = [*parts, *modules]
    for one in things:
        if one.name in named:
            places = [where for where in (named[one.name], _where(one)) if where]
            problems.append(str(refuse("Two parts or modules have the same name", given=repr(one.name),
                                       where=" and ".join(places) or None)))  # fmt: skip
        named.setdefault(one.name, _where(one))
    names = [part.name for part in parts]
    parents = {part.name: part.parent for part in parts}
    for one in things:
        parent = getattr(one, "parent", None)
        if parent is not None and parent not in parents:
            problems.append(str(refuse(f"{one.name!r} lies in a part that is not there.{nearest(parent, names)}",
                                       given=repr(parent), allowed=", ".join(names) or "no parent: there are no parts",
                                       where=_where(one) or None)))  # fmt: skip
    return problems + _loops(parts, parents) + _turning(parts)


def ancestry(part: Part, by_name: Mapping[str, Part]) -> list[Part] | None:
    """Return a part and all that it lies in, outwards; None where a parent is missing or they go in a circle."""
    line = [part]
    while (name := line[-1].parent) is not None:
        if name not in by_name or by_name[name] in line:
            return None
        line.append(by_name[name])
    return line


def turns_twice(line: Sequence[Part]) -> bool:
    """Say whether more than one part of an ancestry turns."""
    return sum(part.turns for part in line) > 1


def _where(one: Part | Module) -> str:
    return str(getattr(one, "where", ""))


def _turning(parts: Sequence[Part]) -> list[str]:
    """Return one problem for each part that turns in one that turns."""
    by_name = {part.name: part for part in parts}
    problems: list[str] = []
    for part in parts:
        outside = [one.name for one in (ancestry(part, by_name) or [])[1:] if one.turns]
        if part.turns and outside:
            problems.append(str(refuse(f"The part {part.name!r} turns in {outside[0]!r}, which turns itself",
                                       where=_where(part) or None)))  # fmt: skip
    return problems


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
            problems.append(str(refuse("Parts lie in each other in a circle", where=part.where or None,
                                       given=" in ".join([*circle, circle[0]]))))  # fmt: skip
        safe.update(chain)
    return problems
