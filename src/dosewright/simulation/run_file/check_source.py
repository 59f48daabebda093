"""Mistakes in a source, in the goals and between tables that single keys do not show."""

from pathlib import Path

import numpy as np

from dosewright.core.errors import InputError
from dosewright.simulation.run_file.faults import Fault, faults_from, is_there
from dosewright.simulation.run_file.particles import ABILITIES, lowest_cut_MeV
from dosewright.simulation.run_file.source_tables import (
    AnySource,
    Energetic,
    PencilSource,
    PhaseSpaceSource,
    PointSource,
    SpotsSource,
)
from dosewright.simulation.run_file.tables import Goals
from dosewright.simulation.run_file.transport_tables import Transport
from dosewright.simulation.setup.phase_space_source import missing
from dosewright.simulation.setup.resolvers import Resolvers
from dosewright.simulation.setup.spectrum import SIGMAS, energies_MeV
from dosewright.simulation.setup.spot_table import read_spots

AXIS_MM = 1e-3  # how far the centre of a field may lie from the axis


def source_faults(source: AnySource, transport: Transport | None, resolvers: Resolvers) -> list[Fault]:
    """Return all mistakes of the source."""
    able = ABILITIES[source.particle]
    faults: list[Fault] = []
    if source.kind not in able.sources:
        what = f"There are no sources of kind {source.kind!r} for {able.name}"
        faults.append(Fault(("source", "kind"), what, None, ", ".join(able.sources)))
    direction = getattr(source, "direction", None)
    if direction is not None and not np.linalg.norm(direction) > 0:
        faults.append(Fault(("source", "direction"), "source.direction has no length", list(direction)))
    if isinstance(source, Energetic):
        faults += _energy_faults(source, transport)
    if isinstance(source, PencilSource):
        faults += _correlation_faults(source)
    if isinstance(source, PointSource):
        faults += _field_faults(source)
    if isinstance(source, SpotsSource):
        faults += _spots_faults(source, resolvers)
    if isinstance(source, PhaseSpaceSource) and is_there(source.file):
        faults += _phase_space_faults(source, resolvers)
    return faults


def _energy_faults(source: Energetic, transport: Transport | None) -> list[Fault]:
    if (source.energy_MeV is None) == (source.spectrum is None):
        given = "neither" if source.energy_MeV is None else "both"
        return [Fault(("source",), "The source needs energy_MeV or spectrum", given, "one of them")]
    if source.spectrum is not None and source.energy_spread_percent:
        return [Fault(("source", "energy_spread_percent"), "A spectrum has no energy_spread_percent beside it")]
    if source.spectrum is not None and not is_there(source.spectrum):
        return []
    key = "energy_MeV" if source.spectrum is None else "spectrum"
    try:
        lowest, highest = energies_MeV(source)
    except InputError as error:
        return faults_from(error, ("source", key))
    cut = lowest_cut_MeV(source.particle, transport or Transport())
    return _range_faults(source, key, lowest, highest, cut)


def _range_faults(source: Energetic, key: str, lowest: float, highest: float, cut: float) -> list[Fault]:
    """Refuse energies beyond the tables, or all below the cut; protons of a spectrum must all lie above it."""
    able = ABILITIES[source.particle]
    above = source.energy_MeV if source.energy_MeV is not None else highest if able.regions else lowest
    if above > cut and able.lowest_MeV <= lowest and highest <= able.highest_MeV:
        return []
    given = f"{above:g} MeV" if source.spectrum is None else f"{lowest:g} to {highest:g} MeV"
    spread = f", with {SIGMAS:g} sigmas of spread," if source.spectrum is None else ""
    start = f"from {able.lowest_MeV:g} MeV, " if able.lowest_MeV else ""
    allowed = f"{start}above {able.cut} ({cut:g}) and{spread} up to {able.highest_MeV:g} MeV"
    return [Fault(("source", key), f"source.{key} is out of range", given, allowed)]


