"""Volumes of a GATE macro as its commands leave them: shape and sizes, material, placement, repeaters."""

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import nearest, refuse
from dosewright.formats.text.lines import number

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
    refused: set[str] = field(default_factory=set)  # volumes of unknown shapes: nothing more is said of them

    def command(self, path: list[str], words: list[str], where: str) -> str:
        """Carry out ``/gate/<volume>/...``; return what it is where it has no effect here, else nothing."""
        name, rest = path[0], path[1:]
        if name in self.refused:
            if rest[:1] == ["daughters"] and words:
                self.refused.add(words[0])
            return ""
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
                self.refused.add(self.pending.pop(mother, word))
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
