"""Files of FRED input as lines without comments, and loops and conditions as a tree of them.

Comments: ``%``, ``#`` and ``//`` up to the end of the line, ``/* ... */``, and lines that begin with ``/``; none within
quotation marks.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from dosewright.core.errors import refuse
from dosewright.core.looks import tried
from dosewright.formats.text.fred.expressions import parsed
from dosewright.formats.text.lines import Line, read_text

DEEPEST = 40
OPENING = re.compile(r"(for|if)\s*\((.*)\)\s*<\s*\Z")
ELSE = re.compile(r"else\s*<\s*\Z")
CLOSING = re.compile(r"(for|if|else)\s*>\s*\Z")
LOOKS_OPENING = re.compile(r"(for|if|else|while|elif)\b\s*[(<]")
TARGETS = re.compile(r"\s*([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)\s+in\s+(.*)\Z")
SIGNS = re.compile(r"[%#/'\"]")  # without them a line has no comment
EXPRESSION = re.compile(r"(?:def|func)\s*:")


@dataclass(frozen=True)
class Loop:
    """``for(targets in items)<`` with what stands in it."""

    line: Line
    targets: tuple[str, ...]
    items: str
    body: list["Node"] = field(default_factory=list)


@dataclass(frozen=True)
class Choice:
    """``if(condition)<`` with what stands in it, and in the ``else<`` behind it."""

    line: Line
    condition: str
    body: list["Node"] = field(default_factory=list)
    otherwise: list["Node"] = field(default_factory=list)


Node = Union[Line, Loop, Choice]  # noqa: UP007  (names of classes below their first use)


def read_source(path: Path, problems: list[str]) -> list[Node]:
    """Read a file; lines that make no sense are added to `problems`."""
    return _tree(_content(path, read_text(path), problems), problems)


def _content(path: Path, text: str, problems: list[str]) -> list[Line]:
    """Return the lines that say something."""
    lines = []
    commented = 0  # the line where /* stands
    for number, raw in enumerate(text.splitlines(), start=1):
        kept, commented, cut = _uncommented(raw, commented, number)
        line = Line(path, number, kept.strip())
        if cut == "'\"":
            problems += refuse("A quotation mark is not closed", given=raw.strip()[:80], where=line.where).problems
        elif line.text:
            if cut and EXPRESSION.match(line.text) and _one_expression(line.text, cut):
                sign = "%" if cut[0] == "%" else "//"
                problems += refuse(f"{sign} begins a comment in FRED, but this could be arithmetic",
                                   given=raw.strip()[:80], allowed="mod(a,b), int(a/b), or # before a comment",
                                   where=line.where).problems  # fmt: skip
            lines.append(line)
    if commented:
        problems += refuse("A comment is not closed by */", where=Line(path, commented, "").where).problems
    return lines


def _uncommented(raw: str, commented: int, number: int) -> tuple[str, int, str]:
    """Return a line without comments, where an open comment began (0: nowhere), and what % or // cut off.

    A quotation mark that is not closed is told by its signs in the place of what was cut off.
    """
    if not commented and not SIGNS.search(raw):
        return raw, 0, ""
    kept: list[str] = []
    at, quote = 0, ""
    while at < len(raw):
        two = raw[at : at + 2]
        if commented:
            at, commented = (at + 2, 0) if two == "*/" else (at + 1, commented)
        elif quote:
            quote = "" if raw[at] == quote else quote
            kept.append(raw[at])
            at += 1
        elif two == "/*":
            commented = number
            kept.append(" ")
            at += 2
        elif raw[at] == "#" or (raw[at] == "/" and not "".join(kept).strip()):
            return "".join(kept), 0, ""
        elif raw[at] == "%" or two == "//":
            return "".join(kept), 0, raw[at:]
        else:
            quote = raw[at] if raw[at] in "'\"" else ""
            kept.append(raw[at])
            at += 1
    return "".join(kept), commented, "'\"" if quote else ""


def _one_expression(text: str, cut: str) -> bool:
    """Return whether a definition and the comment behind it can be read as one expression."""
    whole = text.partition("=")[2] + cut.partition("#")[0]
    return tried(lambda: parsed(whole, ""), []) is not None


def _tree(lines: list[Line], problems: list[str]) -> list[Node]:
    top: list[Node] = []
    opened: list[tuple[Loop | Choice, str, list[Node]]] = []  # with the word that closes each, and where lines go
    for line in lines:
        into = opened[-1][2] if opened else top
        if found := OPENING.match(line.text):
            node = _opened(line, found[1], found[2], problems)
            into.append(node)
            opened.append((node, found[1], node.body))
        elif ELSE.match(line.text):
            if into and isinstance(before := into[-1], Choice) and not before.otherwise:
                opened.append((before, "else", before.otherwise))
            else:
                problems += refuse("else< stands behind if> only, once", where=line.where).problems
                opened.append((Choice(line, "True"), "else", []))
        elif found := CLOSING.match(line.text):
            if opened and opened[-1][1] == found[1]:
                opened.pop()
            else:
                expected = f"{opened[-1][1]}>, of {opened[-1][0].line.where}" if opened else "nothing is open"
                problems += refuse("A loop or condition is closed that is not open", given=line.text, allowed=expected,
                                   where=line.where).problems  # fmt: skip
        elif LOOKS_OPENING.match(line.text):
            problems += refuse("A loop or condition cannot be read", given=line.text[:80], where=line.where,
                               allowed="for(x in ...)<, if(...)<, else< at the end of a line; % and // begin "
                               "comments").problems  # fmt: skip
        else:
            into.append(line)
        if len(opened) > DEEPEST:
            problems += refuse(f"Loops and conditions are nested more than {DEEPEST} deep", where=line.where).problems
            return []
    for node, word, _ in opened:
        problems += refuse(f"{word}< is not closed by {word}>", where=node.line.where).problems
    return top


def _opened(line: Line, word: str, inside: str, problems: list[str]) -> Loop | Choice:
    if word == "if":
        return Choice(line, inside)
    if found := TARGETS.match(inside):
        return Loop(line, tuple(name.strip() for name in found[1].split(",")), found[2])
    problems += refuse("A loop cannot be read", given=line.text[:80], allowed="for(x in ...)<",
                       where=line.where).problems  # fmt: skip
    return Loop(line, ("_",), "[]")
