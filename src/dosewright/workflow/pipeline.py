"""The whole calculation: prepare, simulate, finish, compare, report; what is finished is not done again."""

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dosewright
from dosewright.core.jit import source_hash
from dosewright.core.solids import content_sha256
from dosewright.core.whole_file import FILE_MODE
from dosewright.execution.stop import stop_asked
from dosewright.workflow.folder import JobFolder, claimed, refuse_foreign
from dosewright.workflow.jobs.registry import State
from dosewright.workflow.jobs.tracking import Tracker, Who, tracked
from dosewright.workflow.memory import within_memory
from dosewright.workflow.postprocess.body import body_on
from dosewright.workflow.postprocess.conclude import conclude
from dosewright.workflow.postprocess.outputs import write_outputs
from dosewright.workflow.postprocess.summary import files_intact, write_summary
from dosewright.workflow.postprocess.treatment import Treatment, kept_voxels, treatment_doses
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.equip import EquippedBeam, correction_words
from dosewright.workflow.preprocess.settled import outputs
from dosewright.workflow.preprocess.target import Target, build_target
from dosewright.workflow.simulate import SimulatedBeam, simulate_beams
from dosewright.workflow.simulate_plan import simulate_plan
from dosewright.workflow.stages import StageClock, arrays_sha256, digest, finished
from dosewright.workflow.watch import SILENT, Watch

LOG = logging.getLogger("dosewright")


@dataclass(frozen=True)
class Outcome:
    """Where the results are, what the summary says, and whether every beam reached its goal."""

    folder: JobFolder
    summary: dict[str, Any]

    @property
    def goal_reached(self) -> bool:
        """False where the time limit came first."""
        return bool(self.summary["goal_reached"])


def calculate(case: Case, watch: Watch = SILENT) -> Outcome:
    """Do a calculation in its folder, or what is left of it; the summary is written last."""
    plan_sha256 = digest(case.study.input_sha256)
    refuse_foreign(JobFolder(case.output), case.request, plan_sha256)
    watch.say("Preparing: voxels of the patient, dose grid")
    begun = time.monotonic()
    target = build_target(case.study, case.request, case.library, case.tps, tuple(e.beam for e in case.beams))
    case, memory = within_memory(case, target)
    watch.say(memory.sentence)
    with (
        claimed(case.output, case.request, plan_sha256) as folder,
        logged(folder, case.request.plan),
        tracked(folder, who_of(case), watch) as tracker,
    ):
        watch = Watch(say=watch.say, progress=tracker.progress)
        watch.say(f"Results go to {folder.path}")
        LOG.info("dosewright %s, plan %s, seed %d", dosewright.__version__, case.study.plan.uid, case.request.seed)
        former = _former_summary(folder)
        _stamp_prepared(case, target, folder, watch, begun)
        inputs = {"case": case_digest(case, target)}
        if former and former["goal_reached"] and finished(folder, "report", inputs) and files_intact(folder, former):
            watch.say("Everything is finished already; nothing was calculated again.")
            return _concluded(case, Outcome(folder, former), tracker)
        folder.summary.unlink(missing_ok=True)
        tracker.change(state=State.SIMULATING, share_done=0.0, exit_code=None)
        run = simulate_plan if case.request.goal_scope == "plan" else simulate_beams
        with stop_asked(folder.stop, watch.say) as stop:
            beams = run(case, target, folder, watch, stop, extend=former is not None)
        tracker.change(state=State.FINISHING, share_done=1.0)
        return _concluded(case, Outcome(folder, _finish(case, target, beams, folder, watch, inputs)), tracker)


def who_of(case: Case) -> Who:
    """Return whose job a case is, and of which plan."""
    user = case.user
    return Who(user.acronym if user.from_settings else user.name, user.role, case.study.plan.uid)


def _concluded(case: Case, outcome: Outcome, tracker: Tracker) -> Outcome:
    """Enter the result into the registry and copy it to the second folder, if the site has one."""
    percent = outcome.summary["plan_dose_Gy"]["mean_uncertainty_percent"]
    outcome.folder.stop.unlink(missing_ok=True)  # it came too late
    tracker.finished(goal_reached=outcome.goal_reached, uncertainty_percent=percent)
    second = case.library.settings.folders.second_output
    tracker.copy(str((case.library.folder or Path()) / second) if second else "")
    return outcome


