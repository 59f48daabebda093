"""The vector step: straight lines without matter, the scored grid, and that it is vector code."""

import re

import numba
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dosewright.core import jit
from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.random import start_stream
from dosewright.geometry.trace import PATIENT, Ray, enter_box
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring.deposit import Scoring, scored_voxel
from dosewright.transport import lanes as rows
from dosewright.transport.lanes import GOES_ON, LANES, LEAVES, NOT_PATIENT, NOT_SCORED, clear, empty_lanes, put
from dosewright.transport.lockstep import advance_lanes, locate_in_grid
from dosewright.transport.tracks import PROTON, Track

from .flights import pencil_problem, water_and_bone, without_matter

Array = NDArray[np.float64]
Drawn = tuple[tuple[float, list[float]], ...]
MOST_STEPS = 2000


def _row(array: Array, offset: int) -> Array:
    return array[offset : offset + LANES]


def _box(drawn: Drawn, seed: int) -> Voxels:
    edges = tuple(start + np.concatenate([[0.0], np.cumsum(w)]) for start, w in drawn)
    shape = tuple(len(e) - 1 for e in reversed(edges))
    density = np.random.default_rng(seed).uniform(0.05, 4.0, shape).astype(np.float32)
    return Voxels(edges, Rigid.identity(), np.zeros(shape, np.uint8), density, (named("G4_WATER"),))  # type: ignore[arg-type]


def _march(voxels: Voxels, start_cm: Array, direction: Array) -> tuple[Array, Array, int]:
    """Fly 64 particles through a box without matter; return length in each voxel [ray, z, y, x], the largest distance
    from the straight line (cm), and the steps taken.
    """
    problem = without_matter(pencil_problem(voxels, 100.0))
    edges = [e / 10 for e in voxels.edges_mm]
    lanes = empty_lanes()
    for i in range(LANES):
        ray, place = enter_box(problem.geometry, Ray(*start_cm[i], *direction[i]), PATIENT)
        put(lanes, i, Track(ray, place, 100.0, PROTON, 0.0, 1.0, 1.0), start_stream(np.uint64(1), np.uint64(i)))
    lengths = np.zeros((LANES, *voxels.material.shape))
    flying, flown, astray = np.ones(LANES, bool), np.zeros(LANES), 0.0
    for steps in range(MOST_STEPS):
        where = [_row(lanes.integers, r).copy() for r in (rows.IX, rows.IY, rows.IZ)]
        advance_lanes(problem, lanes, np.uint32(1), np.uint32(0))
        length, event = _row(lanes.floats, rows.LENGTH).astype(float), _row(lanes.integers, rows.EVENT)
        assert not _row(lanes.floats, rows.LOST).any()
        for i in np.flatnonzero(flying):
            lengths[i, where[2][i], where[1][i], where[0][i]] += length[i]
            flown[i] += length[i]
            line = start_cm[i] + flown[i] * direction[i]
            for axis, (index, fraction) in enumerate(((rows.IX, rows.FX), (rows.IY, rows.FY), (rows.IZ, rows.FZ))):
                n, f = lanes.integers[index + i], float(lanes.floats[fraction + i])
                assert 0.0 <= f <= 1.0
                outside = n < 0 or n >= len(edges[axis]) - 1
                at = edges[axis][0 if n < 0 else -1] if outside else edges[axis][n] + f * np.diff(edges[axis])[n]
                astray = max(astray, abs(at - line[axis]))
            assert event[i] in (GOES_ON, LEAVES)
            if event[i] == LEAVES:
                flying[i] = False
                clear(lanes, i)
        if not flying.any():
            return lengths, np.array(astray), steps
    raise AssertionError("a particle never leaves")


def _chord(low: Array, high: Array, point: Array, unit: Array) -> float:
    """Length of a half-line inside a closed box, all in cm."""
    enter, leave = 0.0, np.inf
    for axis in range(3):
        if unit[axis] == 0.0:
            if not low[axis] <= point[axis] <= high[axis]:
                return 0.0
            continue
        ends = sorted(((low[axis] - point[axis]) / unit[axis], (high[axis] - point[axis]) / unit[axis]))
        enter, leave = max(enter, ends[0]), min(leave, ends[1])
    return max(leave - enter, 0.0)


def _check(voxels: Voxels, lengths: Array, start_cm: Array, direction: Array, tolerance_cm: float) -> None:
    """Compare the length in each voxel with those in boxes a hair smaller and larger."""
    edges = [e / 10.0 for e in voxels.edges_mm]
    for i in range(LANES):
        for k, m, n in np.ndindex(lengths.shape[1:]):
            low = np.array([edges[0][n], edges[1][m], edges[2][k]])
            high = np.array([edges[0][n + 1], edges[1][m + 1], edges[2][k + 1]])
            ray = start_cm[i], direction[i]
            assert _chord(low + tolerance_cm, high - tolerance_cm, *ray) - 3 * tolerance_cm <= lengths[i, k, m, n]
            assert lengths[i, k, m, n] <= _chord(low - tolerance_cm, high + tolerance_cm, *ray) + 3 * tolerance_cm


widths = st.lists(st.floats(0.01, 50.0), min_size=1, max_size=4)
boxes = st.tuples(*[st.tuples(st.floats(-100, 100), widths)] * 3)


