"""From a random stream to the first state of a primary, in beam axes: flight along -z, lengths in cm."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined, kernel
from dosewright.core.random import draw_four, gaussian_pair
from dosewright.sources import records as of

PENCILS, RECTANGLE, POINT, BOX, SPHERE, CYLINDER, RECORDS = 0, 1, 2, 3, 4, 5, 6

# Columns of `Source.pencils`: centre and slope of the axis on the start plane, lower Cholesky factors of the
# covariances of (position, slope) along x and y, mean energy and its sigma, height of the start plane; the shape on the
# start plane and the radii within which it is; whether energies are uniform, and between which they are. A radius or
# an energy of 0 as the upper bound: there are no bounds.
X, Y, SLOPE_X, SLOPE_Y, XX, XS, SS_X, YY, YS, SS_Y, MEAN_ENERGY, ENERGY_SIGMA, START_Z = range(13)
SHAPE, LEAST_RADIUS, MOST_RADIUS, FLAT_ENERGY, LEAST_ENERGY, MOST_ENERGY = range(13, 19)
PENCIL_COLUMNS = 19
GAUSSIAN, RECTANGULAR, ELLIPTIC = 0.0, 1.0, 2.0  # shapes, with the standard deviations of the row
WIDTH_OF_FLAT = np.sqrt(12.0)  # of a uniform distribution, in its standard deviations
RADIUS_OF_DISC = 2.0  # of a disc that is filled evenly, in standard deviations along an axis
LOWEST_ENERGY_SHARE = 0.05  # a sampled energy is kept above this share of the mean
ISOTROPIC = np.zeros(3)


class Source(NamedTuple):
    """A source packed for the kernels; lengths in cm, energies in MeV.

    ``RECTANGLE``: uniform over ``extent`` at z = 0, parallel to -z. ``POINT``: a focus at height ``extent[2]``,
    uniform in solid angle inside the field ``extent[:2]`` at z = 0. ``BOX``, ``SPHERE``, ``CYLINDER`` (along z):
    uniform inside ``extent`` (full widths), flying along the unit vector ``direction``, or isotropic where that is
    zero. A spectrum (if any) replaces the energies. ``RECORDS``: the particles of a phase space, rows of ``records``
    (see `sources.records`), which have axes of their own; ``energy`` is then the range of their energies.
    """

    kind: int
    pencils: NDArray[np.float64]
    extent: NDArray[np.float64]
    energy: NDArray[np.float64]
    spectrum_low: NDArray[np.float64]
    spectrum_high: NDArray[np.float64]
    spectrum_sum: NDArray[np.float64]
    direction: NDArray[np.float64] = ISOTROPIC
    records: NDArray[np.float32] = of.NO_RECORDS


@inlined
def species_and_weight(source, pencil, species):
    """Return species and weight of a primary: those of its record; else the source's own and one."""
    if source.kind == RECORDS:
        row = pencil >> of.ROW_SHIFT
        return np.int64(source.records[row, of.SPECIES]), np.float64(source.records[row, of.WEIGHT])
    return np.int64(species), 1.0


@kernel
def emit(source, pencil, stream):
    """Return position, direction, kinetic energy of a primary, and the stream after it."""
    if source.kind == RECORDS:
        x, y, z, u, v, w, energy = _from_record(source.records, pencil)
        return x, y, z, u, v, w, energy, stream
    if source.kind == PENCILS:
        x, y, z, u, v, w, stream = _from_pencil(source.pencils, pencil, stream)
        mean, sigma = source.pencils[pencil, MEAN_ENERGY], source.pencils[pencil, ENERGY_SIGMA]
        if source.pencils[pencil, FLAT_ENERGY] != 0.0 or source.pencils[pencil, MOST_ENERGY] != 0.0:
            energy, stream = _energy_within(source.pencils, pencil, stream)
            return x, y, z, u, v, w, energy, stream
    else:
        x, y, z, u, v, w, stream = _from_shape(source, stream)
        mean, sigma = source.energy[0], source.energy[1]
    energy, stream = _energy(source, mean, sigma, stream)
    return x, y, z, u, v, w, energy, stream


@kernel
def _energy(source, mean, sigma, stream):
    a, b, _, _, stream = draw_four(stream)
    if source.spectrum_sum.size > 0:
        i = np.searchsorted(source.spectrum_sum, a * source.spectrum_sum[-1])
        return source.spectrum_low[i] + b * (source.spectrum_high[i] - source.spectrum_low[i]), stream
    g, _ = gaussian_pair(a, b)
    return max(mean + sigma * g, LOWEST_ENERGY_SHARE * mean), stream


