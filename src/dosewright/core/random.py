"""Counter-based random numbers: a function of (seed, history, draw), so that any history replays alone.

Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011).
"""

from typing import NamedTuple

import numpy as np

from dosewright.core.jit import inlined, kernel

MULTIPLIER_0 = np.uint64(0xD2511F53)  # Salmon et al. 2011, table 2
MULTIPLIER_1 = np.uint64(0xCD9E8D57)
WEYL_0 = np.uint64(0x9E3779B9)
WEYL_1 = np.uint64(0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)
HIGH_SHIFT = np.uint64(32)
ROUNDS = 10
WORD = np.uint32
TO_UNIT = 2.0**-32
UNIT_23, HALF_UNIT_23 = np.float32(2.0**-23), np.float32(2.0**-24)
HALF_STEP = 2.0**-33  # keeps every number inside (0, 1)


class Stream(NamedTuple):
    """Where a history stands in its own sequence of random numbers."""

    seed: np.uint64
    history: np.uint64
    draw: np.uint64


@inlined
def philox(c0, c1, c2, c3, k0, k1):
    """Return four 32-bit words for a 128-bit counter and a 64-bit key (each word in a uint64)."""
    for _ in range(ROUNDS):
        p0 = MULTIPLIER_0 * c0
        p1 = MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (p1 >> HIGH_SHIFT) ^ c1 ^ k0, p1 & LOW, (p0 >> HIGH_SHIFT) ^ c3 ^ k1, p0 & LOW
        k0 = (k0 + WEYL_0) & LOW
        k1 = (k1 + WEYL_1) & LOW
    return c0, c1, c2, c3


@inlined
def start_stream(seed, history):
    """Return the stream of one history."""
    return Stream(np.uint64(seed), np.uint64(history), np.uint64(0))


@inlined
def draw_four(stream):
    """Return four independent uniforms in (0, 1) and the stream after them."""
    a, b, c, d = philox(
        stream.history & LOW,
        stream.history >> HIGH_SHIFT,
        stream.draw & LOW,
        stream.draw >> HIGH_SHIFT,
        stream.seed & LOW,
        stream.seed >> HIGH_SHIFT,
    )
    after = Stream(stream.seed, stream.history, stream.draw + np.uint64(1))
    return (
        a * TO_UNIT + HALF_STEP,
        b * TO_UNIT + HALF_STEP,
        c * TO_UNIT + HALF_STEP,
        d * TO_UNIT + HALF_STEP,
        after,
    )


@inlined
def random_words(seed_low, seed_high, history_low, history_high, particle, draw):
    """Return the four words that `draw_four` turns into uniforms, in 32-bit arithmetic that compiles to vector code."""
    c0, c1, c2, c3 = WORD(history_low), WORD(history_high), WORD(draw), WORD(particle)
    k0, k1 = WORD(seed_low), WORD(seed_high)
    for _ in range(ROUNDS):
        p0, p1 = MULTIPLIER_0 * np.uint64(c0), MULTIPLIER_1 * np.uint64(c2)
        c0, c1 = WORD(WORD(p1 >> HIGH_SHIFT) ^ c1 ^ k0), WORD(p1 & LOW)
        c2, c3 = WORD(WORD(p0 >> HIGH_SHIFT) ^ c3 ^ k1), WORD(p0 & LOW)
        k0, k1 = WORD(np.uint64(k0) + WEYL_0), WORD(np.uint64(k1) + WEYL_1)
    return c0, c1, c2, c3


@inlined
def eight_words(stream):
    """Return eight words of a stream and the stream after them."""
    seed_low, seed_high = stream.seed & LOW, stream.seed >> HIGH_SHIFT
    low, high = stream.history & LOW, stream.history >> HIGH_SHIFT
    particle, draw = stream.draw >> HIGH_SHIFT, stream.draw & LOW
    first = random_words(seed_low, seed_high, low, high, particle, draw)
    second = random_words(seed_low, seed_high, low, high, particle, draw + np.uint64(1))
    return first + second, Stream(stream.seed, stream.history, stream.draw + np.uint64(2))


@inlined
def unit(word):
    """Return a float32 uniform in (0, 1) from the upper 23 bits of a word; the lower nine stay for other uses."""
    return np.float32(np.int32(np.int64(word) >> np.int64(9))) * UNIT_23 + HALF_UNIT_23


@kernel
def first_uniform(seed, stream_number):
    """Return the first uniform of a stream: a way in for callers outside the kernels (both numbers uint64)."""
    return draw_four(start_stream(seed, stream_number))[0]


@inlined
def gaussian_pair(u1, u2):
    """Return two independent standard normal numbers from two uniforms (Box and Muller 1958)."""
    r = np.sqrt(-2.0 * np.log(u1))
    angle = 2.0 * np.pi * u2
    return r * np.cos(angle), r * np.sin(angle)
