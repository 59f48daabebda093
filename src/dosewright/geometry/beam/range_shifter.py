"""A range shifter that a plan and a beam model describe by thickness, as a plate across the whole beam."""

from dosewright.core.beam_model import BeamModel, RangeShifter
from dosewright.core.errors import InputError, nearest
from dosewright.core.matter import Material
from dosewright.core.plan import IonBeam, RangeShifterSetting
from dosewright.core.solids import Box, Device, Solid
from dosewright.geometry.beam.beamline import HALF_WIDTH_MM
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power

DEFAULT_MATERIAL = "G4_POLYCARBONATE"
REFERENCE_MEV = 150.0  # the relative stopping power of solids varies by less than 0.3 % from 50 to 250 MeV


def relative_stopping_power(material: Material) -> float:
    """Return the stopping power of a material over that of water, per length."""
    water = named("G4_WATER")
    ratio = proton_mass_stopping_power(material, REFERENCE_MEV) / proton_mass_stopping_power(water, REFERENCE_MEV)
    return float(ratio) * material.density_g_cm3 / water.density_g_cm3


def range_shifter_plates(
    beam: IonBeam, settings: tuple[RangeShifterSetting, ...], model: BeamModel
) -> tuple[tuple[Device, ...], tuple[str, ...]]:
    """Return the plates of a beam's range shifters and what was assumed of them; refuses what is not known."""
    problems: list[str] = []
    plates: list[Device] = []
    assumptions: list[str] = []
    for setting in settings:
        shifter = _shifter(setting, model, assumptions)
        thickness = _thickness_mm(shifter, setting, assumptions) if shifter else None
        distance = _distance_mm(beam, setting, assumptions)
        if shifter is None or thickness is None:
            known = (*model.range_shifters, *(d.id for d in model.devices.values() if d.kind == "range_shifter"))
            hint = nearest(setting.id, known)
            problems.append(
                f"Beam {beam.number}: range shifter {setting.id!r} is neither in beam model {model.name!r} nor has "
                f"the plan its water-equivalent thickness.{hint} Known: {', '.join(known) or 'none'}."
            )
        if distance is None:
            problems.append(
                f"Beam {beam.number}: range shifter {setting.id!r} has neither an isocentre distance nor has the "
                "plan a snout position, so its place is not known."
            )
        if thickness is not None and not thickness > 0:
            problems.append(f"Beam {beam.number}: range shifter {setting.id!r} has no thickness ({thickness:g} mm).")
        elif shifter and thickness is not None and distance is not None:
            plates.append(plate(shifter.id, shifter.material, thickness, distance))
    if problems:
        raise InputError(*problems)
    return tuple(plates), tuple(assumptions)


def plate(identifier: str, material: Material, thickness_mm: float, lower_mm: float) -> Device:
    """Return a range shifter that covers the whole beam, its downstream face `lower_mm` from the isocentre."""
    box = Box((2 * HALF_WIDTH_MM, 2 * HALF_WIDTH_MM, thickness_mm))
    centre = (0.0, 0.0, lower_mm + thickness_mm / 2)
    return Device(identifier, "range_shifter", (Solid("plate", box, material, material.density_g_cm3, centre),))


def _shifter(setting: RangeShifterSetting, model: BeamModel, assumptions: list[str]) -> RangeShifter | None:
    by_folded = {name.casefold(): one for name, one in model.range_shifters.items()}
    if setting.id.casefold() in by_folded:
        return by_folded[setting.id.casefold()]
    if setting.water_equivalent_thickness_mm is None:
        return None
    assumptions.append(
        f"Range shifter {setting.id!r} is not in the beam model: a slab of {DEFAULT_MATERIAL} with the plan's "
        f"water-equivalent thickness of {setting.water_equivalent_thickness_mm:g} mm was put in its place."
    )
    return RangeShifter(setting.id, named(DEFAULT_MATERIAL), None, setting.water_equivalent_thickness_mm)


def _thickness_mm(shifter: RangeShifter, setting: RangeShifterSetting, assumptions: list[str]) -> float | None:
    plan_wet = setting.water_equivalent_thickness_mm
    rsp = relative_stopping_power(shifter.material)
    if shifter.thickness_mm is not None:
        model_wet = shifter.thickness_mm * rsp
        if plan_wet is not None and abs(model_wet - plan_wet) > max(1.0, 0.02 * plan_wet):
            assumptions.append(
                f"Range shifter {shifter.id!r}: the model's slab is {model_wet:.1f} mm water-equivalent, the plan "
                f"says {plan_wet:g} mm; the model was used."
            )
        return shifter.thickness_mm
    wet = shifter.wet_mm if shifter.wet_mm is not None else plan_wet
    if wet is None:
        return None
    assumptions.append(
        f"Range shifter {shifter.id!r}: {wet:g} mm of water taken as {wet / rsp:.2f} mm of {shifter.material.name} "
        f"(relative stopping power {rsp:.4f} at {REFERENCE_MEV:g} MeV)."
    )
    return wet / rsp


def _distance_mm(beam: IonBeam, setting: RangeShifterSetting, assumptions: list[str]) -> float | None:
    if setting.isocenter_distance_mm is not None:
        return setting.isocenter_distance_mm
    if beam.snout_position_mm is not None:
        assumptions.append(
            f"Range shifter {setting.id!r} has no distance in the plan: its downstream face was put at the snout "
            f"position, {beam.snout_position_mm:g} mm from the isocentre."
        )
    return beam.snout_position_mm
