"""Volumes of geometry text as its statements leave them: solids, volumes, placements, rotations."""

from dataclasses import dataclass, field

import numpy as np

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.shapes import Difference, Intersection, Placement, Union
from dosewright.core.solids import Triple
from dosewright.formats.text.gamos.cursor import Cursor
from dosewright.formats.text.gamos.modules import Wheel
from dosewright.formats.text.gamos.rotations import Matrix, own_axes, read_rotation
from dosewright.formats.text.gamos.solids import Made, solid

BOOLEANS: dict[str, type[Union | Difference | Intersection]] = {
    "UNION": Union,
    "SUBTRACTION": Difference,
    "INTERSECTION": Intersection,
}
TAGS = (":SOLID", ":VOLU", ":PLACE", ":ROTM")
MOST_COPY_NUMBER = 10**9


@dataclass(frozen=True)
class Volume:
    """A volume: its solid, or the wheel it is made of, and the name of its material."""

    name: str
    solid: Made | Wheel
    material: str
    where: str


@dataclass(frozen=True)
class Place:
    """One placement: which volume, its copy number, in which mother, R and t."""

    volume: str
    copy: int
    mother: str
    rotation: str
    at_mm: Triple
    where: str


@dataclass
class Volumes:
    """The volumes of a text while it is read."""

    solids: dict[str, Made | Wheel] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    rotations: dict[str, Matrix] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)  # names whose statement could not be read

    def read(self, cursor: Cursor) -> None:
        """Carry out a statement; the name of one that fails is known as refused, so that nobody misses it."""
        tag = cursor.statement.tag
        name = cursor.name("a name")
        try:
            if tag == ":ROTM":
                self._rotation(name, cursor)
            elif tag == ":SOLID":
                self.add_solid(name, self._solid(name, cursor, 0), cursor)
            elif tag == ":VOLU":
                self._volume(name, cursor)
            else:
                self._place(name, cursor)
        except InputError:
            self.refused.add(name)
            raise

    def _rotation(self, name: str, cursor: Cursor) -> None:
        if name in self.rotations:
            raise refuse("A rotation is defined twice", given=repr(name), where=cursor.where)
        self.rotations[name] = read_rotation(cursor)

    def add_solid(self, name: str, made: Made | Wheel, cursor: Cursor) -> None:
        """Add a solid; names are unique."""
        if name in self.solids:
            raise refuse("A solid is defined twice", given=repr(name), where=cursor.where)
        self.solids[name] = made

    def _volume(self, name: str, cursor: Cursor) -> None:
        """Read a volume with a solid of its own, or of one defined before (three words in all)."""
        if name in self.volumes:
            raise refuse("A volume is defined twice", given=repr(name),
                         where=f"{self.volumes[name].where} and {cursor.where}")  # fmt: skip
        if len(cursor.left()) == 2:
            made = self._known_solid(cursor.name("a solid"), cursor)
        else:
            made = self._solid(name, cursor, 1)
            self.add_solid(name, made, cursor)
        material = cursor.name("a material")
        cursor.end()
        self.volumes[name] = Volume(name, made, material, cursor.where)

    def _known_solid(self, name: str, cursor: Cursor) -> Made | Wheel:
        if name in self.solids:
            return self.solids[name]
        if name in self.volumes:
            return self.volumes[name].solid
        if name in self.refused:
            raise InputError
        raise refuse(f"Unknown solid.{nearest(name, self.solids)}", given=repr(name), allowed=":SOLID before it",
                     where=cursor.where)  # fmt: skip

    def _solid(self, name: str, cursor: Cursor, spared: int) -> Made:
        """Return the solid that the following words describe, the last `spared` of them apart."""
        kind = cursor.name("a kind of solid").upper()
        if kind in BOOLEANS:
            made = self._boolean(name, kind, cursor)
            if not spared:
                cursor.end()
            return made
        words = [cursor.word("a size") for _ in cursor.left()[spared:]]
        return solid(kind, name, words, cursor.parameters, cursor.where)

    def _boolean(self, name: str, kind: str, cursor: Cursor) -> Made:
        first, second = (self._known_solid(cursor.name(f"the {which} solid"), cursor) for which in ("first", "second"))
        if isinstance(first, Wheel) or isinstance(second, Wheel):
            raise refuse(f"The solid {name!r} is made of a range modulator, which is not known here",
                         where=cursor.where)  # fmt: skip
        axes = own_axes(self.named_rotation(cursor.name("a rotation"), cursor.where))
        at = np.array(cursor.point_mm()) + axes @ np.array(second.shift_mm) - np.array(first.shift_mm)
        x, y, z = (float(value) for value in at)
        return Made(BOOLEANS[kind](first.shape, second.shape, Placement((x, y, z), axes)), first.shift_mm)

    def named_rotation(self, name: str, where: str) -> Matrix:
        """Return the rotation R of a name."""
        if name in self.rotations:
            return self.rotations[name]
        if name in self.refused:
            raise InputError
        raise refuse(f"Unknown rotation.{nearest(name, self.rotations)}", given=repr(name),
                     allowed=", ".join(self.rotations) or ":ROTM NAME 0 0 0", where=where)  # fmt: skip

    def _place(self, name: str, cursor: Cursor) -> None:
        word = cursor.word("a copy number")
        copy = cursor.parameters.number(word)
        if copy != round(copy) or not abs(copy) <= MOST_COPY_NUMBER:
            raise refuse("A copy number is a whole number", given=word.text, where=word.where)
        mother, rotation = cursor.name("the mother volume"), cursor.name("a rotation")
        place = Place(name, int(copy), mother, rotation, cursor.point_mm(), cursor.where)
        cursor.end()
        if any((one.volume, one.copy, one.mother) == (name, place.copy, mother) for one in self.places):
            raise refuse("A volume is placed twice with the same copy number in the same mother",
                         given=f"{name} {place.copy} in {mother}", where=cursor.where)  # fmt: skip
        self.places.append(place)
