"""The jobs of this machine's user: a small SQLite file, never needed for a dose.

A calculation writes what it does into it and goes on if it cannot. Each job folder holds its own entry (`job.json`),
and a plain list holds the folders; from these a lost or damaged registry is made again.
"""

import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from dosewright.core.errors import InputError, nearest
from dosewright.core.whole_file import FILE_MODE
from dosewright.execution.artifact import private_folder, sidecar_of, write_json
from dosewright.execution.process import Process
from dosewright.workflow.folder import JobFolder

VARIABLE = "DOSEWRIGHT_STATE"
FILE, FOLDERS, LOCK = "jobs.sqlite", "jobs.folders", "jobs.lock"
PATIENCE_S = 20.0  # for another process that writes


class State(StrEnum):
    """What becomes of a job."""

    WAITING = "waiting"
    PREPARING = "preparing"
    SIMULATING = "simulating"
    FINISHING = "finishing"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    UNSUCCESSFUL = "unsuccessful"
    HISTORIC = "historic"


RUNNING = (State.WAITING, State.PREPARING, State.SIMULATING, State.FINISHING)


@dataclass(frozen=True)
class Job:
    """One job; `plan` is a hash of the plan's UID, times are seconds since 1970.

    Parameters
    ----------
    heard
        When something was last written about it.
    share_done
        From 0 to 1.
    second_copy
        Empty where none is wanted, ``done``, or why it is still to be made.
    second_folder
        Where the second copy goes.
    archive
        The compressed archive that took the place of the folder.
    """

    id: int
    folder: str
    user: str
    role: str
    plan: str
    submitted: float
    heard: float
    state: State
    pid: int = 0
    began: str = ""
    share_done: float = 0.0
    uncertainty_percent: float | None = None
    exit_code: int | None = None
    second_folder: str = ""
    second_copy: str = ""
    archive: str = ""

    @property
    def place(self) -> JobFolder:
        """The folder of the job."""
        return JobFolder(Path(self.folder))

    @property
    def process(self) -> Process:
        """The process that works, or worked, on it."""
        return Process(self.pid, self.began)

    @property
    def running(self) -> bool:
        """True while its process works on it."""
        return self.state in RUNNING and self.process.alive()

    @property
    def copy_pending(self) -> bool:
        """True where the second copy is still to be made."""
        return self.second_copy not in ("", "done")

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Job":
        """Build from plain values; raises TypeError or ValueError where they are none of a job."""
        known = {field.name for field in fields(cls)}
        return cls(**{**{k: v for k, v in values.items() if k in known}, "state": State(values["state"])})


COLUMNS = tuple(field.name for field in fields(Job))
CHANGEABLE = frozenset(COLUMNS) - {"id"}
TABLE = (
    "CREATE TABLE jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, folder TEXT UNIQUE NOT NULL, "
    + ", ".join(COLUMNS[2:])
    + ")"
)


def usual_place() -> Path:
    """Return the folder of the registry: ``$DOSEWRIGHT_STATE``, else ``dosewright`` in the user's state folder."""
    told = os.environ.get(VARIABLE)
    if told:
        return Path(told).expanduser()
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "dosewright"


