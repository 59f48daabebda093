"""Particles side by side: in and out of a lane, and lanes without one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.random import Stream, start_stream
from dosewright.geometry.trace import BEAMLINE, PATIENT, Place, Ray
from dosewright.materials.lookup import HELIUM_RATE, ION_RATE, PROTON_RATE
from dosewright.scoring.deposit import empty_tally
from dosewright.transport import lanes as rows
from dosewright.transport.lanes import GOES_ON, LANES, NOBODY, clear, empty_lanes, put, taken
from dosewright.transport.lockstep import MOST_DRAWS, advance_lanes
from dosewright.transport.loop_cpu import score
from dosewright.transport.tracks import ALPHA, CHARGE_SQUARED, DEUTERON, HELION, NUCLEONS, PROTON, TRITON, Track

from .flights import pencil_problem, water_and_bone

SEED = np.uint64(2**63 + 5)
single = st.floats(-1, 1, width=32)


@settings(deadline=None)
@given(
    numbers=st.tuples(*[single] * 6),
    energy=st.floats(0.5, 350, width=32),
    due=single,
    paths=st.floats(0, 30, width=32),
    place=st.tuples(st.sampled_from([BEAMLINE, PATIENT]), *[st.integers(0, 511)] * 3),
    species=st.sampled_from([PROTON, DEUTERON, ALPHA, TRITON, HELION]),
    history=st.integers(0, 2**64 - 1),
    draw=st.integers(0, 2**64 - 1),
    lane=st.integers(0, LANES - 1),
)
def test_a_track_comes_out_of_its_lane_as_it_went_in(
    numbers: tuple[float, ...], energy: float, due: float, paths: float, place: tuple[int, int, int, int],
    species: int, history: int, draw: int, lane: int,
) -> None:  # fmt: skip
    lanes = empty_lanes()
    others = np.delete(np.arange(LANES), lane)
    before = [a.reshape(-1, LANES)[:, others].copy() for a in lanes]
    track = Track(Ray(*numbers), Place(*place), energy, species, due, paths, 0.125)
    stream = Stream(SEED, np.uint64(history), np.uint64(draw))
    put(lanes, lane, track, stream)
    assert taken(lanes, lane, SEED) == (track, stream)
    for array, then in zip(lanes, before, strict=True):
        np.testing.assert_array_equal(array.reshape(-1, LANES)[:, others], then)


@pytest.mark.parametrize(
    ("species", "column"),
    [(PROTON, PROTON_RATE), (DEUTERON, ION_RATE), (TRITON, ION_RATE), (HELION, HELIUM_RATE), (ALPHA, HELIUM_RATE)],
)
def test_a_species_brings_its_charge_nucleons_and_rates(species: int, column: int) -> None:
    lanes = empty_lanes()
    track = Track(Ray(0.5, 0.5, 0.5, 0.0, 0.0, 1.0), Place(PATIENT, 0, 0, 0), 10.0, species, 0.0, 1.0, 1.0)
    put(lanes, 3, track, start_stream(np.uint64(1), np.uint64(2)))
    assert lanes.floats[rows.CHARGE2 + 3] == CHARGE_SQUARED[species]
    assert lanes.floats[rows.PER_NUCLEON + 3] == pytest.approx(1 / NUCLEONS[species], rel=1e-7)
    assert lanes.integers[rows.RATE_COLUMN + 3] == column
    assert lanes.integers[rows.SPECIES + 3] == species


def test_rows_do_not_overlap() -> None:
    assert {v % LANES for v in (rows.ENERGY, rows.LENGTH, rows.EVENT, rows.DRAW)} == {0}
    assert rows.WEIGHT == LANES * (rows.FLOAT_ROWS - 1)
    assert rows.TAG == LANES * (rows.INTEGER_ROWS - 1)
    assert rows.DRAW == LANES * (rows.WORD_ROWS - 1)


@pytest.mark.parametrize("used", [False, True])
def test_an_empty_lane_does_nothing(used: bool) -> None:
    """Neither at first nor after a proton has left it: no energy, no LET, no event, and it stays where it is."""
    problem = pencil_problem(water_and_bone(), 90.0, let=True)
    lanes = empty_lanes()
    if used:
        for i in range(LANES):
            track = Track(Ray(0.5, 0.5, 0.0, 0.0, 0.0, 1.0), Place(PATIENT, 5, 5, 0), 90.0, PROTON, 1e-5, 1.0, 1.0)
            put(lanes, i, track, start_stream(np.uint64(1), np.uint64(i)))
        advance_lanes(problem, lanes, np.uint32(1), np.uint32(0))
        for i in range(LANES):
            clear(lanes, i)
        lanes.words[rows.DRAW :] = MOST_DRAWS - 20
    tally = empty_tally(problem.scoring, 1200)
    for _ in range(50):
        advance_lanes(problem, lanes, np.uint32(1), np.uint32(0))
        score(problem.scoring, lanes, tally)
        assert np.all(lanes.integers[rows.EVENT :] == GOES_ON)
        assert not lanes.floats[rows.LOST : rows.LOST + LANES].any()
    assert not any(part.any() for part in tally)
    by_row = lanes.integers.reshape(-1, LANES)
    assert np.all(by_row[[rows.IX // LANES, rows.IY // LANES, rows.IZ // LANES]] == 0)
    assert np.all(by_row[rows.SPECIES // LANES] == NOBODY)
    assert np.all(np.isfinite(lanes.floats))
