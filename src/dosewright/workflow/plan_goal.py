"""A goal for the plan as a whole: primaries go to the beams where they reduce the plan's mean uncertainty most.

The plan's dose is the sum of independent beams, so with a variance ``A_b`` per batch and ``n_b`` batches its variance
in a voxel is the sum of ``A_b / n_b``. The mean over voxels of its root over the dose is smallest, for a given sum of
the ``n_b``, where ``n_b`` is in proportion to the root of the mean over voxels of ``A_b / (D sigma)``, with `sigma`
that of the plan: Neyman's optimum allocation (J. R. Stat. Soc. 97, 558 (1934); Cochran, Sampling Techniques, ch. 5) for
many characters at once. `sigma` depends on the ``n_b``, which are iterated.

A dose error asks for the largest of the voxels' errors instead. Then the mean over voxels of ``sigma ** 8`` is made
small, which is nearly the largest, by the same steps with ``A_b sigma ** 6`` in the place of ``A_b / sigma``; sigma is
relative to what the errors are.

Everything is decided from counts and sums, in rounds after fixed numbers of batches: never from a clock.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.scoring.dose_error import (
    CHECKS_TO_PASS,
    FEWEST_CHECKED,
    NOTHING_KNOWN,
    USUAL,
    DoseErrorGoal,
    DoseErrors,
    counting,
    dose_errors,
    relative_errors,
)
from dosewright.scoring.statistics import THRESHOLD_PERCENT, TOP_VOXELS, high_dose_voxels
from dosewright.simulation.run import FEWEST_FOR_A_DOSE, Ended

Array = NDArray[np.float64]

PILOT_BATCHES = 10
LEAST_GROWTH = 1.02  # of a round, so that an estimate that is a little off does not make many small ones
GROWTH = 1.5  # most of a round: variances are known better before more is decided
MOST_VOXELS_FOR_SHARES = 20_000  # of all that count; more would not change the shares
ITERATIONS = 200
CONVERGED = 1e-6
MEAN, NEARLY_LARGEST = 1.0, 8.0  # powers of sigma
CONFIRMING = 1.1  # of a round that looks whether a dose error was met by luck: as between checks of a beam


@dataclass(frozen=True)
class Scored:
    """A beam so far, flat arrays: dose of the treatment (Gy), its variance for one batch (Gy2), batches, why it ended.

    With `batches` batches the variance of the dose is `variance` / `batches`.
    """

    dose: Array
    variance: Array
    batches: int
    ended: Ended = Ended.GOAL


@dataclass(frozen=True)
class PlanGoal:
    """What the plan must reach, of what is given: a mean uncertainty (percent), batches of all beams, a dose error.

    The dose error must be met after two rounds in a row. Without any, time alone ends it.
    """

    uncertainty_percent: float | None
    batches: int | None
    top_voxels: int = TOP_VOXELS
    dose_threshold_percent: float = THRESHOLD_PERCENT
    dose_error: DoseErrorGoal | None = None

    @property
    def pilot_batches(self) -> int:
        """Batches of each beam before anything is decided."""
        return PILOT_BATCHES if self.dose_error is None else FEWEST_CHECKED


@dataclass(frozen=True)
class Round:
    """The batches of each beam, and how many rounds in a row before had met the dose error."""

    batches: tuple[int, ...]
    passes: int = 0


@dataclass(frozen=True)
class Known:
    """The plan's mean uncertainty (percent), its dose errors, and the batches it will need; infinite while unknown."""

    uncertainty_percent: float = math.inf
    errors: DoseErrors = NOTHING_KNOWN
    batches_needed: float = math.inf


NOTHING_YET = Known()


@dataclass(frozen=True)
class Reached:
    """Where it ended: the batches of each beam, the plan's mean uncertainty (percent), why, and its dose errors."""

    batches: tuple[int, ...]
    uncertainty_percent: float
    ended: Ended
    errors: DoseErrors = NOTHING_KNOWN


Advance = Callable[[int, int], Scored]
Keep = Callable[[Round, Known], None]


