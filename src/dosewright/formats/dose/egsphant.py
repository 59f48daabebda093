"""egsphant: DOSXYZnrc's phantom as text.

The number of media, their names, a value of ESTEPE for each (read by no code any more), voxel counts, edges along x, y
and z in cm; for each slice ny lines of nx characters, one for the medium of each voxel; then the densities in g/cm3.
Above nine media codes differ. EGSnrc goes on through the characters of ASCII after 9, from the last printable one back
to the blank (medium i is ``chr((i + 16) % 95 + 32)``, so that 0 is vacuum); egs_brachy goes on with A to Z; and older
programs write two digits. Which one it is, is told by the characters; where that is open, reading is refused.
Source: EGSnrc (NRC), pull request 633; egs_brachy (CLRP), issue 22; DOSXYZnrc Users Manual, PIRS-794revB.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.in_voxels import Edges
from dosewright.core.voxel_phantom import VoxelPhantom
from dosewright.core.whole_file import write_whole
from dosewright.formats.dose.numbers import Array, edges_of_cm, named, numbers_in, voxels_of, whole_file

EGSPHANT: Final = "egsphant"
MOST_MEDIA: Final = 94  # EGSnrc: 95 printable characters, one of them for vacuum
EGSNRC: Final = "".join(chr((i + 16) % 95 + 32) for i in range(MOST_MEDIA + 1))
EGS_BRACHY: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABETS: Final = {"egsnrc": EGSNRC, "egs_brachy": EGS_BRACHY}
NAME_LENGTH = 24
ESTEPE = "0.25"


@dataclass
class Lines:
    """The lines of the file, taken one after the other."""

    lines: list[bytes]
    where: str
    at: int = 0

    def take(self) -> bytes:
        """Return the next line without its end."""
        if self.at >= len(self.lines):
            raise refuse("The phantom is cut off", where=f"{self.where}, line {self.at}")
        self.at += 1
        return self.lines[self.at - 1]

    def numbers(self, count: int) -> Array:
        """Return so many numbers, over as many lines as they take; more of them on the last line are refused."""
        found: list[Array] = []
        while sum(len(part) for part in found) < count:
            found.append(numbers_in(self.take(), f"{self.where}, line {self.at}"))
        values = np.concatenate(found) if found else np.empty(0)
        if len(values) != count:
            raise refuse("A line holds more numbers than belong there", given=len(values), allowed=count,
                         where=f"{self.where}, line {self.at}")  # fmt: skip
        return values


def read_egsphant(path: Path, *, alphabet: str | None = None) -> VoxelPhantom:
    """Read an egsphant file; `alphabet` (``egsnrc``, ``egs_brachy``) where its characters do not tell the media."""
    if alphabet is not None and alphabet not in ALPHABETS:
        raise refuse(f"Unknown alphabet of media.{nearest(alphabet, ALPHABETS)}", given=alphabet,
                     allowed=", ".join(ALPHABETS))  # fmt: skip
    lines = Lines([line.rstrip(b"\r") for line in whole_file(path).split(b"\n")], path.name)
    media = _media(lines)
    lines.numbers(len(media))  # ESTEPE
    shape, edges = _voxels(lines)
    numbers, said = _numbers(lines, shape, len(media), alphabet)
    nx, ny, nz = shape
    density = numbers_in(b"\n".join(lines.lines[lines.at :]), path.name)
    if len(density) != nx * ny * nz:
        raise refuse("The densities do not fill the voxels", given=len(density), allowed=nx * ny * nz, where=path.name)
    try:
        return VoxelPhantom(edges, media, numbers, density.reshape(nz, ny, nx), EGSPHANT, assumed=said)
    except InputError as error:
        raise named(error, path.name) from error


def looks_like_egsphant(start: bytes) -> bool:
    """Say whether a file that begins so can be an egsphant file: a count, then a name that is no number."""
    lines = start.splitlines()
    if len(lines) < 2 or not lines[0].strip().isdigit() or not lines[1].strip():
        return False
    try:
        float(lines[1].split()[0])
    except ValueError:
        return True
    return False


def _media(lines: Lines) -> tuple[str, ...]:
    count = lines.take().strip()
    if not count.isdigit() or not 1 <= int(count[:9]) <= MOST_MEDIA:
        raise refuse("An egsphant file begins with its number of media", given=repr(count[:40].decode("latin-1")),
                     allowed=f"1 to {MOST_MEDIA}", where=lines.where)  # fmt: skip
    names = tuple(lines.take().decode("latin-1").strip() for _ in range(int(count)))
    if not all(names):
        raise refuse("A medium of the phantom has no name", where=lines.where)
    return names


def _voxels(lines: Lines) -> tuple[tuple[int, int, int], Edges]:
    shape = voxels_of(lines.numbers(3))
    if shape is None or np.prod(np.array(shape, np.int64)) > sum(len(line) for line in lines.lines):
        raise refuse("The phantom's counts of voxels make no sense, or it is cut off", given=shape, where=lines.where)
    edges = [lines.numbers(n + 1) for n in shape]
    return shape, edges_of_cm(np.concatenate(edges), shape)


def _numbers(
    lines: Lines, shape: tuple[int, int, int], media: int, alphabet: str | None
) -> tuple[NDArray[np.int16], tuple[str, ...]]:
    """Return the number of the medium of each voxel, [z, y, x]."""
    nx, ny, nz = shape
    rows = []
    for _ in range(nz):
        while lines.at < len(lines.lines) and _empty(lines.lines[lines.at], nx, media):
            lines.at += 1
        rows += [_row(lines, nx, media) for _ in range(ny)]
    width = len(rows[0]) // nx
    if any(len(row) != width * nx for row in rows):
        raise refuse("The lines of media have different lengths", where=lines.where)
    marks = np.frombuffer(b"".join(rows), np.uint8).reshape(nz, ny, nx, width)
    if width == 2:
        return _two_digits(marks, lines.where), ("The media were read as numbers of two digits.",)
    name = alphabet or _alphabet(marks, media, lines.where)
    numbers = np.full(256, -1, np.int16)
    for number, character in enumerate(ALPHABETS[name][: media + 1]):
        numbers[ord(character)] = number
    found = numbers[marks[..., 0]]
    if found.min() < 0:
        wrong = chr(int(marks[..., 0][found < 0][0]))
        raise refuse("A voxel has a medium that the phantom does not name", given=repr(wrong),
                     allowed=repr(ALPHABETS[name][: media + 1]), where=lines.where)  # fmt: skip
    return found, (f"The media above 9 were read as {name} counts them.",) if media > 9 else ()


def _empty(line: bytes, nx: int, media: int) -> bool:
    """Say whether a line separates slices; in EGSnrc's alphabet medium 79 is a blank."""
    return not line.strip() and (media < EGSNRC.index(" ") or len(line) < nx)


