"""What stands in front of the voxels of a step, as devices of its beams, as in a plan.

Boxes in front of the voxels and across the beam are transported through as range shifters are: the beams begin in the
medium of the room, go through the boxes, and on to the voxels. All else, a box behind the voxels, one that leans, one
in another, takes a scene of parts, through which particles go more slowly.
"""

from collections.abc import Sequence

import numpy as np

from dosewright.core.scene import Part
from dosewright.core.solids import Box, Device, Solid
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.beam.beamline import GAS_G_CM3, HALF_WIDTH_MM, heights_mm
from dosewright.geometry.beam.clearance import extent_mm, highest_body_mm
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.simulation.problem import CORE_SIGMAS
from dosewright.sources import emit
from dosewright.sources.pencil_beams import PencilBeams, reach_mm
from dosewright.workflow.treatment.beams import BeamGroup
from dosewright.workflow.treatment.media import Medium
from dosewright.workflow.treatment.portion import Around, pencils_of

ACROSS = 1e-9  # how far axes may lean that count as those of the beam
SAME_MM = 1e-6  # by which starts may differ, and a face lie above them, as `beamline_box` allows it
AIR = "G4_AIR"


def in_front(
    room: Medium | None, bodies: Sequence[Part], beams: BeamGroup, voxels: Voxels, *, reach_in: bool
) -> Around | None:
    """Return what is around voxels as devices in front of them; None where it takes a scene.

    Parameters
    ----------
    room
        What fills the room; None for vacuum.
    bodies
        What is in it beside the voxels, in room axes.
    beams
        Pencil beams with axes in common.
    voxels
        With their frame in the room.
    reach_in
        Whether bodies reach into the box of the voxels, which no scene allows. Then, as in a plan, they need to be
        above what is denser than air in the core of the beam only.
    """
    medium = _medium_between(room)
    if medium is None:
        return None
    if not bodies:
        return Around(medium=medium)
    devices = [_device(body, beams) for body in bodies]
    found = tuple(device for device in devices if device is not None)
    pencils = pencils_of(beams, medium)
    if len(found) < len(devices) or not _below_start(found, pencils):
        return None
    clear = _clear(found, beams, pencils, voxels, core=False) or (
        reach_in and _clear(found, beams, pencils, voxels, core=True)
    )
    return Around(found, medium) if clear else None


def _medium_between(room: Medium | None) -> str | None:
    """Return the word for what fills the room; None where beams of a plan know none."""
    if room is None:
        return "vacuum"
    air = named(AIR)
    return "air" if room.material == air and room.density_g_cm3 == air.density_g_cm3 else None


def _device(body: Part, beams: BeamGroup) -> Device | None:
    """Return a box of matter as a device in the axes of the beam; None where it is another, or leans."""
    density = body.density_g_cm3
    if not isinstance(body.shape, Box) or body.material is None or density is None or density < GAS_G_CM3:
        return None
    to_beam = beams.to_room.inverse()
    turned = np.abs(to_beam.rotation @ body.placement.rotation)
    if np.any((turned > ACROSS) & (turned < 1.0 - ACROSS)):
        return None
    x, y, z = (np.rint(turned) @ np.array(body.shape.size_mm)).tolist()
    u, v, w = to_beam.points(np.array(body.placement.centre_mm)).tolist()
    return Device(body.name, "range_shifter", (Solid(body.name, Box((x, y, z)), body.material, density, (u, v, w)),))


def _below_start(devices: tuple[Device, ...], pencils: PencilBeams) -> bool:
    """Say whether all pencil beams start in one plane, above all devices, within the width that these may have."""
    starts_mm, found = pencils.rows[:, emit.START_Z] * MM_PER_CM, heights_mm(devices)
    if found is None or np.ptp(starts_mm) > SAME_MM or found[1] > pencils.start_mm + SAME_MM:
        return False
    return bool(np.abs(reach_mm(pencils, found[0])).max() <= HALF_WIDTH_MM)


def _clear(devices: tuple[Device, ...], beams: BeamGroup, pencils: PencilBeams, voxels: Voxels, *, core: bool) -> bool:
    """Say whether the devices are above the box of the voxels, or above the body in the reach or the core of the beam.

    What of the box is beside or above a device is then lighter than any body, and taken as the medium between.
    """
    found = heights_mm(devices)
    if found is None:
        return True
    low, high = extent_mm(voxels, beams.to_room)
    if high[2] <= found[0]:
        return True
    field = reach_mm(pencils, found[0], sigmas=CORE_SIGMAS, margin_mm=0.0) if core else reach_mm(pencils, found[0])
    top = highest_body_mm(voxels, beams.to_room, field, float(low[2]))
    return top is not None and top <= found[0]
