"""What every test may use."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

import dosewright.core.jit  # noqa: F401  before pymedphys compiles anything: Numba takes the CPU's features once

# On a build machine the same examples every time; elsewhere new ones at each run.
settings.register_profile("build", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("build")

# The registry of jobs of whoever runs the tests is left alone.
os.environ["DOSEWRIGHT_STATE"] = tempfile.mkdtemp(prefix="dosewright-state-")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"the folder shared/{name} beside the repository is missing")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real plans, CTs and beam models."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Doses of reference codes."""
    return _shared("reference")
