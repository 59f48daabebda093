"""Asking a calculation to stop softly: by a file, or by Ctrl-C, of which a second one interrupts."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

Question = Callable[[], bool]


class _Asked:
    """Whether somebody asked; once asked, it stays so. Cheap enough to look at after every batch."""

    def __init__(self, file: Path, say: Callable[[str], None]) -> None:
        self.file, self.say = file, say
        self.interrupted = self.said = False

    def __call__(self) -> bool:
        if not (self.interrupted or self.said or self.file.exists()):
            return False
        if not self.said:
            self.said = True  # said here and not in the handler, which may interrupt another print
            self.say("Asked to stop: the result so far is kept. Ctrl-C once more stops at once, without a result.")
        return True

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Take the first Ctrl-C as a wish and the second as an order."""
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True


@contextmanager
def stop_asked(file: Path, say: Callable[[str], None]) -> Iterator[Question]:
    """Yield a question: was it asked to stop, by making `file` or by Ctrl-C? The file is removed at the end.

    Ctrl-C is taken only in a program's main thread, where signals arrive; elsewhere the file alone counts.
    """
    asked = _Asked(file, say)
    in_main_thread = threading.current_thread() is threading.main_thread()
    former = signal.signal(signal.SIGINT, asked.interrupt) if in_main_thread else None
    try:
        yield asked
    finally:
        if in_main_thread:
            signal.signal(signal.SIGINT, former if former is not None else signal.SIG_DFL)
        if asked.said:
            file.unlink(missing_ok=True)
