"""Volumes of a GATE macro, placed and repeated as GATE does it.

A volume turns about its own origin by the angle, right-handed about the axis, and is then moved along the axes of its
mother; repeaters move its copies along the same axes, centred unless ``autoCenter`` is off. Cylinders lie along z. All
lengths are full lengths. (Behaviour of the classes GateVolumePlacement, GateLinearRepeater, GateArrayRepeater,
GateCylinder, GateTrpd of GATE 8 and 9.)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.solids import Box, Frustum, Shape, Solid, Tube
from dosewright.formats.text.lines import number

Named = Callable[[str], Material]
Vector = NDArray[np.float64]
WORLD = "world"
LENGTHS_MM = {"nm": 1e-6, "um": 1e-3, "mm": 1.0, "cm": 10.0, "dm": 100.0, "m": 1e3}
LENGTHS_MM |= {"micrometer": 1e-3, "millimeter": 1.0, "centimeter": 10.0, "meter": 1e3}
ANGLES_DEG = {"deg": 1.0, "degree": 1.0, "rad": 180.0 / np.pi, "radian": 180.0 / np.pi, "mrad": 0.18 / np.pi}
YES = {"1": True, "y": True, "yes": True, "t": True, "true": True}
YES |= {"0": False, "n": False, "no": False, "f": False, "false": False}
SHAPES: dict[str, dict[str, float | None]] = {  # setter: what GATE takes where it is missing; None: must be given
    "box": dict.fromkeys(("setXLength", "setYLength", "setZLength")),
    "cylinder": {"setRmin": 0.0, "setRmax": None, "setHeight": None, "setPhiStart": 0.0, "setDeltaPhi": 360.0},
    "trpd": dict.fromkeys(("setX1Length", "setY1Length", "setX2Length", "setY2Length", "setZLength"))
    | dict.fromkeys(
        ("setXBoxLength", "setYBoxLength", "setZBoxLength", "setXBoxPos", "setYBoxPos", "setZBoxPos"), 10.0
    ),
}
ANGLE_SETTERS = ("setPhiStart", "setDeltaPhi")
SIGNED_SETTERS = ("setXBoxPos", "setYBoxPos", "setZBoxPos", "setPhiStart")
REPEATERS = ("linear", "cubicArray")
ALIGNED = {
    "alignToX": ((0.0, 1.0, 0.0), 90.0),
    "alignToY": ((1.0, 0.0, 0.0), -90.0),
    "alignToZ": ((0.0, 0.0, 1.0), 0.0),
}
MOST_COPIES = 20000
DEEPEST = 20
TOUCHING_MM = 1e-6  # faces that touch may differ by rounding


@dataclass
class Repeater:
    """Copies along the mother's axes."""

    kind: str
    counts: list[int] = field(default_factory=lambda: [1, 1, 1])
    step_mm: Vector = field(default_factory=lambda: np.zeros(3))
    centred: bool = True

    def offsets(self) -> list[Vector]:
        """Return where the copies lie, from the one that is repeated."""
        if self.kind == "linear":
            first = 0.5 * (1 - self.counts[0]) if self.centred else 0.0
            return [(first + i) * self.step_mm for i in range(self.counts[0])]
        first3 = 0.5 * (1.0 - np.array(self.counts)) if self.centred else np.zeros(3)
        x, y, z = (range(n) for n in self.counts)
        return [(first3 + np.array([i, j, k])) * self.step_mm for k, j, i in product(z, y, x)]


@dataclass
class Volume:
    """A volume of a macro as its commands left it; `values` in mm and degrees by the name of their setter."""

    name: str
    shape: str
    mother: str
    where: str
    material: str = ""
    values: dict[str, float] = field(default_factory=dict)
    translation_mm: Vector = field(default_factory=lambda: np.zeros(3))
    axis: Vector = field(default_factory=lambda: np.zeros(3))
    angle_deg: float = 0.0
    repeaters: dict[str, Repeater] = field(default_factory=dict)