def reach(
    goal: PlanGoal,
    beams: int,
    density_g_cm3: Array,
    former: Round | None,
    advance: Advance,
    keep: Keep,
) -> Reached:
    """Run beams in rounds until the plan's goal is met.

    Parameters
    ----------
    former
        The round that a killed run was in; None to begin with the pilot.
    advance
        Runs a beam to a number of batches, or takes what there is if that is more; tells if it had to end before.
    keep
        Told each round before it is run, with what is known so far, so that a killed run goes on in the same round.
    """
    now, known = former or Round((goal.pilot_batches,) * beams), NOTHING_YET
    while True:
        keep(now, known)
        scored, ended = _run_round(now.batches, advance)
        batches = tuple(one.batches for one in scored)
        percent, errors = mean_uncertainty(scored, density_g_cm3, goal), plan_errors(scored, density_g_cm3, goal)
        passes = now.passes + 1 if errors.met else 0
        if ended is not Ended.GOAL or _met(goal, sum(batches), percent, passes):
            return Reached(batches, percent, ended, errors)
        known = Known(percent, errors, _needed(goal, sum(batches), percent, errors))
        now = Round(next_batches(batches, scored, density_g_cm3, goal, known), passes)


def _run_round(now: tuple[int, ...], advance: Advance) -> tuple[list[Scored], Ended]:
    """Run every beam to its batches; once one had to end before, take of the others what there is."""
    scored: list[Scored] = []
    ended = Ended.GOAL
    for beam, batches in enumerate(now):
        scored.append(advance(beam, batches if ended is Ended.GOAL else FEWEST_FOR_A_DOSE))
        if ended is Ended.GOAL:
            ended = scored[-1].ended
    return scored, ended


def _met(goal: PlanGoal, total: int, percent: float, passes: int) -> bool:
    if goal.uncertainty_percent is None and goal.batches is None and goal.dose_error is None:
        return False
    precise = goal.uncertainty_percent is None or percent <= goal.uncertainty_percent
    small = goal.dose_error is None or passes >= CHECKS_TO_PASS
    return precise and small and (goal.batches is None or total >= goal.batches)


def _needed(goal: PlanGoal, total: int, percent: float, errors: DoseErrors) -> float:
    """Return the batches that the goal will need, as it looks now; infinite where time alone ends it."""
    needed = [float(goal.batches)] if goal.batches else []
    if goal.uncertainty_percent is not None:
        needed.append(total * (percent / goal.uncertainty_percent) ** 2)
    if goal.dose_error is not None:
        needed.append(total * max((errors.largest_percent / goal.dose_error.percent) ** 2, CONFIRMING))
    return max(needed, default=math.inf)


def mean_uncertainty(beams: Sequence[Scored], density_g_cm3: Array, goal: PlanGoal) -> float:
    """Return the plan's mean uncertainty in percent, over its voxels of high dose; infinite while nothing is known."""
    relative = relative_variances(beams, density_g_cm3, goal)
    if relative.size == 0:
        return math.inf
    return 100.0 * _mean_root(relative, np.array([one.batches for one in beams], float))


def relative_variances(beams: Sequence[Scored], density_g_cm3: Array, goal: PlanGoal) -> Array:
    """Return each beam's variance for one batch over the plan's dose squared, [beam, voxel of high dose]."""
    dose = np.sum([one.dose for one in beams], axis=0)
    chosen = high_dose_voxels(dose, density_g_cm3, goal.top_voxels, goal.dose_threshold_percent)
    return np.array([one.variance[chosen] / dose[chosen] ** 2 for one in beams])


def plan_errors(beams: Sequence[Scored], density_g_cm3: Array, goal: PlanGoal) -> DoseErrors:
    """Return the largest and mean error of the plan's dose, as the goal wants them told."""
    dose = np.sum([one.dose for one in beams], axis=0)
    error = np.sqrt(np.sum([one.variance / one.batches for one in beams], axis=0))
    asked = goal.dose_error
    measure, percent = (USUAL, None) if asked is None else (asked.measure, asked.percent)
    return dose_errors(dose, error, density_g_cm3, measure, percent)


