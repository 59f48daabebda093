"""A scene: named parts of matter, one inside another, and the modules that make more of them.

A part cuts the one it lies in; parts of one parent must not overlap. Axes are those of the scene, IEC 61217: the beam
runs along -z unless a module says otherwise. Lengths in mm.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from dosewright.core.errors import nearest, refuse
from dosewright.core.matter import Material
from dosewright.core.shapes import Placement, Shape

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """A shape of one material, placed in its parent's axes.

    Parameters
    ----------
    name
        Unique in the scene; the name of its region.
    shape
        Its form, around its own origin.
    material
        What it is made of; None for what fills the scene.
    placement
        In the axes of the parent.
    parent
        The part it lies in; None for the scene itself.
    density_g_cm3
        Its density; None for that of the material.
    turns
        It turns about its own z axis while the beam is on (a modulator wheel); each history meets it at another angle.
    where
        File and line, for messages.
    """

    name: str
    shape: Shape
    material: Material | None
    placement: Placement = field(default_factory=Placement)
    parent: str | None = None
    density_g_cm3: float | None = None
    turns: bool = False
    where: str = ""


class Module(Protocol):
    """What a few numbers describe and solids are made from: jaws, leaves, a wheel."""

    @property
    def name(self) -> str:
        """The name of the module, with which those of its parts begin."""


@dataclass(frozen=True)
class Scene:
    """Parts and modules in what fills the scene (None: vacuum); a value, moving a part returns another one."""

    parts: tuple[Part, ...] = ()
    modules: tuple[Module, ...] = ()
    fill: Material | None = None
    source: str = ""

    def part(self, name: str) -> Part:
        """Return the part of a name."""
        for part in self.parts:
            if part.name == name:
                return part
        names = [part.name for part in self.parts]
        raise refuse(f"The scene has no part {name!r}.{nearest(name, names)}", given=name, allowed=", ".join(names))

    def with_part(self, part: Part) -> "Scene":
        """Return the scene with a part added, or put in the place of the one with its name."""
        return replace(self, parts=_with(self.parts, part, lambda p: p.name))

    def with_module(self, module: Module) -> "Scene":
        """Return the scene with a module added, or put in the place of the one with its name."""
        return replace(self, modules=_with(self.modules, module, lambda m: m.name))

    def moved(self, name: str, placement: Placement) -> "Scene":
        """Return the scene with a part placed elsewhere in its parent; what lies in it goes with it."""
        return self.with_part(replace(self.part(name), placement=placement))

    def without(self, name: str) -> "Scene":
        """Return the scene without a part and what lies in it."""
        gone = {self.part(name).name}
        for _ in self.parts:
            gone |= {part.name for part in self.parts if part.parent in gone}
        modules = tuple(m for m in self.modules if getattr(m, "parent", None) not in gone)
        return replace(self, parts=tuple(p for p in self.parts if p.name not in gone), modules=modules)


def _with(values: tuple[T, ...], one: T, name: Callable[[T], str]) -> tuple[T, ...]:
    """Return the values with one in the place of that of its name, or at the end."""
    if any(name(value) == name(one) for value in values):
        return tuple(one if name(value) == name(one) else value for value in values)
    return (*values, one)
