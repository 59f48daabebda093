"""Which process does a piece of work: its number and when it began, so that a number given anew is not taken for it."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

START_FIELD = 19  # of /proc/PID/stat after the name in brackets: starttime, proc(5) field 22
STATE_FIELD = 0
PAUSE_S = 0.1


@dataclass(frozen=True)
class Process:
    """A process of this machine; `began` holds its start since boot and the boot, empty where they cannot be read."""

    pid: int
    began: str

    @classmethod
    def this(cls) -> "Process":
        """Return the process that asks."""
        return cls(os.getpid(), _began(os.getpid()) or "")

    def alive(self) -> bool:
        """Say whether this very process still runs."""
        return self.began != "" and _began(self.pid) == self.began

    def end(self, patience_s: float = 10.0) -> bool:
        """Ask this very process to end, and after some seconds make it; say whether it is gone.

        It is held by a descriptor while its start is compared, so that no other process can be hit.
        """
        try:
            held = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            for number, seconds in ((signal.SIGTERM, patience_s), (signal.SIGKILL, patience_s)):
                if not self.alive():
                    return True
                try:
                    signal.pidfd_send_signal(held, number)
                except ProcessLookupError:
                    return True
                until = time.monotonic() + seconds
                while self.alive() and time.monotonic() < until:
                    time.sleep(PAUSE_S)
            return not self.alive()
        finally:
            os.close(held)


def _began(pid: int) -> str | None:
    """Return when a process began, None for one that is gone or only waits to be fetched by its parent."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return None if fields[STATE_FIELD] in "ZX" else f"{fields[START_FIELD]} {boot}"