@dataclass
class Geometry:
    """The volumes of a macro while it is read."""

    volumes: dict[str, Volume] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)  # name for the next volume, or repeater, of a volume

    def command(self, path: list[str], words: list[str], where: str) -> str:
        """Carry out ``/gate/<volume>/...``; return what it is where it has no effect here, else nothing."""
        name, rest = path[0], path[1:]
        if not rest or (name != WORLD and name not in self.volumes):
            raise refuse(f"Unknown volume.{nearest(name, self.volumes)}", given=name,
                         allowed=", ".join([WORLD, *self.volumes]), where=where)  # fmt: skip
        if rest[0] in ("vis", "describe", "attachCrystalSD", "attachPhantomSD"):
            return "" if rest[0] == "vis" else "detectors and printing"
        if rest[0] == "daughters" and len(rest) == 2:
            self._daughter(name, rest[1], words, where)
        elif name == WORLD:
            return _of_world(rest, words, where)
        else:
            self._of_volume(self.volumes[name], rest, words, where)
        return ""

    def _daughter(self, mother: str, action: str, words: list[str], where: str) -> None:
        (word,) = _exactly(words, 1, "one word", where)
        if action == "name":
            self.pending[mother] = word
        elif action == "insert":
            if word not in SHAPES:
                raise refuse(f"The shape of a volume is not known here.{nearest(word, SHAPES)}", given=word,
                             allowed=", ".join(SHAPES), where=where)  # fmt: skip
            name = self.pending.pop(mother, word)
            if name in self.volumes or name == WORLD:
                first = self.volumes[name].where if name in self.volumes else "it is the world"
                raise refuse(f"The volume {name!r} is inserted twice", given=f"first: {first}", where=where)
            self.volumes[name] = Volume(name, word, mother, where)
        else:
            raise refuse("Unknown command for daughters", given=action, allowed="name, insert", where=where)

    def _of_volume(self, volume: Volume, rest: list[str], words: list[str], where: str) -> None:
        if rest == ["setMaterial"]:
            (volume.material,) = _exactly(words, 1, "the name of a material", where)
        elif rest[0] == "geometry" and len(rest) == 2:
            _size(volume, rest[1], words, where)
        elif rest[0] == "placement" and len(rest) == 2:
            _placement(volume, rest[1], words, where)
        elif rest[0] == "repeaters" and len(rest) == 2:
            self._repeater(volume, rest[1], words, where)
        elif rest[0] in volume.repeaters and len(rest) == 2:
            _repetition(volume.repeaters[rest[0]], rest[1], words, where)
        else:
            known = ("setMaterial", "geometry", "placement", "repeaters", "daughters", "vis", *volume.repeaters)
            raise refuse(f"A command that may shape the beam is not known here.{nearest(rest[0], known)}",
                         given="/".join(rest), allowed=", ".join(known), where=where)  # fmt: skip

    def _repeater(self, volume: Volume, action: str, words: list[str], where: str) -> None:
        (word,) = _exactly(words, 1, "one word", where)
        key = f"{volume.name}/repeaters"
        if action == "name":
            self.pending[key] = word
            return
        if action != "insert" or word not in REPEATERS:
            raise refuse(f"This repeater is not known here.{nearest(word, REPEATERS)}", given=f"{action} {word}",
                         allowed=", ".join(f"insert {one}" for one in REPEATERS), where=where)  # fmt: skip
        name, count = self.pending.pop(key, word), 1
        while name in volume.repeaters:  # GATE counts on: linear, linear2, linear3
            count += 1
            name = f"{word}{count}"
        volume.repeaters[name] = Repeater(word)


def _exactly(words: list[str], count: int, what: str, where: str) -> list[str]:
    if len(words) != count:
        raise refuse("A command has another number of values than it needs", given=" ".join(words) or "nothing",
                     allowed=what, where=where)  # fmt: skip
    return words


def in_units(words: list[str], units: dict[str, float], where: str, count: int = 1) -> Vector:
    """Return numbers followed by their unit, converted."""
    what = "a number" if count == 1 else f"{count} numbers"
    names = ", ".join(units)
    if len(words) != count + 1 or words[-1] not in units:
        unit = words[-1] if len(words) == count + 1 else ""
        raise refuse(f"Expected {what} and a unit.{nearest(unit, units)}", given=" ".join(words) or "nothing",
                     allowed=names, where=where)  # fmt: skip
    return np.array([number(word, where) for word in words[:-1]]) * units[words[-1]]


def _whole(words: list[str], where: str) -> int:
    (word,) = _exactly(words, 1, "a whole number from 1", where)
    count = number(word, where, "a whole number from 1")
    if count != int(count) or not 1 <= count <= MOST_COPIES:
        raise refuse("A number of copies is not possible", given=word, allowed=f"1 to {MOST_COPIES}", where=where)
    return int(count)


