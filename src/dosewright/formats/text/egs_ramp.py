"""Ramp files of EGSnrc: those of ctcreate (CT number to medium and density) and of egs++ (density to medium).

ctcreate reads them from its input: ``number of media, lowest CT number``, then for each medium a line with its name and
one with ``upper CT number, density at the lower end, density at the upper end, ESTEPE``; without media its own default
holds. The first four lines of such an input (kind of images, list of slices, region in cm, voxel size in cm) may stand
before; they are not taken. egs++ has a line ``NAME low high usual`` for each medium, in g/cm3.
"""

from pathlib import Path

import numpy as np

from dosewright.core.ct_ramp import CTCREATE_DEFAULT, CtRamp, DensityRamp
from dosewright.core.errors import InputError, refuse
from dosewright.formats.text.lines import Line, content_lines, number

KINDS = ("DICOM", "AAPM", "PINNACLE", "CADPLAN")  # of images, the first word of an input of ctcreate
LINES_BEFORE = 4
MOST_MEDIA = 255


def read_ramp(path: Path) -> CtRamp | DensityRamp:
    """Read a ramp file of either kind; what fits neither is refused with its line."""
    lines = content_lines(path)
    if not lines:
        raise refuse("The ramp file is empty", where=path.name)
    if _words(lines[0])[0].upper() in KINDS:
        lines = lines[LINES_BEFORE:]
        if not lines:
            raise refuse("The input of ctcreate ends before its ramps", where=path.name)
    try:
        if _is_number(_words(lines[0])[0]):
            return _ct_ramp(lines, path)
        return _density_ramp(lines)
    except InputError as refused:
        raise InputError(*(p if path.name in p else f"{p} Where: {path.name}." for p in refused.problems)) from None


def _ct_ramp(lines: list[Line], path: Path) -> CtRamp:
    head = _numbers(lines[0], 2, 2)
    count = int(head[0])
    if head[0] != count or not 0 <= count <= MOST_MEDIA:
        raise refuse("A ramp begins with a number of media", given=f"{head[0]:g}", allowed=f"0 to {MOST_MEDIA}",
                     where=lines[0].where)  # fmt: skip
    if count == 0:
        return CTCREATE_DEFAULT
    if len(lines) < 1 + 2 * count:
        raise refuse("The ramp file ends before its media do", given=f"{(len(lines) - 1) // 2} media",
                     allowed=f"{count}", where=path.name)  # fmt: skip
    media = tuple(_words(lines[1 + 2 * n])[0] for n in range(count))
    rows = np.array([_numbers(lines[2 + 2 * n], 3, 4)[:3] for n in range(count)])
    return CtRamp(media, head[1], rows[:, 0], rows[:, 1], rows[:, 2])


def _density_ramp(lines: list[Line]) -> DensityRamp:
    media, low, high = [], [], []
    for line in lines:
        words = _words(line)
        if len(words) not in (3, 4):
            raise refuse("Expected a medium and two or three densities", given=repr(line.text[:80]), where=line.where)
        media.append(words[0])
        low.append(number(words[1], line.where, "a density"))
        high.append(number(words[2], line.where, "a density"))
    return DensityRamp(tuple(media), np.array(low), np.array(high))


def _numbers(line: Line, least: int, most: int) -> list[float]:
    words = _words(line)
    if not least <= len(words) <= most:
        raise refuse(f"Expected {least} numbers" if least == most else f"Expected {least} or {most} numbers",
                     given=repr(line.text[:80]), where=line.where)  # fmt: skip
    return [number(word, line.where) for word in words]


def _words(line: Line) -> list[str]:
    return line.text.replace(",", " ").split() or [""]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
