"""Compiled code from a process of its own, so that a run gives the same dose whether or not it had to be compiled.

While Numba compiles a kernel it keeps each function it calls apart; loaded from the cache, a kernel has its own copies,
optimised together with it. The two may differ in the last bit, and a bit turns a history. So every run uses what was
loaded: what is not there yet is compiled by a child process first.
"""

import hashlib
import importlib
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
import numpy as np

from dosewright.core.jit import cache_folder, vector_features

MODULE = "dosewright.simulation.warm_up"
SECONDS = 900.0  # to compile; then the run compiles for itself


def warm_up(run: Callable[..., None], *arguments: Any) -> bool:
    """See to it that a kernel for arguments of these types lies in the cache; does nothing where Numba is off.

    Returns whether it lies there.

    Parameters
    ----------
    run
        A kernel.
    arguments
        Of the types that it will be called with, so empty that it returns at once; see `emptied`.
    """
    if numba.config.DISABLE_JIT:
        return False
    marker = cache_folder() / f"ready-{_key(run, arguments)}"
    if marker.exists():
        return True
    with tempfile.TemporaryDirectory() as folder:
        call = Path(folder) / "call.pickle"
        call.write_bytes(pickle.dumps((run.__module__, run.__name__, arguments)))
        command = [sys.executable, "-m", MODULE, str(call)]
        try:
            subprocess.run(command, check=True, timeout=SECONDS, capture_output=True)  # noqa: S603
            marker.touch()
        except (OSError, subprocess.SubprocessError):
            return False  # this process compiles it then
    return True


def emptied(value: Any) -> Any:
    """Return a value of the same type to a compiler, its arrays without contents."""
    if isinstance(value, np.ndarray):
        return np.zeros((0,) * value.ndim, value.dtype)
    if isinstance(value, tuple):
        parts = [emptied(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def _key(run: Callable[..., None], arguments: tuple[Any, ...]) -> str:
    """Return a name for a kernel, the types of its arguments and this CPU."""
    types = " ".join(str(numba.typeof(argument)) for argument in arguments)
    machine = f"{llvmlite.binding.get_host_cpu_name()} {vector_features()}"
    return hashlib.sha256(f"{run.__module__}.{run.__name__} {types} {machine}".encode()).hexdigest()[:16]


def _compile(call: Path) -> None:
    """Call a kernel as a file says."""
    module, name, arguments = pickle.loads(call.read_bytes())  # noqa: S301 - written by this program a moment ago
    getattr(importlib.import_module(module), name)(*arguments)


if __name__ == "__main__":
    _compile(Path(sys.argv[1]))
