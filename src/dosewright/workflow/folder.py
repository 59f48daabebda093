"""The job folder: where each file lies, whose it is, and that only one run writes into it."""

import fcntl
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from dosewright.core.errors import InputError
from dosewright.core.whole_file import FILE_MODE
from dosewright.execution.artifact import private_folder, write_json
from dosewright.workflow.request import DoseRequest, Wishes


@dataclass(frozen=True)
class JobFolder:
    """The folder of one calculation; names hold beam numbers, never a name from DICOM."""

    path: Path

    @property
    def request(self) -> Path:
        """The request and the plan's hash, as JSON."""
        return self.path / "request.json"

    @property
    def log(self) -> Path:
        """The log, free of personal data."""
        return self.path / "log.txt"

    @property
    def summary(self) -> Path:
        """The summary; written last."""
        return self.path / "summary.json"

    @property
    def report(self) -> Path:
        """The report, one self-contained page."""
        return self.path / "report.html"

    @property
    def user_log(self) -> Path:
        """The summary as text, as IDEAL's users know it."""
        return self.path / "user_log.txt"

    @property
    def stop(self) -> Path:
        """A file by which a running calculation is asked to stop and keep its result so far."""
        return self.path / "STOP"

    @property
    def shares(self) -> Path:
        """How many batches each beam is to have in the present round of a goal for the plan."""
        return self.parts_root / "shares.json"

    @property
    def entry(self) -> Path:
        """The folder's entry in the registry of jobs, which is made again from it."""
        return self.path / "job.json"

    @property
    def progress(self) -> Path:
        """How far a running calculation is."""
        return self.path / "progress.json"

    def stamp(self, stage: str) -> Path:
        """The stamp of a finished stage."""
        return self.path / "stages" / f"{stage}.json"

    @property
    def parts_root(self) -> Path:
        """Folder of all simulated parts."""
        return self.path / "parts"

    def parts(self, beam: int) -> Path:
        """Folder of the simulated parts of a beam."""
        return self.parts_root / f"beam{beam}"

    def result(self, beam: int) -> Path:
        """The simulated dose per primary of a beam."""
        return self.path / "beams" / f"beam{beam}.npz"

    def dicom(self, name: str) -> Path:
        """An RT Dose."""
        return self.path / "dicom" / f"{name}.dcm"

    def mhd(self, name: str) -> Path:
        """A MetaImage."""
        return self.path / "mhd" / f"{name}.mhd"


def default_output(root: Path, plan_uid: str, acronym: str, wishes: Wishes) -> Path:
    """Return the result folder of a request: ``<acronym>_<hash of the plan's UID>_<time stamp>``, naming no patient.

    The newest one of the same user and plan that holds the same request is taken up again, else a new one is named.
    """
    who = re.sub(r"[^A-Za-z0-9-]+", "-", acronym)
    begin = f"{who}_{sha256(plan_uid.encode()).hexdigest()[:8]}_"
    same = [path for path in sorted(root.glob(f"{begin}*")) if _holds(path, wishes)]
    return same[-1] if same else root / f"{begin}{datetime.now():%Y%m%dT%H%M%S}"


def _holds(path: Path, wishes: Wishes) -> bool:
    """Say whether a folder belongs to a request that calculates the same."""
    try:
        former = former_request(JobFolder(path))
        return former is not None and former[0].what() == wishes.checked().what()
    except InputError:
        return False


@contextmanager
def claimed(path: Path, request: DoseRequest, plan_sha256: str) -> Iterator[JobFolder]:
    """Make or take up the folder of a request and hold it while the calculation runs.

    Raises
    ------
    InputError
        The folder holds something else, belongs to another request, or another run holds it.
    """
    folder = JobFolder(path)
    refuse_foreign(folder, request, plan_sha256)
    private_folder(path)
    with held(path):
        sweep(path)
        folder.stop.unlink(missing_ok=True)  # a request to stop a former run is not one to stop this
        write_json(folder.request, {"request": request.as_json(), "plan_sha256": plan_sha256})
        yield folder


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a job folder against every other calculation; the system lets go of it when this process ends."""
    with (path / ".lock").open("w") as lock:
        (path / ".lock").chmod(FILE_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"Another calculation is running in this folder. Where: {path}.") from None
        yield


def sweep(path: Path) -> None:
    """Remove what a killed run left half written: files with a hidden name, of which a finished one has none."""
    for unfinished in path.rglob(".*"):
        if unfinished.is_file() and unfinished.name != ".lock":
            unfinished.unlink()


def refuse_foreign(folder: JobFolder, request: DoseRequest, plan_sha256: str) -> None:
    """Refuse a folder that holds something else or belongs to another request."""
    former = former_request(folder)
    if former is None:
        return
    theirs, their_plan = former
    ours, before = request.what(), theirs.what()
    differ = [key for key in ours if ours[key] != before[key]] + (["plan file"] if their_plan != plan_sha256 else [])
    if differ:
        raise InputError(
            f"The output folder (-o) belongs to another request, which differs in: {', '.join(differ)}. "
            f"Give another folder, or repeat that request to resume it. Where: {folder.path.resolve()}."
        )


def former_request(folder: JobFolder) -> tuple[DoseRequest, str] | None:
    """Return whose a folder is, the request and its plan's hash, or None for an empty one; else it is refused."""
    path = folder.path.resolve()
    if path.exists() and not path.is_dir():
        raise InputError(f"The output (-o) is a file; give a folder. Where: {path}.")
    if not path.exists() or not any(p.name != ".lock" for p in path.iterdir()):
        return None
    try:
        stored = json.loads(folder.request.read_text(encoding="utf-8"))
        return DoseRequest.from_json(stored["request"]), stored["plan_sha256"]
    except (OSError, ValueError, KeyError, TypeError, InputError):
        raise InputError(
            f"The output folder (-o) holds files that are not a calculation of Dosewright; give an empty or a new one. "
            f"Where: {path}."
        ) from None
