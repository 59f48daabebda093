"""Volumes of a GATE macro, placed and repeated as GATE does it.

A volume turns about its own origin by the angle, right-handed about the axis, and is then moved along the axes of its
mother; repeaters move its copies along the same axes, centred unless ``autoCenter`` is off. Cylinders lie along z. All
lengths are full lengths. (Behaviour of the classes GateVolumePlacement, GateLinearRepeater, GateArrayRepeater,
GateCylinder, GateTrpd of GATE 8 and 9.)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.solids import Box, Frustum, Solid, Tube
from dosewright.formats.text.ideal.gate_volumes import MOST_COPIES, SHAPES, WORLD, Volume

Named = Callable[[str], Material]
MacroShape = Box | Tube | Frustum  # what a macro can make here
Vector = NDArray[np.float64]
DEEPEST = 20
TOUCHING_MM = 1e-6  # faces that touch may differ by rounding


@dataclass(frozen=True)
class Place:
    """Where the origin of a volume lies in the room, how its axes are turned, and in which volume of which material."""

    centre: Vector
    rotation: Vector
    material: Material | None = None
    half_size: Vector | None = None


@dataclass(frozen=True)
class Parts:
    """The volumes of a macro with what they are made of and their shapes, by name."""

    volumes: dict[str, Volume]
    materials: dict[str, Material | None]
    shapes: dict[str, MacroShape | None]


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
    _inside(WORLD, start, Parts(volumes, materials, shapes), found, 0)
    return tuple(found)


def _material(volume: Volume, named: Named) -> Material:
    if not volume.material:
        raise refuse(f"The volume {volume.name!r} has no material", allowed=f"/gate/{volume.name}/setMaterial",
                     where=volume.where)  # fmt: skip
    try:
        return named(volume.material)
    except InputError as error:
        raise InputError(*(f"{problem} Where: {volume.where}." for problem in error.problems)) from error


def _shape(volume: Volume) -> MacroShape:
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


def _inside(mother: str, place: Place, parts: Parts, found: list[Solid], depth: int) -> None:
    """Add the daughters of a volume, each with its own; those with a cavity first, for the cavity is the mother's."""
    if depth > DEEPEST:
        raise refuse(
            "Volumes lie in each other too deeply", allowed=f"{DEEPEST} levels", where=parts.volumes[mother].where
        )
    daughters = [one for one in parts.volumes.values() if one.mother == mother]
    for one in sorted(daughters, key=lambda volume: volume.shape != "trpd"):
        shape, material = parts.shapes[one.name], parts.materials[one.name]
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
            _inside(one.name, inner, parts, found, depth + 1)


def _solid(name: str, shape: MacroShape, material: Material | None, centre: Vector, rotation: Vector) -> Solid:
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


def half_extents(shape: MacroShape, rotation: Vector) -> Vector:
    """Return half the size of the box, along the outer axes, around a turned shape; mm."""
    if isinstance(shape, Box):
        half: Vector = np.abs(rotation) @ (0.5 * np.array(shape.size_mm))
        return half
    if isinstance(shape, Tube):
        along = np.abs(rotation[:, 2])
        across = np.sqrt(np.maximum(0.0, 1.0 - along**2))
        return np.asarray(shape.radius_mm * across + 0.5 * shape.length_mm * along)
    faces = ((-0.5, shape.lower_mm), (0.5, shape.upper_mm))
    corners = [(sx * x / 2, sy * y / 2, z * shape.length_mm)
               for z, (x, y) in faces for sx in (-1, 1) for sy in (-1, 1)]  # fmt: skip
    return np.asarray(np.abs(np.array(corners) @ rotation.T).max(axis=0))


def _check_fits(volume: Volume, shape: MacroShape, local: Place, mother: Place) -> None:
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


def _cavity(
    volume: Volume, name: str, shape: MacroShape, mother: Place, centre: Vector, rotation: Vector
) -> list[Solid]:
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
