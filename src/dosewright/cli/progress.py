"""Progress on the terminal: a bar per beam, or plain lines where there is no terminal."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from dosewright.workflow.goals import duration_text
from dosewright.workflow.watch import BeamProgress, Watch

PLAIN_INTERVAL_S = 10.0


@contextmanager
def watching(*, verbose: bool = False) -> Iterator[Watch]:
    """Yield a `Watch` that shows on the error stream, so that results on the output stream stay clean."""
    console = Console(stderr=True)
    if not console.is_terminal:
        lines = PlainLines()
        with log_shown(verbose):
            yield Watch(say=lines.say, progress=lines.progress)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(28),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars, log_shown(verbose):
        shown = Bars(bars)
        yield Watch(say=shown.say, progress=shown.progress)


@contextmanager
def log_shown(wanted: bool) -> Iterator[None]:
    """Show the package's log on the error stream as well, where that is wanted."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("dosewright")
    if wanted:
        log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


def figures(progress: BeamProgress) -> str:
    """Write primaries, rate, uncertainty, largest error and time left, as far as known."""
    parts = [f"{progress.histories:,} primaries", f"{progress.histories_per_second:,.0f}/s"]
    if progress.uncertainty_percent is not None:
        parts.append(f"{progress.uncertainty_percent:.2f} %")
    if progress.dose_error_percent is not None:
        parts.append(f"largest error {progress.dose_error_percent:.2f} %")
    if progress.seconds_left is not None:
        parts.append(f"{duration_text(max(progress.seconds_left, 0.0))} left")
    return "  ".join(parts)


@dataclass
class Bars:
    """One bar per beam."""

    bars: Progress
    tasks: dict[int, TaskID] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Print a sentence above the bars."""
        self.bars.console.print(escape(text), highlight=False, soft_wrap=True)

    def progress(self, progress: BeamProgress) -> None:
        """Move a beam's bar."""
        if progress.number not in self.tasks:
            name = escape(f"Beam {progress.number} {progress.name}".strip())
            self.tasks[progress.number] = self.bars.add_task(name, total=1.0, figures="")
        self.bars.update(
            self.tasks[progress.number], completed=progress.share_done, figures=figures(progress), refresh=True
        )


@dataclass
class PlainLines:
    """A line per beam every few seconds."""

    last: float = 0.0

    def say(self, text: str) -> None:
        """Print a sentence."""
        print(text, file=sys.stderr, flush=True)

    def progress(self, progress: BeamProgress) -> None:
        """Print a line, unless the last one is fresh."""
        if time.monotonic() - self.last >= PLAIN_INTERVAL_S or progress.share_done >= 1:
            self.last = time.monotonic()
            self.say(f"Beam {progress.number} {progress.name}: {figures(progress)}")
