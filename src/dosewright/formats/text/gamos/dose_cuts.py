"""Which histograms of a dose GAMOS's file of definitions asks for (``RTPSPDoseHistos:HistosFileName``).

A line is TYPE "NAME" xmin xmax ymin ymax zmin zmax: the first and the last voxel along each axis, counted from 0, as
numbers, NVoxelX, NVoxelY, NVoxelZ or arithmetic of them; ``//`` begins a comment.
"""

import re
from pathlib import Path

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.histogram import KINDS, DoseCut, Range
from dosewright.formats.text.gamos.arithmetic import Definitions, Stream, value_of
from dosewright.formats.text.gamos.lexer import WORD, Word
from dosewright.formats.text.gamos.units import PLAIN
from dosewright.formats.text.lines import read_text

NUMBER_OF_VOXELS = re.compile(r"\bNVoxel([XYZ])\b")
NUMBERS = ("NVoxelX", "NVoxelY", "NVoxelZ")
WORDS = 8


def read_dose_cuts(path: Path, shape: tuple[int, int, int]) -> tuple[tuple[DoseCut, ...], tuple[str, ...]]:
    """Return the histograms asked for, and what was changed so that they fit the voxels; problems all together."""
    cuts: list[DoseCut] = []
    said: list[str] = []
    problems: list[str] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        where = f"{path.name}, line {number}"
        try:
            words = _words(line, where)
            if words:
                cuts.append(_cut(words, shape, where, said))
        except InputError as error:
            problems += error.problems
    names = [cut.name for cut in cuts]
    problems += [str(refuse("Two histograms have one name", given=name, where=path.name))
                 for name in dict.fromkeys(names) if names.count(name) > 1]  # fmt: skip
    if not cuts and not problems:
        problems.append(str(refuse("The file asks for no histogram", where=path.name)))
    if problems:
        raise InputError(*problems)
    return tuple(cuts), tuple(said)


def _words(line: str, where: str) -> list[Word]:
    words: list[Word] = []
    for quoted, comment, plain, lone in WORD.findall(line):
        if comment:
            break
        if lone:
            raise refuse("A double quote is not closed on its line", where=where)
        words.append(Word(plain or quoted, where, not plain))
    return words


def _cut(words: list[Word], shape: tuple[int, int, int], where: str, said: list[str]) -> DoseCut:
    kind = words[0].text.upper()
    if kind not in KINDS:
        raise refuse(f"Unknown type of histogram.{nearest(words[0].text, KINDS)}", given=words[0].text,
                     allowed=", ".join(KINDS), where=where)  # fmt: skip
    if len(words) != WORDS:
        raise refuse("A histogram needs a type, a name and six numbers", given=f"{len(words)} words",
                     allowed=f"{WORDS}: TYPE \"NAME\" xmin xmax ymin ymax zmin zmax", where=where)  # fmt: skip
    limits = [_voxel(word, shape) for word in words[2:]]
    x, y, z = (_inside(axis, limits, shape, where, said) for axis in range(3))
    return DoseCut(kind, words[1].text, (x, y, z))


def _voxel(word: Word, shape: tuple[int, int, int]) -> int:
    text = NUMBER_OF_VOXELS.sub(lambda found: str(shape["XYZ".index(found[1])]), word.text)
    for other in re.findall(r"(?i)\bnvox\w*", text):
        raise refuse(f"Unknown number of voxels.{nearest(other, NUMBERS)}", given=other, allowed=", ".join(NUMBERS),
                     where=word.where)  # fmt: skip
    value = value_of(Stream(Word(text, word.where), Definitions()))
    if value.measure != PLAIN or value.value != round(value.value):
        raise refuse("A voxel is a whole number without unit", given=repr(word.text), where=word.where)
    return round(value.value)


def _inside(axis: int, limits: list[int], shape: tuple[int, int, int], where: str, said: list[str]) -> Range:
    """Return the first and last voxel along an axis, brought inside the dose as GAMOS does."""
    low, high = limits[2 * axis : 2 * axis + 2]
    if low > high or high < 0 or low >= shape[axis]:
        raise refuse(f"The voxels along {'XYZ'[axis]} are none", given=f"{low} to {high}",
                     allowed=f"0 to {shape[axis] - 1}", where=where)  # fmt: skip
    within = max(low, 0), min(high, shape[axis] - 1)
    if within != (low, high):
        said.append(f"Voxels {low} to {high} along {'XYZ'[axis]} were cut to {within[0]} to {within[1]} ({where}).")
    return within
