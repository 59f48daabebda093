"""Plain FRED input as a flat list of directives: ``name: words ; key = value ; ...``, blocks, and settings alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dosewright.core.errors import refuse
from dosewright.core.looks import tried
from dosewright.formats.text.fred.preprocess import preprocess
from dosewright.formats.text.fred.scope import Budget
from dosewright.formats.text.lines import Line

BLOCK = re.compile(r"([A-Za-z_]\w*)\s*<\s*(.*)\Z")
BLOCK_END = re.compile(r"(.*?)\s*\b([A-Za-z_]\w*)\s*>\s*\Z")
DIRECTIVE = re.compile(r"([A-Za-z_]\w*)\s*:\s*(.*)\Z")
SETTING = re.compile(r"([A-Za-z_][\w.]*)\s*=\s*(.*)\Z")
SPECIAL = re.compile(r"['\"\[\](){}]")
BRACKETS = {"[": "]", "(": ")", "{": "}"}


@dataclass(frozen=True)
class Setting:
    """``key = value``: the value as it stands, without outer blanks, and its place."""

    key: str
    text: str
    where: str


@dataclass(frozen=True)
class Directive:
    """One directive: its name (empty for a setting that stands alone), its words and settings in order, its place."""

    name: str
    words: tuple[str, ...]
    settings: tuple[Setting, ...]
    where: str


def collect_directives(path: Path, problems: list[str], folder: Path | None = None,
                       budget: Budget | None = None) -> tuple[tuple[Directive, ...], bool]:  # fmt: skip
    """Return the directives of an input with all that it includes, and whether none is lost.

    Every problem is added to a list, each with its file and line.

    Parameters
    ----------
    path
        The input file.
    folder
        Where includes are looked for first; by default the folder of the file.
    budget
        How much its loops and expressions may do.
    """
    lines, complete = preprocess(path, folder, problems, budget)
    before = len(problems)
    directives = tuple(_assembled(lines, problems))
    return directives, complete and len(problems) == before


def _assembled(lines: list[Line], problems: list[str]) -> list[Directive]:
    found: list[Directive] = []
    block: tuple[str, str, list[Setting]] | None = None
    for line in lines:
        if block is None:
            opening = BLOCK.match(line.text)
            if opening is None:
                found += tried(lambda line=line: _of_line(line), problems) or []  # type: ignore[misc]
                continue
            block = (opening[1], line.where, [])
            line = Line(line.path, line.number, opening[2])
        name, where, settings = block
        end = BLOCK_END.match(line.text)
        closes = end is not None and end[2] == name
        text = end[1] if end and closes else line.text
        if end and not closes and not end[1]:
            problems += refuse("A block is closed by another name", given=line.text, allowed=f"{name}>, of {where}",
                               where=line.where).problems  # fmt: skip
        elif not closes and BLOCK.match(text) and "=" not in text.partition("<")[0]:
            problems += refuse("A block begins within another", given=text[:60], allowed=f"{name}> first, of {where}",
                               where=line.where).problems  # fmt: skip
        elif text:
            settings += tried(lambda text=text, line=line: list(_settings(text, line.where)), problems) or []  # type: ignore[misc]
        if closes:
            found.append(Directive(name, (), tuple(settings), where))
            block = None
    if block is not None:
        problems += refuse(f"{block[0]}< is not closed by {block[0]}>", where=block[1]).problems
    return found


def _of_line(line: Line) -> list[Directive]:
    if found := DIRECTIVE.match(line.text):
        first, *rest = parts(found[2], ";", line.where) or [""]
        bare = SETTING.match(first) is None
        settings = tuple(
            setting for part in (rest if bare else [first, *rest]) for setting in _settings(part, line.where)
        )
        return [Directive(found[1], tuple(words(first, line.where)) if bare else (), settings, line.where)]
    return [Directive("", (), (setting,), line.where) for setting in _settings(line.text, line.where)]


def _settings(text: str, where: str) -> Iterator[Setting]:
    for part in parts(text, ";", where):
        found = SETTING.match(part)
        if found is None:
            raise refuse("This is neither a directive nor a setting", given=part[:80],
                         allowed="name: ..., name<, key = value", where=where)  # fmt: skip
        yield Setting(found[1], found[2], where)


def words(text: str, where: str) -> list[str]:
    """Return the words of a text, at blanks and commas; what stands in brackets or quotes is one word."""
    return [_unquoted(word) for blank in parts(text, " \t", where) for word in parts(blank, ",", where)]


def parts(text: str, separators: str, where: str) -> list[str]:
    """Return the parts of a text between separators that stand outside brackets and quotes; none is empty."""
    if not SPECIAL.search(text):
        return [part.strip() for part in re.split(f"[{separators}]", text) if part.strip()]
    found, start, quote = [], 0, ""
    expected: list[str] = []
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in BRACKETS:
            expected.append(BRACKETS[sign])
        elif expected and sign == expected[-1]:
            expected.pop()
        elif sign in separators and not expected:
            found.append(text[start:at].strip())
            start = at + 1
    if quote or expected:
        raise refuse(f"{expected[-1] if expected else quote} is missing", given=text[:80], where=where)
    return [part for part in [*found, text[start:].strip()] if part]


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) >= 2 and word[0] in "'\"" and word[-1] == word[0] else word
