"""What a machine has for calculations: cores, memory, disk, writable folders, versions, compiled code."""

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np

from dosewright.core.jit import cache_folder

OLDEST_PYTHON = (3, 11)
LITTLE_MEMORY_GB, LITTLE_DISK_GB, SLOW_DISK_MB_S = 4.0, 10.0, 50.0  # below: a word of caution, no refusal
WRITTEN_MB = 64  # for the speed of the disk
GB, MB = 1e9, 1e6


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what, what was found, and, where it may cause trouble, why; `wrong` keeps from working."""

    what: str
    found: str
    caution: str = ""
    wrong: bool = False

    @property
    def line(self) -> str:
        """One line of text."""
        mark = "WRONG" if self.wrong else "note" if self.caution else "ok"
        return f"{mark:5}  {self.what}: {self.found}" + (f". {self.caution}" if self.caution else "")


def check_machine(folder: Path, others: Mapping[str, Path] | None = None) -> list[Finding]:
    """Look at this machine; `folder` is where results or the library go, `others` further folders to be written to."""
    folders = {"Folder": folder, "Temporary folder": Path(tempfile.gettempdir()), **(others or {})}
    return [
        _versions(),
        _cores(),
        _memory(),
        *_disk(folder),
        *(_writable(what, place) for what, place in folders.items()),
        _compiled(),
    ]


def _versions() -> Finding:
    found = f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}"
    old = tuple(int(part) for part in platform.python_version_tuple()[:2]) < OLDEST_PYTHON
    return Finding(
        "Versions", found, f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed" if old else "", old
    )


def _cores() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    of_all = os.cpu_count() or usable
    found = f"{usable} usable" + (f" of {of_all}" if of_all != usable else "")
    return Finding("Cores", found, "A calculation uses as many threads as there are cores" if usable < 2 else "")


def _memory() -> Finding:
    total, free = memory_bytes()
    if total is None:
        return Finding("Memory", "unknown")
    found = f"{total / GB:.1f} GB" + (f", {free / GB:.1f} GB free" if free is not None else "")
    little = (total if free is None else free) < LITTLE_MEMORY_GB * GB
    return Finding("Memory", found, "A large CT with a fine dose grid may not fit" if little else "")


def memory_bytes() -> tuple[float | None, float | None]:
    """Return the memory of this machine and what of it is free, bytes; None where it cannot be asked.

    The limit of a container counts where it is lower.
    """
    try:
        total: float | None = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        total = None
    free = _available()
    limit = _number_in(Path("/sys/fs/cgroup/memory.max"))
    if limit is not None and (total is None or limit < total):
        used = _number_in(Path("/sys/fs/cgroup/memory.current")) or 0.0
        left = max(limit - used, 0.0)
        total, free = limit, left if free is None else min(free, left)
    return total, free


def _available() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(1024.0 * float(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _number_in(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _disk(folder: Path) -> list[Finding]:
    place = _existing(folder)
    try:
        free = shutil.disk_usage(place).free
        seconds = _seconds_to_write(place)
    except OSError as error:
        return [Finding("Disk", f"{place} cannot be written to", os.strerror(error.errno or 0), wrong=True)]
    speed = WRITTEN_MB / seconds
    little = "Results of a plan take up to some hundred MB" if free < LITTLE_DISK_GB * GB else ""
    slow = "Writing results and sums will be felt" if speed < SLOW_DISK_MB_S else ""
    return [
        Finding("Disk space", f"{free / GB:.1f} GB free", little),
        Finding("Disk speed", f"{speed:.0f} MB/s written", slow),
    ]


def _seconds_to_write(place: Path) -> float:
    block = os.urandom(int(MB))
    with tempfile.TemporaryFile(dir=place) as file:
        start = time.perf_counter()
        for _ in range(WRITTEN_MB):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        return max(time.perf_counter() - start, 1e-6)


def _writable(what: str, place: Path) -> Finding:
    """Say whether a file can be made in a folder, or in the folder above that exists."""
    above = _existing(place)
    try:
        with tempfile.TemporaryFile(dir=above):
            return Finding(what, f"{place} can be written to")
    except OSError as error:
        return Finding(what, f"{place} cannot be written to", os.strerror(error.errno or 0), wrong=True)


def _existing(place: Path) -> Path:
    here = place.absolute()
    while not here.is_dir() and here != here.parent:
        here = here.parent
    return here


def _compiled() -> Finding:
    """Say where compiled code is kept, and whether it is there already."""
    folder = cache_folder()
    try:
        count = sum(1 for _ in folder.rglob("*.nbi"))
        with tempfile.TemporaryFile(dir=_existing(folder)):
            pass
    except OSError as error:
        return Finding("Compiled code", f"{folder} cannot be written to",
                       f"Every run compiles anew, which takes minutes ({os.strerror(error.errno or 0)})")  # fmt: skip
    if not count:
        return Finding("Compiled code", f"none yet in {folder}", "The first calculation compiles, which takes minutes")
    return Finding("Compiled code", f"{count} kernels in {folder}")