def next_batches(
    now: Sequence[int], beams: Sequence[Scored], density_g_cm3: Array, goal: PlanGoal, known: Known
) -> tuple[int, ...]:
    """Return how many batches each beam is to have next; none has fewer than now, all together at least one more."""
    relative = relative_variances(beams, density_g_cm3, goal)
    thinned = relative[:, :: max(1, -(-relative.shape[1] // MOST_VOXELS_FOR_SHARES))]
    total = _next_total(now, thinned, goal, known.errors)
    if _errors_decide(goal, known):
        return whole(best(variances_of_errors(beams, density_g_cm3, goal), now, total, NEARLY_LARGEST), now)
    return whole(best(thinned, now, total), now)


def _errors_decide(goal: PlanGoal, known: Known) -> bool:
    """Say whether the dose error is farther from its goal than the mean uncertainty."""
    if goal.dose_error is None or not known.errors.voxels:
        return False
    far = known.errors.largest_percent / goal.dose_error.percent
    return goal.uncertainty_percent is None or far >= known.uncertainty_percent / goal.uncertainty_percent


def variances_of_errors(beams: Sequence[Scored], density_g_cm3: Array, goal: PlanGoal) -> Array:
    """Return each beam's variance for one batch, relative as the errors are, [beam, voxel]: those of large errors."""
    measure = USUAL if goal.dose_error is None else goal.dose_error.measure
    dose = np.sum([one.dose for one in beams], axis=0)
    chosen = counting(dose, density_g_cm3, measure.cut_off_percent)
    relative = np.array([relative_errors(dose, np.sqrt(one.variance), chosen, measure) ** 2 for one in beams])
    sigma = (relative / np.array([[one.batches] for one in beams], float)).sum(axis=0)
    largest = np.argsort(-sigma, kind="stable")[:MOST_VOXELS_FOR_SHARES]
    return np.asarray(relative[:, largest])


def _next_total(now: Sequence[int], relative: Array, goal: PlanGoal, errors: DoseErrors) -> int:
    """Return the batches of all beams together in the next round."""
    total = sum(now)
    least, most = (max(total + 1, math.ceil(growth * total)) for growth in (LEAST_GROWTH, GROWTH))
    wanted = []
    if goal.uncertainty_percent is not None:
        wanted.append(_fewest_for(0.01 * goal.uncertainty_percent, relative, now, least, most))
    if goal.batches is not None and total < goal.batches:
        wanted.append(min(most, goal.batches))
    if goal.dose_error is not None:
        needed = total * (errors.largest_percent / goal.dose_error.percent) ** 2
        wanted.append(math.ceil(min(max(needed, CONFIRMING * total), most)))
    return max(wanted, default=most)


def _fewest_for(wanted: float, relative: Array, now: Sequence[int], low: int, high: int) -> int:
    """Return the fewest batches in all, from `low` to `high`, that should meet a mean uncertainty."""
    while low < high:
        middle = (low + high) // 2
        if _mean_root(relative, best(relative, now, middle)) <= wanted:
            high = middle
        else:
            low = middle + 1
    return high


def _mean_root(relative: Array, batches: Array) -> float:
    return float(np.sqrt((relative / batches[:, None]).sum(axis=0)).mean())


def best(relative: Array, now: Sequence[int], total: int, power: float = MEAN) -> Array:
    """Share `total` batches so that the mean of the uncertainty to a power is smallest; none has fewer than `now`."""
    least = np.asarray(now, float)
    pinned = np.zeros(least.size, bool)
    while True:
        batches = _best_of_free(relative, least, pinned, float(total), power)
        too_few = ~pinned & (batches < least)
        if not too_few.any():
            return batches
        pinned |= too_few


def _best_of_free(
    relative: Array, least: Array, pinned: Array | NDArray[np.bool_], total: float, power: float
) -> Array:
    """Share what the pinned beams leave among the others, in proportion to the roots of their contributions."""
    free = ~np.asarray(pinned, bool)
    left = total - least[~free].sum()
    batches = np.where(free, left / max(free.sum(), 1), least)
    if relative.size == 0 or not free.any():
        return batches
    for _ in range(ITERATIONS):
        sigma = np.sqrt((relative / batches[:, None]).sum(axis=0))
        weight = np.sqrt((relative[free] * np.where(sigma > 0, sigma, 1.0) ** (power - 2.0)).mean(axis=1))
        if not weight.sum() > 0:
            return batches
        wanted = left * np.maximum(weight / weight.sum(), 1e-9)
        moved = np.sqrt(wanted * batches[free])  # half the way: a full step may swing
        moved *= left / moved.sum()
        settled = bool(np.abs(moved / batches[free] - 1.0).max() < CONVERGED)
        batches[free] = moved
        if settled:
            break
    return batches


def whole(batches: Array, least: Sequence[int]) -> tuple[int, ...]:
    """Round to whole batches with the same sum, none below `least`: the largest remainders are rounded up."""
    total = round(float(batches.sum()))
    down = np.maximum(np.floor(batches + CONVERGED).astype(int), np.asarray(least, int))
    order = np.argsort(-(batches - down), kind="stable")
    for beam in order[: max(total - int(down.sum()), 0)]:
        down[beam] += 1
    return tuple(int(n) for n in down)
