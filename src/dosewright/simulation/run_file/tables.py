"""A run file as a value: its tables together, what may stand where, and what is taken when nothing does.

Lengths in mm, energies in MeV, densities in g/cm3; the unit is in the key.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, model_validator

from dosewright.simulation.run_file.phantom_tables import Phantom, Scene
from dosewright.simulation.run_file.score_tables import Score, usual_scores
from dosewright.simulation.run_file.source_tables import AnySource
from dosewright.simulation.run_file.transport_tables import Transport, VarianceReduction
from dosewright.simulation.run_file.values import Count, Table


class Goals(Table):
    """When to stop: all that are given must be met, `max_minutes` ends it anyway."""

    histories: Annotated[Count, Field(ge=1, le=10**12)] | None = None
    uncertainty_percent: Annotated[float, Field(ge=0.01, le=50)] | None = None
    dose_error_percent: Annotated[float, Field(ge=0.01, le=100)] | None = None
    dose_error_cutoff_percent: Annotated[float, Field(ge=0, lt=100)] | None = None
    dose_error_type: Literal["global", "local"] | None = None
    dose_error_reference_Gy: Annotated[float, Field(gt=0)] | None = None
    max_minutes: Annotated[float, Field(gt=0, le=525600)] | None = None


class Run(Table):
    """Seed of the random numbers; where to run."""

    seed: Annotated[Count, Field(ge=0, lt=2**62)] = 1
    threads: Annotated[Count, Field(ge=0, le=1024)] = 0
    device: Literal["cpu"] = "cpu"


class RunFile(Table):
    """One simulation: of a phantom, a scene, or a phantom inside a scene.

    Without scores the dose in the phantom's own voxels is kept; where there is no phantom, what parts receive alone.
    """

    phantom: Phantom | None = None
    scene: Scene | None = None
    source: Annotated[AnySource, Field(discriminator="kind")]
    transport: Transport = Transport()
    variance_reduction: VarianceReduction = VarianceReduction()
    score: Annotated[tuple[Score, ...], Strict(False)] = ()
    goal: Goals
    run: Run = Run()

    @model_validator(mode="before")
    @classmethod
    def _with_scores(cls, tables: Any) -> Any:
        """Put in the scores that hold where none are given."""
        if not isinstance(tables, dict) or "score" in tables:
            return tables
        return {**tables, "score": usual_scores(tables.get("phantom"))}