def truth(word: str, where: str) -> bool:
    """Return what a macro means by a word for yes or no."""
    if word.casefold() not in YES:
        raise refuse(
            f"Expected true or false.{nearest(word, YES)}", given=repr(word), allowed="true, false", where=where
        )
    return YES[word.casefold()]


def _of_world(rest: list[str], words: list[str], where: str) -> str:
    """Accept what IDEAL's own world is made of: a box of air."""
    if rest == ["setMaterial"] and words and words[0].casefold() in ("air", "g4_air"):
        return "the world is air"
    if rest[0] == "geometry" and len(rest) == 2 and rest[1] in SHAPES["box"]:
        return "the world has no end here"
    raise refuse("The world cannot be changed", given="/".join(rest) + " " + " ".join(words),
                 allowed="setMaterial Air or G4_AIR, geometry/set[XYZ]Length, daughters", where=where)  # fmt: skip


def _size(volume: Volume, setter: str, words: list[str], where: str) -> None:
    known = SHAPES[volume.shape]
    if setter not in known:
        raise refuse(f"A {volume.shape} has no such size.{nearest(setter, known)}", given=setter,
                     allowed=", ".join(known), where=where)  # fmt: skip
    (value,) = in_units(words, ANGLES_DEG if setter in ANGLE_SETTERS else LENGTHS_MM, where)
    if setter not in SIGNED_SETTERS and (value < 0 or (value == 0 and known[setter] is None)):
        raise refuse(f"{setter} of {volume.name!r} must be positive", given=" ".join(words), where=where)
    volume.values[setter] = float(value)


def _placement(volume: Volume, setter: str, words: list[str], where: str) -> None:
    if setter == "setTranslation":
        volume.translation_mm = in_units(words, LENGTHS_MM, where, 3)
    elif setter == "setRotationAxis":
        axis = np.array([number(word, where) for word in _exactly(words, 3, "three numbers", where)])
        length = float(np.linalg.norm(axis))
        if not 1e-9 < length < 1e9:
            raise refuse("A rotation axis needs a length", given=" ".join(words), where=where)
        volume.axis = axis / length
    elif setter == "setRotationAngle":
        (volume.angle_deg,) = in_units(words, ANGLES_DEG, where)
    elif setter in ALIGNED:
        axis_of, volume.angle_deg = ALIGNED[setter]
        volume.axis = np.array(axis_of)
    else:
        known = ("setTranslation", "setRotationAxis", "setRotationAngle", *ALIGNED)
        raise refuse(f"This placement is not known here.{nearest(setter, known)}", given=setter,
                     allowed=", ".join(known), where=where)  # fmt: skip


def _repetition(repeater: Repeater, setter: str, words: list[str], where: str) -> None:
    counts = ("setRepeatNumber",) if repeater.kind == "linear" else tuple(f"setRepeatNumber{axis}" for axis in "XYZ")
    known = (*counts, "setRepeatVector", "autoCenter")
    if setter in counts:
        repeater.counts[counts.index(setter)] = _whole(words, where)
    elif setter == "setRepeatVector":
        repeater.step_mm = in_units(words, LENGTHS_MM, where, 3)
    elif setter == "autoCenter":
        repeater.centred = truth(words[0], where) if words else True
    else:
        raise refuse(f"This repetition is not known here.{nearest(setter, known)}", given=setter,
                     allowed=", ".join(known), where=where)  # fmt: skip


# From volumes to solids ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where the origin of a volume lies in the room, how its axes are turned, and in which volume of which material."""

    centre: Vector
    rotation: Vector
    material: Material | None = None
    half_size: Vector | None = None


def placed_solids(volumes: dict[str, Volume], named: Named) -> tuple[Solid, ...]:
    """Return all volumes in the axes of the world, mothers before their daughters; all problems are listed."""
    problems: list[str] = []
    materials = {one.name: tried(partial(_material, one, named), problems) for one in volumes.values()}
    shapes = {one.name: tried(partial(_shape, one), problems) for one in volumes.values()}
    for one in volumes.values():
        if one.angle_deg % 360 and not one.axis.any():
            what = f"The volume {one.name!r} turns without an axis"
            problems.append(str(refuse(what, allowed="placement/setRotationAxis x y z", where=one.where)))
    if problems:
        raise InputError(*problems)
    found: list[Solid] = []
    start = Place(np.zeros(3), np.eye(3))
    _inside(WORLD, start, volumes, materials, shapes, found, 0)
    return tuple(found)


