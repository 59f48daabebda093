"""On which line each key of a TOML file stands."""

import re
from collections.abc import Iterator

Place = tuple[int | str, ...]
HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?$")
KEY = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
WORD = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


class TomlLines:
    """The lines of a file by place; for what stands inside a line or is not found, the line of what holds it."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Place, int] = {}
        table: Place = ()
        counts: dict[Place, int] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            header, key = HEADER.match(line), KEY.match(line)
            if header:
                table = self._header(tuple(_words(header.group(2))), len(header.group(1)) == 2, counts)
                self._lines.setdefault(table, number)
            elif key:
                self._lines.setdefault((*table, *_words(key.group(1))), number)

    def _header(self, words: tuple[str, ...], repeated: bool, counts: dict[Place, int]) -> Place:
        """Return the place of a table, with the number of each repeated table on the way."""
        place: Place = ()
        for i, word in enumerate(words):
            place = (*place, word)
            if repeated and i == len(words) - 1:
                counts[place] = counts.get(place, -1) + 1
            if place in counts:
                place = (*place, counts[place])
        return place

    def of(self, place: Place) -> int | None:
        """Return the line of a place, or of the nearest that holds it."""
        for end in range(len(place), 0, -1):
            if place[:end] in self._lines:
                return self._lines[place[:end]]
        return None


def _words(dotted: str) -> Iterator[str]:
    for word in WORD.findall(dotted):
        yield word.strip("\"'")