def _correlation_faults(source: PencilSource) -> list[Fault]:
    axes = zip("xy", source.correlation, source.sigma_mm, source.divergence_mrad, strict=True)
    return [
        Fault(("source", "correlation"), f"A correlation along {a} needs a sigma_mm and a divergence_mrad", f"{r:g}")
        for a, r, sigma, divergence in axes
        if r and not (sigma and divergence)
    ]


def _field_faults(source: PointSource) -> list[Fault]:
    """The field must lie around the axis from the focus."""
    way = np.subtract(source.field_at_mm, source.position_mm)
    if not np.linalg.norm(way) > 0:
        return [Fault(("source", "field_at_mm"), "source.field_at_mm lies in the focus", list(source.field_at_mm))]
    if source.direction is None or not np.linalg.norm(source.direction) > 0:
        return []
    axis = np.array(source.direction) / np.linalg.norm(source.direction)
    height = float(way @ axis)
    if height <= 0 or np.linalg.norm(way - height * axis) > AXIS_MM:
        allowed = "a point on the line from position_mm along direction; fields beside the axis are not available yet"
        return [
            Fault(("source", "field_at_mm"), "source.field_at_mm is off the axis", list(source.field_at_mm), allowed)
        ]
    return []


def _spots_faults(source: SpotsSource, resolvers: Resolvers) -> list[Fault]:
    if (source.file is None) == (source.plan is None):
        given = "neither" if source.file is None else "both"
        return [Fault(("source",), "Spots come from a file or from a plan", given, "one of them")]
    foreign = ("beam", "beam_model") if source.file is not None else ("position_mm", "direction")
    why = "a plan" if source.file is not None else "a file of spots; a plan has its own isocentre and angles"
    faults = [
        Fault(("source", key), f"source.{key} belongs to {why}") for key in foreign if getattr(source, key) is not None
    ]
    if source.file is not None:
        if source.position_mm is None:
            faults.append(Fault(("source",), "The key 'source.position_mm' is missing: where the spots start"))
        try:
            if is_there(source.file):
                read_spots(Path(source.file))
        except InputError as error:
            faults += faults_from(error, ("source", "file"))
        return faults
    if source.beam_model is None:
        faults.append(Fault(("source",), "The key 'source.beam_model' is missing: a plan needs a beam model"))
        return faults
    try:
        resolvers.beam_model(source.beam_model)
    except InputError as error:
        faults += faults_from(error, ("source", "beam_model"))
    return faults


def _phase_space_faults(source: PhaseSpaceSource, resolvers: Resolvers) -> list[Fault]:
    """Return what is wrong with a phase space, and what its keys ask of it that it has not."""
    try:
        info = resolvers.phase_space(Path(source.file), source.long_bits).info
    except InputError as error:
        return faults_from(error, ("source", "file"))
    return [Fault(("source", *key), what, given, allowed) for key, what, given, allowed in missing(source, info)]


def goal_faults(goals: Goals) -> list[Fault]:
    """Return a fault where there is no goal, and for what does not go with a dose error."""
    if goals == Goals():
        known = "histories, uncertainty_percent, dose_error_percent, max_minutes"
        return [Fault(("goal",), "A run needs a goal", allowed=known)]
    faults = []
    if goals.dose_error_percent is None:
        faults = [
            Fault(("goal", key), f"goal.{key} says how dose errors are told, and none is a goal", getattr(goals, key),
                  "dose_error_percent with it")
            for key in ("dose_error_cutoff_percent", "dose_error_type", "dose_error_reference_Gy")
            if getattr(goals, key) is not None
        ]  # fmt: skip
    if goals.dose_error_type == "local" and goals.dose_error_reference_Gy is not None:
        place, what = ("goal", "dose_error_reference_Gy"), "goal.dose_error_reference_Gy is for global errors"
        faults.append(Fault(place, what, 'dose_error_type = "local"', 'dose_error_type = "global"'))
    return faults
