"""The random numbers: Random123's known answers, and what statistics must find in them."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from dosewright.core import random
from dosewright.core.jit import kernel
from dosewright.core.random import (
    Stream,
    draw_four,
    eight_words,
    gaussian_pair,
    philox,
    random_words,
    start_stream,
    unit,
)

Array = NDArray[np.float64]

ONES = 0xFFFFFFFF
# Random123 1.14, kat_vectors, philox4x32 10: counter, key, answer.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
HISTORIES, DRAWS = 5000, 10


@kernel
def _fill(seed, first, numbers):
    for h in range(numbers.shape[0]):
        stream = start_stream(seed, first + h)
        for d in range(numbers.shape[1]):
            a, b, c, e, stream = draw_four(stream)
            numbers[h, d, 0], numbers[h, d, 1], numbers[h, d, 2], numbers[h, d, 3] = a, b, c, e


@kernel
def _normals(uniforms, normals):
    for i in range(uniforms.shape[0]):
        normals[i, 0], normals[i, 1] = gaussian_pair(uniforms[i, 0], uniforms[i, 1])


def _uniforms(seed: int = 7, first: int = 0) -> Array:
    """Numbers of many histories, [history, draw, 4]."""
    numbers = np.zeros((HISTORIES, DRAWS, 4))
    _fill(np.uint64(seed), np.uint64(first), numbers)
    return numbers


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(
    counter: tuple[int, ...], key: tuple[int, ...], answer: tuple[int, ...]
) -> None:
    words = philox(*(np.uint64(word) for word in (*counter, *key)))
    assert tuple(int(word) for word in words) == answer


def test_a_draw_is_philox_of_history_draw_and_seed() -> None:
    seed, history = 0xA4093822_299F31D0, 0x85A308D3_243F6A88
    numbers = np.zeros((1, 2, 4))
    _fill(np.uint64(seed), np.uint64(history), numbers)
    for draw in range(2):
        counter = (history & ONES, history >> 32, draw, 0, seed & ONES, seed >> 32)
        words = philox(*(np.uint64(word) for word in counter))
        assert list(numbers[0, draw]) == [int(word) * 2.0**-32 + 2.0**-33 for word in words]


WORDS_64 = st.integers(0, 2**64 - 1)


@settings(deadline=None)
@given(seed=WORDS_64, history=WORDS_64, draw=st.integers(0, 2**64 - 3))
@example(seed=2**64 - 1, history=2**64 - 1, draw=2**64 - 3)
@example(seed=0, history=0, draw=0)
def test_words_in_32_bits_are_those_that_draws_are_made_of(seed: int, history: int, draw: int) -> None:
    stream = Stream(np.uint64(seed), np.uint64(history), np.uint64(draw))
    *uniforms, after = draw_four(stream)
    halves = [np.uint32(n & ONES) for n in (seed, seed >> 32, history, history >> 32, draw >> 32, draw)]
    words = random_words(*halves)
    assert [int(w) * 2.0**-32 + 2.0**-33 for w in words] == uniforms
    if draw & ONES < ONES:  # a particle draws fewer than 2^32 numbers
        eight, twice_after = eight_words(stream)
        *second, last = draw_four(Stream(*(np.uint64(n) for n in after)))
        assert [int(w) * 2.0**-32 + 2.0**-33 for w in eight] == uniforms + second
        assert twice_after == last


@settings(deadline=None)
@given(st.integers(0, ONES))
@example(0)
@example(255)
@example(256)
@example(ONES)
@example(ONES - 256)
def test_a_unit_is_the_word_s_upper_24_bits(word: int) -> None:
    u = unit(np.uint32(word))
    assert 0.0 < u < 1.0
    assert abs(float(u) - (word >> 8) * 2.0**-24) <= 2.0**-24
    assert u == unit(np.uint32(word ^ 0xFF)), "the lower eight bits are free for other uses"


def test_units_are_uniform() -> None:
    words = np.arange(0, ONES, 977 * 256 + 13, dtype=np.int64)
    units = np.array([unit(np.uint32(w)) for w in words], float)
    assert np.all(np.diff(units) > 0)
    np.testing.assert_allclose(units, (words >> 8) * 2.0**-24 + 2.0**-25, atol=2.0**-24)
    assert units.mean() == pytest.approx(0.5, abs=1e-4)


def test_a_history_replays_alone() -> None:
    many = _uniforms(seed=3, first=100)
    alone = np.zeros((1, DRAWS, 4))
    _fill(np.uint64(3), np.uint64(142), alone)
    np.testing.assert_array_equal(alone[0], many[42])


def test_no_number_is_zero_or_one() -> None:
    smallest, largest = random.HALF_STEP, ONES * random.TO_UNIT + random.HALF_STEP
    assert 0.0 < smallest < largest < 1.0
    for u in (smallest, largest):
        assert np.all(np.isfinite(gaussian_pair(u, u)))
        assert np.isfinite(np.log(u))
        assert np.isfinite(np.log1p(-u))
    numbers = _uniforms()
    assert 0.0 < numbers.min() < numbers.max() < 1.0


def test_numbers_are_uniform() -> None:
    numbers = _uniforms()
    for lane in range(4):
        counts = np.histogram(numbers[:, :, lane], bins=256, range=(0, 1))[0]
        assert 0.001 < stats.chisquare(counts).pvalue < 0.999
    n = numbers.size
    assert abs(numbers.mean() - 1 / 2) < 4 * np.sqrt(1 / 12 / n)
    assert abs(numbers.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / n)


@pytest.mark.parametrize("bit", range(32))
def test_every_bit_is_set_half_of_the_time(bit: int) -> None:
    words = np.round((_uniforms() - random.HALF_STEP) * 2.0**32).astype(np.uint64)
    share = ((words >> np.uint64(bit)) & np.uint64(1)).mean()
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(words.size)


def test_lanes_draws_histories_and_seeds_are_independent() -> None:
    here = _uniforms()
    pairs = {
        "lanes": (here[:, :, 0], here[:, :, 1]),
        "lanes 2 and 3": (here[:, :, 2], here[:, :, 3]),
        "draws": (here[:, :-1], here[:, 1:]),
        "histories": (here[:-1], here[1:]),
        "seeds": (here, _uniforms(seed=8)),
        "seeds apart by 2^32": (here, _uniforms(seed=7 + (1 << 32))),
        "far histories": (here, _uniforms(first=1 << 62)),
    }
    for what, (a, b) in pairs.items():
        correlation = np.corrcoef(a.ravel(), b.ravel())[0, 1]
        assert abs(correlation) < 4 / np.sqrt(a.size), what
        counts = np.histogram2d(a.ravel(), b.ravel(), bins=16, range=((0, 1), (0, 1)))[0]
        assert stats.chisquare(counts.ravel()).pvalue > 1e-4, what


def test_gaussian_pairs_are_standard_normal_and_independent() -> None:
    uniforms = _uniforms().reshape(-1, 4)
    normals = np.zeros((len(uniforms), 2))
    _normals(uniforms, normals)
    n = normals.size
    assert abs(normals.mean()) < 4 / np.sqrt(n)
    assert abs(normals.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs((normals**3).mean()) < 4 * np.sqrt(15 / n)
    assert abs((normals**4).mean() - 3) < 4 * np.sqrt(96 / n)
    assert abs(np.corrcoef(normals.T)[0, 1]) < 4 / np.sqrt(len(normals))
    assert abs(np.corrcoef((normals**2).T)[0, 1]) < 4 / np.sqrt(len(normals))
    assert stats.kstest(normals.ravel(), "norm").pvalue > 1e-3
