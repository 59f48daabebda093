"""What every test may use."""

from pathlib import Path

import pytest

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
