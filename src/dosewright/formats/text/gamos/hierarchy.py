"""The world of geometry text, and the volumes below it with a name for each of their places.

The world is the volume that is placed nowhere and holds others. A volume that is placed several times, or lies in one
that is, has numbered names: by the copy number where that tells them apart, else one after another.
"""

from collections import Counter
from functools import partial
from typing import NamedTuple

import numpy as np

from dosewright.core.errors import nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.shapes import Placement
from dosewright.core.solids import Triple
from dosewright.formats.text.gamos.rotations import own_axes
from dosewright.formats.text.gamos.solids import Made
from dosewright.formats.text.gamos.volumes import Place, Volume, Volumes

MOST_PARTS = 20000


class Instance(NamedTuple):
    """A volume at one of its places below the world."""

    name: str
    volume: Volume
    place: Place
    mother: str | None
    shift_mm: Triple  # of the mother's shape in the mother's own axes


def placement(volumes: Volumes, one: Instance) -> Placement:
    """Return where an instance lies in the axes of its mother's part."""
    axes = own_axes(volumes.named_rotation(one.place.rotation, one.place.where))
    shift = one.volume.solid.shift_mm if isinstance(one.volume.solid, Made) else (0.0, 0.0, 0.0)
    at = np.array(one.place.at_mm) + axes @ np.array(shift) - np.array(one.shift_mm)
    x, y, z = (float(value) for value in at)
    return Placement((x, y, z), axes)


def world_of(volumes: Volumes, mothers_of_modules: set[str]) -> Volume:
    """Return the volume that all others lie in; to be asked where everything was read without a problem."""
    placed = {place.volume for place in volumes.places}
    holding = {place.mother for place in volumes.places} | mothers_of_modules
    free = [name for name in volumes.volumes if name not in placed]
    found = [name for name in free if name in holding] or (free if len(free) == 1 else [])
    if len(found) == 1:
        return volumes.volumes[found[0]]
    if not volumes.volumes:
        raise refuse("The text has no volume", allowed=":VOLU")
    wheres = "; ".join(volumes.volumes[name].where for name in (found or free)[:10])
    raise refuse("Several volumes are placed nowhere and could be the world", given=", ".join((found or free)[:10]),
                 allowed="one", where=wheres)  # fmt: skip


def check_places(volumes: Volumes, problems: list[str]) -> None:
    """List placements of volumes, in mothers or with rotations that are not there, and volumes in themselves."""
    for place in volumes.places:
        mothers = f"{place.volume!r} is placed in a volume that is not there"
        for name, what in ((place.volume, "A volume that is not there is placed"), (place.mother, mothers)):
            if name not in volumes.volumes and name not in volumes.refused:
                problems.append(str(refuse(f"{what}.{nearest(name, volumes.volumes)}", given=repr(name),
                                           allowed=":VOLU", where=place.where)))  # fmt: skip
        tried(partial(volumes.named_rotation, place.rotation, place.where), problems)
    _circles(volumes, problems)


def _circles(volumes: Volumes, problems: list[str]) -> None:
    """List volumes that lie in each other."""
    mothers: dict[str, set[str]] = {}
    for place in volumes.places:
        mothers.setdefault(place.volume, set()).add(place.mother)
    left = dict(mothers)
    while able := [name for name, above in left.items() if not above & set(left)]:
        for name in able:
            del left[name]
    if left:
        wheres = "; ".join(place.where for place in volumes.places if place.volume in left)
        problems.append(str(refuse("Volumes are placed in each other in a circle", given=", ".join(left),
                                   where=wheres)))  # fmt: skip


def below(volumes: Volumes, world: Volume) -> list[Instance]:
    """Return all volumes below the world with their names, mothers before what lies in them."""
    found: list[tuple[Volume, Place, int | None]] = []  # with the position of the mother in this list
    by_mother: dict[str, list[Place]] = {}
    for place in volumes.places:
        by_mother.setdefault(place.mother, []).append(place)
    level: list[tuple[str, int | None]] = [(world.name, None)]
    while level:
        following: list[tuple[str, int | None]] = []
        for mother, at in level:
            for place in by_mother.get(mother, []):
                if place.volume not in volumes.volumes:
                    continue
                following.append((place.volume, len(found)))
                found.append((volumes.volumes[place.volume], place, at))
            if len(found) > MOST_PARTS:
                raise refuse("Volumes in volumes make too many parts", allowed=f"{MOST_PARTS} at most",
                             where=world.where)  # fmt: skip
        level = following
    return _instances(found)


def _instances(found: list[tuple[Volume, Place, int | None]]) -> list[Instance]:
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
