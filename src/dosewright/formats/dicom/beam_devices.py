"""What else stands in an ion beam: things that change the dose, those that can be calculated and those that cannot."""

from typing import Final

from dosewright.formats.dicom.attributes import Attributes

CALCULATED: Final = (  # name, sequence, count, identifier
    ("aperture or block", "IonBlockSequence", "NumberOfBlocks", "BlockName"),
    ("range compensator", "IonRangeCompensatorSequence", "NumberOfCompensators", "CompensatorID"),
    ("range modulator", "RangeModulatorSequence", "NumberOfRangeModulators", "RangeModulatorID"),
)
NOT_CALCULATED: Final = (
    ("wedge", "IonWedgeSequence", "NumberOfWedges", "WedgeID"),
    ("collimator", "IonBeamLimitingDeviceSequence", "", "IonBeamLimitingDeviceType"),
)
Kinds = tuple[tuple[str, str, str, str], ...]


def devices(beam: Attributes, kinds: Kinds) -> tuple[str, ...]:
    """Return the devices of a beam that are of some kinds, by name."""
    found = []
    for name, sequence, count, identifier in kinds:
        items = beam.items(sequence)
        number = max((beam.integer(count) or 0) if count else 0, len(items))
        names = [n for n in (item.text(identifier) for item in items) if n]
        if number:
            found.append(f"{number} {name}{'s' if number > 1 else ''}" + (f" ({', '.join(names)})" if names else ""))
    return tuple(found)


def scatterers(beam: Attributes) -> tuple[str, ...]:
    """Return the scatterers of a beam, by name; the magnets of a scanned beam are none."""
    return tuple(
        f"1 scatterer ({item.text('LateralSpreadingDeviceID')})"
        for item in beam.items("LateralSpreadingDeviceSequence")
        if item.text("LateralSpreadingDeviceType").upper() == "SCATTERER"
    )
