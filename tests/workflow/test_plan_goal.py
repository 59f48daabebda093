"""A goal for the plan: primaries where they help most, an uncertainty that is true, the same after any interruption.

Beams are made up: voxels with known means and spreads, batches drawn from numbers of their own.
"""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from dosewright.scoring.dose_error import FEWEST_CHECKED, DoseErrorGoal, DoseErrorMeasure
from dosewright.simulation.run import Ended
from dosewright.workflow.plan_goal import (
    NEARLY_LARGEST,
    PILOT_BATCHES,
    Known,
    PlanGoal,
    Reached,
    Round,
    Scored,
    best,
    reach,
    whole,
)

Array = NDArray[np.float64]
VOXELS = 200
DENSITY = np.ones(VOXELS)


def made_plan() -> tuple[Array, Array]:
    """Return mean doses and spreads of a batch of three beams: a strong quiet, a weak noisy, a middling one."""
    x = np.linspace(-1.0, 1.0, VOXELS)
    doses = np.array([1.0 + 0.2 * x, 0.25 - 0.1 * x, 0.5 * np.exp(-(x**2))])
    return doses, doses * np.array([0.1, 1.2, 0.3])[:, None]


DOSES, SPREADS = made_plan()


@dataclass
class MadeBeams:
    """Beams whose n-th batch is always the same; `fail_at` counts calls to `advance`."""

    seed: int = 1
    voxels: int = VOXELS
    fail_at: int | None = None
    end_at: tuple[int, Ended] | None = None
    done: dict[int, int] = field(default_factory=dict)
    calls: int = 0

    def advance(self, beam: int, batches: int) -> Scored:
        self.calls += 1
        if self.calls == self.fail_at:
            self.done[beam] = max(self.done.get(beam, 0), batches // 2)  # killed on the way
            raise InterruptedError
        ended = Ended.GOAL
        if self.end_at and self.calls >= self.end_at[0]:
            batches, ended = max(self.done.get(beam, 0), batches // 2, 2), self.end_at[1]
        self.done[beam] = max(self.done.get(beam, 0), batches)
        return replace(self.scored(beam, self.done[beam]), ended=ended)

    def scored(self, beam: int, batches: int) -> Scored:
        rng = np.random.default_rng([self.seed, beam])
        drawn = rng.standard_normal((batches, self.voxels)) * SPREADS[beam, : self.voxels] + DOSES[beam, : self.voxels]
        return Scored(drawn.mean(axis=0), drawn.var(axis=0, ddof=1), batches)


def run(goal: PlanGoal, beams: MadeBeams, former: Round | None = None, kept: list[Round] | None = None) -> Reached:
    def keep(now: Round, _known: Known) -> None:
        if kept is not None:
            kept.append(now)

    return reach(goal, len(DOSES), DENSITY, former, beams.advance, keep)


def true_percent(batches: tuple[float, ...], voxels: int = VOXELS) -> float:
    """Return the plan's mean uncertainty from the known spreads, in its voxels of high dose."""
    dose = DOSES.sum(axis=0)[:voxels]
    high = dose > 0.5 * np.sort(dose)[-100:].mean()
    variance = (SPREADS[:, :voxels] ** 2 / np.array(batches, float)[:, None]).sum(axis=0)
    return 100.0 * float((np.sqrt(variance) / dose)[high].mean())


def test_the_shares_are_the_best_there_are() -> None:
    """Compared with all shares on a grid of 0.5 %; equal shares are far worse."""
    relative = SPREADS**2 / DOSES.sum(axis=0) ** 2
    found = best(relative, (1, 1, 1), 1000)
    assert found.sum() == pytest.approx(1000.0)
    tried = [
        (true_percent((a, b, 1000 - a - b)), a, b)
        for a in np.arange(5.0, 990.0, 5.0)
        for b in np.arange(5.0, 990.0 - a, 5.0)
    ]
    least, a, b = min(tried)
    assert true_percent(tuple(found)) <= least * (1 + 1e-6)
    assert found[:2] == pytest.approx([a, b], abs=5.0)
    assert true_percent((1000 / 3, 1000 / 3, 1000 / 3)) > 1.12 * least


def test_for_beams_in_voxels_of_their_own_the_shares_are_neyman_s() -> None:
    """Each voxel has one beam: the sum of sqrt(A/n) is least where n goes as A^(1/3)."""
    spread = np.array([1.0, 8.0])
    relative = np.array([[spread[0] ** 2, 0.0], [0.0, spread[1] ** 2]])
    found = best(relative, (1, 1), 500)
    assert found == pytest.approx(500 * spread ** (2 / 3) / (spread ** (2 / 3)).sum(), rel=1e-4)


def test_a_beam_keeps_what_it_has() -> None:
    relative = np.array([[1.0], [100.0]])
    assert best(relative, (60, 20), 100) == pytest.approx([60.0, 40.0])
    assert best(relative, (1, 1), 110) == pytest.approx([10.0, 100.0], rel=1e-4)


def test_whole_batches_add_up() -> None:
    assert whole(np.array([3.4, 3.4, 3.2]), (1, 1, 1)) == (4, 3, 3)
    assert whole(np.array([5.0, 2.5, 2.5]), (5, 2, 2)) == (5, 3, 2)


def test_the_goal_is_reached_with_fewer_primaries_than_in_equal_shares() -> None:
    result = run(PlanGoal(2.0, None), MadeBeams())
    assert result.ended is Ended.GOAL
    assert result.uncertainty_percent <= 2.0
    total = sum(result.batches)
    ideal = best(SPREADS**2 / DOSES.sum(axis=0) ** 2, (1, 1, 1), total)
    assert true_percent(result.batches) < 1.005 * true_percent(tuple(ideal)), "as if the spreads had been known"
    equal = (true_percent((total / 3,) * 3) / true_percent(result.batches)) ** 2
    assert equal > 1.25, "primaries that equal shares would need, over those taken"
    assert result.batches[1] > result.batches[2] > result.batches[0]


def test_the_reached_uncertainty_is_the_spread_of_repeated_runs(goal: float = 2.0) -> None:
    """150 seeds: the mean spread of all voxels is known to sqrt(1 / (2 * 150 * 200)) = 0.4 %.

    The voxels of the made beams are independent. What is reported may be lower by the bias of a lucky stop, which is
    bounded here too: below 1 % of itself.
    """
    results, doses = [], []
    for seed in range(150):
        beams = MadeBeams(seed=100 + seed)
        result = run(PlanGoal(goal, None), beams)
        results.append(result)
        doses.append(np.sum([beams.scored(b, n).dose for b, n in enumerate(result.batches)], axis=0))
    spread = 100.0 * float((np.std(doses, axis=0, ddof=1) / np.mean(doses, axis=0)).mean())
    reported = float(np.mean([r.uncertainty_percent for r in results]))
    assert reported == pytest.approx(spread, rel=4 * 0.004)
    assert max(r.uncertainty_percent for r in results) <= goal
    truth = float(np.mean([true_percent(r.batches) for r in results]))
    assert 0.99 < reported / truth < 1.01
    assert np.mean(doses, axis=0) == pytest.approx(DOSES.sum(axis=0), rel=5 * goal / 100 / np.sqrt(150))


def test_a_number_of_primaries_is_shared_exactly() -> None:
    for total in (60, 61, 97, 400):
        result = run(PlanGoal(None, total), MadeBeams())
        assert sum(result.batches) == total
        assert min(result.batches) >= PILOT_BATCHES
        assert result.ended is Ended.GOAL


def test_both_goals_are_reached() -> None:
    assert sum(run(PlanGoal(50.0, 300), MadeBeams()).batches) >= 300
    tight = run(PlanGoal(1.0, 40), MadeBeams())
    assert tight.uncertainty_percent <= 1.0
    assert sum(tight.batches) > 400


def test_rounds_grow_by_half_at_most() -> None:
    kept: list[Round] = []
    run(PlanGoal(2.0, None), MadeBeams(), kept=kept)
    assert kept[0] == Round((PILOT_BATCHES,) * 3)
    assert len(kept) > 4
    assert all(
        sum(now.batches) < sum(after.batches) <= np.ceil(1.5 * sum(now.batches)) for now, after in pairwise(kept)
    )


def calls_of(goal: PlanGoal) -> int:
    beams = MadeBeams()
    run(goal, beams)
    return beams.calls


@pytest.mark.parametrize(
    "goal", [PlanGoal(2.0, None), PlanGoal(None, 250), PlanGoal(None, None, dose_error=DoseErrorGoal(3.0))]
)
def test_killed_anywhere_it_goes_on_to_the_same_shares(goal: PlanGoal) -> None:
    undisturbed = run(goal, MadeBeams())
    for killed_at in range(1, calls_of(goal) + 1):
        kept: list[Round] = []
        beams = MadeBeams(fail_at=killed_at)
        with pytest.raises(InterruptedError):
            run(goal, beams, kept=kept)
        assert run(goal, beams, kept[-1]) == undisturbed


@pytest.mark.parametrize("why", [Ended.TIME, Ended.REQUEST])
def test_what_ends_it_early_is_said_and_it_goes_on_to_the_same_shares(why: Ended) -> None:
    goal = PlanGoal(2.0, None)
    undisturbed = run(goal, MadeBeams())
    for end_at in (2, 5, 9):
        kept: list[Round] = []
        beams = MadeBeams(end_at=(end_at, why))
        early = run(goal, beams, kept=kept)
        assert early.ended is why
        assert early.uncertainty_percent == pytest.approx(true_percent(early.batches), rel=0.5)
        beams.end_at = None
        assert run(goal, beams, kept[-1]) == undisturbed


def test_one_beam_alone_gets_all() -> None:
    beams = MadeBeams()
    result = reach(PlanGoal(2.0, None), 1, DENSITY, None, beams.advance, lambda *_: None)
    assert result.batches == (beams.done[0],)
    assert 1.8 < result.uncertainty_percent <= 2.0


def test_time_alone_never_reaches_a_goal() -> None:
    result = run(PlanGoal(None, None), MadeBeams(end_at=(20, Ended.TIME)))
    assert result.ended is Ended.TIME


def test_with_few_voxels_the_uncertainty_reported_is_optimistic_by_little() -> None:
    """Three voxels only. The root of a variance of few batches is low, and a noisy look is met at a lucky moment.

    300 seeds; the bound is what was measured, 1.4 % (standard error 0.3 %), and three standard errors.
    """
    ratios = []
    for seed in range(300):
        beams = MadeBeams(seed=seed, voxels=3)
        result = reach(PlanGoal(4.0, None, 1), 3, np.ones(3), None, beams.advance, lambda *_: None)
        ratios.append(result.uncertainty_percent / true_percent(result.batches, 3))
    assert 0.977 < np.mean(ratios) < 1.0


def largest_percent(batches: tuple[float, ...]) -> float:
    """Return the largest true error of the plan in percent of its maximum, in voxels above half of that."""
    dose = DOSES.sum(axis=0)
    sigma = np.sqrt((SPREADS**2 / np.array(batches, float)[:, None]).sum(axis=0))
    return float(100 * sigma[dose > 0.5 * dose.max()].max() / dose.max())


def test_a_dose_error_of_the_plan_is_met_in_every_voxel_after_two_rounds_in_a_row() -> None:
    kept: list[Round] = []
    result = run(PlanGoal(None, None, dose_error=DoseErrorGoal(3.0)), MadeBeams(), kept=kept)
    assert result.ended is Ended.GOAL
    assert result.errors.met and result.errors.largest_percent < 3.0
    assert kept[0].batches == (FEWEST_CHECKED,) * 3
    assert [now.passes for now in kept[-2:]] == [0, 1]
    assert sum(result.batches) >= 1.09 * sum(kept[-2].batches)
    assert largest_percent(result.batches) < 3.0


def test_batches_are_shared_for_the_largest_error() -> None:
    """Within 2 % of the best on a grid; equal shares, and those for the mean, are worse."""
    dose = DOSES.sum(axis=0)
    high = dose > 0.5 * dose.max()
    relative = (SPREADS**2 / dose.max() ** 2)[:, high]
    found = best(relative, (1, 1, 1), 1000, NEARLY_LARGEST)
    assert found.sum() == pytest.approx(1000.0)
    least = min(
        largest_percent((a, b, 1000 - a - b))
        for a in np.arange(5.0, 990.0, 5.0)
        for b in np.arange(5.0, 990.0 - a, 5.0)
    )
    assert largest_percent(tuple(found)) < 1.02 * least
    assert largest_percent((1000 / 3,) * 3) > 1.05 * least


@pytest.mark.parametrize("measure", [DoseErrorMeasure(relative_to_maximum=False), DoseErrorMeasure(20.0, True, 3.0)])
def test_other_measures_and_both_goals(measure: DoseErrorMeasure) -> None:
    result = run(PlanGoal(2.5, 100, dose_error=DoseErrorGoal(4.0, measure)), MadeBeams())
    assert result.uncertainty_percent <= 2.5
    assert result.errors.met and result.errors.failing == 0
    assert sum(result.batches) >= 100
