"""Long text files of numbers: lines counted and found again without keeping them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.formats.phase_space.raw import size_of

BLOCK: Final = 1 << 22


@dataclass(frozen=True)
class TextLines:
    """The lines of a file, blank ones at its end left out; the last one is known to be whole.

    Parameters
    ----------
    number
        How many.
    end
        Bytes up to the end of the last.
    marks
        Some of them, in order: number of the line and where it begins.
    """

    path: Path
    number: int
    end: int
    marks: tuple[tuple[int, int], ...]

    def blocks(self, first: int, count: int) -> Iterator[list[str]]:
        """Yield `count` lines from number `first` on, as many at once as a block of the file holds."""
        line, place = max(mark for mark in self.marks if mark[0] <= first)
        rest = b""
        with self.path.open("rb") as file:
            file.seek(place)
            while count and place < self.end:
                block = file.read(min(BLOCK, self.end - place))
                if not block:
                    raise refuse("The file ended while it was read", where=self.path)
                place += len(block)
                *lines, rest = (rest + block).split(b"\n")
                if place >= self.end:
                    lines.append(rest)
                _check_length(rest, self.path)
                wanted = lines[max(first - line, 0) :][:count]
                line += len(lines)
                count -= len(wanted)
                if wanted:
                    yield [one.decode("latin-1") for one in wanted]


def text_lines(path: Path) -> TextLines:
    """Count the lines of a file and mark some.

    Raises
    ------
    InputError
        A line is too long for one of numbers, or the last one does not end: the file was cut.
    """
    end = _end(path)
    number, place, start = 0, 0, 0
    marks = [(0, 0)]
    with path.open("rb") as file:
        while place < end and (block := file.read(min(BLOCK, end - place))):
            found = block.count(b"\n")
            if found:
                number += found
                start = place + block.rindex(b"\n") + 1
                marks.append((number, start))
            place += len(block)
            if place - start > BLOCK:
                raise refuse("A line of the file is too long", allowed=f"{BLOCK} bytes", where=path)
    return TextLines(path, number + (end > 0), end, tuple(marks))


def _check_length(rest: bytes, path: Path) -> None:
    if len(rest) > BLOCK:
        raise refuse("A line of the file is too long", allowed=f"{BLOCK} bytes", where=path)


def _end(path: Path) -> int:
    """Return where the last line that is not blank ends."""
    end = size = size_of(path)
    with path.open("rb") as file:
        while end:
            begin = max(end - BLOCK, 0)
            file.seek(begin)
            block = file.read(end - begin)
            if found := block.rstrip():
                if b"\n" not in block[len(found) :] and begin + len(block) == size:
                    raise refuse("The last line of the file is not whole: it does not end", where=path)
                return begin + len(found)
            end = begin
    return 0


def numbers_of(lines: list[str], columns: tuple[int, ...] | None, path: Path) -> NDArray[np.float64]:
    """Return these columns of lines of numbers, or all.

    Raises
    ------
    InputError
        A line is blank, or has not as many columns as the first, or one is no number.
    """
    try:
        values = np.loadtxt(lines, comments=None, usecols=columns, ndmin=2)
    except (ValueError, IndexError, OverflowError) as error:
        raise refuse("A line of the phase space cannot be read", given=str(error)[:200], where=path) from error
    if len(values) != len(lines):
        raise refuse("There are blank lines between the records", where=path)
    return values
