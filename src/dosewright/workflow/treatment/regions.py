"""Where all regions are in a step of a delivery: the one that is scored as voxels, all others as parts around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.frame import Rigid
from dosewright.core.scene import Part
from dosewright.core.shapes import Placement
from dosewright.core.solids import Box as BoxShape
from dosewright.delivery.steps import Step
from dosewright.formats.dose.mhd import read_mhd
from dosewright.formats.text.fred.fred_input import FredInput
from dosewright.formats.text.fred.places import Region
from dosewright.geometry.voxels import Edges, Voxels
from dosewright.materials.hlut import classify, table_range
from dosewright.workflow.treatment.media import HuTable, Medium, hu_table, named_medium

ROOM = "Room"
AROUND_MM = 50.0  # of the room around all that is in it
INSIDE_MM = 1e-6

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Matter:
    """What a region is filled with.

    `voxels` is a CT or a box in the region's own axes (identity frame), None where nothing is scored in it; `medium` is
    what fills a box, None for vacuum and for a CT.
    """

    region: Region
    medium: Medium | None
    voxels: Voxels | None

    @property
    def is_frame(self) -> bool:
        """Say whether it is a frame for others, without a body."""
        return self.region.adaptive


@dataclass(frozen=True)
class Filled:
    """All regions of an input with what fills them and the room, and what a reader should know."""

    matter: Mapping[str, Matter]
    room: Medium | None
    said: tuple[str, ...]


def filled(of: FredInput, scored: Sequence[str]) -> Filled:
    """Return the matter of all regions; CTs are read. Refuses what cannot be transported through."""
    table = hu_table(of.hu_rows) if of.hu_rows else None
    uses_table = any(one.ct is not None or one.hounsfield is not None for one in of.regions)
    said = list(table.said) if table is not None and uses_table else []
    matter = {}
    for region in of.regions:
        medium = _medium(region, of, table)
        if region.adaptive and medium is not None:
            raise refuse(f"Region {region.box.name} takes the size of what it contains, and is not empty",
                         given=f"material = {region.material}", allowed="vacuum: a frame without a body",
                         where=region.box.where)  # fmt: skip
        if region.adaptive:
            said.append(f"Region {region.box.name} takes the size of what it contains: it is a frame, without a body.")
        voxels = None
        if region.box.name in scored or region.ct is not None:
            voxels = _voxels(region, medium, table, of, said)
        matter[region.box.name] = Matter(region, medium, voxels)
    room = named_medium(of.room_material, of, "region Room")
    return Filled(matter, room, tuple(dict.fromkeys(said)))


def _medium(region: Region, of: FredInput, table: HuTable | None) -> Medium | None:
    if region.ct is not None:
        return None
    if region.hounsfield is not None and table is not None:
        return table.medium(region.hounsfield)
    return named_medium(region.material or "vacuum", of, region.box.where)


def edges_of(region: Region) -> Edges:
    """Return the edges of the voxels of a region along its own axes, mm."""
    box = region.box
    x, y, z = (
        np.linspace(low, high, n + 1) for low, high, n in zip(box.low_mm, box.high_mm, region.voxels, strict=True)
    )
    return x, y, z


def _voxels(region: Region, medium: Medium | None, table: HuTable | None, of: FredInput, said: list[str]) -> Voxels:
    name, where = region.box.name, region.box.where
    nx, ny, nz = region.voxels
    if region.ct is not None and table is not None:
        numbers = read_mhd(region.ct).values
        found = classify(numbers, table.table)
        low, high = table_range(table.table)
        for count, which in ((found.below, f"below {low}"), (found.above, f"above {high}")):
            if count and not of.clamp_hu:
                raise refuse(f"The HU table does not reach all voxels of region {name}",
                             given=f"{count:,} voxels {which} HU", allowed=f"{low} to {high} HU, or "
                             "lAllowHUClamping = t", where=where)  # fmt: skip
            if count:
                said.append(f"Region {name}: {count:,} voxels {which} HU took the end of the HU table.")
        return Voxels(edges_of(region), Rigid.identity(), found.material, found.density_g_cm3, table.table.materials)
    if medium is None:
        raise refuse(f"Nothing can be scored in the vacuum of region {name}", given="score", where=where,
                     allowed="a material")  # fmt: skip
    density = np.full((nz, ny, nx), medium.density_g_cm3, np.float32)
    return Voxels(edges_of(region), Rigid.identity(), np.zeros((nz, ny, nx), np.uint8), density, (medium.material,))


def parts_around(step: Step, scored: str, of: Filled, starts_mm: Array) -> tuple[Part, ...]:
    """Return all that is around the voxels of a region as parts in room axes, each in the smallest it lies in.

    What fills the room is the outermost part; it reaches around all regions and the places where particles start,
    (n, 3) in mm. In a room of vacuum there is none.
    """
    there = [one for name, one in of.matter.items() if name in step.active and not one.is_frame]
    bodies = [one for one in there if one.region.box.name != scored]
    for one in bodies:
        if one.region.ct is not None:
            raise refuse(f"The CT of region {one.region.box.name} stands beside what is scored in region {scored}",
                         allowed="one CT, in which alone the dose is scored", where=one.region.box.where)  # fmt: skip
    corners = {one.region.box.name: _corners(one, step) for one in there}
    parts = []
    for one in bodies:
        mother = _smallest_around(one, bodies, corners, step)
        centre = _centre(one, step)
        if mother is not None:
            centre = centre.then(_centre(mother, step).inverse())
        medium = one.medium
        parts.append(
            Part(
                name=one.region.box.name,
                shape=BoxShape(one.region.box.size_mm),
                material=None if medium is None else medium.material,
                placement=_placement(centre),
                parent=mother.region.box.name if mother else ROOM if of.room else None,
                density_g_cm3=None if medium is None else medium.density_g_cm3,
                where=one.region.box.where,
            )
        )
    if of.room is None:
        return tuple(parts)
    return tuple(_in_room(parts, of.room, np.concatenate([*corners.values(), starts_mm])))


def _in_room(parts: list[Part], room: Medium, points_mm: Array) -> list[Part]:
    """Return parts in a box of what fills the room, around all points; its place is that of the room's axes."""
    reach = np.abs(points_mm).max(axis=0) + AROUND_MM
    x, y, z = (2 * float(one) for one in reach)
    return [Part(ROOM, BoxShape((x, y, z)), room.material, density_g_cm3=room.density_g_cm3), *parts]


