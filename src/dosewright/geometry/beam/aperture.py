"""Apertures and shielding blocks of a plan as solids.

Several apertures of a beam are several openings of one plate (DICOM PS3.3 C.8.8.14.4). A plan says nothing of the
outside of a plate: it covers the whole beam.
"""

from collections.abc import Callable

import numpy as np

from dosewright.core.errors import InputError
from dosewright.core.matter import Material
from dosewright.core.plan import Block, IonBeam
from dosewright.core.solids import Box, Device, Prism, Solid
from dosewright.geometry.beam.beamline import HALF_WIDTH_MM
from dosewright.geometry.beam.projection import Projection

Named = Callable[[str], Material]


def block_devices(beam: IonBeam, projection: Projection, named: Named) -> tuple[tuple[Device, ...], tuple[str, ...]]:
    """Return the plate with all openings, and every shielding block, of a beam; with what was assumed."""
    plates = [block for block in beam.blocks if block.kind == "APERTURE"]
    devices, said = [], []
    if plates:
        _refuse_uneven(beam, plates)
        material = named(plates[0].material)
        devices.append(_plate(plates, projection, material))
        said.append(
            f"Aperture {devices[0].id!r} was taken as a plate of {plates[0].thickness_mm:g} mm {material.name} that "
            "covers the whole beam around its opening."
        )
    for block in beam.blocks:
        if block.kind == "SHIELDING":
            material = named(block.material)
            devices.append(Device(_name(block), "aperture", tuple(_prisms(block, projection, material))))
    return tuple(devices), tuple(said)


def span_mm(block: Block) -> tuple[float, float]:
    """Return the heights of a block's lower and upper face."""
    if block.mounting == "SOURCE_SIDE":
        return block.tray_mm, block.tray_mm + block.thickness_mm
    return block.tray_mm - block.thickness_mm, block.tray_mm


def _plate(blocks: list[Block], projection: Projection, material: Material) -> Device:
    low, high = span_mm(blocks[0])
    box = Box((2 * HALF_WIDTH_MM, 2 * HALF_WIDTH_MM, high - low))
    solids = [Solid("plate", box, material, material.density_g_cm3, (0.0, 0.0, (low + high) / 2))]
    for block in blocks:
        solids += _prisms(block, projection, None)
    return Device("+".join(_name(block) for block in blocks), "aperture", tuple(solids))


def _prisms(block: Block, projection: Projection, material: Material | None) -> list[Solid]:
    """Return what the outline of a block holds, as one prism or, where the walls follow the rays, as a stack."""
    low, high = span_mm(block)
    reach = float(np.abs(block.outline_mm).max())
    solids = []
    for bottom, top in projection.slices(low, high, reach, divergent=block.divergent):
        middle = (bottom + top) / 2
        outline = projection.at(block.outline_mm, middle if block.divergent else block.tray_mm)
        density = material.density_g_cm3 if material else 0.0
        name = "block" if material else "opening"
        solids.append(Solid(name, Prism(outline, top - bottom), material, density, (0.0, 0.0, middle)))
    return solids


def _refuse_uneven(beam: IonBeam, blocks: list[Block]) -> None:
    first = blocks[0]
    for other in blocks[1:]:
        if (span_mm(other), other.material, other.divergent) != (span_mm(first), first.material, first.divergent):
            raise InputError(
                f"Beam {beam.number}: apertures {_name(first)!r} and {_name(other)!r} differ in place, thickness, "
                "material or divergence, but several apertures are openings of one plate; export the plan with one."
            )


def _name(block: Block) -> str:
    return block.name or f"{block.number}"
