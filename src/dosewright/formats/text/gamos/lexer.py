"""Geometry text as statements: a tag and its words, over any number of lines.

A word that begins with a colon at the start of a line opens a statement; ``//`` begins a comment; a backslash at the
end joins the next line; ``#include`` reads another file, beside this one; double quotes hold blanks together. These are
the rules of Geant4's text geometry (P. Arce, "Geant4 geometry from text file", manual 1.0), which GAMOS reads.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dosewright.core.errors import InputError, refuse
from dosewright.formats.text.lines import read_text

WORD = re.compile(r'"([^"]*)"|(//.*)|((?:[^\s"/]|/(?!/))+)|(")')
DEEPEST, MOST_FILES = 20, 500  # included files


@dataclass(frozen=True)
class Word:
    """One word and its place; `quoted` words are names, never numbers."""

    text: str
    where: str
    quoted: bool = False


@dataclass
class Statement:
    """A tag in capitals, and the words that follow it."""

    tag: str
    where: str
    words: list[Word] = field(default_factory=list)


@dataclass(frozen=True)
class _Line:
    words: list[Word]
    where: str
    joined: bool  # to the line before


def read_statements(path: Path, problems: list[str]) -> list[Statement]:
    """Return the statements of a file and of those it includes; what is no statement is told."""
    statements: list[Statement] = []
    for line in _lines(path, (), [0], problems):
        first = line.words[0]
        if not line.joined and first.text.startswith(":") and not first.quoted:
            statements.append(Statement(first.text.upper(), line.where, line.words[1:]))
        elif statements:
            statements[-1].words += line.words
        else:
            problems.append(str(refuse("Words stand before the first tag", given=repr(first.text[:60]),
                                       allowed="a tag such as :VOLU", where=line.where)))  # fmt: skip
    return statements


def _lines(path: Path, above: tuple[Path, ...], read: list[int], problems: list[str]) -> Iterator[_Line]:
    """Yield lines that say something; those of an included file in its place."""
    joined = False
    for number, text in enumerate(read_text(path).splitlines(), start=1):
        where = f"{path.name}, line {number}"
        words = _words(text, where, problems)
        if words and words[0].text == "#include" and not words[0].quoted:
            yield from _included(words, path, above, read, problems)
            continue
        if words and words[0].text.startswith("#") and not words[0].quoted:
            problems.append(str(refuse("Unknown directive", given=repr(words[0].text), allowed="#include FILE",
                                       where=where)))  # fmt: skip
            continue
        goes_on = bool(words) and words[-1].text == "\\"
        words = words[:-1] if goes_on else words
        if words:
            yield _Line(words, where, joined)
        joined = goes_on


def _included(
    words: list[Word], path: Path, above: tuple[Path, ...], read: list[int], problems: list[str]
) -> Iterator[_Line]:
    where = words[0].where
    if len(words) != 2:
        problems.append(str(refuse("#include takes the name of one file", given=len(words) - 1, where=where)))
        return
    target = path.parent / words[1].text
    read[0] += 1
    if target in (*above, path) or len(above) >= DEEPEST or read[0] > MOST_FILES:
        what = "A file includes itself" if target in (*above, path) else "Files are included too deep or too often"
        problems.append(str(refuse(what, given=words[1].text, where=where)))
        return
    try:
        yield from _lines(target, (*above, path), read, problems)
    except InputError as error:
        problems.extend(f"{problem} Included in {where}." for problem in error.problems)


def _words(text: str, where: str, problems: list[str]) -> list[Word]:
    words: list[Word] = []
    for quoted, comment, plain, lone in WORD.findall(text):
        if comment:
            break
        if lone:
            problems.append(str(refuse("A double quote is not closed on its line", where=where)))
            break
        words.append(Word(plain or quoted, where, not plain))
    return words
