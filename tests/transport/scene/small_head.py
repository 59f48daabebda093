"""Small heads: 6 MeV electrons on tungsten, a scatterer in the field, a jaw on one side, water behind; along +z."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from dosewright.core.frame import Rigid
from dosewright.core.matter import Material
from dosewright.core.scene import Part
from dosewright.core.shapes import Cone, Difference, Placement
from dosewright.core.solids import Box, Tube
from dosewright.geometry.scene.xy_limits import limits_of
from dosewright.materials.library import named
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.simulation.problem import Problem
from dosewright.simulation.reduction_settings import DirectionalSplitting, ReductionSettings, pack_reduction
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.transport.coupled import CoupledProblem

from .scene_runs import one_voxel, scene_problem

TUNGSTEN, COPPER = Material("W", 19.3, {74: 1.0}), named("G4_Cu")
SETTINGS = CoupledSettings(electron_cut_MeV=0.5, photon_cut_MeV=0.05, dose_to_water=False)
NOTHING = np.zeros(0)


@dataclass(frozen=True)
class Head:
    """Parts, where the beam begins, the field that photons are aimed at and the plane of electrons (mm)."""

    parts: tuple[Part, ...]
    begin_mm: float
    field_mm: tuple[float, float]
    at_mm: tuple[float, float, float]
    plane_mm: float

    def directional(self, n: int, *, equal_weight: bool = False) -> ReductionSettings:
        """Photons aimed at its field."""
        return ReductionSettings(DirectionalSplitting(n, self.field_mm, self.at_mm, self.plane_mm, equal_weight))

    def limited(self, value: float) -> ReductionSettings:
        """Limits of x and y as wide as its parts."""
        return ReductionSettings(xy_limits=limits_of(self.parts, beam=1), roulette_value=value)


def part(name: str, shape: object, material: Material, x_mm: float, z_mm: float) -> Part:
    return Part(name, shape, material, Placement((x_mm, 0.0, z_mm)))  # type: ignore[arg-type]


# All parts close to the water, so that a run without reduction is precise soon; the field is all of the water.
NEAR = Head(
    (
        part("target", Tube(10.0, 3.0), TUNGSTEN, 0.0, -48.5),
        part("filter", Cone(2.0, 28.0, 20.0), COPPER, 0.0, -30.0),
        part("jaw", Box((60.0, 120.0, 12.0)), TUNGSTEN, 45.0, -10.0),
    ),
    -52.0, (200.0, 200.0), (0.0, 0.0, 0.0), -41.0,
)  # fmt: skip

# A collimator and a part of a field: photons and electrons scatter into the field from outside it.
FAR = Head(
    (
        part("target", Tube(10.0, 3.0), TUNGSTEN, 0.0, -198.5),
        part("collimator", Difference(Tube(80.0, 60.0), Cone(6.0, 26.0, 60.01)), TUNGSTEN, 0.0, -150.0),
        part("filter", Cone(2.0, 28.0, 20.0), COPPER, 0.0, -100.0),
        part("jaw", Box((100.0, 200.0, 30.0)), TUNGSTEN, 70.0, -55.0),
    ),
    -205.0, (110.0, 150.0), (-20.0, 0.0, 0.0), -95.0,
)  # fmt: skip


# For a beam of photons: most of what reaches the water has been scattered or made in the block.
BLOCK = Head(
    (
        part("block", Tube(30.0, 60.0), COPPER, 0.0, -50.0),
        part("jaw", Box((60.0, 120.0, 12.0)), TUNGSTEN, 45.0, -10.0),
    ),
    -90.0, (200.0, 200.0), (0.0, 0.0, 0.0), -30.0,
)  # fmt: skip


@cache
def plain_head(head: str, particle: str = "electron") -> Problem:
    """The head in air before a box of water of 20 x 20 x 10 cm."""
    of: Head = HEADS[head]
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY], row[0, emit.XX], row[0, emit.YY] = 6.0, 0.05, 0.05
    source = Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), NOTHING, NOTHING, NOTHING)
    voxels = one_voxel((-100, -100, 0), (100, 100, 100), (10, 10, 5))
    parts: Sequence[Part] = of.parts
    return scene_problem(parts, source, particle, SETTINGS, fill=named("G4_AIR"), voxels=voxels, begin_mm=of.begin_mm)


HEADS = {"near": NEAR, "far": FAR, "block": BLOCK}


def reduced_head(head: str, settings: ReductionSettings) -> Problem:
    """The same with its variance reduced."""
    plain = plain_head(head, "photon" if head == "block" else "electron")
    assert isinstance(plain.packed, CoupledProblem)
    return replace(plain, packed=plain.packed._replace(reduction=pack_reduction(settings, Rigid.identity())))
