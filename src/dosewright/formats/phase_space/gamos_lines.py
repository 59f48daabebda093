"""Lines of words of one number per line: counted and looked at in blocks, without reading the numbers."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.formats.phase_space.raw import size_of

BLOCK_BYTES = 4 << 20
LONGEST_LINE_BYTES = 1 << 16
# Whole numbers of more digits are not exact as float64; up to nine fit 32 bits.
MOST_DIGITS, DIGITS_OF_32_BITS = 15, 9


@dataclass(frozen=True)
class GamosLines:
    """What a text is made of.

    Parameters
    ----------
    number
        Lines that are not blank.
    columns
        Words in each of them; 9 in an empty file.
    kinds
        By column the numpy type that holds its words: ``f4``; where all are whole numbers ``i4`` or ``i8``, or ``f8``
        where such a number has too many digits.
    starts
        Number of the first line of each block, and the byte it begins at.
    """

    number: int
    columns: int
    kinds: tuple[str, ...]
    starts: tuple[tuple[int, int], ...]

    def start_before(self, line: int) -> tuple[int, int]:
        """Return number and byte of a block's first line, the block that holds the line asked for."""
        at = bisect_right(self.starts, (line, 1 << 62)) - 1
        return self.starts[at] if at >= 0 else (0, 0)


def blocks(path: Path, offset: int = 0) -> Iterator[bytes]:
    """Yield whole lines, some megabytes at once, from a byte on where a line begins."""
    size_of(path)
    with path.open("rb") as file:
        file.seek(offset)
        rest = b""
        while piece := file.read(BLOCK_BYTES):
            end = piece.rfind(b"\n") + 1
            if not end:
                rest += piece
            else:
                yield rest + piece[:end]
                rest = piece[end:]
            if len(rest) > LONGEST_LINE_BYTES:
                raise refuse("The file is no text of lines", given="a line of more than 65536 bytes", where=path)
        if rest:
            yield rest + b"\n"


def scanned(path: Path) -> GamosLines:
    """Count lines and words, and find which columns are whole numbers; lines of unlike numbers of words are refused."""
    number = offset = columns = 0
    fractions = longest = np.zeros(0, np.int64)
    starts = []
    for block in blocks(path):
        starts.append((number, offset))
        begins, lengths, fractional = _words(np.frombuffer(block, np.uint8), path)
        if not columns:
            first = next((line for line in block.splitlines() if line.strip()), b"")
            columns = len(first.split())
            fractions = longest = np.zeros(columns, np.int64)
        rows = len(begins) // columns if columns else 0
        if rows * columns != len(begins) or not _in_lines(block, begins.reshape(rows, columns)):
            raise _unlike(path, columns)
        if rows:
            fractions = fractions + fractional.reshape(rows, columns).sum(axis=0)
            longest = np.maximum(longest, lengths.reshape(rows, columns).max(axis=0))
        number += rows
        offset += len(block)
    kinds = tuple(_kind(*pair) for pair in zip(fractions.tolist(), longest.tolist(), strict=True))
    return GamosLines(number, columns or 9, kinds, tuple(starts))


def _kind(fractions: int, longest: int) -> str:
    if fractions:
        return "f4"
    if longest > MOST_DIGITS:
        return "f8"
    return "i4" if longest <= DIGITS_OF_32_BITS else "i8"


def _words(text: NDArray[np.uint8], path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return where words begin, how long they are, and how many of their characters no whole number has."""
    if len(text) and text.min() == 0:
        raise refuse("The file is no text", where=path)
    blank = text <= ord(" ")
    edges = np.flatnonzero(blank[1:] != blank[:-1]) + 1
    if len(text) and not blank[0]:
        edges = np.concatenate(([0], edges))
    begins, ends = edges[::2], edges[1::2]
    if not len(begins):
        return begins, begins, begins
    whole = ((text >= ord("0")) & (text <= ord("9"))) | (text == ord("-")) | (text == ord("+")) | blank
    fractional = np.add.reduceat((~whole).view(np.int8), begins, dtype=np.int64)
    return begins, ends - begins, fractional


def _in_lines(block: bytes, begins: NDArray[np.int64]) -> bool:
    """Tell whether the words of a row stand on one line and those of the next on another."""
    line = np.cumsum(np.frombuffer(block, np.uint8) == ord("\n"), dtype=np.int32)[begins]
    return bool((line[:, :1] == line).all() and (np.diff(line[:, 0]) > 0).all()) if line.size else True


def _unlike(path: Path, columns: int) -> InputError:
    return refuse("The lines of the phase space are not of one length", allowed=f"{columns} words each", where=path)
