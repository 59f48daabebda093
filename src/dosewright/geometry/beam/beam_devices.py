"""Everything that stands in one beam: the machine's nozzle, and what the plan puts in."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.looks import tried
from dosewright.core.matter import Material
from dosewright.core.plan import IonBeam, RangeModulatorSetting, RangeShifterSetting
from dosewright.core.solids import Device
from dosewright.geometry.beam.aperture import block_devices
from dosewright.geometry.beam.beamline import heights_mm, is_matter, words
from dosewright.geometry.beam.compensator import compensator_devices
from dosewright.geometry.beam.device_place import placed
from dosewright.geometry.beam.projection import projection_of
from dosewright.geometry.beam.range_shifter import range_shifter_plates, relative_stopping_power
from dosewright.geometry.beam.solid_inside import bounds_mm
from dosewright.materials.library import written_exactly

Named = Callable[[str], Material]
Found = tuple[tuple[Device, ...], tuple[str, ...]]

PLACE_TOLERANCE_MM = 1.0  # of a machine's own device against the distance that the plan states
SUCH_AS = "BRASS, CERROBEND, PMMA, Lexan, polyethylene, G4_W"


def devices_in_beam(beam: IonBeam, model: BeamModel, named: Named) -> Found:
    """Return what stands in a beam, in gantry axes, and what was assumed of it; refuses all that is not known.

    `named` gives the materials of what the plan describes itself: blocks and compensators.
    """
    problems: list[str] = []
    looks = (_nozzle, _range_shifters, _range_modulators, partial(_described, named=named))
    found = [tried(partial(look, beam, model), problems) or ((), ()) for look in looks]
    if problems:
        raise InputError(*problems)
    return tuple(d for devices, _ in found for d in devices), tuple(s for _, said in found for s in said)


def device_text(device: Device) -> str:
    """Describe a placed device in words: what it is made of, how thick, how far from the isocentre."""
    found = heights_mm((device,))
    if found is None:
        return f"{words(device)}: a hole"
    media = dict.fromkeys(
        f"{s.material.name} ({s.density_g_cm3:g} g/cm3)" for s in device.solids if s.material and is_matter(s)
    )
    return f"{words(device)}: {found[1] - found[0]:.2f} mm {', '.join(media)}, {found[0]:.1f} mm from the isocentre"


def _nozzle(beam: IonBeam, model: BeamModel) -> Found:
    if model.nozzle is None:
        return (), ()
    nozzle = _placed(model.nozzle, beam)
    return (nozzle,), (f"The {words(nozzle)} of the beam model stands in the beam.",)


def _range_shifters(beam: IonBeam, model: BeamModel) -> Found:
    """Return range shifters that the machine has as solids, and plates for those known by thickness."""
    solid = [(setting, one) for setting in beam.range_shifters if (one := _of(model, setting.id, "range_shifter"))]
    plain = tuple(setting for setting in beam.range_shifters if _of(model, setting.id, "range_shifter") is None)
    plates, assumed = range_shifter_plates(beam, plain, model)
    devices, said = [], list(assumed)
    for setting, device in solid:
        snout_mm = None if device.on_snout else beam.snout_position_mm
        device = _placed(device, beam)
        devices.append(device)
        said += _contradictions(device, setting, snout_mm)
        wet, own = setting.water_equivalent_thickness_mm, _water_equivalent_mm(device)
        if wet is not None and own is not None and abs(own - wet) > max(1.0, 0.02 * wet):
            said.append(
                f"Range shifter {device.id!r}: the model's solid is {own:.1f} mm water-equivalent, the plan says "
                f"{wet:g} mm; the model was used."
            )
    return (*devices, *plates), tuple(said)


def _range_modulators(beam: IonBeam, model: BeamModel) -> Found:
    devices, said, problems = [], [], []
    for setting in beam.range_modulators:
        device = _of(model, setting.id, "range_modulator")
        if device is None:
            known = [d.id for d in model.devices.values() if d.kind == "range_modulator"]
            problems.append(
                f"Beam {beam.number}: range modulator {setting.id!r} is not in beam model {model.name!r}."
                f"{nearest(setting.id, known)} Known: {', '.join(known) or 'none'}."
            )
            continue
        device = _placed(device, beam)
        devices.append(device)
        said += _contradictions(device, setting)
    if problems:
        raise InputError(*problems)
    return tuple(devices), tuple(said)


def _described(beam: IonBeam, model: BeamModel, named: Named) -> Found:
    """Return the blocks and compensators that the plan describes itself."""
    if not beam.blocks and not beam.compensators:
        return (), ()

    def known(word: str) -> Material:
        found = _meant(word.strip(), named)
        if len(found) == 1:
            return found[0]
        if found:
            raise refuse(
                f"Beam {beam.number}: the material of a block or compensator is known in several cases of its letters",
                given=repr(word),
                allowed=f"one of them exactly; they mean {', '.join(one.name for one in found)}",
            )
        raise refuse(
            f"Beam {beam.number}: a block or compensator is made of a material that is not known."
            f"{nearest(word, SUCH_AS.split(', '))}",
            given=repr(word),
            allowed=f"a name or word that `dosewright query -M` lists, such as {SUCH_AS}",
        )

    projection, said = projection_of(beam, model)
    compensators, of_compensators = compensator_devices(beam, projection, known)
    blocks, of_blocks = block_devices(beam, projection, known)
    return (*compensators, *blocks), (*said, *of_compensators, *of_blocks)


def _meant(word: str, named: Named) -> list[Material]:
    """Return what a plan's word may mean: the medium of exactly that name, else all that differ in case only."""
    exact = _found_under((word,), named)
    return exact or _found_under((word.lower(), word.capitalize(), word.upper(), written_exactly(word)), named)


