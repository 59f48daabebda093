"""Sources of a run file, packed for the kernels.

Beam axes fly along -z and share x with the source's own axes, which the shortest turn brings from the axes of the
run to the direction of flight: a source that flies along +z has the x and y of the run.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid, turned_axes
from dosewright.core.units import MM_PER_CM
from dosewright.simulation.run_file.source_tables import (
    Energetic,
    PencilSource,
    PointSource,
    RectangleSource,
    SpotsSource,
    VolumeSource,
)
from dosewright.simulation.run_file.values import FORWARD, Triple
from dosewright.simulation.setup.spectrum import read_spectrum
from dosewright.simulation.setup.spot_table import Spots, read_spots
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.sources.pencil_beams import cholesky_cm

Array = NDArray[np.float64]
NOTHING = np.zeros(0)
NO_PENCILS = np.zeros((1, emit.PENCIL_COLUMNS))
SHAPES = {"sphere": emit.SPHERE, "cylinder": emit.CYLINDER, "box": emit.BOX}
ACROSS = 1e-12  # below it a direction counts as parallel to the z axis


@dataclass(frozen=True)
class BeamSource:
    """A packed source, the weights of its pencils, the way from beam axes to the run's axes (mm).

    `particles` is the absolute number a source carries; None where doses are per primary.
    """

    packed: Source
    weights: Array
    to_patient: Rigid
    particles: float | None = None


def beam_source(source: PencilSource | RectangleSource | PointSource | VolumeSource | SpotsSource) -> BeamSource:
    """Pack a source that passed the checks of its run file; spots must come from a table."""
    if isinstance(source, PencilSource):
        return _pencil(source)
    if isinstance(source, RectangleSource):
        extent = np.array([*source.field_mm, 0.0]) / MM_PER_CM
        return _shape(source, emit.RECTANGLE, extent, beam_axes(source.position_mm, source.direction))
    if isinstance(source, PointSource):
        return _point(source)
    if isinstance(source, VolumeSource):
        return _volume(source)
    return _spots(source)


def beam_axes(position_mm: Triple, direction: Triple) -> Rigid:
    """Return the way from beam axes (flight along -z, origin at `position_mm`) to the axes of the run."""
    own = _shortest_turn(np.array(direction, float) / np.linalg.norm(direction))
    return Rigid(own * np.array([1.0, -1.0, -1.0]), np.array(position_mm))


def _shortest_turn(flight: Array) -> Array:
    """Return the rotation (columns: own x, y, z) that turns +z to `flight` by the shortest way (Rodrigues' formula).

    Straight back is half a turn about x.
    """
    x, y, z = flight
    if np.hypot(x, y) < ACROSS:
        return np.diag([1.0, 1.0, 1.0]) if z > 0 else np.diag([1.0, -1.0, -1.0])
    cross = np.array([[0.0, 0.0, x], [0.0, 0.0, y], [-x, -y, 0.0]])
    one_plus_z = 1.0 + z if z > 0 else (x * x + y * y) / (1.0 - z)  # keeps its digits where z is almost -1
    turn: Array = np.eye(3) + cross + cross @ cross / one_plus_z
    return turn


def _energy_and_spectrum(source: Energetic) -> tuple[Array, tuple[Array, Array, Array]]:
    if source.spectrum is not None:
        spectrum = read_spectrum(Path(source.spectrum))
        return np.zeros(2), (spectrum.low_MeV, spectrum.high_MeV, spectrum.cumulated)
    mean = source.energy_MeV or 0.0
    return np.array([mean, mean * source.energy_spread_percent / 100]), (NOTHING, NOTHING, NOTHING)


def _covariance(sigma_mm: float, divergence_mrad: float, correlation: float) -> Array:
    slope = divergence_mrad / 1000
    both = correlation * sigma_mm * slope
    return np.array([[sigma_mm**2, both], [both, slope**2]])


def _pencil(source: PencilSource) -> BeamSource:
    energy, spectrum = _energy_and_spectrum(source)
    rows = np.zeros((1, emit.PENCIL_COLUMNS))
    axes = [_covariance(*of_axis) for of_axis in zip(source.sigma_mm, source.divergence_mrad, source.correlation,
                                                     strict=True)]  # fmt: skip
    rows[0, [emit.XX, emit.XS, emit.SS_X]] = cholesky_cm(axes[0])
    rows[0, [emit.YY, emit.YS, emit.SS_Y]] = cholesky_cm(axes[1])
    rows[0, [emit.MEAN_ENERGY, emit.ENERGY_SIGMA]] = energy
    packed = Source(emit.PENCILS, rows, np.zeros(3), energy, *spectrum)
    return BeamSource(packed, np.ones(1), beam_axes(source.position_mm, source.direction))


def _shape(source: Energetic, kind: int, extent_cm: Array, axes: Rigid) -> BeamSource:
    energy, spectrum = _energy_and_spectrum(source)
    return BeamSource(Source(kind, NO_PENCILS, extent_cm, energy, *spectrum), np.ones(1), axes)


def _point(source: PointSource) -> BeamSource:
    """Put the origin of the beam axes where the axis meets the plane of the field."""
    way = np.subtract(source.field_at_mm, source.position_mm)
    direction = tuple(way) if source.direction is None else source.direction
    extent = np.array([*source.field_mm, np.linalg.norm(way)]) / MM_PER_CM
    return _shape(source, emit.POINT, extent, beam_axes(source.field_at_mm, direction))


def _volume(source: VolumeSource) -> BeamSource:
    """A volume has the axes of the run, or turned ones, whatever its direction."""
    energy, spectrum = _energy_and_spectrum(source)
    own = turned_axes(source.rotation_deg)
    flight = np.zeros(3)
    if source.direction is not None:
        flight = own.T @ np.array(source.direction) / np.linalg.norm(source.direction)
    extent = np.array(source.extent_mm) / MM_PER_CM
    packed = Source(SHAPES[source.shape], NO_PENCILS, extent, energy, *spectrum, flight)
    return BeamSource(packed, np.ones(1), Rigid(own, np.array(source.position_mm)))


def _spots(source: SpotsSource) -> BeamSource:
    spots = read_spots(Path(source.file or ""))
    packed = Source(emit.PENCILS, spot_rows(spots), np.zeros(3), np.zeros(2), NOTHING, NOTHING, NOTHING)
    axes = beam_axes(source.position_mm or (0.0, 0.0, 0.0), source.direction or FORWARD)
    return BeamSource(packed, spots["particles"], axes, float(spots["particles"].sum()))


def spot_rows(spots: Spots) -> Array:
    """Return pencils of a table of spots; x and y are the source's own, and beam axes have y the other way."""
    rows = np.zeros((spots["x_mm"].size, emit.PENCIL_COLUMNS))
    rows[:, emit.X] = spots["x_mm"] / MM_PER_CM
    rows[:, emit.Y] = -spots["y_mm"] / MM_PER_CM
    for axis, columns in (("x", (emit.XX, emit.XS, emit.SS_X)), ("y", (emit.YY, emit.YS, emit.SS_Y))):
        sigma, slope = spots[f"sigma_{axis}_mm"] / MM_PER_CM, spots[f"divergence_{axis}_mrad"] / 1000
        r = spots[f"correlation_{axis}"]
        rows[:, columns] = np.stack([sigma, r * slope, slope * np.sqrt(1 - r**2)], axis=1)
    rows[:, emit.MEAN_ENERGY] = spots["energy_MeV"]
    rows[:, emit.ENERGY_SIGMA] = spots["energy_MeV"] * spots["energy_spread_percent"] / 100
    return rows
