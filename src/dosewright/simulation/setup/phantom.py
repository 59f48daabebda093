"""A phantom of a run file as voxels: slabs and boxes by voxel centres, a CT by its HU table, or a text phantom."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.matter import Material
from dosewright.formats.dose.mhd import read_mhd
from dosewright.geometry.media import MOST
from dosewright.geometry.voxels import Voxels
from dosewright.materials.hlut import classify, table_range
from dosewright.simulation.run_file.axes import TOLERANCE_MM, is_even, phantom_edges
from dosewright.simulation.run_file.phantom_tables import Box, Phantom, Slab
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY, Resolvers
from dosewright.simulation.setup.text_phantom import read_text_phantom, text_phantom_voxels

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PhantomVoxels:
    """Voxels, their regular grid (None where an axis is uneven), and what a reader should know.

    `inserts` has, where media were kept apart, the name of the slabs and boxes each of them fills, "" elsewhere.
    """

    voxels: Voxels
    grid: Grid | None
    warnings: tuple[str, ...] = ()
    inserts: tuple[str, ...] = ()


def phantom_voxels(
    phantom: Phantom, resolvers: Resolvers = WITHOUT_LIBRARY, apart: Collection[str] | None = None
) -> PhantomVoxels:
    """Fill the box, then put in slabs, then boxes; later ones win.

    A voxel belongs to a slab or box if its centre lies inside (lower bound included, upper bound not); a bound that
    is no voxel edge is warned about. The phantom must have passed the checks of its run file. With `apart`, inserts
    of these names and inserts of a density of their own become entries of the list of materials on their own.
    """
    base = _base(phantom, resolvers)
    inserts: list[tuple[str, Slab | Box]] = [(f"Slab {n}", one) for n, one in enumerate(phantom.slab, 1)]
    inserts += [(f"Box {n}", one) for n, one in enumerate(phantom.box, 1)]
    if not inserts:
        return base
    shift = _parallel_shift(base.voxels)
    edges = [e + s for e, s in zip(base.voxels.edges_mm, shift, strict=True)]
    media = _Media(base.voxels.materials)
    number, density = base.voxels.material.copy(), base.voxels.density_g_cm3.copy()
    warnings = list(base.warnings)
    for name, insert in inserts:
        material = resolvers.material(insert.material)
        where = _place(edges, insert, name, warnings)
        own = "" if apart is None or insert.name not in apart else insert.name or ""
        number[where] = media.index(material, own, None if apart is None else insert.density_g_cm3)
        density[where] = _density(material, insert.density_g_cm3)
    voxels = replace(base.voxels, material=number, density_g_cm3=density, materials=media.materials)
    return PhantomVoxels(voxels, base.grid, tuple(warnings), media.inserts)


def _base(phantom: Phantom, resolvers: Resolvers) -> PhantomVoxels:
    """Return the phantom without its slabs and boxes."""
    if phantom.image is not None:
        return _ct_box(phantom, resolvers)
    if phantom.egsphant is not None or phantom.g4dcm is not None:
        voxels, said = text_phantom_voxels(phantom, read_text_phantom(phantom), resolvers)
        return PhantomVoxels(voxels, even_grid(voxels.edges_mm), said)
    return _filled_box(phantom, resolvers)


class _Media:
    """A growing list of media, told apart by material, name of the insert, and density of its own."""

    def __init__(self, materials: Iterable[Material]) -> None:
        self._media: list[tuple[Material, str, float | None]] = [(material, "", None) for material in materials]

    def index(self, material: Material, insert: str, density_g_cm3: float | None) -> int:
        """Return the number of a medium, adding it where it is new."""
        wanted = (material, insert, density_g_cm3)
        if wanted not in self._media:
            if len(self._media) == MOST:
                raise refuse("Too many different materials", given=MOST + 1, allowed=f"at most {MOST}")
            self._media.append(wanted)
        return self._media.index(wanted)

    @property
    def materials(self) -> tuple[Material, ...]:
        return tuple(material for material, _, _ in self._media)

    @property
    def inserts(self) -> tuple[str, ...]:
        return tuple(insert for _, insert, _ in self._media)


def even_grid(edges: Sequence[Array]) -> Grid | None:
    """Return the regular grid of voxel edges along x, y, z; None where an axis is uneven."""
    if not all(is_even(e) for e in edges):
        return None
    spacing = [float(e[-1] - e[0]) / (len(e) - 1) for e in edges]
    origin = [float(e[0]) + s / 2 for e, s in zip(edges, spacing, strict=True)]
    nx, ny, nz = (len(e) - 1 for e in edges)
    return Grid((nx, ny, nz), (spacing[0], spacing[1], spacing[2]), (origin[0], origin[1], origin[2]))


def _filled_box(phantom: Phantom, resolvers: Resolvers) -> PhantomVoxels:
    x, y, z = phantom_edges(phantom)[0]
    material = resolvers.material(phantom.material or "")
    shape = (len(z) - 1, len(y) - 1, len(x) - 1)
    density = np.full(shape, _density(material, phantom.density_g_cm3), np.float32)
    voxels = Voxels((x, y, z), Rigid.identity(), np.zeros(shape, np.uint8), density, (material,))
    return PhantomVoxels(voxels, even_grid((x, y, z)))


def _ct_box(phantom: Phantom, resolvers: Resolvers) -> PhantomVoxels:
    image = read_mhd(Path(phantom.image or ""))
    table = resolvers.ct_protocol(phantom.hlut or "")
    found = classify(image.values, table)
    voxels = Voxels.on_grid(image.grid, found.material, found.density_g_cm3, table.materials)
    low, high = table_range(table)
    ends = ((found.below, f"below {low}", low), (found.above, f"above {high}", high))
    warnings = [
        f"{count:,} voxels {words} HU lie outside CT protocol {table.name!r} and were taken as {end} HU."
        for count, words, end in ends
        if count
    ]
    return PhantomVoxels(voxels, image.grid, tuple(warnings))


def _density(material: Material, own: float | None) -> float:
    return material.density_g_cm3 if own is None else own


def _parallel_shift(voxels: Voxels) -> Array:
    """Return where the box's own axes start; inserts need a box whose axes are those of the run."""
    if not np.allclose(voxels.frame.rotation, np.eye(3), atol=1e-6):
        raise refuse("Slabs and boxes cannot be put into an image whose axes are turned")
    return voxels.frame.translation


