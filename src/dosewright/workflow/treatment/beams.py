"""Pencil beams of a FRED field as rows of a source, in axes that fly along -z.

The axes are those of the field, turned by half a turn about its left, as sources fly along -z. Where a pencil beam
leans by more than `MOST_SLOPE`, or an oblong one is turned about its axis, it has axes of its own: rows know
covariances along two axes only, in planes across the flight. So it has where it lies between radii and leans at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.units import FWHM_PER_SIGMA, MM_PER_CM, PROTON_MASS_MEV
from dosewright.formats.text.fred.beam_shape import CrossSection, Energy, Envelope, PointSource
from dosewright.formats.text.fred.pencil_beams import PencilBeam
from dosewright.simulation.setup.beam_source import beam_axes
from dosewright.sources import emit
from dosewright.sources.pencil_beams import cholesky_cm, drifted

Array = NDArray[np.float64]

MOST_SLOPE = 0.2  # of a pencil beam against its axes
SIGMAS = 5.0  # within which a beam is
SHAPES = {"pin": emit.GAUSSIAN, "gauss": emit.GAUSSIAN, "emittance": emit.GAUSSIAN, "box": emit.RECTANGULAR,
          "disc": emit.ELLIPTIC}  # fmt: skip
PER_SIGMA = {"gauss": FWHM_PER_SIGMA, "box": emit.WIDTH_OF_FLAT, "disc": 2 * emit.RADIUS_OF_DISC}  # full widths
FARTHEST_CM = 1e6  # a radius that nothing reaches
FLIGHT = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))  # from axes that fly along -z to those that fly along +z


@dataclass(frozen=True)
class BeamGroup:
    """Pencil beams with axes in common.

    Parameters
    ----------
    rows
        (n, 19), columns as in `sources.emit` (cm, rad, MeV).
    particles
        Delivered by each.
    histories
        Asked for by all of them together; 0 where a goal tells how many.
    to_room
        From the axes of the rows to the room, mm.
    """

    rows: Array
    particles: Array
    histories: int
    to_room: Rigid


def energy_sigma_MeV(energy: Energy) -> float:
    """Return the standard deviation of the energy; that of a momentum by ``dT = T (T + 2M) / (T + M) dp/p``."""
    per_sigma = emit.WIDTH_OF_FLAT if energy.distribution == "uniform" else FWHM_PER_SIGMA
    if energy.momentum_fwhm:
        t = energy.mean_MeV
        return energy.momentum_fwhm / per_sigma * t * (t + 2 * PROTON_MASS_MEV) / (t + PROTON_MASS_MEV)
    return energy.fwhm_MeV / per_sigma


def bounded(section: CrossSection) -> bool:
    """Say whether a beam lies between radii."""
    return section.least_radius_mm > 0 or bool(np.isfinite(section.most_radius_mm))


def beam_groups(beams: Sequence[PencilBeam], field: Rigid, exit_window_mm: float) -> list[BeamGroup]:
    """Return pencil beams that deliver particles, those with axes in common together.

    Parameters
    ----------
    beams
        Of one field, checked.
    field
        From the axes of the field to the room, mm.
    exit_window_mm
        Up to this plane of the field they fly in vacuum.
    """
    grouped: dict[tuple[float, ...], list[PencilBeam]] = {}
    for beam in beams:
        if beam.particles > 0:
            grouped.setdefault(_own_axes(beam), []).append(beam)
    return [_group(key, of, field, exit_window_mm) for key, of in grouped.items()]


def _own_axes(beam: PencilBeam) -> tuple[float, ...]:
    """Return what gives a pencil beam axes of its own: its turn if it is oblong, and its direction if it leans much."""
    x, y, z = beam.direction
    leans = not (z > 0 and max(abs(x), abs(y)) <= (0.0 if bounded(beam.section) else MOST_SLOPE) * z)
    turned = beam.section.turned_deg % 180.0 if _oblong(beam) else 0.0
    return (turned, *beam.direction) if leans else (turned,)


def _oblong(beam: PencilBeam) -> bool:
    if isinstance(beam.spread, Envelope):
        return not np.allclose(beam.spread.optics.cov_x, beam.spread.optics.cov_y, rtol=1e-9, atol=0.0)
    points = isinstance(beam.spread, PointSource) and beam.spread.source_mm[0] != beam.spread.source_mm[1]
    return points or beam.section.fwhm_mm[0] != beam.section.fwhm_mm[1] or beam.section.shape == "box"


def _group(key: tuple[float, ...], beams: Sequence[PencilBeam], field: Rigid, window: float) -> BeamGroup:
    turned, *direction = key
    axes = np.eye(3)
    if direction:
        x, y, z = direction
        axes = beam_axes((0.0, 0.0, 0.0), (x, y, z)).rotation @ FLIGHT.rotation  # +z turned the shortest way
    own = Rigid(axes @ rotation_about("z", turned), np.zeros(3))  # from axes of the group to those of the field
    rows = np.array([_row(beam, own, window) for beam in beams])
    particles = np.array([beam.particles for beam in beams])
    histories = sum(beam.histories for beam in beams)
    return BeamGroup(rows, particles, histories, FLIGHT.then(own).then(field))


def _row(beam: PencilBeam, own: Rigid, window: float) -> Array:
    """Return the row of a pencil beam, at its origin, or where its axis comes through the exit window."""
    to_own = own.inverse()
    place, way = to_own.points(np.array(beam.position_mm)), to_own.directions(np.array(beam.direction))
    slopes = way[:2] / way[2]
    # The window is a plane of the field: how far it is along the pencil beam, and from there along the axes of the row.
    ahead = max((window - beam.position_mm[2]) / beam.direction[2], 0.0) * way[2] if window > 0 else 0.0
    place = place + ahead * np.array([*slopes, 1.0])
    cov_x, cov_y = (drifted(cov, ahead) for cov in _covariances(beam, slopes))
    row = np.zeros(emit.PENCIL_COLUMNS)
    row[[emit.X, emit.Y, emit.START_Z]] = np.array([place[0], -place[1], -place[2]]) / MM_PER_CM
    row[[emit.SLOPE_X, emit.SLOPE_Y]] = slopes[0], -slopes[1]
    row[[emit.XX, emit.XS, emit.SS_X]] = cholesky_cm(cov_x)
    row[[emit.YY, emit.YS, emit.SS_Y]] = cholesky_cm(cov_y)
    put_energy(row, beam.energy)
    section = beam.section
    row[emit.SHAPE] = SHAPES[section.shape]
    if bounded(section):
        sigma = section.fwhm_mm[0] / PER_SIGMA.get(section.shape, np.inf) / MM_PER_CM
        widened = row[emit.XX] / sigma if sigma > 0 else 1.0  # on the way from the plane of the cross-section
        row[emit.LEAST_RADIUS] = widened * section.least_radius_mm / MM_PER_CM
        row[emit.MOST_RADIUS] = min(widened * section.most_radius_mm / MM_PER_CM, FARTHEST_CM)
    return row


def put_energy(row: Array, energy: Energy) -> None:
    """Put the energies of a pencil beam into its row; bounds that nothing reaches are none."""
    sigma = energy_sigma_MeV(energy)
    row[[emit.MEAN_ENERGY, emit.ENERGY_SIGMA]] = energy.mean_MeV, sigma
    row[emit.FLAT_ENERGY] = energy.distribution == "uniform"
    reach = SIGMAS * sigma
    if sigma > 0 and (energy.least_MeV > energy.mean_MeV - reach or energy.most_MeV < energy.mean_MeV + reach):
        row[emit.LEAST_ENERGY] = energy.least_MeV
        row[emit.MOST_ENERGY] = min(energy.most_MeV, energy.mean_MeV + 2 * reach)


def _covariances(beam: PencilBeam, slopes: Array) -> tuple[Array, Array]:
    """Return the covariances of place and slope at the origin of a pencil beam, mm and rad.

    An envelope lies in the planes of the axes, as plans mean it. Another cross-section lies across the pencil beam
    itself: the plane of the axes cuts it longer by ``sqrt(1 + slope^2)``.
    """
    if isinstance(beam.spread, Envelope):
        optics, back = beam.spread.optics, -beam.spread.plane_mm
        return drifted(optics.cov_x, back), drifted(optics.cov_y, back)
    found = []
    for axis, (fwhm, slope) in enumerate(zip(beam.section.fwhm_mm, slopes, strict=True)):
        sigma = fwhm / PER_SIGMA.get(beam.section.shape, np.inf) * np.sqrt(1 + slope**2)
        per_mm, back = 0.0, 0.0
        if isinstance(beam.spread, PointSource):
            per_mm = 1.0 / (beam.spread.plane_mm - beam.spread.source_mm[axis])
            back = beam.position_mm[2] - beam.spread.plane_mm
        at_plane = sigma**2 * np.array([[1.0, per_mm], [per_mm, per_mm**2]])
        found.append(drifted(at_plane, back))
    return found[0], found[1]
