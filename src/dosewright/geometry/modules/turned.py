"""Modules turned with the collimator."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dosewright.core.frame import rotation_about
from dosewright.core.scene import Part
from dosewright.core.shapes import Placement


def turned_about_z(parts: Sequence[Part], degrees: Mapping[str, float]) -> tuple[Part, ...]:
    """Return parts with those that are named turned about the z axis of what they lie in.

    Right-handed about +z: IEC 61217's sense of the beam limiting device where the source is at +z. What lies in a part
    turns with it, so only parts that lie in none of the others should be named.
    """
    return tuple(_turned(part, degrees.get(part.name, 0.0)) for part in parts)


def _turned(part: Part, degrees: float) -> Part:
    if not degrees:
        return part
    turn = rotation_about("z", degrees)
    x, y, z = (float(value) for value in turn @ part.placement.centre_mm)
    return replace(part, placement=Placement((x, y, z), turn @ part.placement.rotation))
