"""What else stands in an ion beam: things that change the dose and that cannot be calculated yet."""

from typing import Final

from dosewright.formats.dicom.attributes import Attributes

DEVICES: Final = (  # name, sequence, count, identifier
    ("aperture or block", "IonBlockSequence", "NumberOfBlocks", "BlockName"),
    ("range compensator", "IonRangeCompensatorSequence", "NumberOfCompensators", "CompensatorID"),
    ("range modulator", "RangeModulatorSequence", "NumberOfRangeModulators", "RangeModulatorID"),
    ("wedge", "IonWedgeSequence", "NumberOfWedges", "WedgeID"),
    ("collimator", "IonBeamLimitingDeviceSequence", "", "IonBeamLimitingDeviceType"),
)


def devices(beam: Attributes) -> tuple[str, ...]:
    """Return the apertures, compensators, modulators, wedges, collimators and scatterers of a beam, by name."""
    found = []
    for name, sequence, count, identifier in DEVICES:
        items = beam.items(sequence)
        number = max((beam.integer(count) or 0) if count else 0, len(items))
        names = [n for n in (item.text(identifier) for item in items) if n]
        if number:
            found.append(f"{number} {name}{'s' if number > 1 else ''}" + (f" ({', '.join(names)})" if names else ""))
    for item in beam.items("LateralSpreadingDeviceSequence"):
        if item.text("LateralSpreadingDeviceType").upper() == "SCATTERER":
            found.append(f"1 scatterer ({item.text('LateralSpreadingDeviceID')})")
    return tuple(found)
