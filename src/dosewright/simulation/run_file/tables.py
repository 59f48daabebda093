"""The tables and keys of a run file, as values: what may stand where, and what is taken when nothing does.

Lengths in mm, energies in MeV, densities in g/cm3; the unit is in the key.
"""

import math
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, Strict, model_validator
from pydantic_core import PydanticCustomError

from dosewright.materials.electrons.lookup import HIGHEST_MEV, LOWEST_MEV
from dosewright.simulation.recorded import MOST_USES
from dosewright.transport.copies import MOST_COPIES

OFF = "off"
AUTO = "auto"
HEAVIEST_G_CM3 = 25.0  # osmium, the densest element, has 22.6
MOST_SPLIT = 100_000  # of one event; more gain nothing, for their common ancestor is one


def whole(value: Any) -> Any:
    """Take 1e6 for a whole number, as people write it."""
    return int(value) if isinstance(value, float) and value == value // 1 and abs(value) < 2**63 else value


def number_or_off(value: Any) -> Any:
    """Take "off" for a cut that nothing reaches."""
    if value == OFF:
        return math.inf
    if isinstance(value, str):
        raise PydanticCustomError("literal_error", "off or a number", {"expected": f"{OFF}, a number"})
    return value


def off_or_number(value: float) -> float | str:
    """Write a cut that nothing reaches as "off"."""
    return OFF if math.isinf(value) else value


def one_or_several(value: Any) -> Any:
    """Take one number for a list of one."""
    return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else value


def no_table(value: Any) -> Any:
    """Say where the tables of directional splitting belong."""
    if isinstance(value, dict):
        said = "a whole number; towards a field: the keys directional or equal_weight of variance_reduction itself"
        raise PydanticCustomError("whole_number", said)
    return whole(value)


