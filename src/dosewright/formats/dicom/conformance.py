"""What the readers and writers declare about each DICOM attribute, next to the code that uses it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from dosewright.formats.dicom.sop_classes import CT_IMAGE, RT_DOSE, RT_ION_PLAN, RT_STRUCTURE_SET

EVERY_OBJECT: Final = (RT_ION_PLAN, CT_IMAGE, RT_STRUCTURE_SET, RT_DOSE)

ANY_OTHER: Final = "*"  # in the place of a keyword: whatever else the object has


@dataclass(frozen=True)
class Read:
    """One attribute that is read.

    `path` holds the keywords from `within` down, joined by ``/``; `use` says what the value is for and what is refused;
    `assumes` what is taken where it is absent; `test` names the test that proves it, in ``tests/formats/dicom`` unless
    it names another folder of ``tests``. `objects` are the SOP classes, `within` the sequences around.
    """

    path: str
    use: str
    test: str
    assumes: str = ""
    objects: tuple[str, ...] = ()
    within: str = ""

    @property
    def whole_path(self) -> str:
        """The keywords from the object down."""
        return f"{self.within}/{self.path}" if self.within else self.path

    @property
    def test_path(self) -> str:
        """The test as pytest takes it, from the root of the repository."""
        return f"tests/{self.test}" if "/" in self.test else f"tests/formats/dicom/{self.test}"


@dataclass(frozen=True)
class Write:
    """One attribute that is written: `path` as in `Read`, and its `value`."""

    path: str
    value: str
    objects: tuple[str, ...] = ()
    within: str = ""

    @property
    def whole_path(self) -> str:
        """The keywords from the object down."""
        return f"{self.within}/{self.path}" if self.within else self.path


Row = TypeVar("Row", Read, Write)


def declared(objects: tuple[str, ...], within: str, rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return the rows placed inside some kinds of objects."""
    return tuple(replace(row, objects=objects, within=within) for row in rows)