def _material(volume: Volume, named: Named) -> Material:
    if not volume.material:
        raise refuse(f"The volume {volume.name!r} has no material", allowed=f"/gate/{volume.name}/setMaterial",
                     where=volume.where)  # fmt: skip
    try:
        return named(volume.material)
    except InputError as error:
        raise InputError(*(f"{problem} Where: {volume.where}." for problem in error.problems)) from error


def _shape(volume: Volume) -> Shape:
    missing = [one for one, usual in SHAPES[volume.shape].items() if usual is None and one not in volume.values]
    if missing:
        raise refuse(f"The size of the volume {volume.name!r} is not complete", given=f"no {', '.join(missing)}",
                     where=volume.where)  # fmt: skip
    value = {one: usual or 0.0 for one, usual in SHAPES[volume.shape].items()} | volume.values
    if volume.shape == "box":
        return Box((value["setXLength"], value["setYLength"], value["setZLength"]))
    if volume.shape == "trpd":
        lower, upper = (value["setX1Length"], value["setY1Length"]), (value["setX2Length"], value["setY2Length"])
        return Frustum(lower, upper, value["setZLength"])
    inner, outer, sweep = value["setRmin"], value["setRmax"], min(value["setDeltaPhi"], 360.0)
    if inner >= outer or sweep <= 0:
        given = f"Rmin {inner:g} mm, Rmax {outer:g} mm, DeltaPhi {sweep:g} deg"
        raise refuse(f"The cylinder {volume.name!r} holds nothing", given=given, where=volume.where)
    return Tube(outer, value["setHeight"], inner, value["setPhiStart"], sweep)


def _inside(
    mother: str,
    place: Place,
    volumes: dict[str, Volume],
    materials: dict[str, Material | None],
    shapes: dict[str, Shape | None],
    found: list[Solid],
    depth: int,
) -> None:
    """Add the daughters of a volume, each with its own; those with a cavity first, for the cavity is the mother's."""
    if depth > DEEPEST:
        raise refuse("Volumes lie in each other too deeply", allowed=f"{DEEPEST} levels", where=volumes[mother].where)
    daughters = [one for one in volumes.values() if one.mother == mother]
    for one in sorted(daughters, key=lambda volume: volume.shape != "trpd"):
        shape, material = shapes[one.name], materials[one.name]
        if shape is None or material is None:
            continue
        for name, local in _copies(one):
            _check_fits(one, shape, local, place)
            centre = place.centre + place.rotation @ local.centre
            rotation = place.rotation @ local.rotation
            found.append(_solid(name, shape, material, centre, rotation))
            found.extend(_cavity(one, name, shape, place, centre, rotation))
            if len(found) > MOST_COPIES:
                raise refuse("The macro makes too many volumes", allowed=f"{MOST_COPIES}", where=one.where)
            inner = Place(centre, rotation, material, half_extents(shape, np.eye(3)))
            _inside(one.name, inner, volumes, materials, shapes, found, depth + 1)


def _solid(name: str, shape: Shape, material: Material | None, centre: Vector, rotation: Vector) -> Solid:
    density = material.density_g_cm3 if material else 0.0
    return Solid(name, shape, material, density, (float(centre[0]), float(centre[1]), float(centre[2])), rotation)


def _copies(volume: Volume) -> Iterator[tuple[str, Place]]:
    """Give the copies of a volume, in its mother's axes."""
    rotation = _turned(volume.axis, volume.angle_deg)
    centres = [volume.translation_mm]
    for repeater in volume.repeaters.values():
        if len(centres) * int(np.prod(repeater.counts)) > MOST_COPIES:
            raise refuse(
                f"The volume {volume.name!r} has too many copies", allowed=f"{MOST_COPIES}", where=volume.where
            )
        centres = [centre + offset for centre in centres for offset in repeater.offsets()]
    for count, centre in enumerate(centres):
        yield (volume.name if len(centres) == 1 else f"{volume.name}[{count}]"), Place(centre, rotation)


def _turned(axis: Vector, angle_deg: float) -> Vector:
    """Return the right-handed rotation about an axis of length one (Rodrigues' formula)."""
    angle = np.radians(angle_deg)
    cross = np.array([[0.0, -axis[2], axis[1]], [axis[2], 0.0, -axis[0]], [-axis[1], axis[0], 0.0]])
    turned: Vector = np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)
    return turned


