"""What stands in a beam as one box of voxels, in gantry axes (mm), from its lowest face up to where the beam starts.

Every voxel holds one material. Where a slanted face cuts a voxel, its density is the mean over its height, so that a
column of voxels holds exactly the material of the solids above its middle. Between solids lies what fills the gap.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import Material
from dosewright.core.solids import Device, Field, Solid
from dosewright.geometry.beam.solid_edges import Fine, edges_along, faces_and_fine
from dosewright.geometry.beam.solid_inside import bounds_mm, filled

Array = NDArray[np.float64]

HALF_WIDTH_MM = 1000.0  # beyond it a particle is lost: nothing passes beside what stands in the beam
MOST_VOXELS = 40_000_000  # about 0.4 GB while they are filled
GAS_G_CM3 = 0.01  # lighter media may be pushed aside by other devices, and may reach above the start of the beam
HARDLY_G_CM3 = 1.0e-9  # lighter ones are vacuum
FULL = 1.0 - 1.0e-6
ABOVE_DEVICES_MM = 1.0  # a device upstream of the model plane: the beam starts this far above it


@dataclass(frozen=True)
class BeamlineBox:
    """Voxel edges along x, y, z (mm, gantry axes); material and density [z, y, x]; the materials, the gap's first.

    In vacuum the density is 0 and the material of no meaning.
    """

    edges_mm: tuple[Array, Array, Array]
    material: NDArray[np.uint8]
    density_g_cm3: NDArray[np.float32]
    materials: tuple[Material, ...]


def is_matter(solid: Solid) -> bool:
    """Say whether a solid is more than a hole or a gas."""
    return solid.material is not None and solid.density_g_cm3 >= GAS_G_CM3


def heights_mm(devices: tuple[Device, ...]) -> tuple[float, float] | None:
    """Return the lowest and the highest face of all matter in a beam; None where there is none."""
    bounds = [bounds_mm(solid) for device in devices for solid in device.solids if is_matter(solid)]
    if not bounds:
        return None
    return float(min(low[2] for low, _ in bounds)), float(max(high[2] for _, high in bounds))


def start_above_mm(devices: tuple[Device, ...], plane_mm: float, source_mm: tuple[float, float]) -> float | None:
    """Return where the beam must start to be above all devices; None where the plane of the model is.

    Raises `InputError` for a device that reaches beyond the scanning magnets, `source_mm` from the isocentre.
    """
    found = heights_mm(devices)
    if found is None or found[1] < plane_mm:
        return None
    start, source = found[1] + ABOVE_DEVICES_MM, float(np.nanmin([*source_mm, np.inf]))
    if start >= source:
        highest = max(devices, key=lambda device: (heights_mm((device,)) or (0.0, -np.inf))[1])
        raise refuse(
            f"The {words(highest)} reaches beyond the source of the beam",
            given=f"upper face {found[1]:g} mm from the isocentre",
            allowed=f"below the scanning magnets, {source:g} mm from the isocentre",
        )
    return start


def words(device: Device) -> str:
    """Return what messages call a device."""
    return f"{device.kind.replace('_', ' ')} {device.id!r}"


def beamline_box(
    devices: tuple[Device, ...], start_mm: float, gap: Material | None, field: Field | None = None
) -> BeamlineBox | None:
    """Return the devices as voxels from their lowest face up to `start_mm`; None where nothing is in the beam.

    `gap` is the medium between, None for vacuum. `field` is the span of the beam along x and y, in which slanted and
    curved edges get fine voxels.
    """
    found = heights_mm(devices)
    if found is None:
        return None
    if found[1] > start_mm + 1e-6:
        raise refuse(
            "The beam starts below the upstream face of what stands in it",
            given=f"{start_mm:g} mm from the isocentre",
            allowed=f">= {found[1]:g} mm",
        )
    x, y, z = _edges(devices, found[0], max(start_mm, found[1]), field)
    if x.size * y.size * z.size > MOST_VOXELS:
        named = ", ".join(words(device) for device in devices)
        raise refuse(
            f"What stands in the beam needs too many voxels ({named}); curved and slanted edges need fine ones",
            given=f"{x.size - 1} x {y.size - 1} x {z.size - 1}",
            allowed=f"{MOST_VOXELS} in all; describe what is curved or slanted more coarsely, or as boxes",
        )
    return _merged(_Painter(x, y, z, gap).painted(devices))


def voxel_count(devices: tuple[Device, ...], start_mm: float, field: Field | None) -> int:
    """Return how many voxels `beamline_box` fills for devices, before like ones are merged."""
    found = heights_mm(devices)
    if found is None:
        return 0
    return int(np.prod([edges.size - 1 for edges in _edges(devices, found[0], max(start_mm, found[1]), field)]))


def _edges(devices: tuple[Device, ...], low: float, high: float, field: Field | None) -> list[Array]:
    faces: list[list[float]] = [[], [], []]
    fine: list[list[Fine]] = [[], [], []]
    for device in devices:
        for solid in device.solids:
            exact, stretches = faces_and_fine(solid)
            for axis, place in exact:
                faces[axis].append(place)
            for one in stretches:
                fine[one.axis].append(one)
    limits = ((-HALF_WIDTH_MM, HALF_WIDTH_MM), (-HALF_WIDTH_MM, HALF_WIDTH_MM), (low, high))
    return [edges_along(axis, *limits[axis], faces[axis], fine[axis], field) for axis in range(3)]


class _Painter:
    """The box while it is filled, solid after solid."""

    def __init__(self, x: Array, y: Array, z: Array, gap: Material | None) -> None:
        self.edges = (x, y, z)
        shape = (z.size - 1, y.size - 1, x.size - 1)
        self.gap_density = gap.density_g_cm3 if gap else 0.0
        self.materials = [gap] if gap else []
        self.material = np.zeros(shape, np.uint8)
        self.density = np.full(shape, self.gap_density, np.float32)
        self.owner = np.zeros(shape, np.uint8)  # whose matter a voxel is, 0 for nobody's

    def painted(self, devices: tuple[Device, ...]) -> BeamlineBox:
        """Put in all devices, in their order."""
        for number, device in enumerate(devices, 1):
            for solid in device.solids:
                self._put(solid, number, devices)
        return BeamlineBox(self.edges, self.material, self.density, tuple(self.materials))

    def _put(self, solid: Solid, number: int, devices: tuple[Device, ...]) -> None:
        """Put in one solid; matter of two devices in one place is refused, gas and holes leave matter of others.

        A plate that covers the whole beam does so because its outside is not known: it leaves the nozzle's matter.
        """
        low, high = bounds_mm(solid)
        spans = [slice(*self._cells(axis, low[axis], high[axis])) for axis in range(3)]
        if any(span.start >= span.stop for span in spans):
            return
        x, y = (_middles(self.edges[axis][spans[axis].start : spans[axis].stop + 1]) for axis in range(2))
        z_edges = self.edges[2][spans[2].start : spans[2].stop + 1]
        index, density = self._medium(solid)
        nozzle = [k for k, device in enumerate(devices, 1) if device.kind == "nozzle" and low[0] <= -HALF_WIDTH_MM]
        for layer, share in enumerate(filled(solid, x[None, :], y[:, None], z_edges), spans[2].start):
            at = (layer, spans[1], spans[0])
            share = np.broadcast_to(share, self.owner[at].shape)
            others = (self.owner[at] != 0) & (self.owner[at] != number)
            clash = others & (share > 0.5) & ~np.isin(self.owner[at], nozzle)
            if is_matter(solid) and np.any(clash):
                other = devices[int(self.owner[at][clash][0]) - 1]
                raise InputError(
                    f"The {words(devices[number - 1])} ({solid.name}) and the {words(other)} overlap, "
                    f"{z_edges[layer - spans[2].start]:g} mm from the isocentre: two things cannot be in one place."
                )
            self._fill(at, np.where(others, 0.0, share), index, density)
            if is_matter(solid):
                self.owner[at][(share > 0.5) & ~others] = number
            elif solid.material is None:
                self.owner[at][(share > 0.5) & ~others] = 0

    def _fill(self, at: tuple[int, slice, slice], share: Array, index: int, density: float) -> None:
        """Fill a share of each voxel of one layer; what weighs more gives the voxel its material."""
        was = self.density[at]
        part = np.where(share > FULL, 1.0, np.where(share < 1.0 - FULL, 0.0, share))
        added, left = part * density, (1.0 - part) * was
        takes = (part > 0.0) & (added >= left)
        self.material[at][takes] = index
        self.density[at] = np.where(part > 0.0, added + left, was)

    def _medium(self, solid: Solid) -> tuple[int, float]:
        if solid.material is None:
            return 0, self.gap_density
        if solid.material not in self.materials:
            self.materials.append(solid.material)
        density = solid.density_g_cm3 if solid.density_g_cm3 > HARDLY_G_CM3 else 0.0
        return self.materials.index(solid.material), density

    def _cells(self, axis: int, low: float, high: float) -> tuple[int, int]:
        edges = self.edges[axis]
        first = int(np.searchsorted(edges, low + 1e-6, side="right")) - 1
        last = int(np.searchsorted(edges, high - 1e-6, side="left"))
        return max(first, 0), min(last, edges.size - 1)


def _middles(edges: Array) -> Array:
    middles: Array = (edges[1:] + edges[:-1]) / 2
    return middles


def _merged(box: BeamlineBox) -> BeamlineBox:
    """Return the box without faces between layers that are the same: a plate across the beam is one voxel."""
    edges, material, density = list(box.edges_mm), box.material, box.density_g_cm3
    for axis in range(3):
        of_array = 2 - axis
        m, d = np.moveaxis(material, of_array, 0), np.moveaxis(density, of_array, 0)
        keep = [0] + [i for i in range(1, len(m)) if not (_same(m, i) and _same(d, i))]
        edges[axis] = np.append(edges[axis][keep], edges[axis][-1])
        material, density = np.take(material, keep, of_array), np.take(density, keep, of_array)
    return BeamlineBox((edges[0], edges[1], edges[2]), material, density, box.materials)


def _same(layers: NDArray[np.generic], i: int) -> bool:
    return np.array_equal(layers[i - 1], layers[i])
