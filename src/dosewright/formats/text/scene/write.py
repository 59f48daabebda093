"""A scene as a scene file."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xraylib

from dosewright.core.errors import refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.modules import MODULES
from dosewright.core.scene import Module, Part, Scene
from dosewright.core.shapes import Boolean, Placement, Shape
from dosewright.core.whole_file import write_whole_text
from dosewright.formats.text.scene.material_tables import FILL
from dosewright.formats.text.scene.shape_tables import word_of
from dosewright.formats.text.scene.tables import Named
from dosewright.formats.text.solids_toml import number, text


def write_scene_toml(scene: Scene, path: Path, named: Named) -> None:
    """Write a scene file; materials that `named` gives alike are named, the others are written with their elements."""
    write_whole_text(path, scene_text(scene, named))


def scene_text(scene: Scene, named: Named) -> str:
    """Return a scene as the text of a scene file."""
    lines = ["[scene]"]
    if scene.source:
        lines.append(f"name = {text(scene.source)}")
    used = [*_materials_in((scene.fill, *(part.material for part in scene.parts), *scene.modules))]
    lines.append(f"fill = {text(scene.fill.name if scene.fill else 'vacuum')}")
    written: dict[str, Material] = {}
    for material in used:
        if written.setdefault(material.name, material) != material:
            raise refuse("Two materials of the scene have the same name", given=repr(material.name))
    for material in written.values():
        lines += _material_lines(material, named)
    for part in scene.parts:
        lines += _part_lines(part)
    for module in scene.modules:
        lines += _module_lines(module)
    return "\n".join(lines) + "\n"


def _materials_in(value: Any) -> Iterator[Material]:
    """Yield all materials inside a value."""
    if isinstance(value, Material):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _materials_in(one)
    elif is_dataclass(value):
        yield from _materials_in(tuple(vars(value).values()))


def _material_lines(material: Material, named: Named) -> list[str]:
    """Return the table of a material; none for one of the library."""
    known = tried(lambda: named(material.name), [])
    if known == material:
        return []
    if known is not None:
        raise refuse("A material of the scene has the name of another one of the library", given=repr(material.name))
    shares = (f"{xraylib.AtomicNumberToSymbol(z)} = {number(w)}" for z, w in material.mass_fractions.items())
    lines = ["", "[[material]]", f"name = {text(material.name)}", f"density_g_cm3 = {number(material.density_g_cm3)}"]
    lines.append(f"elements = {{ {', '.join(shares)} }}")
    if material.mean_excitation_eV is not None:
        lines.append(f"mean_excitation_eV = {number(material.mean_excitation_eV)}")
    return lines


def _part_lines(part: Part) -> list[str]:
    lines = ["", "[[part]]", f"name = {text(part.name)}", f"{word_of(part.shape)} = {_shape(part.shape)}"]
    lines.append(f"material = {text(part.material.name if part.material else FILL)}")
    if part.density_g_cm3 is not None:
        lines.append(f"density_g_cm3 = {number(part.density_g_cm3)}")
    if part.parent is not None:
        lines.append(f"parent = {text(part.parent)}")
    lines += [f"{key} = {_value(value)}" for key, value in _place(part.placement).items()]
    return [*lines, "turns = true"] if part.turns else lines


def _place(placement: Placement) -> dict[str, tuple[float, ...]]:
    """Return a placement as the keys of a table; none that say nothing."""
    place: dict[str, tuple[float, ...]] = {"centre_mm": placement.centre_mm}
    angles = _angles_deg(placement.rotation)
    if any(angles):
        place["rotation_deg"] = angles
    return place


def _angles_deg(rotation: Any) -> tuple[float, float, float]:
    """Return the turns about x, then y, then z that make a rotation."""
    y = float(np.arcsin(np.clip(-rotation[2, 0], -1.0, 1.0)))
    if abs(rotation[2, 0]) < 1.0 - 1e-12:
        x, z = np.arctan2(rotation[2, 1], rotation[2, 2]), np.arctan2(rotation[1, 0], rotation[0, 0])
    else:
        x, z = np.arctan2(-rotation[1, 2], rotation[1, 1]), 0.0
    a, b, c = (float(angle) for angle in np.degrees([x, y, z]))
    return a, b, c


def _shape(shape: Shape) -> str:
    if not isinstance(shape, Boolean):
        return _table(shape)
    first = f"{{ {word_of(shape.first)} = {_shape(shape.first)} }}"
    place = ", ".join(f"{key} = {_value(value)}" for key, value in _place(shape.placement).items())
    return f"[{first}, {{ {word_of(shape.second)} = {_shape(shape.second)}, {place} }}]"


def _module_lines(module: Module) -> list[str]:
    word = next(word for word, kind in MODULES.items() if type(module) is kind)
    return ["", "[[module]]", f"kind = {text(word)}", *(f"{key} = {value}" for key, value in _entries(module))]


def _entries(values: Any) -> list[tuple[str, str]]:
    """Return the fields of a value as keys and values of TOML; none that are None, nor where it was read."""
    pairs = [(one.name, getattr(values, one.name)) for one in fields(values) if one.name != "where"]
    return [(key, _value(value)) for key, value in pairs if value is not None]


def _table(values: Any) -> str:
    return "{ " + ", ".join(f"{key} = {value}" for key, value in _entries(values)) + " }"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(value)
    if isinstance(value, float | np.floating):
        return number(float(value))
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Material):
        return text(value.name)
    if isinstance(value, Placement):
        return "{ " + ", ".join(f"{key} = {_value(entry)}" for key, entry in _place(value).items()) + " }"
    if is_dataclass(value):
        return _table(value)
    return "[" + ", ".join(_value(entry) for entry in value) + "]"
