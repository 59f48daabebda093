"""A calculation tells the registry of jobs, and its folder, what it does; that it cannot never harms it."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from dosewright.core.errors import DosewrightError, InputError, StoppedEarlyError
from dosewright.execution.artifact import write_json
from dosewright.workflow.folder import JobFolder
from dosewright.workflow.jobs.registry import Job, Registry, State, usual_place
from dosewright.workflow.jobs.second_copy import DONE as COPIED
from dosewright.workflow.jobs.second_copy import copy_now, copy_pending
from dosewright.workflow.watch import BeamProgress, Watch

LOG = logging.getLogger(__name__)
PROGRESS_EVERY_S = 1.0
REGISTRY_EVERY_S = 5.0
UNDER_WAY = "its copying was not finished"
EXIT_DONE, EXIT_FAULT, EXIT_REFUSED, EXIT_EARLY, EXIT_STOPPED = 0, 1, 2, 3, 130


@dataclass(frozen=True)
class Who:
    """Whose job it is, and of which plan; no name of a patient."""

    user: str
    role: str
    plan_uid: str

    @property
    def plan(self) -> str:
        """A hash of the plan's UID."""
        return sha256(self.plan_uid.encode()).hexdigest()[:16]


@dataclass
class Tracker:
    """Writes what a calculation does into the registry and its progress into the job folder."""

    folder: JobFolder
    watch: Watch
    registry: Registry
    job: Job | None = None
    beams: dict[int, BeamProgress] = field(default_factory=dict)
    told: float = 0.0
    entered: float = 0.0
    failing: bool = False

    def begin(self, who: Who) -> None:
        """Enter the job."""
        self.folder.progress.unlink(missing_ok=True)
        try:
            self.job = self.registry.enter(self.folder.path, who.user, who.role, who.plan)
        except (sqlite3.Error, OSError, DosewrightError) as error:
            self._say_that_it_fails(error)

    def change(self, **changes: Any) -> None:
        """Write something about the job, if it could be entered."""
        if self.job is None:
            return
        try:
            self.job = self.registry.change(self.job.id, **changes)
            self.entered = time.monotonic()
        except (sqlite3.Error, OSError, DosewrightError) as error:
            self._say_that_it_fails(error)

    def progress(self, progress: BeamProgress) -> None:
        """Pass the progress of a beam on, and keep it now and then."""
        self.watch.progress(progress)
        self.beams.pop(progress.number, None)  # so that the one told of last comes last
        self.beams[progress.number] = progress
        now = time.monotonic()
        if now - self.told < PROGRESS_EVERY_S:
            return
        self.told = now
        try:
            write_json(self.folder.progress, {"beams": [asdict(beam) for beam in self.beams.values()]})
        except (OSError, ValueError) as error:
            self._say_that_it_fails(error)
        if now - self.entered >= REGISTRY_EVERY_S:
            share, percent = progress.share_done, progress.uncertainty_percent
            self.change(share_done=share, uncertainty_percent=percent)

    def finished(self, *, goal_reached: bool, uncertainty_percent: float | None) -> None:
        """Enter that there is a result."""
        self.folder.progress.unlink(missing_ok=True)
        self.change(
            state=State.DONE if goal_reached else State.STOPPED,
            exit_code=EXIT_DONE if goal_reached else EXIT_EARLY,
            share_done=1.0,
            uncertainty_percent=uncertainty_percent,
        )

    def copy(self, second: str) -> None:
        """Make the second copy of the result, and those that were left over; no trouble there is one of the result."""
        if second and self.job is not None:
            self.change(second_folder=second, second_copy=f"not made yet; {UNDER_WAY}")
            ended = copy_now(self.folder.path.resolve(), Path(second))
            self.change(second_copy=ended)
            if ended != COPIED:
                self.watch.say(f"The second copy is still to be made: {ended}. `dosewright jobs tidy` tries again.")
                return
        if self.job is not None:
            try:
                copy_pending(self.registry, self.watch.say)
            except (sqlite3.Error, OSError, DosewrightError) as error:
                self._say_that_it_fails(error)

    def _say_that_it_fails(self, error: Exception) -> None:
        if not self.failing:
            self.failing = True
            self.watch.say(
                f"The registry of jobs cannot be written ({error}); the calculation goes on without it. "
                "`dosewright jobs` may not show it."
            )
        LOG.warning("registry of jobs: %s", type(error).__name__)


@contextmanager
def tracked(folder: JobFolder, who: Who, watch: Watch) -> Iterator[Tracker]:
    """Enter a job, and how it ended if that is without a result; the tracker that is yielded must be told the rest."""
    tracker = Tracker(folder, watch, Registry(usual_place(), watch.say))
    tracker.begin(who)
    try:
        yield tracker
    except BaseException as ended:
        state, code = how_it_ended(ended)
        tracker.change(state=state, exit_code=code)
        raise


def how_it_ended(ended: BaseException) -> tuple[State, int]:
    """Return the state and the exit code of a calculation that ended without a result."""
    if isinstance(ended, InputError):
        return State.FAILED, EXIT_REFUSED
    if isinstance(ended, StoppedEarlyError | KeyboardInterrupt):
        return State.STOPPED, EXIT_STOPPED
    return State.FAILED, EXIT_FAULT
