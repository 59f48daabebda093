"""How a treatment is simulated in iterations: how many, of how many primaries, and when they end.

Source: FRED manual, variance reduction (version 3.70), with its three modes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.random import first_uniform
from dosewright.formats.text.fred.variance_reduction import Mode, VarianceReduction
from dosewright.scoring.dose_error import CHECKS_TO_PASS, FEWEST_CHECKED, DoseErrorGoal, DoseErrorMeasure
from dosewright.simulation.batch import BATCH_STREAM
from dosewright.simulation.problem import Problem

Counts = NDArray[np.int64]

SURE = 2.0  # histories expected in all, from which on every pencil beam is reached


@dataclass(frozen=True)
class IterationPlan:
    """Equal iterations of `primaries` histories of all problems together, `most` of them or until the goal.

    `measure` is how dose errors are told, `notes` what a reader must know.
    """

    most: int
    primaries: int
    goal: DoseErrorGoal | None
    measure: DoseErrorMeasure
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.most < 1 or self.primaries < 1:
            raise refuse(
                "Iterations need a number and primaries", given=(self.most, self.primaries), allowed="1 or more"
            )


def planned(reduction: VarianceReduction, problems: Sequence[Problem], nprim_total: int) -> IterationPlan:
    """Plan the iterations that a FRED input asks for.

    Parameters
    ----------
    problems
        One for each step and field; the weights of their pencils are particles.
    nprim_total
        The sum of ``nprim`` over all pencil beams of all problems: the primaries of an iteration, but for a
        recalculation percentage.
    """
    shares = pencil_shares(problems)
    delivered = float(sum(problem.pencil_weights.sum() for problem in problems))
    primaries, most = nprim_total, reduction.most_iterations
    if reduction.percentage is not None:
        primaries = max(1, round(0.01 * reduction.percentage * delivered / most))
    measure = DoseErrorMeasure(reduction.cut_off_percent, reduction.relative_to_maximum, reduction.reference_Gy)
    percent = reduction.dose_error_percent
    goal = None if percent is None else DoseErrorGoal(percent, measure)
    return IterationPlan(most, primaries, goal, measure, tuple(_notes(reduction, shares, primaries)))


def _notes(reduction: VarianceReduction, shares: NDArray[np.float64], primaries: int) -> list[str]:
    notes, most = [], reduction.most_iterations
    if not reduction.stratified:
        notes.append(
            f"{reduction.where}: the {primaries:,} primaries of an iteration are shared among the {shares.size:,} "
            "pencil beams in proportion to their particles, as with lStratifiedSampling = t, for histories have no "
            "weights of their own here. The mean dose is the same."
        )
    if reduction.mode is Mode.ERROR and most < FEWEST_CHECKED + CHECKS_TO_PASS - 1:
        notes.append(
            f"{reduction.where}: with maxNumIterations = {most} no dose error can be called reached: errors are judged "
            f"after {FEWEST_CHECKED} iterations, twice in a row."
        )
    expected = shares * primaries * most
    unsure = int(((expected > 0) & (expected < SURE)).sum())
    if unsure:
        notes.append(
            f"{unsure:,} of {shares.size:,} pencil beams have so few particles that {most:,} iterations of "
            f"{primaries:,} primaries may not reach them. On average over seeds their dose is right."
        )
    return notes


def pencil_shares(problems: Sequence[Problem]) -> NDArray[np.float64]:
    """Return the share of each pencil beam of all problems, one after the other, in all particles."""
    weights = np.concatenate([problem.pencil_weights for problem in problems])
    total = float(weights.sum())
    if not 0 < total < np.inf or weights.min() < 0:
        raise refuse("A treatment needs particles", given=f"{total:g} in all")
    return np.asarray(weights / total)


def stratified(shares: NDArray[np.float64], primaries: int, seed: int, iteration: int) -> Counts:
    """Return how many primaries each pencil beam has in an iteration, counted from zero.

    Systematic sampling: equal strides along the cumulated shares from an offset (Cochran, Sampling Techniques, ch. 8).
    Each pencil beam, and each run of them such as those of a field, has its expected number rounded up or down, as by
    largest remainders; but the offset is uniform over seeds, so that the expected number is exact and no remainder is
    always lost. The offsets of the iterations fill the stride evenly: that of a seed plus van der Corput's sequence
    (Niederreiter, Random Number Generation and Quasi-Monte Carlo Methods, 1992, ch. 3), after N iterations with gaps of
    at most 2 / N. So whoever expects two primaries in all iterations has one.
    """
    offset = (first_uniform(np.uint64(seed), np.uint64(BATCH_STREAM)) + van_der_corput(iteration)) % 1.0
    ends = np.cumsum(shares)
    below = np.ceil(primaries * (ends / ends[-1]) - offset).clip(0, primaries).astype(np.int64)
    below[-1] = primaries
    below = np.minimum.accumulate(below[::-1])[::-1]
    return np.diff(below, prepend=0)


def van_der_corput(number: int) -> float:
    """Return the binary digits of a number mirrored at the point."""
    mirrored, place = 0.0, 0.5
    while number:
        mirrored += place * (number & 1)
        number, place = number >> 1, place / 2
    return mirrored
