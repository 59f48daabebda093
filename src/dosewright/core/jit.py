"""The one place that says how kernels are compiled and where the compiled code is kept.

Numba's own cache does not notice that a function called from another module has changed. So the cache lies in a
folder named after a hash of every compiled source and of the versions that shaped it: stale code cannot be found.
"""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba
from numba.core.compiler import CompilerBase, DefaultPassBuilder

from dosewright.core.kernel_cache import use_kernel_folder

_PACKAGE = Path(__file__).resolve().parent.parent
COMPILED_ROOMS = ("core", "materials", "geometry", "sources", "scoring", "transport", "analysis")


def source_hash(rooms: tuple[str, ...] = COMPILED_ROOMS) -> str:
    """Return a hash over the sources of some rooms, and over Numba and LLVM."""
    digest = sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    for room in rooms:
        for file in sorted((_PACKAGE / room).rglob("*.py")):
            digest.update(file.relative_to(_PACKAGE).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Return the folder for compiled code, in ``$DOSEWRIGHT_CACHE``, else ``$NUMBA_CACHE_DIR``, else the user's."""
    places = ("DOSEWRIGHT_CACHE", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
    base = next((os.environ[p] for p in places if os.environ.get(p)), Path.home() / ".cache")
    return Path(base) / "dosewright" / f"kernels-{source_hash()}"


def vector_features() -> str:
    """Return the features of this CPU, corrected where LLVM's caution would keep loops over lanes slow.

    For some CPUs it halves vectors of 512 bits, for others it thinks gathers too dear to make vector code at all.
    """
    found = llvmlite.binding.get_host_cpu_features()
    words: str = found.flatten()
    if found.get("avx512f"):
        words += ",-prefer-256-bit"
    if found.get("avx2"):
        words += ",+fast-gather"
    return words


if not numba.config.DISABLE_JIT:
    # In the environment, for Numba reads it again while it compiles and forgets what was set beside it.
    _folder = use_kernel_folder(cache_folder())
    os.environ["DOSEWRIGHT_CACHE"] = str(_folder.parent.parent)  # so that child processes find the same folder
    os.environ["NUMBA_CACHE_DIR"] = str(_folder)
    if not (numba.config.CPU_NAME or numba.config.CPU_FEATURES):
        os.environ["NUMBA_CPU_NAME"] = llvmlite.binding.get_host_cpu_name()
        os.environ["NUMBA_CPU_FEATURES"] = vector_features()
    numba.config.reload_config()

# Divisions by zero give infinity as in NumPy; no NaN is ever made on purpose. Kernels allocate nothing, so Numba's
# reference counting is left out: it would cost more than the physics, as every tuple of arrays is counted at each use.
_OPTIONS = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "arcp", "nsz", "afn"},
    "_nrt": False,
}
kernel = numba.njit(**_OPTIONS)
# For small functions on the path of every step: the call itself would cost as much as the work.
inlined = numba.njit(**_OPTIONS, forceinline=True)


class _DistinctArrays(CompilerBase):  # type: ignore[misc]
    """Tells the compiler that array arguments do not overlap (``restrict`` in C).

    Without it no loop over lanes becomes vector code.
    """

    def define_pipelines(self) -> list[Any]:
        self.state.flags.noalias = True
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


# For loops over lanes.
vectorised = numba.njit(**_OPTIONS, pipeline_class=_DistinctArrays)
