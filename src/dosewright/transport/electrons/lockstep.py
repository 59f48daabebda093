"""The loop over lanes of electrons and positrons that the compiler turns into vector code."""

import numpy as np

from dosewright.core.jit import vectorised
from dosewright.core.random import random_words
from dosewright.core.single import f32, i32
from dosewright.geometry.trace import PATIENT
from dosewright.transport.electrons.step import Flight, step
from dosewright.transport.lanes import (
    AT_X,
    AT_Y,
    AT_Z,
    CAPPED,
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
    LOST,
    NOBODY,
    PARTICLE,
    PATHS,
    RATIO,
    SPECIES,
    STOPS,
    STRETCH,
    VOXEL,
    U,
    V,
    W,
)  # fmt: skip
from dosewright.transport.lockstep import MOST_DRAWS
from dosewright.transport.tracks import POSITRON

_ONE, _TWO = np.uint32(1), np.uint32(2)
_MATERIAL = i32(0xFF)


@vectorised
def advance_electrons(problem, lanes, seed_low, seed_high):
    """Advance the electron or positron in every lane by one step."""
    geometry, tables, cuts = problem.geometry, problem.electrons, problem.cuts
    max_step = f32(problem.max_step_cm)
    first_x, first_y, first_z = geometry.first[PATIENT, 0], geometry.first[PATIENT, 1], geometry.first[PATIENT, 2]
    nx, ny, nz = geometry.cells[PATIENT, 0], geometry.cells[PATIENT, 1], geometry.cells[PATIENT, 2]
    f, n, w = lanes.floats, lanes.integers, lanes.words
    for lane in range(LANES):
        i = np.uintp(lane)

        # The voxel it is in.
        ix, iy, iz = n[IX + i], n[IY + i], n[IZ + i]
        voxel = i32(i32(i32(i32(iz * ny) + iy) * nx) + ix)
        x, y, z = np.uintp(i32(first_x + ix)), np.uintp(i32(first_y + iy)), np.uintp(i32(first_z + iz))
        size_x, size_y, size_z = geometry.sizes[x], geometry.sizes[y], geometry.sizes[z]
        word = geometry.voxels[np.uintp(voxel)]
        material = i32(word & _MATERIAL)
        kind = i32(i32(material + material) + (i32(1) if n[SPECIES + i] == POSITRON else i32(0)))
        here = Flight(
            f[ENERGY + i], f[U + i], f[V + i], f[W + i], f[FX + i], f[FY + i], f[FZ + i], f[DUE + i], f[PATHS + i],
            f[STRETCH + i], ix, iy, iz,
        )  # fmt: skip

        low, high, particle, draw = w[HISTORY_LOW + i], w[HISTORY_HIGH + i], w[PARTICLE + i], w[DRAW + i]
        four = random_words(seed_low, seed_high, low, high, particle, draw)
        words = four + random_words(seed_low, seed_high, low, high, particle, np.uint32(draw + _ONE))
        drawn = np.uint32(draw + _TWO)
        cut, rejection = cuts.electron[np.uintp(material)], cuts.rejection[np.uintp(material)]
        p, did = step(tables, cut, rejection, max_step, here, word, kind, size_x, size_y, size_z, words)

        # What became of it.
        somebody = n[SPECIES + i] != NOBODY
        f[ENERGY + i] = p.energy if somebody else f32(1.0)
        f[U + i], f[V + i], f[W + i] = p.u, p.v, p.w
        f[FX + i], f[FY + i], f[FZ + i] = p.fx, p.fy, p.fz
        f[DUE + i], f[PATHS + i], f[STRETCH + i] = p.due, p.paths, p.stretch
        n[IX + i], n[IY + i], n[IZ + i] = p.ix, p.iy, p.iz
        w[DRAW + i] = drawn
        f[LOST + i], f[RATIO + i] = (did.lost if somebody else f32(0.0)), did.ratio
        f[AT_X + i] = geometry.faces[x] + size_x * did.at_x
        f[AT_Y + i] = geometry.faces[y] + size_y * did.at_y
        f[AT_Z + i] = geometry.faces[z] + size_z * did.at_z
        n[VOXEL + i] = voxel
        within = (p.ix >= 0) & (p.ix < nx) & (p.iy >= 0) & (p.iy < ny) & (p.iz >= 0) & (p.iz < nz)
        event = i32(GOES_ON) if within else i32(LEAVES)
        event = i32(INTERACTS) if did.hit else event
        event = i32(CAPPED) if drawn >= MOST_DRAWS else event
        event = i32(STOPS) if did.stopped else event
        n[EVENT + i] = event if somebody else i32(GOES_ON)
