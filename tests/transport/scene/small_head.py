"""A small head: 6 MeV electrons on tungsten, a collimator, a scatterer in the field, jaws of one side, water behind."""

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

from .scene_runs import one_voxel, scene_problem

TUNGSTEN = Material("W", 19.3, {74: 1.0})
SETTINGS = CoupledSettings(electron_cut_MeV=0.5, photon_cut_MeV=0.05, dose_to_water=False)
TARGET = Part("target", Tube(10.0, 3.0), TUNGSTEN, Placement((0.0, 0.0, -198.5)))
COLLIMATOR = Part(
    "collimator", Difference(Tube(80.0, 60.0), Cone(6.0, 26.0, 60.01)), TUNGSTEN, Placement((0.0, 0.0, -150.0))
)
FILTER = Part("filter", Cone(2.0, 28.0, 20.0), named("G4_Cu"), Placement((0.0, 0.0, -100.0)))
JAW = Part("jaw", Box((100.0, 200.0, 30.0)), TUNGSTEN, Placement((70.0, 0.0, -55.0)))
PARTS = (TARGET, COLLIMATOR, FILTER, JAW)
FIELD_MM, AT_MM, PLANE_MM = (110.0, 150.0), (-20.0, 0.0, 0.0), -115.0
N = 50


def directional(n: int = N, *, plane_mm: float = PLANE_MM, equal_weight: bool = False) -> ReductionSettings:
    return ReductionSettings(DirectionalSplitting(n, FIELD_MM, AT_MM, plane_mm, equal_weight))


@cache
def plain_head() -> Problem:
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY], row[0, emit.XX], row[0, emit.YY] = 6.0, 0.05, 0.05
    nothing = np.zeros(0)
    source = Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), nothing, nothing, nothing)
    voxels = one_voxel((-100, -100, 0), (100, 100, 100), (10, 10, 5))
    air = named("G4_AIR")
    return scene_problem(PARTS, source, "electron", SETTINGS, fill=air, voxels=voxels, begin_mm=-205.0)


@cache
def head(settings: ReductionSettings) -> Problem:
    from dataclasses import replace

    plain = plain_head()
    return replace(plain, packed=plain.packed._replace(reduction=pack_reduction(settings, Rigid.identity())))


def limited(value: float) -> ReductionSettings:
    return ReductionSettings(xy_limits=limits_of(PARTS, beam=1), roulette_value=value)
