"""Errors that runs state against the spread of repeated ones, and stops that are judged as runs judge them.

More of it, with all kinds of sources, is measured by ``python -m benchmarks.stopping``.
"""

from collections.abc import Callable

import numpy as np
import pytest
from benchmarks.stopping import (
    Kept,
    Repeated,
    Rule,
    batch_doses,
    broad_protons,
    judged,
    repeated,
    repeated_iterations,
    stopped,
)

from dosewright.scoring.dose_error import CHECKS_TO_PASS, FEWEST_CHECKED, DoseErrorGoal, DoseErrorMeasure
from dosewright.simulation.goal import Goal
from dosewright.simulation.run import simulate


def of_batches() -> Repeated:
    return repeated(broad_protons(), runs=60)


def of_iterations() -> Repeated:
    return repeated_iterations("", [broad_protons().problem(0)] * 2, 1000, runs=60)


@pytest.mark.parametrize("run", [of_batches, of_iterations])
def test_the_error_that_is_stated_is_the_spread(run: Callable[[], Repeated]) -> None:
    """Within three standard errors of less than 2 %."""
    found = run()
    assert found.ratio_error < 0.02
    assert found.ratio() == pytest.approx(1.0, abs=3 * found.ratio_error)


def test_batches_that_were_kept_are_judged_as_a_run_judges_them() -> None:
    """So what the benchmark says of stops is what runs do."""
    source, measure, seed = broad_protons(), DoseErrorMeasure(), 10_000
    goal = Goal(dose_error=DoseErrorGoal(4.5, measure), batch_histories=source.histories)
    run = simulate(source.problem(0), goal, seed=seed, threads=1)
    doses = batch_doses(source, seed, 120)[None]
    found = Kept(source, doses, source.problem(0).density_g_cm3.ravel())
    end = stopped(list(judged(found, 0, 4.5, measure)), Rule("", CHECKS_TO_PASS, FEWEST_CHECKED))
    assert end is not None
    assert end[0] == run.batches > FEWEST_CHECKED + 10
    assert end[1] == pytest.approx(run.dose_Gy.ravel(), rel=1e-12, abs=1e-12 * np.max(run.dose_Gy))