def _row(lines: Lines, nx: int, media: int) -> bytes:
    """Return a line of media, one or two characters for each voxel."""
    line = lines.take()
    if len(line) >= nx and not line[nx:].strip():
        return line[:nx]
    if media > 9 and len(line.rstrip()) == 2 * nx:
        return line[: 2 * nx]
    words = line.split()
    if len(words) == nx and all(len(word) <= 2 and word.isdigit() for word in words):
        return b"".join(words) if media <= 9 else b"".join(word.rjust(2) for word in words)
    raise refuse("A line of media does not fit the voxels", given=f"{len(line)} characters", allowed=nx,
                 where=f"{lines.where}, line {lines.at}")  # fmt: skip


def _two_digits(marks: NDArray[np.uint8], where: str) -> NDArray[np.int16]:
    digits = np.where(marks == ord(" "), 0, marks.astype(np.int16) - ord("0"))
    if digits.min() < 0 or digits.max() > 9:
        raise refuse("The media of a phantom with two characters for each voxel must be numbers", where=where)
    return np.asarray(digits[..., 0] * 10 + digits[..., 1], np.int16)


def _alphabet(marks: NDArray[np.uint8], media: int, where: str) -> str:
    """Return which alphabet the characters belong to."""
    if media <= 9:
        return "egsnrc"
    there = {chr(mark) for mark in np.unique(marks)}
    able = [name for name, letters in ALPHABETS.items() if there <= set(letters[: media + 1])]
    if len(able) == 1 or (able and not there - set(EGS_BRACHY[:10])):
        return able[0]
    if not able:
        return "egsnrc"
    raise refuse("The characters of the media above 9 can be those of EGSnrc or of egs_brachy",
                 given="".join(sorted(there)), allowed=f"say which: {', '.join(ALPHABETS)}", where=where)  # fmt: skip


def write_egsphant(path: Path, phantom: VoxelPhantom) -> None:
    """Write an egsphant file in EGSnrc's alphabet."""
    if len(phantom.media) > MOST_MEDIA:
        raise refuse("The phantom has too many media for an egsphant file", given=len(phantom.media),
                     allowed=MOST_MEDIA, where=path.name)  # fmt: skip
    wrong = [name for name in phantom.media if not name.strip() or len(name) > NAME_LENGTH or not name.isascii()]
    if wrong:
        raise refuse("A medium's name does not fit an egsphant file", given=wrong[0],
                     allowed=f"1 to {NAME_LENGTH} characters of ASCII", where=path.name)  # fmt: skip
    write_whole(path, lambda to: _write(to, phantom))


def _write(path: Path, phantom: VoxelPhantom) -> None:
    letters = np.array([ord(character) for character in EGSNRC], np.uint8)
    with path.open("w", encoding="ascii") as file:
        file.write(f"{len(phantom.media)}\n" + "".join(f"{name}\n" for name in phantom.media))
        file.write(" ".join([ESTEPE] * len(phantom.media)) + "\n" + " ".join(str(n) for n in phantom.shape) + "\n")
        for edges in phantom.edges_mm:
            file.write(" ".join(f"{e / 10.0:.10g}" for e in edges) + "\n")
        for plane in letters[phantom.numbers]:
            file.writelines(row.tobytes().decode("ascii") + "\n" for row in plane)
            file.write("\n")
        for densities in phantom.density_g_cm3:
            file.writelines(" ".join(f"{rho:.7g}" for rho in row) + "\n" for row in densities.tolist())
            file.write("\n")
