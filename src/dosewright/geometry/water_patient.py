"""A patient without a CT: the EXTERNAL filled with one material."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dosewright.core.contours import contour_planes
from dosewright.core.errors import refuse
from dosewright.core.grid import Grid
from dosewright.core.mask import volume_fraction
from dosewright.core.matter import Material
from dosewright.core.structures import Structure, StructureSet
from dosewright.geometry.crop import IndexBox
from dosewright.geometry.media import Media
from dosewright.geometry.overrides import Ownership, resolve_overrides
from dosewright.geometry.patient import AIR, MARGIN_MM, external_of, open_gaps
from dosewright.geometry.patient_report import Patient, PatientReport, material_use
from dosewright.materials.library import named

# Points per voxel edge. Where contours lie in slices of the grid, x and z are exact and lines along x are cheap: the
# surface then lies within 1/32 of a voxel. Points anywhere else are dear: within an eighth.
IN_SLICES, OBLIQUE = (4, 16, 4), (4, 4, 4)


def water_in_external(
    structures: StructureSet,
    grid: Grid,
    *,
    material: Material | None = None,
    overrides: Sequence[tuple[str, Material]] = (),
    margin_mm: float = MARGIN_MM,
) -> Patient:
    """Fill the EXTERNAL with one material, water by default; air around it.

    The voxels are those of `grid`, continued by whole voxels until they hold the EXTERNAL and a margin: a beam crosses
    the patient before it reaches a dose grid inside. A voxel that the surface cuts keeps the material and takes the
    density of its share, so that mass and water-equivalent path are right to a fraction of a voxel; whole voxels would
    shift the range by up to half a voxel.

    Raises
    ------
    InputError
        No EXTERNAL with contours, or two; override problems as in `patient_voxels`.
    """
    external = external_of(structures)
    if external is None:
        raise refuse("Without a CT the patient is the EXTERNAL, and none has contours", allowed="a CT, or a phantom")
    chosen = resolve_overrides(overrides, structures)
    filling = material or named("G4_WATER")
    box = IndexBox.of_grid(grid).union(IndexBox.around(grid, np.concatenate(external.contours), margin_mm))
    for override in chosen:
        box = box.union(IndexBox.around(grid, np.concatenate(override.structure.contours)))
    whole = grid.cropped(box.lower, box.upper)
    share = _share_inside(external, whole)
    air = named(AIR)
    media = Media((filling, air))
    number = np.where(share > 0, media.index(filling), media.index(air)).astype(np.uint8)
    density = (air.density_g_cm3 + share * (filling.density_g_cm3 - air.density_g_cm3)).astype(np.float32)
    uses = Ownership.on(whole, chosen).fill(media, number, density, share > 0)
    voxels = media.voxels(whole, number, density)
    warnings = _warnings(structures, external, [o.structure for o in chosen], filling, whole)
    report = PatientReport(whole, None, 0, 0, material_use(voxels), uses, (), tuple(warnings))
    return Patient(voxels, report)


def _share_inside(external: Structure, grid: Grid) -> NDArray[np.float32]:
    axis = grid.direction[:, 2]
    in_slices = np.array_equal(contour_planes(external, axis=axis).normal, axis)
    return volume_fraction(external, grid, IN_SLICES if in_slices else OBLIQUE)


def _warnings(
    structures: StructureSet, external: Structure, filled: Sequence[Structure], filling: Material, grid: Grid
) -> list[str]:
    said = [
        f"There is no CT: {external.name} (EXTERNAL) is filled with {filling.name}, {filling.density_g_cm3:g} g/cm3."
    ]
    for structure in (external, *filled):
        said += open_gaps(structure, grid)
    unknown = [s.name for s in structures.of_kind("SUPPORT", "BOLUS") if not any(s is f for f in filled)]
    if unknown:
        said.append(f"Without a CT nothing is known of {', '.join(unknown)} (SUPPORT or BOLUS): left out.")
    return said
