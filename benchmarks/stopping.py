"""Errors predicted and observed, and the bias of stopping; ``python -m benchmarks.stopping`` writes the page.

Small problems are run again and again with other seeds. Their spread is what their error should have been. Batches that
were kept are then judged as a run judges them, so that thousands of stops cost no transport.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tests.simulation.test_scene_run import alone, scene_of
from tests.simulation.tiny_problem import tiny_problem
from tests.sources.phase_spaces import InMemory, parallel_beam

from benchmarks.page_parts import write_parts
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.scoring.dose_error import (
    CHECKS_TO_PASS,
    FEWEST_CHECKED,
    DoseErrorMeasure,
    counting,
    dose_errors,
)
from dosewright.scoring.statistics import BatchSums
from dosewright.simulation import RunFile
from dosewright.simulation.batch import compiled, new_tally, one_batch
from dosewright.simulation.goal import Batches, Goal
from dosewright.simulation.iteration_plan import IterationPlan
from dosewright.simulation.iterations import iterate
from dosewright.simulation.problem import Problem
from dosewright.simulation.run import divided, simulate
from dosewright.simulation.run_file.phantom_tables import Phantom
from dosewright.simulation.run_file.source_tables import PencilSource, PhaseSpaceSource, PointSource, RectangleSource
from dosewright.simulation.run_file.tables import Goals
from dosewright.simulation.run_file.transport_tables import Directional, VarianceReduction
from dosewright.simulation.setup.prepare import prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY, Resolvers

Floats = NDArray[np.float64]

PAGE = Path(__file__).parents[1] / "docs" / "measured" / "stopping.md"
PICTURE = PAGE.with_name("stopping.png")
RUNS = 100
MORE_RUNS = 400  # where few voxels count
BATCHES = 20
MOST_BATCHES = 160  # kept for the stops
AT_BATCHES = 40.0  # where they should stop
HIGH_PERCENT = 50.0
NO_GOAL = Goals(histories=1)
WATER = Phantom(size_mm=(120, 120, 120), voxel_mm=(20, 20, 20), origin_mm=(-60, -60, 0), material="G4_WATER")
BEHIND = Phantom(size_mm=(40, 40, 40), voxel_mm=(20, 20, 20), origin_mm=(-20, -20, 0), material="G4_WATER")
FINE = Phantom(size_mm=(60, 60, 40), voxel_mm=(5, 5, 5), origin_mm=(-30, -30, 0), material="G4_WATER")
FIELD = PointSource(
    particle="photon", energy_MeV=6, position_mm=(0, 0, -1000), field_mm=(60, 60), field_at_mm=(0, 0, 0)
)


@dataclass(frozen=True)
class Source:
    """A kind of source: its name, the histories of a batch, the problem for a seed, and how many runs it has."""

    name: str
    histories: int
    problem: Callable[[int], Problem]
    runs: int = RUNS


def of_run(**tables: Any) -> Problem:
    """Return the problem of a run file."""
    return prepare(RunFile(**{"goal": NO_GOAL, "phantom": WATER, "source": FIELD, **tables}), WITHOUT_LIBRARY).problem


def split_head(folder: Path) -> Problem:
    """Return electrons on tungsten, whose photons are sent into the field twentyfold, and a phantom behind."""
    table = VarianceReduction(directional=Directional(n=20, field_mm=(40, 40), at_mm=(0, 0, 0), electron_plane_mm=-10))
    beam = PencilSource(particle="electron", energy_MeV=6, position_mm=(0, 0, -100))
    scene = scene_of(folder, alone("plate").replace("G4_Al", "G4_W"))
    return of_run(phantom=BEHIND, source=beam, scene=scene, variance_reduction=table)


def reused(folder: Path, seed: int) -> Problem:
    """Return a phase space of its own for each seed, every particle of which is used five times."""
    path = folder / "beam.phsp"
    path.touch()
    beam = parallel_beam(2000, 6.0, seed=seed, energy_MeV=2.0)
    source = PhaseSpaceSource(file=str(path), reuse=5)
    run = RunFile(phantom=WATER, source=source, goal=NO_GOAL)
    return prepare(run, Resolvers(phase_space=lambda _path, _bits: InMemory(beam, len(beam)))).problem


def proton_spots() -> Problem:
    """Return three spots of unequal weights with random numbers of their own."""
    return tiny_problem(to_water=False)


def broad_protons() -> Source:
    """Return a field of protons on voxels of 5 mm."""
    beam = RectangleSource(particle="proton", energy_MeV=60, position_mm=(0, 0, -10), field_mm=(40, 40))
    problem = of_run(phantom=FINE, source=beam)
    return Source("a field of protons of 60 MeV", 1000, lambda _seed: problem)


def sources(folder: Path) -> list[Source]:
    """Return the kinds of sources."""
    plain, spots, head = of_run(), proton_spots(), split_head(folder)
    split = of_run(variance_reduction=VarianceReduction(photon_splitting=16))
    return [
        Source("analogue: photons of 6 MeV", 1000, lambda _seed: plain),
        Source("stratified: three proton spots", 300, lambda _seed: spots, MORE_RUNS),
        Source("split: photons repeated 16 times", 150, lambda _seed: split),
        Source("split: bremsstrahlung of a target, 20 into the field", 200, lambda _seed: head),
        Source("reused: a phase space, five times", 500, lambda seed: reused(folder, seed)),
    ]


@dataclass(frozen=True)
class Repeated:
    """Doses and predicted errors of repeated runs, [run, voxel], with what ran and how many histories each had."""

    name: str
    doses: Floats
    errors: Floats
    histories: int

    @property
    def high(self) -> NDArray[np.bool_]:
        """The voxels above half of the maximum of the mean."""
        mean = self.doses.mean(axis=0)
        chosen: NDArray[np.bool_] = mean > 0.01 * HIGH_PERCENT * mean.max()
        return chosen

    def ratio(self, runs: NDArray[np.int64] | slice = slice(None)) -> float:
        """Return the observed spread over the predicted error: roots of the mean squares over voxels of high dose."""
        doses, errors, mean = (a[:, self.high] for a in (self.doses[runs], self.errors[runs], self.doses))
        scale = mean.mean(axis=0)
        observed = (doses.var(axis=0, ddof=1) / scale**2).mean()
        return float(np.sqrt(observed / ((errors / scale) ** 2).mean()))

    @property
    def ratio_error(self) -> float:
        """Return the standard error of the ratio, by the jackknife over runs."""
        count = len(self.doses)
        left_out = np.array([self.ratio(np.delete(np.arange(count), k)) for k in range(count)])
        return float(np.sqrt((count - 1) * left_out.var()))

    @property
    def percent(self) -> float:
        """Return the predicted error, root mean square in percent."""
        high = self.high
        return float(100 * np.sqrt(((self.errors[:, high] / self.doses[:, high].mean(axis=0)) ** 2).mean()))


def repeated(source: Source, runs: int | None = None) -> Repeated:
    """Run a source with many seeds, through the engine of every run."""
    doses, errors = [], []
    for seed in range(runs or source.runs):
        goal = Goal(histories=BATCHES * source.histories, batch_histories=source.histories)
        found = simulate(source.problem(seed), goal, seed=seed, threads=1)
        doses.append(found.dose_Gy.ravel())
        errors.append((found.dose_Gy * found.relative_uncertainty).ravel())
    return Repeated(source.name, np.array(doses), np.array(errors), BATCHES * source.histories)


def two_problems() -> list[Problem]:
    """Return two problems of spots of unequal weights, one of them without particles."""
    other = tiny_problem(energy_MeV=50.0, to_water=False)
    return [proton_spots(), replace(other, pencil_weights=np.array([30.0, 0.0, 2.0]))]


def repeated_iterations(name: str, problems: list[Problem], primaries: int, runs: int = MORE_RUNS) -> Repeated:
    """Run problems in iterations with many seeds."""
    plan = IterationPlan(BATCHES, primaries, None, DoseErrorMeasure())
    found = [iterate(problems, plan, seed=seed, threads=1) for seed in range(runs)]
    doses, errors = np.array([f.dose_Gy.ravel() for f in found]), np.array([f.mean_error_Gy.ravel() for f in found])
    return Repeated(name, doses, errors, BATCHES * primaries)


def table_of_repeated(found: list[Repeated]) -> str:
    """Return how well errors are predicted."""
    lines = ["| source | runs | histories of a run | voxels | predicted error (%) | observed / predicted | its error |",
             "|---|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    lines += [
        f"| {one.name} | {len(one.doses)} | {one.histories:,} | {one.high.sum()} | {one.percent:.2f} | "
        f"{one.ratio():.3f} | {one.ratio_error:.3f} |"
        for one in found
    ]
    return "\n".join(lines)


def batch_doses(source: Source, seed: int, batches: int = MOST_BATCHES) -> Floats:
    """Return the energy in every voxel over its mass, batch by batch, as a run makes them, [batch, voxel], Gy."""
    problem = source.problem(seed)
    division = divided(problem, Goal(histories=batches * source.histories, batch_histories=source.histories))
    tally, mass = new_tally(problem), problem.mass_g.ravel()
    doses = []
    for number in range(batches):
        work = division.work(number)
        if work is None:
            break
        tally, _ = one_batch(problem, work, number, seed, tally)
        doses.append(tally.energy * MEV_PER_G_IN_GY / mass)
    return np.array(doses)


@dataclass(frozen=True)
class Kept:
    """Batches of many runs, [run, batch, voxel], Gy, each of so many histories; densities of the voxels."""

    source: Source
    doses: Floats
    density_g_cm3: Floats

    @property
    def truth(self) -> Floats:
        """The dose per history."""
        return np.asarray(self.doses.mean(axis=(0, 1)) / self.source.histories)

    @property
    def batch_error(self) -> Floats:
        """The standard deviation of a batch, per history."""
        pooled = self.doses.reshape(-1, self.doses.shape[-1])
        return np.asarray(pooled.std(axis=0, ddof=1) / self.source.histories)

    def largest_percent(self, batches: int, measure: DoseErrorMeasure) -> float:
        """Return the true largest error after so many batches, of the voxels that truly count."""
        error = self.batch_error / np.sqrt(batches)
        return dose_errors(self.truth, error, self.density_g_cm3, measure).largest_percent


def kept(source: Source) -> Kept:
    """Run and keep the batches of a source."""
    compiled(source.problem(0))
    doses = np.array([batch_doses(source, 10_000 + seed) for seed in range(RUNS)])
    return Kept(source, doses, source.problem(0).density_g_cm3.ravel())


@dataclass(frozen=True)
class Rule:
    """When a run stops: how many checks in a row must be passed, and from how many batches on."""

    name: str
    checks: int
    fewest: int


RULES = (
    Rule("one check, from 10 batches", 1, 10),
    Rule("one check, from 20", 1, 20),
    Rule("two in a row, from 10", 2, 10),
    Rule("two in a row, from 20 (as it is)", CHECKS_TO_PASS, FEWEST_CHECKED),
)


def judged(found: Kept, run: int, goal: float, measure: DoseErrorMeasure) -> Iterator[tuple[int, bool, Floats]]:
    """Yield the batches, the verdict and the dose of a run at its checkpoints, judged as a run is."""
    doses, done = found.doses[run], 0
    sums = BatchSums.empty(doses.shape[-1])
    while (at := Batches.next_checkpoint(done)) <= len(doses):
        for batch in doses[done:at]:
            sums.add(batch.copy(), found.source.histories)
        done, mean = at, sums.mean()
        errors = dose_errors(mean, mean * sums.relative_uncertainty(), found.density_g_cm3, measure, goal)
        yield at, errors.met, mean


def stopped(verdicts: list[tuple[int, bool, Floats]], rule: Rule) -> tuple[int, Floats] | None:
    """Return where a rule stops a run, with its dose then; None where the batches do not suffice."""
    passes = 0
    for at, met, dose in verdicts:
        passes = passes + 1 if met and at >= rule.fewest else 0
        if passes >= rule.checks:
            return at, dose
    return None


@dataclass(frozen=True)
class Stops:
    """Where runs stopped under a rule: batches, true largest error over the asked, errors of mean and highest dose."""

    what: str
    voxels: int
    rule: Rule
    batches: Floats
    true_over_asked: Floats
    mean_dose_percent: Floats
    highest_percent: Floats
    unfinished: int


def stops(found: Kept, measure: DoseErrorMeasure, at_batches: float) -> list[Stops]:
    """Stop all runs under all rules; the goal is what is truly reached after `at_batches`."""
    goal = found.largest_percent(1, measure) / np.sqrt(at_batches)
    truth = found.truth
    high = counting(truth, found.density_g_cm3, measure.cut_off_percent)
    verdicts = [list(judged(found, run, goal, measure)) for run in range(len(found.doses))]
    rows = []
    for rule in RULES:
        ends = [stopped(one, rule) for one in verdicts]
        done = [end for end in ends if end is not None]
        rows.append(
            Stops(
                f"{found.source.name}, DCO {measure.cut_off_percent:g} %",
                int(high.sum()),
                rule,
                np.array([float(at) for at, _ in done]),
                np.array([found.largest_percent(at, measure) / goal for at, _ in done]),
                np.array([100 * (dose[high].sum() / truth[high].sum() - 1) for _, dose in done]),
                np.array([100 * (dose.max() / truth.max() - 1) for _, dose in done]),
                len(ends) - len(done),
            )
        )
    return rows


def table_of_stops(found: list[Stops]) -> str:
    """Return the bias of stopping."""
    lines = ["| source | voxels | rule | batches at the stop | true largest error / asked, mean | 95 % of runs below "
             "| runs with more than asked | mean dose, bias (%) | highest dose, bias (%) | not finished |",
             "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    for one in found:
        count = max(len(one.batches), 1)
        mean, high = ((v.mean(), v.std(ddof=1) / np.sqrt(count)) for v in (one.mean_dose_percent, one.highest_percent))
        lines.append(
            f"| {one.what} | {one.voxels} | {one.rule.name} | {one.batches.mean():.0f} | "
            f"{one.true_over_asked.mean():.3f} | {np.percentile(one.true_over_asked, 95):.2f} | "
            f"{100 * (one.true_over_asked > 1).mean():.0f} % | "
            f"{mean[0]:+.2f} ± {mean[1]:.2f} | {high[0]:+.2f} ± {high[1]:.2f} | {one.unfinished} |"
        )
    return "\n".join(lines)


def maxima(found: Kept) -> str:
    """Return how much the plain maximum of a noisy image is too high."""
    truth = found.truth.max()
    lines = ["| batches | error of the highest voxel (%) | maximum of the image, too high by (%) |", "|--:|--:|--:|"]
    place = int(found.truth.argmax())
    for batches in (10, 20, 40, 80, 160):
        highest = found.doses[:, :batches].mean(axis=1).max(axis=1) / found.source.histories
        error = 100 * found.batch_error[place] / np.sqrt(batches) / truth
        lines.append(f"| {batches} | {error:.2f} | {100 * (highest.mean() / truth - 1):+.2f} |")
    return "\n".join(lines)


def picture(found: list[Stops]) -> None:
    """Draw the true error at the stops, for one check and for two."""
    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    whats = list(dict.fromkeys(one.what for one in found))
    axes = figure.subplots(1, len(whats), sharey=True, squeeze=False)[0]
    for axis, what in zip(axes, whats, strict=True):
        for one in (o for o in found if o.what == what and o.rule in (RULES[0], RULES[-1])):
            ordered = np.sort(one.true_over_asked)
            axis.step(ordered, np.arange(1, ordered.size + 1) / ordered.size, where="post", label=one.rule.name)
        axis.axvline(1.0, color="0.6", lw=0.8)
        axis.set_title(what.replace(", DCO", ",\nDCO"), fontsize=7)
        axis.set_xlabel("true largest error / asked", fontsize=7)
        axis.tick_params(labelsize=7)
    axes[0].set_ylabel("share of runs below", fontsize=7)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=7)
    figure.savefig(PICTURE, dpi=150)


TOP = f"""# Errors predicted and observed, and the bias of stopping

