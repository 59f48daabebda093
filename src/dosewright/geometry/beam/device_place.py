"""Devices where they stand for one beam: in gantry axes, heights counted from the isocentre.

The room of a GATE macro has y down, z towards the gantry axis and x to the left of a patient who lies head first supine
on a straight couch. Gantry axes become those of the room by a turn of +90 degrees about x, then by the gantry angle
about z (the way GATE's TPS pencil beam source is placed): at 0 degrees the source lies at -y, at 90 degrees at +x.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import rotation_about
from dosewright.core.solids import Device, Solid
from dosewright.geometry.beam.beamline import is_matter, words
from dosewright.geometry.beam.solid_inside import bounds_mm

Array = NDArray[np.float64]

BESIDE_DEG = 5.0  # as seen from the isocentre: a device of a fixed beam line whose middle lies farther off the beam


def gantry_to_room(gantry_deg: float) -> Array:
    """Return the turn from gantry axes to the room of a GATE macro."""
    turn: Array = rotation_about("z", gantry_deg) @ rotation_about("x", 90.0)
    return turn


def placed(device: Device, *, gantry_deg: float, snout_mm: float | None, snout_moves: bool = False) -> Device:
    """Return a device in gantry axes, counted from the isocentre; refuses one that has no place in this beam."""
    solids = device.solids
    if device.axes == "room":
        back = gantry_to_room(gantry_deg).T
        solids = tuple(_turned(solid, back) for solid in solids)
    if device.on_snout:
        if snout_mm is None:
            raise InputError(f"The {words(device)} rides on the snout, and the plan states no snout position.")
        if snout_moves:
            raise InputError(
                f"The {words(device)} rides on the snout, and the snout moves inside the beam; split the beam in the "
                "planning system, one place per beam."
            )
        solids = tuple(_shifted(solid, snout_mm) for solid in solids)
    if device.axes == "room":
        _refuse_beside(device, solids, gantry_deg)
    return replace(device, solids=solids, axes="gantry", on_snout=False)


def _turned(solid: Solid, turn: Array) -> Solid:
    x, y, z = turn @ np.array(solid.centre_mm)
    return replace(solid, centre_mm=(float(x), float(y), float(z)), rotation=_clean(turn @ solid.rotation))


def _clean(rotation: Array) -> Array:
    """Return a rotation with what is zero but for rounding set to zero, so that upright faces stay upright."""
    cleaned: Array = np.where(np.abs(rotation) < 1e-12, 0.0, rotation)
    return cleaned


def _shifted(solid: Solid, up_mm: float) -> Solid:
    x, y, z = solid.centre_mm
    return replace(solid, centre_mm=(x, y, z + up_mm))


def _refuse_beside(device: Device, solids: tuple[Solid, ...], gantry_deg: float) -> None:
    """Refuse a device of a fixed beam line that does not stand in the beam of this gantry angle."""
    bounds = [bounds_mm(solid) for solid in solids if is_matter(solid)]
    if not bounds:
        return
    low, high = np.min([b[0] for b in bounds], axis=0), np.max([b[1] for b in bounds], axis=0)
    middle = (low + high) / 2
    off = float(np.degrees(np.arctan2(np.hypot(middle[0], middle[1]), middle[2])))
    if off > BESIDE_DEG:
        raise refuse(
            f"The {words(device)} is fixed in the room and does not stand in the beam at gantry angle {gantry_deg:g}: "
            "its beam line belongs to another angle",
            given=f"its middle is {off:.0f} degrees off the beam, as seen from the isocentre",
            allowed=f"at most {BESIDE_DEG:g} degrees",
        )
