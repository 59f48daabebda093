"""CT, Hounsfield table, structures and overrides become voxels of material and density."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.contours import contour_planes
from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Grid, Image
from dosewright.core.mask import mask
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.core.structures import Structure, StructureSet
from dosewright.geometry.crop import IndexBox, beyond_mm
from dosewright.geometry.media import Media
from dosewright.geometry.overrides import Ownership, resolve_overrides
from dosewright.geometry.patient_report import Patient, PatientReport, clamp_warnings, material_use
from dosewright.materials.hlut import classify
from dosewright.materials.library import named

AIR = "G4_AIR"
MARGIN_MM = 10.0  # air kept around the EXTERNAL (IDEAL's `air box margin`)
READS_AS_AIR_HU = -700.0  # a mean below this is air or lung, not a body, a couch or a bolus


def patient_voxels(
    ct: Image,
    table: HounsfieldTable,
    structures: StructureSet | None,
    overrides: Sequence[tuple[str, Material]] = (),
    keep: Grid | None = None,
    margin_mm: float = MARGIN_MM,
) -> Patient:
    """Turn a CT into voxels: Hounsfield table, then air outside the patient, then overrides.

    The voxels are those of the CT, cropped to (EXTERNAL + margin) and the grid `keep`; couches, boluses and overridden
    structures stay whole, for a beam may pass them first. Nothing is invented beyond the CT.

    Parameters
    ----------
    ct
        Hounsfield numbers, any integer or floating type, [z, y, x].
    overrides
        Structure names with their materials, in the order of application: later ones win.
    keep
        A grid that must stay inside, such as the dose grid of the planning system.

    Raises
    ------
    InputError
        Two EXTERNALs, an EXTERNAL beside the CT, unknown structures, Hounsfield numbers that are not finite.
    """
    chosen = resolve_overrides(overrides, structures)
    external = external_of(structures)
    devices = structures.of_kind("SUPPORT", "BOLUS") if structures else ()
    filled = [o.structure for o in chosen]
    box = _crop(ct.grid, external, [*devices, *filled], keep, margin_mm)
    warnings = _beyond(ct.grid, external, keep)
    for structure in (*([external] if external else []), *devices, *filled):
        warnings += open_gaps(structure, ct.grid)
    grid = ct.grid.cropped(box.lower, box.upper)
    hu = ct.values[box.slices()]
    inside, assumptions, doubts = _inside(hu, grid, external, devices, filled)
    warnings += doubts
    ownership = Ownership.on(grid, chosen)
    read = _read_ct(hu, table, inside & (ownership.owner < 0))
    uses = ownership.fill(read.media, read.material, read.density, inside)
    warnings += clamp_warnings(read.below, read.above, table.name, read.count)
    warnings += [
        f"{u.structure} covers no voxel; its material {u.material} has no effect." for u in uses if not u.voxels
    ]
    voxels = read.media.voxels(grid, read.material, read.density)
    assumptions.append(f"CT protocol {table.name!r}{': ' + table.source if table.source else ''}.")
    report = PatientReport(
        grid, read.hu_range, read.below, read.above, material_use(voxels), uses, tuple(assumptions), tuple(warnings)
    )
    return Patient(voxels, report)


def external_of(structures: StructureSet | None) -> Structure | None:
    """Return the EXTERNAL structure that has contours, or None; two of them are refused."""
    found = structures.of_kind("EXTERNAL") if structures else ()
    if len(found) > 1:
        raise refuse(
            "The structure set has more than one EXTERNAL with contours; keep one and export again",
            given=", ".join(repr(s.name) for s in found),
            allowed="exactly one",
        )
    return found[0] if found else None


def open_gaps(structure: Structure, grid: Grid) -> list[str]:
    """Say aloud where a structure's contour planes lie too far apart to be joined."""
    return [
        f"{structure.name} ({structure.kind}) has no contours between {low:.1f} and {high:.1f} mm along the slices; "
        f"the gap is left open."
        for low, high in contour_planes(structure, axis=grid.direction[:, 2]).open_gaps_mm
    ]


@dataclass
class _CtReading:
    """Material and density as read from the CT, air elsewhere; filled while the voxels are made."""

    media: Media
    material: NDArray[np.uint8]
    density: NDArray[np.float32]
    hu_range: tuple[float, float] | None = None
    count: int = 0
    below: int = 0
    above: int = 0


