"""The tables of a run file that say how particles are followed, as values: cuts, processes, variance reduction."""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, Strict

from dosewright.simulation.run_file.values import (
    FORWARD,
    MOST_SPLIT,
    OFF,
    Count,
    CoupledCut,
    CutOrOff,
    FieldSize,
    InsertName,
    NotNegative,
    Positive,
    Table,
    Triple,
    no_table,
)
from dosewright.transport.copies import MOST_COPIES

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
