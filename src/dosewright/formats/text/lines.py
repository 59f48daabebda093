"""Text files as numbered lines, numbers with a place, and hashes."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

from dosewright.core.errors import InputError, nearest, refuse

LARGEST_TEXT_BYTES = 50_000_000  # no table of this kind is larger; a wrong file should not fill the memory


@dataclass(frozen=True)
class Line:
    """One line that says something: its place and its text, without comment and outer blanks."""

    path: Path
    number: int
    text: str

    @property
    def where(self) -> str:
        """File name and line number, for messages."""
        return f"{self.path.name}, line {self.number}"


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, refusing what is missing, a folder, or far too large."""
    try:
        if path.stat().st_size > LARGEST_TEXT_BYTES:
            raise refuse("The file is too large for a text table", given=f"{path.stat().st_size} bytes", where=path)
        return path.read_bytes()
    except FileNotFoundError as error:
        hint = nearest(path.name, [one.name for one in path.parent.glob("*")])
        raise refuse(f"The file cannot be read.{hint}", given="no such file", where=path) from error
    except OSError as error:
        raise refuse("The file cannot be read", given=error.strerror, where=path) from error
    except ValueError as error:
        raise refuse("The file cannot be read", given="no name of a file", where=repr(str(path))) from error


def read_text(path: Path) -> str:
    """Return a text file, in UTF-8 (with or without mark) or else in Latin-1; binary content is refused."""
    data = read_bytes(path)
    if b"\0" in data:
        raise refuse("The file is not a text file", where=path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def content_lines(path: Path, *, comment: str = "#") -> list[Line]:
    """Return the lines of a text file that say something, comments cut off."""
    lines = []
    for number, text in enumerate(read_text(path).splitlines(), start=1):
        content = text.split(comment, 1)[0].strip()
        if content:
            lines.append(Line(path, number, content))
    return lines


def number(text: str, where: str, what: str = "a number") -> float:
    """Return a finite number, or refuse with its place."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise refuse(f"Expected {what}", given=repr(text), where=where)
    return value


def sha256(*paths: Path) -> str:
    """Return the SHA-256 of a file, or of several ones after another."""
    return hashlib.sha256(b"".join(read_bytes(path) for path in paths)).hexdigest()


def numeric_rows(path: Path, columns: int, *, separator: str | None = None) -> list[tuple[Line, list[float]]]:
    """Return the rows of a table of numbers with a fixed number of columns; all bad rows are listed together."""
    rows: list[tuple[Line, list[float]]] = []
    problems: list[str] = []
    for line in content_lines(path):
        words = [w for w in (line.text.split(separator) if separator else line.text.split()) if w.strip()]
        try:
            if len(words) != columns:
                raise refuse(f"Expected {columns} columns", given=repr(line.text), where=line.where)
            rows.append((line, [number(w, line.where) for w in words]))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    if not rows:
        raise refuse("The table is empty", where=path)
    return rows
