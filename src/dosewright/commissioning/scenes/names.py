"""Names on a cut: inside their part where there is room, else beside the picture; alike ones together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from dosewright.commissioning.scenes.cuts import Cut

Bools = NDArray[np.bool_]
SHRINK = 4  # pixels of a cut per pixel in which room for a name is looked for
SEVERAL = 5  # alike names beside a picture that become one


@dataclass(frozen=True)
class Name:
    """A name, the part, the place it belongs to (mm, on the cut), and how it is written: inside, upright, or beside."""

    text: str
    index: int
    at_mm: tuple[float, float]
    inside: bool
    upright: bool = False


def names_on(cut: Cut, names: Sequence[str], letter_px: tuple[float, float], most_beside: int) -> list[Name]:
    """Return the names of all parts on a cut, by index.

    `letter_px` is the width of a letter and the height of a line in pixels of the cut; of those beside the picture
    there are no more than `most_beside`, the largest.
    """
    found, homeless = [], []
    for index in np.unique(cut.parts[cut.parts >= 0]).tolist():
        mask, corner = _cropped(cut.parts == index)
        place = _room(cut, mask, corner, names[index], letter_px)
        if place is not None:
            found.append(Name(names[index], index, place[0], True, place[1]))
        else:
            homeless.append((int(mask.sum()), Name(names[index], index, _middle(cut, mask, corner), inside=False)))
    beside = sorted(_together(homeless, found), key=lambda one: -one[0])
    return found + [name for _, name in beside[:most_beside]]


def _cropped(mask: Bools) -> tuple[Bools, tuple[int, int]]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    corner = int(rows[0]), int(columns[0])
    return mask[corner[0] : rows[-1] + 1, corner[1] : columns[-1] + 1], corner


def _room(
    cut: Cut, mask: Bools, corner: tuple[int, int], text: str, letter_px: tuple[float, float]
) -> tuple[tuple[float, float], bool] | None:
    """Return where a name fits into its part, nearest to the middle, and whether upright only."""
    coarse = mask[::SHRINK, ::SHRINK]
    wide = int((len(text) + 1) * letter_px[0] / SHRINK) + 1
    tall = int(letter_px[1] / SHRINK) + 1
    for upright, size in ((False, (tall, wide)), (True, (wide, tall))):
        if size[0] > coarse.shape[0] or size[1] > coarse.shape[1]:
            continue
        room = minimum_filter(coarse, size=size, mode="constant", cval=False)
        rows, columns = np.nonzero(room)
        if rows.size:
            middle = np.array(coarse.shape) / 2
            best = int(np.argmin((rows - middle[0]) ** 2 + (columns - middle[1]) ** 2))
            return _place(cut, corner, rows[best] * SHRINK, columns[best] * SHRINK), upright
    return None


def _middle(cut: Cut, mask: Bools, corner: tuple[int, int]) -> tuple[float, float]:
    """Return the place of a part that is nearest to its middle."""
    rows, columns = np.nonzero(mask)
    best = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    return _place(cut, corner, rows[best], columns[best])


def _place(cut: Cut, corner: tuple[int, int], row: float, column: float) -> tuple[float, float]:
    right = cut.low[0] + (corner[1] + float(column) + 0.5) * cut.pixel_mm
    return right, cut.low[1] + (corner[0] + float(row) + 0.5) * cut.pixel_mm


def _together(homeless: Sequence[tuple[int, Name]], inside: Sequence[Name]) -> list[tuple[int, Name]]:
    """Put several names that differ in numbers only into one, at the place of the middle one; with areas."""
    named = {_pattern(name.text) for name in inside}
    alike: dict[str, list[tuple[int, Name]]] = {}
    for one in homeless:
        alike.setdefault(_pattern(one[1].text), []).append(one)
    told = []
    for pattern, group in alike.items():
        if len(group) < SEVERAL:
            told += group
            continue
        count = f"{len(group)} more" if pattern in named else f"{len(group)}"
        text = f"{group[0][1].text} ... {group[-1][1].text} ({count})"
        told.append((sum(area for area, _ in group), replace(group[len(group) // 2][1], text=text)))
    return told


def _pattern(text: str) -> str:
    return re.sub(r"\d+", "#", text)
