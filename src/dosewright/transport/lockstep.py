"""The loop over lanes that the compiler turns into vector code."""

import numpy as np

from dosewright.core.jit import vectorised
from dosewright.core.random import random_words
from dosewright.core.single import ZERO, f32, i32
from dosewright.geometry.trace import BEAMLINE, PATIENT
from dosewright.transport.lanes import (
    AT_X,
    AT_Y,
    AT_Z,
    BOX,
    CAPPED,
    CHARGE2,
    DRAW,
    DUE,
    ENERGY,
    EVENT,
    FX,
    FY,
    FZ,
    GOES_ON,
    HISTORY_HIGH,
    HISTORY_LOW,
    INTERACTS,
    IX,
    IY,
    IZ,
    LANES,
    LEAVES,
    LENGTH,
    LET,
    LOST,
    NOT_PATIENT,
    NOT_SCORED,
    PARTICLE,
    PATHS,
    PER_NUCLEON,
    RATE_COLUMN,
    RATIO,
    STOPS,
    VOXEL,
    U,
    V,
    W,
)  # fmt: skip
from dosewright.transport.step import Flight, step

MOST_DRAWS = np.uint32(2_000_000)  # of one particle, two in a step
_ONE, _TWO = np.uint32(1), np.uint32(2)


@vectorised
def advance_lanes(problem, lanes, seed_low, seed_high):
    """Advance the particle in every lane by one step."""
    geometry, tables = problem.geometry, problem.tables
    cut, max_step = f32(problem.controls.cut_MeV), f32(problem.controls.max_step_cm)
    first, cells, begin = geometry.first, geometry.cells, geometry.voxel_first
    bx, by, bz = first[BEAMLINE, 0], first[BEAMLINE, 1], first[BEAMLINE, 2]
    px, py, pz = first[PATIENT, 0], first[PATIENT, 1], first[PATIENT, 2]
    b_nx, b_ny, b_nz = cells[BEAMLINE, 0], cells[BEAMLINE, 1], cells[BEAMLINE, 2]
    p_nx, p_ny, p_nz = cells[PATIENT, 0], cells[PATIENT, 1], cells[PATIENT, 2]
    b_first, p_first = begin[BEAMLINE], begin[PATIENT]
    f, n, w = lanes.floats, lanes.integers, lanes.words
    for lane in range(LANES):
        i = np.uintp(lane)

        # The voxel it is in.
        inside = n[BOX + i] == PATIENT
        ix, iy, iz = n[IX + i], n[IY + i], n[IZ + i]
        nx, ny, nz = (p_nx if inside else b_nx), (p_ny if inside else b_ny), (p_nz if inside else b_nz)
        voxel = i32(i32(i32(i32(i32(iz * ny) + iy) * nx) + ix) + (p_first if inside else b_first))
        x = np.uintp(i32((px if inside else bx) + ix))
        y = np.uintp(i32((py if inside else by) + iy))
        z = np.uintp(i32((pz if inside else bz) + iz))
        size_x, size_y, size_z = geometry.sizes[x], geometry.sizes[y], geometry.sizes[z]
        here = Flight(
            f[ENERGY + i], f[U + i], f[V + i], f[W + i], f[FX + i], f[FY + i], f[FZ + i], f[DUE + i], f[PATHS + i],
            f[CHARGE2 + i], f[PER_NUCLEON + i], ix, iy, iz,
        )  # fmt: skip

        low, high, particle, draw = w[HISTORY_LOW + i], w[HISTORY_HIGH + i], w[PARTICLE + i], w[DRAW + i]
        four = random_words(seed_low, seed_high, low, high, particle, draw)
        words = four + random_words(seed_low, seed_high, low, high, particle, np.uint32(draw + _ONE))
        drawn = np.uint32(draw + _TWO)
        p, did = step(
            tables, cut, max_step, here, geometry.voxels[np.uintp(voxel)], size_x, size_y, size_z,
            n[RATE_COLUMN + i], words,
        )  # fmt: skip

        # What became of it.
        f[ENERGY + i], f[U + i], f[V + i], f[W + i] = p.energy, p.u, p.v, p.w
        f[FX + i], f[FY + i], f[FZ + i] = p.fx, p.fy, p.fz
        f[DUE + i], f[PATHS + i] = p.due, p.paths
        n[IX + i], n[IY + i], n[IZ + i] = p.ix, p.iy, p.iz
        w[DRAW + i] = drawn
        f[LOST + i], f[RATIO + i], f[LET + i], f[LENGTH + i] = did.lost, did.ratio, did.let, did.length
        f[AT_X + i] = geometry.faces[x] + size_x * did.at_x
        f[AT_Y + i] = geometry.faces[y] + size_y * did.at_y
        f[AT_Z + i] = geometry.faces[z] + size_z * did.at_z
        n[VOXEL + i] = voxel if inside else i32(NOT_PATIENT)
        within = (p.ix >= 0) & (p.ix < nx) & (p.iy >= 0) & (p.iy < ny) & (p.iz >= 0) & (p.iz < nz)
        event = i32(GOES_ON) if within else i32(LEAVES)
        event = i32(INTERACTS) if did.hit else event
        event = i32(CAPPED) if (drawn >= MOST_DRAWS) & (p.charge2 > ZERO) else event
        n[EVENT + i] = i32(STOPS) if did.stopped else event


@vectorised
def locate_in_grid(scoring, lanes):
    """Find the voxel of the scored grid for what each lane in the patient box has just lost."""
    m = scoring.matrix
    a0, a1, a2, a3 = m[0, 0], m[0, 1], m[0, 2], m[0, 3]
    b0, b1, b2, b3 = m[1, 0], m[1, 1], m[1, 2], m[1, 3]
    c0, c1, c2, c3 = m[2, 0], m[2, 1], m[2, 2], m[2, 3]
    nx, ny, nz = scoring.shape[0], scoring.shape[1], scoring.shape[2]
    f, n = lanes.floats, lanes.integers
    for lane in range(LANES):
        i = np.uintp(lane)
        x, y, z = f[AT_X + i], f[AT_Y + i], f[AT_Z + i]
        a = a0 * x + a1 * y + a2 * z + a3
        b = b0 * x + b1 * y + b2 * z + b3
        c = c0 * x + c1 * y + c2 * z + c3
        ix, iy, iz = i32(a), i32(b), i32(c)
        within = (a >= ZERO) & (b >= ZERO) & (c >= ZERO) & (ix < nx) & (iy < ny) & (iz < nz)
        voxel = i32(i32(i32(i32(iz * ny) + iy) * nx) + ix)
        target = voxel if within else i32(NOT_SCORED)
        n[VOXEL + i] = target if n[VOXEL + i] != NOT_PATIENT else i32(NOT_PATIENT)
