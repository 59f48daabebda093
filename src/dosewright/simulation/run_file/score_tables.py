"""The tables of a run file that say what is kept, as values: doses, spectra, phase spaces."""

from typing import Annotated, Literal, get_args

from pydantic import Field, Strict

from dosewright.materials.electrons.lookup import LOWEST_MEV
from dosewright.simulation.run_file.values import Count, Coupled, Heights, Names, NotNegative, Sizes, Table, Triple

Quantity = Literal["dose", "dose_to_water", "energy", "letd", "lett", "spectrum", "phase_space"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
PhaseSpaceFormat = Literal[
    "iaea", "egs_mode0", "egs_mode2", "topas_binary", "topas_limited", "topas_ascii", "gamos_text", "native"
]
Long = Literal["crossings", "interactions", "origin"]
ExtraInformation = Long | Literal["z_origin", "z_last", "z_last_no_material"]


class ScoreFilter(Table):
    """Which particles of a plane are written: a range of kinetic energies, and the regions of their past.

    Regions are parts and modules of the scene, ``(fill)`` and ``(phantom)``; one of those that are listed is enough.
    """

    energy_MeV: Annotated[tuple[NotNegative, NotNegative], Strict(False)] | None = None
    origin: Names = ()
    crossed: Names = ()
    not_crossed: Names = ()
    interacted: Names = ()


AxisOfHistogram = Annotated[tuple[float, float, Annotated[Count, Field(ge=1, le=2000)]], Strict(False)]
HistogramAxes = Annotated[tuple[AxisOfHistogram, ...], Strict(False), Field(min_length=1, max_length=2)]


class Score(Table):
    """What is kept, in the phantom's own voxels or a grid of its own; or the spectrum of what leaves all matter; or
    the particles that go through planes.

    Of a phase space: the planes are `z_mm`, one height or several, or one through the point `plane_mm` with its
    `normal`. With `kill` the last of them ends what goes forward. `text` adds a text file. The header is brought up to
    date after every `save_every` histories. A file ends with the last whole history within `most_particles`. `extra`
    is what it holds of the past of its particles, in groups of `extra_bits` and as heights; `filter` chooses by it, and
    `classify` adds a phase space for each region of origin.
    `histograms` are written in these forms; `histogram_axes` has low, high and bins of each axis of some of them.
    """

    quantity: Quantity = "dose"
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9_.-]|\{z\}){0,99}$")] | None = None
    size_mm: Sizes | None = None
    voxel_mm: Sizes | None = None
    origin_mm: Triple | None = None
    particle: Coupled | None = None
    energy_bins: Annotated[Count, Field(ge=1, le=10_000)] | None = None
    energy_max_MeV: Annotated[float, Field(ge=LOWEST_MEV, le=1000)] | None = None
    angle_bins: Annotated[Count, Field(ge=1, le=1800)] | None = None
    z_mm: Heights | None = None
    plane_mm: Triple | None = None
    normal: Triple | None = None
    format: PhaseSpaceFormat | None = None
    text: bool | None = None
    kill: bool | None = None
    backwards: bool | None = None
    store_z: bool | None = None
    save_every: Annotated[Count, Field(ge=1)] | None = None
    most_particles: Annotated[Count, Field(ge=1)] | None = None
    particles: Annotated[tuple[Coupled, ...], Strict(False), Field(min_length=1)] | None = None
    histograms: Annotated[tuple[Literal["csv", "png", "root"], ...], Strict(False), Field(min_length=1)] | None = None
    histogram_axes: dict[str, HistogramAxes] | None = None
    extra: Annotated[tuple[ExtraInformation, ...], Strict(False), Field(min_length=1)] | None = None
    extra_bits: dict[Long, Annotated[Count, Field(ge=1, le=64)]] | None = None
    ignore_materials: Names | None = None
    filter: ScoreFilter | None = None
    classify: Literal["origin"] | None = None

    @property
    def has_voxels(self) -> bool:
        """Whether it is kept in voxels."""
        return self.quantity not in ("spectrum", "phase_space")

    @property
    def file_name(self) -> str:
        """The name of its files: its own, else that of the quantity, and of the particle of a spectrum."""
        return self.name or (f"spectrum_{self.particle}" if self.quantity == "spectrum" else self.quantity)


def usual_scores(phantom: object) -> tuple[Score, ...]:
    """Return the scores of a run that names none."""
    return () if phantom is None else (Score(),)
