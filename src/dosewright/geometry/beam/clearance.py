"""Does anything in the beam reach into the patient: particles meet the one after the other, never both in one place."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.frame import Rigid
from dosewright.core.solids import Device, Field
from dosewright.geometry.beam.beamline import heights_mm, words
from dosewright.geometry.voxels import Voxels

Array = NDArray[np.float64]

BODY_G_CM3 = 0.1  # what is lighter is air around the patient, or a lung, which no device can reach
LOOK_MM = 2.0  # distance of the places that are looked at
MOST_PLACES = 2_000_000


def refuse_in_patient(devices: tuple[Device, ...], voxels: Voxels, to_patient: Rigid, field: Field) -> None:
    """Refuse devices whose lowest face lies, within the field of the beam, below the top of the patient's voxels.

    Voxels lighter than `BODY_G_CM3` do not count: the box of a CT often reaches above a device where it holds air.
    """
    found = heights_mm(devices)
    if found is None:
        return
    top = highest_body_mm(voxels, to_patient, field, found[0])
    if top is not None:
        lowest = min(devices, key=lambda device: (heights_mm((device,)) or (np.inf, 0.0))[0])
        raise refuse(
            f"The {words(lowest)} reaches into the patient (or the phantom)",
            given=f"its lower face is {found[0]:.1f} mm from the isocentre, the patient reaches up to {top:.1f} mm",
            allowed="a device above the patient: move the snout, or check the isocentre and the gantry angle",
        )


def highest_body_mm(voxels: Voxels, to_patient: Rigid, field: Field, above_mm: float) -> float | None:
    """Return the height of the highest body voxel of a field above a height (mm, gantry axes); None: there is none."""
    into_box = to_patient.then(voxels.frame.inverse())
    low, high = extent_mm(voxels, to_patient)
    if high[2] <= above_mm:
        return None
    spans = [(max(field[a][0], low[a]), min(field[a][1], high[a])) for a in range(2)]
    if any(b <= a for a, b in spans):
        return None
    volume = (spans[0][1] - spans[0][0]) * (spans[1][1] - spans[1][0])
    step = max(LOOK_MM, float(np.sqrt(volume / MOST_PLACES)))
    x, y = (np.arange(a + step / 2, b, step) if b - a > step else np.array([(a + b) / 2]) for a, b in spans)
    for z in np.arange(high[2] - LOOK_MM / 2, above_mm, -LOOK_MM):
        places = np.stack(np.broadcast_arrays(x[None, :], y[:, None], z), -1).reshape(-1, 3)
        if np.any(_density(voxels, into_box.points(places)) > BODY_G_CM3):
            return float(z)
    return None


def extent_mm(voxels: Voxels, to_patient: Rigid) -> tuple[Array, Array]:
    """Return the lowest and the highest place of the box of voxels along each of the gantry axes, mm."""
    corners = np.array([[e[0], e[-1]] for e in voxels.edges_mm])
    grid = np.stack(np.meshgrid(*corners, indexing="ij"), -1).reshape(-1, 3)
    in_gantry = to_patient.then(voxels.frame.inverse()).inverse().points(grid)
    return in_gantry.min(0), in_gantry.max(0)


def _density(voxels: Voxels, points: Array) -> NDArray[np.float32]:
    """Return the density at places in the box's own axes, zero outside."""
    index, inside = [], np.ones(len(points), bool)
    for axis, edges in enumerate(voxels.edges_mm):
        i = np.searchsorted(edges, points[:, axis], side="right") - 1
        inside &= (i >= 0) & (i < len(edges) - 1)
        index.append(np.clip(i, 0, len(edges) - 2))
    density: NDArray[np.float32] = voxels.density_g_cm3[index[2], index[1], index[0]]
    return np.where(inside, density, np.float32(0.0))
