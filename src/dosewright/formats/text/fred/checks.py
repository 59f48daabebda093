"""What the objects of a FRED input must fulfil together."""

from collections.abc import Sequence

from dosewright.core.errors import nearest, refuse
from dosewright.formats.text.fred.media import HuRow
from dosewright.formats.text.fred.pencil_beams import PencilBeam
from dosewright.formats.text.fred.places import ROOM, Box, Field, Region

RESERVED = (ROOM, "global", "local", "self", "all", "pb", "none")


def check_hu_table(regions: Sequence[Region], rows: Sequence[HuRow], internal: bool, problems: list[str]) -> None:
    """Tell a HU table that is missing, there twice, or too short for the material of a region."""
    users = [one for one in regions if one.ct is not None or one.hounsfield is not None]
    if rows and internal:
        problems += refuse("The input has a HU table and asks for FRED's own", given="lUseInternalHU2Mat = t",
                           allowed="one of them", where=rows[0].where).problems  # fmt: skip
    if users and not rows and not internal:
        problems += refuse(f"Region {users[0].box.name} needs a HU table", where=users[0].box.where,
                           allowed="matColumns: and mat:, or lUseInternalHU2Mat = t").problems  # fmt: skip
    for one in users:
        hu = one.hounsfield
        if hu is not None and rows and not rows[0].hounsfield <= hu <= rows[-1].hounsfield:
            reach = f"{rows[0].hounsfield:g} to {rows[-1].hounsfield:g}"
            problems += refuse(f"The HU table does not reach the material of region {one.box.name}",
                               given=f"HU{hu:+g}", allowed=reach, where=one.box.where).problems  # fmt: skip


def check_boxes(boxes: Sequence[Box], problems: list[str]) -> None:
    """Tell names that are taken, or mean something else in a delivery."""
    seen: set[str] = set()
    for box in boxes:
        if box.name.casefold() in seen or box.name.casefold() in RESERVED:
            problems += refuse("A name cannot be that of a region", given=box.name, where=box.where,
                               allowed="each name once, none of " + ", ".join(RESERVED)).problems  # fmt: skip
        seen.add(box.name.casefold())


def check_beams(beams: Sequence[PencilBeam], fields: Sequence[Field], problems: list[str], *, complete: bool) -> None:
    """Tell pencil beams defined twice, and those without a field; not these where a field may not have been read."""
    ids = {one.id for one in fields}
    seen: set[tuple[str, str]] = set()
    for beam in beams:
        if beam.field not in ids and complete:
            hint = nearest(beam.field, ids)
            problems += refuse(f"A pencil beam belongs to an unknown field.{hint}", given=beam.field,
                               allowed=", ".join(sorted(ids)[:20]), where=beam.where).problems  # fmt: skip
        if (beam.field, beam.id) in seen:
            problems += refuse("A pencil beam is defined twice", given=f"pb {beam.id} of field {beam.field}",
                               where=beam.where).problems  # fmt: skip
        seen.add((beam.field, beam.id))
