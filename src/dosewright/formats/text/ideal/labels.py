"""Configuration files of IDEAL: sections of labels and values, each with its line; what nobody takes is unknown.

``[section]``, ``label = value``, comments behind ``#`` or ``;``; a value goes on in lines that are indented deeper.
Labels and sections are compared without regard to case and runs of blanks; a unit stands in square brackets at the
end of its label and must be the expected one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.formats.text.lines import number, read_text

COMMENT = re.compile(r'^\s*[#;].*|\s#(?=(?:[^"]*"[^"]*")*[^"]*$).*')  # not between quotation marks
UNIT = re.compile(r"\s*\[[^\]]*\]\s*$")
SWITCHES = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}


def folded(words: str) -> str:
    """Return words as they are compared: small letters, one blank between them."""
    return " ".join(words.casefold().split())


@dataclass(frozen=True)
class Setting:
    """One label with its value (lines joined by line feeds) as they stand, and their place for messages."""

    label: str
    value: str
    where: str


@dataclass(frozen=True)
class Section:
    """A section: its name as it stands, its place, its settings by folded label."""

    name: str
    where: str
    settings: dict[str, Setting] = field(default_factory=dict)


def read_sections(path: Path) -> dict[str, Section]:
    """Return the sections of a file by folded name; all lines that make no sense are listed together."""
    sections: dict[str, Section] = {}
    problems: list[str] = []
    current: Section | None = None
    last, indent = "", 0
    for count, raw in enumerate(read_text(path).splitlines(), start=1):
        where = f"{path.name}, line {count}"
        text = COMMENT.sub("", raw).strip()
        depth = len(raw) - len(raw.lstrip())
        if not text:
            continue
        if last and current is not None and depth > indent:
            before = current.settings[last]
            current.settings[last] = Setting(before.label, f"{before.value}\n{text}".strip(), before.where)
        elif text.startswith("["):
            current, last = Section(text.strip("[]").strip(), where), ""
            if not text.endswith("]") or folded(current.name) in sections:
                what = "A section stands twice" if text.endswith("]") else "A section needs a closing bracket"
                problems.append(str(refuse(what, given=text, where=where)))
            else:
                sections[folded(current.name)] = current
        else:
            sign = "=" if "=" in text else ":"
            label, found, value = (part.strip() for part in text.partition(sign))
            last, indent = folded(label), depth
            if current is None or not found or not label:
                what = "A setting stands before the first section" if current is None else "Expected label = value"
                problems.append(str(refuse(what, given=repr(text[:60]), where=where)))
                last = ""
            elif last in current.settings:
                first = current.settings[last].where
                problems.append(
                    str(refuse(f"The label {label!r} stands twice", given=f"first in {first}", where=where))
                )
            else:
                current.settings[last] = Setting(label, value, where)
    if problems:
        raise InputError(*problems)
    return sections


@dataclass
class Taking:
    """The settings of one section, taken one by one; problems, notes and defaults are collected.

    Parameters
    ----------
    section
        None where the file has no such section: every label then has its default.
    problems, notes, defaults
        Shared with the other sections of the file; `defaults` holds the labels that the file does not name.
    """

    section: Section | None
    problems: list[str]
    notes: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def setting(self, label: str) -> Setting | None:
        """Return a setting by its label, or None; a label with another unit, or without, is a problem."""
        self.known.append(label)
        settings = self.section.settings if self.section else {}
        if folded(label) in settings:
            self.taken.add(folded(label))
            return settings[folded(label)]
        bare = UNIT.sub("", folded(label))
        for other, one in settings.items():
            if other not in self.taken and UNIT.search(label) and UNIT.sub("", other) == bare:
                self.taken.add(other)
                what = "A label has another unit" if UNIT.search(other) else "A label lacks its unit"
                self.problems.append(str(refuse(what, given=repr(one.label), allowed=label, where=one.where)))
        return None

    def text(self, label: str, default: str) -> str:
        """Return a value as text."""
        one = self.setting(label)
        if one is None:
            self.defaults.append(label)
        return default if one is None else one.value

    def number(
        self, label: str, default: float, *, least: float = -1e300, most: float = 1e300, whole: bool = False
    ) -> float:
        """Return a number between bounds, both included."""
        one = self.setting(label)
        if one is None:
            self.defaults.append(label)
            return default
        return self.checked(one, one.value, default, least=least, most=most, whole=whole)

    def checked(
        self,
        one: Setting,
        text: str,
        default: float,
        *,
        least: float = -1e300,
        most: float = 1e300,
        whole: bool = False,
    ) -> float:
        """Return a number of a setting, or the default where it is a problem."""
        allowed = f"{'a whole number' if whole else 'a number'} from {least:g} to {most:g}"
        try:
            value = number(text, one.where)
        except InputError:
            value = float("nan")
        if not least <= value <= most or (whole and value != int(value)):
            self.problem(one, given=repr(text), allowed=allowed)
            return default
        return value

    def numbers(self, label: str, count: int | None = None) -> list[float] | None:
        """Return a row of numbers; None where the label is missing, its value empty, or a problem."""
        one = self.setting(label)
        words = one.value.split() if one else []
        if one is None or not words:
            return None
        values = [self.checked(one, word, float("nan")) for word in words]
        if count is not None and len(values) != count:
            self.problem(one, given=f"{len(values)} values", allowed=f"{count} numbers")
            return None
        return values if all(value == value for value in values) else None

    def switch(self, label: str, default: bool) -> bool:
        """Return yes or no."""
        one = self.setting(label)
        if one is None:
            self.defaults.append(label)
            return default
        if one.value.casefold() not in SWITCHES:
            hint = nearest(one.value, SWITCHES)
            self.problem(one, given=repr(one.value), allowed="yes, true, on, 1; no, false, off, 0", hint=hint)
        return SWITCHES.get(one.value.casefold(), default)

    def without_effect(self, label: str, reason: str) -> Setting | None:
        """Take a setting that does nothing here, and say why."""
        one = self.setting(label)
        if one is not None and one.value:
            self.notes.append(f"{one.where}: {one.label!r} has no effect here: {reason}.")
        return one

    def problem(self, one: Setting, *, given: str, allowed: str, hint: str = "") -> None:
        """Add a problem of a setting."""
        what = f"The setting {one.label!r} cannot be used.{hint}"
        self.problems.append(str(refuse(what, given=given, allowed=allowed, where=one.where)))

    def rest(self) -> list[Setting]:
        """Return the settings that nobody has taken."""
        settings = self.section.settings if self.section else {}
        return [one for label, one in settings.items() if label not in self.taken]

    def refuse_rest(self) -> None:
        """Add a problem for every setting that nobody has taken, with the nearest known label."""
        name = self.section.name if self.section else ""
        for one in self.rest():
            what = f"Unknown setting in [{name}].{nearest(one.label, self.known)}"
            self.problems.append(
                str(refuse(what, given=repr(one.label), allowed="; ".join(dict.fromkeys(self.known)), where=one.where))
            )


def refuse_other_sections(sections: dict[str, Section], known: Sequence[str], problems: list[str]) -> None:
    """Add a problem for every section that is not known, with the nearest known name."""
    for name, one in sections.items():
        if name not in {folded(other) for other in known}:
            allowed = ", ".join(f"[{other}]" for other in known)
            what = f"Unknown section.{nearest(one.name, known)}"
            problems.append(str(refuse(what, given=f"[{one.name}]", allowed=allowed, where=one.where)))
