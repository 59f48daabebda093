"""Fuzz every reader: ``python -m benchmarks.fuzz_phase_space --minutes 10`` for each; ``--page`` writes the page.

With atheris (libFuzzer) where it is installed, led by what of the code was reached; else bytes are changed blindly.
Each reader runs in processes of its own, of two minutes each. Anything but a refusal ends it: another exception, a
value that no particle has, more than 5 s for one file, more than 1 GB of memory.
"""

import argparse
import importlib
import importlib.util
import os
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

HAS_ATHERIS = importlib.util.find_spec("atheris") is not None
if HAS_ATHERIS and "--reader" in sys.argv:
    import atheris

    with atheris.instrument_imports(include=["dosewright.formats"]):  # before anything else imports it
        importlib.import_module("benchmarks.fuzz_targets")

from benchmarks.fuzz_targets import Target, targets  # noqa: E402
from dosewright.core.errors import InputError  # noqa: E402

PAGE = Path(__file__).parents[1] / "docs" / "measured" / "fuzzing.md"
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in memory spares the disk
LONGEST_S = 5
MOST_MB = 1024
LONGEST_BYTES = 1 << 16
ROUND_S = 120.0


@dataclass(frozen=True)
class Outcome:
    """What came of fuzzing one reader."""

    name: str
    executions: int
    seconds: float
    memory_MB: float
    crash: str


def joined(files: list[bytes]) -> bytes:
    """Return files as one string of bytes, each after its length."""
    return b"".join(struct.pack("<I", len(content)) + content for content in files)


def parted(data: bytes, number: int) -> list[bytes]:
    """Return files from one string of bytes, whatever that is."""
    files = []
    for left in range(number, 0, -1):
        (length,) = struct.unpack("<I", data[:4].ljust(4, b"\0"))
        length = len(data) if left == 1 else min(length, len(data))
        files.append(data[4 : 4 + length])
        data = data[4 + length :]
    return files


def run_one(target: Target, folder: Path, data: bytes) -> None:
    """Give one set of files to a reader."""
    paths = [folder / f"a{suffix}" for suffix in target.suffixes]
    for path, content in zip(paths, parted(data, len(paths)), strict=True):
        path.write_bytes(content)
    try:
        target.read(paths[0])
    except InputError:
        return


def seeds(target: Target, folder: Path) -> list[bytes]:
    """Return the sound files to begin from."""
    return [joined([path.read_bytes() for path in paths]) for paths in target.seeds(folder)]


def child(name: str, seconds: float, folder: Path) -> None:
    """Fuzz one reader in this process, with its files in a folder."""
    target = targets()[name]
    begin = seeds(target, folder)
    if HAS_ATHERIS:
        _with_atheris(target, folder, begin, seconds)
    else:
        _blindly(target, folder, begin or [b""], seconds)


def _with_atheris(target: Target, folder: Path, begin: list[bytes], seconds: float) -> None:
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, data in enumerate(begin):
        (corpus / f"{number}").write_bytes(data)
    options = [f"-max_total_time={int(seconds)}", f"-timeout={LONGEST_S}", f"-rss_limit_mb={MOST_MB}",
               f"-max_len={LONGEST_BYTES}", f"-artifact_prefix={folder}/", "-print_final_stats=1"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], lambda data: run_one(target, folder, data))
    atheris.Fuzz()


def _blindly(target: Target, folder: Path, begin: list[bytes], seconds: float) -> None:
    rng, end, done = random.Random(1), time.monotonic() + seconds, 0  # noqa: S311 - no secret is made of it

    def too_long(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, too_long)
    while time.monotonic() < end:
        data = bytearray(rng.choice(begin))
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(data) + 1)
            data[at : at + rng.choice((0, 1, 1, 4))] = rng.randbytes(rng.choice((0, 1, 1, 4)))
        signal.alarm(LONGEST_S)
        run_one(target, folder, bytes(data))
        signal.alarm(0)
        done += 1
    print(f"stat::number_of_executed_units: {done}", file=sys.stderr)


def fuzzed(name: str, seconds: float) -> Outcome:
    """Fuzz one reader in processes of its own, one after another: the fuzzer itself grows by a kilobyte a file."""
    memory = MEMORY if MEMORY.is_dir() else None
    whole = Outcome(name, 0, 0.0, 0.0, "")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        while whole.seconds < seconds and not whole.crash:
            one = _round(name, min(ROUND_S, seconds - whole.seconds), folder)
            whole = Outcome(name, whole.executions + one.executions, whole.seconds + one.seconds,
                            max(whole.memory_MB, one.memory_MB), one.crash)  # fmt: skip
    return whole


def _round(name: str, seconds: float, folder: str) -> Outcome:
    """Fuzz one reader for a while, going on with the files that were found before."""
    command = [sys.executable, "-m", "benchmarks.fuzz_phase_space", "--reader", name, "--seconds", str(seconds)]
    with tempfile.TemporaryFile("w+", errors="replace") as told:
        started = time.monotonic()
        process = subprocess.Popen([*command, "--folder", folder], stdout=told, stderr=told)
        _, status, used = os.wait4(process.pid, 0)
        took = time.monotonic() - started
        told.seek(0)
        text = told.read()
    executed = re.findall(r"stat::number_of_executed_units:\s*(\d+)", text) or re.findall(r"^#(\d+)", text, re.M)
    crash = "" if os.waitstatus_to_exitcode(status) == 0 else "\n".join(text.splitlines()[-40:])
    return Outcome(name, int(executed[-1]) if executed else 0, took, used.ru_maxrss / 1024, crash)


def page(outcomes: list[Outcome], seconds: float, jobs: int) -> str:
    """Return the page."""
    how = "atheris (libFuzzer, led by coverage of the package)" if HAS_ATHERIS else "bytes changed blindly"
    rows = [f"| {one.name} | {one.executions:,} | {one.memory_MB:.0f} | {'yes' if one.crash else 'none'} |"
            for one in outcomes]  # fmt: skip
    return "\n".join([
        "# Fuzzed readers", "",
        f"Written by `python -m benchmarks.fuzz_phase_space --minutes {seconds / 60:g} --page`: each reader "
        f"{seconds / 60:g} minutes, {jobs} at once on {os.cpu_count()} cores, {how}, from sound files of a few "
        "records. A crash is anything but a refusal: "
        f"another exception, a value that no particle has, more than {LONGEST_S} s for one file, more than {MOST_MB} "
        "MB. The memory is the process's at most, interpreter and fuzzer included.", "",
        "| reader | executions | memory, MB | crashes |", "|---|---|---|---|", *rows, "",
    ])  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Fuzz all readers, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for each reader")
    parser.add_argument("--only", nargs="*", choices=sorted(targets()), help="these readers")
    parser.add_argument("--jobs", type=int, default=1, help="so many readers at once")
    parser.add_argument("--page", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--reader", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.reader:
        child(given.reader, given.seconds, given.folder)
        return 0
    if not HAS_ATHERIS:
        print("atheris is not installed; bytes are changed blindly.")
    outcomes = []
    with ThreadPoolExecutor(given.jobs) as pool:
        for one in pool.map(lambda name: fuzzed(name, 60 * given.minutes), given.only or targets()):
            outcomes.append(one)
            print(f"{one.name:14s} {one.executions:10,} executions, {one.memory_MB:5.0f} MB, "
                  f"{'CRASH' if one.crash else 'no crash'}", flush=True)  # fmt: skip
            if one.crash:
                print(one.crash)
    if given.page:
        PAGE.write_text(page(outcomes, 60 * given.minutes, given.jobs), encoding="utf-8")
    return int(any(one.crash for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
