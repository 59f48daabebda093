"""A DICOM data set read attribute by attribute: what cannot be understood becomes a listed problem."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import config
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from dosewright.core.errors import refuse
from dosewright.formats.dicom.conformance import EVERY_OBJECT, Read, declared

MAX_BYTES: Final = 4 * 2**30  # no object of a treatment study is larger
UID: Final = re.compile(r"[0-9.]{1,64}")  # PS3.5 9.1
BINARY: Final[dict[str, np.dtype[np.floating]]] = {"FL": np.dtype("<f4"), "FD": np.dtype("<f8")}


READS: Final = declared(
    EVERY_OBJECT,
    "",
    [Read("SOPClassUID", "makes a file a DICOM object", "test_fuzz.py::test_an_object_without_sop_class")],
)


@contextmanager
def quietly() -> Iterator[None]:
    """Keep pydicom from printing or logging the odd values it meets: they may name a patient."""
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")
        yield


def open_dataset(path: Path, *, pixels: bool = True) -> Dataset:
    """Read a DICOM file, with or without the Part 10 preamble; `InputError` if it is none."""
    try:
        dataset = pydicom.dcmread(path, force=True, stop_before_pixels=not pixels) if looks_like_dicom(path) else {}
    except OSError as problem:
        raise refuse("The file cannot be opened", given=problem.strerror, where=path.name) from None
    except Exception:  # pydicom raises almost any class on damaged files
        raise refuse("The file cannot be read as DICOM", where=path.name) from None
    if "SOPClassUID" not in dataset:
        raise refuse("The file is no DICOM object: it has no SOP Class UID", where=path.name)
    return dataset


def looks_like_dicom(path: Path) -> bool:
    """Say whether a file starts like DICOM: with the Part 10 preamble, or straight with group 0002 or 0008."""
    if path.stat().st_size > MAX_BYTES:
        return False
    with path.open("rb") as file:
        start = file.read(132)
    return start[128:] == b"DICM" or start[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08")


@dataclass(frozen=True)
class Attributes:
    """One data set with the place it came from and the list that its problems go to.

    Every method returns the value, or None (an empty string, an empty tuple) where the attribute is absent, empty or
    unreadable; only the last adds to `problems`.
    """

    dataset: Dataset = field(repr=False)
    where: str
    problems: list[str]

    def problem(self, what: str, *, given: object = None, allowed: object = None) -> None:
        """Add a problem of this data set."""
        self.problems.append(str(refuse(what, given=given, allowed=allowed, where=self.where)))

    def value(self, keyword: str) -> Any:
        """Return the raw value, None if absent, empty or unreadable."""
        if keyword not in self.dataset:
            return None
        try:
            value = self.dataset[keyword].value
            empty = value is None or (hasattr(value, "__len__") and len(value) == 0)
        except Exception:  # pydicom converts late, and raises almost any class on damaged values
            self.problem(f"{keyword} cannot be read")
            return None
        return None if empty else value

    def text(self, keyword: str) -> str:
        """Return the value as one line of text.

        What is no UID where one belongs is a problem that does not show it: it may name a patient.
        """
        value = self.value(keyword)
        if isinstance(value, Sequence | bytes | Dataset):
            self.problem(f"{keyword} must be text")
            return ""
        if isinstance(value, MultiValue | list):
            value = "\\".join(str(part) for part in value)
        text = "" if value is None else " ".join(str(value).replace("\0", " ").split())
        if text and dictionary_VR(keyword) == "UI" and not UID.fullmatch(text):
            self.problem(f"{keyword} is no UID", allowed="digits and dots, at most 64 characters")
            return ""
        return text

    def numbers(self, keyword: str, count: int | None = None) -> NDArray[np.float64] | None:
        """Return the values as finite numbers, shape (n,); `count` is the number wanted."""
        value = self._unconverted(keyword)
        value = self.value(keyword) if value is None else value
        if value is None:
            return None
        if isinstance(value, Sequence | bytes | str | Dataset):
            self.problem(f"{keyword} must be numbers")
            return None
        try:
            found = np.atleast_1d(np.array(value, dtype=np.float64))
        except (TypeError, ValueError, OverflowError):
            self.problem(f"{keyword} must be numbers")
            return None
        if found.ndim != 1 or not np.all(np.isfinite(found)):
            self.problem(f"{keyword} must be finite numbers")
            return None
        if count is not None and len(found) != count:
            self.problem(f"{keyword} has the wrong number of values", given=len(found), allowed=count)
            return None
        return found

    def _unconverted(self, keyword: str) -> Any:
        """Return numbers straight from the file's bytes; None where pydicom must convert them.

        Long lists of decimal strings convert ten times faster this way, and lists beyond 64 kB, which Explicit VR
        can only write as unknown (PS3.5 6.2.2), are understood.
        """
        raw = self.dataset.get_item(keyword) if keyword in self.dataset else None
        if not isinstance(raw, RawDataElement) or not isinstance(raw.value, bytes) or not raw.value:
            return None
        kind = dictionary_VR(raw.tag)
        if kind == "DS" and b"\\" in raw.value:
            return raw.value.strip(b"\0 ").split(b"\\")
        if raw.VR == "UN" and kind in BINARY and len(raw.value) % BINARY[kind].itemsize == 0:
            return np.frombuffer(raw.value, BINARY[kind])
        return None

    def number(self, keyword: str) -> float | None:
        """Return the value as one finite number."""
        found = self.numbers(keyword, 1)
        return None if found is None else float(found[0])

    def integer(self, keyword: str) -> int | None:
        """Return the value as one whole number."""
        found = self.number(keyword)
        if found is None:
            return None
        if found != round(found):
            self.problem(f"{keyword} must be a whole number", given=found)
            return None
        return round(found)

    def items(self, keyword: str) -> tuple["Attributes", ...]:
        """Return the items of a sequence."""
        value = self.value(keyword)
        if value is None:
            return ()
        if not isinstance(value, Sequence):
            self.problem(f"{keyword} must be a sequence")
            return ()
        return tuple(Attributes(item, self.where, self.problems) for item in value)

    def at(self, where: str) -> "Attributes":
        """Return the same data set under a more exact place."""
        return Attributes(self.dataset, f"{self.where}, {where}", self.problems)
