"""The settings of one directive, taken key by key as what they must be; what nobody takes is named."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dosewright.core.errors import nearest, refuse
from dosewright.core.looks import tried
from dosewright.formats.text.fred.directives import Setting, words

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?\Z")
LARGEST = 1e30  # no number of an input is larger; sums and squares of such stay finite
FARTHEST = 1e9  # of a component of a vector: no room is larger, in whatever unit
FLAGS = {"t": True, "true": True, "f": False, "false": False}
Chosen = TypeVar("Chosen")
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Unsupported:
    """What FRED knows and is not done here: its words, its place, and whether the dose would be another with it."""

    what: str
    where: str
    changes_dose: bool
    reason: str = ""

    @property
    def sentence(self) -> str:
        """It all in one sentence."""
        effect = "it may change the dose" if self.changes_dose else "it does not change the dose"
        return f"{self.where}: {self.what} is known to FRED and not done here; {self.reason or effect}."


def as_number(text: str, where: str, *, least: float = -LARGEST, most: float = LARGEST) -> float:
    """Return a number in float format between bounds."""
    value = float(text.lower().replace("d", "e")) if NUMBER.match(text.strip()) else math.nan
    if not least <= value <= most:
        allowed = "a number" if (least, most) == (-LARGEST, LARGEST) else f"a number from {least:g} to {most:g}"
        raise refuse("Expected a number", given=repr(text[:60]), allowed=allowed, where=where)
    return value


def as_whole(text: str, where: str, *, least: int = 0, most: int = 10**15) -> int:
    """Return a whole number; float format is taken, such as 1.23e4 for 12300."""
    value = as_number(text, where)
    if value != int(value) or not least <= value <= most:
        raise refuse("Expected a whole number", given=repr(text[:60]), allowed=f"{least} to {most:g}", where=where)
    return int(value)


def as_list(text: str, where: str) -> list[str]:
    """Return the words of ``[a, b]``, or of one word."""
    text = text.strip()
    inner = text[1:-1] if text[:1] in "[(" and text[-1:] in "])" and len(text) > 1 else text
    return words(inner, where)


def as_vector(text: str, where: str, count: int = 3) -> tuple[float, ...]:
    """Return so many numbers in brackets."""
    found = as_list(text, where)
    if len(found) != count or not text.strip().startswith(("[", "(")):
        raise refuse(f"Expected {count} numbers in brackets", given=repr(text[:60]), where=where)
    return tuple(as_number(word, where, least=-FARTHEST, most=FARTHEST) for word in found)


def as_flag(text: str, where: str) -> bool:
    """Return t or f, in any case, or the whole words."""
    if text.strip().casefold() not in FLAGS:
        raise refuse("Expected t or f", given=repr(text[:60]), allowed="t, true, f, false", where=where)
    return FLAGS[text.strip().casefold()]


def as_word(text: str, where: str) -> str:
    """Return one word, in quotes or without."""
    found = words(text, where)
    if len(found) != 1 or not found[0]:
        raise refuse("Expected one word", given=repr(text[:60]), where=where)
    return found[0]


@dataclass
class Taking:
    """Settings while they are taken; problems and what is not supported are collected.

    Parameters
    ----------
    what, where
        What the settings describe, such as ``region phantom``, and the place of the directive.
    settings
        In their order; a key that stands twice is a problem.
    problems, unsupported
        Shared with the rest of the input.
    """

    what: str
    where: str
    settings: Sequence[Setting]
    problems: list[str]
    unsupported: list[Unsupported]
    known: list[str] = field(default_factory=list)
    by_key: dict[str, Setting] = field(init=False)

    def __post_init__(self) -> None:
        self.by_key = {}
        for one in self.settings:
            if one.key in self.by_key:
                first = self.by_key[one.key].where
                self.problem(f"{self.what}: {one.key!r} stands twice", given=f"first in {first}", where=one.where)
            self.by_key[one.key] = one

    def problem(self, what: str, *, given: object = None, allowed: object = None, where: str = "") -> None:
        """Add a problem."""
        self.problems += refuse(what, given=given, allowed=allowed, where=where or self.where).problems

    def setting(self, *keys: str) -> Setting | None:
        """Take a setting that goes by one of several keys."""
        self.known.extend(keys)
        found = [self.by_key.pop(key) for key in keys if key in self.by_key]
        if len(found) > 1:
            both = ", ".join(one.key for one in found)
            self.problem(f"{self.what}: two keys mean the same", given=both, where=found[1].where)
        return found[0] if found else None

    def given(self, *keys: str) -> bool:
        """Return whether one of the keys is there, not yet taken."""
        return any(key in self.by_key for key in keys)

    def read(self, keys: Iterable[str], reader: Callable[[str, str], Chosen]) -> Chosen | None:
        """Return a setting as a reader makes it; None where it is absent or a problem."""
        one = self.setting(*keys)
        if one is None:
            return None
        problems: list[str] = []
        value = tried(lambda: reader(one.text, one.where), problems)
        self.problems += [f"{self.what}, {one.key}: {text}" for text in problems]
        return value

    def number(self, *keys: str, least: float = -LARGEST, most: float = LARGEST) -> float | None:
        """Return a number between bounds, or None."""
        return self.read(keys, lambda text, where: as_number(text, where, least=least, most=most))

    def whole(self, *keys: str, least: int = 0, most: int = 10**15) -> int | None:
        """Return a whole number between bounds, or None."""
        return self.read(keys, lambda text, where: as_whole(text, where, least=least, most=most))

    def flag(self, key: str, default: bool) -> bool:
        """Return t or f."""
        value = self.read([key], as_flag)
        return default if value is None else value

    def word(self, *keys: str) -> str | None:
        """Return one word, or None."""
        return self.read(keys, as_word)

    def list(self, key: str) -> tuple[str, ...]:
        """Return the words of a list; none where it is absent or ``None``."""
        found = self.read([key], as_list) or []
        return () if [word.casefold() for word in found] == ["none"] else tuple(found)

    def vector(self, key: str, default: Triple) -> Triple:
        """Return three numbers; single components may be given as ``key.x``, ``key.y``, ``key.z``."""
        whole = self.read([key], as_vector)
        x, y, z = whole or default
        single = [self.number(f"{key}.{axis}", least=-FARTHEST, most=FARTHEST) for axis in "xyz"]
        if whole is not None and any(one is not None for one in single):
            self.problem(f"{self.what}: {key} is given as a whole and by components")
        return tuple(new if new is not None else old for new, old in zip(single, (x, y, z), strict=True))  # type: ignore[return-value]

    def choice(self, key: str, words_for: Mapping[str, Chosen]) -> Chosen | None:
        """Return what a word stands for, in any case, or None."""

        def reader(text: str, where: str) -> Chosen:
            word = as_word(text, where)
            if word.casefold() not in words_for:
                raise refuse(f"Unknown word.{nearest(word, words_for)}", given=repr(word[:60]),
                             allowed=", ".join(words_for), where=where)  # fmt: skip
            return words_for[word.casefold()]

        return self.read([key], reader)

    def not_supported(self, keys: Mapping[str, bool]) -> None:
        """Name what is there of keys that FRED knows; the value tells whether it may change the dose."""
        for key, changes_dose in keys.items():
            one = self.setting(key)
            if one is not None:
                self.unsupported.append(Unsupported(f"{key} = {one.text[:60]}", one.where, changes_dose))

    def refuse_rest(self) -> None:
        """Add a problem for every setting that nobody has taken, with the nearest known key."""
        known = list(dict.fromkeys(self.known))
        for one in self.by_key.values():
            self.problem(f"{self.what}: unknown key.{nearest(one.key, known)}", given=one.key,
                         allowed=", ".join(known), where=one.where)  # fmt: skip
