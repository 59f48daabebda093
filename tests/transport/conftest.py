"""What tests of the transport may use."""

import importlib.util
from types import SimpleNamespace
from typing import Any

import pytest
from numba import void

from dosewright.transport import loop_cuda

# Hopper; what compiles for it compiles for its neighbours.
COMPUTE_CAPABILITY = (9, 0)
cuda: Any = loop_cuda.cuda  # type: ignore[attr-defined]


@pytest.fixture
def compile_ptx(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Compile a kernel for a GPU that need not be there."""
    if importlib.util.find_spec("numba_cuda") is None:
        pytest.skip("numba-cuda, which compiles for GPUs, is not installed")
    from numba.cuda import api, dispatcher

    for module in (api, dispatcher):  # the compiler asks the driver what to compile nested functions for
        monkeypatch.setattr(
            module, "get_current_device", lambda: SimpleNamespace(compute_capability=COMPUTE_CAPABILITY)
        )
    loop_cuda.prepare_compiler()

    def compiled(kernel: Any, *types: Any) -> str:
        ptx, _ = cuda.compile_ptx(kernel, void(*types), cc=COMPUTE_CAPABILITY, fastmath=loop_cuda.FASTMATH)
        return str(ptx)

    return compiled
