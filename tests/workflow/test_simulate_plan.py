"""What the goal of a plan is told of each beam."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dosewright.workflow.simulate_plan import _Runs


def test_a_beam_counts_with_the_dose_it_will_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of all particles of its portion: else beams of two machines would be added wrongly."""
    portion: Any = SimpleNamespace(particles=1e9 * 30 * 0.9)
    result: Any = SimpleNamespace(
        dose_Gy=np.array([2e-10, 0.0]), relative_uncertainty=np.array([0.1, 1.0]), batches=20, histories=1000,
        goal_reached=True,
    )  # fmt: skip
    monkeypatch.setattr(_Runs, "__post_init__", lambda self: None)
    monkeypatch.setattr(_Runs, "_simulate", lambda self, beam, batches: result)
    runs = _Runs(None, [portion], *(None,) * 4, "")  # type: ignore[arg-type]
    scored = runs.advance(0, 20)
    assert scored.dose == pytest.approx([2e-10 * 1e9 * 30 * 0.9, 0.0])
    assert scored.variance == pytest.approx([20 * (0.1 * 5.4) ** 2, 0.0])