def _place(edges: Sequence[Array], insert: Slab | Box, name: str, warnings: list[str]) -> tuple[slice, slice, slice]:
    """Return the voxels of an insert as slices of [z, y, x]; say where a bound is no voxel edge."""
    spans = (None, None, insert.z_mm) if isinstance(insert, Slab) else (insert.x_mm, insert.y_mm, insert.z_mm)
    slices = []
    for letter, axis_edges, span in zip("xyz", edges, spans, strict=True):
        if span is None:
            slices.append(slice(None))
            continue
        centres = (axis_edges[1:] + axis_edges[:-1]) / 2
        first, last = (int(np.searchsorted(centres, bound, side="left")) for bound in span)
        slices.append(slice(first, last))
        real = (float(axis_edges[first]), float(axis_edges[last]))
        for bound, edge, end in zip(span, real, (float(axis_edges[0]), float(axis_edges[-1])), strict=True):
            beyond = bound < axis_edges[0] if end == axis_edges[0] else bound > axis_edges[-1]
            if abs(bound - edge) > TOLERANCE_MM:
                why = "the phantom ends there" if beyond else "a voxel belongs to it if its centre lies inside"
                warnings.append(f"{name} ends at {letter} = {edge:g} mm, not at {bound:g} mm: {why}.")
    return slices[2], slices[1], slices[0]