def _centre(one: Matter, step: Step) -> Rigid:
    """Return the way from axes in the centre of a region's box to the room."""
    box, placement = one.region.box, step.placements[one.region.box.name]
    middle = (np.array(box.low_mm) + np.array(box.high_mm)) / 2
    return Rigid(np.eye(3), middle).then(placement)


def _corners(one: Matter, step: Step) -> Array:
    """Return the corners of a region in the room, (8, 3), mm."""
    box = one.region.box
    ends = np.array(np.meshgrid(*zip(box.low_mm, box.high_mm, strict=True), indexing="ij")).reshape(3, -1).T
    return step.placements[box.name].points(ends)


def _smallest_around(one: Matter, others: Sequence[Matter], corners: Mapping[str, Array], step: Step) -> Matter | None:
    """Return the smallest other region that a region lies in as a whole."""
    around = []
    for other in others:
        box = other.region.box
        if other is one or _volume(other) <= _volume(one):
            continue
        inside = step.placements[box.name].inverse().points(corners[one.region.box.name])
        if np.all(inside >= np.array(box.low_mm) - INSIDE_MM) and np.all(inside <= np.array(box.high_mm) + INSIDE_MM):
            around.append(other)
    return min(around, key=_volume, default=None)


def _volume(one: Matter) -> float:
    return float(np.prod(one.region.box.size_mm))


def _placement(centre: Rigid) -> Placement:
    x, y, z = centre.translation.tolist()
    return Placement((x, y, z), centre.rotation)