def case_digest(case: Case, target: Target) -> str:
    """Return the SHA-256 of everything that a finished calculation depends on, the transport's sources included."""
    voxels, table = target.patient.voxels, target.table
    return digest(
        {
            "what": case.request.what(),
            "goals": case.request.goals.as_json(),
            "goal_scope": case.request.goal_scope,
            "files": case.study.input_sha256,
            "sources": source_hash(),
            "voxels": arrays_sha256(voxels.material, voxels.density_g_cm3, *voxels.edges_mm),
            "materials": repr(voxels.materials),
            "protocol": None if table is None else [table.name, table.source],
            "models": [[beam.model.name, beam.model.sha256, beam.audit.particles] for beam in case.beams],
            "spots": [arrays_sha256(beam.pencils.rows, beam.pencils.particles) for beam in case.beams],
            "devices": [content_sha256(beam.devices) for beam in case.beams],
            "user": [case.user.name, case.user.acronym, case.user.role],
            "settings": case.settings.model_dump(mode="json", exclude={"user", "folders", "jobs", "memory"}),
            "outputs": outputs(case.request, case.settings).model_dump(),
        }
    )


def _stamp_prepared(case: Case, target: Target, folder: JobFolder, watch: Watch, begun: float) -> None:
    """Say and log what there is to know before the run."""
    for said in (*case.warnings, *target.warnings):
        watch.say(f"Note: {said}")
        LOG.warning(said)
    for use in target.patient.report.overrides:
        watch.say(use.sentence)
    watch.say(target.score.sentence)
    for equipped in case.beams:
        watch.say(audit_sentence(equipped, case.fractions))
        LOG.info(audit_sentence(equipped, case.fractions, named=False))
    clock = StageClock(folder, "prepare", {"files": case.study.input_sha256, "what": case.request.what()}, begun)
    clock.done([], {"voxels": target.patient.report.grid.shape, "dose_voxels": target.score.grid.shape})


def audit_sentence(equipped: EquippedBeam, fractions: int, *, named: bool = True) -> str:
    """Say how the meterset of a beam became particles; the log leaves the beam's name out."""
    audit, name = equipped.audit, f" {equipped.beam.name}" if named else ""
    return (
        f"Meterset of beam {equipped.beam.number}{name}: {audit.meterset:.6g} {audit.unit} per fraction, final "
        f"cumulative weight {audit.final_cumulative_weight:.6g}, sum of weights {audit.sum_of_weights:.6g}, "
        f"{audit.scale:.6g} {audit.unit} per weight; {audit.particles:.5g} particles in {len(audit.layers)} layers, "
        f"times {fractions} fractions{correction_words(equipped)}."
    )


def _finish(
    case: Case,
    target: Target,
    beams: list[SimulatedBeam],
    folder: JobFolder,
    watch: Watch,
    inputs: dict[str, str],
) -> dict[str, Any]:
    """Scale and write the doses, compare and report them, and write the summary."""
    watch.say("Finishing: doses of the treatment, files")
    clock = StageClock.start(folder, "finish", inputs)
    body = body_on(target.score.grid, target.patient.voxels, case.external)
    treatment: Treatment = treatment_doses(case, beams, body, kept_voxels(case, target.score.grid))
    files = write_outputs(case, target, beams, treatment, folder)
    clock.done(files)
    watch.say("Comparing and reporting")
    clock = StageClock.start(folder, "report", inputs)
    started = time.strftime("%Y-%m-%d %H:%M %Z")
    facts = conclude(case, target, beams, treatment, folder, started)
    clock.done([folder.report, *facts.files])
    return write_summary(case, target, beams, facts, folder)


def _former_summary(folder: JobFolder) -> dict[str, Any] | None:
    try:
        former = json.loads(folder.summary.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return former if isinstance(former, dict) and "goal_reached" in former else None


@contextmanager
def logged(folder: JobFolder, plan: Path) -> Iterator[None]:
    """Write the package's log into the folder, readable by its owner only; the plan's place is left out of it."""
    os.close(os.open(folder.log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, FILE_MODE))
    handler = logging.FileHandler(folder.log, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(_WithoutPlaces((str(plan), str(plan.resolve()))))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        handler.close()


class _WithoutPlaces(logging.Filter):
    """Replaces the plan's path, which may name a patient."""

    def __init__(self, places: tuple[str, ...]) -> None:
        super().__init__()
        self.places = sorted(places, key=len, reverse=True)

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without the places."""
        text = record.getMessage()
        for place in self.places:
            text = text.replace(place, "PLAN")
        record.msg, record.args = text, ()
        return True
