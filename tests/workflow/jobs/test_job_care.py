"""Jobs looked at and tidied up: what became of them is found out, by IDEAL's times."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from dosewright.core.errors import InputError
from dosewright.execution.artifact import write_json
from dosewright.formats.text.site_settings import Jobs
from dosewright.workflow.jobs.job_care import DAY_S, HOUR_S, seen, stop, stop_hard, tidy
from dosewright.workflow.jobs.registry import Job, Registry, State
from dosewright.workflow.watch import BeamProgress

TIMES = Jobs(historic_after_days=30.0, unsuccessful_after_hours=1.0)
BEAM = BeamProgress(2, "Side", 1000, 50.0, 3.0, 20.0, 40.0, 0.3)
Make = Callable[..., Job]


def test_a_process_that_is_gone_makes_a_job_unsuccessful_after_a_while(make_job: Make) -> None:
    job = make_job(state=State.SIMULATING)
    now = time.time()
    early = seen(job, TIMES, now + 0.9 * HOUR_S)
    assert early.state is State.SIMULATING
    assert not early.running
    assert early.note == "its process is gone; the same command continues where it was"
    assert seen(job, TIMES, now + 1.1 * HOUR_S).state is State.UNSUCCESSFUL


@pytest.mark.parametrize("state", [State.DONE, State.STOPPED])
def test_a_result_counts_more_than_what_the_process_said_last(make_job: Make, registry: Registry, state: State) -> None:
    job = registry.change(make_job(state=state).id, state=State.FINISHING)
    assert seen(job, TIMES, time.time() + 10 * HOUR_S).state is state


def test_tidying_settles_jobs_and_archives_the_historic(
    make_job: Make, registry: Registry, said: list[str], tmp_path: Path
) -> None:
    done, lost, killed = make_job("done"), make_job("lost", State.SIMULATING), make_job("killed", State.STOPPED)
    registry.change(killed.id, state=State.FINISHING)
    now = time.time()
    did = tidy(registry, TIMES, said.append, now + 2 * HOUR_S)
    assert did == [
        f"Job {lost.id}: unsuccessful. Its folder is kept: {lost.folder}.",
        f"Job {killed.id}: stopped. Its folder is kept: {killed.folder}.",
    ]
    assert registry.job(killed.id).exit_code == 3
    assert tidy(registry, TIMES, said.append, now + 29 * DAY_S) == []
    places = TIMES.model_copy(update={"archive": "good", "failed_archive": "bad"})
    did = tidy(registry, places, said.append, now + 31 * DAY_S, tmp_path)
    assert [job.state for job in registry.jobs()] == [State.HISTORIC] * 3
    assert did[0] == f"Job {done.id}: archived in {tmp_path / 'good' / 'done.tar.xz'}."
    assert (tmp_path / "bad" / "lost.tar.xz").exists()
    assert tidy(registry, places, said.append, now + 62 * DAY_S, tmp_path) == []


def test_tidying_leaves_what_cannot_be_archived_and_says_why(
    make_job: Make, registry: Registry, said: list[str], tmp_path: Path
) -> None:
    job = make_job()
    registry.change(job.id, second_copy="no share", second_folder=str(tmp_path / "nowhere"))
    did = tidy(registry, TIMES, said.append, time.time() + 31 * DAY_S)
    assert len(did) == 1
    assert "not archived" in did[0]
    assert "second copy still to be made" in did[0]
    assert Path(job.folder).exists()


def test_a_running_job_shows_its_progress_and_can_be_asked_to_stop(make_job: Make, registry: Registry) -> None:
    job = registry.enter(Path(make_job().folder), "ASM", "clinical", "abcd")
    write_json(job.place.progress, {"beams": [asdict(BEAM)]})
    assert seen(job, TIMES).beam == BEAM
    stop(job)
    assert job.place.stop.exists()
    assert seen(job, TIMES).note == "asked to stop"


def test_a_job_that_is_finishing_is_past_stopping(make_job: Make, registry: Registry) -> None:
    job = registry.enter(Path(make_job().folder), "ASM", "clinical", "abcd")
    with pytest.raises(InputError, match="is finishing: its simulation is over"):
        stop(registry.change(job.id, state=State.FINISHING))


def test_only_a_running_job_can_be_stopped(make_job: Make, registry: Registry) -> None:
    job = make_job()
    for refused in (lambda: stop(job), lambda: stop_hard(job, registry)):
        with pytest.raises(InputError, match=r"is not running: there is nothing to stop\. Its state: done"):
            refused()
    assert not job.place.stop.exists()


def test_damaged_progress_is_no_progress(make_job: Make) -> None:
    job = make_job(state=State.SIMULATING)
    for text in ("", "{", '{"beams": 3}', '{"beams": [{"a": 1}]}'):
        job.place.progress.write_text(text)
        assert seen(job, TIMES).beams == ()
