"""Every DICOM attribute that is read and written, gathered from what the readers and writers declare."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.tag import Tag

from dosewright.formats.dicom import (
    attributes,
    beam_devices,
    blocks,
    compensators,
    control_points,
    ct,
    dose,
    folder,
    identity,
    ion_beam,
    ion_plan,
    ion_plan_items,
    leaf_openings,
    meterset,
    orientation,
    pixels,
    range_modulators,
    range_shifters,
    saving,
    structures,
)
from dosewright.formats.dicom.conformance import ANY_OTHER, Read, Write

READERS: Final = (
    attributes,
    folder,
    identity,
    ion_plan,
    ion_beam,
    beam_devices,
    blocks,
    compensators,
    range_modulators,
    range_shifters,
    control_points,
    meterset,
    orientation,
    pixels,
    ct,
    structures,
    dose,
    leaf_openings,
)
WRITERS: Final = (saving, identity, ion_plan, ion_plan_items, ct, structures, dose)
READS: Final[tuple[Read, ...]] = tuple(read for module in READERS for read in module.READS)
WRITES: Final[tuple[Write, ...]] = tuple(write for module in WRITERS for write in module.WRITES)


@dataclass(frozen=True)
class Line:
    """One attribute of one kind of object: its tag, VR and keyword at its depth, and what is declared of it.

    `depth` counts the sequences around. A sequence that nothing is declared of has an empty `use`. For what is written
    `use` is the value, and `assumes` and `tests` are empty.
    """

    tag: str
    vr: str
    keyword: str
    depth: int
    use: str = ""
    assumes: str = ""
    tests: tuple[str, ...] = ()


def lines_read(sop_class_uid: str) -> tuple[Line, ...]:
    """Return what is read of one kind of object, in the order of tags, sequences before their items."""
    rows: dict[str, list[Read]] = {}
    for read in READS:
        if sop_class_uid in read.objects:
            rows.setdefault(read.whole_path, []).append(read)
    return _lines(
        rows,
        lambda path, depth: _line(
            path,
            depth,
            "; ".join(dict.fromkeys(read.use for read in rows[path])),
            "; ".join(dict.fromkeys(read.assumes for read in rows[path] if read.assumes)),
            tuple(dict.fromkeys(read.test_path for read in rows[path])),
        ),
    )


def lines_written(sop_class_uid: str) -> tuple[Line, ...]:
    """Return what is written of one kind of object; of two declarations of one attribute the more special counts."""
    rows = {write.whole_path: write for write in WRITES if sop_class_uid in write.objects}
    return _lines(rows, lambda path, depth: _line(path, depth, rows[path].value))


def _lines(rows: "dict[str, list[Read]] | dict[str, Write]", line: Callable[[str, int], Line]) -> tuple[Line, ...]:
    paths = {"/".join(path.split("/")[:depth]) for path in rows for depth in range(1, path.count("/") + 2)}
    ordered = sorted(paths, key=lambda path: [_tag(keyword) for keyword in path.split("/")])
    return tuple(line(p, p.count("/")) if p in rows else _line(p, p.count("/")) for p in ordered)


def _line(path: str, depth: int, use: str = "", assumes: str = "", tests: tuple[str, ...] = ()) -> Line:
    keyword = path.split("/")[-1]
    if keyword == ANY_OTHER:
        return Line("", "", "any other", depth, use, assumes, tests)
    tag = Tag(_tag(keyword))
    return Line(f"({tag.group:04X},{tag.element:04X})", dictionary_VR(tag), keyword, depth, use, assumes, tests)


def _tag(keyword: str) -> int:
    """Return the tag as a number; what stands for any attribute comes last."""
    tag = tag_for_keyword(keyword)
    return 2**32 if tag is None else int(tag)
