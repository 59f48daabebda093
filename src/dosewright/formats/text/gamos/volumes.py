"""Volumes of geometry text: solids, volumes, placements; and the parts that they make below the world.

The world is the volume that is placed nowhere and holds others: its material fills the scene. A volume that is placed
several times, or lies in one that is, makes parts of numbered names: by the copy number where that tells them apart,
else one after another.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
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
MOST_PARTS = 20000
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


class Instance(NamedTuple):
    """A volume at one of its places below the world."""

    name: str
    volume: Volume
    place: Place
    mother: str | None
    shift_mm: Triple  # of the mother's shape in the mother's own axes


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
        axes = own_axes(self._named_rotation(cursor.name("a rotation"), cursor.where))
        at = np.array(cursor.point_mm()) + axes @ np.array(second.shift_mm) - np.array(first.shift_mm)
        x, y, z = (float(value) for value in at)
        return Made(BOOLEANS[kind](first.shape, second.shape, Placement((x, y, z), axes)), first.shift_mm)

    def _named_rotation(self, name: str, where: str) -> Matrix:
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

    def placement(self, one: Instance) -> Placement:
        """Return where an instance lies in the axes of its mother's part."""
        axes = own_axes(self._named_rotation(one.place.rotation, one.place.where))
        shift = one.volume.solid.shift_mm if isinstance(one.volume.solid, Made) else (0.0, 0.0, 0.0)
        at = np.array(one.place.at_mm) + axes @ np.array(shift) - np.array(one.shift_mm)
        x, y, z = (float(value) for value in at)
        return Placement((x, y, z), axes)

    def world(self, mothers_of_modules: set[str]) -> Volume:
        """Return the volume that all others lie in; to be asked where everything was read without a problem."""
        placed = {place.volume for place in self.places}
        holding = {place.mother for place in self.places} | mothers_of_modules
        free = [name for name in self.volumes if name not in placed]
        found = [name for name in free if name in holding] or (free if len(free) == 1 else [])
        if len(found) == 1:
            return self.volumes[found[0]]
        if not self.volumes:
            raise refuse("The text has no volume", allowed=":VOLU")
        wheres = "; ".join(self.volumes[name].where for name in (found or free)[:10])
        raise refuse("Several volumes are placed nowhere and could be the world", given=", ".join((found or free)[:10]),
                     allowed="one", where=wheres)  # fmt: skip

    def check_places(self, problems: list[str]) -> None:
        """List placements of volumes, in mothers or with rotations that are not there, and volumes in themselves."""
        for place in self.places:
            mothers = f"{place.volume!r} is placed in a volume that is not there"
            for name, what in ((place.volume, "A volume that is not there is placed"), (place.mother, mothers)):
                if name not in self.volumes and name not in self.refused:
                    problems.append(str(refuse(f"{what}.{nearest(name, self.volumes)}", given=repr(name),
                                               allowed=":VOLU", where=place.where)))  # fmt: skip
            tried(partial(self._named_rotation, place.rotation, place.where), problems)
        self._circles(problems)

    def _circles(self, problems: list[str]) -> None:
        """List volumes that lie in each other."""
        mothers: dict[str, set[str]] = {}
        for place in self.places:
            mothers.setdefault(place.volume, set()).add(place.mother)
        left = dict(mothers)
        while able := [name for name, above in left.items() if not above & set(left)]:
            for name in able:
                del left[name]
        if left:
            wheres = "; ".join(place.where for place in self.places if place.volume in left)
            problems.append(str(refuse("Volumes are placed in each other in a circle", given=", ".join(left),
                                       where=wheres)))  # fmt: skip

    def below(self, world: Volume) -> list[Instance]:
        """Return all volumes below the world with their names, mothers before what lies in them."""
        found: list[tuple[Volume, Place, int | None]] = []  # with the position of the mother in this list
        by_mother: dict[str, list[Place]] = {}
        for place in self.places:
            by_mother.setdefault(place.mother, []).append(place)
        level: list[tuple[str, int | None]] = [(world.name, None)]
        while level:
            following: list[tuple[str, int | None]] = []
            for mother, at in level:
                for place in by_mother.get(mother, []):
                    if place.volume not in self.volumes:
                        continue
                    following.append((place.volume, len(found)))
                    found.append((self.volumes[place.volume], place, at))
                if len(found) > MOST_PARTS:
                    raise refuse("Volumes in volumes make too many parts", allowed=f"{MOST_PARTS} at most",
                                 where=world.where)  # fmt: skip
            level = following
        return self._instances(found)

    def _instances(self, found: list[tuple[Volume, Place, int | None]]) -> list[Instance]:
        times = Counter(volume.name for volume, _, _ in found)
        copies = Counter((volume.name, place.copy) for volume, place, _ in found)
        numbered = {name for (name, _), count in copies.items() if count > 1}
        running: Counter[str] = Counter()
        instances: list[Instance] = []
        for volume, place, at in found:
            running[volume.name] += 1
            number = running[volume.name] if volume.name in numbered else place.copy
            name = volume.name if times[volume.name] == 1 else f"{volume.name} {number}"
            mother = None if at is None else instances[at]
            above = mother.volume.solid if mother else None
            shift = above.shift_mm if isinstance(above, Made) else (0.0, 0.0, 0.0)
            instances.append(Instance(name, volume, place, mother.name if mother else None, shift))
        return instances
