"""On which line of a TOML file each key stands; the standard reader does not say."""

import re
from collections.abc import Mapping

Place = tuple[int | str, ...]
BARE = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*")
KEY_PART = re.compile(r"\s*(?:\"((?:\\.|[^\"\\])*)\"|'([^']*)'|([A-Za-z0-9_-]+))\s*")
COMMENT = re.compile(r"(\"(?:\\.|[^\"\\])*\"|'[^']*')|#.*")
OPENING = re.compile(r"\s*\[\[(?P<array>.+)\]\]\s*$|\s*\[(?P<table>[^\[].*)\]\s*$")


def key_lines(text: str) -> dict[Place, int]:
    """Return the line (from 1) of every table and key, by place such as ``("phantom", "slab", 0, "z_mm")``.

    The text must be valid TOML; keys inside a value in braces are not listed.
    """
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    depth, quotes = 0, ""
    for number, line in enumerate(text.split("\n"), start=1):
        if quotes:
            _, found, line = line.partition(quotes)
            if not found:
                continue
            quotes = ""
        elif depth == 0:
            opened = OPENING.match(COMMENT.sub(lambda found: found[1] or "", line))
            if opened:
                table = _opened(opened, counts)
                lines.setdefault(table, number)
                if isinstance(table[-1], int):
                    lines.setdefault(table[:-1], number)
                continue
            place = _key_of(line)
            for end in range(1, len(place) + 1):
                lines.setdefault(table + place[:end], number)
        quotes = _left_open(line)
        bare = BARE.sub("", line.partition(quotes)[0] if quotes else line)
        depth += sum(bare.count(c) for c in "[{") - sum(bare.count(c) for c in "]}")
    return lines


def line_of(lines: Mapping[Place, int], place: Place) -> int | None:
    """Return the line of a key, else that of the nearest table around it."""
    return next((lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines), None)


def _opened(found: re.Match[str], counts: dict[Place, int]) -> Place:
    """Return the place of a table header; tables of an array are numbered."""
    names = _parts(found["array"] or found["table"])
    place: Place = ()
    for i, name in enumerate(names):
        place += (name,)
        last = i == len(names) - 1
        if last and found["array"]:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place += (counts[place],)
    return place


def _key_of(line: str) -> Place:
    """Return the parts of the key a line starts with, or nothing."""
    position, parts = 0, []
    while found := KEY_PART.match(line, position):
        parts.append(next(g for g in found.groups() if g is not None))
        position = found.end()
        if line[position : position + 1] == "=":
            return tuple(parts)
        if line[position : position + 1] != ".":
            return ()
        position += 1
    return ()


def _parts(header: str) -> list[str]:
    return [next(g for g in found if g is not None) for found in (m.groups() for m in KEY_PART.finditer(header))]


def _left_open(line: str) -> str:
    """Return the triple quotes that a line opens and does not close."""
    for quotes in ('"""', "'''"):
        if BARE.sub("", line.replace(quotes, "\0")).count("\0") % 2:
            return quotes
    return ""
