"""Scripts of a delivery, run as processes of their own: only where the user allows it, and never for ever.

``.sh`` is run by sh, ``.py`` by this Python; the number of the step is the first argument. A script is looked for in
the working folder, then in the search paths in their order.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dosewright.core.errors import InputError, refuse
from dosewright.core.looks import tried
from dosewright.delivery.directives import ScriptCall
from dosewright.delivery.steps import Delivery

TIME_LIMIT_S = 600.0
KEPT_BYTES = 100_000  # of what a script writes; the end is kept
NOT_ALLOWED = "The delivery runs scripts, which is not allowed unless asked for"


@dataclass(frozen=True)
class ScriptRun:
    """One run of a script.

    Parameters
    ----------
    step
        Number of the step; 0 before the first.
    path
        The file.
    exit_code
        What it ended with; negative for a signal.
    timed_out
        Whether it was ended at the time limit.
    seconds
        How long it ran.
    output
        What it wrote, errors too; of more than 100 kB the end.
    """

    step: int
    path: Path
    exit_code: int
    timed_out: bool
    seconds: float
    output: str


def check_scripts(delivery: Delivery, working: Path, *, allowed: bool) -> tuple[ScriptCall, ...]:
    """Return all scripts of a delivery; refused where they are not allowed, or one is not there."""
    calls = [call for step in delivery.steps() for call in (*step.before, *step.after)] + [*delivery.at_end]
    if calls and not allowed:
        raise refuse(NOT_ALLOWED, given=", ".join(dict.fromkeys(call.name for call in calls)),
                     allowed="--allow-scripts", where=calls[0].where)  # fmt: skip
    problems: list[str] = []
    for call in calls:
        tried(lambda call=call: find_script(call, working), problems)  # type: ignore[misc]
    if problems:
        raise InputError(*problems)
    return tuple(calls)


def find_script(call: ScriptCall, working: Path) -> Path:
    """Return the file of a script."""
    for folder in (working, *(working / name for name in call.folders)):
        try:
            if (folder / call.name).is_file():
                return (folder / call.name).resolve()
        except (OSError, ValueError):
            break
    raise refuse("A script is not there", given=call.name[:200], where=call.where,
                 allowed="a file in the working folder, or in a folder of add_searchpath")  # fmt: skip


def run_scripts(calls: Iterable[ScriptCall], step: int, working: Path, *, allowed: bool,
                time_limit_s: float = TIME_LIMIT_S) -> list[ScriptRun]:  # fmt: skip
    """Run scripts one after another in a working folder; a script that fails stops none of the others."""
    runs = []
    for call in calls:
        if not allowed:
            raise refuse(NOT_ALLOWED, given=call.name, allowed="--allow-scripts", where=call.where)
        runs.append(_run(find_script(call, working), step, working, time_limit_s))
    return runs


def _run(path: Path, step: int, working: Path, time_limit_s: float) -> ScriptRun:
    interpreter = "sh" if path.suffix == ".sh" else sys.executable
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        # A list of words and no shell: neither names nor numbers are read as commands.
        child = subprocess.Popen(  # noqa: S603
            [interpreter, str(path), str(step)], cwd=working, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        timed_out = False
        try:
            child.wait(time_limit_s)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            _end(child)
        size = output.seek(0, os.SEEK_END)
        output.seek(max(size - KEPT_BYTES, 0))
        text = output.read().decode("utf-8", errors="replace")
    return ScriptRun(step, path, child.returncode, timed_out, time.monotonic() - began, text)


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End a script that still runs, with all that it has started."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
