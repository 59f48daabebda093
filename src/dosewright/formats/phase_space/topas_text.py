"""Records of TOPAS as text: ten columns and more, one line each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.formats.phase_space.text_lines import TextLines, numbers_of
from dosewright.formats.phase_space.topas_header import Column

LARGEST_WHOLE: Final = 2**53  # numbers of text are read in double precision
ROWS: Final = 8192


def text_runs(
    lines: TextLines, columns: tuple[Column, ...], first: int, count: int, size: int
) -> Iterator[NDArray[np.void]]:
    """Yield `count` records from number `first` on, at most `size` at once."""
    read = [(place, column) for place, column in enumerate(columns) if column.type != "S"]
    kinds = np.dtype([(column.field, column.type) for _, column in read])
    places = tuple(place for place, _ in read) if len(read) < len(columns) else None
    for block in lines.blocks(first, count):
        for start in range(0, len(block), size):
            part = block[start : start + size]
            values = numbers_of(part, places, lines.path)
            if values.shape[1] != len(read):
                raise refuse("The records have not as many columns as the header says", given=values.shape[1],
                             allowed=len(read), where=lines.path)  # fmt: skip
            records = np.empty(len(part), kinds)
            for number, (_, column) in enumerate(read):
                records[column.field] = _as_type(values[:, number], np.dtype(column.type), lines.path)
            yield records


def _as_type(values: NDArray[np.float64], kind: np.dtype[np.generic], path: Path) -> NDArray[np.generic]:
    """Return numbers as a type; what it cannot hold is refused."""
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return values.astype(kind)
    bits = 8 * kind.itemsize
    lowest, highest = (0, 2**bits - 1) if kind.kind == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    lowest, highest = max(lowest, -LARGEST_WHOLE), min(highest, LARGEST_WHOLE)
    if not ((values >= lowest) & (values <= highest) & (values == np.floor(values))).all():
        raise refuse("A column of whole numbers holds something else", given=f"{values.min()} to {values.max()}",
                     allowed=f"{lowest} to {highest}", where=path)  # fmt: skip
    return values.astype(kind)


def text_of(records: NDArray[np.void], columns: tuple[Column, ...]) -> Iterator[bytes]:
    """Yield records as lines; nine digits give a float32 back to the last bit."""
    widths = {"f": "%16.9g", "i": "%12d", "u": "%2d"}
    line = " ".join(widths[np.dtype(column.type).kind] for column in columns) + "\n"
    for start in range(0, len(records), ROWS):
        part = records[start : start + ROWS]
        values: list[float] = [0.0] * (len(part) * len(columns))
        for number, column in enumerate(columns):
            values[number :: len(columns)] = part[column.field].tolist()
        yield (line * len(part) % tuple(values)).encode("ascii")
