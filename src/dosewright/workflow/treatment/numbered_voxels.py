"""Voxels of a patient or phantom as numbers of a HU table: a CT and a table that give the same voxels again.

Where a voxel is what the CT protocol makes of its Hounsfield number, it keeps that number. All others, such as air
outside the patient or structures with a material of their own, get numbers below the protocol's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.grid import Image
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.geometry.patient_report import Patient
from dosewright.materials.elements import element
from dosewright.materials.hlut import density_at, material_at, table_range
from dosewright.workflow.treatment.media import mass_rsp, with_mass_rsp

LOWEST = -30_000  # of numbers of our own; the file holds 16 bits
Whole = NDArray[np.int32]


@dataclass(frozen=True)
class Row:
    """A row of a HU table: a number, and its medium and density, g/cm3."""

    number: int
    material: Material
    density_g_cm3: float


@dataclass(frozen=True)
class NumberedVoxels:
    """The CT, the rows of its table in ascending order, and how many voxels have numbers of their own."""

    ct: Image
    rows: tuple[Row, ...]
    own: int


def numbered_voxels(patient: Patient, ct: Image | None, table: HounsfieldTable | None) -> NumberedVoxels:
    """Return voxels as a CT and a table; `ct` and its protocol are those the voxels were made from, if any."""
    voxels, grid = patient.voxels, patient.report.grid
    rows: list[Row] = []
    numbers = np.zeros(voxels.material.shape, np.int32)
    kept = np.zeros(voxels.material.shape, bool)
    if ct is not None and table is not None:
        rows = protocol_rows(table)
        low, high = table_range(table)
        first = [round(float(one)) for one in ct.grid.to_index(np.asarray(grid.origin_mm))]
        part = tuple(slice(a, a + n) for a, n in zip(reversed(first), grid.array_shape, strict=True))
        numbers = np.clip(np.rint(ct.values[part]), low, high).astype(np.int32)
        kept = _as_protocol(numbers, table, patient)
    own = _own_rows(patient, ~kept, min((row.number for row in rows), default=0))
    for row in own:
        index = voxels.materials.index(row.material)
        alike = (voxels.material == index) & (voxels.density_g_cm3 == np.float32(row.density_g_cm3)) & ~kept
        numbers[alike] = row.number
    in_order = tuple(sorted([*own, *rows], key=lambda row: row.number))
    return NumberedVoxels(Image(grid, numbers.astype(np.int16)), in_order, int((~kept).sum()))


def protocol_rows(table: HounsfieldTable) -> list[Row]:
    """Return the rows that give a protocol's medium and density at every whole number, linear in between.

    They stand at the nodes of the density curve and on both sides of every change of medium.
    """
    low, high = table_range(table)
    marks = {low, high}
    for node in table.density_hu:
        marks |= {int(np.floor(node)), int(np.ceil(node))}
    for edge in table.lower_hu:
        marks |= {int(np.ceil(edge)) - 1, int(np.ceil(edge))}
    at = np.array(sorted(mark for mark in marks if low <= mark <= high), float)
    media, densities = material_at(at, table), density_at(at, table)
    return [
        Row(int(hu), table.materials[int(medium)], float(density))
        for hu, medium, density in zip(at, media, densities, strict=True)
    ]


def _as_protocol(numbers: Whole, table: HounsfieldTable, patient: Patient) -> NDArray[np.bool_]:
    """Say which voxels are what the protocol makes of their numbers."""
    voxels = patient.voxels
    places = np.array([voxels.materials.index(one) if one in voxels.materials else -1 for one in table.materials])
    hu = numbers.astype(float)
    same: NDArray[np.bool_] = (places[material_at(hu, table)] == voxels.material) & (
        density_at(hu, table) == voxels.density_g_cm3
    )
    return same


def _own_rows(patient: Patient, where: NDArray[np.bool_], above: int) -> list[Row]:
    """Return a row of its own for every medium and density among some voxels, with numbers below one."""
    voxels = patient.voxels
    pairs = np.unique(np.stack([voxels.material[where].astype(float), voxels.density_g_cm3[where]]), axis=1).T
    if above - len(pairs) < LOWEST:
        raise refuse("The voxels have too many densities for a HU table", given=len(pairs), allowed=above - LOWEST)
    return [
        Row(above - 1 - n, voxels.materials[int(medium)], float(density)) for n, (medium, density) in enumerate(pairs)
    ]


def table_text(rows: Sequence[Row]) -> str:
    """Return rows as FRED's ``matColumns:`` and ``mat:``, with RSP and mean excitation energy of our stopping power."""
    explicit = {row.material.name: with_explicit_excitation(row.material) for row in rows}
    atoms = sorted({z for one in explicit.values() for z in one.mass_fractions})
    symbols = {z: element(z).symbol for z in atoms}
    lines = ["matColumns: HU rho RSP Ipot Lrad " + " ".join(symbols.values())]
    for row in rows:
        one = explicit[row.material.name]
        rsp = row.density_g_cm3 * mass_rsp(one)
        values = [row.density_g_cm3, rsp, one.mean_excitation_eV or 0.0, radiation_length_g_cm2(one)]
        shares = [100.0 * one.mass_fractions.get(z, 0.0) for z in atoms]
        lines.append(f"mat: {row.number} " + " ".join(f"{value:.9g}" for value in (*values, *shares)))
    return "\n".join(lines) + "\n"


def with_explicit_excitation(material: Material) -> Material:
    """Return a medium with a mean excitation energy that gives its stopping power, also where Bragg's rule made it.

    A medium with a mean excitation energy of its own loses a correction for compounds, so that Bragg's own value alone
    would give another stopping power.
    """
    if material.mean_excitation_eV is not None:
        return material
    return with_mass_rsp(with_mass_rsp(material, 1.0001 * mass_rsp(material)), mass_rsp(material))


def radiation_length_g_cm2(material: Material) -> float:
    """Return the radiation length of a mixture (Particle Data Group, Passage of particles through matter, 34.4.2)."""
    inverse = 0.0
    for z, share in material.mass_fractions.items():
        length = 716.4 * element(z).atomic_weight / (z * (z + 1) * np.log(287.0 / np.sqrt(z)))
        inverse += share / length
    return float(1.0 / inverse)