def _crop(
    ct: Grid, external: Structure | None, whole: Sequence[Structure], keep: Grid | None, margin_mm: float
) -> IndexBox:
    if external is None:
        return IndexBox.of_grid(ct)
    box = IndexBox.around(ct, np.concatenate(external.contours), margin_mm)
    if IndexBox.around(ct, np.concatenate(external.contours)).clipped(ct) is None:
        raise refuse(
            "The EXTERNAL lies beside the CT; do they belong together?",
            given=f"{external.name!r} from {_span(np.concatenate(external.contours))}",
            allowed=_span(ct.corners_mm()),
        )
    if keep is not None:
        box = box.union(IndexBox.around(ct, keep.corners_mm()))
    for structure in whole:
        box = box.union(IndexBox.around(ct, np.concatenate(structure.contours)))
    clipped = box.clipped(ct)
    if clipped is None:
        raise refuse("Nothing of the CT is left after cropping")
    return clipped


def _beyond(ct: Grid, external: Structure | None, keep: Grid | None) -> list[str]:
    said = []
    if external is not None:
        # A contour in the first or last slice is as far as a drawn patient reaches; only more than that is odd.
        cut = {side: mm for side, mm in beyond_mm(ct, np.concatenate(external.contours)).items() if mm > 1.0}
        if cut:
            said.append(f"The EXTERNAL reaches beyond the CT ({_sides(cut)}); there is no patient there.")
    if keep is not None:
        cut = beyond_mm(ct, keep.corners_mm())
        if cut:
            said.append(
                f"The dose grid reaches beyond the CT ({_sides(cut)}). Nothing is assumed there: the voxels end with "
                f"the CT and no dose is calculated beyond it."
            )
    return said


def _inside(
    hu: NDArray[np.generic],
    grid: Grid,
    external: Structure | None,
    devices: Sequence[Structure],
    overridden: Sequence[Structure],
) -> tuple[NDArray[np.bool_], list[str], list[str]]:
    """Return where the CT is believed, what to say about it, and what looks wrong."""
    if external is None:
        said = (
            "There is no EXTERNAL structure with contours: the whole CT is used, with whatever lies around the patient."
        )
        return np.ones(grid.array_shape, bool), [], [said]
    inside = mask(external, grid)
    if not inside.any():
        raise refuse("The EXTERNAL covers no voxel of the CT", given=external.name)
    doubts = _reads_as_air(hu, inside, external)
    kept = ""
    for device in devices:
        where = mask(device, grid)
        if not any(device is s for s in overridden):
            doubts += _reads_as_air(hu, where, device)
        inside |= where
        kept += f", {device.name} ({device.kind})"
    return inside, [f"Air ({AIR}) replaces the CT outside {external.name} (EXTERNAL){kept}."], doubts


def _reads_as_air(hu: NDArray[np.generic], where: NDArray[np.bool_], structure: Structure) -> list[str]:
    if not where.any():
        return []
    values: NDArray[Any] = hu[where]
    mean = float(values.mean(dtype=np.float64))
    if mean > READS_AS_AIR_HU:
        return []
    return [
        f"{structure.name} ({structure.kind}) reads as air in the CT, {mean:.0f} HU on average. If it is not in the "
        f"image, give it a material; if it is the patient, the structures do not belong to this CT."
    ]


def _read_ct(hu: NDArray[np.generic], table: HounsfieldTable, believed: NDArray[np.bool_]) -> _CtReading:
    """Look up the believed voxels slice by slice, so that temporaries stay small; air elsewhere."""
    media = Media((*table.materials, named(AIR)))
    air = media.index(named(AIR))
    reading = _CtReading(
        media, np.full(hu.shape, air, np.uint8), np.full(hu.shape, media[air].density_g_cm3, np.float32)
    )
    # The table numbers its own materials; equal ones share a number here.
    number = np.array([media.index(m) for m in table.materials], np.uint8)
    lowest, highest = np.inf, -np.inf
    for k in range(hu.shape[0]):
        where = believed[k]
        values = hu[k][where]
        if not values.size:
            continue
        if not np.all(np.isfinite(values)):
            raise InputError("The CT holds Hounsfield numbers that are not finite inside the patient.")
        found = classify(values[None], table)  # one row: looked up at once
        reading.material[k][where] = number[found.material[0]]
        reading.density[k][where] = found.density_g_cm3[0]
        reading.below += found.below
        reading.above += found.above
        reading.count += values.size
        lowest, highest = min(lowest, float(values.min())), max(highest, float(values.max()))
    reading.hu_range = (lowest, highest) if reading.count else None
    return reading


def _sides(cut: dict[str, float]) -> str:
    return ", ".join(f"{mm:.1f} mm {side}" for side, mm in cut.items())


def _span(points_mm: NDArray[np.float64]) -> str:
    low, high = points_mm.min(axis=0), points_mm.max(axis=0)
    return ", ".join(f"{a} {lo:.0f} to {hi:.0f} mm" for a, lo, hi in zip("xyz", low, high, strict=True))
