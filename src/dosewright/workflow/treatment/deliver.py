"""A delivery carried out: every field of every step is run to a number of histories, and what regions receive added up.

Runs are independent: each has a seed of its own. Their sums are kept in a folder, so that what was killed goes on.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dosewright.core.errors import StoppedEarlyError
from dosewright.simulation.goal import Goal
from dosewright.simulation.run import RESUMED, Progress, never, simulate
from dosewright.workflow.treatment.portion import Portion
from dosewright.workflow.treatment.sums import RegionSums


@dataclass(frozen=True)
class Watching:
    """Who is told how far it is, who may stop it, and what is done when a step has ended."""

    tell: Callable[[Progress], None] | None = None
    stop: Callable[[], bool] = never
    step_done: Callable[[int, dict[str, RegionSums]], None] = field(default=lambda _step, _sums: None)


def deliver_all(
    portions: Sequence[Portion], kept: Path, *, factor: int = 1, threads: int = 0, watching: Watching | None = None
) -> dict[str, RegionSums]:
    """Run all portions to the histories that their pencil beams ask for, times a factor; return what regions received.

    Parameters
    ----------
    portions
        In the order of their steps.
    kept
        Folder of kept sums. Called again with a larger factor, each run goes on where it ended.
    factor
        How often the histories asked for.
    threads
        0: all cores.
    watching
        See `Watching`.

    Raises
    ------
    StoppedEarlyError
        It was stopped on request; what is done is kept.
    """
    watching = watching or Watching()
    progress = _AllProgress(sum(one.whole(factor * one.beams.histories) for one in portions), watching.tell)
    sums: dict[str, RegionSums] = {}
    for number, (portion, last) in enumerate(_with_end_of_step(portions), 1):
        histories = portion.whole(factor * portion.beams.histories)
        problem = portion.problem()
        result = simulate(
            problem,
            Goal(histories=histories, batch_histories=portion.batch),
            seed=portion.seed,
            threads=threads,
            folder=_folder(kept, number),
            on_progress=progress.portion,
            stop=watching.stop,
        )
        if result.stopped_on_request:
            raise stopped(kept)
        progress.portion_done(histories, resumed=RESUMED in result.warnings)
        if portion.region not in sums:
            settings = portion.settings
            sums[portion.region] = RegionSums.empty(
                problem.mass_g, problem.density_g_cm3, to_water=settings.dose_to_water, let=settings.let
            )
        sums[portion.region].add(result, portion.particles)
        if result.energy["deposited"] <= 0:
            sums[portion.region].warnings.append(
                f"Step {portion.step}: nothing of {portion.field} reached region {portion.region}. Does it point there?"
            )
        if last:
            watching.step_done(portion.step, sums)
    for one in sums.values():
        one.warnings = [text for text in one.warnings if text != RESUMED]
    return sums


def stopped(kept: Path) -> StoppedEarlyError:
    """Return what ends a delivery that was stopped."""
    return StoppedEarlyError(
        "Stopped on request before all was delivered, so there is no dose. What is done is kept: the same command "
        f"continues where it was. Where: {kept}."
    )


def _folder(kept: Path, number: int) -> Path:
    return kept / f"{number:06d}"


def _with_end_of_step(portions: Sequence[Portion]) -> Iterator[tuple[Portion, bool]]:
    """Yield portions, and whether each is the last of its step."""
    for n, one in enumerate(portions):
        yield one, n + 1 == len(portions) or portions[n + 1].step != one.step


class _AllProgress:
    """Progress over all portions as one; the uncertainty is that of the portion in progress."""

    def __init__(self, histories: int, tell: Callable[[Progress], None] | None) -> None:
        self.goal, self.tell, self.done, self.begun = histories, tell, 0, time.monotonic()
        self.resumed = 0  # histories that were kept from before

    def portion(self, now: Progress) -> None:
        """Tell how far all is while one is running."""
        if self.tell is None:
            return
        histories, seconds = self.done + now.histories, time.monotonic() - self.begun
        new = max(histories - self.resumed, 0)
        rate = new / max(seconds, 1e-9)
        left = (self.goal - histories) / rate if rate > 0 else None
        self.tell(replace(now, histories=histories, histories_goal=self.goal, seconds=seconds,
                          histories_per_second=rate, seconds_left=left))  # fmt: skip

    def portion_done(self, histories: int, resumed: bool) -> None:
        """Count a portion that is finished; one that was kept from before took no time."""
        self.done += histories
        self.resumed += histories if resumed else 0
