"""Delivery directives of a FRED input as values: names of regions and groups resolved, every mistake told.

Directives are a sequence: a group is known from its line on. Source: FRED manual, delivery manager; what it leaves
open is settled in docs/reference/fred_language.md.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.units import MM_PER_CM
from dosewright.delivery.directives import (
    ROOM,
    SELF,
    SLOTS,
    Activate,
    Deliver,
    Order,
    Place,
    Restore,
    RunScripts,
    Save,
    ScriptCall,
    SetParent,
    Shift,
    Transform,
    Triple,
    Turn,
)
from dosewright.formats.text.fred.checks import RESERVED
from dosewright.formats.text.fred.directives import Directive
from dosewright.formats.text.fred.fred_input import FredInput
from dosewright.formats.text.fred.taking import FARTHEST, as_number, as_vector, as_whole

ACTIONS = ("shift_by", "move_to", "rotate")
FRAMES = {"global": ROOM, "room": ROOM, "local": SELF, "self": SELF}
AXES: dict[str, Triple] = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
INTERPRETERS = (".sh", ".py")


def parse_delivery(of: FredInput, problems: list[str]) -> tuple[Order, ...]:
    """Return the directives of an input in their order; what is wrong is added to `problems`."""
    return tuple(_Parser(of, problems).orders())


class _Parser:
    """Directives while they are read: the names known so far."""

    def __init__(self, of: FredInput, problems: list[str]) -> None:
        self.of, self.problems = of, problems
        boxes = [*(one.box for one in of.regions), *(one.box for one in of.fields)]
        self.names = {box.name.casefold(): box.name for box in boxes}
        self.fields = {one.box.name: one.id for one in of.fields}
        self.beams: dict[str, list[str]] = {one.id: [] for one in of.fields}
        for beam in of.beams:
            self.beams.get(beam.field, []).append(beam.id)
        self.groups: dict[str, tuple[str, ...]] = {}
        self.search: tuple[str, ...] = ()

    def orders(self) -> Iterator[Order]:
        """Yield all directives; where none delivers, everything is delivered at the end."""
        readers: dict[str, Callable[[Directive], Order | None]] = {
            "transform": self.transform,
            "group": self.group,
            "set_parent": self.set_parent,
            "activate": lambda one: Activate(self.regions(one.words, one), True, one.where),
            "deactivate": lambda one: Activate(self.regions(one.words, one), False, one.where),
            "save_regions": lambda one: Save(_slot(one), one.where),
            "restore": lambda one: Restore(_slot(one), one.where),
            "deliver": self.deliver,
            "run_script": self.scripts,
            "postdelivery_script": self.scripts,
            "add_searchpath": self.search_path,
        }
        delivers = False
        for directive in self.of.delivery:
            delivers = delivers or directive.name == "deliver"
            if directive.settings:
                key = directive.settings[0].key
                self.problem(f"{directive.name}: has no keys", directive, given=key)
            order = tried(lambda one=directive: readers[one.name](one), self.problems)  # type: ignore[misc]
            if order is not None:
                yield order
        if not delivers:
            everything = Directive("deliver", ("all",), (), "the end of the input")
            order = tried(lambda: self.deliver(everything), self.problems)
            if order is not None:
                yield order

    def problem(self, what: str, at: Directive, given: object = None, allowed: object = None) -> None:
        """Add a problem of a directive."""
        self.problems += refuse(what, given=given, allowed=allowed, where=at.where).problems

    def region(self, word: str, at: Directive, *, groups: bool = True) -> tuple[str, ...]:
        """Return the regions that a word means; none, with a problem, where it means nothing."""
        folded = word.casefold()
        if folded in self.names:
            return (self.names[folded],)
        if groups and folded in self.groups:
            return self.groups[folded]
        if folded in self.groups:
            self.problem(f"{at.name}: a group has no frame of its own", at, given=word, allowed="a region")
        elif folded == ROOM:
            self.problem(f"{at.name}: the room stays as it is", at, given=word, allowed="regions, fields, groups")
        elif self.of.complete:
            known = [*self.names.values(), *self.groups]
            self.problem(f"{at.name}: unknown region.{nearest(word, known)}", at, given=word[:60],
                         allowed=", ".join(known[:20]))  # fmt: skip
        return ()

    def regions(self, words: Sequence[str], at: Directive, *, every: bool = True) -> tuple[str, ...]:
        """Return the regions of a list, each once; ``all`` means every one."""
        if not words:
            raise refuse(f"{at.name}: no region is named", allowed="regions, fields, groups", where=at.where)
        if every and [word.casefold() for word in words] == ["all"]:
            return tuple(self.names.values())
        return tuple(dict.fromkeys(name for word in words for name in self.region(word, at)))

    def group(self, at: Directive) -> None:
        """Make a group known."""
        name, *members = at.words or ("",)
        folded = name.casefold()
        if not folded or folded in self.names or folded in self.groups or folded in (*RESERVED, *ACTIONS):
            raise refuse("A group needs a name of its own", given=name or "none", where=at.where,
                         allowed="one that is no region, no field, no other group")  # fmt: skip
        found = self.regions(members, at, every=False)
        self.groups[folded] = found

    def set_parent(self, at: Directive) -> Order:
        """Read ``set_parent: mother daughters``."""
        mother, *daughters = at.words or ("",)
        found = self.regions(daughters, at, every=False)
        if mother.casefold() == ROOM:
            return SetParent(ROOM, found, at.where)
        (one,) = self.region(mother, at, groups=False) or ("",)
        if not one:
            raise InputError
        return SetParent(one, found, at.where)

    def transform(self, at: Directive) -> Order:
        """Read ``transform: regions action parameters [frame]``."""
        action = next((n for n, word in enumerate(at.words) if word in ACTIONS), None)
        if action is None:
            odd = next((word for word in at.words if word.casefold() not in {*self.names, *self.groups}), "none")
            raise refuse(f"transform: unknown action.{nearest(odd, ACTIONS)}", given=odd[:60],
                         allowed=", ".join(ACTIONS), where=at.where)  # fmt: skip
        regions = self.regions(at.words[:action], at, every=False)
        motion, rest = _motion(at.words[action], at.words[action + 1 :], at.where)
        if len(rest) > 1:
            raise refuse("transform: too many words", given=" ".join(rest)[:60], allowed="one frame of reference",
                         where=at.where)  # fmt: skip
        frame = ROOM
        if rest:
            frame = FRAMES.get(rest[0].casefold()) or "".join(self.region(rest[0], at, groups=False))
            if not frame:
                raise InputError
        return Transform(regions, motion, frame, at.where)

    def deliver(self, at: Directive) -> Order:
        """Read ``deliver:`` all, fields, or pencil beams of one field."""
        if at.words and at.words[0].casefold() == "pb":
            return Deliver((self.pencil_beams(at),), at.where)
        if not at.words:
            raise refuse("deliver: nothing is named", allowed="all, fields, pb n FIELD, pb a:b FIELD", where=at.where)
        if [word.casefold() for word in at.words] == ["all"]:
            names: tuple[str, ...] = tuple(self.fields)
        else:
            names = self.regions(at.words, at, every=False)
            named = (
                [name for word in at.words for name in self.region(word, Directive("", (), (), ""))] if names else []
            )
            if len(named) > len(set(named)):
                self.problem("deliver: a field is named twice", at, given=" ".join(at.words)[:60])
        for name in names:
            if name not in self.fields:
                self.problem("deliver: this is no field", at, given=name, allowed=", ".join(self.fields))
            elif not self.beams[self.fields[name]] and self.of.complete:
                self.problem("deliver: the field has no pencil beams", at, given=name)
        return Deliver(tuple((name, tuple(self.beams[self.fields[name]])) for name in names if name in self.fields),
                       at.where)  # fmt: skip

    def pencil_beams(self, at: Directive) -> tuple[str, tuple[str, ...]]:
        """Read ``pb n field`` or ``pb first:last field``; both ends are delivered."""
        if len(at.words) != 3:
            raise refuse("deliver: pb needs a number and a field", given=" ".join(at.words)[:60],
                         allowed="deliver: pb n FIELD, deliver: pb a:b FIELD", where=at.where)  # fmt: skip
        _, numbers, word = at.words
        name = self.names.get(f"field_{word}".casefold()) or self.names.get(word.casefold(), "")
        if name not in self.fields:
            raise refuse(f"deliver: unknown field.{nearest(word, self.beams)}", given=word[:60],
                         allowed=", ".join(list(self.beams)[:20]), where=at.where)  # fmt: skip
        known = self.beams[self.fields[name]]
        first, colon, last = numbers.partition(":")
        if not colon:
            chosen, missing = [first] if first in known else [], [] if first in known else [first]
        else:
            a, b = as_whole(first, at.where), as_whole(last, at.where)
            if b < a:
                raise refuse("deliver: the range of pencil beams is not in order", given=numbers, where=at.where)
            there = {int(one): one for one in known if one.isdecimal() and a <= int(one) <= b}
            chosen = [there[n] for n in sorted(there)]
            missing = [str(n) for n in islice((n for n in range(a, b + 1) if n not in there), 5)]
        if missing and self.of.complete:
            raise refuse(f"deliver: field {word} has no such pencil beams", given=", ".join(missing),
                         allowed=f"{len(known)} pencil beams, {_ends(known)}", where=at.where)  # fmt: skip
        return name, tuple(chosen)

    def scripts(self, at: Directive) -> Order:
        """Read ``run_script:`` and ``postdelivery_script:``."""
        if not at.words:
            raise refuse(f"{at.name}: no script is named", where=at.where)
        for word in at.words:
            if not word.endswith(INTERPRETERS):
                self.problem(f"{at.name}: no interpreter is known for this script", at, given=word[:200],
                             allowed="NAME.sh, NAME.py")  # fmt: skip
        calls = tuple(ScriptCall(word, self.search, at.where) for word in at.words)
        return RunScripts(calls, at.name == "postdelivery_script", at.where)

    def search_path(self, at: Directive) -> None:
        """Put folders before those where scripts are looked for."""
        if not at.words:
            raise refuse("add_searchpath: no folder is named", where=at.where)
        self.search = (*at.words, *self.search)


def _slot(at: Directive) -> int:
    if len(at.words) != 1:
        raise refuse(f"{at.name}: expected one slot", given=" ".join(at.words)[:60], allowed=f"0 to {SLOTS - 1}",
                     where=at.where)  # fmt: skip
    return as_whole(at.words[0], at.where, most=SLOTS - 1)


def _ends(known: Sequence[str]) -> str:
    return f"{known[0]} to {known[-1]}" if known else "none"


def _motion(action: str, words: Sequence[str], where: str) -> tuple[Shift | Place | Turn, Sequence[str]]:
    """Return a motion, and the words behind it."""
    if action == "rotate" and words and words[0].casefold() in AXES:
        axis, rest = AXES[words[0].casefold()], words[1:]
    else:
        axis, rest = _three(words, where)
    if action != "rotate":
        x, y, z = (MM_PER_CM * one for one in axis)
        return (Shift((x, y, z)) if action == "shift_by" else Place((x, y, z))), rest
    if not rest:
        raise refuse("transform: the angle is missing", allowed="rotate AXIS DEGREES [FRAME]", where=where)
    length = float(np.linalg.norm(axis))
    if not length > 0:
        raise refuse("transform: the axis has no length", given="[0, 0, 0]", where=where)
    degrees = as_number(rest[0], where, least=-1e6, most=1e6)
    x, y, z = (one / length for one in axis)
    return Turn((x, y, z), degrees), rest[1:]


def _three(words: Sequence[str], where: str) -> tuple[Triple, Sequence[str]]:
    """Return three numbers, in brackets or not, and the words behind them."""
    if words and words[0].startswith(("[", "(")):
        x, y, z = as_vector(words[0], where)
        return (x, y, z), words[1:]
    if len(words) < 3:
        raise refuse("transform: three numbers are missing", given=" ".join(words)[:60], allowed="x y z, or [x,y,z]",
                     where=where)  # fmt: skip
    x, y, z = (as_number(word, where, least=-FARTHEST, most=FARTHEST) for word in words[:3])
    return (x, y, z), words[3:]
