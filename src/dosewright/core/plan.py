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
class RangeModulatorSetting:
    """A range modulator (ripple filter, ridge filter) of a beam; the distance is to its downstream face, mm."""

    id: str
    number: int
    kind: str = "FIXED"
    isocenter_distance_mm: float | None = None


@dataclass(frozen=True)
class Block:
    """An aperture or a shielding block.

    Parameters
    ----------
    name, number
        As the plan names it.
    kind
        ``"APERTURE"``: what is outside the outline is blocked. ``"SHIELDING"``: what is inside.
    material
        The plan's own word.
    thickness_mm
        Along the beam.
    tray_mm
        From the isocentre to the block's downstream face (mounted ``SOURCE_SIDE``) or upstream face
        (``PATIENT_SIDE``).
    mounting
        On which side of its (often virtual) tray it is: ``"SOURCE_SIDE"`` or ``"PATIENT_SIDE"``.
    divergent
        Its walls follow the rays from the virtual source instead of the beam axis.
    outline_mm
        Its edge, (n, 2), projected to the isocentre plane, in the axes of the beam limiting device.
    """

    name: str
    number: int
    kind: str
    material: str
    thickness_mm: float
    tray_mm: float
    mounting: str
    divergent: bool
    outline_mm: NDArray[np.float64]


@dataclass(frozen=True)
class Compensator:
    """A range compensator as rectangular columns of material.

    Parameters
    ----------
    id, number, material
        As the plan names them.
    tray_mm, mounting
        As for `Block`; ``"DOUBLE_SIDED"`` has an upper surface of its own, `upper_mm`.
    divergent
        The columns follow the rays from the virtual source.
    thickness_mm
        Of every column, (rows, columns); rows go down, from +y to -y.
    spacing_mm
        Between rows and between columns, projected to the isocentre plane.
    first_mm
        x and y of the middle of the first column (upper left), projected to the isocentre plane, in the axes of the
        beam limiting device.
    column_offset_mm
        By which every second row is shifted along x (hexagonal patterns), projected likewise.
    upper_mm
        Distance of every column's upper end from the isocentre, (rows, columns); None unless double sided.
    stopping_power_ratio
        The plan's linear stopping power over that of water; None where it says none.
    milling_tool_mm
        Diameter of the tool, or None.
    """

    id: str
    number: int
    material: str
    tray_mm: float
    mounting: str
    divergent: bool
    thickness_mm: NDArray[np.float64]
    spacing_mm: tuple[float, float]
    first_mm: tuple[float, float]
    column_offset_mm: float = 0.0
    upper_mm: NDArray[np.float64] | None = None
    stopping_power_ratio: float | None = None
    milling_tool_mm: float | None = None


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
    `radiation` is ``"PROTON"``, ``"ION_Z_A_Q"`` or the plan's own word. `devices_left_out` names what the plan
    puts into the beam and what was left out on request. `limiting_device_deg` turns blocks and compensators, not spots.
    `snout_moves` says that `snout_position_mm` is only the first of several positions.
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
    blocks: tuple[Block, ...] = ()
    compensators: tuple[Compensator, ...] = ()
    range_modulators: tuple[RangeModulatorSetting, ...] = ()
    limiting_device_deg: float = 0.0
    snout_moves: bool = False

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
