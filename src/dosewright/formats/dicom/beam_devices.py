"""What else stands in an ion beam: things that change the dose and that cannot be calculated yet."""

from typing import Final

from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN

DEVICES: Final = (  # name, sequence, count, identifier
    ("aperture or block", "IonBlockSequence", "NumberOfBlocks", "BlockName"),
    ("range compensator", "IonRangeCompensatorSequence", "NumberOfCompensators", "CompensatorID"),
    ("range modulator", "RangeModulatorSequence", "NumberOfRangeModulators", "RangeModulatorID"),
    ("wedge", "IonWedgeSequence", "NumberOfWedges", "WedgeID"),
    ("collimator", "IonBeamLimitingDeviceSequence", "", "RTBeamLimitingDeviceType"),
)
REFUSED: Final = "refused, or left out with --ignore-devices"
ALL_REFUSED: Final = "test_ion_plan_attributes.py::test_every_device_is_refused_or_left_out_aloud"
READS: Final = declared(
    (RT_ION_PLAN,),
    "IonBeamSequence",
    [
        *(Read(count, f"{name}: {REFUSED}", ALL_REFUSED) for name, _, count, _ in DEVICES if count),
        *(Read(f"{sequence}/{word}", f"{name}: {REFUSED}", ALL_REFUSED) for name, sequence, _, word in DEVICES),
        Read(
            "LateralSpreadingDeviceSequence/LateralSpreadingDeviceType",
            f"SCATTERER: {REFUSED}; magnets count as none",
            ALL_REFUSED,
        ),
        Read("LateralSpreadingDeviceSequence/LateralSpreadingDeviceID", "names it", ALL_REFUSED),
    ],
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
