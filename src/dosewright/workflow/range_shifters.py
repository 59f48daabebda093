"""The range shifters of a beam as real slabs, at the place the plan says."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dosewright.core.beam_model import BeamModel, RangeShifter
from dosewright.core.errors import InputError, nearest
from dosewright.core.matter import Material
from dosewright.core.plan import IonBeam, RangeShifterSetting
from dosewright.geometry.slab import Slab
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power

ASSUMED_MATERIAL = "G4_PLEXIGLASS"  # most range shifters are of acrylic (PMMA)
WET_ENERGY_MEV = 150.0  # relative stopping power of plastics changes by less than 0.3 % from 70 to 230 MeV
DIFFERENT_WET_MM = 0.5


@dataclass(frozen=True)
class BeamlineSlabs:
    """Slabs between beam model and patient, from upstream to downstream, and what was assumed to place them."""

    slabs: tuple[Slab, ...]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]


def relative_stopping_power(material: Material, density_g_cm3: float) -> float:
    """Return the linear proton stopping power relative to water (1 g/cm3) at `WET_ENERGY_MEV`."""
    energy = np.array([WET_ENERGY_MEV])
    water = proton_mass_stopping_power(named("G4_WATER"), energy)[0]
    return float(density_g_cm3 * proton_mass_stopping_power(material, energy)[0] / water)


def beamline_slabs(beam: IonBeam, model: BeamModel) -> BeamlineSlabs:
    """Place the beam's range shifters; everything that cannot be known is refused together."""
    problems: list[str] = []
    assumptions: list[str] = []
    warnings: list[str] = []
    slabs = []
    for setting in beam.range_shifters:
        where = f"Beam {beam.number} {beam.name!r}, range shifter {setting.id or setting.number!r}"
        try:
            known = _described(setting, model, where, assumptions)
            thickness = _thickness_mm(setting, known, where, assumptions, warnings)
            downstream = _downstream_mm(beam, setting, where, assumptions)
        except InputError as error:
            problems.extend(error.problems)
            continue
        slabs.append(Slab(known.material, known.material.density_g_cm3, downstream + thickness, downstream))
    slabs.sort(key=lambda slab: -slab.upstream_mm)
    problems += _misplaced(beam, slabs, model)
    if problems:
        raise InputError(*problems)
    return BeamlineSlabs(tuple(slabs), tuple(assumptions), tuple(warnings))


def _described(setting: RangeShifterSetting, model: BeamModel, where: str, assumptions: list[str]) -> RangeShifter:
    found = model.range_shifters.get(setting.id)
    if found is not None:
        return found
    known = ", ".join(model.range_shifters) or "none"
    if setting.water_equivalent_thickness_mm is None:
        raise InputError(
            f"{where}: the beam model {model.name!r} does not know it and the plan gives no water-equivalent thickness."
            f"{nearest(setting.id, model.range_shifters)} Known: {known}. Describe it in a beam model (-z)."
        )
    material = named(ASSUMED_MATERIAL)
    assumptions.append(
        f"{where}: the beam model {model.name!r} does not know it; {ASSUMED_MATERIAL} "
        f"({material.density_g_cm3:g} g/cm3) is assumed, as thick as the plan's water-equivalent thickness asks for."
    )
    return RangeShifter(setting.id, material, None, setting.water_equivalent_thickness_mm)


def _thickness_mm(
    setting: RangeShifterSetting, known: RangeShifter, where: str, assumptions: list[str], warnings: list[str]
) -> float:
    power = relative_stopping_power(known.material, known.material.density_g_cm3)
    planned = setting.water_equivalent_thickness_mm
    if known.thickness_mm is not None and setting.kind == "BINARY":
        own = known.thickness_mm * power
        if planned is not None and abs(own - planned) > DIFFERENT_WET_MM:
            warnings.append(
                f"{where}: {known.thickness_mm:g} mm of {known.material.name} are {own:.1f} mm of water, "
                f"while the plan says {planned:g} mm. The beam model's thickness is used."
            )
        return known.thickness_mm
    wet = planned if planned is not None else known.wet_mm
    if wet is None or wet <= 0:
        raise InputError(f"{where}: neither the plan nor the beam model gives its thickness.")
    assumptions.append(
        f"{where}: {wet:g} mm of water are {wet / power:.2f} mm of {known.material.name} "
        f"(relative stopping power {power:.4f} at {WET_ENERGY_MEV:g} MeV)."
    )
    return wet / power


def _downstream_mm(beam: IonBeam, setting: RangeShifterSetting, where: str, assumptions: list[str]) -> float:
    if setting.isocenter_distance_mm is not None:
        return setting.isocenter_distance_mm
    if beam.snout_position_mm is None:
        raise InputError(
            f"{where}: the plan says neither its distance to the isocentre (IsocenterToRangeShifterDistance) nor "
            f"a snout position, so its place is unknown. Export the plan with range shifter settings."
        )
    assumptions.append(
        f"{where}: its patient-side face is assumed at the snout position, {beam.snout_position_mm:g} mm "
        f"from the isocentre."
    )
    return beam.snout_position_mm


def _misplaced(beam: IonBeam, slabs: Sequence[Slab], model: BeamModel) -> list[str]:
    problems = [
        f"Beam {beam.number} {beam.name!r}: a range shifter reaches from {slab.downstream_mm:.1f} to "
        f"{slab.upstream_mm:.1f} mm, beyond the plane of beam model {model.name!r} at {model.plane_mm:g} mm."
        for slab in slabs
        if slab.upstream_mm > model.plane_mm
    ]
    for first, second in pairwise(slabs):
        if second.upstream_mm > first.downstream_mm + 1e-6:
            problems.append(f"Beam {beam.number} {beam.name!r}: two range shifters overlap.")
    return problems
