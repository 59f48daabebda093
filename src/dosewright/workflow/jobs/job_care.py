"""What is done to the jobs of this machine: looked at, stopped, tidied up."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dosewright.core.errors import InputError
from dosewright.core.whole_file import FILE_MODE
from dosewright.formats.text.site_settings import Jobs as JobTimes
from dosewright.workflow.jobs.archive import archive
from dosewright.workflow.jobs.registry import RUNNING, Job, Registry, State
from dosewright.workflow.jobs.second_copy import copy_pending
from dosewright.workflow.jobs.tracking import EXIT_DONE, EXIT_EARLY, EXIT_STOPPED
from dosewright.workflow.watch import BeamProgress

HOUR_S, DAY_S = 3600.0, 86400.0


@dataclass(frozen=True)
class Seen:
    """A job as it is now: its state, what else is to be said of it, and how far its beams are."""

    job: Job
    state: State
    note: str
    beams: tuple[BeamProgress, ...]

    @property
    def running(self) -> bool:
        """True while its process works on it."""
        return self.job.running

    @property
    def beam(self) -> BeamProgress | None:
        """The beam told of last, while the job runs."""
        return self.beams[-1] if self.beams and self.running else None


def seen(job: Job, times: JobTimes, now: float | None = None) -> Seen:
    """Look at a job: a process that is gone without a word left a result, or after a while is unsuccessful."""
    beams = progress_of(job)
    if job.state not in RUNNING or job.running:
        return Seen(job, job.state, _note(job), beams)
    ended = _ended(job)
    if ended is not None:
        return Seen(job, ended[0], _note(job), beams)
    gone = (time.time() if now is None else now) - last_sign(job)
    if gone >= times.unsuccessful_after_hours * HOUR_S:
        return Seen(job, State.UNSUCCESSFUL, "its process is gone without a result", beams)
    return Seen(job, job.state, "its process is gone; the same command continues where it was", beams)


def progress_of(job: Job) -> tuple[BeamProgress, ...]:
    """Return how far the beams of a job are, the one told of last at the end; empty where nothing is known."""
    try:
        beams = json.loads(job.place.progress.read_text(encoding="utf-8"))["beams"]
        return tuple(BeamProgress(**beam) for beam in beams)
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def last_sign(job: Job) -> float:
    """Return when a job last gave a sign of life, seconds since 1970."""
    signs = [job.heard]
    for path in (job.place.progress, job.place.log):
        with suppress(OSError):
            signs.append(path.stat().st_mtime)
    return max(signs)


def stop(job: Job) -> None:
    """Ask a running job to stop softly: it keeps its result so far."""
    _refuse_unless_running(job)
    if job.state is State.FINISHING:
        raise InputError(f"Job {job.id} is finishing: its simulation is over, there is nothing left to stop softly.")
    job.place.stop.touch(mode=FILE_MODE)


def stop_hard(job: Job, registry: Registry, patience_s: float = 10.0) -> Job:
    """End the process of a running job; its folder can be resumed."""
    _refuse_unless_running(job)
    if not job.process.end(patience_s):
        raise InputError(f"The process {job.pid} of job {job.id} could not be ended. Where: {job.folder}.")
    return registry.change(job.id, state=State.STOPPED, exit_code=EXIT_STOPPED)


def tidy(
    registry: Registry,
    times: JobTimes,
    say: Callable[[str], None],
    now: float | None = None,
    folder: Path | None = None,
) -> list[str]:
    """Do once what IDEAL's log daemon did over and over; return what was done and what could not be.

    Jobs whose process is gone are settled: done if there is a result, else unsuccessful after a while. Second copies
    still to be made are tried. Jobs at rest for long are archived, relative places being below `folder`.
    """
    now = time.time() if now is None else now
    did = [said for job in registry.jobs() for said in _settle(job, registry, times, now)]
    did += [f"Job {job.id}: second copy made." for job in copy_pending(registry, say)]
    for job in registry.jobs():
        if job.running or job.archive or now - last_sign(job) < times.historic_after_days * DAY_S:
            continue
        if job.state in RUNNING or not Path(job.folder).is_dir():
            continue
        good = job.state in (State.DONE, State.STOPPED)
        try:
            place = archive_place(times, good=good, folder=folder)
            did.append(f"Job {job.id}: archived in {archive(job, registry, place).archive}.")
        except (InputError, OSError) as refused:
            did.append(f"Job {job.id}: not archived. {refused}")
    return did


def archive_place(times: JobTimes, *, good: bool, folder: Path | None) -> str:
    """Return where a job is archived; empty for beside its folder."""
    named = times.archive if good else times.failed_archive or times.archive
    return str((folder or Path()) / named) if named else ""


def _settle(job: Job, registry: Registry, times: JobTimes, now: float) -> list[str]:
    """Write down what became of a job whose process is gone."""
    state = seen(job, times, now).state
    if state == job.state:
        return []
    ended = _ended(job)
    registry.change(job.id, state=state, heard=last_sign(job), exit_code=None if ended is None else ended[1])
    return [f"Job {job.id}: {state.value}. Its folder is kept: {job.folder}."]


def _ended(job: Job) -> tuple[State, int] | None:
    """Return how a job ended by its summary; None where there is none."""
    try:
        reached = bool(json.loads(job.place.summary.read_text(encoding="utf-8"))["goal_reached"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (State.DONE, EXIT_DONE) if reached else (State.STOPPED, EXIT_EARLY)


def _note(job: Job) -> str:
    if job.running and job.place.stop.exists():
        return "asked to stop"
    if job.archive:
        return f"archived in {job.archive}"
    if not Path(job.folder).is_dir():
        return "its folder is gone"
    if job.state is State.FAILED:
        return f"see {job.place.log}"
    return f"second copy to be made: {job.second_copy}" if job.copy_pending else ""


def _refuse_unless_running(job: Job) -> None:
    if not job.running:
        raise InputError(f"Job {job.id} is not running: there is nothing to stop. Its state: {job.state.value}.")