Count = Annotated[int, BeforeValidator(whole)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
CutOrOff = Annotated[
    float,
    Field(ge=0.01, allow_inf_nan=True),
    BeforeValidator(number_or_off),
    PlainSerializer(off_or_number, when_used="json"),
]
CoupledCut = Annotated[float, Field(ge=LOWEST_MEV, le=HIGHEST_MEV)]
InsertName = Annotated[str, Field(min_length=1, max_length=100)]
Density = Annotated[float, Field(gt=0, le=HEAVIEST_G_CM3)]
Pair = Annotated[tuple[float, float], Strict(False)]
Triple = Annotated[tuple[float, float, float], Strict(False)]
Sizes = Annotated[tuple[Positive, Positive, Positive], Strict(False)]
FieldSize = Annotated[tuple[Positive, Positive], Strict(False)]
Widths = Annotated[tuple[NotNegative, NotNegative], Strict(False)]
Correlation = Annotated[float, Field(ge=-1, le=1)]
Correlations = Annotated[tuple[Correlation, Correlation], Strict(False)]
Edges = Annotated[tuple[float, ...], Strict(False), Field(min_length=2)]
Heights = Annotated[
    tuple[float, ...], Strict(False), Field(min_length=1, max_length=100), BeforeValidator(one_or_several)
]
FORWARD = (0.0, 0.0, 1.0)


class Table(BaseModel):
    """Base of all tables: frozen, no unknown keys, no words for numbers, nothing infinite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class UnevenEdges(Table):
    """Voxel edges of axes whose voxels differ in size."""

    x: Edges | None = None
    y: Edges | None = None
    z: Edges | None = None


class Slab(Table):
    """A slab across the phantom, along z; later ones win. Its name is that of a region with cuts of its own."""

    name: InsertName | None = None
    z_mm: Pair
    material: str
    density_g_cm3: Density | None = None


class Box(Table):
    """An insert; later ones win, and boxes win over slabs. Its name is that of a region with cuts of its own."""

    name: InsertName | None = None
    x_mm: Pair
    y_mm: Pair
    z_mm: Pair
    material: str
    density_g_cm3: Density | None = None


class Phantom(Table):
    """A box of voxels, a CT image (HU) with its HU table, or a text phantom; outside is the scene, or vacuum.

    `media` says what names of media of a text phantom mean; with `densities` "media" those of the file are not taken;
    `alphabet` says how an egsphant file counts media above 9, where its characters do not tell.
    """

    size_mm: Sizes | None = None
    voxel_mm: Sizes | None = None
    origin_mm: Triple | None = None
    edges_mm: UnevenEdges = UnevenEdges()
    image: str | None = None
    hlut: str | None = None
    egsphant: str | None = None
    g4dcm: str | None = None
    media: dict[str, str] = {}
    densities: Literal["file", "media"] | None = None
    alphabet: Literal["egsnrc", "egs_brachy"] | None = None
    material: str | None = None
    density_g_cm3: Density | None = None
    slab: Annotated[tuple[Slab, ...], Strict(False)] = ()
    box: Annotated[tuple[Box, ...], Strict(False)] = ()


class ModuleSet(Table):
    """Where jaws (`negative_mm`, `positive_mm`) or leaves (`pairs_mm`, a row for each pair) of the file stand."""

    module: Annotated[str, Field(min_length=1)]
    negative_mm: float | None = None
    positive_mm: float | None = None
    pairs_mm: Annotated[tuple[Pair, ...], Strict(False), Field(min_length=1)] | None = None


class Scene(Table):
    """Solids and modules of a file: where its origin lies in the axes of the run, and how it is turned about x, y, z.

    `fill` is what lies between the parts; None: what the file says. `set` moves modules; `plan` moves jaws and
    leaves to where a control point of a beam of a DICOM RT Plan has them, and turns modules by its collimator angle.
    """

    file: Annotated[str, Field(min_length=1)]
    fill: Annotated[str, Field(min_length=1)] | None = None
    origin_mm: Triple = (0.0, 0.0, 0.0)
    rotation_deg: Triple = (0.0, 0.0, 0.0)
    set: Annotated[tuple[ModuleSet, ...], Strict(False)] = ()
    plan: Annotated[str, Field(min_length=1)] | None = None
    beam: str | Count | None = None
    control_point: Annotated[Count, Field(ge=0)] | None = None
    gantry: Literal["ignored"] | None = None
    ignored_devices: Annotated[tuple[str, ...], Strict(False)] = ()


Coupled = Literal["photon", "electron", "positron"]
Particle = Literal["proton", "photon", "electron", "positron"]
COUPLED: tuple[Coupled, ...] = get_args(Coupled)
PARTICLES: tuple[Particle, ...] = get_args(Particle)
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
Quantity = Literal["dose", "dose_to_water", "energy", "letd", "lett", "spectrum", "phase_space"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
Process = Literal[
    "nuclear", "straggling", "scattering", "delta", "hard_scattering", "rayleigh", "bound_compton", "doppler",
    "fluorescence", "impact_ionisation", "bremsstrahlung", "annihilation", "pair",
]  # fmt: skip
PROCESSES: tuple[Process, ...] = get_args(Process)


class Region(Table):
    """Cuts of their own for a material, a part, or the inserts of a name; what is not given is as elsewhere."""

    name: InsertName
    photon_cut_MeV: CoupledCut | None = None
    electron_cut_MeV: CoupledCut | None = None
    range_rejection_MeV: NotNegative | None = None


class Transport(Table):
    """Cuts (kinetic energies), the largest step, and processes switched off for verification."""

    photon_cut_MeV: CoupledCut = 0.01
    electron_cut_MeV: CoupledCut = 0.2
    range_rejection_MeV: NotNegative = 0.0
    proton_cut_MeV: Annotated[float, Field(ge=0.1, le=20)] = 0.5
    delta_cut_MeV: CutOrOff = 0.2
    max_step_mm: Positive = 5.0
    processes_off: Annotated[tuple[Process, ...], Strict(False)] = ()
    region: Annotated[tuple[Region, ...], Strict(False)] = ()


class Directional(Table):
    """Splitting towards a field: n photons of weight 1/n are made where they cross a rectangle, normal to z.

    `electron_plane_mm` is the z of the plane beyond which electrons are split as well.
    """

    n: Annotated[Count, Field(ge=2, le=MOST_SPLIT)]
    field_mm: FieldSize
    at_mm: Triple
    electron_plane_mm: float


class ReuseAtPlane(Table):
    """A plane across z behind which a particle goes on as n of a share of its weight, mirrored in turn.

    `normal` says which way is forward.
    """

    z_mm: float
    n: Annotated[Count, Field(ge=2, le=1000)]
    mirror: Literal["none", "x", "y", "xy"] = "none"
    normal: Triple = FORWARD


class VarianceReduction(Table):
    """Ways to the same mean with less time; all off. All but the last and those of a phantom belong to a scene."""

    bremsstrahlung_splitting: Annotated[int, BeforeValidator(no_table), Field(ge=0, le=MOST_SPLIT)] = 0
    directional: Directional | None = None
    equal_weight: Directional | None = None
    photon_splitting: Annotated[Count, Field(ge=0, le=MOST_COPIES)] = 0
    russian_roulette: Annotated[Count, Field(ge=0, le=MOST_SPLIT)] = 0
    voxel_splitting: Annotated[Count, Field(ge=0, le=MOST_SPLIT)] = 0
    track_length: bool = False
    xy_limits: Annotated[str, Field(min_length=1)] = OFF
    roulette_value: Annotated[Count, Field(ge=0, le=MOST_SPLIT)] = 100
    reuse_at_plane: ReuseAtPlane | None = None


PhaseSpaceFormat = Literal[
    "iaea", "egs_mode0", "egs_mode2", "topas_binary", "topas_limited", "topas_ascii", "gamos_text", "native"
]


Long = Literal["crossings", "interactions", "origin"]
ExtraInformation = Long | Literal["z_origin", "z_last", "z_last_no_material"]
Names = Annotated[tuple[InsertName, ...], Strict(False)]


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


def usual_scores(phantom: object) -> tuple[Score, ...]:
    """Return the scores of a run that names none."""
    return () if phantom is None else (Score(),)
