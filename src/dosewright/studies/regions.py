"""The places of a run that may have cuts of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.geometry.scene.cell_rays import MATERIAL, PART
from dosewright.geometry.trace import unpacked_voxels
from dosewright.simulation import regions as numbered_regions
from dosewright.simulation.part_table import FILL_NAME, PHANTOM
from dosewright.simulation.setup.prepare import Prepared
from dosewright.simulation.setup.scene import VACUUM, PlacedScene
from dosewright.studies.ranges import Ranges, ranges_of
from dosewright.transport.coupled import CoupledProblem

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

THINNEST_G_CM3 = 1.0e-9  # of matter; less is a vacuum, in which nothing needs a cut (air at 0.1 Pa has as much)


@dataclass(frozen=True)
class Region:
    """A part of the scene, all parts of one module, what fills the scene, or the phantom.

    Attributes
    ----------
    name
        Of the part or module; `FILL_NAME`, `PHANTOM`.
    materials
        What it is made of.
    run_name
        What a run file calls it in `[[transport.region]]`; None where it has no word for it alone.
    """

    name: str
    materials: tuple[str, ...]
    run_name: str | None


@dataclass(frozen=True)
class Regions:
    """The regions of a run: what fills the scene first, the phantom last.

    `of_part` is the region of each part as `simulation.lineage` counts them (the parts of the scene, what fills it, the
    phantom); `ranges` has the media of those parts.
    """

    regions: tuple[Region, ...]
    of_part: Whole
    ranges: Ranges

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(region.name for region in self.regions)

    def chosen(self, names: Sequence[str]) -> tuple[int, ...]:
        """Return the numbers of regions by their names; where none are named, of all with matter but the phantom."""
        known = self.names
        problems = [text for name in names if name not in known for text in _unknown(name, known).problems]
        if problems:
            raise InputError(*problems)
        if names:
            return tuple(n for n, name in enumerate(known) if name in names)
        return tuple(n for n in range(len(known) - 1) if self.ranges.density_g_cm3[self.of_part == n].any())

    def range_cm(self, part: Whole, species: Whole, energy_MeV: Array) -> Array:
        """Return the ranges of particles in the matter of the parts where they are (cm)."""
        return self.ranges.cm(part, species, energy_MeV)


def regions_of(prepared: Prepared) -> Regions:
    """Return the regions of a run with a scene; refuses runs without one, and of protons."""
    packed, scene = prepared.problem.packed, prepared.scene
    if scene is None or not isinstance(packed, CoupledProblem):
        raise refuse("Cuts are studied in a scene", allowed="a run of photons, electrons or positrons with [scene]")
    numbered = numbered_regions.Regions.of(scene, phantom=True)
    regions = _named(prepared, scene, numbered.names[1:-1])
    medium, density = _media(prepared, packed)
    return Regions(regions, numbered.of_parts(prepared.problem.part_names), ranges_of(packed, medium, density))


def _named(prepared: Prepared, scene: PlacedScene, names: Sequence[str]) -> tuple[Region, ...]:
    """Return what fills the scene, parts and modules of these names, and the phantom.

    A run file names the fill and the phantom by a material, so nothing else may be made of it.
    """
    own = {part.name: part.material or scene.fill for part in scene.parts}
    made_of = {name: material.name if material else VACUUM for name, material in own.items()}
    solid = set(made_of.values())
    phantom = () if prepared.phantom is None else tuple(m.name for m in prepared.phantom.voxels.materials)
    fill = VACUUM if scene.fill is None else scene.fill.name
    fill_alone = None if fill in {VACUUM, *phantom, *solid, *names} else fill
    phantom_alone = phantom[0] if len(phantom) == 1 and phantom[0] not in {fill, *solid, *names} else None
    return (
        Region(FILL_NAME, (fill,), fill_alone),
        *(_solid(name, scene.of_module.get(name, (name,)), made_of) for name in names),
        Region(PHANTOM, phantom, phantom_alone),
    )


def _solid(name: str, parts: Sequence[str], made_of: dict[str, str]) -> Region:
    """Return a part or a module; one that has the name of a material means nothing in a run file."""
    materials = tuple(dict.fromkeys(made_of[part] for part in parts))
    return Region(name, materials, None if name in made_of.values() else name)


def _unknown(name: str, known: Sequence[str]) -> InputError:
    what = f"There is no such part or module in the scene.{nearest(name, known)}"
    return refuse(what, given=name, allowed=", ".join(known), where="--region")


def _media(prepared: Prepared, packed: CoupledProblem) -> tuple[Whole, Array]:
    """Return number and density (g/cm3) of the medium of each part, of the phantom those of most of its voxels."""
    scene, count = packed.scene, len(prepared.problem.part_names)
    medium = np.full(count + 2, scene.fill_material, np.int64)
    density = np.full(count + 2, scene.fill_density)
    part = scene.cells[:, PART]
    solid = part >= 0
    medium[part[solid]], density[part[solid]] = scene.cells[solid, MATERIAL], scene.density[solid]
    medium[-1], density[-1] = 0, 0.0
    if prepared.phantom is not None:
        numbers, densities = unpacked_voxels(packed.geometry.voxels)
        medium[-1] = most = np.bincount(numbers).argmax()
        density[-1] = float(densities[numbers == most].mean(dtype=np.float64))
    return medium, np.where(density < THINNEST_G_CM3, 0.0, density)
