"""A treatment from its first step to its files: doses, scripts between the steps, pictures, log, summary last."""

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dosewright.core.errors import StoppedEarlyError, refuse
from dosewright.delivery.directives import ScriptCall
from dosewright.delivery.scripts import ScriptRun, check_scripts, run_scripts
from dosewright.execution.artifact import private_folder, write_json
from dosewright.simulation.run import Progress, never
from dosewright.workflow.folder import held
from dosewright.workflow.treatment.account import LOG, SUMMARY, account, definition_sha256, write_log
from dosewright.workflow.treatment.deliver import Watching, deliver_all
from dosewright.workflow.treatment.iterated import (
    Iterated,
    check_iterations,
    deliver_in_iterations,
    iteration_files,
    write_iteration_maps,
)
from dosewright.workflow.treatment.picture import draw_region
from dosewright.workflow.treatment.scores import picture_file, score_files, write_scores
from dosewright.workflow.treatment.sums import RegionSums
from dosewright.workflow.treatment.treatment import Treatment

PARTS = "parts"  # kept sums, while it goes on
BEGUN, SCRIPTS = "treatment.json", "scripts.json"


@dataclass(frozen=True)
class Asked:
    """How a treatment is carried out.

    Parameters
    ----------
    output
        The output folder.
    seed, threads
        Of the random numbers; 0 threads: all cores.
    allow_scripts
        Whether scripts of the delivery may run.
    force
        Whether files that are there may be written over.
    tell, stop
        Told how far it is; asked whether to stop.
    working
        Where scripts are looked for and run.
    """

    output: Path
    seed: int
    threads: int = 0
    allow_scripts: bool = False
    force: bool = False
    tell: Callable[[Progress], None] | None = None
    stop: Callable[[], bool] = never
    working: Path = field(default_factory=Path.cwd)


def carry_out(treatment: Treatment, asked: Asked) -> dict[str, Any]:
    """Carry a treatment out; return its summary. One that was killed goes on where it was.

    Raises
    ------
    InputError
        Scripts that are not allowed or not there; files that would be written over.
    StoppedEarlyError
        It was stopped on request, or a script failed; what is done is kept.
    """
    check_iterations(treatment)
    check_scripts(treatment.delivery, asked.working, allowed=asked.allow_scripts)
    identity = _identity(treatment, asked.seed)
    _check_free(treatment, asked, identity)
    parts = private_folder(asked.output / PARTS)
    with held(parts):
        (asked.output / SUMMARY).unlink(missing_ok=True)
        if _begun(parts) != identity:
            (parts / SCRIPTS).unlink(missing_ok=True)  # those of another treatment
        write_json(parts / BEGUN, {"identity": identity})
        summary = _Work(treatment, asked, parts).done()
    shutil.rmtree(parts)
    return summary


def _identity(treatment: Treatment, seed: int) -> str:
    """Return what tells treatments apart; the sums themselves are guarded by hashes of their problems."""
    return f"{definition_sha256(treatment)}-{seed}-{treatment.histories}"


def _check_free(treatment: Treatment, asked: Asked, identity: str) -> None:
    """Refuse to write over what is there, unless it is what a run of the same treatment has begun."""
    output = asked.output
    if output.exists() and not output.is_dir():
        raise refuse("The output is not a folder", given=output)
    files = [output / SUMMARY, output / LOG, *score_files(output, treatment.scored)]
    files += iteration_files(treatment, output)
    there = [path for path in files if path.exists()]
    if not there or asked.force or (not files[0].exists() and _begun(output / PARTS) == identity):
        return
    raise refuse("The output exists already", given=", ".join(str(path.relative_to(output)) for path in there[:3]),
                 allowed="another folder, or --force", where=output)  # fmt: skip


