"""From the isocentre plane, to which a plan projects blocks and compensators, to the height where they are.

A thing at a distance z from the isocentre has (SAD - z) / SAD of its projected size, along x and y with the virtual
source-axis distance of that axis (DICOM PS3.3 C.8.8.25.4).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import refuse
from dosewright.core.plan import IonBeam

Array = NDArray[np.float64]

SLICE_SHIFT_MM = 0.25  # walls that follow the rays: stairs of this width, as fine as voxels across the beam


@dataclass(frozen=True)
class Projection:
    """Distances of the virtual source (x, y) in mm, and the angle of the beam limiting device in degrees."""

    source_mm: tuple[float, float]
    limiting_device_deg: float

    def scale(self, height_mm: float) -> Array:
        """Return the size at a height over the size in the isocentre plane, along x and y."""
        if height_mm >= min(self.source_mm):
            raise refuse(
                "A block or compensator stands beyond the virtual source",
                given=f"{height_mm:g} mm from the isocentre",
                allowed=f"below {min(self.source_mm):g} mm",
            )
        return np.array([1.0 - height_mm / distance for distance in self.source_mm])

    def at(self, outline_mm: Array, height_mm: float) -> Array:
        """Return an outline (n, 2) of the isocentre plane in gantry axes at a height."""
        angle = np.radians(self.limiting_device_deg)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        placed: Array = (outline_mm @ np.where(np.abs(turn) < 1e-12, 0.0, turn).T) * self.scale(height_mm)
        return placed

    def slices(self, low_mm: float, high_mm: float, reach_mm: float, *, divergent: bool) -> list[tuple[float, float]]:
        """Return the intervals of height inside which walls may be straight; `reach_mm` is the farthest from the axis.

        Walls along the beam need one; walls along the rays as many as keep their stairs narrow.
        """
        if not divergent:
            return [(low_mm, high_mm)]
        lean = reach_mm * float(np.max(np.abs(self.scale(low_mm) - self.scale(high_mm))))
        heights = np.linspace(low_mm, high_mm, max(int(np.ceil(lean / SLICE_SHIFT_MM)), 1) + 1)
        return [(float(a), float(b)) for a, b in pairwise(heights)]


def projection_of(beam: IonBeam, model: BeamModel) -> tuple[Projection, tuple[str, ...]]:
    """Return the projection of a beam's blocks and compensators: by the plan's virtual source, else by the model's."""
    if beam.virtual_source_mm is not None:
        return Projection(beam.virtual_source_mm, beam.limiting_device_deg), ()
    if np.any(np.isnan(model.scanning_mm)):
        raise refuse(
            f"Beam {beam.number}: neither the plan (VirtualSourceAxisDistances) nor beam model {model.name!r} says how "
            "far the virtual source is, by which blocks and compensators are scaled"
        )
    said = (
        f"The plan states no virtual source: its blocks and compensators were scaled with the scanning distances of "
        f"the beam model, {model.scanning_mm[0]:g} and {model.scanning_mm[1]:g} mm."
    )
    return Projection(model.scanning_mm, beam.limiting_device_deg), (said,)
