"""The loop over lanes of electrons and positrons: vector code that does what one lane at a time would do."""

import re

import numba
import numpy as np
import pytest
from tests.transport.coupled_flights import coupled

from dosewright.core import jit
from dosewright.core.random import start_stream
from dosewright.geometry.trace import PATIENT, Place, Ray
from dosewright.transport.electrons.lockstep import advance_electrons
from dosewright.transport.lanes import (
    ENERGY,
    EVENT,
    FX,
    GOES_ON,
    INTERACTS,
    LANES,
    LEAVES,
    LOST,
    PATHS,
    RATIO,
    STOPS,
    STRETCH,
    Lanes,
    U,
    clear,
    empty_lanes,
    put,
)
from dosewright.transport.tracks import ELECTRON, POSITRON, Track

ENERGIES_MEV = np.geomspace(0.03, 20.0, LANES)
EMPTY = LANES - 1  # this lane stays empty


def lanes_of(seed: int) -> Lanes:
    """Electrons and positrons of many energies, anywhere in the box, flying anywhere."""
    rng, lanes = np.random.default_rng(seed), empty_lanes()
    cells = coupled().geometry.cells[PATIENT]
    for i in range(EMPTY):
        direction = rng.normal(size=3)
        ray = Ray(*rng.uniform(size=3), *(direction / np.linalg.norm(direction)))
        place = Place(PATIENT, *(int(rng.integers(n)) for n in cells))
        species = POSITRON if i % 3 == 0 else ELECTRON
        track = Track(ray, place, ENERGIES_MEV[i], species, 0.0, rng.exponential(), 1.0)
        put(lanes, i, track, start_stream(np.uint64(seed), np.uint64(i)))
    return lanes


def copied(lanes: Lanes) -> Lanes:
    return Lanes(lanes.floats.copy(), lanes.integers.copy(), lanes.words.copy())


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_lanes_side_by_side_do_what_one_after_the_other_does() -> None:
    """The same step compiled as scalar code, called for one lane at a time: 1000 steps agree to rounding.

    Fused multiplication leaves other last digits; a step may then end on another side of a threshold, or a large
    deflection hang on the last digits of its chance: one step in 300 at most. The empty lane stays as it is.
    """
    events, apart = set(), []
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        for seed in range(6):
            lanes = lanes_of(seed)
            for _ in range(3):
                alone = copied(lanes)
                advance_electrons(coupled(), lanes, np.uint32(7), np.uint32(seed))
                advance_electrons.py_func(coupled(), alone, np.uint32(7), np.uint32(seed))
                assert np.array_equal(lanes.words, alone.words)
                assert lanes.floats[LOST + EMPTY] == alone.floats[LOST + EMPTY] == 0.0
                for i in range(EMPTY):
                    events.add(int(lanes.integers[EVENT + i]))
                    apart.append(difference(lanes, alone, i))
                    if lanes.integers[EVENT + i] != GOES_ON:
                        clear(lanes, i)
    assert events >= {GOES_ON, INTERACTS, LEAVES, STOPS}
    assert len(apart) > 1000
    assert np.median(apart) < 1e-6
    assert np.mean(np.array(apart) > 2e-5) <= 1 / 300, np.sort(apart)[-10:]


def difference(a: Lanes, b: Lanes, i: int) -> float:
    """Return the largest difference of what two lanes hold; one or more if they are in another voxel or event."""
    if not np.array_equal(a.integers[i::LANES], b.integers[i::LANES]):
        return 1.0
    numbers = [*(row + LANES * axis for row in (U, FX) for axis in range(3)), PATHS, STRETCH, RATIO]
    largest = max(abs(float(a.floats[row + i]) - float(b.floats[row + i])) for row in numbers)
    energies = max(abs(float(a.floats[row + i]) - float(b.floats[row + i])) for row in (ENERGY, LOST))
    return max(largest, energies / float(ENERGIES_MEV[i]))


def machine_code() -> str:
    """The assembler of the loop over lanes, compiled anew: what is loaded from the cache has none."""
    options = {k: v for k, v in jit._OPTIONS.items() if k != "cache"}
    fresh = numba.njit(**options, pipeline_class=jit._DistinctArrays)(advance_electrons.py_func)
    fresh(coupled(), empty_lanes(), np.uint32(1), np.uint32(0))
    (code,) = fresh.inspect_asm().values()
    return str(code)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_the_loop_over_electrons_is_vector_code_without_calls() -> None:
    features = str(numba.config.CPU_FEATURES).split(",")
    if "+avx2" not in features:
        pytest.skip("a CPU without wide vectors")
    register = "zmm" if "+avx512f" in features else "ymm"
    code = machine_code()
    multiply = r"\tv(?:mul|fn?m(?:add|sub)\w+)"
    assert len(re.findall(rf"{multiply}ps\s.*%{register}", code)) > 150, "no vectors were made of the loop over lanes"
    assert len(re.findall(rf"\tvpmul\w*\s.*%{register}", code)) > 50, "nor of the random numbers"
    assert len(re.findall(rf"{multiply}ss\s", code)) == 0, "something is done lane by lane"
    called = set(re.findall(r"\tcallq?\s+\*?(\w+)", code)) | set(re.findall(r"movabsq\s+\$(\w+)", code))
    elementary = r"_*(log|exp|sin|cos|sincos|tan|atan|atan2|sqrt|pow|fmin|fmax|floor)f?|.*svml.*"
    assert [name for name in called if re.fullmatch(elementary, name)] == []