def _begun(parts: Path) -> str | None:
    try:
        return str(json.loads((parts / BEGUN).read_text(encoding="utf-8"))["identity"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


class _Work:
    """A treatment while it is carried out."""

    def __init__(self, treatment: Treatment, asked: Asked, parts: Path) -> None:
        self.treatment, self.asked, self.parts = treatment, asked, parts
        self.sums: Mapping[str, RegionSums] = {}
        self.step = 0  # up to which scripts have been run
        self.runs = _kept_scripts(parts)
        self.taken_up = len(self.runs)
        self.called = 0
        self.iterated: Iterated | None = None

    def done(self) -> dict[str, Any]:
        """Deliver all, run all scripts, write all files."""
        begun = time.monotonic()
        treatment, asked = self.treatment, self.asked
        try:
            self.scripts(treatment.steps[0].before, 0)
            watching = Watching(asked.tell, asked.stop, self.step_done)
            self.deliver(watching)
            self.steps_up_to(len(treatment.steps))
            files = write_scores(asked.output, treatment, self.sums)
            for name, one in self.sums.items():
                draw_region(picture_file(asked.output, name), name, treatment.grids[name], one)
                files.append(picture_file(asked.output, name))
            if self.iterated is not None:
                write_iteration_maps(treatment, asked.output, self.iterated)
                files += iteration_files(treatment, asked.output)
            self.scripts(treatment.delivery.at_end, len(treatment.steps))
        except (StoppedEarlyError, KeyboardInterrupt) as ended:
            write_log(asked.output, treatment, self.sums, self.runs, asked.seed, f"Not finished. {ended}".strip())
            raise
        files.append(write_log(asked.output, treatment, self.sums, self.runs, asked.seed, "Finished."))
        named = {path.relative_to(asked.output).as_posix(): path for path in files}
        summary = account(treatment, self.sums, self.runs, named, asked.seed, time.monotonic() - begun)
        if self.iterated is not None:
            summary["iterations"] = self.iterated.described()
        write_json(asked.output / SUMMARY, summary)
        return summary

    def deliver(self, watching: Watching) -> None:
        """Deliver all steps, once or in iterations."""
        treatment, threads = self.treatment, self.asked.threads
        if treatment.delivery.input.variance_reduction is None:
            self.sums = deliver_all(treatment.portions, self.parts, threads=threads, watching=watching)
            return
        self.iterated = deliver_in_iterations(
            treatment, self.asked.seed, self.asked.output, self.parts, threads=threads, watching=watching
        )
        self.sums = {self.iterated.region: self.iterated.sums}

    def step_done(self, number: int, sums: Mapping[str, RegionSums]) -> None:
        """Run the scripts of a step that has been delivered; they find the dose of all steps so far."""
        self.sums = sums
        self.steps_up_to(number)

    def steps_up_to(self, number: int) -> None:
        """Run the scripts of steps up to one that have not run."""
        for step in self.treatment.steps[self.step : number]:
            self.step = step.number
            if step.after:
                write_scores(self.asked.output, self.treatment, self.sums)
                self.scripts(step.after, step.number)

    def scripts(self, calls: Sequence[ScriptCall], step: int) -> None:
        """Run scripts, but for those that ran well before the treatment was interrupted; one that fails ends it."""
        for call in calls:
            self.called += 1
            if self.called <= self.taken_up:
                continue
            (run,) = run_scripts([call], step, self.asked.working, allowed=self.asked.allow_scripts)
            failed = run.timed_out or run.exit_code != 0
            self.runs.append(run)
            if not failed:
                write_json(self.parts / SCRIPTS, [{**asdict(one), "path": str(one.path)} for one in self.runs])
                continue
            how = "did not end in time" if run.timed_out else f"ended with exit code {run.exit_code}"
            raise StoppedEarlyError(
                f"The script {call.name} {how}, after step {step}: the treatment ends here. What is done is kept: the "
                f"same command runs it again and goes on. Its output is in {self.asked.output / LOG}. "
                f"Where: {call.where}."
            )


def _kept_scripts(parts: Path) -> list[ScriptRun]:
    """Return the scripts that ran well before a treatment was interrupted."""
    try:
        kept = json.loads((parts / SCRIPTS).read_text(encoding="utf-8"))
        return [ScriptRun(**{**one, "path": Path(one["path"])}) for one in kept]
    except (OSError, ValueError, KeyError, TypeError):
        return []
