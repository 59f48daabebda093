"""Where a deposit goes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.frame import rotation_about
from dosewright.core.grid import Grid
from dosewright.scoring import deposit as account
from dosewright.scoring.deposit import ACCOUNT_ROWS, Scoring, deposit, empty_tally, score_let, scored_voxel

NX, NY, NZ = 3, 4, 5
VOXELS = NX * NY * NZ
SPACING_CM = np.array([0.2, 0.3, 0.5])


def _scoring(*, water: bool = True, let: bool = False, matrix: np.ndarray | None = None) -> Scoring:
    straight = np.concatenate([np.diag(1 / SPACING_CM), np.zeros((3, 1))], axis=1)
    used = straight if matrix is None else matrix
    return Scoring(False, used.astype(np.float32), np.array([NX, NY, NZ], np.int32), water, let)


UNIT_VOXELS = np.eye(3, 4)


def test_voxels_run_x_fastest() -> None:
    for k, j, i in np.ndindex(NZ, NY, NX):
        x, y, z = (np.array([i, j, k]) + 0.5) * SPACING_CM
        assert scored_voxel(_scoring(), x, y, z) == np.ravel_multi_index((k, j, i), (NZ, NY, NX))


def test_lower_faces_belong_to_a_voxel_and_upper_ones_to_the_next() -> None:
    scoring = _scoring(matrix=UNIT_VOXELS)
    assert scored_voxel(scoring, 0.0, 0.0, 0.0) == 0
    assert scored_voxel(scoring, 1.0, 0.0, 0.0) == 1
    assert scored_voxel(scoring, np.nextafter(1.0, 0), 0.0, 0.0) == 0
    assert scored_voxel(scoring, 0.0, 1.0, 0.0) == NX
    assert scored_voxel(scoring, 0.0, 0.0, 1.0) == NX * NY


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("outside", [-1e-9, -0.5, 0.0, 1e-9, 3.0])
def test_beyond_the_grid_is_nowhere(axis: int, outside: float) -> None:
    """Also a little below zero, where cutting off the fraction would give voxel 0."""
    shape = (NX, NY, NZ)
    point = [0.5, 0.5, 0.5]
    point[axis] = outside if outside < 0 else shape[axis] + outside
    assert scored_voxel(_scoring(matrix=UNIT_VOXELS), *point) == -1


@settings(max_examples=100, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-180, 180)] * 2),
    origin=st.tuples(*[st.floats(-50, 50)] * 3),
    index=st.tuples(st.floats(-1, NX + 1), st.floats(-1, NY + 1), st.floats(-1, NZ + 1)),
)
def test_oblique_grids(
    angles: tuple[float, float], origin: tuple[float, float, float], index: tuple[float, float, float]
) -> None:
    """The grid's own mapping, turned into a matrix by four of its points, finds the same voxel."""
    turn = rotation_about("z", angles[0]) @ rotation_about("x", angles[1])
    grid = Grid((NX, NY, NZ), tuple(10 * SPACING_CM), origin, turn)
    ends = grid.to_index(10.0 * np.concatenate([np.zeros((1, 3)), np.eye(3)])) + 0.5
    matrix = np.concatenate([(ends[1:] - ends[0]).T, ends[0][:, None]], axis=1)
    wanted = np.array(index)
    if np.abs(wanted - np.round(wanted)).min() < 1e-4:
        return  # the matrix is in single precision
    position_cm = grid.to_patient(wanted - 0.5) / 10
    inside = np.all((wanted > 0) & (wanted < (NX, NY, NZ)))
    i, j, k = wanted.astype(int)
    voxel = (k * NY + j) * NX + i if inside else -1
    assert scored_voxel(_scoring(matrix=np.ascontiguousarray(matrix)), *position_cm) == voxel


def test_a_deposit_goes_to_the_scored_voxel_and_to_the_account() -> None:
    tally = empty_tally(_scoring(), VOXELS)
    deposit(_scoring(), tally, 1, 2.0, 1.25)
    deposit(_scoring(), tally, 1, 1.0, 1.0)
    assert tally.energy[1] == 3.0
    assert tally.energy_to_water[1] == 3.5
    assert tally.energy.sum() == 3.0
    assert tally.account[account.DEPOSITED] == 3.0
    assert tally.account.sum() == 3.0


def test_outside_the_scored_grid_the_account_alone_knows() -> None:
    tally = empty_tally(_scoring(let=True), VOXELS)
    deposit(_scoring(let=True), tally, -1, 2.0, 1.0)
    score_let(tally, -1, 2.0, 0.1, 20.0)
    assert not tally.energy.any()
    assert not tally.energy_to_water.any()
    assert not tally.let.any()
    assert tally.account[account.DEPOSITED] == 2.0


def test_what_is_not_scored_has_no_room() -> None:
    neither, both = (empty_tally(_scoring(water=some, let=some), VOXELS) for some in (False, True))
    assert (neither.energy.size, neither.energy_to_water.size, neither.let.size) == (VOXELS, 0, 0)
    assert (both.energy.size, both.energy_to_water.size, both.let.size) == (VOXELS, VOXELS, 4 * VOXELS)
    assert neither.account.size == ACCOUNT_ROWS
    deposit(_scoring(water=False), neither, 0, 2.0, 1.3)
    assert neither.energy[0] == 2.0


def test_let_sums_are_energy_and_path_and_both_times_let() -> None:
    tally = empty_tally(_scoring(let=True), VOXELS)
    score_let(tally, 7, 0.5, 0.1, 5.0)
    score_let(tally, 7, 1.5, 0.2, 8.0)
    sums = tally.let.reshape(VOXELS, account.LET_COLUMNS)
    assert sums[7, account.LET_ENERGY] == 2.0
    assert sums[7, account.LET_ENERGY_LET] == 0.5 * 5 + 1.5 * 8
    assert sums[7, account.LET_PATH] == pytest.approx(0.3)
    assert sums[7, account.LET_PATH_LET] == pytest.approx(0.1 * 5 + 0.2 * 8)
    assert np.count_nonzero(sums) == 4
