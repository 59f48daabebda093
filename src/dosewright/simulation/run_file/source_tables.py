"""The tables of a run file that say where particles come from, as values. Lengths in mm, energies in MeV."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from dosewright.simulation.recorded import MOST_USES
from dosewright.simulation.run_file.values import (
    FORWARD,
    Correlations,
    Count,
    FieldSize,
    NotNegative,
    Particle,
    Positive,
    Sizes,
    Table,
    Triple,
    Widths,
)

Sent = Particle | Literal["phase_space"]
Recorded = Literal["photon", "electron", "positron", "neutron", "proton"]
Bit = Annotated[Count, Field(ge=0, le=63)]
Reuse = Annotated[Count, Field(ge=1, le=MOST_USES)]
Motion = Annotated[tuple[Literal["D", "RXYZ", "RTPS"], float, float, float], Strict(False)]


class Source(Table):
    """What all sources share."""

    particle: Particle


class Energetic(Source):
    """One energy with a Gaussian spread, or a spectrum."""

    energy_MeV: Positive | None = None
    energy_spread_percent: Annotated[float, Field(ge=0, le=20)] = 0.0
    spectrum: str | None = None


class PencilSource(Energetic):
    """A Gaussian pencil beam that starts on a plane."""

    kind: Literal["pencil"] = "pencil"
    position_mm: Triple
    direction: Triple = FORWARD
    sigma_mm: Widths = (0.0, 0.0)
    divergence_mrad: Widths = (0.0, 0.0)
    correlation: Correlations = (0.0, 0.0)


class RectangleSource(Energetic):
    """A parallel beam, uniform over a rectangle."""

    kind: Literal["rectangle"] = "rectangle"
    position_mm: Triple
    direction: Triple = FORWARD
    field_mm: FieldSize


class PointSource(Energetic):
    """A focus, uniform in solid angle inside a rectangular field."""

    kind: Literal["point"] = "point"
    position_mm: Triple
    direction: Triple | None = None
    field_mm: FieldSize
    field_at_mm: Triple


class VolumeSource(Energetic):
    """Uniform inside a shape, which may be turned about x, y, z in this order; isotropic, or along a direction."""

    kind: Literal["volume"] = "volume"
    position_mm: Triple
    direction: Triple | None = None
    shape: Literal["sphere", "cylinder", "box"]
    extent_mm: Sizes
    rotation_deg: Triple = (0.0, 0.0, 0.0)


class SpotsSource(Source):
    """The spots of a table, or of one beam of a DICOM plan with its beam model."""

    kind: Literal["spots"] = "spots"
    file: str | None = None
    position_mm: Triple | None = None
    direction: Triple | None = None
    plan: str | None = None
    beam: str | Count | None = None
    beam_model: str | None = None


class ExtraBits(Table):
    """Bits (from 0) of an extra whole number of each record: all of some, one of some, none of some."""

    column: Annotated[str, Field(min_length=1)]
    all: Annotated[tuple[Bit, ...], Strict(False)] = ()
    any: Annotated[tuple[Bit, ...], Strict(False)] = ()
    none: Annotated[tuple[Bit, ...], Strict(False)] = ()


class RecordFilter(Table):
    """Which records of a phase space are used: species, range of kinetic energy, bits."""

    species: Annotated[tuple[Recorded, ...], Strict(False), Field(min_length=1)] | None = None
    energy_MeV: Annotated[tuple[NotNegative, NotNegative], Strict(False)] | None = None
    bits: Annotated[tuple[ExtraBits, ...], Strict(False)] = ()


class PhaseSpaceSource(Table):
    """The particles of a phase space, from where they were recorded; the axes of the file are those of the run.

    `transform` moves and turns them in the order given: D (mm), RXYZ, RTPS (degrees).
    """

    kind: Literal["phase_space"] = "phase_space"
    file: Annotated[str, Field(min_length=1)]
    reuse: Literal["auto"] | Reuse = "auto"
    recycle: Annotated[Count, Field(ge=0, le=1000)] = 0
    mirror: Literal["none", "x", "y", "xy"] = "none"
    skip: Annotated[Count, Field(ge=0)] = 0
    transform: Annotated[tuple[Motion, ...], Strict(False)] = ()
    filter: RecordFilter = RecordFilter()
    original_histories: Positive | None = None
    long_bits: Literal[32, 64] | None = None

    @property
    def particle(self) -> Literal["phase_space"]:
        """What other sources have one of."""
        return "phase_space"


AnySource = PencilSource | RectangleSource | PointSource | VolumeSource | SpotsSource | PhaseSpaceSource
SOURCES: dict[str, type[AnySource]] = {
    "pencil": PencilSource,
    "rectangle": RectangleSource,
    "point": PointSource,
    "volume": VolumeSource,
    "spots": SpotsSource,
    "phase_space": PhaseSpaceSource,
}
