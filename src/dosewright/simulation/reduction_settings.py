"""How a user reduces variance in a scene, checked, and packed for the kernels."""

from dataclasses import dataclass

import numpy as np

from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.core.units import MM_PER_CM
from dosewright.core.xy_limits import XyLimits
from dosewright.transport.aim import Field
from dosewright.transport.reduction import NO_REDUCTION, Reduction

MOST = 100_000  # photons for one; weights below 1e-5 are worth nobody's time
WHERE = "variance_reduction"
ROULETTE_VALUE = 100.0
NEAR_MM = 1.0


@dataclass(frozen=True)
class UniformSplitting:
    """So many photons of equal weight for each that bremsstrahlung makes."""

    n: int

    def __post_init__(self) -> None:
        problems = _count(self.n, "bremsstrahlung_splitting")
        if problems:
            raise InputError(*problems)


@dataclass(frozen=True)
class DirectionalSplitting:
    """So many photons for one into a field, a rectangle normal to z: full lengths and centre, mm.

    Electrons and positrons are split where they go through the plane z = `electron_plane_mm`, which lies between where
    photons are made and the field. With `equal_weight` what enters the voxels has one weight.
    """

    n: int
    field_mm: tuple[float, float]
    at_mm: tuple[float, float, float]
    electron_plane_mm: float
    equal_weight: bool = False

    def __post_init__(self) -> None:
        word = "equal_weight" if self.equal_weight else "directional"
        problems = _count(self.n, f"{word}.n")
        if not all(0.0 < side < np.inf for side in self.field_mm):
            problems += refuse("A field has two positive sides, in mm", given=list(self.field_mm),
                               where=f"{WHERE}.{word}.field_mm").problems  # fmt: skip
        if not np.isfinite([*self.at_mm, self.electron_plane_mm]).all():
            problems += refuse("A field needs finite places", given=[*self.at_mm, self.electron_plane_mm],
                               where=f"{WHERE}.{word}.at_mm").problems  # fmt: skip
        elif self.at_mm[2] == self.electron_plane_mm:
            problems += refuse("The electron plane lies upstream of the field, which says where the beam goes",
                               given=f"both at z = {self.electron_plane_mm:g} mm",
                               where=f"{WHERE}.{word}.electron_plane_mm").problems  # fmt: skip
        if problems:
            raise InputError(*problems)


@dataclass(frozen=True)
class ReductionSettings:
    """Everything that reduces variance in a scene.

    Thin particles that enter the box of voxels are split in `voxel_splitting` (0: not). Of `russian_roulette` electrons
    and positrons that photons set free one goes on (0: all). Outside `xy_limits` one of `roulette_value` goes on; 0
    kills all, which takes away dose.
    """

    bremsstrahlung: UniformSplitting | DirectionalSplitting | None = None
    russian_roulette: int = 0
    voxel_splitting: int = 0
    xy_limits: XyLimits | None = None
    roulette_value: float = ROULETTE_VALUE

    def __post_init__(self) -> None:
        problems = _count(self.russian_roulette, "russian_roulette") if self.russian_roulette else []
        problems += _count(self.voxel_splitting, "voxel_splitting") if self.voxel_splitting else []
        if self.russian_roulette and isinstance(self.bremsstrahlung, DirectionalSplitting):
            problems += refuse("Directional splitting plays a roulette of its own",
                               given=f"russian_roulette = {self.russian_roulette}", allowed="0",
                               where=f"{WHERE}.russian_roulette").problems  # fmt: skip
        if not (self.roulette_value == 0.0 or 1.0 < self.roulette_value < np.inf):
            problems += refuse("Roulette outside the limits of x and y",
                               given=self.roulette_value, allowed="more than 1, or 0 to kill",
                               where=f"{WHERE}.roulette_value").problems  # fmt: skip
        if problems:
            raise InputError(*problems)

    @property
    def reduces(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.bremsstrahlung or self.russian_roulette or self.voxel_splitting or self.xy_limits)

    @property
    def biased(self) -> str:
        """What takes away dose, as a sentence; empty where nothing does."""
        if self.xy_limits is None or self.roulette_value:
            return ""
        return "Particles outside the limits of x and y are killed: what they would have brought back is missing."

    def misses(self, low_mm: tuple[float, float], high_mm: tuple[float, float]) -> str:
        """Say that photons are aimed at less than a box of voxels with these edges (x, y; mm); empty if not."""
        split = self.bremsstrahlung
        if not isinstance(split, DirectionalSplitting):
            return ""
        beside = [
            max(
                split.at_mm[i] - 0.5 * split.field_mm[i] - low_mm[i],
                high_mm[i] - split.at_mm[i] - 0.5 * split.field_mm[i],
            )
            for i in range(2)
        ]
        if max(beside) <= NEAR_MM:
            return ""
        return (
            f"The voxels reach {max(beside):.4g} mm beyond the field that photons are aimed at: what passes beside it "
            "enters them as few and heavy particles, single lines in the dose until millions of histories have run."
        )


def _count(n: int, word: str) -> list[str]:
    if 2 <= n <= MOST:
        return []
    return list(refuse("So many for one", given=n, allowed=f"2 to {MOST}", where=f"{WHERE}.{word}").problems)


def pack_reduction(settings: ReductionSettings, scene_to_box: Rigid) -> Reduction:
    """Return settings for the kernels.

    The field and the electron plane are in the axes of the box, limits of x and y in those of the scene;
    `scene_to_box` leads from these to those, mm.
    """
    packed = NO_REDUCTION._replace(
        roulette=float(max(settings.russian_roulette, 1)), voxels=float(max(settings.voxel_splitting, 1))
    )
    split = settings.bremsstrahlung
    if isinstance(split, UniformSplitting):
        packed = packed._replace(splitting=float(split.n))
    elif split is not None:
        x, y, z = (float(at) / MM_PER_CM for at in split.at_mm)
        a, b = (0.5 * side / MM_PER_CM for side in split.field_mm)
        plane = split.electron_plane_mm / MM_PER_CM
        packed = packed._replace(
            directional=float(split.n),
            field=Field(x - a, x + a, y - b, y + b, z),
            plane=plane,
            downstream=1.0 if z > plane else -1.0,
            equal_weight=split.equal_weight,
        )
    if settings.xy_limits is not None:
        back = scene_to_box.inverse()
        packed = packed._replace(
            limits=np.array(settings.xy_limits.rows_mm) / MM_PER_CM,
            # In rows as all arrays of the kernels: another order would compile them again.
            limit_axes=np.ascontiguousarray(np.column_stack([back.rotation, back.translation / MM_PER_CM])),
            limit_roulette=float(settings.roulette_value),
        )
    return packed
