"""Structures that are given a material by hand, in an explicit order: later ones win."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Grid
from dosewright.core.mask import mask
from dosewright.core.matter import Material
from dosewright.core.structures import Structure, StructureSet
from dosewright.geometry.media import Media


@dataclass(frozen=True)
class Override:
    """One structure and the material, at its default density, that fills it."""

    structure: Structure
    material: Material


@dataclass(frozen=True)
class OverrideUse:
    """What an override did: voxels filled by it in the end, voxels it took and lost to later ones, voxels in air.

    `outside` counts the filled voxels outside the patient (EXTERNAL, SUPPORT and BOLUS).
    """

    structure: str
    material: str
    density_g_cm3: float
    voxels: int
    lost: dict[str, int]
    outside: int

    @property
    def sentence(self) -> str:
        """Say it in words."""
        text = f"{self.structure} is filled with {self.material}, {self.density_g_cm3:g} g/cm3, in {self.voxels} voxels"
        for later, count in self.lost.items():
            text += f"; {count} voxels overlap with {later}, which comes later and wins"
        return text + (f"; {self.outside} of them lie outside the patient." if self.outside else ".")


def resolve_overrides(
    overrides: Sequence[tuple[str, Material]], structures: StructureSet | None
) -> tuple[Override, ...]:
    """Find the structures by name; every problem is listed.

    Raises
    ------
    InputError
        Overrides without a structure set, unknown names, structures without contours, a structure named twice.
    """
    if overrides and structures is None:
        raise refuse(
            "Materials for structures need a structure set, and there is none", given=[n for n, _ in overrides]
        )
    found: list[Override] = []
    problems: list[str] = []
    for name, material in overrides:
        try:
            structure = structures.named(name) if structures else None
        except InputError as error:
            problems.extend(error.problems)
            continue
        if structure is None or not structure.contours:
            problems.append(f"The structure {name!r} has no contours; it cannot be filled with {material.name}.")
        elif any(o.structure is structure for o in found):
            problems.append(f"The structure {structure.name!r} is given a material twice. Keep one of them.")
        else:
            found.append(Override(structure, material))
    if problems:
        raise InputError(*problems)
    return tuple(found)


@dataclass(frozen=True)
class Ownership:
    """Which override owns each voxel.

    `owner` is [z, y, x], index into `overrides`, -1 where there is none; `lost` tells for each override how many
    voxels later ones took, by the name of the later structure.
    """

    overrides: tuple[Override, ...]
    owner: NDArray[np.int8]
    lost: tuple[dict[str, int], ...]

    @classmethod
    def on(cls, grid: Grid, overrides: Sequence[Override]) -> "Ownership":
        """Decide it on a grid, in the order given: later ones win."""
        if len(overrides) > np.iinfo(np.int8).max:
            raise refuse("Too many structures with a material", given=len(overrides), allowed=np.iinfo(np.int8).max)
        owner = np.full(grid.array_shape, -1, np.int8)
        lost: list[dict[str, int]] = [{} for _ in overrides]
        for number, override in enumerate(overrides):
            where = mask(override.structure, grid)
            taken = np.bincount(owner[where].astype(int) + 1, minlength=1)[1:]
            for earlier in np.flatnonzero(taken):
                lost[earlier][override.structure.name] = int(taken[earlier])
            owner[where] = number
        return cls(tuple(overrides), owner, tuple(lost))

    def fill(
        self, media: Media, material: NDArray[np.uint8], density_g_cm3: NDArray[np.float32], inside: NDArray[np.bool_]
    ) -> tuple[OverrideUse, ...]:
        """Write materials and default densities into the arrays; `inside` marks the patient, for the account."""
        return tuple(self._fill_one(n, media, material, density_g_cm3, inside) for n in range(len(self.overrides)))

    def _fill_one(
        self,
        number: int,
        media: Media,
        material: NDArray[np.uint8],
        density_g_cm3: NDArray[np.float32],
        inside: NDArray[np.bool_],
    ) -> OverrideUse:
        filling = self.overrides[number].material
        where = self.owner == number
        material[where] = media.index(filling)
        density_g_cm3[where] = filling.density_g_cm3
        return OverrideUse(
            structure=self.overrides[number].structure.name,
            material=filling.name,
            density_g_cm3=filling.density_g_cm3,
            voxels=int(np.count_nonzero(where)),
            lost=self.lost[number],
            outside=int(np.count_nonzero(where & ~inside)),
        )