@kernel
def _energy_within(pencils, p, stream):
    """Return an energy of a uniform distribution, or of a Gaussian, between bounds."""
    mean, sigma = pencils[p, MEAN_ENERGY], pencils[p, ENERGY_SIGMA]
    least, most = pencils[p, LEAST_ENERGY], pencils[p, MOST_ENERGY]
    while True:
        a, b, _, _, stream = draw_four(stream)
        g = WIDTH_OF_FLAT * (a - 0.5) if pencils[p, FLAT_ENERGY] != 0.0 else gaussian_pair(a, b)[0]
        energy = max(mean + sigma * g, LOWEST_ENERGY_SHARE * mean)
        if most == 0.0 or least <= energy <= most:
            return energy, stream


@kernel
def _from_record(rows, use):
    """Return position, unit direction and kinetic energy of one use of a record."""
    row = use >> of.ROW_SHIFT
    x, y, z = np.float64(rows[row, of.X]), np.float64(rows[row, of.Y]), np.float64(rows[row, of.Z])
    u, v, w = np.float64(rows[row, of.U]), np.float64(rows[row, of.V]), np.float64(rows[row, of.W])
    if use & of.FLIPS_X != 0:
        x, u = -x, -u
    if use & of.FLIPS_Y != 0:
        y, v = -y, -v
    norm = 1.0 / np.sqrt(u * u + v * v + w * w)
    return x, y, z, u * norm, v * norm, w * norm, np.float64(rows[row, of.ENERGY])


@kernel
def _from_pencil(pencils, p, stream):
    a, b, c, d, stream = draw_four(stream)
    gx, gsx = gaussian_pair(a, b)
    gy, gsy = gaussian_pair(c, d)
    if pencils[p, SHAPE] != GAUSSIAN or pencils[p, MOST_RADIUS] != 0.0:
        gx, gy, stream = _across(pencils, p, stream)
    slope_x = pencils[p, SLOPE_X] + pencils[p, XS] * gx + pencils[p, SS_X] * gsx
    slope_y = pencils[p, SLOPE_Y] + pencils[p, YS] * gy + pencils[p, SS_Y] * gsy
    w = -1.0 / np.sqrt(1.0 + slope_x * slope_x + slope_y * slope_y)
    x = pencils[p, X] + pencils[p, XX] * gx
    y = pencils[p, Y] + pencils[p, YY] * gy
    return x, y, pencils[p, START_Z], -slope_x * w, -slope_y * w, w, stream


@kernel
def _across(pencils, p, stream):
    """Return where a particle starts across a pencil of any shape, in standard deviations along x and y."""
    least, most = pencils[p, LEAST_RADIUS], pencils[p, MOST_RADIUS]
    while True:
        a, b, _, _, stream = draw_four(stream)
        gx, gy = gaussian_pair(a, b)
        if pencils[p, SHAPE] == RECTANGULAR:
            gx, gy = WIDTH_OF_FLAT * (a - 0.5), WIDTH_OF_FLAT * (b - 0.5)
        elif pencils[p, SHAPE] == ELLIPTIC:
            r = RADIUS_OF_DISC * np.sqrt(a)
            gx, gy = r * np.cos(2.0 * np.pi * b), r * np.sin(2.0 * np.pi * b)
        x, y = pencils[p, XX] * gx, pencils[p, YY] * gy
        if most == 0.0 or least * least <= x * x + y * y <= most * most:
            return gx, gy, stream


@kernel
def _from_shape(source, stream):
    if source.kind == RECTANGLE:
        a, b, _, _, stream = draw_four(stream)
        return (a - 0.5) * source.extent[0], (b - 0.5) * source.extent[1], 0.0, 0.0, 0.0, -1.0, stream
    if source.kind == POINT:
        return _from_focus(source.extent, stream)
    x, y, z, stream = _inside(source, stream)
    d = source.direction
    if d[0] != 0.0 or d[1] != 0.0 or d[2] != 0.0:
        return x, y, z, d[0], d[1], d[2], stream
    a, b, _, _, stream = draw_four(stream)
    w = 2.0 * a - 1.0
    s = np.sqrt(1.0 - w * w)
    return x, y, z, s * np.cos(2.0 * np.pi * b), s * np.sin(2.0 * np.pi * b), w, stream


@kernel
def _from_focus(extent, stream):
    """Accept points of the field in proportion to the solid angle they stand for, (h/r)^3."""
    h = extent[2]
    while True:
        a, b, c, _, stream = draw_four(stream)
        x, y = (a - 0.5) * extent[0], (b - 0.5) * extent[1]
        r = np.sqrt(x * x + y * y + h * h)
        if c < (h / r) ** 3:
            return 0.0, 0.0, h, x / r, y / r, -h / r, stream


@kernel
def _inside(source, stream):
    while True:
        a, b, c, _, stream = draw_four(stream)
        x, y, z = a - 0.5, b - 0.5, c - 0.5
        height2 = z * z if source.kind == SPHERE else 0.0
        if source.kind == BOX or x * x + y * y + height2 <= 0.25:
            return x * source.extent[0], y * source.extent[1], z * source.extent[2], stream
