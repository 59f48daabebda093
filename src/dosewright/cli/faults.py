"""Exit codes, and what a user sees when something goes wrong: sentences, never a traceback."""

import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from dosewright.core.errors import InputError, StoppedEarlyError

DONE, BROKEN, REFUSED, OUT_OF_TIME, DIFFERENT, STOPPED = 0, 1, 2, 3, 4, 130  # 4: compared, and not alike

KEPT = "The finished parts are kept: the same command continues where it was."
BEGINS_ANEW = "The same command begins anew."


@contextmanager
def faults_reported(output: Path | None = None, *, as_json: bool = False, resumes: bool = False) -> Iterator[None]:
    """Turn refused input, an interruption and our own faults into sentences and exit codes.

    `resumes` says that the same command, given again, goes on where it was interrupted.
    """
    try:
        yield
    except InputError as refused:
        report_refusal(refused, as_json=as_json)
        raise typer.Exit(REFUSED) from None
    except StoppedEarlyError as stopped:
        typer.echo(str(stopped), err=True)
        raise typer.Exit(STOPPED) from None
    except KeyboardInterrupt:
        typer.echo(f"Stopped. {KEPT if resumes else BEGINS_ANEW}", err=True)
        raise typer.Exit(STOPPED) from None
    except (typer.Exit, typer.Abort, SystemExit):
        raise
    except Exception as fault:
        report_fault(fault, output)
        raise typer.Exit(BROKEN) from None


def report_refusal(refused: InputError, *, as_json: bool) -> None:
    """List every problem of the input."""
    if as_json:
        import json

        typer.echo(json.dumps({"refused": list(refused.problems)}, indent=2, ensure_ascii=False))
    count = len(refused.problems)
    typer.echo(f"The input was refused for {'one reason' if count == 1 else f'{count} reasons'}:", err=True)
    for problem in refused.problems:
        typer.echo(f"  - {problem}", err=True)


def report_fault(fault: Exception, output: Path | None) -> None:
    """Put the traceback into a log readable by its owner only, and say where it is."""
    text = "".join(traceback.format_exception(fault))
    log = None if output is None else output / "log.txt"
    if log is not None and log.is_file():
        with log.open("a", encoding="utf-8") as file:
            file.write(text)
    else:
        descriptor, name = tempfile.mkstemp(prefix="dosewright-", suffix=".log")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        log = Path(name)
    sys.stdout.flush()
    typer.echo(f"Dosewright failed; this is its own fault, not yours ({type(fault).__name__}).", err=True)
    typer.echo(f"What happened is in {log}.", err=True)