@dataclass(frozen=True)
class Registry:
    """The registry in a folder; every operation opens and closes the file, so that processes do not wait for long.

    `say` is told when it was damaged or lost and made again.
    """

    place: Path
    say: Callable[[str], None]

    def enter(self, folder: Path, user: str, role: str, plan: str) -> Job:
        """Enter the job of a folder that begins now, under its former number if it had one.

        An archived job of that folder keeps its number; it would be restored to a place beside the folder.
        """
        now, process = time.time(), Process.this()
        whole = str(folder.resolve())
        entry = Job(0, whole, user, role, plan, now, now, State.PREPARING, process.pid, process.began)

        def write(file: sqlite3.Connection) -> int:
            found = file.execute("SELECT id, archive FROM jobs WHERE folder = ?", (whole,)).fetchone()
            if found is not None and found[1]:
                file.execute("UPDATE jobs SET folder = ? WHERE id = ?", (_beside(whole, found[0]), found[0]))
                found = None
            if found is None:
                return _insert(file, entry)
            _change(file, found[0], {k: v for k, v in entry.as_json().items() if k not in ("id", "submitted")})
            return int(found[0])

        number = self._do(write)
        self._list(whole)
        return self._beside(self.job(number))

    def change(self, number: int, **changes: Any) -> Job:
        """Change an entry."""
        self._do(lambda file: _change(file, number, {"heard": time.time(), **changes}))
        if changes.get("archive"):
            self._list(str(sidecar_of(Path(changes["archive"]))))
        return self._beside(self.job(number))

    def job(self, number: int) -> Job:
        """Return the job of a number; refused where there is none."""
        found = [job for job in self.jobs() if job.id == number]
        if not found:
            raise InputError(f"There is no job {number}.")
        return found[0]

    def jobs(self) -> list[Job]:
        """Return all jobs, the oldest first."""
        query = f"SELECT {', '.join(COLUMNS)} FROM jobs ORDER BY id"  # noqa: S608  names of our own fields
        rows = self._do(lambda file: file.execute(query).fetchall())
        return [Job.from_json(dict(zip(COLUMNS, row, strict=True))) for row in rows]

    def find(self, word: str) -> Job:
        """Return the job of a number, or of the only folder whose name begins so; refused with the nearest."""
        jobs = self.jobs()
        by_name = [job for job in jobs if Path(job.folder).name.startswith(word)]
        exact = [job for job in jobs if word in (str(job.id), Path(job.folder).name)]
        found = exact or by_name
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            which = ", ".join(f"{job.id} ({Path(job.folder).name})" for job in found[:8])
            raise InputError(
                f"Several jobs have a folder that begins with {word!r}; give the number. Allowed: {which}."
            )
        names = [Path(job.folder).name for job in jobs]
        known = ", ".join(str(job.id) for job in jobs[-12:]) or "none yet"
        raise InputError(f"There is no job {word!r}.{nearest(word, names)} Known: {known}.")

    def remove(self, number: int) -> None:
        """Forget a job."""
        folder = self.job(number).folder
        self._do(lambda file: file.execute("DELETE FROM jobs WHERE id = ?", (number,)))
        JobFolder(Path(folder)).entry.unlink(missing_ok=True)

    def _do(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do some work in one transaction; a registry that is lost or damaged is made again, once."""
        private_folder(self.place)
        if not (self.place / FILE).exists():
            self._make_again("was missing")
        try:
            return self._transaction(work)
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error) and "no such column" not in str(error):
                raise
        except sqlite3.DatabaseError:
            pass
        self._make_again("was damaged")
        return self._transaction(work)

    def _transaction(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        with closing(sqlite3.connect(self.place / FILE, timeout=PATIENCE_S, isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            try:
                done = work(file)
                file.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    file.execute("ROLLBACK")
                raise
            return done

    def _make_again(self, why: str) -> None:
        """Make the registry from the job folders; a damaged one is kept beside it."""
        with _alone(self.place / LOCK):
            path = self.place / FILE
            if path.exists():
                with suppress(sqlite3.Error):
                    self._transaction(lambda file: file.execute(f"SELECT {', '.join(COLUMNS)} FROM jobs").fetchall())  # noqa: S608
                    return  # another process has done it
                path.replace(self.place / f"{FILE}.damaged")
            (self.place / f"{FILE}-journal").unlink(missing_ok=True)  # it belongs to the damaged one
            entries = [job for place in self._listed() if (job := entry_in(place)) is not None]
            fresh = self.place / f".{FILE}.{os.getpid()}"
            os.close(os.open(fresh, os.O_CREAT | os.O_WRONLY, FILE_MODE))
            with closing(sqlite3.connect(fresh)) as file, file:
                file.execute(TABLE)
                for job in entries:
                    number = 0 if _is_there(file, "id", job.id) else job.id
                    folder = _beside(job.folder, job.id) if _is_there(file, "folder", job.folder) else job.folder
                    _insert(file, replace(job, id=number, folder=folder))
            fresh.replace(path)
            if entries or why == "was damaged":
                self.say(f"The registry of jobs {why}; it was made again from {len(entries)} job folders.")

    def _beside(self, job: Job) -> Job:
        """Keep an entry in the job's folder as well."""
        if job.place.path.is_dir():
            write_json(job.place.entry, job.as_json())
        return job

    def _list(self, place: str) -> None:
        if place in self._listed():
            return
        descriptor = os.open(self.place / FOLDERS, os.O_CREAT | os.O_APPEND | os.O_WRONLY, FILE_MODE)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            file.write(json.dumps(place) + "\n")

    def _listed(self) -> list[str]:
        folders = []
        with suppress(OSError):
            for line in (self.place / FOLDERS).read_text(encoding="utf-8", errors="replace").splitlines():
                with suppress(ValueError):
                    folders.append(str(json.loads(line)))
        return list(dict.fromkeys(folders))


def entry_in(place: str) -> Job | None:
    """Return the entry that a job folder, or the sidecar of an archive, holds; None where it holds none."""
    path = Path(place)
    try:
        if path.suffix == ".json":
            return Job.from_json(json.loads(path.read_text(encoding="utf-8"))["meta"]["job"])
        values = json.loads(JobFolder(path).entry.read_text(encoding="utf-8"))
        return replace(Job.from_json(values), folder=place)  # it may have been moved
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _beside(folder: str, number: int) -> str:
    """Return where an archived job is restored to, whose folder is that of another job now."""
    return f"{folder}.job{number}"


def _is_there(file: sqlite3.Connection, column: str, value: object) -> bool:
    return file.execute(f"SELECT 1 FROM jobs WHERE {column} = ?", (value,)).fetchone() is not None  # noqa: S608


def _insert(file: sqlite3.Connection, job: Job) -> int:
    values = {name: value for name, value in job.as_json().items() if name != "id" or value}
    marks = ", ".join("?" for _ in values)
    done = file.execute(f"INSERT INTO jobs ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))  # noqa: S608
    return int(done.lastrowid or 0)


def _change(file: sqlite3.Connection, number: int, changes: dict[str, Any]) -> None:
    if not changes.keys() <= CHANGEABLE:
        raise ValueError(f"no such column: {sorted(changes.keys() - CHANGEABLE)}")
    setting = ", ".join(f"{name} = ?" for name in changes)
    file.execute(f"UPDATE jobs SET {setting} WHERE id = ?", (*changes.values(), number))  # noqa: S608


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock against other processes."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
