"""A scanned ion plan as plain values, free of DICOM."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RangeShifterSetting:
    """A range shifter as the plan asks for it in one beam; None where the plan says nothing.

    `isocenter_distance_mm` is from the isocentre to the downstream (patient-side) face.
    """

    id: str
    number: int
    kind: str = "BINARY"
    isocenter_distance_mm: float | None = None
    water_equivalent_thickness_mm: float | None = None


@dataclass(frozen=True)
class EnergyLayer:
    """Spots of one energy, from one control point.

    `x_mm`, `y_mm` are IEC gantry coordinates in the isocentre plane; `weights` are the plan's own spot meterset
    weights (all positive). `nominal_energy_MeV` is per nucleon. `spot_size_fwhm_mm` is the plan's (x, y), or None.
    """

    control_point: int
    nominal_energy_MeV: float
    x_mm: NDArray[np.float64]
    y_mm: NDArray[np.float64]
    weights: NDArray[np.float64]
    spot_tune_id: str = ""
    spot_size_fwhm_mm: tuple[float, float] | None = None


@dataclass(frozen=True)
class IonBeam:
    """One treatment beam; angles in degrees (IEC 61217), lengths in mm.

    `meterset` is per fraction in `meterset_unit` (``"MU"``, ``"NP"`` or empty); None where the plan has none.
    `radiation` is ``"PROTON"``, ``"ION_Z_A_Q"`` or the plan's own word. `devices_left_out` names the apertures,
    compensators and modulators that the plan puts into the beam and that were left out on request.
    """

    number: int
    name: str
    machine: str
    radiation: str
    meterset_unit: str
    meterset: float | None
    final_cumulative_weight: float
    gantry_deg: float
    couch_deg: float
    pitch_deg: float
    roll_deg: float
    patient_position: str
    isocenter_mm: tuple[float, float, float]
    layers: tuple[EnergyLayer, ...]
    range_shifters: tuple[RangeShifterSetting, ...] = ()
    snout_position_mm: float | None = None
    virtual_source_mm: tuple[float, float] | None = None
    snout_id: str = ""
    devices_left_out: tuple[str, ...] = ()

    @property
    def sum_of_weights(self) -> float:
        """Sum of all spot weights, in the plan's own scale."""
        return float(sum(layer.weights.sum() for layer in self.layers))

    @property
    def spot_count(self) -> int:
        """Number of spots with a positive weight."""
        return sum(len(layer.weights) for layer in self.layers)


@dataclass(frozen=True)
class IonPlan:
    """A scanned ion plan: its treatment beams and what a dose object must repeat of it.

    `warnings` holds what the reader found odd and how it was read; they belong into every report. `unread_beams` are
    number and name of the treatment beams that were not chosen and could not be read.
    """

    label: str
    uid: str
    frame_of_reference_uid: str
    structure_set_uid: str
    fractions: int | None
    beams: tuple[IonBeam, ...]
    prescription_Gy: float | None = None
    warnings: tuple[str, ...] = ()
    fraction_group: int = 1
    approval: str = ""
    intent: str = ""
    unread_beams: tuple[tuple[int, str], ...] = ()

    @property
    def all_beams(self) -> tuple[tuple[int, str], ...]:
        """Number and name of every treatment beam, those that could not be read included."""
        return (*((beam.number, beam.name) for beam in self.beams), *self.unread_beams)