@settings(max_examples=25, deadline=None)
@given(drawn=boxes, seed=st.integers(0, 2**32 - 1))
@example(drawn=((0.0, [10.0, 10.0]), (0.0, [10.0, 10.0]), (0.0, [10.0, 10.0])), seed=0)
def test_without_matter_particles_fly_straight_through_uneven_boxes(drawn: Drawn, seed: int) -> None:
    """64 rays at once, to a millionth of the size of the box (numbers have 24 bits)."""
    voxels = _box(drawn, seed)
    rng = np.random.default_rng(seed)
    low, high = (np.array([e[end] / 10 for e in voxels.edges_mm]) for end in (0, -1))
    start = low + rng.uniform(0, 1, (LANES, 3)) * (high - low)
    direction = rng.normal(size=(LANES, 3))
    direction[::8, rng.integers(3)] = 0.0
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    lengths, astray, _ = _march(voxels, start, direction)
    tolerance = 4e-6 * float(np.linalg.norm(high - low))
    assert astray < tolerance
    _check(voxels, lengths, start, direction, tolerance)


SIGNS = [-1.0, 0.0, 1.0]
DIRECTIONS = np.array([(u, v, w) for u in SIGNS for v in SIGNS for w in SIGNS if (u, v, w) != (0, 0, 0)])


@pytest.mark.parametrize("corner", [(0.0, 0.0, 0.0), (1.0, 0.0, -1.0), (-2.0, -1.5, -3.0), (2.0, 1.5, 3.0)])
def test_rays_from_corners_along_edges_and_diagonals_end(corner: tuple[float, float, float]) -> None:
    """Along axes, diagonals and faces, some a hair off: nobody is stranded, nobody steps outside before leaving."""
    cuts = ((-20.0, [10.0] * 4), (-15.0, [15.0] * 2), (-30.0, [10.0, 10.0, 10.0, 30.0]))
    voxels = _box(cuts, 1)
    direction = np.concatenate([DIRECTIONS, DIRECTIONS + 1e-12 * DIRECTIONS[::-1], DIRECTIONS[:12] + 3e-7])
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    start = np.tile(corner, (LANES, 1))
    lengths, astray, steps = _march(voxels, start, direction)
    assert astray < 1e-5
    assert steps < 100
    for i in range(LANES):
        whole = [_chord(np.array([-2, -1.5, -3]) - e, np.array([2, 1.5, 3]) + e, start[i], direction[i]) for e in
                 (-1e-5, 1e-5)]  # fmt: skip
        assert whole[0] - 1e-4 <= lengths[i].sum() <= whole[1] + 1e-4


@pytest.mark.parametrize("turn", [0.0, 25.0])
def test_the_scored_grid_is_found_as_one_by_one(turn: float) -> None:
    """Vector code and the plain function agree but within 1e-5 of a face."""
    matrix = np.concatenate([rotation_about("z", turn) @ np.diag([2.0, 3.0, 1.5]), [[0.4], [-0.2], [1.1]]], axis=1)
    shape = np.array([7, 8, 9], np.int32)
    scoring = Scoring(False, matrix.astype(np.float32), shape, False, False)
    lanes, rng, seen = empty_lanes(), np.random.default_rng(4), set()
    for _ in range(50):
        points = rng.uniform(-1.0, 6.0, (3, LANES)).astype(np.float32)
        for offset, values in zip((rows.AT_X, rows.AT_Y, rows.AT_Z), points, strict=True):
            lanes.floats[offset : offset + LANES] = values
        lanes.integers[rows.VOXEL : rows.VOXEL + LANES] = 0
        lanes.integers[rows.VOXEL] = NOT_PATIENT
        locate_in_grid(scoring, lanes)
        assert lanes.integers[rows.VOXEL] == NOT_PATIENT
        for i in range(1, LANES):
            exact = matrix[:, :3] @ points[:, i] + matrix[:, 3]
            if np.abs(exact - np.round(exact)).min() > 1e-5:
                assert lanes.integers[rows.VOXEL + i] == scored_voxel(scoring, *points[:, i])
                seen.add(int(lanes.integers[rows.VOXEL + i]))
    assert NOT_SCORED in seen
    assert len(seen) > 100


def _machine_code() -> str:
    """The assembler of the loop over lanes, compiled anew: what is loaded from the cache has none."""
    options = {k: v for k, v in jit._OPTIONS.items() if k != "cache"}
    fresh = numba.njit(**options, pipeline_class=jit._DistinctArrays)(advance_lanes.py_func)
    problem = pencil_problem(water_and_bone(), 90.0)
    fresh(problem, empty_lanes(), np.uint32(1), np.uint32(0))
    (code,) = fresh.inspect_asm().values()
    return str(code)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_the_loop_over_lanes_is_vector_code_without_calls() -> None:
    features = str(numba.config.CPU_FEATURES).split(",")
    if "+avx2" not in features:
        pytest.skip("a CPU without wide vectors")
    register = "zmm" if "+avx512f" in features else "ymm"
    code = _machine_code()
    multiply = r"\tv(?:mul|fn?m(?:add|sub)\w+)"
    assert len(re.findall(rf"{multiply}ps\s.*%{register}", code)) > 150, "no vectors were made of the loop over lanes"
    assert len(re.findall(rf"\tvpmul\w*\s.*%{register}", code)) > 50, "nor of the random numbers"
    assert len(re.findall(rf"{multiply}ss\s", code)) == 0, "something is done lane by lane"
    called = set(re.findall(r"\tcallq?\s+\*?(\w+)", code)) | set(re.findall(r"movabsq\s+\$(\w+)", code))
    elementary = r"_*(log|exp|sin|cos|sincos|tan|atan|atan2|sqrt|pow|fmin|fmax|floor)f?|.*svml.*"
    assert [name for name in called if re.fullmatch(elementary, name)] == []
