"""Job folders made without a calculation."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dosewright.execution.artifact import file_sha256, private_folder, write_json
from dosewright.workflow.folder import JobFolder
from dosewright.workflow.goals import Goals
from dosewright.workflow.jobs.registry import Job, Registry, State
from dosewright.workflow.request import DoseRequest

MakeJob = Callable[..., Job]


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def registry(tmp_path: Path, said: list[str]) -> Registry:
    return Registry(tmp_path / "state", said.append)


@pytest.fixture
def make_job(tmp_path: Path, registry: Registry) -> MakeJob:
    """Return a maker of jobs at rest, with a result unless told otherwise; their process is gone."""

    def make(
        name: str = "dosewright-12ab", state: State = State.DONE, plan_uid: str = "1.2.3", **changes: object
    ) -> Job:
        folder = JobFolder(private_folder(tmp_path / "results" / name))
        request = DoseRequest(plan=tmp_path / "plan.dcm", goals=Goals(histories=10))
        write_json(folder.request, {"request": request.as_json(), "plan_sha256": "x"})
        dose = private_folder(folder.path / "dicom") / "plan.dcm"
        dose.write_bytes(name.encode() * 20_000)
        folder.log.write_text("log\n")
        job = registry.enter(folder.path, "ASM", "clinical", "abcd")
        if state in (State.DONE, State.STOPPED):
            summary = {"plan_uid": plan_uid, "goal_reached": state is State.DONE}
            folder.summary.write_text(json.dumps({**summary, "files_sha256": {"dicom/plan.dcm": file_sha256(dose)}}))
        for path in folder.path.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        return registry.change(job.id, **{"state": state, "pid": 0, "began": "", **changes})

    return make
