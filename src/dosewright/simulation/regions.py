"""Regions of a run, as phase spaces number them: what fills the scene, parts and modules, the phantom."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.simulation.part_table import FILL_NAME as FILL
from dosewright.simulation.part_table import PHANTOM
from dosewright.simulation.setup.scene import VACUUM, PlacedScene

MANY = "several materials"


@dataclass(frozen=True)
class Regions:
    """Names of the regions by their index, and the materials each is made of.

    A module is one region. ``of_name`` has the index of each part.
    """

    names: tuple[str, ...]
    of_name: dict[str, int]
    material_of: dict[str, str]

    @classmethod
    def of(cls, scene: PlacedScene | None, *, phantom: bool) -> "Regions":
        """Return the regions of a scene and a phantom: index 0 is what fills the scene, the last one the phantom."""
        module_of = {} if scene is None else {
            part: module for module, parts in scene.of_module.items() for part in parts
        }  # fmt: skip
        parts = () if scene is None else scene.parts
        names = dict.fromkeys([FILL, *(module_of.get(part.name, part.name) for part in parts)])
        numbers = {name: index for index, name in enumerate([*names, *([PHANTOM] if phantom else [])])}
        of_name = {part.name: numbers[module_of.get(part.name, part.name)] for part in parts}
        fill = None if scene is None else scene.fill
        materials = {part.name: part.material.name if part.material else VACUUM for part in parts}
        materials |= {FILL: fill.name if fill else VACUUM, PHANTOM: MANY}
        return cls(tuple(numbers), of_name, materials)

    def of_parts(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return the region of each part as a log numbers them: in this order, then the fill, then the phantom."""
        last = len(self.names) - 1 if PHANTOM in self.names else 0
        return np.array([*(self.of_name[name] for name in names), 0, last])

    def made_of(self, names: Sequence[str], materials: Sequence[str]) -> NDArray[np.bool_]:
        """Say of each part, the fill and the phantom whether it is made of one of these materials."""
        return np.array([self.material_of[name] in materials for name in (*names, FILL, PHANTOM)])
