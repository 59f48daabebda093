"""Particles side by side, so that one instruction moves sixteen of them.

Each quantity is a row of `LANES` numbers; rows lie one after another in flat arrays at offsets known when the code is
compiled, which is what lets the compiler make vector code of the loop over lanes.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import inlined
from dosewright.core.random import HIGH_SHIFT, LOW, Stream
from dosewright.geometry.trace import FAR_CM, PATIENT, Place, Ray
from dosewright.materials.lookup import ION_RATE
from dosewright.transport.tracks import CHARGE_SQUARED, NUCLEONS, Track, rate_column

LANES = 64

# Rows of `floats`: energy (MeV), direction, fractions of the way through the voxel, mean square angle due (rad2), mean
# free paths left, charge squared, one over nucleons; then what the last step did: energy lost (MeV), where (cm in the
# box), ratio of stopping powers of water and medium, stopping power in water (MeV cm2/g), length (cm). Of electrons
# also what is left of a stretch without deflection (g/cm2), less than nothing before the first. And the weight.
ENERGY, U, V, W, FX, FY, FZ, DUE, PATHS, CHARGE2, PER_NUCLEON = (LANES * r for r in range(11))
LOST, AT_X, AT_Y, AT_Z, RATIO, LET, LENGTH, STRETCH, WEIGHT = (LANES * r for r in range(11, 20))
FLOAT_ROWS = 20
# Rows of `integers`: box, voxel, column of the rate of hard interactions, species; then the scored voxel of the last
# step (`NOT_SCORED` off the scored grid, `NOT_PATIENT` outside the patient box), what ended the step, and the tag (see
# `scoring.carried`).
BOX, IX, IY, IZ, RATE_COLUMN, SPECIES, VOXEL, EVENT, TAG = (LANES * r for r in range(9))
INTEGER_ROWS = 9
NOT_SCORED, NOT_PATIENT = -1, -2
NOBODY = -1  # the species in an empty lane
NOT_BEGUN = -1.0  # the stretch of a particle that has just been made
# Rows of `words`: history, particle within it, random numbers drawn.
HISTORY_LOW, HISTORY_HIGH, PARTICLE, DRAW = (LANES * r for r in range(4))
WORD_ROWS = 4

# What ends a step: nothing but its length or a face, a hard interaction, the end of the box, the end of the range, or
# the largest number of steps, which is counted and reported.
GOES_ON, INTERACTS, LEAVES, STOPS, CAPPED = range(5)


class Lanes(NamedTuple):
    """The rows; see the offsets above."""

    floats: NDArray[np.float32]
    integers: NDArray[np.int32]
    words: NDArray[np.uint32]


def empty_lanes() -> Lanes:
    """Return lanes without particles."""
    lanes = Lanes(
        np.zeros(FLOAT_ROWS * LANES, np.float32),
        np.zeros(INTEGER_ROWS * LANES, np.int32),
        np.zeros(WORD_ROWS * LANES, np.uint32),
    )
    for i in range(LANES):
        clear(lanes, i)
    return lanes


@inlined
def clear(lanes, i):
    """Empty a lane: what stands there has no charge and no direction, so a step does nothing to it."""
    floats, integers = lanes.floats, lanes.integers
    floats[U + i] = floats[V + i] = floats[W + i] = floats[CHARGE2 + i] = 0.0
    floats[ENERGY + i], floats[PER_NUCLEON + i] = 1.0e3, 1.0
    floats[PATHS + i], floats[DUE + i] = FAR_CM, -FAR_CM
    integers[BOX + i], integers[IX + i], integers[IY + i], integers[IZ + i] = PATIENT, 0, 0, 0
    integers[RATE_COLUMN + i], integers[SPECIES + i] = ION_RATE, NOBODY


@inlined
def put(lanes, i, track, stream):
    """Put a track inside a box into a lane."""
    floats, integers, words = lanes.floats, lanes.integers, lanes.words
    ray, place = track.ray, track.place
    floats[ENERGY + i], floats[DUE + i], floats[PATHS + i] = track.energy, track.deflection_due, track.free_paths
    floats[STRETCH + i], floats[WEIGHT + i] = 0.0, track.weight
    floats[U + i], floats[V + i], floats[W + i] = ray.u, ray.v, ray.w
    floats[FX + i], floats[FY + i], floats[FZ + i] = ray.x, ray.y, ray.z
    floats[CHARGE2 + i] = CHARGE_SQUARED[track.species]
    floats[PER_NUCLEON + i] = 1.0 / NUCLEONS[track.species]
    integers[BOX + i], integers[SPECIES + i] = place.region, track.species
    integers[IX + i], integers[IY + i], integers[IZ + i] = place.ix, place.iy, place.iz
    integers[RATE_COLUMN + i], integers[TAG + i] = rate_column(track.species), 0
    words[HISTORY_LOW + i] = np.uint32(stream.history & LOW)
    words[HISTORY_HIGH + i] = np.uint32(stream.history >> HIGH_SHIFT)
    words[PARTICLE + i] = np.uint32(stream.draw >> HIGH_SHIFT)
    words[DRAW + i] = np.uint32(stream.draw & LOW)


@inlined
def taken(lanes, i, seed):
    """Return the track in a lane and its stream."""
    f, n, w = lanes.floats, lanes.integers, lanes.words
    ray = Ray(
        np.float64(f[FX + i]),
        np.float64(f[FY + i]),
        np.float64(f[FZ + i]),
        np.float64(f[U + i]),
        np.float64(f[V + i]),
        np.float64(f[W + i]),
    )
    place = Place(np.int64(n[BOX + i]), np.int64(n[IX + i]), np.int64(n[IY + i]), np.int64(n[IZ + i]))
    history = np.uint64(w[HISTORY_HIGH + i]) << HIGH_SHIFT | np.uint64(w[HISTORY_LOW + i])
    draw = np.uint64(w[PARTICLE + i]) << HIGH_SHIFT | np.uint64(w[DRAW + i])
    stream = Stream(seed, history, draw)
    due, paths, weight = np.float64(f[DUE + i]), np.float64(f[PATHS + i]), np.float64(f[WEIGHT + i])
    return Track(ray, place, np.float64(f[ENERGY + i]), np.int64(n[SPECIES + i]), due, paths, weight), stream
