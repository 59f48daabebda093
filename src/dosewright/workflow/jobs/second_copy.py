"""The second copy of a result, such as on a file share: a share that is gone or slow delays it, never the result.

The copying runs in a process of its own, for a file system that hangs cannot be left otherwise. What was copied before
the time was up is taken up at the next attempt.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dosewright.core.errors import DosewrightError
from dosewright.execution.artifact import file_sha256
from dosewright.workflow.jobs.registry import Job, Registry

DONE = "done"
LEAST_S, BYTES_PER_S = 60.0, 2e6  # a share slower than that is tried again later
RETRIES_S = 60.0  # for all copies left over from other jobs together
ALSO = ("summary.json", "request.json")  # beside the files that the summary vouches for
POLL_S = 0.05


def copy_now(folder: Path, root: Path, seconds: float | None = None) -> str:
    """Copy a finished result below `root` within some seconds; return ``done`` or why it is still to be made."""
    try:
        names = outputs_of(folder)
        allowed = LEAST_S + sum((folder / name).stat().st_size for name in names) / BYTES_PER_S
    except (OSError, ValueError, KeyError) as error:
        return f"the result cannot be read ({type(error).__name__})"
    command = [sys.executable, "-m", "dosewright.workflow.jobs.second_copy", str(folder), str(root)]
    child = subprocess.Popen(  # noqa: S603  our own module
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + (allowed if seconds is None else min(seconds, allowed))
    while child.poll() is None and time.monotonic() < until:
        time.sleep(POLL_S)
    if child.poll() is None:
        child.kill()  # and not waited for: in a file system that hangs it cannot end
        return "the second folder did not answer in time"
    said = child.stderr.read().strip().splitlines() if child.stderr else []
    return DONE if child.returncode == 0 else (said[-1] if said else f"the copying ended with {child.returncode}")


def copy_pending(registry: Registry, say: Callable[[str], None], *, seconds: float = RETRIES_S) -> list[Job]:
    """Try the second copies that are still to be made; return the jobs whose copy is made now."""
    until = time.monotonic() + seconds
    made = []
    for job in registry.jobs():
        left = until - time.monotonic()
        if not job.copy_pending or job.running or not job.place.summary.is_file() or left <= 0:
            continue
        ended = copy_now(Path(job.folder), Path(job.second_folder), left)
        changed = registry.change(job.id, second_copy=ended)
        if ended == DONE:
            made.append(changed)
            say(f"The second copy of job {job.id} is made now: {job.second_folder}.")
        else:
            say(f"The second copy of job {job.id} is still to be made: {ended}.")
    return made


def outputs_of(folder: Path) -> list[str]:
    """Return the files of a finished result, by their place in the folder."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return [*summary["files_sha256"], *ALSO]


def copy_result(folder: Path, root: Path) -> None:
    """Copy a finished result to a folder of the same name below `root`: under a temporary name, each file compared by
    its hash, renamed when complete. A former copy of the same plan is replaced; anything else is left alone.

    Raises
    ------
    DosewrightError
        The place is taken by something else, a copy differs from its original, or the result changed meanwhile.
    OSError
        The share is gone, full or forbidden.
    """
    if not root.is_dir():
        raise DosewrightError(f"the second folder is not there ({root})")
    target, partial = root / folder.name, root / f".{folder.name}.partial"
    _refuse_other(target, folder)
    wanted = set(outputs_of(folder))
    for name in sorted(wanted):
        _copy_file(folder / name, partial / name)
    for stray in [p for p in partial.rglob("*") if p.is_file() and p.relative_to(partial).as_posix() not in wanted]:
        stray.unlink()
    summary = json.loads((partial / "summary.json").read_text(encoding="utf-8"))
    if any(file_sha256(partial / name) != sha256 for name, sha256 in summary["files_sha256"].items()):
        raise DosewrightError("the result changed while it was copied")
    former = root / f".{folder.name}.former"
    if target.exists():
        shutil.rmtree(former, ignore_errors=True)
        target.rename(former)
    partial.rename(target)
    shutil.rmtree(former, ignore_errors=True)


def _copy_file(source: Path, to: Path) -> None:
    """Copy a file unless it is there already; its bytes are read back."""
    wanted = file_sha256(source)
    if to.is_file() and to.stat().st_size == source.stat().st_size and file_sha256(to) == wanted:
        return
    to.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as read, to.open("wb") as write:
        shutil.copyfileobj(read, write, 1 << 20)
        write.flush()
        os.fsync(write.fileno())
    if file_sha256(to) != wanted:
        raise DosewrightError(f"{to.name} was copied wrongly")


def _refuse_other(target: Path, folder: Path) -> None:
    """Refuse to replace what is not a copy of this plan's result."""
    if not target.exists():
        return
    try:
        theirs, ours = (
            json.loads((place / "summary.json").read_text(encoding="utf-8"))["plan_uid"] for place in (target, folder)
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise DosewrightError(f"{target} is there already and is no result of Dosewright") from None
    if theirs != ours:
        raise DosewrightError(f"{target} is there already and belongs to another plan")


def main() -> int:
    """Copy, as a process of its own; the reason of a failure goes to the error stream."""
    try:
        copy_result(Path(sys.argv[1]), Path(sys.argv[2]))
    except (OSError, DosewrightError, ValueError, KeyError) as error:
        print(f"{error.strerror or error}" if isinstance(error, OSError) else str(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