def half_extents(shape: Shape, rotation: Vector) -> Vector:
    """Return half the size of the box, along the outer axes, around a turned shape; mm."""
    if isinstance(shape, Box):
        half: Vector = np.abs(rotation) @ (0.5 * np.array(shape.size_mm))
        return half
    if isinstance(shape, Tube):
        along = np.abs(rotation[:, 2])
        across = np.sqrt(np.maximum(0.0, 1.0 - along**2))
        return np.asarray(shape.radius_mm * across + 0.5 * shape.length_mm * along)
    if isinstance(shape, Frustum):
        faces = ((-0.5, shape.lower_mm), (0.5, shape.upper_mm))
        corners = [(sx * x / 2, sy * y / 2, z * shape.length_mm)
                   for z, (x, y) in faces for sx in (-1, 1) for sy in (-1, 1)]  # fmt: skip
        return np.asarray(np.abs(np.array(corners) @ rotation.T).max(axis=0))
    reach = float(np.linalg.norm(shape.outline_mm, axis=1).max())
    return np.full(3, np.hypot(reach, 0.5 * shape.length_mm))


def _check_fits(volume: Volume, shape: Shape, local: Place, mother: Place) -> None:
    """Refuse a daughter that sticks out of the box around its mother: GATE would track it only in part."""
    if mother.half_size is None:
        return
    if isinstance(shape, Tube) and shape.sweep_deg < 360.0:
        over = np.abs(local.centre + _sector_edge(shape) @ local.rotation.T).max(axis=0) - mother.half_size
    else:
        over = np.abs(local.centre) + half_extents(shape, local.rotation) - mother.half_size
    if np.any(over > TOUCHING_MM):
        raise refuse(f"The volume {volume.name!r} sticks out of its mother {volume.mother!r}",
                     given=f"by {over.max():g} mm along {'xyz'[int(over.argmax())]}", where=volume.where)  # fmt: skip


def _sector_edge(tube: Tube) -> Vector:
    """Return points (n, 3) on the outer edges of a part of a cylinder."""
    angle = np.radians(np.linspace(tube.start_deg, tube.start_deg + tube.sweep_deg, 73))
    ring = np.stack([tube.radius_mm * np.cos(angle), tube.radius_mm * np.sin(angle)], axis=1)
    return np.concatenate([np.column_stack([ring, np.full(len(ring), z * tube.length_mm)]) for z in (-0.5, 0.5)])


def _cavity(volume: Volume, name: str, shape: Shape, mother: Place, centre: Vector, rotation: Vector) -> list[Solid]:
    """Return the box that GATE cuts out of every trpd, where it meets it: a solid of the mother's material."""
    if not isinstance(shape, Frustum):
        return []
    usual = SHAPES["trpd"]
    size = np.array([volume.values.get(f"set{axis}BoxLength", usual[f"set{axis}BoxLength"]) for axis in "XYZ"], float)
    middle = np.array([volume.values.get(f"set{axis}BoxPos", usual[f"set{axis}BoxPos"]) for axis in "XYZ"], float)
    outer = half_extents(shape, np.eye(3))
    if np.any(size <= 0) or np.any(np.abs(middle) - 0.5 * size >= outer - TOUCHING_MM):
        return []
    z = np.clip(middle[2] + np.array([-0.5, 0.5]) * size[2], -outer[2], outer[2])
    upper = z / shape.length_mm + 0.5
    room = np.array([(1.0 - u) * np.array(shape.lower_mm) + u * np.array(shape.upper_mm) for u in upper]).min(axis=0)
    if np.any(np.abs(middle[:2]) + 0.5 * size[:2] > 0.5 * room + TOUCHING_MM):
        given = "the box that GATE cuts out of a trpd (setXBoxLength, setXBoxPos ..., else 10 mm at 10 mm)"
        raise refuse(f"The cavity of {volume.name!r} cuts its sides", given=given,
                     allowed="a cavity inside the trpd or beside it", where=volume.where)  # fmt: skip
    size[2], middle[2] = z[1] - z[0], 0.5 * (z[0] + z[1])
    box = Box((float(size[0]), float(size[1]), float(size[2])))
    return [_solid(f"{name} cavity", box, mother.material, centre + rotation @ middle, rotation)]