Written by `python -m benchmarks.stopping`. Small problems of coarse voxels, {RUNS} runs of each or more with their own
seeds.
"""
SPREAD = f"""## Predicted and observed

Each run has {BATCHES} batches (or iterations). *Observed / predicted*: the standard deviation of the dose over the runs
over the error that each run states, both as root mean squares over the voxels above {HIGH_PERCENT:g} % of the maximum.
Its error is by the jackknife over runs, one sigma. Every run from a phase space has a phase space of its own.

{{table}}
"""
STOPS = f"""## Where runs stop

{RUNS} runs of {MOST_BATCHES} batches, judged as a run is: at every tenth batch, later at every tenth part. What
they should have come to is known from all of their batches. The goal (GLOBAL) is the largest error that is truly there
after {AT_BATCHES:g} batches. *True largest error / asked*: one where a run stopped just when it should, below one where
it went on longer.

{{table}}

![True error at the stop](stopping.png)

## The maximum of a noisy image

GLOBAL errors and the cut-off go by the plain maximum. {{source}}:

{{maxima}}
"""


def spread(all_sources: list[Source]) -> str:
    """Measure how well errors are predicted."""
    found = [repeated(source) for source in all_sources]
    found.insert(2, repeated_iterations("stratified: iterations of two problems, five spots", two_problems(), 300))
    return SPREAD.format(table=table_of_repeated(found))


def ends(all_sources: list[Source]) -> str:
    """Measure where runs stop, and draw it."""
    rows: list[Stops] = []
    maximum: list[str] = []
    judged_sources = (broad_protons(), all_sources[0])
    for source in judged_sources:
        batches = kept(source)
        for cut_off in (HIGH_PERCENT, 95.0):
            rows += stops(batches, DoseErrorMeasure(cut_off), AT_BATCHES)
        maximum.append(maxima(batches))
    picture(rows)
    name = judged_sources[0].name
    return STOPS.format(table=table_of_stops(rows), maxima=maximum[0], source=name[0].upper() + name[1:])


PARTS = {"spread": spread, "stops": ends}


def main(arguments: list[str]) -> None:
    """Measure the parts that are named, or all, and write them into the page."""
    with TemporaryDirectory() as place:
        all_sources = sources(Path(place))
        for part in arguments or PARTS:
            section = PARTS[part](all_sources)
            print(section)
            write_parts(PAGE, TOP, tuple(PARTS), {part: section})


if __name__ == "__main__":
    main(sys.argv[1:])
