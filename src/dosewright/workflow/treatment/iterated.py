"""A delivery carried out in iterations, as ``varianceReduction`` of its input asks."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dosewright.core.errors import InputError, refuse
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.simulation.iteration_files import LOG, MEAN_ERROR, STDEV, write_log, write_maps
from dosewright.simulation.iteration_plan import IterationPlan, planned
from dosewright.simulation.iteration_sums import Iteration
from dosewright.simulation.iterations import IteratedDose, iterate
from dosewright.simulation.problem import Problem
from dosewright.simulation.run import Progress
from dosewright.workflow.treatment.deliver import Watching, stopped
from dosewright.workflow.treatment.sums import LetSum, RegionSums
from dosewright.workflow.treatment.treatment import Treatment


@dataclass(frozen=True)
class Iterated:
    """What a region received in iterations, and how they went.

    Parameters
    ----------
    region, sums
        Its name, and what it received.
    plan, dose
        What was asked for, and what came of it.
    """

    region: str
    sums: RegionSums
    plan: IterationPlan
    dose: IteratedDose

    def described(self) -> dict[str, Any]:
        """Return the iterations as plain values."""
        last = self.dose.iterations[-1]
        return {
            "number": last.number,
            "most": self.plan.most,
            "primaries": last.primaries,
            "goal": None if self.plan.goal is None else self.plan.goal.words,
            "goal_reached": self.dose.goal_reached,
            "dose_error": {"measure": self.plan.measure.words, **last.errors.as_json()},
        }


def deliver_in_iterations(
    treatment: Treatment, seed: int, output: Path, kept: Path, *, threads: int = 0, watching: Watching | None = None
) -> Iterated:
    """Deliver all steps again and again until the goal or the last iteration; ``log/iterations.txt`` grows with them.

    Parameters
    ----------
    output, kept
        Folders of what users look at, and of kept sums.

    Raises
    ------
    StoppedEarlyError
        It was stopped on request; what is done is kept.
    """
    watching = watching or Watching()
    problems = [portion.problem() for portion in treatment.portions]
    plan = plan_of(treatment, problems)

    def put_down(done: tuple[Iteration, ...]) -> None:
        write_log(output, plan, done)
        if watching.tell is not None:
            watching.tell(_progress(plan, done, begun))

    begun = time.monotonic()
    dose = iterate(problems, plan, seed=seed, threads=threads, folder=kept, on_iteration=put_down, stop=watching.stop)
    if dose.stopped_on_request:
        raise stopped(kept)
    return Iterated(treatment.portions[0].region, _sums(treatment, problems[0], plan, dose), plan, dose)


def plan_of(treatment: Treatment, problems: Sequence[Problem]) -> IterationPlan:
    """Return the iterations that the input asks for."""
    reduction = treatment.delivery.input.variance_reduction
    if reduction is None:
        raise AssertionError("iterations that nobody asked for")
    return planned(reduction, problems, sum(one.beams.histories for one in treatment.portions))


def check_iterations(treatment: Treatment) -> None:
    """Refuse what iterations cannot do."""
    reduction = treatment.delivery.input.variance_reduction
    if reduction is None:
        return
    problems: list[str] = []
    if len(treatment.scored) > 1:
        problems += refuse("varianceReduction looks at the dose of one region", given=", ".join(treatment.scored),
                           allowed="one region that scores", where=reduction.where).problems  # fmt: skip
    between = [call.name for step in treatment.steps for call in step.after]
    if between:
        problems += refuse("With varianceReduction steps are delivered again and again, so no script can run after one",
                           given=", ".join(between), allowed="scripts before the first step and at the end",
                           where=reduction.where).problems  # fmt: skip
    if problems:
        raise InputError(*problems)


def iteration_files(treatment: Treatment, output: Path) -> list[Path]:
    """Return the files of iterations."""
    reduction = treatment.delivery.input.variance_reduction
    if reduction is None:
        return []
    maps = [(reduction.write_mean_error, MEAN_ERROR), (reduction.write_stdev, STDEV)]
    found = [output / name for wanted, name in maps if wanted]
    return [output / LOG, *(file for one in found for file in (one, one.with_suffix(".raw")))]


def write_iteration_maps(treatment: Treatment, output: Path, iterated: Iterated) -> None:
    """Write the maps of the dose error that are asked for."""
    reduction = treatment.delivery.input.variance_reduction
    if reduction is not None:
        grid = treatment.grids[iterated.region]
        asked = {"mean_error": reduction.write_mean_error, "stdev": reduction.write_stdev}
        write_maps(output, grid, iterated.dose, **asked)


def _sums(treatment: Treatment, problem: Problem, plan: IterationPlan, dose: IteratedDose) -> RegionSums:
    """Return the dose of iterations as what a region received."""
    settings = treatment.portions[0].settings
    sums = RegionSums.empty(problem.mass_g, problem.density_g_cm3, to_water=settings.dose_to_water, let=settings.let)
    sums.medium.dose_Gy += dose.dose_Gy
    sums.medium.variance += dose.mean_error_Gy**2
    if sums.water and dose.dose_to_water_Gy is not None and dose.water_error_Gy is not None:
        sums.water.dose_Gy += dose.dose_to_water_Gy
        sums.water.variance += dose.water_error_Gy**2
    if dose.let_d is not None:
        sums.let_d = LetSum.empty(dose.dose_Gy.shape)
        sums.let_d.add(dose.let_d, np.zeros_like(dose.dose_Gy), 1.0)
    sums.histories = dose.iterations[-1].primaries
    sums.particles = sum(one.particles for one in treatment.portions)
    sums.deposited_MeV = float((dose.dose_Gy * problem.mass_g).sum() / MEV_PER_G_IN_GY)
    sums.warnings += dose.warnings
    if not dose.goal_reached and plan.goal is not None:
        last = dose.iterations[-1]
        sums.warnings.append(
            f"The goal was not reached in {last.number} iterations: {plan.goal.words}. The largest error is "
            f"{last.errors.largest_percent:.3g} %; {last.errors.failing} of {last.errors.voxels} voxels fail."
        )
    return sums


def _progress(plan: IterationPlan, done: Sequence[Iteration], begun: float) -> Progress:
    """Return how far iterations are; without a goal for the error all of them are to be done."""
    last, seconds = done[-1], time.monotonic() - begun
    rate = last.primaries / max(last.seconds, 1e-9)
    needed = plan.most
    if plan.goal is not None and np.isfinite(last.errors.largest_percent):
        needed = min(needed, int(np.ceil(last.number * (last.errors.largest_percent / plan.goal.percent) ** 2)))
    left = max(needed - last.number, 0) * plan.primaries / max(rate, 1e-9)
    goal = None if plan.goal is not None else plan.most * plan.primaries
    return Progress(
        last.primaries, goal, last.errors.mean_percent, seconds, rate, left, last.errors.largest_percent
    )  # fmt: skip