def _found_under(words: Iterable[str], named: Named) -> list[Material]:
    """Return the different materials that some words name."""
    found: list[Material] = []
    for word in words:
        with suppress(InputError):
            material = named(word)
            found += [] if material in found else [material]
    return found


def _of(model: BeamModel, identifier: str, kind: str) -> Device | None:
    """Return a device of the machine by the plan's ID, whatever its case; None where the machine has none."""
    for name, device in model.devices.items():
        if name.casefold() == identifier.strip().casefold() and device.kind == kind:
            return device
    return None


def _placed(device: Device, beam: IonBeam) -> Device:
    try:
        return placed(device, gantry_deg=beam.gantry_deg, snout_mm=beam.snout_position_mm, snout_moves=beam.snout_moves)
    except InputError as problem:
        raise InputError(*(f"Beam {beam.number}: {p}" for p in problem.problems)) from problem


def _contradictions(
    device: Device, setting: RangeShifterSetting | RangeModulatorSetting, snout_mm: float | None = None
) -> list[str]:
    """Say that the plan puts a device elsewhere than the machine has it, or its snout where the device is not."""
    found, wanted = heights_mm((device,)), setting.isocenter_distance_mm
    if found is not None and wanted is None and snout_mm is not None and abs(found[0] - snout_mm) > PLACE_TOLERANCE_MM:
        return [
            f"The {words(device)} has its downstream face {found[0]:.1f} mm from the isocentre, where the beam model "
            f"puts it; it does not follow the snout, which the plan has at {snout_mm:g} mm."
        ]
    if found is None or wanted is None or abs(found[0] - wanted) <= PLACE_TOLERANCE_MM:
        return []
    return [
        f"The {words(device)} has its downstream face {found[0]:.1f} mm from the isocentre, the plan says {wanted:g} "
        "mm; the beam model was used."
    ]


def _water_equivalent_mm(device: Device) -> float | None:
    """Return the water-equivalent thickness along the beam axis; None where the axis meets a hole or a slant."""
    total = 0.0
    for solid in device.solids:
        low, high = bounds_mm(solid)
        if solid.material is None or type(solid.shape).__name__ != "Box":
            return None
        if low[0] <= 0.0 <= high[0] and low[1] <= 0.0 <= high[1] and is_matter(solid):
            scaled = replace(solid.material, density_g_cm3=solid.density_g_cm3)
            total += float(high[2] - low[2]) * relative_stopping_power(scaled)
    return total or None
